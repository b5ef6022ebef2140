"""Neural radiance field (Mildenhall et al., 2020), https://arxiv.org/abs/2003.08934"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def encode(x: Tensor, octaves: int) -> Tensor:
    """The coordinates, and their sines and cosines at doubling frequencies."""
    waves = x[..., None, :] * 2 ** torch.arange(octaves, device=x.device)[:, None]
    waves = torch.stack((torch.sin(waves), torch.cos(waves)), dim=-2).flatten(-3)
    return torch.cat((x, waves), dim=-1)


class NeRF(nn.Module):
    """The colour that a point of space sends in a direction, and its density."""

    def __init__(
        self,
        depth: int = 8,
        width: int = 256,
        skips: Sequence[int] = (4,),
        position_octaves: int = 10,
        direction_octaves: int = 4,
    ) -> None:
        super().__init__()
        self.position_octaves = position_octaves
        self.skips = skips
        self.direction_octaves = direction_octaves
        self.pts_linears = nn.ModuleList()
        channels = 6 * position_octaves + 3
        for i in range(depth):
            self.pts_linears.append(nn.Linear(channels, width))
            channels = width + 6 * position_octaves + 3 if i in skips else width
        self.views_linears = nn.Sequential(
            nn.Linear(width + 6 * direction_octaves + 3, width // 2)
        )
        self.feature_linear = nn.Linear(channels, width)
        self.alpha_linear = nn.Linear(channels, 1)
        self.rgb_linear = nn.Linear(width // 2, 3)

    def forward(self, position: Tensor, direction: Tensor) -> Tensor:
        """position: [*S, 3], direction: [*S, 3] -> [*S, 4]"""
        points = encode(position, self.position_octaves)
        x = points
        for i, linear in enumerate(self.pts_linears):
            x = F.relu(linear(x))
            if i in self.skips:
                x = torch.cat((points, x), dim=-1)
        feature = self.feature_linear(x)
        density = self.alpha_linear(x)
        x = torch.cat((feature, encode(direction, self.direction_octaves)), dim=-1)
        colour = self.rgb_linear(F.relu(self.views_linears(x)))
        x = torch.cat((colour, density), dim=-1)
        return x


# netdsl: made from nerf.net
