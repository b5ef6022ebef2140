import torch
from torch import Tensor, nn


class ComplexModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch1 = nn.Linear(10, 5)
        self.branch2 = nn.Linear(10, 5)
        self.combine = nn.Linear(10, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 10] -> [N, 1]"""
        x = self.combine(torch.cat((self.branch1(x), self.branch2(x)), dim=1))
        return x
