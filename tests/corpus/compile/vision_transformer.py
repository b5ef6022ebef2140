"""Vision transformer (Dosovitskiy et al., 2020)."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    def __init__(self, in_features: int, heads: int, p: float = 0.0) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.p = p
        self.qkv = nn.Linear(in_features, 3 * in_features)
        self.proj = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        C = x.shape[2]
        q, k, v = [
            torch.unflatten(t, -1, [self.heads, C // self.heads]).transpose(1, 2)
            for t in self.qkv(x).chunk(3, dim=-1)
        ]
        y: Tensor = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.p if self.training else 0.0
        )
        y = self.proj(y.transpose(1, 2).flatten(2))
        return y


class Block(nn.Module):
    def __init__(
        self, in_features: int, heads: int, ratio: int = 4, p: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(in_features, eps=1e-6)
        self.attn = Attention(in_features, heads, p)
        self.norm2 = nn.LayerNorm(in_features, eps=1e-6)
        self.mlp = nn.Sequential(
            OrderedDict(
                [
                    ("fc1", nn.Linear(in_features, ratio * in_features)),
                    ("act", nn.GELU()),
                    ("fc2", nn.Linear(ratio * in_features, in_features)),
                    ("drop", nn.Dropout(p)),
                ]
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = x + self.attn(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return x


class ViT(nn.Module):
    def __init__(
        self,
        patch: int = 16,
        size: int = 224,
        width: int = 192,
        depth: int = 12,
        heads: int = 3,
        classes: int = 1000,
    ) -> None:
        super().__init__()
        self.size = size
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, (size // patch) ** 2 + 1, width))
        self.reset_parameters()
        self.patch_embed = nn.Conv2d(3, width, patch, stride=patch)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.cls_token)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, H, W] -> [N, classes]"""
        N, _, H, W = image.shape
        if H != self.size or W != self.size:
            raise ValueError("H == size and W == size is needed")
        patches = self.patch_embed(image).flatten(2).transpose(1, 2)
        x: Tensor = torch.cat((self.cls_token.expand(N, -1, -1), patches), dim=1)
        x = self.norm(self.blocks(x + self.pos_embed))
        x = self.head(x[:, 0])
        return x
