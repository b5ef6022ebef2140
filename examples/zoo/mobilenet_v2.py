"""MobileNetV2 (Sandler et al., 2018), https://arxiv.org/abs/1801.04381"""

import torch.nn.functional as F
from torch import Tensor, nn


class ConvBN(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int = 3,
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
            nn.BatchNorm2d(width),
            nn.ReLU6(inplace=True),
        )


class InvertedResidual(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int, expand: int) -> None:
        super().__init__()
        self.stride = stride
        self.in_channels = in_channels
        self.width = width
        hidden = in_channels * expand
        self.conv = nn.Sequential()
        if expand != 1:
            self.conv.append(ConvBN(in_channels, hidden, 1))
        self.conv.append(ConvBN(hidden, hidden, stride=stride, groups=hidden))
        self.conv.append(nn.Conv2d(hidden, width, 1, bias=False))
        self.conv.append(nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        y = self.conv(x)
        x = x + y if self.stride == 1 and self.in_channels == self.width else y
        return x


class MobileNetV2(nn.Module):
    def __init__(self, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(ConvBN(3, 32, stride=2))
        channels = 32
        for t, c, n, s in [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]:
            for i in range(n):
                self.features.append(
                    InvertedResidual(channels, c, s if i == 0 else 1, t)
                )
                channels = c
        self.features.append(ConvBN(channels, 1280, 1))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(1280, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.features(x)
        x = self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return x


# netdsl: made from mobilenet_v2.net
