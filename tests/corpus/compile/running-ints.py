from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        x = F.relu(self.conv(x))
        return x


class Four(nn.Module):
    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7)
        self.layer1 = nn.Sequential(*[Block(64, 64) for _ in range(depths[0])])
        self.layer2 = nn.Sequential()
        channels = 64
        for i in range(depths[1]):
            self.layer2.append(Block(channels, 128, 2 if i == 0 else 1))
            channels = 128
        self.layer3 = nn.Sequential()
        for i in range(depths[2]):
            self.layer3.append(Block(channels, 256, 2 if i == 0 else 1))
            channels = 256
        self.layer4 = nn.Sequential()
        for i in range(depths[3]):
            self.layer4.append(Block(channels, 512, 2 if i == 0 else 1))
            channels = 512
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 10]"""
        x = self.stem(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = self.fc(x.mean(dim=(2, 3)))
        return x


class Needed(nn.Module):
    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.downs = nn.ModuleList()
        channels = 3
        for w in widths:
            self.downs.append(Block(channels, w))
            channels = w
        self.ups = nn.ModuleList()
        up_channels = channels
        for w in reversed(widths):
            self.ups.append(Block(up_channels, w))
            up_channels = w
        self.head = nn.Conv2d(channels + up_channels, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 4, H, W]"""
        for down in self.downs:
            x = down(x)
        y = x
        for up in self.ups:
            y = up(y)
        x = self.head(torch.cat((x, y), dim=1))
        return x


class Rates(nn.Module):
    def __init__(self, in_features: int, depths: Sequence[int], drop: float) -> None:
        super().__init__()
        values = [drop * i / sum(depths) for i in range(sum(depths))]
        parts = [
            values[sum(depths[:i]) : sum(depths[: i + 1])] for i in range(len(depths))
        ]
        self.stages = nn.Sequential()
        channels = in_features
        for part in parts:
            stage = nn.Sequential()
            for p in part:
                stage.append(nn.Linear(channels, 8))
                stage.append(nn.Dropout(p))
                channels = 8
            self.stages.append(stage)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 8]"""
        x = self.stages(x)
        return x
