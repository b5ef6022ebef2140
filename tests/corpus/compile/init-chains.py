from fnmatch import fnmatchcase

import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features)
        self.ln = nn.LayerNorm(in_features)
        self.out = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features]"""
        x = self.out(self.ln(self.fc(x)))
        return x


class ByTypeAndName(nn.Module):
    def __init__(self, in_features: int, std: float = 0.02) -> None:
        super().__init__()
        self.first = Block(in_features)
        self.blocks = nn.Sequential(*[Block(in_features) for _ in range(3)])
        self.head = nn.Linear(in_features, 3)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                if name == "first.fc":
                    nn.init.normal_(module.weight)
                elif fnmatchcase(name, "blocks.*.out"):
                    nn.init.ones_(module.weight)
                elif name.endswith(".fc"):
                    nn.init.zeros_(module.weight)
                else:
                    nn.init.normal_(module.weight, std=std)
                if name.endswith(".out") and module.bias is not None:
                    nn.init.ones_(module.bias)
                elif module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.LayerNorm) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 3]"""
        x = self.head(self.blocks(self.first(x)))
        return x


class ByCondition(nn.Module):
    def __init__(
        self, in_features: int, std: float | None = None, zero: bool = False
    ) -> None:
        super().__init__()
        self.body = nn.Linear(in_features, in_features)
        self.head = nn.Linear(in_features, 10)
        nn.init.zeros_(self.body.bias)
        if std is not None:
            nn.init.normal_(self.head.weight, std=std)
        elif zero:
            nn.init.zeros_(self.head.weight)
        else:
            nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 10]"""
        x = self.head(F.relu(self.body(x)))
        return x


class LastHolds(nn.Module):
    def __init__(
        self, in_features: int, std: float | None = None, zero: bool = False
    ) -> None:
        super().__init__()
        self.body = nn.Linear(in_features, in_features)
        self.head = nn.Linear(in_features, 10)
        if zero:
            nn.init.zeros_(self.head.weight)
        elif std is not None:
            nn.init.normal_(self.head.weight, std=std)
        else:
            nn.init.kaiming_uniform_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 10]"""
        x = self.head(F.relu(self.body(x)))
        return x
