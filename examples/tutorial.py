"""The networks of a beginner's nn.Module tutorial, each a net of its own."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class OneLinear(nn.Module):
    """One layer. Its input size is the size of what flows in."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, 3] -> [*, 1]"""
        x = self.fc(x)
        return x


class TwoLinears(nn.Module):
    """Two layers, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.fc2 = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, 3] -> [*, 2]"""
        x = self.fc2(self.fc1(x))
        return x


class MyModel(nn.Module):
    """Layers named one by one. The activation is made once and used three times."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 5)
        self.act = nn.Sigmoid()
        self.fc2 = nn.Linear(5, 10)
        self.fc3 = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, 2] -> [*, 3]"""
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        x = self.act(self.fc3(x))
        return x


class MyModel2(nn.Module):
    """The same network as a chain: `model.linear[4]` is its last linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Sequential(
            nn.Linear(2, 5),
            nn.Sigmoid(),
            nn.Linear(5, 10),
            nn.Sigmoid(),
            nn.Linear(10, 3),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, 2] -> [*, 3]"""
        x = self.linear(x)
        return x


class Plain(nn.Sequential):
    def __init__(self, in_features: int, classes: int = 10) -> None:
        super().__init__(
            nn.Linear(in_features, 64),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(64, classes),
        )


class ComplexModel(nn.Module):
    """Two branches side by side, joined by `cat`."""

    def __init__(self) -> None:
        super().__init__()
        self.branch1 = nn.Linear(10, 5)
        self.branch2 = nn.Linear(10, 5)
        self.combine = nn.Linear(10, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 10] -> [N, 1]"""
        x = self.combine(torch.cat((self.branch1(x), self.branch2(x)), dim=1))
        return x


class Residual(nn.Module):
    """A skip connection: the branch `skip` hands on what it gets."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, width] -> [*, width]"""
        x = x + self.fc2(self.relu(self.fc1(x)))
        return x


class TwoHeads(nn.Module):
    """Two inputs and two outputs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.see = nn.Linear(64, 16)
        self.read = nn.Linear(32, 16)
        self.label = nn.Linear(32, classes)
        self.score = nn.Linear(32, 1)

    def forward(self, image: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """image: [N, 64], words: [N, 32] -> ([N, classes], [N, 1])"""
        y = F.relu(torch.cat((self.see(image), self.read(words)), dim=1))
        return self.label(y), torch.sigmoid(self.score(y))


class Switchable(nn.Module):
    """A condition on a hyperparameter: without `norm` that layer is never made."""

    def __init__(self, classes: int, norm: bool = True) -> None:
        super().__init__()
        self.fc1 = nn.Linear(8, 32)
        self.bn: nn.Module = nn.BatchNorm1d(32) if norm else nn.Identity()
        self.fc2 = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, classes]"""
        x = self.fc2(F.relu(self.bn(self.fc1(x))))
        return x


class Noisy(nn.Module):
    """A condition on `training`: noise while the network learns."""

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        self.std = std
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 2]"""
        if self.training:
            x = x + self.std * torch.randn_like(x)
        x = self.fc(x)
        return x


class Tempered(nn.Module):
    """A condition on the values: a large result is halved."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 4] -> [N, 4]"""
        y = F.relu(self.fc(x))
        if y.sum() > 1:
            y = y / 2
        return y


class Activations(nn.Module):
    """The common activations, as layers and as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.leakyrelu = nn.LeakyReLU(0.2)
        self.elu = nn.ELU()
        self.selu = nn.SELU()
        self.gelu = nn.GELU()
        self.silu = nn.SiLU()
        self.mish = nn.Mish()
        self.hardswish = nn.Hardswish()
        self.softplus = nn.Softplus()
        self.tanh = nn.Tanh()
        self.sigmoid = nn.Sigmoid()
        self.prelu = nn.PReLU()
        self.softmax = nn.Softmax(dim=-1)
        self.logsoftmax = nn.LogSoftmax(dim=-1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: [N, 16] -> ([14, N, 16], [13, N, 16])"""
        layers = torch.stack(
            (
                self.relu(x),
                self.leakyrelu(x),
                self.elu(x),
                self.selu(x),
                self.gelu(x),
                self.silu(x),
                self.mish(x),
                self.hardswish(x),
                self.softplus(x),
                self.tanh(x),
                self.sigmoid(x),
                self.prelu(x),
                self.softmax(x),
                self.logsoftmax(x),
            )
        )
        functions = torch.stack(
            (
                F.relu(x),
                F.leaky_relu(x, 0.2),
                F.elu(x),
                F.selu(x),
                F.gelu(x),
                F.silu(x),
                F.mish(x),
                F.hardswish(x),
                F.softplus(x),
                torch.tanh(x),
                torch.sigmoid(x),
                x.softmax(dim=-1),
                x.log_softmax(dim=-1),
            )
        )
        return layers, functions


# netdsl: made from tutorial.net
