"""MLP-Mixer (Tolstikhin et al., 2021), https://arxiv.org/abs/2105.01601"""

import torch.nn.functional as F
from torch import Tensor, nn


class Mlp(nn.Module):
    """Mixes along the last size."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, width] -> [*, width]"""
        x = self.fc2(F.gelu(self.fc1(x)))
        return x


class MixerBlock(nn.Module):
    def __init__(
        self, tokens: int, channels: int, token_hidden: int, channel_hidden: int
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp_tokens = Mlp(tokens, token_hidden)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp_channels = Mlp(channels, channel_hidden)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, tokens, channels] -> [N, tokens, channels]"""
        x = x + self.mlp_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.mlp_channels(self.norm2(x))
        return x


class MlpMixer(nn.Module):
    """Mixer-B/16"""

    def __init__(
        self,
        size: int = 224,
        patch: int = 16,
        width: int = 768,
        depth: int = 12,
        token_hidden: int = 384,
        channel_hidden: int = 3072,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, patch, stride=patch)
        self.blocks = nn.Sequential(
            *[
                MixerBlock((size // patch) ** 2, width, token_hidden, channel_hidden)
                for _ in range(depth)
            ]
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, size, size] -> [N, num_classes]"""
        x: Tensor = self.stem(image).flatten(2).transpose(1, 2)
        x = self.blocks(x)
        x = self.head(self.norm(x).mean(dim=1))
        return x


# netdsl: made from mixer.net
