import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, C, L] -> [N, C, L]"""
        N = x.shape[0]
        if self.training:
            x = (
                x
                / (1 - self.p)
                * torch.floor(
                    torch.rand(N, 1, 1, dtype=x.dtype, device=x.device) + (1 - self.p)
                )
            )
        return x


class Block(nn.Module):
    def __init__(self, in_channels: int, kernel: int, stride: int, p: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            in_channels, in_channels, kernel, stride=stride, padding=kernel // 2
        )
        self.drop: nn.Module = DropPath(p) if p > 0 else nn.Identity()
        self.norm = nn.BatchNorm1d(in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, L]
        -> [N, in_channels, (L + 2 * (kernel // 2) - kernel) // stride + 1]
        """
        x = self.conv(x)
        x = self.norm(self.drop(x))
        return x


class Stack(nn.Sequential):
    def __init__(
        self, in_channels: int, kernel: int, depth: int, p: float = 0.0
    ) -> None:
        super().__init__(Block(in_channels, kernel, 2, p))
        for _ in range(1, depth):
            self.append(Block(in_channels, kernel, 1, p))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stack = Stack(3, 5, 3, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, L] -> [N, 3, (L - 1) // 2 + 1]"""
        x = self.stack(x)
        return x
