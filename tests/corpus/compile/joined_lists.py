import torch
from torch import Tensor, nn


class Joined(nn.Module):
    def __init__(self, in_channels: int, depth: int, wide: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Conv2d(in_channels, 8, 3, padding=1) for _ in range(depth)]
        )
        self.others = nn.ModuleList(
            [nn.Conv2d(in_channels, 4, 3, padding=1) for _ in range(wide)]
        )
        self.one = nn.Conv2d(in_channels, 5, 1)
        self.last = nn.Conv2d(in_channels + 8 * depth + 4 * wide + 5, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 3, H, W]"""
        x = self.last(
            torch.cat(
                (
                    x,
                    *[conv(x) for conv in self.convs],
                    *[other(x) for other in self.others],
                    self.one(x),
                ),
                dim=1,
            )
        )
        return x


class Seen(nn.Module):
    def __init__(self, in_features: int, depth: int) -> None:
        super().__init__()
        self.fcs = nn.ModuleList(
            [nn.Linear(in_features, in_features) for _ in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, depth + 1]"""
        seen = [x]
        for fc in self.fcs:
            seen.append(fc(x))
        x = torch.stack(seen, dim=1).mean(dim=-1)
        return x


class Growing(nn.Module):
    def __init__(self, in_channels: int, depth: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Conv2d(in_channels, 8 * (i + 1), 1) for i in range(depth)]
        )
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(torch.cat((x, *[conv(x) for conv in self.convs]), dim=1))
        return x
