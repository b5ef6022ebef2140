import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conditional(nn.Module):
    def __init__(self, deep: bool = False, smooth: bool = False) -> None:
        super().__init__()
        self.deep = deep
        self.smooth = smooth
        if deep:
            self.extra = nn.Linear(8, 8)
        self.gate = nn.Linear(8, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 2]"""
        if self.deep:
            x = F.relu(self.extra(x))
        if self.training:
            x = x + 0.1 * torch.randn_like(x)
        if x.mean() > 0:
            x = torch.sigmoid(self.gate(x))
        x = self.head(x)
        x = F.gelu(x) if self.smooth else F.relu(x)
        return x
