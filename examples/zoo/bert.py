"""BERT (Devlin et al., 2018), https://arxiv.org/abs/1810.04805"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Embeddings(nn.Module):
    def __init__(
        self, vocab: int, width: int, context: int, types: int, dropout: float
    ) -> None:
        super().__init__()
        self.context = context
        self.word_embeddings = nn.Embedding(vocab, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(context, width)
        self.token_type_embeddings = nn.Embedding(types, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, segments: Tensor) -> Tensor:
        """tokens: int64[B, T], segments: int64[B, T] -> [B, T, width]"""
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T <= context is needed")
        x: Tensor = (
            self.word_embeddings(tokens)
            + self.token_type_embeddings(segments)
            + self.position_embeddings(torch.arange(T, device=tokens.device))
        )
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

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = [
            y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
            for y in (self.query(x), self.key(x), self.value(x))
        ]
        y = F.scaled_dot_product_attention(
            q, k, v, mask, dropout_p=self.dropout if self.training else 0.0
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
        self.self = SelfAttention(in_features, heads, dropout)
        self.output = Output(in_features, in_features, dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        x = self.output(self.self(x, mask), x)
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

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        x = self.attention(x, mask)
        x = self.output(self.intermediate(x), x)
        return x


class Encoder(nn.Module):
    def __init__(
        self, in_features: int, depth: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            [Layer(in_features, heads, hidden, dropout) for _ in range(depth)]
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[B, 1, 1, T] | None -> [B, T, in_features]"""
        for layer in self.layer:
            x = layer(x, mask)
        return x


class Pooler(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, in_features]"""
        x = torch.tanh(self.dense(x[:, 0]))
        return x


class BertModel(nn.Module):
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
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(self.embeddings.word_embeddings.weight[0])

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, segments: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """tokens: int64[B, T], mask: int64[B, T] | None, segments: int64[B, T] | None
        -> ([B, T, width], [B, width])
        """
        if segments is None:
            segments = torch.zeros_like(tokens)
        x = self.embeddings(tokens, segments)
        if mask is not None:
            mask = mask[:, None, None] != 0
        x = self.encoder(x, mask)
        pooled = self.pooler(x)
        return x, pooled


class Predictions(nn.Module):
    def __init__(self, in_features: int, vocab: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(vocab))
        self.transform = nn.Sequential(
            OrderedDict(
                [
                    ("dense", nn.Linear(in_features, in_features)),
                    ("gelu", nn.GELU()),
                    ("LayerNorm", nn.LayerNorm(in_features, eps=1e-12)),
                ]
            )
        )
        self.decoder = nn.Linear(in_features, vocab)
        self.reset_parameters()
        self.decoder.bias = self.bias

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, vocab]"""
        x = self.decoder(self.transform(x))
        return x


class PreTrainingHeads(nn.Module):
    def __init__(self, in_features: int, vocab: int) -> None:
        super().__init__()
        self.predictions = Predictions(in_features, vocab)
        self.seq_relationship = nn.Linear(in_features, 2)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """x: [B, T, in_features], pooled: [B, in_features] -> ([B, T, vocab], [B, 2])"""
        words = self.predictions(x)
        follows = self.seq_relationship(pooled)
        return words, follows


class BertForPreTraining(nn.Module):
    """Gives scores of the words behind masks, and of whether the second sentence is next."""

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
        self.bert = BertModel(
            vocab, width, depth, heads, hidden, context, types, dropout
        )
        self.cls = PreTrainingHeads(width, vocab)
        self.cls.predictions.decoder.weight = (
            self.bert.embeddings.word_embeddings.weight
        )

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, segments: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """tokens: int64[B, T], mask: int64[B, T] | None, segments: int64[B, T] | None
        -> ([B, T, vocab], [B, 2])
        """
        result: tuple[Tensor, Tensor] = self.cls(*self.bert(tokens, mask, segments))
        return result


# netdsl: made from bert.net
