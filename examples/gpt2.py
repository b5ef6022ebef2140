import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

pi = 3.141592653589793


def gelu_new(x: Tensor) -> Tensor:
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / pi) * (x + 0.044715 * x**3.0)))


class Conv1D(nn.Module):
    """A Linear with its weight transposed, as in OpenAI's code."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.weight = nn.Parameter(torch.empty(features, width))
        self.bias = nn.Parameter(torch.empty(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, features] -> [B, T, width]"""
        B, T, features = x.shape
        x = torch.addmm(self.bias, x.view(-1, features), self.weight)
        x = x.view(B, T, self.width)
        return x


class Attention(nn.Module):
    def __init__(self, features: int, heads: int, dropout: float) -> None:
        super().__init__()
        if features % heads != 0:
            raise ValueError("heads must divide features")
        self.heads = heads
        self.dropout = dropout
        self.c_attn = Conv1D(features, 3 * features)
        self.c_proj = Conv1D(features, features)
        self.resid_dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, features] -> [B, T, features]"""
        B, T, features = x.shape
        q, k, v = [
            t.view(B, T, self.heads, features // self.heads).transpose(1, 2)
            for t in torch.split(self.c_attn(x), features, dim=2)
        ]
        x = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )
        x = x.transpose(1, 2).reshape(B, T, features)
        x = self.resid_dropout(self.c_proj(x))
        return x


class MLP(nn.Module):
    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.c_fc = Conv1D(features, 4 * features)
        self.c_proj = Conv1D(4 * features, features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, features] -> [B, T, features]"""
        x = self.dropout(self.c_proj(gelu_new(self.c_fc(x))))
        return x


class Block(nn.Module):
    def __init__(self, features: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(features)
        self.attn = Attention(features, heads, dropout)
        self.ln_2 = nn.LayerNorm(features)
        self.mlp = MLP(features, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, features] -> [B, T, features]"""
        x = self.attn(self.ln_1(x)) + x
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT2Model(nn.Module):
    def __init__(
        self,
        vocab_size: int,
        n_positions: int,
        width: int,
        depth: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.n_positions = n_positions
        self.wte = nn.Embedding(vocab_size, width)
        self.wpe = nn.Embedding(n_positions, width)
        self.drop = nn.Dropout(dropout)
        self.h = nn.Sequential(*[Block(width, heads, dropout) for _ in range(depth)])
        self.ln_f = nn.LayerNorm(width)
        for name, module in self.named_modules():
            if name.endswith(".c_proj"):
                nn.init.normal_(
                    module.get_parameter("weight"), std=0.02 / math.sqrt(2 * depth)
                )
            elif isinstance(module, nn.Embedding | Conv1D):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, T, width]"""
        T = tokens.shape[1]
        if T > self.n_positions:
            raise ValueError("T <= n_positions is needed")
        x: Tensor = self.wte(tokens) + self.wpe(torch.arange(T, device=tokens.device))
        x = self.ln_f(self.h(self.drop(x)))
        return x


class GPT2LMHeadModel(nn.Module):
    """GPT-2 (Radford et al., 2019), with the parameter names of transformers"""

    def __init__(
        self,
        vocab_size: int = 50257,
        n_positions: int = 1024,
        n_embd: int = 768,
        n_layer: int = 12,
        n_head: int = 12,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.transformer = GPT2Model(
            vocab_size, n_positions, n_embd, n_layer, n_head, dropout
        )
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, T, vocab_size]"""
        x: Tensor = self.transformer(tokens)
        x = self.lm_head(x)
        return x


# netdsl: made from gpt2.net
