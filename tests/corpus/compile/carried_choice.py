from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Skips(nn.Module):
    def __init__(
        self, features: int, depth: int, width: int, skips: Sequence[int] = (4,)
    ) -> None:
        super().__init__()
        self.skips = skips
        self.start = nn.Parameter(torch.empty(features))
        self.layers = nn.ModuleList()
        channels = features
        for i in range(depth):
            self.layers.append(nn.Linear(channels, width))
            channels = features + width if i in skips else width
        self.head = nn.Linear(channels, 1)
        self.reset_parameters()
        nn.init.uniform_(self.start, -1 / width, 1 / width)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.normal_(self.head.bias, std=0.02)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.start)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, features] -> [N, 1]"""
        y: Tensor = x + self.start
        for i, layer in enumerate(self.layers):
            y = F.relu(layer(y))
            if i in self.skips:
                y = torch.cat((x, y), dim=-1)
        y = self.head(y)
        return y


class Before(nn.Module):
    def __init__(
        self, features: int, depth: int, width: int, skips: Sequence[int] = (4,)
    ) -> None:
        super().__init__()
        self.skips = skips
        self.layers = nn.ModuleList()
        channels = features
        for i in range(2, depth):
            self.layers.append(
                nn.Linear(channels + features if i - 2 in skips else channels, width)
            )
            channels = width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, features] -> [N, width]"""
        y = x
        for i, layer in enumerate(self.layers):
            if i in self.skips:
                y = torch.cat((x, y), dim=-1)
            y = F.relu(layer(y))
        return y


class Halves(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.main = nn.Sequential()
        channels = 3
        for m in [1, 2, 4]:
            self.main.append(nn.Conv2d(channels, m * width, 4, stride=2, padding=1))
            self.main.append(nn.ReLU())
            channels = m * width
        self.stem = nn.Sequential(
            OrderedDict([("conv", nn.Conv2d(channels, 1, 8)), ("act", nn.Tanh())])
        )
        nn.init.normal_(self.get_parameter("stem.conv.weight"), std=0.02)
        nn.init.zeros_(self.get_parameter("stem.conv.bias"))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, 64, 64] -> [N]"""
        x = self.main(x)
        x = self.stem(x).flatten()
        return x
