from collections.abc import Sequence

import torch
from torch import Tensor, nn


def divisible(v: float, by: int = 8) -> int:
    rounded = max(by, int(v + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * v else rounded


class Expand(nn.Module):
    def __init__(self, in_channels: int, expand: float) -> None:
        super().__init__()
        hidden = divisible(in_channels * expand)
        self.up = nn.Conv2d(in_channels, hidden, 1)
        self.norm = nn.BatchNorm2d(hidden)
        self.down = nn.Conv2d(hidden, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        x = x + self.down(self.norm(self.up(x)))
        return x


class Scaled(nn.Module):
    def __init__(self, scale: float, depths: Sequence[int]) -> None:
        super().__init__()
        widths = [divisible(w * scale) for w in [16, 32]]
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.norm = nn.BatchNorm2d(widths[0])
        self.stages = nn.Sequential()
        channels = widths[0]
        for width, depth in zip(widths, depths, strict=True):
            stage = nn.Sequential()
            for _ in range(depth):
                stage.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width
            self.stages.append(stage)
        self.head = nn.Conv2d(channels, int(10 * scale), 1)
        self.last = nn.BatchNorm2d(int(10 * scale))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, int(10 * scale), H, W]"""
        x = self.norm(self.stem(x))
        x = self.stages(x)
        x = self.last(self.head(x))
        return x


class Grow(nn.Module):
    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features + width]"""
        x = torch.cat((x, self.fc(x)), dim=1)
        return x


class Grown(nn.Module):
    def __init__(self, in_features: int, scale: float, steps: Sequence[int]) -> None:
        super().__init__()
        self.body = nn.Sequential()
        channels = in_features
        for n in steps:
            self.body.append(Grow(channels, int(n * scale)))
            channels += int(n * scale)
        self.head = nn.Linear(channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 2]"""
        x = self.head(self.body(x))
        return x
