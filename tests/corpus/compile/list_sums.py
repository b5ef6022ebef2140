import torch
from torch import Tensor, nn


class Known(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.fc = nn.Linear(2 * c, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, c] -> [N, 3]"""
        outs = [x]
        x = self.fc(torch.cat([*outs, x * 2], dim=1))
        return x


class Open(nn.Module):
    def __init__(self, in_features: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(in_features, in_features) for _ in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N]"""
        outs: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            outs.append(x)
        y = torch.cat([*outs, x * 2], dim=1).sum(dim=1)
        z = torch.cat((x, *outs), dim=1).sum(dim=1)
        y = y + z + torch.cat([*outs, x], dim=1).sum(dim=1)
        return y
