"""MobileViT (Mehta and Rastegari, 2021), https://arxiv.org/abs/2110.02178

Convolutions, and transformers that see the same pixel of all patches, with the
parameter names of transformers.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def by_heads(x: Tensor, heads: int) -> Tensor:
    B, T, C = x.shape
    return x.view(B, T, heads, C // heads).transpose(1, 2)


def to_patches(x: Tensor, size: int) -> Tensor:
    B, C, H, W = x.shape
    x = x.reshape(B * C * (H // size), size, W // size, size).transpose(1, 2)
    x = x.reshape(B, C, H // size * (W // size), size**2).transpose(1, 3)
    return x.reshape(B * size**2, H // size * (W // size), C)


def to_image(x: Tensor, height: int, width: int, size: int) -> Tensor:
    _, T, C = x.shape
    x = x.view(-1, size**2, T, C).transpose(1, 3).reshape(-1, width // size, size, size)
    return x.transpose(1, 2).reshape(-1, C, height, width)


class Conv(nn.Module):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        Norm: Callable[..., nn.Module] = nn.BatchNorm2d,
        Act: Callable[..., nn.Module] = nn.SiLU,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            in_channels,
            width,
            kernel,
            stride=stride,
            padding=kernel // 2,
            groups=groups,
            bias=False,
        )
        self.normalization = Norm(width)
        self.activation = Act()

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * (kernel // 2) - kernel) // stride + 1,
            (W + 2 * (kernel // 2) - kernel) // stride + 1]
        """
        x = self.convolution(x)
        x = self.activation(self.normalization(x))
        return x


class InvertedResidual(nn.Module):
    def __init__(
        self, in_channels: int, width: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        self.stride = stride
        self.in_channels = in_channels
        self.width = width
        hidden = expansion * in_channels
        self.expand_1x1 = Conv(in_channels, hidden)
        self.conv_3x3 = Conv(hidden, hidden, 3, stride, groups=hidden)
        self.reduce_1x1 = Conv(hidden, width, Act=nn.Identity)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        y = self.conv_3x3(self.expand_1x1(x))
        y = self.reduce_1x1(y)
        x = x + y if self.stride == 1 and self.in_channels == self.width else y
        return x


class MobileNetLayer(nn.Module):
    def __init__(
        self, in_channels: int, width: int, stride: int, depth: int, expansion: int
    ) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            InvertedResidual(in_channels, width, stride, expansion)
        )
        for _ in range(depth - 1):
            self.layer.append(InvertedResidual(width, width, 1, expansion))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        x = self.layer(x)
        return x


