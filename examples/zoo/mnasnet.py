"""MnasNet (Tan et al., 2018), https://arxiv.org/abs/1807.11626, in its form B1"""

from torch import Tensor, nn

MOMENTUM = 1 - 0.9997


def scaled(width: int, alpha: float) -> int:
    """The multiple of 8 nearest to `alpha * width` that is not more than a tenth smaller."""
    wanted = width * alpha
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


class InvertedResidual(nn.Module):
    def __init__(
        self, in_channels: int, width: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        self.stride = stride
        self.width = width
        self.in_channels = in_channels
        inner = in_channels * expansion
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner, momentum=MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(
                inner,
                inner,
                kernel,
                stride=stride,
                padding=kernel // 2,
                groups=inner,
                bias=False,
            ),
            nn.BatchNorm2d(inner, momentum=MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, width, 1, bias=False),
            nn.BatchNorm2d(width, momentum=MOMENTUM),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * (kernel // 2) - kernel) // stride + 1,
            (W + 2 * (kernel // 2) - kernel) // stride + 1]
        """
        y: Tensor = self.layers(x)
        if self.stride == 1 and self.width == self.in_channels:
            y = y + x
        return y


class Stack(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int,
        stride: int,
        expansion: int,
        repeats: int,
    ) -> None:
        super().__init__(
            InvertedResidual(in_channels, width, kernel, stride, expansion)
        )
        for _ in range(1, repeats):
            self.append(InvertedResidual(width, width, kernel, 1, expansion))


class MNASNet(nn.Module):
    def __init__(
        self, alpha: float, num_classes: int = 1000, dropout: float = 0.2
    ) -> None:
        super().__init__()
        stem = scaled(32, alpha)
        self.layers = nn.Sequential(
            nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(stem, momentum=MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, stem, 3, padding=1, groups=stem, bias=False),
            nn.BatchNorm2d(stem, momentum=MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, scaled(16, alpha), 1, bias=False),
            nn.BatchNorm2d(scaled(16, alpha), momentum=MOMENTUM),
        )
        channels = scaled(16, alpha)
        for width, kernel, stride, expansion, repeats in [
            (24, 3, 2, 3, 3),
            (40, 5, 2, 3, 3),
            (80, 5, 2, 6, 3),
            (96, 3, 1, 6, 2),
            (192, 5, 2, 6, 4),
            (320, 3, 1, 6, 1),
        ]:
            self.layers.append(
                Stack(
                    channels, scaled(width, alpha), kernel, stride, expansion, repeats
                )
            )
            channels = scaled(width, alpha)
        self.layers.append(nn.Conv2d(channels, 1280, 1, bias=False))
        self.layers.append(nn.BatchNorm2d(1280, momentum=MOMENTUM))
        self.layers.append(nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
            elif isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(
                    module.weight, mode="fan_out", nonlinearity="sigmoid"
                )
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.layers(x)
        x = self.classifier(x.mean(dim=(2, 3)))
        return x


def mnasnet0_5(num_classes: int = 1000) -> MNASNet:
    return MNASNet(0.5, num_classes)


def mnasnet0_75(num_classes: int = 1000) -> MNASNet:
    return MNASNet(0.75, num_classes)


def mnasnet1_0(num_classes: int = 1000) -> MNASNet:
    return MNASNet(1.0, num_classes)


def mnasnet1_3(num_classes: int = 1000) -> MNASNet:
    return MNASNet(1.3, num_classes)


# netdsl: made from mnasnet.net
