"""WaveNet (van den Oord et al., 2016), https://arxiv.org/abs/1609.03499"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalConv(nn.Module):
    """A convolution that sees the past alone."""

    def __init__(
        self, in_channels: int, width: int, kernel: int, dilation: int = 1
    ) -> None:
        super().__init__()
        self.dilation = dilation
        self.kernel = kernel
        self.conv = nn.Conv1d(in_channels, width, kernel, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, T] -> [N, width, T]"""
        x = self.conv(F.pad(x, (self.dilation * (self.kernel - 1), 0)))
        return x


class Layer(nn.Module):
    """What goes on to the next layer, and what goes past it to the end."""

    def __init__(
        self, in_channels: int, skip_width: int, kernel: int, dilation: int
    ) -> None:
        super().__init__()
        self.dilated = CausalConv(in_channels, 2 * in_channels, kernel, dilation)
        self.residual = nn.Conv1d(in_channels, in_channels, 1)
        self.skip = nn.Conv1d(in_channels, skip_width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: [N, in_channels, T] -> ([N, in_channels, T], [N, skip_width, T])"""
        value, gate = self.dilated(x).chunk(2, dim=1)
        y = torch.tanh(value) * torch.sigmoid(gate)
        return x + self.residual(y), self.skip(y)


class WaveNet(nn.Module):
    """The scores of each next sample."""

    def __init__(
        self,
        classes: int = 256,
        width: int = 32,
        skip_width: int = 256,
        kernel: int = 2,
        depth: int = 10,
        cycles: int = 3,
    ) -> None:
        super().__init__()
        self.skip_width = skip_width
        self.embedding = nn.Embedding(classes, width)
        self.start = CausalConv(width, width, kernel)
        self.layers = nn.ModuleList(
            [
                Layer(width, skip_width, kernel, 2**i)
                for _ in range(cycles)
                for i in range(depth)
            ]
        )
        self.end_1 = nn.Conv1d(skip_width, skip_width, 1)
        self.end_2 = nn.Conv1d(skip_width, classes, 1)

    def forward(self, samples: Tensor) -> Tensor:
        """samples: int64[N, T] -> [N, classes, T]"""
        N, T = samples.shape
        x: Tensor = self.start(self.embedding(samples).transpose(1, 2))
        total = torch.zeros(N, self.skip_width, T, device=samples.device)
        for layer in self.layers:
            x, past = layer(x)
            total = total + past
        x = self.end_2(F.relu(self.end_1(F.relu(total))))
        return x


# netdsl: made from wavenet.net