class SelfAttention(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.query = nn.Linear(in_features, in_features)
        self.key = nn.Linear(in_features, in_features)
        self.value = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, C = x.shape
        q, k, v = (
            by_heads(self.query(x), self.heads),
            by_heads(self.key(x), self.heads),
            by_heads(self.value(x), self.heads),
        )
        weights = (q @ k.transpose(-1, -2) / math.sqrt(C // self.heads)).softmax(dim=-1)
        x = (weights @ v).transpose(1, 2).reshape(B, T, C)
        return x


class Dense(nn.Module):
    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [*, in_features] -> [*, width]"""
        x = self.dense(x)
        return x


class Attention(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        self.attention = SelfAttention(in_features, heads)
        self.output = Dense(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.output(self.attention(x))
        return x


class TransformerLayer(nn.Module):
    def __init__(self, in_features: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.attention = Attention(in_features, heads)
        self.intermediate = Dense(in_features, 2 * in_features)
        self.output = Dense(2 * in_features, in_features)
        self.layernorm_before = nn.LayerNorm(in_features)
        self.layernorm_after = nn.LayerNorm(in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = x + F.dropout(
            self.attention(self.layernorm_before(x)),
            self.dropout,
            training=self.training,
        )
        x = x + F.dropout(
            self.output(F.silu(self.intermediate(self.layernorm_after(x)))),
            self.dropout,
            training=self.training,
        )
        return x


class Transformer(nn.Module):
    def __init__(
        self, in_features: int, depth: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            *[TransformerLayer(in_features, heads, dropout) for _ in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        x = self.layer(x)
        return x


class MobileViTLayer(nn.Module):
    """The image is made a little larger where it isn't made of whole patches."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        dim: int,
        depth: int,
        heads: int,
        patch: int,
        expansion: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.downsampling_layer = InvertedResidual(in_channels, width, 2, expansion)
        self.conv_kxk = Conv(width, width, 3)
        self.conv_1x1 = Conv(width, dim, Norm=nn.Identity, Act=nn.Identity)
        self.transformer = Transformer(dim, depth, heads, dropout)
        self.layernorm = nn.LayerNorm(dim)
        self.conv_projection = Conv(dim, width)
        self.fusion = Conv(2 * width, width, 3)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, in_channels, H, W] -> [N, width, (H - 1) // 2 + 1, (W - 1) // 2 + 1]"""
        x: Tensor = self.downsampling_layer(image)
        _, _, h, w = x.shape
        height = math.ceil(h / self.patch) * self.patch
        length = math.ceil(w / self.patch) * self.patch
        y = self.conv_1x1(self.conv_kxk(x))
        if (height, length) != (h, w):
            y = F.interpolate(
                y, size=(height, length), mode="bilinear", align_corners=False
            )
        y = self.layernorm(self.transformer(to_patches(y, self.patch)))
        y = to_image(y, height, length, self.patch)
        if (height, length) != (h, w):
            y = F.interpolate(y, size=(h, w), mode="bilinear", align_corners=False)
        x = self.fusion(torch.cat((x, self.conv_projection(y)), dim=1))
        return x


class Encoder(nn.Module):
    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        dims: Sequence[int],
        heads: int,
        patch: int,
        expansion: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            MobileNetLayer(in_channels, widths[0], 1, 1, expansion),
            MobileNetLayer(widths[0], widths[1], 2, 3, expansion),
        )
        channels = widths[1]
        for width, dim, depth in zip(widths[2:5], dims, [2, 4, 3], strict=True):
            self.layer.append(
                MobileViTLayer(
                    channels, width, dim, depth, heads, patch, expansion, dropout
                )
            )
            channels = width
        self.out_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, widths[4], (H - 1) // 16 + 1, (W - 1) // 16 + 1]"""
        x = self.layer(x)
        return x


class MobileViTModel(nn.Module):
    def __init__(
        self,
        stem: int,
        widths: Sequence[int],
        features: int,
        dims: Sequence[int],
        heads: int,
        patch: int,
        expansion: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.conv_stem = Conv(3, stem, 3, stride=2)
        self.encoder = Encoder(stem, widths, dims, heads, patch, expansion, dropout)
        self.conv_1x1_exp = Conv(self.encoder.out_channels, features)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, H, W] -> [N, features]"""
        x: Tensor = self.conv_stem(image)
        x = self.encoder(x)
        x = self.conv_1x1_exp(x).mean(dim=(-2, -1))
        return x


class MobileViTForImageClassification(nn.Module):
    def __init__(
        self,
        stem: int,
        widths: Sequence[int],
        features: int,
        dims: Sequence[int],
        heads: int = 4,
        patch: int = 2,
        expansion: int = 4,
        dropout: float = 0.1,
        classes: int = 1000,
    ) -> None:
        super().__init__()
        self.mobilevit = MobileViTModel(
            stem, widths, features, dims, heads, patch, expansion, dropout
        )
        self.dropout = nn.Dropout(0.1, inplace=True)
        self.classifier = nn.Linear(features, classes)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, H, W] -> [N, classes]"""
        x: Tensor = self.mobilevit(image)
        x = self.classifier(self.dropout(x))
        return x


def mobilevit_small(classes: int = 1000) -> MobileViTForImageClassification:
    return MobileViTForImageClassification(
        16, [32, 64, 96, 128, 160], 640, [144, 192, 240], classes=classes
    )


def mobilevit_x_small(classes: int = 1000) -> MobileViTForImageClassification:
    return MobileViTForImageClassification(
        16, [32, 48, 64, 80, 96], 384, [96, 120, 144], classes=classes
    )


def mobilevit_xx_small(classes: int = 1000) -> MobileViTForImageClassification:
    return MobileViTForImageClassification(
        16,
        [16, 24, 48, 64, 80],
        320,
        [64, 80, 96],
        expansion=2,
        dropout=0.05,
        classes=classes,
    )


# netdsl: made from mobilevit.net
