"""Llama (Touvron et al., 2023), https://arxiv.org/abs/2302.13971"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotate_half(x: Tensor) -> Tensor:
    D = x.shape[3]
    return torch.cat((-x[..., D // 2 :], x[..., : D // 2]), dim=-1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    return x * cos + rotate_half(x) * sin


class RMSNorm(nn.Module):
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


class Attention(nn.Module):
    def __init__(self, in_features: int, heads: int, kv_heads: int, bias: bool) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        if heads % kv_heads != 0:
            raise ValueError("kv_heads must divide heads")
        self.heads = heads
        self.kv_heads = kv_heads
        self.q_proj = nn.Linear(in_features, in_features, bias=bias)
        self.k_proj = nn.Linear(
            in_features, kv_heads * (in_features // heads), bias=bias
        )
        self.v_proj = nn.Linear(
            in_features, kv_heads * (in_features // heads), bias=bias
        )
        self.o_proj = nn.Linear(in_features, in_features, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """x: [B, T, in_features], cos: [T, D], sin: [T, D], mask: bool[B, 1, T, T] | None
        -> [B, T, in_features]
        """
        B, T, C = x.shape
        q = self.q_proj(x).view(B, T, self.heads, C // self.heads).transpose(1, 2)
        k = self.k_proj(x).view(B, T, self.kv_heads, C // self.heads).transpose(1, 2)
        v = self.v_proj(x).view(B, T, self.kv_heads, C // self.heads).transpose(1, 2)
        y: Tensor = F.scaled_dot_product_attention(
            rotate(q, cos, sin),
            rotate(k, cos, sin),
            v,
            mask,
            is_causal=mask is None,
            enable_gqa=True,
        )
        y = self.o_proj(y.transpose(1, 2).reshape(B, T, C))
        return y


class MLP(nn.Module):
    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(in_features, hidden, bias=False)
        self.up_proj = nn.Linear(in_features, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, in_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, in_features] -> [*, in_features]"""
        x = F.silu(self.gate_proj(x)) * self.up_proj(x)
        x = self.down_proj(x)
        return x


class Layer(nn.Module):
    def __init__(
        self, in_features: int, heads: int, kv_heads: int, hidden: int, bias: bool
    ) -> None:
        super().__init__()
        self.self_attn = Attention(in_features, heads, kv_heads, bias)
        self.mlp = MLP(in_features, hidden)
        self.input_layernorm = RMSNorm(in_features)
        self.post_attention_layernorm = RMSNorm(in_features)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """x: [B, T, in_features], cos: [T, D], sin: [T, D], mask: bool[B, 1, T, T] | None
        -> [B, T, in_features]
        """
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        x = x + self.mlp(self.post_attention_layernorm(x))
        return x


class Model(nn.Module):
    inv_freq: Tensor

    def __init__(
        self,
        vocab: int,
        width: int,
        depth: int,
        heads: int,
        kv_heads: int,
        hidden: int,
        theta: float,
        bias: bool,
    ) -> None:
        super().__init__()
        self.theta = theta
        self.embed_tokens = nn.Embedding(vocab, width)
        self.layers = nn.ModuleList(
            [Layer(width, heads, kv_heads, hidden, bias) for _ in range(depth)]
        )
        size = width // heads
        self.size = size
        self.register_buffer("inv_freq", torch.empty(size // 2), persistent=False)
        self.norm = RMSNorm(width)
        self.reset_parameters()
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def reset_parameters(self) -> None:
        self.inv_freq.copy_(
            1.0 / self.theta ** (torch.arange(0, self.size, 2) / self.size)
        )

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """tokens: int64[B, T], mask: int64[B, T] | None -> [B, T, width]"""
        T = tokens.shape[1]
        x: Tensor = self.embed_tokens(tokens)
        angle = torch.arange(T, device=tokens.device)[:, None] * self.inv_freq
        y = torch.cat((angle, angle), dim=-1)
        cos, sin = torch.cos(y), torch.sin(y)
        if mask is not None:
            mask = torch.logical_and(
                torch.ones(T, T, dtype=torch.bool, device=tokens.device).tril(),
                mask[:, None, None],
            )
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        x = self.norm(x)
        return x


class Llama(nn.Module):
    """A decoder of text; `bias` is that of the queries, keys and values."""

    def __init__(
        self,
        vocab: int = 32000,
        width: int = 4096,
        depth: int = 32,
        heads: int = 32,
        kv_heads: int = 32,
        hidden: int = 11008,
        theta: float = 10000.0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.model = Model(vocab, width, depth, heads, kv_heads, hidden, theta, bias)
        self.lm_head = nn.Linear(width, vocab, bias=False)
        nn.init.normal_(self.lm_head.weight, std=0.02)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """tokens: int64[B, T], mask: int64[B, T] | None -> [B, T, vocab]"""
        x: Tensor = self.model(tokens, mask)
        x = self.lm_head(x)
        return x


def mistral_7b(
    vocab: int = 32000,
    width: int = 4096,
    depth: int = 32,
    heads: int = 32,
    kv_heads: int = 8,
    hidden: int = 14336,
) -> Llama:
    return Llama(vocab, width, depth, heads, kv_heads, hidden)


def qwen2_7b(
    vocab: int = 152064,
    width: int = 3584,
    depth: int = 28,
    heads: int = 28,
    kv_heads: int = 4,
    hidden: int = 18944,
) -> Llama:
    return Llama(vocab, width, depth, heads, kv_heads, hidden, 1e6, bias=True)


# netdsl: made from llama.net
