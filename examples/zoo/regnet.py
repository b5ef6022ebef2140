"""RegNet (Radosavovic et al., 2020), https://arxiv.org/abs/2003.13678"""

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

default_act = partial(nn.ReLU, inplace=True)


def block_widths(depth: int, start: int, slope: float, step: float) -> list[int]:
    """The width of each block: on a line, rounded to `start * step ** k`, then to a multiple of 8."""
    powers = [
        round(math.log(1 + slope * i / start) / math.log(step)) for i in range(depth)
    ]
    return [8 * round(start * step**k / 8) for k in powers]


def divisible(v: int, divisor: int) -> int:
    """The nearest multiple of the divisor that is not more than a tenth smaller."""
    new = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return new + divisor if new < 0.9 * v else new


class ConvNorm(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        Act: Callable[..., nn.Module] = default_act,
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                width,
                kernel,
                stride=stride,
                padding=kernel // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(width),
            Act(),
        )


class SqueezeExcitation(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, width, 1)
        self.activation = nn.ReLU()
        self.fc2 = nn.Conv2d(width, in_channels, 1)
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        y = self.activation(self.fc1(self.avgpool(x)))
        scale = self.scale_activation(self.fc2(y))
        x = scale * x
        return x


class Block(nn.Module):
    """`squeeze` is the width of its squeeze and excitation, as a share of what flows in; 0 is none."""

    def __init__(
        self, in_channels: int, width: int, stride: int, groups: int, squeeze: float
    ) -> None:
        super().__init__()
        self.proj: nn.Module = nn.Identity()
        if stride != 1 or in_channels != width:
            self.proj = ConvNorm(in_channels, width, stride=stride, Act=nn.Identity)
        self.f = nn.Sequential(
            OrderedDict(
                [
                    ("a", ConvNorm(in_channels, width)),
                    ("b", ConvNorm(width, width, 3, stride=stride, groups=groups)),
                ]
            )
        )
        if squeeze > 0:
            self.f.add_module(
                "se", SqueezeExcitation(width, round(squeeze * in_channels))
            )
        self.f.add_module("c", ConvNorm(width, width, Act=nn.Identity))
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        x = self.activation(self.proj(x) + self.f(x))
        return x


class RegNet(nn.Module):
    def __init__(
        self,
        depth: int,
        start: int,
        slope: float,
        step: float,
        group: int,
        squeeze: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        blocks = block_widths(depth, start, slope, step)
        stages = [w for i, w in enumerate(blocks) if i == 0 or w != blocks[i - 1]]
        depths = [sum([1 for v in blocks if v == w]) for w in stages]
        widths = [divisible(w, min(group, w)) for w in stages]
        self.stem = ConvNorm(3, 32, 3, stride=2)
        self.trunk_output = nn.Sequential()
        channels = 32
        for i, (w, n) in enumerate(zip(widths, depths, strict=True)):
            stage = nn.Sequential()
            for j in range(n):
                stage.add_module(
                    f"block{i + 1}-{j}",
                    Block(
                        channels,
                        w,
                        2 if j == 0 else 1,
                        w // min(group, stages[i]),
                        squeeze,
                    ),
                )
                channels = w
            self.trunk_output.add_module(f"block{i + 1}", stage)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.weight.shape[0] * module.weight[0][0].numel()
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.stem(x)
        x = self.trunk_output(x)
        x = self.fc(self.avgpool(x).flatten(1))
        return x


def regnet_x_400mf(num_classes: int = 1000) -> RegNet:
    return RegNet(22, 24, 24.48, 2.54, 16, num_classes=num_classes)


def regnet_x_1_6gf(num_classes: int = 1000) -> RegNet:
    return RegNet(18, 80, 34.01, 2.25, 24, num_classes=num_classes)


def regnet_y_400mf(num_classes: int = 1000) -> RegNet:
    return RegNet(16, 48, 27.89, 2.09, 8, 0.25, num_classes=num_classes)


def regnet_y_16gf(num_classes: int = 1000) -> RegNet:
    return RegNet(18, 200, 106.23, 2.48, 112, 0.25, num_classes=num_classes)


# netdsl: made from regnet.net
