"""Attention is all you need (Vaswani et al., 2017), https://arxiv.org/abs/1706.03762"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PADDING = 0
LONGEST = 5000


def sinusoids(length: int, width: int) -> Tensor:
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
    return torch.stack((torch.sin(angle), torch.cos(angle)), dim=-1).flatten(1)


class MultiHeadAttention(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.w_q = nn.Linear(in_features, in_features, bias=False)
        self.w_k = nn.Linear(in_features, in_features, bias=False)
        self.w_v = nn.Linear(in_features, in_features, bias=False)
        self.w_o = nn.Linear(in_features, in_features, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """query: [B, T, in_features], memory: [B, S, in_features], mask: bool[B, 1, _, S]
        -> [B, T, in_features]
        """
        B, T, C = query.shape
        S = memory.shape[1]
        q = self.w_q(query).view(B, T, self.heads, C // self.heads).transpose(1, 2)
        k = self.w_k(memory).view(B, S, self.heads, C // self.heads).transpose(1, 2)
        v = self.w_v(memory).view(B, S, self.heads, C // self.heads).transpose(1, 2)
        scores = q @ k.transpose(-2, -1) / math.sqrt(C // self.heads)
        weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
        x: Tensor = self.w_o((weights @ v).transpose(1, 2).reshape(B, T, C))
        return x


class FeedForward(nn.Module):
    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.w_1 = nn.Linear(in_features, hidden)
        self.w_2 = nn.Linear(hidden, in_features)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.w_2(F.relu(self.w_1(x)))
        return x


class EncoderLayer(nn.Module):
    def __init__(
        self, in_features: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.self_attn = MultiHeadAttention(in_features, heads)
        self.feed_forward = FeedForward(in_features, hidden)
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(in_features)
        self.norm2 = nn.LayerNorm(in_features)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: [B, S, in_features], mask: bool[B, 1, 1, S] -> [B, S, in_features]"""
        x = self.norm1(x + self.dropout(self.self_attn(x, x, mask)))
        x = self.norm2(x + self.dropout(self.feed_forward(x)))
        return x


class DecoderLayer(nn.Module):
    def __init__(
        self, in_features: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.self_attn = MultiHeadAttention(in_features, heads)
        self.cross_attn = MultiHeadAttention(in_features, heads)
        self.feed_forward = FeedForward(in_features, hidden)
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(in_features)
        self.norm2 = nn.LayerNorm(in_features)
        self.norm3 = nn.LayerNorm(in_features)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor
    ) -> Tensor:
        """x: [B, T, in_features],
        memory: [B, S, in_features],
        mask: bool[B, 1, T, T],
        memory_mask: bool[B, 1, 1, S]
        -> [B, T, in_features]
        """
        x = self.norm1(x + self.dropout(self.self_attn(x, x, mask)))
        x = self.norm2(x + self.dropout(self.cross_attn(x, memory, memory_mask)))
        x = self.norm3(x + self.dropout(self.feed_forward(x)))
        return x


class Transformer(nn.Module):
    """Scores of each next token of `target`, which follows from `source`."""

    positions: Tensor

    def __init__(
        self,
        vocab: int = 37000,
        width: int = 512,
        depth: int = 6,
        heads: int = 8,
        hidden: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("positions", torch.empty(LONGEST, width), persistent=False)
        self.embed = nn.Embedding(vocab, width)
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.ModuleList(
            [EncoderLayer(width, heads, hidden, dropout) for _ in range(depth)]
        )
        self.decoder = nn.ModuleList(
            [DecoderLayer(width, heads, hidden, dropout) for _ in range(depth)]
        )
        self.generator = nn.Linear(width, vocab, bias=False)
        self.reset_parameters()
        self.generator.weight = self.embed.weight
        nn.init.normal_(self.embed.weight, std=width**-0.5)

    def reset_parameters(self) -> None:
        self.positions.copy_(sinusoids(LONGEST, self.width))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """source: int64[B, S], target: int64[B, T] -> [B, T, vocab]"""
        S = source.shape[1]
        T = target.shape[1]
        if S > LONGEST:
            raise ValueError("S <= LONGEST is needed")
        if T > LONGEST:
            raise ValueError("T <= LONGEST is needed")
        source_mask = (source != PADDING)[:, None, None]
        target_mask = torch.logical_and(
            (target != PADDING)[:, None, None],
            torch.ones(T, T, dtype=torch.bool, device=source.device).tril(),
        )
        memory = self.dropout(
            self.embed(source) * math.sqrt(self.width) + self.positions[:S]
        )
        for layer in self.encoder:
            memory = layer(memory, source_mask)
        x: Tensor = self.embed(target) * math.sqrt(self.width) + self.positions[:T]
        x = self.dropout(x)
        for layer in self.decoder:
            x = layer(x, memory, target_mask, source_mask)
        x = self.generator(x)
        return x


# netdsl: made from transformer.net
