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
        nn.init.ones_(self.scale)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features // heads]"""
        B = x.shape[0]
        _, t, c = x.shape
        width = 2 * c
        y: Tensor = self.up(x) * self.scale
        width = c // self.heads
        y = self.down(y).view(B, t, width)
        return y


class Rebound(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 3]"""
        x = self.fc(x)
        return x
