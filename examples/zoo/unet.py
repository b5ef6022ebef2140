"""U-Net (Ronneberger et al., 2015), https://arxiv.org/abs/1505.04597"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoubleConv(nn.Module):
    def __init__(self, in_channels: int, width: int, middle: int) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, middle, 3, padding=1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H, W]"""
        x = self.double_conv(x)
        return x


class Down(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(
            nn.MaxPool2d(2), DoubleConv(in_channels, width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H // 2, W // 2]"""
        x = self.maxpool_conv(x)
        return x


class Up(nn.Module):
    """Doubles an image, pads it to the size of an earlier one and joins both."""

    def __init__(
        self, in_channels: int, extra: int, width: int, bilinear: bool
    ) -> None:
        super().__init__()
        self.up: nn.Module
        if bilinear:
            self.up = nn.UpsamplingBilinear2d(scale_factor=2)
        else:
            self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, 2, stride=2)
        self.conv = DoubleConv(
            extra + (in_channels if bilinear else in_channels // 2),
            width,
            (in_channels + extra) // 2 if bilinear else width,
        )

    def forward(self, x: Tensor, earlier: Tensor) -> Tensor:
        """x: [N, in_channels, h, w], earlier: [N, extra, H, W] -> [N, width, H, W]"""
        _, _, H, W = earlier.shape
        _, _, h, w = x.shape
        x = self.up(x)
        dy, dx = H - 2 * h, W - 2 * w
        x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        x = self.conv(torch.cat((earlier, x), dim=1))
        return x


class OutConv(nn.Module):
    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, classes, H, W]"""
        x = self.conv(x)
        return x


class UNet(nn.Module):
    """U-Net as in https://github.com/milesial/Pytorch-UNet"""

    def __init__(self, classes: int = 2, bilinear: bool = False) -> None:
        super().__init__()
        last = 512 if bilinear else 1024
        self.inc = DoubleConv(3, 64, 64)
        self.down1 = Down(64, 128)
        self.down2 = Down(128, 256)
        self.down3 = Down(256, 512)
        self.down4 = Down(512, last)
        self.up1 = Up(last, 512, last // 2, bilinear)
        self.up2 = Up(last // 2, 256, last // 4, bilinear)
        self.up3 = Up(last // 4, 128, last // 8, bilinear)
        self.up4 = Up(last // 8, 64, 64, bilinear)
        self.outc = OutConv(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, classes, H, W]"""
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x5 = self.down4(x4)
        x = self.up1(x5, x4)
        x = self.up2(x, x3)
        x = self.up3(x, x2)
        x = self.up4(x, x1)
        x = self.outc(x)
        return x


def unet_bilinear(classes: int = 2) -> UNet:
    return UNet(classes, bilinear=True)


# netdsl: made from unet.net
