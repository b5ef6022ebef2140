import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, width]"""
        x = F.relu(self.fc(x))
        return x


class A(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)
        self.key = nn.Linear(8, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 8]"""
        q, k = [F.relu(layer(x)) for layer in [self.query, self.key]]
        q = q + k
        return q


class B(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)
        self.key = nn.Linear(8, 8)
        self.block = Block(8, width)
        self.chain = nn.Sequential(nn.Linear(8, 4), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, width + 28]"""
        parts = [layer(x) for layer in (self.query, self.key, self.block, self.chain)]
        for layer in [self.query, self.key]:
            x = F.relu(layer(x))
        for scale, layer in zip([1, 2], [self.query, self.key], strict=True):
            x = layer(x) * scale
        x = torch.cat((parts[0], parts[1], parts[2], parts[3], x), dim=1)
        return x


class C(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)
        self.key = nn.Linear(8, 4)
        self.head = nn.Linear(12, 3)

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        """q: [N, 8], k: [N, 8] -> [N, 3]"""
        q, k = [
            F.relu(layer(y))
            for layer, y in zip([self.query, self.key], [q, k], strict=True)
        ]
        q = self.head(torch.cat((q, k), dim=1))
        return q
