from collections import OrderedDict

import torch
from torch import Tensor, nn


class Measured(nn.Module):
    def __init__(self, in_features: int, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.scale = nn.Parameter(torch.empty(2 * in_features))
        self.up = nn.Linear(in_features, 2 * in_features)
        self.down = nn.Sequential()
        channels = 2 * in_features
        for _ in range(heads):
            self.down.append(nn.Linear(channels, in_features // heads))
            channels = in_features // heads
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.scale, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features // heads]"""
        B = x.shape[0]
        _, t, c = x.shape
        part = c // self.heads
        y: Tensor = self.up(x) * self.scale
        y = self.down(y).view(B, t, part)
        return y


class Unread(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            OrderedDict([(f"{2 * size}", nn.Linear(8, 2 * size + 1))])
        )
        if size % 2 == 1:
            self.layers.append(nn.Linear(2 * size + 1, 2 * size, bias=size % 2 == 1))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 2 * size if size % 2 == 1 else 2 * size + 1]"""
        x = self.layers(x)
        return x
