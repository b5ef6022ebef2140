from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoubleConv(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    def __init__(self, in_channels: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.widths = widths
        self.downs = nn.ModuleList()
        channels = in_channels
        for w in widths:
            self.downs.append(DoubleConv(channels, w))
            channels = w
        self.ups = nn.ModuleList()
        up_channels = 2 * widths[-1]
        for w in reversed(widths):
            self.ups.append(nn.ConvTranspose2d(up_channels, w, 2, stride=2))
            up_channels = w
        self.convs = nn.ModuleList([DoubleConv(2 * w, w) for w in reversed(widths)])
        self.bottleneck = DoubleConv(channels, 2 * widths[-1])
        self.head = nn.Conv2d(up_channels, classes, 1)

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
