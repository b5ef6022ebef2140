from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

default_norm = partial(nn.BatchNorm2d, eps=0.001)


class Conv(nn.Module):
    def __init__(
        self,
        in_channels: int,
        width: int,
        Norm: Callable[..., nn.Module] = nn.BatchNorm2d,
        Act: Callable[..., nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.norm = Norm(width)
        self.act = Act()

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H, W]"""
        x = self.act(self.norm(self.conv(x)))
        return x


class Two(nn.Module):
    def __init__(self, Norm: Callable[..., nn.Module] = default_norm) -> None:
        super().__init__()
        self.a = Conv(3, 8, Norm)
        self.b = Conv(8, 16, Norm, Act=nn.Identity)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 16, H, W]"""
        x = self.b(self.a(x))
        return x


def grouped() -> Two:
    return Two(partial(nn.GroupNorm, 4))
