from collections.abc import Sequence

from torch import Tensor, nn


class Narrow(nn.Module):
    def __init__(
        self,
        in_features: int,
        factor: float = 0.5,
        share: Sequence[float] = (0.5, 0.25),
        i: int = 0,
    ) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, int(in_features * factor * share[i]))
        self.out_features = int(in_features * factor * share[i])

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, int(in_features * factor * share[i])]"""
        x = self.fc(x)
        return x


class Chained(nn.Module):
    def __init__(
        self, in_features: int, factor: float, shares: Sequence[float]
    ) -> None:
        super().__init__()
        self.a = Narrow(in_features)
        self.b = Narrow(self.a.out_features, factor, i=1)
        self.c = Narrow(self.b.out_features, factor / 2, shares)
        self.head = nn.Linear(int(self.b.out_features * (factor / 2) * shares[0]), 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 2]"""
        x = self.head(self.c(self.b(self.a(x))))
        return x


class Thin(nn.Module):
    def __init__(self, in_features: int, factor: float = 0.5) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, int(in_features * factor))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, int(in_features * factor)]"""
        x = self.fc(x)
        return x


class Looped(nn.Module):
    def __init__(self, factors: Sequence[float] = (0.5, 0.75)) -> None:
        super().__init__()
        self.body = nn.Sequential()
        channels = 64
        for factor in factors:
            self.body.append(Thin(channels, factor))
            channels = int(channels * factor)
        self.more = nn.Sequential()
        for _ in range(2):
            self.more.append(Thin(channels))
            channels = int(channels * 0.5)
        self.head = nn.Linear(channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 64] -> [N, 2]"""
        x = self.head(self.more(self.body(x)))
        return x
