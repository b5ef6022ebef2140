"""The networks of examples/tutorial.net as a beginner's tutorial writes them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class OneLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


class TwoLinears(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.fc2 = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x))


class MyModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 5)
        self.act = nn.Sigmoid()
        self.fc2 = nn.Linear(5, 10)
        self.fc3 = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        return self.act(self.fc3(x))


class MyModel2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Sequential(
            nn.Linear(2, 5), nn.Sigmoid(),
            nn.Linear(5, 10), nn.Sigmoid(),
            nn.Linear(10, 3), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


def plain(in_features: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(in_features, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, classes)
    )


class ComplexModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch1 = nn.Linear(10, 5)
        self.branch2 = nn.Linear(10, 5)
        self.combine = nn.Linear(10, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.combine(torch.cat([self.branch1(x), self.branch2(x)], dim=1))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fc2(self.relu(self.fc1(x)))


class TwoHeads(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.see = nn.Linear(64, 16)
        self.read = nn.Linear(32, 16)
        self.label = nn.Linear(32, classes)
        self.score = nn.Linear(32, 1)

    def forward(self, image: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.cat([self.see(image), self.read(words)], dim=1).relu()
        return self.label(y), self.score(y).sigmoid()


class Switchable(nn.Module):
    def __init__(self, classes: int, norm: bool) -> None:
        super().__init__()
        self.fc1 = nn.Linear(8, 32)
        self.bn = nn.BatchNorm1d(32) if norm else None
        self.fc2 = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        if self.bn is not None:
            x = self.bn(x)
        return self.fc2(x.relu())


class Noisy(nn.Module):
    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            x = x + self.std * torch.randn_like(x)
        return self.fc(x)


class Tempered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x).relu()
        return y / 2 if y.sum() > 1 else y


class Activations(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first = [
            F.relu(x), F.leaky_relu(x, 0.2), F.elu(x), F.selu(x), F.gelu(x), F.silu(x),
            F.mish(x), F.hardswish(x), F.softplus(x), x.tanh(), x.sigmoid(),
        ]  # fmt: skip
        last = [x.softmax(-1), x.log_softmax(-1)]
        layers = torch.stack([*first, self.prelu(x), *last])
        return layers, torch.stack([*first, *last])
