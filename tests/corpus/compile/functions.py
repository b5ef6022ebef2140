import torch
from torch import Tensor, nn


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    D = x.shape[3]
    return x * cos + torch.cat((-x[..., D // 2 :], x[..., : D // 2]), dim=-1) * sin


def half(n: int) -> int:
    return n // 2


class Rotated(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, half(in_features))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """x: [B, H, T, in_features], cos: [_, 1, T, in_features], sin: [_, 1, T, in_features]
        -> [B, H, T, in_features // 2]
        """
        x = self.fc(rotate(x, cos, sin))
        return x
