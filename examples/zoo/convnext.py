"""ConvNeXt (Liu et al., 2022), https://arxiv.org/abs/2201.03545"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm2d(nn.Module):
    """Layer norm over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, channels, H, W] -> [N, channels, H, W]"""
        channels = x.shape[1]
        x = F.layer_norm(
            x.permute(0, 2, 3, 1), [channels], self.weight, self.bias, 1e-6
        ).permute(0, 3, 1, 2)
        return x


class ChannelsLast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """x: [N, C, H, W] -> [N, H, W, C]"""
        x = x.permute(0, 2, 3, 1)
        return x


class ChannelsFirst(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, C] -> [N, C, H, W]"""
        x = x.permute(0, 3, 1, 2)
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


class Block(nn.Module):
    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.layer_scale = nn.Parameter(torch.empty(in_channels, 1, 1))
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 7, padding=3, groups=in_channels),
            ChannelsLast(),
            nn.LayerNorm(in_channels, eps=1e-6),
            nn.Linear(in_channels, 4 * in_channels),
            nn.GELU(),
            nn.Linear(4 * in_channels, in_channels),
            ChannelsFirst(),
        )
        self.stochastic_depth = StochasticDepth(drop)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.layer_scale, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        y: Tensor = self.block(x)
        y = self.stochastic_depth(self.layer_scale * y) + x
        return y


class ConvNeXt(nn.Module):
    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int],
        drop: float,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        channels = 3
        for i, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            if i == 0:
                self.features.append(
                    nn.Sequential(
                        nn.Conv2d(channels, width, 4, stride=4), LayerNorm2d(width)
                    )
                )
            else:
                self.features.append(
                    nn.Sequential(
                        LayerNorm2d(channels), nn.Conv2d(channels, width, 2, stride=2)
                    )
                )
            self.features.append(
                nn.Sequential(
                    *[
                        Block(width, drop * (sum(depths[:i]) + j) / (sum(depths) - 1))
                        for j in range(depth)
                    ]
                )
            )
            channels = width
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            LayerNorm2d(channels), nn.Flatten(), nn.Linear(channels, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.features(x)
        x = self.classifier(self.avgpool(x))
        return x


def convnext_tiny(num_classes: int = 1000) -> ConvNeXt:
    return ConvNeXt([96, 192, 384, 768], [3, 3, 9, 3], 0.1, num_classes)


def convnext_small(num_classes: int = 1000) -> ConvNeXt:
    return ConvNeXt([96, 192, 384, 768], [3, 3, 27, 3], 0.4, num_classes)


def convnext_base(num_classes: int = 1000) -> ConvNeXt:
    return ConvNeXt([128, 256, 512, 1024], [3, 3, 27, 3], 0.5, num_classes)


def convnext_large(num_classes: int = 1000) -> ConvNeXt:
    return ConvNeXt([192, 384, 768, 1536], [3, 3, 27, 3], 0.5, num_classes)


# netdsl: made from convnext.net
