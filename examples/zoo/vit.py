"""Vision transformer (Dosovitskiy et al., 2020), https://arxiv.org/abs/2010.11929"""

import math
from collections import OrderedDict
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn


class EncoderBlock(nn.Module):
    def __init__(
        self,
        width: int,
        heads: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(
            width, heads, dropout=attention_dropout, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(mlp_dim, width),
            nn.Dropout(dropout),
        )
        for name, parameter in self.named_parameters():
            if fnmatchcase(name, "mlp.*.bias"):
                nn.init.normal_(parameter, std=1e-6)
            elif fnmatchcase(name, "mlp.*.weight"):
                nn.init.xavier_uniform_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, S, width] -> [N, S, width]"""
        y = self.ln_1(x)
        y, _ = self.self_attention(y, y, y, need_weights=False)
        x = x + self.dropout(y)
        y = self.ln_2(x)
        y = self.mlp(y)
        x = x + y
        return x


class Encoder(nn.Module):
    def __init__(
        self,
        width: int,
        length: int,
        depth: int,
        heads: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, length, width))
        self.reset_parameters()
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for i in range(depth):
            self.layers.add_module(
                f"encoder_layer_{i}",
                EncoderBlock(width, heads, mlp_dim, dropout, attention_dropout),
            )
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def reset_parameters(self) -> None:
        nn.init.normal_(self.pos_embedding, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, S, width] -> [N, S, width]"""
        x = self.dropout(x + self.pos_embedding)
        x = self.layers(x)
        x = self.ln(x)
        return x


class VisionTransformer(nn.Module):
    """Vision Transformer, https://arxiv.org/abs/2010.11929"""

    def __init__(
        self,
        image_size: int = 224,
        patch: int = 16,
        depth: int = 12,
        heads: int = 12,
        width: int = 768,
        mlp_dim: int = 3072,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.width = width
        self.image_size = image_size
        self.patch = patch
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.conv_proj = nn.Conv2d(3, width, patch, stride=patch)
        self.encoder = Encoder(
            width, (image_size // patch) ** 2 + 1, depth, heads, mlp_dim, 0.0, 0.0
        )
        self.heads = nn.Sequential(
            OrderedDict([("head", nn.Linear(width, num_classes))])
        )
        self.reset_parameters()
        fan_in = self.conv_proj.weight[0].numel()
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / fan_in))
        if self.conv_proj.bias is not None:
            nn.init.zeros_(self.conv_proj.bias)
        nn.init.zeros_(self.get_parameter("heads.head.weight"))
        nn.init.zeros_(self.get_parameter("heads.head.bias"))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.class_token)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, image_size, image_size] -> [N, num_classes]"""
        N = x.shape[0]
        x = self.conv_proj(x)
        x = x.reshape(N, self.width, (self.image_size // self.patch) ** 2)
        patches = x.permute(0, 2, 1)
        tokens = torch.cat((self.class_token.expand(N, -1, -1), patches), dim=1)
        y: Tensor = self.encoder(tokens)
        y = self.heads(y[:, 0])
        return y


# netdsl: made from vit.net
