from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn


class Trunk(nn.Module):
    def __init__(
        self,
        plan: Sequence[tuple[Callable[..., nn.Module], int]] = (
            (nn.BatchNorm2d, 4),
            (nn.Identity, 3),
            (partial(nn.GroupNorm, 2), 6),
        ),
    ) -> None:
        super().__init__()
        self.body = nn.Sequential()
        channels = 4
        for Norm, width in plan:
            self.body.append(nn.Conv2d(channels, width, 1))
            self.body.append(Norm(width))
            channels = width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 4, H, W] -> [N, plan[-1][1], H, W]"""
        x = self.body(x)
        return x
