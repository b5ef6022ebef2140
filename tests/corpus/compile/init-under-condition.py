from fnmatch import fnmatchcase

import torch.nn.functional as F
from torch import Tensor, nn


class Classifier(nn.Module):
    def __init__(
        self, vocab: int, pad: int | None = None, init_weights: bool = True
    ) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocab, 8, padding_idx=pad)
        self.fc = nn.Linear(8, 8)
        self.head = nn.Linear(8, 2)
        if init_weights:
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=0.02)
                    if module.bias is not None:
                        nn.init.zeros_(module.bias)
                elif isinstance(module, nn.Embedding):
                    nn.init.normal_(module.weight)
            if pad is not None:
                nn.init.zeros_(self.wte.weight[pad])

    def forward(self, x: Tensor) -> Tensor:
        """x: int64[N, T] -> [N, T, 2]"""
        x = self.head(F.relu(self.fc(self.wte(x))))
        return x


class Zeroed(nn.Module):
    def __init__(self, zero: bool = False, width: int = 3) -> None:
        super().__init__()
        self.fc = nn.Linear(8, width)
        self.bn = nn.BatchNorm1d(width)
        for module in self.modules():
            if (zero or width > 4) and isinstance(module, nn.BatchNorm1d):
                nn.init.zeros_(module.weight)
            elif isinstance(module, nn.BatchNorm1d):
                nn.init.ones_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, width]"""
        x = self.bn(self.fc(x))
        return x


class Either(nn.Module):
    def __init__(self, zero: bool = False) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.last = nn.Linear(8, 4)
        if zero:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)
        else:
            nn.init.normal_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 4]"""
        x = self.last(self.fc(x))
        return x


class Pooled(nn.Module):
    def __init__(self, zero: bool = False, pool: bool = True) -> None:
        super().__init__()
        self.pool = pool
        self.fc = nn.Linear(8, 8)
        self.last = nn.Linear(8, 4)
        if pool:
            self.pooler = nn.Linear(4, 3)
        nn.init.normal_(self.fc.weight)
        if not zero:
            nn.init.ones_(self.last.weight)
        if pool:
            nn.init.zeros_(self.pooler.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 3 if pool else 4]"""
        y: Tensor = self.last(self.fc(x))
        if self.pool:
            y = self.pooler(y)
        return y


class Paths(nn.Module):
    def __init__(self, zero: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        channels = 8
        for _ in range(3):
            self.layers.append(nn.Linear(channels, 4))
            channels = 4
        self.fc = nn.Linear(4, 3)
        for name, parameter in self.named_parameters():
            if not zero and name == "fc.weight":
                nn.init.ones_(parameter)
            elif fnmatchcase(name, "layers.*.weight"):
                nn.init.normal_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 3]"""
        x = self.fc(self.layers(x))
        return x
