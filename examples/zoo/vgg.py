"""VGG (Simonyan and Zisserman, 2014), https://arxiv.org/abs/1409.1556"""

from collections.abc import Sequence

from torch import Tensor, nn

A = [1, 1, 2, 2, 2]
B = [2, 2, 2, 2, 2]
D = [2, 2, 3, 3, 3]
E = [2, 2, 4, 4, 4]


class Features(nn.Sequential):
    def __init__(self, in_channels: int, depths: Sequence[int], norm: bool) -> None:
        super().__init__()
        channels = in_channels
        for width, depth in zip([64, 128, 256, 512, 512], depths, strict=True):
            for _ in range(depth):
                self.append(nn.Conv2d(channels, width, 3, padding=1))
                if norm:
                    self.append(nn.BatchNorm2d(width))
                self.append(nn.ReLU(inplace=True))
                channels = width
            self.append(nn.MaxPool2d(2, stride=2))
        self.out_channels = channels


class VGG(nn.Module):
    """VGG (Simonyan and Zisserman, 2014), https://arxiv.org/abs/1409.1556"""

    def __init__(
        self,
        depths: Sequence[int],
        norm: bool = False,
        num_classes: int = 1000,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = Features(3, depths, norm)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(49 * self.features.out_channels, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.avgpool(self.features(x)).flatten(1)
        x = self.classifier(x)
        return x


def vgg11(num_classes: int = 1000) -> VGG:
    return VGG(A, num_classes=num_classes)


def vgg11_bn(num_classes: int = 1000) -> VGG:
    return VGG(A, norm=True, num_classes=num_classes)


def vgg13(num_classes: int = 1000) -> VGG:
    return VGG(B, num_classes=num_classes)


def vgg13_bn(num_classes: int = 1000) -> VGG:
    return VGG(B, norm=True, num_classes=num_classes)


def vgg16(num_classes: int = 1000) -> VGG:
    return VGG(D, num_classes=num_classes)


def vgg16_bn(num_classes: int = 1000) -> VGG:
    return VGG(D, norm=True, num_classes=num_classes)


def vgg19(num_classes: int = 1000) -> VGG:
    return VGG(E, num_classes=num_classes)


def vgg19_bn(num_classes: int = 1000) -> VGG:
    return VGG(E, norm=True, num_classes=num_classes)


# netdsl: made from vgg.net
