from collections.abc import Sequence

from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features]"""
        x = self.fc(x)
        return x


class Stages(nn.Module):
    def __init__(self, widths: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.embeds = nn.ModuleList()
        channels = 8
        for width in widths:
            self.embeds.append(nn.Linear(channels, width))
            channels = width
        self.stages = nn.ModuleList(
            [
                nn.Sequential(*[Block(widths[i]) for _ in range(depth)])
                for i, depth in enumerate(depths)
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, widths[-1]]"""
        for embed, stage in zip(self.embeds, self.stages, strict=True):
            x = stage(embed(x))
        return x
