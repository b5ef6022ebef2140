from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Inner(nn.Module):
    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features + width]"""
        x = torch.cat((x, self.fc(x)), dim=1)
        return x


class Halve(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features // 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features // 2]"""
        x = self.fc(x)
        return x


class Model(nn.Module):
    def __init__(self, growth: int, depths: Sequence[int], heads: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.body = nn.Sequential()
        channels = 8
        for i, n in enumerate(depths):
            self.body.append(
                nn.Sequential(*[Inner(channels + j * growth, growth) for j in range(n)])
            )
            channels += n * growth
            if i < len(depths) - 1:
                self.body.append(Halve(channels))
                channels = channels // 2
        if heads:
            self.aux = nn.Linear(channels, 3)
        self.fc = nn.Linear(channels, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        """x: [N, 8] -> ([N, 3], [N, 3]) or [N, 3]"""
        x = self.body(x)
        if self.heads and self.training:
            side = self.aux(x)
        logits: Tensor = self.fc(x)
        if self.heads and self.training:
            return logits, side
        return logits
