import math

import torch
from torch import Tensor, nn


class Filled(nn.Module):
    steps: Tensor
    index: Tensor
    twice: Tensor
    count: Tensor
    seen: Tensor

    def __init__(self, c: int, size: int = 8) -> None:
        super().__init__()
        self.size = size
        self.scale = nn.Parameter(torch.empty(c))
        self.table = nn.Parameter(torch.empty(c, 4))
        self.register_buffer("steps", torch.empty(8), persistent=False)
        self.register_buffer("index", torch.empty(size, dtype=torch.int64))
        self.register_buffer("twice", torch.empty(8))
        self.register_buffer("count", torch.empty(2, dtype=torch.int64))
        self.register_buffer("seen", torch.zeros(2, dtype=torch.int64))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.scale, 0.1)
        fan_in = self.table[0].numel()
        nn.init.constant_(self.table, 1 / fan_in)
        self.steps.copy_(torch.arange(8) / 8)
        self.index.copy_(torch.arange(self.size))
        with torch.no_grad():
            self.twice.copy_(self.steps * 2)
        nn.init.constant_(self.count, 4)
        nn.init.zeros_(self.seen)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, c] -> [N, 4]"""
        x = (
            x * self.scale @ self.table
            + self.steps[:4] * self.index[0]
            + self.twice[:4] * self.count[0]
            + self.seen[1]
        )
        return x


class Drawn(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.c = c
        self.noise = nn.Parameter(torch.empty(c, 4))
        with torch.no_grad():
            fan_in = self.noise[0].numel()
            fan_out = self.noise.shape[0] * self.noise[0][0].numel()
            self.noise.copy_(torch.randn(c, 4) / math.sqrt(fan_in + fan_out))
        self.fc = nn.Linear(4, 4)
        self.shift = nn.Parameter(torch.empty(4))
        nn.init.constant_(self.shift, 1)

    def reset_parameters(self) -> None:
        with torch.no_grad():
            fan_in = self.noise[0].numel()
            fan_out = self.noise.shape[0] * self.noise[0][0].numel()
            self.noise.copy_(torch.randn(self.c, 4) / math.sqrt(fan_in + fan_out))
        nn.init.constant_(self.shift, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, c] -> [N, 4]"""
        x = self.fc(x @ self.noise) + self.shift
        return x
