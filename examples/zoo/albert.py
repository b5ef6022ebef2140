"""ALBERT (Lan et al., 2019), https://arxiv.org/abs/1909.11942: a BERT whose layers share their weights"""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PI = 3.141592653589793


class NewGELU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """x: [*] -> [*]"""
        x = 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / PI) * (x + 0.044715 * x**3.0)))
        return x


class Embeddings(nn.Module):
    def __init__(
        self,
        vocab: int,
        width: int,
        context: int,
        types: int,
        pad: int | None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.context = context
        self.word_embeddings = nn.Embedding(vocab, width, padding_idx=pad)
        self.position_embeddings = nn.Embedding(context, width)
        self.token_type_embeddings = nn.Embedding(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Tensor,
        segments: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """tokens: int64[B, T], segments: int64[_, T] | None, positions: int64[_, T] | None
        -> [B, T, width]
        """
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T <= context is needed")
        if segments is None:
            segments = torch.zeros_like(tokens)
        if positions is None:
            positions = torch.arange(T, device=tokens.device)[None]
        x: Tensor = (
            self.word_embeddings(tokens)
            + self.token_type_embeddings(segments)
            + self.position_embeddings(positions)
        )
        x = self.dropout(self.LayerNorm(x))
        return x


class Attention(nn.Module):
    def __init__(
        self, in_features: int, heads: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.attention_dropout = attention_dropout
        self.query = nn.Linear(in_features, in_features)
        self.key = nn.Linear(in_features, in_features)
        self.value = nn.Linear(in_features, in_features)
        self.dense = nn.Linear(in_features, in_features)
        self.output_dropout = nn.Dropout(dropout)
        self.LayerNorm = nn.LayerNorm(in_features, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = [
            y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
            for y in (self.query(x), self.key(x), self.value(x))
        ]
        y = F.scaled_dot_product_attention(
            q, k, v, mask, dropout_p=self.attention_dropout if self.training else 0.0
        )
        y = self.output_dropout(self.dense(y.transpose(1, 2).reshape(B, T, C)))
        x = self.LayerNorm(x + y)
        return x


class Layer(nn.Module):
    def __init__(
        self,
        in_features: int,
        heads: int,
        hidden: int,
        dropout: float,
        attention_dropout: float,
        Act: Callable[..., nn.Module],
    ) -> None:
        super().__init__()
        self.full_layer_layer_norm = nn.LayerNorm(in_features, eps=1e-12)
        self.attention = Attention(in_features, heads, dropout, attention_dropout)
        self.ffn = nn.Linear(in_features, hidden)
        self.activation = Act()
        self.ffn_output = nn.Linear(hidden, in_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        x = self.attention(x, mask)
        x = self.full_layer_layer_norm(
            self.ffn_output(self.activation(self.ffn(x))) + x
        )
        return x


class Group(nn.Module):
    def __init__(
        self, in_features: int, depth: int, Inner: Callable[..., Layer]
    ) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList([Inner(in_features) for _ in range(depth)])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        for albert_layer in self.albert_layers:
            x = albert_layer(x, mask)
        return x


class Transformer(nn.Module):
    def __init__(
        self,
        in_features: int,
        width: int,
        depth: int,
        groups: int,
        Inner: Callable[..., Group],
    ) -> None:
        super().__init__()
        self.depth = depth
        self.groups = groups
        self.embedding_hidden_mapping_in = nn.Linear(in_features, width)
        self.albert_layer_groups = nn.ModuleList([Inner(width) for _ in range(groups)])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, width]"""
        x = self.embedding_hidden_mapping_in(x)
        for i in range(self.depth):
            x = self.albert_layer_groups[int(i / (self.depth / self.groups))](x, mask)
        return x


class AlbertModel(nn.Module):
    """Gives the states of all tokens and, if `pooled`, a summary of the first."""

    def __init__(
        self,
        vocab: int = 30000,
        embedding_width: int = 128,
        width: int = 4096,
        depth: int = 12,
        groups: int = 1,
        group_depth: int = 1,
        heads: int = 64,
        hidden: int = 16384,
        context: int = 512,
        types: int = 2,
        pad: int | None = 0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        Act: Callable[..., nn.Module] = NewGELU,
        pooled: bool = True,
    ) -> None:
        super().__init__()
        self.pooled = pooled
        self.embeddings = Embeddings(
            vocab, embedding_width, context, types, pad, dropout
        )
        self.encoder = Transformer(
            embedding_width,
            width,
            depth,
            groups,
            partial(
                Group,
                depth=group_depth,
                Inner=partial(
                    Layer,
                    heads=heads,
                    hidden=hidden,
                    dropout=dropout,
                    attention_dropout=attention_dropout,
                    Act=Act,
                ),
            ),
        )
        if pooled:
            self.pooler = nn.Linear(width, width)
            self.pooler_activation = nn.Tanh()
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        if pad is not None:
            nn.init.zeros_(self.embeddings.word_embeddings.weight[pad])

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        segments: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """tokens: int64[B, T],
        mask: int64[B, T] | None,
        segments: int64[_, T] | None,
        positions: int64[_, T] | None
        -> [B, T, width] or ([B, T, width], [B, width])
        """
        x: Tensor = self.embeddings(tokens, segments, positions)
        if mask is not None:
            mask = mask[:, None, None] != 0
        x = self.encoder(x, mask)
        if not self.pooled:
            return x
        return x, self.pooler_activation(self.pooler(x[:, 0]))


def albert_base_v1() -> AlbertModel:
    return AlbertModel(
        width=768,
        heads=12,
        hidden=3072,
        dropout=0.1,
        attention_dropout=0.1,
        Act=nn.GELU,
    )


def albert_base_v2() -> AlbertModel:
    return AlbertModel(width=768, heads=12, hidden=3072)


# netdsl: made from albert.net
