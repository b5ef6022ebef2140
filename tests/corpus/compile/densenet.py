from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DenseLayer(nn.Sequential):
    def __init__(self, in_channels: int, growth: int, bottleneck: int = 4) -> None:
        super().__init__(
            OrderedDict(
                [
                    ("norm1", nn.BatchNorm2d(in_channels)),
                    ("relu1", nn.ReLU(inplace=True)),
                    (
                        "conv1",
                        nn.Conv2d(in_channels, bottleneck * growth, 1, bias=False),
                    ),
                    ("norm2", nn.BatchNorm2d(bottleneck * growth)),
                    ("relu2", nn.ReLU(inplace=True)),
                    (
                        "conv2",
                        nn.Conv2d(
                            bottleneck * growth, growth, 3, padding=1, bias=False
                        ),
                    ),
                ]
            )
        )


class DenseBlock(nn.Module):
    def __init__(self, in_channels: int, depth: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [DenseLayer(in_channels + i * growth, growth) for i in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels + depth * growth, H, W]"""
        for layer in self.layers:
            x = torch.cat((x, layer(x)), dim=1)
        return x


class Transition(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels // 2, H // 2, W // 2]"""
        x = F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)
        return x


class DenseNet(nn.Module):
    def __init__(
        self, growth: int = 32, depths: Sequence[int] = (6, 12), classes: int = 10
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, padding=1)
        self.features = nn.Sequential()
        channels = 64
        for d in depths:
            self.features.append(DenseBlock(channels, d, growth))
            channels += d * growth
            self.features.append(Transition(channels))
            channels = channels // 2
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, classes]"""
        x = self.stem(x)
        x = self.features(x)
        x = self.head(F.relu(self.norm(x)).mean(dim=(2, 3)))
        return x
