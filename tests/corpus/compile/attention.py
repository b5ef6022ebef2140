import math
from collections import OrderedDict
from fnmatch import fnmatchcase

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalSelfAttention(nn.Module):
    def __init__(self, in_features: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.dropout = dropout
        self.c_attn = nn.Linear(in_features, 3 * in_features)
        self.c_proj = nn.Linear(in_features, in_features)
        self.resid_dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = [
            t.view(B, T, self.heads, C // self.heads).transpose(1, 2)
            for t in self.c_attn(x).chunk(3, dim=-1)
        ]
        y: Tensor = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )
        y = self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, C)))
        return y


class Block(nn.Module):
    def __init__(self, in_features: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(in_features)
        self.attn = CausalSelfAttention(in_features, heads, dropout)
        self.ln_2 = nn.LayerNorm(in_features)
        self.mlp = nn.Sequential(
            OrderedDict(
                [
                    ("c_fc", nn.Linear(in_features, 4 * in_features)),
                    ("gelu", nn.GELU(approximate="tanh")),
                    ("c_proj", nn.Linear(4 * in_features, in_features)),
                    ("dropout", nn.Dropout(dropout)),
                ]
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT2(nn.Module):
    def __init__(
        self,
        vocab: int = 50257,
        context: int = 1024,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
    ) -> None:
        super().__init__()
        self.context = context
        self.wte = nn.Embedding(vocab, width)
        self.wpe = nn.Embedding(context, width)
        self.h = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.lm_head.weight = self.wte.weight
        for name, module in self.named_modules():
            if fnmatchcase(name, "h.*.c_proj"):
                nn.init.normal_(
                    module.get_parameter("weight"), std=0.02 / math.sqrt(2 * depth)
                )
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, T, vocab]"""
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T <= context is needed")
        x: Tensor = self.wte(tokens) + self.wpe(torch.arange(T, device=tokens.device))
        x = self.lm_head(self.ln_f(self.h(x)))
        return x
