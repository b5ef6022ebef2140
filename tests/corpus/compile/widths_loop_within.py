from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(self, widths: Sequence[int], depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.stages = nn.ModuleList()
        channels = 3
        for w in widths:
            self.stages.append(nn.Linear(channels, w))
            channels = w
        self.head = nn.Linear(channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3] -> [N, 2]"""
        for stage in self.stages:
            for _ in range(self.depth):
                x = F.gelu(x)
            x = stage(x)
            for _ in range(self.depth):
                x = F.relu(x)
        x = self.head(x)
        return x
