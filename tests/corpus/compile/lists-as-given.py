from collections.abc import Callable, Sequence

from torch import Tensor, nn


def Conv(in_channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, width, 3, padding=1)


def Point(in_channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, width, 1)


class Stages(nn.Module):
    def __init__(
        self,
        convs: Sequence[Callable[..., nn.Conv2d]],
        widths: Sequence[int] = (8,) * 4,
        more: Sequence[int] = (2, 4, 6),
    ) -> None:
        super().__init__()
        self.body = nn.Sequential()
        channels = 3
        for Layer in convs:
            self.body.append(Layer(channels, 8))
            channels = 8
        self.rest = nn.Sequential()
        for w in widths:
            self.rest.append(nn.Conv2d(channels, w, 1))
            channels = w
        self.last = nn.Sequential()
        for w in more:
            self.last.append(nn.Conv2d(channels, w, 1))
            channels = w

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, more[-1], H, W]"""
        x = self.rest(self.body(x))
        x = self.last(x)
        return x


def same() -> Stages:
    return Stages([Conv] * 2)


def unlike() -> Stages:
    return Stages([Conv, Point])


class Mlp(nn.Module):
    def __init__(self, in_features: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        channels = in_features
        for w in widths[:-1]:
            self.layers.append(nn.Linear(channels, w))
            channels = w
        self.out = nn.Linear(channels, widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, widths[-1]]"""
        x = self.out(self.layers(x))
        return x


class Joined(nn.Module):
    def __init__(self, in_features: int, width: int, top: Sequence[int]) -> None:
        super().__init__()
        self.mlp = Mlp(in_features, [*top, width])
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 2]"""
        x = self.head(self.mlp(x))
        return x
