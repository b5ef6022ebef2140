"""nanoGPT (Andrej Karpathy), https://github.com/karpathy/nanoGPT"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalSelfAttention(nn.Module):
    def __init__(
        self, in_features: int, heads: int, dropout: float, bias: bool
    ) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.dropout = dropout
        self.c_attn = nn.Linear(in_features, 3 * in_features, bias=bias)
        self.c_proj = nn.Linear(in_features, in_features, bias=bias)
        self.resid_dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = [
            y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
            for y in torch.split(self.c_attn(x), C, dim=2)
        ]
        y: Tensor = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )
        y = self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, C)))
        return y


class MLP(nn.Module):
    def __init__(self, in_features: int, dropout: float, bias: bool) -> None:
        super().__init__()
        self.c_fc = nn.Linear(in_features, 4 * in_features, bias=bias)
        self.c_proj = nn.Linear(4 * in_features, in_features, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.dropout(self.c_proj(F.gelu(self.c_fc(x))))
        return x


class Block(nn.Module):
    def __init__(
        self, in_features: int, heads: int, dropout: float, bias: bool
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(in_features, bias=bias)
        self.attn = CausalSelfAttention(in_features, heads, dropout, bias)
        self.ln_2 = nn.LayerNorm(in_features, bias=bias)
        self.mlp = MLP(in_features, dropout, bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT(nn.Module):
    """Gives the scores of the next token; with targets, those of all tokens and the loss."""

    def __init__(
        self,
        vocab: int = 50304,
        context: int = 1024,
        depth: int = 12,
        heads: int = 12,
        width: int = 768,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.context = context
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab, width),
                "wpe": nn.Embedding(context, width),
                "drop": nn.Dropout(dropout),
                "h": nn.Sequential(
                    *[Block(width, heads, dropout, bias) for _ in range(depth)]
                ),
                "ln_f": nn.LayerNorm(width, bias=bias),
            }
        )
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                if name.endswith(".c_proj"):
                    nn.init.normal_(module.weight, std=0.02 / math.sqrt(2 * depth))
                else:
                    nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(
        self, tokens: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, None] | tuple[Tensor, Tensor]:
        """tokens: int64[B, T], targets: int64[B, T] | None
        -> ([B, 1, vocab], None) or ([B, T, vocab], [])
        """
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T <= context is needed")
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](
            torch.arange(T, device=tokens.device)
        )
        x = self.transformer["drop"](x)
        x = self.transformer["h"](x)
        x = self.transformer["ln_f"](x)
        if targets is None:
            return self.lm_head(x[:, -1:]), None
        logits = self.lm_head(x)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
        return logits, loss


# netdsl: made from nanogpt.net
