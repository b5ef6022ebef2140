"""ShuffleNet V2 (Ma et al., 2018), https://arxiv.org/abs/1807.11164"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    def __init__(
        self, in_channels: int, width: int, kernel: int = 1, stride: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                width,
                kernel,
                stride=stride,
                padding=kernel // 2,
                bias=False,
            ),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )


class Branch(nn.Sequential):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(
                width, width, 3, stride=stride, padding=1, groups=width, bias=False
            ),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )


class Unit(nn.Module):
    """Half of the channels pass by."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % 2 != 0:
            raise ValueError("2 must divide channels")
        width = channels // 2
        self.width = width
        self.branch2 = Branch(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, channels, H, W] -> [N, channels, H, W]"""
        channels = x.shape[1]
        other, x = torch.split(x, [channels - self.width, self.width], dim=1)
        x = self.branch2(x)
        x = F.channel_shuffle(torch.cat((other, x), dim=1), 2)
        return x


class Down(nn.Module):
    """All channels go through both branches, which leave a quarter of the pixels."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.branch1 = nn.Sequential(
            nn.Conv2d(
                in_channels,
                in_channels,
                3,
                stride=2,
                padding=1,
                groups=in_channels,
                bias=False,
            ),
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.branch2 = Branch(in_channels, width, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 2 * width, (H - 1) // 2 + 1, (W - 1) // 2 + 1]"""
        x = F.channel_shuffle(torch.cat((self.branch1(x), self.branch2(x)), dim=1), 2)
        return x


class ShuffleNetV2(nn.Module):
    """`widths` are those of a branch, half of a stage's."""

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int] = (4, 8, 4),
        stem: int = 24,
        last: int = 1024,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.conv1 = ConvNorm(3, stem, 3, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage2 = nn.Sequential(Down(stem, widths[0]))
        for _ in range(1, depths[0]):
            self.stage2.append(Unit(2 * widths[0]))
        self.stage3 = nn.Sequential(Down(2 * widths[0], widths[1]))
        for _ in range(1, depths[1]):
            self.stage3.append(Unit(2 * widths[1]))
        self.stage4 = nn.Sequential(Down(2 * widths[1], widths[2]))
        for _ in range(1, depths[2]):
            self.stage4.append(Unit(2 * widths[2]))
        self.conv5 = ConvNorm(2 * widths[2], last)
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.maxpool(self.conv1(x))
        x = self.stage2(x)
        x = self.stage3(x)
        x = self.stage4(x)
        x = self.fc(self.conv5(x).mean(dim=(2, 3)))
        return x


def shufflenet_v2_x0_5(num_classes: int = 1000) -> ShuffleNetV2:
    return ShuffleNetV2([24, 48, 96], num_classes=num_classes)


def shufflenet_v2_x1_0(num_classes: int = 1000) -> ShuffleNetV2:
    return ShuffleNetV2([58, 116, 232], num_classes=num_classes)


def shufflenet_v2_x1_5(num_classes: int = 1000) -> ShuffleNetV2:
    return ShuffleNetV2([88, 176, 352], num_classes=num_classes)


def shufflenet_v2_x2_0(num_classes: int = 1000) -> ShuffleNetV2:
    return ShuffleNetV2([122, 244, 488], last=2048, num_classes=num_classes)


# netdsl: made from shufflenet_v2.net
