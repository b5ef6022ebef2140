import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Idle(nn.Module):
    def __init__(self, deep: bool = False) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 4]"""
        N = x.shape[0]
        if N <= 1 and N > 5:
            x = torch.tanh(x)
        x = F.relu(self.fc(x))
        return x
