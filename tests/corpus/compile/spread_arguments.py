from collections.abc import Sequence

from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_features: int, width: int, hidden: int, out: int = 3) -> None:
        super().__init__()
        self.up = nn.Linear(in_features, width)
        self.mid = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, out]"""
        x = self.down(self.mid(self.up(x)))
        return x


class Blocks(nn.Module):
    def __init__(
        self,
        in_features: int,
        plan: Sequence[tuple[int, int]],
        last: tuple[int, int, int] = (8, 4, 2),
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        channels = in_features
        for b in plan:
            self.blocks.append(Block(channels, *b, 4))
            channels = 4
        self.named = Block(channels, *plan[-1])
        self.last = Block(3, *last)
        self.fixed = Block(last[2], 3, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 3]"""
        x = self.fixed(self.last(self.named(self.blocks(x))))
        return x
