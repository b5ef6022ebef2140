import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Sequential):
    def __init__(self, in_channels: int, width: int, kernel: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, kernel, padding=kernel // 2), nn.ReLU()
        )


class Inception(nn.Module):
    def __init__(self, in_channels: int, width: int, extra: bool = False) -> None:
        super().__init__()
        self.extra = extra
        self.width = width
        self.in_channels = in_channels
        self.branch1x1 = Conv(in_channels, width)
        self.branch3x3_1 = Conv(in_channels, width)
        self.branch3x3_2 = Conv(width, width, 3)
        self.branch3x3_3 = Conv(width, width, 3)
        self.branch_pool = Conv(in_channels, width)
        self.mix = Conv(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H, W]"""
        branch1x1 = self.branch1x1(x)
        branch3x3 = self.branch3x3_2(self.branch3x3_1(x))
        branch3x3 = self.branch3x3_3(branch3x3)
        branch_pool = self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1))
        y = torch.cat((branch1x1, branch3x3, branch_pool), dim=1)
        z: Tensor = self.mix(y)
        if self.extra and self.width == self.in_channels:
            z = z + x
        return z


class Moved(nn.Module):
    def __init__(self, in_features: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.a = nn.Linear(in_features, size)
        self.b = nn.Linear(size, size**2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, size, size]"""
        N = x.shape[0]
        x = F.relu(self.a(x))
        x = F.relu(self.b(x))
        x = x.view(N, self.size, self.size) + torch.eye(self.size, device=x.device)
        return x
