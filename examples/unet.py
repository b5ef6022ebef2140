"""U-Net (Ronneberger et al., 2015), https://arxiv.org/abs/1505.04597"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoubleConv(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int] = (64, 128, 256, 512),
        classes: int = 2,
    ) -> None:
        super().__init__()
        self.widths = widths
        self.downs = nn.ModuleList()
        channels = in_channels
        for w in widths:
            self.downs.append(DoubleConv(channels, w))
            channels = w
        self.bottleneck = DoubleConv(channels, 2 * widths[-1])
        self.ups = nn.ModuleList()
        channels = 2 * widths[-1]
        for w in reversed(widths):
            self.ups.append(nn.ConvTranspose2d(channels, w, 2, stride=2))
            channels = w
        self.convs = nn.ModuleList([DoubleConv(2 * w, w) for w in reversed(widths)])
        self.head = nn.Conv2d(channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, classes, H, W]"""
        _, _, H, W = x.shape
        if H % 2 ** len(self.widths) != 0 or W % 2 ** len(self.widths) != 0:
            raise ValueError(
                "H % 2 ** len(widths) == 0 and W % 2 ** len(widths) == 0 is needed"
            )
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for up, conv in zip(self.ups, self.convs, strict=True):
            x = conv(torch.cat((skips.pop(), up(x)), dim=1))
        x = self.head(x)
        return x


# netdsl: made from unet.net
