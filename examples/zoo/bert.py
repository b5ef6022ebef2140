"""BERT (Devlin et al., 2018), https://arxiv.org/abs/1810.04805"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Embeddings(nn.Module):
    position_ids: Tensor
    token_type_ids: Tensor

    def __init__(
        self, vocab: int, width: int, context: int, types: int, dropout: float
    ) -> None:
        super().__init__()
        self.context = context
        self.register_buffer(
            "position_ids", torch.arange(context)[None], persistent=False
        )
        self.register_buffer(
            "token_type_ids",
            torch.zeros(1, context, dtype=torch.int64),
            persistent=False,
        )
        self.word_embeddings = nn.Embedding(vocab, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(context, width)
        self.token_type_embeddings = nn.Embedding(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        with torch.no_grad():
            self.position_ids.copy_(torch.arange(self.context)[None])
            self.token_type_ids.copy_(torch.zeros(1, self.context, dtype=torch.int64))

    def forward(self, tokens: Tensor, types_of: Tensor) -> Tensor:
        """tokens: int64[B, T], types_of: int64[B, T] -> [B, T, width]"""
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T <= context is needed")
        x: Tensor = self.word_embeddings(tokens) + self.token_type_embeddings(types_of)
        x = x + self.position_embeddings(self.position_ids[:, :T])
        x = self.dropout(self.LayerNorm(x))
        return x


class SelfAttention(nn.Module):
    def __init__(self, in_features: int, heads: int, dropout: float) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(in_features, in_features)
        self.key = nn.Linear(in_features, in_features)
        self.value = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = [
            y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
            for y in (self.query(x), self.key(x), self.value(x))
        ]
        y = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0
        )
        y = y.transpose(1, 2).reshape(B, T, C)
        return y


class Output(nn.Module):
    def __init__(self, in_features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """x: [B, T, in_features], residual: [B, T, width] -> [B, T, width]"""
        x = self.LayerNorm(self.dropout(self.dense(x)) + residual)
        return x


class Attention(nn.Module):
    def __init__(self, in_features: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.add_module("self", SelfAttention(in_features, heads, dropout))
        self.output = Output(in_features, in_features, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.output(self.get_submodule("self")(x), x)
        return x


class Intermediate(nn.Module):
    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, hidden]"""
        x = F.gelu(self.dense(x))
        return x


class Layer(nn.Module):
    def __init__(
        self, in_features: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = Attention(in_features, heads, dropout)
        self.intermediate = Intermediate(in_features, hidden)
        self.output = Output(hidden, in_features, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.attention(x)
        x = self.output(self.intermediate(x), x)
        return x


class Encoder(nn.Module):
    def __init__(
        self, in_features: int, depth: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            *[Layer(in_features, heads, hidden, dropout) for _ in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.layer(x)
        return x


class Pooler(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, in_features]"""
        x = torch.tanh(self.dense(x[:, 0]))
        return x


class Bert(nn.Module):
    def __init__(
        self,
        vocab: int = 30522,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        context: int = 512,
        types: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.embeddings = Embeddings(vocab, width, context, types, dropout)
        self.encoder = Encoder(width, depth, heads, hidden, dropout)
        self.pooler = Pooler(width)

    def forward(self, tokens: Tensor, types_of: Tensor) -> tuple[Tensor, Tensor]:
        """tokens: int64[B, T], types_of: int64[B, T] -> ([B, T, width], [B, width])"""
        x = self.encoder(self.embeddings(tokens, types_of))
        pooled = self.pooler(x)
        return x, pooled


# netdsl: made from bert.net
