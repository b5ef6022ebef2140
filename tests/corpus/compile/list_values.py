from collections.abc import Sequence

from torch import Tensor, nn

SHARE = 1 - 0.9


def tail(widths: Sequence[int], short: bool = False) -> Sequence[int]:
    return widths[1:] if short else widths


class Stage(nn.Module):
    def __init__(
        self, in_features: int, rates: Sequence[float], widths: Sequence[int]
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        channels = in_features
        for p, w in zip(rates, widths, strict=True):
            self.layers.append(nn.Linear(channels, w))
            self.layers.append(nn.Dropout(p))
            channels = w
        self.out_features = channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, widths[len(rates) - 1]]"""
        x = self.layers(x)
        return x


class Wide(nn.Module):
    def __init__(self, in_features: int, widths: Sequence[int]) -> None:
        super().__init__()
        all = [*widths[:-1], in_features, *widths]
        self.body = nn.Sequential()
        channels = in_features
        for w in all:
            self.body.append(nn.Linear(channels, w))
            channels = w
        self.out_features = channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, out_features]"""
        x = self.body(x)
        return x


class Lists(nn.Module):
    def __init__(
        self, depths: Sequence[int] = (1, 2), widths: Sequence[int] = (3, 4, 5)
    ) -> None:
        super().__init__()
        self.widths = widths
        total = sum(depths)
        rates = [SHARE * i / total for i in range(total)]
        parts = [
            widths[sum(depths[:i]) : sum(depths[: i + 1])] for i in range(len(depths))
        ]
        self.stages = nn.Sequential()
        channels = 8
        for r, w in zip(
            [rates[sum(depths[:i]) : sum(depths[: i + 1])] for i in range(len(depths))],
            parts,
            strict=True,
        ):
            stage = Stage(channels, r, w)
            self.stages.append(stage)
            channels = stage.out_features
        pairs = list(zip(widths, reversed(widths), strict=True))
        self.ups = nn.Sequential()
        for a, b in pairs:
            self.ups.append(nn.Linear(channels, a + b))
            channels = b + a
        self.downs = nn.Sequential()
        for _, b in pairs:
            self.downs.append(nn.Linear(channels, b))
            channels = b
        if [*widths] == [3, 4, 5]:
            self.wide = Wide(channels, [*tail(widths, short=True)] * 2)
        self.head = nn.Linear(
            self.wide.out_features if [*widths] == [3, 4, 5] else channels, widths[0]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, widths[0]]"""
        x = self.stages(x)
        x = self.downs(self.ups(x))
        if [*self.widths] == [3, 4, 5]:
            x = self.wide(x)
        x = self.head(x)
        return x
