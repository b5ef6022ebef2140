"""Vision transformer (Dosovitskiy et al., 2020), https://arxiv.org/abs/2010.11929

With the parameter names of transformers, whose checkpoints load into it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PatchEmbeddings(nn.Module):
    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, channels, H, W] -> [N, (H // patch) * (W // patch), width]"""
        x: Tensor = self.projection(image).flatten(2).transpose(1, 2)
        return x


class Embeddings(nn.Module):
    def __init__(self, width: int, size: int, patch: int, dropout: float) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.position_embeddings = nn.Parameter(
            torch.empty(1, (size // patch) ** 2 + 1, width)
        )
        self.reset_parameters()
        self.patch_embeddings = PatchEmbeddings(3, width, patch)
        self.dropout = nn.Dropout(dropout)

    def reset_parameters(self) -> None:
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.position_embeddings, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, size, size] -> [N, (size // patch) ** 2 + 1, width]"""
        N = image.shape[0]
        patches = self.patch_embeddings(image)
        x: Tensor = torch.cat((self.cls_token.expand(N, -1, -1), patches), dim=1)
        x = self.dropout(x + self.position_embeddings)
        return x


class Attention(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.q_proj = nn.Linear(in_features, in_features)
        self.k_proj = nn.Linear(in_features, in_features)
        self.v_proj = nn.Linear(in_features, in_features)
        self.o_proj = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, T, in_features] -> [N, T, in_features]"""
        N, T, C = x.shape
        q, k, v = [
            y.view(N, T, self.heads, C // self.heads).transpose(1, 2)
            for y in (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        ]
        x = self.o_proj(
            F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(N, T, C)
        )
        return x


class MLP(nn.Module):
    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden)
        self.fc2 = nn.Linear(hidden, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, T, in_features] -> [N, T, in_features]"""
        x = self.fc2(F.gelu(self.fc1(x)))
        return x


class Layer(nn.Module):
    def __init__(
        self, in_features: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = Attention(in_features, heads)
        self.layernorm_before = nn.LayerNorm(in_features, eps=1e-12)
        self.layernorm_after = nn.LayerNorm(in_features, eps=1e-12)
        self.mlp = MLP(in_features, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, T, in_features] -> [N, T, in_features]"""
        x = self.dropout(self.attention(self.layernorm_before(x))) + x
        x = self.dropout(self.mlp(self.layernorm_after(x))) + x
        return x


class ViTModel(nn.Module):
    def __init__(
        self,
        width: int,
        size: int,
        patch: int,
        depth: int,
        heads: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embeddings = Embeddings(width, size, patch, dropout)
        self.layers = nn.Sequential(
            *[Layer(width, heads, hidden, dropout) for _ in range(depth)]
        )
        self.layernorm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, size, size] -> [N, (size // patch) ** 2 + 1, width]"""
        x: Tensor = self.embeddings(image)
        x = self.layers(x)
        x = self.layernorm(x)
        return x


class ViTForImageClassification(nn.Module):
    def __init__(
        self,
        classes: int = 1000,
        size: int = 224,
        patch: int = 16,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.vit = ViTModel(width, size, patch, depth, heads, hidden, dropout)
        self.classifier = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, size, size] -> [N, classes]"""
        x: Tensor = self.vit(image)
        x = self.classifier(x[:, 0])
        return x


# netdsl: made from vit_transformers.net
