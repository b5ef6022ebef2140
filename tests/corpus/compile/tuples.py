from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn


def Plain(
    in_channels: int, width: int, mid: int, stride: tuple[int, int] = (1, 1)
) -> nn.Conv2d:
    return nn.Conv2d(in_channels, width, 3, stride=stride, padding=1)


class Factored(nn.Sequential):
    def __init__(
        self, in_channels: int, width: int, mid: int, stride: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__(
            nn.Conv2d(in_channels, mid, (1, 3), stride=(1, stride[1]), padding=(0, 1)),
            nn.Conv2d(mid, width, (3, 1), stride=(*stride[:1], 1), padding=(1, 0)),
        )


class Block(nn.Module):
    def __init__(
        self,
        in_channels: int,
        width: int,
        Conv: Callable[..., nn.Conv2d | Factored],
        stride: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.conv = Conv(in_channels, width, 2 * width, stride)
        self.norm = nn.BatchNorm2d(width)
        self.down: nn.Module = nn.Identity()
        if stride != (1, 1) or in_channels != width:
            self.down = nn.Conv2d(in_channels, width, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H - 1) // stride[0] + 1, (W - 1) // stride[1] + 1]
        """
        x = F.relu(self.norm(self.conv(x)) + self.down(x))
        return x


class Stage(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        depth: int,
        Conv: Callable[..., nn.Conv2d | Factored],
        stride: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        channels = in_channels
        for i in range(depth):
            self.append(Block(channels, width, Conv, stride if i == 0 else (1, 1)))
            channels = width


class Tower(nn.Module):
    def __init__(
        self,
        Conv: Callable[..., nn.Conv2d | Factored],
        widths: Sequence[int],
        kernel: Sequence[int] = (3, 5),
        dilation: tuple[int, ...] = (1, 2),
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(
            3, widths[0], (kernel[0], kernel[1]), dilation=(dilation[0], dilation[1])
        )
        self.first = Stage(widths[0], widths[0], 2, Conv)
        self.second = Stage(widths[0], widths[1], 2, Conv, (2, 1))
        self.norm = nn.BatchNorm2d(widths[1])

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W]
        -> [N, widths[1], (H + dilation[0] - dilation[0] * kernel[0] - 1) // 2 + 1,
            W + dilation[1] - dilation[1] * kernel[1]]
        """
        x = self.stem(x)
        x = self.second(self.first(x))
        x = self.norm(x)
        return x


class Heads(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        if (in_features // heads) % 2 != 0:
            raise ValueError("2 must divide (in_features // heads)")
        self.heads = heads
        self.fc = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: [B, T, in_features]
        -> ([B, heads, T, in_features // heads // 2], [B, heads, T, in_features // heads // 2], [B, T, in_features])
        """
        C = x.shape[2]
        shape = (*x.shape[:-1], self.heads, C // self.heads)
        y = self.fc(x).view(shape).transpose(1, 2)
        halves = y.chunk(2, dim=-1)
        return halves[0], halves[1], x


def plain_tower() -> Tower:
    return Tower(Plain, [8, 16])


def factored_tower() -> Tower:
    return Tower(Factored, [8, 16])
