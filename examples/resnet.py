"""Deep residual network (He et al., 2015), https://arxiv.org/abs/1512.03385"""

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn


class BasicBlock(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, width, 3, stride=stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(width),
            )
        self.out_channels = width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        y = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(y)) + self.downsample(x))
        return x


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
        self.out_channels = 4 * width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, 4 * width, (H - 1) // stride + 1, (W - 1) // stride + 1]
        """
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.conv2(y)
        y = self.relu(self.bn2(y))
        x = self.relu(self.bn3(self.conv3(y)) + self.downsample(x))
        return x


class Stage(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        Block: Callable[..., BasicBlock | Bottleneck],
        width: int,
        depth: int,
        stride: int = 1,
    ) -> None:
        super().__init__()
        channels = in_channels
        for i in range(depth):
            block = Block(channels, width, stride=stride if i == 0 else 1)
            self.append(block)
            channels = block.out_channels
        self.out_channels = channels


class ResNet(nn.Module):
    def __init__(
        self,
        Block: Callable[..., BasicBlock | Bottleneck],
        depths: Sequence[int],
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = Stage(64, Block, 64, depths[0])
        self.layer2 = Stage(self.layer1.out_channels, Block, 128, depths[1], stride=2)
        self.layer3 = Stage(self.layer2.out_channels, Block, 256, depths[2], stride=2)
        self.layer4 = Stage(self.layer3.out_channels, Block, 512, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self.layer4.out_channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.maxpool(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = self.avgpool(x).flatten(1)
        x = self.fc(x)
        return x


def resnet18(num_classes: int = 1000) -> ResNet:
    return ResNet(BasicBlock, [2, 2, 2, 2], num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    return ResNet(BasicBlock, [3, 4, 6, 3], num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    return ResNet(Bottleneck, [3, 4, 6, 3], num_classes)


def resnet101(num_classes: int = 1000) -> ResNet:
    return ResNet(Bottleneck, [3, 4, 23, 3], num_classes)


def resnet152(num_classes: int = 1000) -> ResNet:
    return ResNet(Bottleneck, [3, 8, 36, 3], num_classes)


def resnext50_32x4d(num_classes: int = 1000) -> ResNet:
    return ResNet(
        partial(Bottleneck, groups=32, width_per_group=4), [3, 4, 6, 3], num_classes
    )


def resnext101_32x8d(num_classes: int = 1000) -> ResNet:
    return ResNet(
        partial(Bottleneck, groups=32, width_per_group=8), [3, 4, 23, 3], num_classes
    )


def resnext101_64x4d(num_classes: int = 1000) -> ResNet:
    return ResNet(
        partial(Bottleneck, groups=64, width_per_group=4), [3, 4, 23, 3], num_classes
    )


def wide_resnet50_2(num_classes: int = 1000) -> ResNet:
    return ResNet(partial(Bottleneck, width_per_group=128), [3, 4, 6, 3], num_classes)


def wide_resnet101_2(num_classes: int = 1000) -> ResNet:
    return ResNet(partial(Bottleneck, width_per_group=128), [3, 4, 23, 3], num_classes)


# netdsl: made from resnet.net
