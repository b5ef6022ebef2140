"""MobileNetV3 (Howard et al., 2019), https://arxiv.org/abs/1905.02244"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn


def divisible(v: float, divisor: int = 8) -> int:
    """The nearest multiple of the divisor that is not more than a tenth smaller."""
    new = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return new + divisor if new < 0.9 * v else new


def HS() -> nn.Hardswish:
    return nn.Hardswish(inplace=True)


def RE() -> nn.ReLU:
    return nn.ReLU(inplace=True)


class ConvNorm(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int,
        Act: Callable[..., nn.Module] = nn.Identity,
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
            nn.BatchNorm2d(width, eps=0.001, momentum=0.01),
            Act(),
        )


class SqueezeExcitation(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, width, 1)
        self.activation = nn.ReLU()
        self.fc2 = nn.Conv2d(width, in_channels, 1)
        self.scale_activation = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        y = self.activation(self.fc1(self.avgpool(x)))
        scale = self.scale_activation(self.fc2(y))
        x = scale * x
        return x


class InvertedResidual(nn.Module):
    def __init__(
        self,
        in_channels: int,
        kernel: int,
        hidden: int,
        width: int,
        squeeze: bool,
        Act: Callable[..., nn.ReLU | nn.Hardswish],
        stride: int,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.in_channels = in_channels
        self.width = width
        self.block = nn.Sequential()
        if hidden != in_channels:
            self.block.append(ConvNorm(in_channels, hidden, 1, Act))
        self.block.append(ConvNorm(hidden, hidden, kernel, Act, stride, groups=hidden))
        if squeeze:
            self.block.append(SqueezeExcitation(hidden, divisible(hidden // 4)))
        self.block.append(ConvNorm(hidden, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * ((kernel - 1) // 2) - kernel) // stride + 1,
            (W + 2 * ((kernel - 1) // 2) - kernel) // stride + 1]
        """
        y: Tensor = self.block(x)
        if self.stride == 1 and self.in_channels == self.width:
            y = y + x
        return y


class MobileNetV3(nn.Module):
    def __init__(
        self,
        blocks: Sequence[
            tuple[int, int, int, bool, Callable[..., nn.ReLU | nn.Hardswish], int]
        ],
        last: int,
        num_classes: int = 1000,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        penultimate = 6 * blocks[-1][2]
        self.features = nn.Sequential(ConvNorm(3, 16, 3, HS, stride=2))
        channels = 16
        for k, hidden, width, se, Act, s in blocks:
            self.features.append(
                InvertedResidual(channels, k, hidden, width, se, Act, s)
            )
            channels = width
        self.features.append(ConvNorm(channels, penultimate, 1, HS))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(penultimate, last),
            nn.Hardswish(inplace=True),
            nn.Dropout(dropout, inplace=True),
            nn.Linear(last, num_classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.features(x)
        x = self.avgpool(x).flatten(1)
        x = self.classifier(x)
        return x


def mobilenet_v3_large(num_classes: int = 1000) -> MobileNetV3:
    return MobileNetV3(
        [
            (3, 16, 16, False, RE, 1),
            (3, 64, 24, False, RE, 2),
            (3, 72, 24, False, RE, 1),
            (5, 72, 40, True, RE, 2),
            (5, 120, 40, True, RE, 1),
            (5, 120, 40, True, RE, 1),
            (3, 240, 80, False, HS, 2),
            (3, 200, 80, False, HS, 1),
            (3, 184, 80, False, HS, 1),
            (3, 184, 80, False, HS, 1),
            (3, 480, 112, True, HS, 1),
            (3, 672, 112, True, HS, 1),
            (5, 672, 160, True, HS, 2),
            (5, 960, 160, True, HS, 1),
            (5, 960, 160, True, HS, 1),
        ],
        1280,
        num_classes,
    )


def mobilenet_v3_small(num_classes: int = 1000) -> MobileNetV3:
    return MobileNetV3(
        [
            (3, 16, 16, True, RE, 2),
            (3, 72, 24, False, RE, 2),
            (3, 88, 24, False, RE, 1),
            (5, 96, 40, True, HS, 2),
            (5, 240, 40, True, HS, 1),
            (5, 240, 40, True, HS, 1),
            (5, 120, 48, True, HS, 1),
            (5, 144, 48, True, HS, 1),
            (5, 288, 96, True, HS, 2),
            (5, 576, 96, True, HS, 1),
            (5, 576, 96, True, HS, 1),
        ],
        1024,
        num_classes,
    )


# netdsl: made from mobilenet_v3.net
