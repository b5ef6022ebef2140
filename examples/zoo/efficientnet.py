"""EfficientNet (Tan and Le, 2019), https://arxiv.org/abs/1905.11946"""

import math
from collections.abc import Callable

from torch import Tensor, nn

STAGES = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
]


def divisible(v: float, divisor: int = 8) -> int:
    """The nearest multiple of the divisor that is not more than a tenth smaller."""
    new = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return new + divisor if new < 0.9 * v else new


def Swish() -> nn.SiLU:
    return nn.SiLU(inplace=True)


def SlowNorm(in_channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(in_channels, eps=0.001, momentum=0.01)


class ConvNorm(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int,
        Norm: Callable[..., nn.Module],
        Act: Callable[..., nn.Module] = Swish,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                width,
                kernel,
                stride=stride,
                padding=(kernel - 1) // 2,
                groups=groups,
                bias=False,
            ),
            Norm(width),
            Act(),
        )


class SqueezeExcitation(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, width, 1)
        self.activation = nn.SiLU(inplace=True)
        self.fc2 = nn.Conv2d(width, in_channels, 1)
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        y = self.activation(self.fc1(self.avgpool(x)))
        scale = self.scale_activation(self.fc2(y))
        x = scale * x
        return x


class StochasticDepth(nn.Module):
    """Drops whole samples of a batch (Huang et al., 2016), https://arxiv.org/abs/1603.09382"""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, C, H, W] -> [N, C, H, W]"""
        N = x.shape[0]
        if self.training and self.p > 0:
            kept = x.new_ones(N, 1, 1, 1).bernoulli(1 - self.p)
            x = x * (kept / (1 - self.p))
        return x


class MBConv(nn.Module):
    def __init__(
        self,
        in_channels: int,
        expand: int,
        kernel: int,
        stride: int,
        width: int,
        drop: float,
        Norm: Callable[..., nn.Module],
    ) -> None:
        super().__init__()
        self.stride = stride
        self.in_channels = in_channels
        self.width = width
        hidden = divisible(in_channels * expand)
        self.block = nn.Sequential()
        if hidden != in_channels:
            self.block.append(ConvNorm(in_channels, hidden, 1, Norm))
        self.block.append(
            ConvNorm(hidden, hidden, kernel, Norm, stride=stride, groups=hidden)
        )
        self.block.append(SqueezeExcitation(hidden, max(1, in_channels // 4)))
        self.block.append(ConvNorm(hidden, width, 1, Norm, nn.Identity))
        if stride == 1 and in_channels == width:
            self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * ((kernel - 1) // 2) - kernel) // stride + 1,
            (W + 2 * ((kernel - 1) // 2) - kernel) // stride + 1]
        """
        y: Tensor = self.block(x)
        if self.stride == 1 and self.in_channels == self.width:
            y = self.stochastic_depth(y) + x
        return y


class EfficientNet(nn.Module):
    def __init__(
        self,
        width: float = 1.0,
        depth: float = 1.0,
        dropout: float = 0.2,
        Norm: Callable[..., nn.Module] = nn.BatchNorm2d,
        drop: float = 0.2,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        stem = divisible(32 * width)
        last = 4 * divisible(320 * width)
        widths = [divisible(w * width) for _, _, _, w, _ in STAGES]
        depths = [math.ceil(n * depth) for _, _, _, _, n in STAGES]
        self.features = nn.Sequential(ConvNorm(3, stem, 3, Norm, stride=2))
        channels = stem
        for i, (expand, kernel, stride, _, _) in enumerate(STAGES):
            stage = nn.Sequential()
            for j in range(depths[i]):
                stage.append(
                    MBConv(
                        channels,
                        expand,
                        kernel,
                        stride if j == 0 else 1,
                        widths[i],
                        drop * (sum(depths[:i]) + j) / sum(depths),
                        Norm,
                    )
                )
                channels = widths[i]
            self.features.append(stage)
        self.features.append(ConvNorm(channels, last, 1, Norm))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                fan_out = module.out_features
                nn.init.uniform_(
                    module.weight, -1 / math.sqrt(fan_out), 1 / math.sqrt(fan_out)
                )
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.features(x)
        x = self.avgpool(x).flatten(1)
        x = self.classifier(x)
        return x


def efficientnet_b0(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.0, 1.0, num_classes=num_classes)


def efficientnet_b1(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.0, 1.1, num_classes=num_classes)


def efficientnet_b2(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.1, 1.2, 0.3, num_classes=num_classes)


def efficientnet_b3(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.2, 1.4, 0.3, num_classes=num_classes)


def efficientnet_b4(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.4, 1.8, 0.4, num_classes=num_classes)


def efficientnet_b5(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.6, 2.2, 0.4, SlowNorm, num_classes=num_classes)


def efficientnet_b6(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(1.8, 2.6, 0.5, SlowNorm, num_classes=num_classes)


def efficientnet_b7(num_classes: int = 1000) -> EfficientNet:
    return EfficientNet(2.0, 3.1, 0.5, SlowNorm, num_classes=num_classes)


# netdsl: made from efficientnet.net
