"""Segmentation on a dilated ResNet: FCN (Long et al., 2014), https://arxiv.org/abs/1411.4038,
and DeepLabV3 (Chen et al., 2017), https://arxiv.org/abs/1706.05587
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        width_per_group: int = 64,
    ) -> None:
        super().__init__()
        inner = width * width_per_group // 64 * groups
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(
            inner,
            inner,
            3,
            stride=stride,
            padding=dilation,
            dilation=dilation,
            groups=groups,
            bias=False,
        )
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, 4 * width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * width),
            )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, 4 * width, (H - 1) // stride + 1, (W - 1) // stride + 1]
        """
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.conv2(y)
        y = self.relu(self.bn2(y))
        x = self.relu(self.bn3(self.conv3(y)) + self.downsample(x))
        return x


class Dilated(nn.Sequential):
    def __init__(self, in_channels: int, width: int, depth: int, dilation: int) -> None:
        super().__init__()
        channels = in_channels
        for i in range(depth):
            self.append(
                Bottleneck(
                    channels, width, dilation=dilation // 2 if i == 0 else dilation
                )
            )
            channels = 4 * width
        self.out_channels = channels


class Stage(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        Block: type[Bottleneck],
        width: int,
        depth: int,
        stride: int = 1,
    ) -> None:
        super().__init__()
        channels = in_channels
        for i in range(depth):
            self.append(Block(channels, width, stride=stride if i == 0 else 1))
            channels = 4 * width
        self.out_channels = channels


class Backbone(nn.Module):
    """A ResNet without its head, whose last two stages dilate instead of striding."""

    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = Stage(64, Bottleneck, 64, depths[0])
        self.layer2 = Stage(
            self.layer1.out_channels, Bottleneck, 128, depths[1], stride=2
        )
        self.layer3 = Dilated(self.layer2.out_channels, 256, depths[2], 2)
        self.layer4 = Dilated(self.layer3.out_channels, 512, depths[3], 4)
        self.out_channels = self.layer4.out_channels
        self.early_channels = self.layer3.out_channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: [N, 3, H, W]
        -> ([N, out_channels, H_out, W_out], [N, early_channels, H_out, W_out])
        """
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x)
        x = self.layer1(x)
        x = self.layer2(x)
        early = self.layer3(x)
        out = self.layer4(early)
        return out, early


class FCNHead(nn.Sequential):
    def __init__(self, in_channels: int, width: int, classes: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(width, classes, 1),
        )


class ConvBlock(nn.Sequential):
    def __init__(
        self, in_channels: int, width: int, kernel: int = 1, dilation: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                width,
                kernel,
                padding=dilation * (kernel // 2),
                dilation=dilation,
                bias=False,
            ),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: an image at several scales, and as a whole."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                ConvBlock(in_channels, width),
                ConvBlock(in_channels, width, 3, 12),
                ConvBlock(in_channels, width, 3, 24),
                ConvBlock(in_channels, width, 3, 36),
                nn.Sequential(
                    nn.AdaptiveAvgPool2d(1),
                    nn.Conv2d(in_channels, width, 1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ),
            ]
        )
        self.project = nn.Sequential(
            nn.Conv2d(5 * width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.5),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H, W]"""
        _, _, H, W = x.shape
        scales = [conv(x) for conv in self.convs[:-1]]
        scales.append(
            F.interpolate(
                self.convs[-1](x), (H, W), mode="bilinear", align_corners=False
            )
        )
        x = self.project(torch.cat(scales, dim=1))
        return x


class DeepLabHead(nn.Sequential):
    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__(
            ASPP(in_channels, 256),
            nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Conv2d(256, classes, 1),
        )


class Segmentation(nn.Module):
    def __init__(
        self,
        depths: Sequence[int],
        Head: Callable[..., FCNHead | DeepLabHead],
        classes: int = 21,
        aux: bool = True,
    ) -> None:
        super().__init__()
        self.aux = aux
        self.backbone = Backbone(depths)
        self.classifier = Head(self.backbone.out_channels, classes=classes)
        if aux:
            self.aux_classifier = FCNHead(self.backbone.early_channels, 256, classes)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """x: [N, 3, H, W]
        -> {out: [N, classes, H, W]} or {out: [N, classes, H, W], aux: [N, classes, H, W]}
        """
        _, _, H, W = x.shape
        out, early = self.backbone(x)
        out = F.interpolate(
            self.classifier(out), (H, W), mode="bilinear", align_corners=False
        )
        if not self.aux:
            return {"out": out}
        early = F.interpolate(
            self.aux_classifier(early), (H, W), mode="bilinear", align_corners=False
        )
        return {"out": out, "aux": early}


def fcn_resnet50(classes: int = 21, aux: bool = True) -> Segmentation:
    return Segmentation([3, 4, 6, 3], partial(FCNHead, width=512), classes, aux)


def fcn_resnet101(classes: int = 21, aux: bool = True) -> Segmentation:
    return Segmentation([3, 4, 23, 3], partial(FCNHead, width=512), classes, aux)


def deeplabv3_resnet50(classes: int = 21, aux: bool = True) -> Segmentation:
    return Segmentation([3, 4, 6, 3], DeepLabHead, classes, aux)


def deeplabv3_resnet101(classes: int = 21, aux: bool = True) -> Segmentation:
    return Segmentation([3, 4, 23, 3], DeepLabHead, classes, aux)


# netdsl: made from segmentation.net
