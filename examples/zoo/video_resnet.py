"""Residual networks for video (Tran et al., 2018), https://arxiv.org/abs/1711.11248"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn


def Conv3D(
    in_channels: int, width: int, mid: int, stride: tuple[int, int, int] = (1, 1, 1)
) -> nn.Conv3d:
    return nn.Conv3d(in_channels, width, 3, stride=stride, padding=1, bias=False)


def Conv2D(
    in_channels: int, width: int, mid: int, stride: tuple[int, int, int] = (1, 1, 1)
) -> nn.Conv3d:
    return nn.Conv3d(
        in_channels, width, (1, 3, 3), stride=stride, padding=(0, 1, 1), bias=False
    )


class Conv2Plus1D(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        mid: int,
        stride: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        super().__init__(
            nn.Conv3d(
                in_channels,
                mid,
                (1, 3, 3),
                stride=(1, *stride[1:]),
                padding=(0, 1, 1),
                bias=False,
            ),
            nn.BatchNorm3d(mid),
            nn.ReLU(inplace=True),
            nn.Conv3d(
                mid,
                width,
                (3, 1, 1),
                stride=(stride[0], 1, 1),
                padding=(1, 0, 0),
                bias=False,
            ),
        )


class BasicStem(nn.Sequential):
    def __init__(self, in_channels: int) -> None:
        super().__init__(
            nn.Conv3d(
                in_channels,
                64,
                (3, 7, 7),
                stride=(1, 2, 2),
                padding=(1, 3, 3),
                bias=False,
            ),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class R2Plus1DStem(nn.Sequential):
    def __init__(self, in_channels: int) -> None:
        super().__init__(
            nn.Conv3d(
                in_channels,
                45,
                (1, 7, 7),
                stride=(1, 2, 2),
                padding=(0, 3, 3),
                bias=False,
            ),
            nn.BatchNorm3d(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class BasicBlock(nn.Module):
    """`mid` gives a convolution in two steps as many parameters as one in three dimensions has."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        Conv: Callable[..., nn.Conv3d | Conv2Plus1D],
        stride: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        super().__init__()
        mid = in_channels * width * 3 * 3 * 3 // (in_channels * 3 * 3 + 3 * width)
        self.conv1 = nn.Sequential(
            Conv(in_channels, width, mid, stride),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        self.conv2 = nn.Sequential(Conv(width, width, mid), nn.BatchNorm3d(width))
        self.downsample: nn.Module = nn.Identity()
        if stride != (1, 1, 1) or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv3d(in_channels, width, 1, stride=stride, bias=False),
                nn.BatchNorm3d(width),
            )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, T, H, W]
        -> [N, width, (T - 1) // stride[0] + 1, (H - 1) // stride[1] + 1, (W - 1) // stride[2] + 1]
        """
        conv = self.conv1(x)
        conv = self.conv2(conv)
        downsample = self.downsample(x)
        x = self.relu(conv + downsample)
        return x


class Stage(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        depth: int,
        Conv: Callable[..., nn.Conv3d | Conv2Plus1D],
        stride: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        super().__init__(BasicBlock(in_channels, width, Conv, stride))
        for _ in range(depth - 1):
            self.append(BasicBlock(width, width, Conv))


class VideoResNet(nn.Module):
    def __init__(
        self,
        Stem: type[BasicStem | R2Plus1DStem],
        convs: Sequence[Callable[..., nn.Conv3d | Conv2Plus1D]],
        depths: Sequence[int],
        stride: tuple[int, int, int] = (2, 2, 2),
        classes: int = 400,
    ) -> None:
        super().__init__()
        self.stem = Stem(3)
        self.layer1 = Stage(64, 64, depths[0], convs[0])
        self.layer2 = Stage(64, 128, depths[1], convs[1], stride)
        self.layer3 = Stage(128, 256, depths[2], convs[2], stride)
        self.layer4 = Stage(256, 512, depths[3], convs[3], stride)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(512, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, video: Tensor) -> Tensor:
        """video: [N, 3, T, H, W] -> [N, classes]"""
        x: Tensor = self.stem(video)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = self.fc(self.avgpool(x).flatten(1))
        return x


def r3d_18(classes: int = 400) -> VideoResNet:
    return VideoResNet(BasicStem, [Conv3D] * 4, [2, 2, 2, 2], classes=classes)


def mc3_18(classes: int = 400) -> VideoResNet:
    return VideoResNet(
        BasicStem, [Conv3D, Conv2D, Conv2D, Conv2D], [2, 2, 2, 2], (1, 2, 2), classes
    )


def r2plus1d_18(classes: int = 400) -> VideoResNet:
    return VideoResNet(R2Plus1DStem, [Conv2Plus1D] * 4, [2, 2, 2, 2], classes=classes)


# netdsl: made from video_resnet.net
