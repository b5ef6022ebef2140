"""Densely connected network (Huang et al., 2016), https://arxiv.org/abs/1608.06993"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DenseLayer(nn.Module):
    def __init__(
        self, in_channels: int, growth: int, bn_size: int, drop: float
    ) -> None:
        super().__init__()
        self.drop = drop
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, bn_size * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels + growth, H, W]"""
        y = self.conv1(self.relu1(self.norm1(x)))
        y = self.conv2(self.relu2(self.norm2(y)))
        y = F.dropout(y, self.drop, training=self.training)
        x = torch.cat((x, y), dim=1)
        return x


class Transition(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels // 2, H // 2, W // 2]"""
        x = self.norm(x)
        x = self.relu(x)
        x = self.conv(x)
        x = self.pool(x)
        return x


class DenseNet(nn.Module):
    def __init__(
        self,
        growth: int,
        blocks: Sequence[int],
        init_features: int = 64,
        bn_size: int = 4,
        drop: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                [
                    (
                        "conv0",
                        nn.Conv2d(3, init_features, 7, stride=2, padding=3, bias=False),
                    ),
                    ("norm0", nn.BatchNorm2d(init_features)),
                    ("relu0", nn.ReLU(inplace=True)),
                    ("pool0", nn.MaxPool2d(3, stride=2, padding=1)),
                ]
            )
        )
        channels = init_features
        for i, n in enumerate(blocks):
            stage = nn.Sequential()
            for j in range(n):
                stage.add_module(
                    f"denselayer{j + 1}",
                    DenseLayer(channels + j * growth, growth, bn_size, drop),
                )
            self.features.add_module(f"denseblock{i + 1}", stage)
            channels += n * growth
            if i < len(blocks) - 1:
                self.features.add_module(f"transition{i + 1}", Transition(channels))
                channels = channels // 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.features(x)
        x = self.classifier(F.adaptive_avg_pool2d(F.relu(x), 1).flatten(1))
        return x


def densenet121(num_classes: int = 1000) -> DenseNet:
    return DenseNet(32, [6, 12, 24, 16], num_classes=num_classes)


def densenet161(num_classes: int = 1000) -> DenseNet:
    return DenseNet(48, [6, 12, 36, 24], 96, num_classes=num_classes)


def densenet169(num_classes: int = 1000) -> DenseNet:
    return DenseNet(32, [6, 12, 32, 32], num_classes=num_classes)


def densenet201(num_classes: int = 1000) -> DenseNet:
    return DenseNet(32, [6, 12, 48, 32], num_classes=num_classes)


# netdsl: made from densenet.net
