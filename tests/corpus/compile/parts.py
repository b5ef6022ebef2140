import torch
from torch import Tensor, nn


def halves(x: Tensor) -> tuple[Tensor, ...]:
    return x.chunk(2, dim=1)


class Whole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: [N, 8] -> ([N, 4], [N, 4])"""
        result = torch.split(self.fc(x), 4, dim=1)
        return result


class Arms(nn.Module):
    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.cut = cut
        if not cut:
            self.whole = Whole()

    def forward(self, x: Tensor) -> tuple[Tensor, ...] | tuple[Tensor, Tensor]:
        """x: [N, 8] -> ([N], [N], [N], [N], [N], [N], [N], [N]) or ([N, 4], [N, 4])"""
        if self.cut:
            return x.unbind(1)
        a, b = self.whole(x)
        return a + b, b


class Grid(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: [N] -> ([N, N], [N, N])"""
        result = torch.meshgrid(x, x, indexing="ij")
        return result


class Halved(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 4]"""
        a, b = halves(x)
        a = a * b
        return a
