"""The encoder of T5 (Raffel et al., 2019), https://arxiv.org/abs/1910.10683"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def bucket(distance: Tensor, buckets: int, farthest: int) -> Tensor:
    """A number for each distance: near ones have their own, far ones share."""
    half = buckets // 2
    exact = half // 2
    steps = torch.abs(distance)
    far = (
        exact
        + (
            torch.log(steps.float() / exact)
            / math.log(farthest / exact)
            * (half - exact)
        ).long()
    )
    return (distance > 0).long() * half + torch.where(
        steps < exact, steps, torch.clamp(far, max=half - 1)
    )


class LayerNorm(nn.Module):
    def __init__(self, c: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(c))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, c] -> [*, c]"""
        x = x * torch.rsqrt((x**2).mean(dim=-1, keepdim=True) + self.eps)
        x = self.weight * x
        return x


class SelfAttention(nn.Module):
    """The first layer works out what distances add to its scores; the others take that over."""

    def __init__(
        self,
        in_features: int,
        heads: int,
        size: int,
        dropout: float,
        first: bool,
        buckets: int = 32,
        farthest: int = 128,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.size = size
        self.first = first
        self.buckets = buckets
        self.farthest = farthest
        self.dropout = dropout
        inner = heads * size
        self.inner = inner
        self.q = nn.Linear(in_features, inner, bias=False)
        self.k = nn.Linear(in_features, inner, bias=False)
        self.v = nn.Linear(in_features, inner, bias=False)
        self.o = nn.Linear(inner, in_features, bias=False)
        if first:
            self.relative_attention_bias = nn.Embedding(buckets, heads)

    def forward(
        self, x: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """x: [B, T, in_features], bias: [1, heads, T, T] | None
        -> ([B, T, in_features], [1, heads, T, T] | None)
        """
        B, T, _ = x.shape
        query, key, value = [
            y.view(B, T, self.heads, self.size).transpose(1, 2)
            for y in (self.q(x), self.k(x), self.v(x))
        ]
        if self.first:
            places = bucket(
                torch.arange(T, device=x.device)[None]
                - torch.arange(T, device=x.device)[:, None],
                self.buckets,
                self.farthest,
            )
            bias = self.relative_attention_bias(places).permute(2, 0, 1)[None]
        y = F.scaled_dot_product_attention(
            query, key, value, bias, self.dropout if self.training else 0.0, scale=1.0
        )
        y = self.o(y.transpose(1, 2).reshape(B, T, self.inner))
        return y, bias


class LayerSelfAttention(nn.Module):
    def __init__(
        self, in_features: int, heads: int, size: int, dropout: float, first: bool
    ) -> None:
        super().__init__()
        self.SelfAttention = SelfAttention(in_features, heads, size, dropout, first)
        self.layer_norm = LayerNorm(in_features)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """x: [B, T, in_features], bias: [1, heads, T, T] | None
        -> ([B, T, in_features], [1, heads, T, T] | None)
        """
        y, bias = self.SelfAttention(self.layer_norm(x), bias)
        return x + self.dropout(y), bias


class DenseReluDense(nn.Module):
    def __init__(self, in_features: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.wi = nn.Linear(in_features, hidden, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.wo = nn.Linear(hidden, in_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.wo(self.dropout(F.relu(self.wi(x))))
        return x


class LayerFF(nn.Module):
    def __init__(self, in_features: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.DenseReluDense = DenseReluDense(in_features, hidden, dropout)
        self.layer_norm = LayerNorm(in_features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = x + self.dropout(self.DenseReluDense(self.layer_norm(x)))
        return x


class Block(nn.Module):
    def __init__(
        self,
        in_features: int,
        heads: int,
        size: int,
        hidden: int,
        dropout: float,
        first: bool,
    ) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            [
                LayerSelfAttention(in_features, heads, size, dropout, first),
                LayerFF(in_features, hidden, dropout),
            ]
        )

    def forward(
        self, x: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """x: [B, T, in_features], bias: [1, heads, T, T] | None
        -> ([B, T, in_features], [1, heads, T, T] | None)
        """
        x, bias = self.layer[0](x, bias)
        return self.layer[1](x), bias


class Stack(nn.Module):
    def __init__(
        self,
        vocab: int,
        width: int,
        depth: int,
        heads: int,
        size: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab, width)
        self.dropout = nn.Dropout(dropout)
        self.block = nn.ModuleList(
            [
                Block(width, heads, size, hidden, dropout, first=i == 0)
                for i in range(depth)
            ]
        )
        self.final_layer_norm = LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, T, width]"""
        x: Tensor = self.dropout(self.embed_tokens(tokens))
        bias = None
        for layer in self.block:
            x, bias = layer(x, bias)
        x = self.dropout(self.final_layer_norm(x))
        return x


class T5EncoderModel(nn.Module):
    def __init__(
        self,
        vocab: int = 32128,
        width: int = 512,
        depth: int = 6,
        heads: int = 8,
        size: int = 64,
        hidden: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.shared = nn.Embedding(vocab, width)
        self.encoder = Stack(vocab, width, depth, heads, size, hidden, dropout)
        self.encoder.embed_tokens.weight = self.shared.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, T, width]"""
        x: Tensor = self.encoder(tokens)
        return x


# netdsl: made from t5.net
