import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Up(nn.Module):
    def __init__(self, in_channels: int, extra: int, smooth: bool = False) -> None:
        super().__init__()
        width = in_channels if smooth else in_channels // 2
        self.up: nn.Module
        if smooth:
            self.up = nn.Upsample(scale_factor=2)
        else:
            self.up = nn.ConvTranspose2d(in_channels, width, 2, stride=2)
        self.mix = nn.Conv2d(width + extra, width // 2, 1)
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(width // 2, 4, 1),
                nn.Conv2d(width // 2, 4, 3, padding=1),
                nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(width // 2, 4, 1)),
            ]
        )

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """x: [N, in_channels, H, W], beside: [N, extra, H2, W2] -> [N, 12, H2, W2]"""
        _, _, H2, W2 = beside.shape
        _, _, H, W = x.shape
        if H2 != 2 * H or W2 != 2 * W:
            raise ValueError("H2 == 2 * H and W2 == 2 * W is needed")
        x = self.up(x)
        x = self.mix(torch.cat((beside, x), dim=1))
        scales = [conv(x) for conv in self.convs[:-1]]
        scales.append(F.interpolate(self.convs[-1](x), (H2, W2)))
        x = torch.cat(scales, dim=1)
        return x
