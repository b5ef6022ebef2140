from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


class Leaf(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(nn.Conv2d(in_channels, width, 1), nn.ReLU())
        self.out_channels = width


class Around(nn.Module):
    def __init__(
        self, in_channels: int, width: int, Inner: Callable[..., "Leaf | Around"]
    ) -> None:
        super().__init__()
        self.down = nn.Conv2d(in_channels, width, 2, stride=2)
        self.inner = Inner(width)
        self.up = nn.ConvTranspose2d(self.inner.out_channels, in_channels, 2, stride=2)
        self.out_channels: int = 2 * in_channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 2 * in_channels, H, W]"""
        x = torch.cat((x, self.up(self.inner(self.down(x)))), dim=1)
        return x


class Nested(nn.Module):
    def __init__(self, Inner: Callable[..., Around | Leaf]) -> None:
        super().__init__()
        self.around = Inner(3)
        self.head = nn.Conv2d(self.around.out_channels, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 2, H, W]"""
        _, _, H, W = x.shape
        if H % 4 != 0 or W % 4 != 0:
            raise ValueError("H % 4 == 0 and W % 4 == 0 is needed")
        x = self.head(self.around(x))
        return x


def once() -> Nested:
    return Nested(partial(Around, width=8, Inner=partial(Leaf, width=8)))


def twice() -> Nested:
    return Nested(
        partial(
            Around,
            width=8,
            Inner=partial(Around, width=16, Inner=partial(Leaf, width=16)),
        )
    )


def plain() -> Nested:
    return Nested(partial(Leaf, width=4))
