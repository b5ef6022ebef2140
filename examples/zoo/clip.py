"""CLIP (Radford et al., 2021), https://arxiv.org/abs/2103.00020: which text goes with which image"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


def unit(x: Tensor) -> Tensor:
    return x / (x**2).sum(dim=-1, keepdim=True) ** 0.5


class Attention(nn.Module):
    def __init__(self, in_features: int, heads: int, causal: bool) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.causal = causal
        self.k_proj = nn.Linear(in_features, in_features)
        self.v_proj = nn.Linear(in_features, in_features)
        self.q_proj = nn.Linear(in_features, in_features)
        self.out_proj = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = [
            y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
            for y in (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        ]
        y: Tensor = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        y = self.out_proj(y.transpose(1, 2).reshape(B, T, C))
        return y


class MLP(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, 4 * in_features)
        self.fc2 = nn.Linear(4 * in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.fc2(quick_gelu(self.fc1(x)))
        return x


class Layer(nn.Module):
    def __init__(self, in_features: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.self_attn = Attention(in_features, heads, causal)
        self.layer_norm1 = nn.LayerNorm(in_features)
        self.mlp = MLP(in_features)
        self.layer_norm2 = nn.LayerNorm(in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = x + self.self_attn(self.layer_norm1(x))
        x = x + self.mlp(self.layer_norm2(x))
        return x


class Encoder(nn.Module):
    def __init__(self, in_features: int, depth: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *[Layer(in_features, heads, causal) for _ in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.layers(x)
        return x


class TextEmbeddings(nn.Module):
    def __init__(self, vocab: int, context: int, width: int) -> None:
        super().__init__()
        self.context = context
        self.token_embedding = nn.Embedding(vocab, width)
        self.position_embedding = nn.Embedding(context, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, T, width]"""
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T <= context is needed")
        x: Tensor = self.token_embedding(tokens) + self.position_embedding(
            torch.arange(T, device=tokens.device)
        )
        return x


class TextModel(nn.Module):
    """Understands a text at the first token that ends it."""

    def __init__(
        self, vocab: int, context: int, width: int, depth: int, heads: int, end: int
    ) -> None:
        super().__init__()
        self.end = end
        self.embeddings = TextEmbeddings(vocab, context, width)
        self.encoder = Encoder(width, depth, heads, causal=True)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64[B, T] -> [B, width]"""
        B = tokens.shape[0]
        x: Tensor = self.encoder(self.embeddings(tokens))
        x = self.final_layer_norm(x)
        ends = (tokens == self.end).int().argmax(dim=-1)
        x = x[torch.arange(B, device=tokens.device), ends]
        return x


class VisionEmbeddings(nn.Module):
    def __init__(self, size: int, patch: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.reset_parameters()
        positions = (size // patch) ** 2 + 1
        self.positions = positions
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.position_embedding = nn.Embedding(positions, width)

    def reset_parameters(self) -> None:
        nn.init.normal_(self.class_embedding, std=self.width**-0.5)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, size, size] -> [N, positions, width]"""
        N = image.shape[0]
        patches = self.patch_embedding(image).flatten(2).transpose(1, 2)
        x: Tensor = torch.cat((self.class_embedding.expand(N, 1, -1), patches), dim=1)
        x = x + self.position_embedding(
            torch.arange(self.positions, device=image.device)
        )
        return x


class VisionModel(nn.Module):
    def __init__(
        self, size: int, patch: int, width: int, depth: int, heads: int
    ) -> None:
        super().__init__()
        self.embeddings = VisionEmbeddings(size, patch, width)
        self.pre_layrnorm = nn.LayerNorm(width)
        self.encoder = Encoder(width, depth, heads, causal=False)
        self.post_layernorm = nn.LayerNorm(width)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, size, size] -> [N, width]"""
        x: Tensor = self.pre_layrnorm(self.embeddings(image))
        x = self.encoder(x)
        x = self.post_layernorm(x[:, 0])
        return x


class CLIPModel(nn.Module):
    """Gives for each image how well each text goes with it."""

    def __init__(
        self,
        dim: int = 512,
        vocab: int = 49408,
        context: int = 77,
        end: int = 49407,
        text_width: int = 512,
        text_depth: int = 12,
        text_heads: int = 8,
        size: int = 224,
        patch: int = 32,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
    ) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.empty(()))
        self.text_model = TextModel(
            vocab, context, text_width, text_depth, text_heads, end
        )
        self.vision_model = VisionModel(size, patch, width, depth, heads)
        self.visual_projection = nn.Linear(width, dim, bias=False)
        self.text_projection = nn.Linear(text_width, dim, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.logit_scale, 2.6592)

    def forward(self, tokens: Tensor, image: Tensor) -> Tensor:
        """tokens: int64[B, T], image: [N, 3, size, size] -> [N, B]"""
        images = unit(self.visual_projection(self.vision_model(image)))
        texts = unit(self.text_projection(self.text_model(tokens)))
        x = (texts @ images.t() * torch.exp(self.logit_scale)).t()
        return x


# netdsl: made from clip.net
