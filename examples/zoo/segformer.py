"""SegFormer (Xie et al., 2021), https://arxiv.org/abs/2105.15203

The encoder and a classifier, with the parameter names of transformers. Images are
kept as [N, H, W, C] between the convolutions.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

B0 = [
    (2, 32, 7, 4, 1, 8, 4),
    (2, 64, 3, 2, 2, 4, 4),
    (2, 160, 3, 2, 5, 2, 4),
    (2, 256, 3, 2, 8, 1, 4),
]


def by_heads(x: Tensor, heads: int) -> Tensor:
    N, H, W, C = x.shape
    return x.view(N, H * W, heads, C // heads).transpose(1, 2)


class OverlapPatchEmbeddings(nn.Module):
    def __init__(self, in_channels: int, width: int, patch: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(
            in_channels, width, patch, stride=stride, padding=patch // 2
        )
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, in_channels, H, W]
        -> [N, (H + 2 * (patch // 2) - patch) // stride + 1,
            (W + 2 * (patch // 2) - patch) // stride + 1, width]
        """
        x: Tensor = self.proj(image)
        x = self.layer_norm(x.permute(0, 2, 3, 1))
        return x


class SequenceReduction(nn.Module):
    def __init__(self, in_channels: int, ratio: int) -> None:
        super().__init__()
        self.sequence_reduction = nn.Conv2d(
            in_channels, in_channels, ratio, stride=ratio
        )
        self.layer_norm = nn.LayerNorm(in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_channels] -> [N, H // ratio, W // ratio, in_channels]"""
        x = self.sequence_reduction(x.permute(0, 3, 1, 2))
        x = self.layer_norm(x.permute(0, 2, 3, 1))
        return x


class Attention(nn.Module):
    def __init__(
        self, in_features: int, heads: int, reduction: int, dropout: float
    ) -> None:
        super().__init__()
        if in_features % heads != 0:
            raise ValueError("heads must divide in_features")
        self.heads = heads
        self.dropout = dropout
        self.q_proj = nn.Linear(in_features, in_features)
        self.k_proj = nn.Linear(in_features, in_features)
        self.v_proj = nn.Linear(in_features, in_features)
        self.o_proj = nn.Linear(in_features, in_features)
        self.sequence_reduction: nn.Module = nn.Identity()
        if reduction > 1:
            self.sequence_reduction = SequenceReduction(in_features, reduction)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_features] -> [N, H, W, in_features]"""
        N, H, W, C = x.shape
        source = self.sequence_reduction(x)
        q, k, v = (
            by_heads(self.q_proj(x), self.heads),
            by_heads(self.k_proj(source), self.heads),
            by_heads(self.v_proj(source), self.heads),
        )
        x = F.scaled_dot_product_attention(
            q,
            k,
            v,
            dropout_p=self.dropout if self.training else 0.0,
            scale=(C // self.heads) ** -0.5,
        )
        x = self.o_proj(x.transpose(1, 2).reshape(N, H, W, C))
        return x


class DepthWiseConv(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(
            in_channels, in_channels, 3, padding=1, groups=in_channels
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_channels] -> [N, H, W, in_channels]"""
        x = self.dwconv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x


class MixMLP(nn.Module):
    def __init__(self, in_features: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden)
        self.dwconv = DepthWiseConv(hidden)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_features] -> [N, H, W, in_features]"""
        x = self.dropout(F.gelu(self.dwconv(self.fc1(x))))
        x = self.dropout(self.fc2(x))
        return x


class DropPath(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, C] -> [N, H, W, C]"""
        N = x.shape[0]
        if self.training:
            kept = torch.floor(
                torch.rand(N, 1, 1, 1, dtype=x.dtype, device=x.device) + (1 - self.p)
            )
            x = x / (1 - self.p) * kept
        return x


class Layer(nn.Module):
    def __init__(
        self,
        in_features: int,
        heads: int,
        reduction: int,
        ratio: int,
        drop: float,
        dropout: float,
        attention_dropout: float,
    ) -> None:
        super().__init__()
        self.layernorm_before = nn.LayerNorm(in_features)
        self.attention = Attention(in_features, heads, reduction, attention_dropout)
        self.hidden_dropout = nn.Dropout(dropout)
        self.drop_path: nn.Module = DropPath(drop) if drop > 0 else nn.Identity()
        self.layernorm_after = nn.LayerNorm(in_features)
        self.mlp = MixMLP(in_features, ratio * in_features, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_features] -> [N, H, W, in_features]"""
        y = self.attention(self.layernorm_before(x))
        x = self.drop_path(self.hidden_dropout(y)) + x
        x = self.drop_path(self.mlp(self.layernorm_after(x))) + x
        return x


class Stage(nn.Module):
    def __init__(
        self,
        in_channels: int,
        width: int,
        patch: int,
        stride: int,
        heads: int,
        reduction: int,
        ratio: int,
        drops: Sequence[float],
        dropout: float,
        attention_dropout: float,
    ) -> None:
        super().__init__()
        self.patch_embeddings = OverlapPatchEmbeddings(
            in_channels, width, patch, stride
        )
        self.blocks = nn.Sequential(
            *[
                Layer(width, heads, reduction, ratio, drop, dropout, attention_dropout)
                for drop in drops
            ]
        )
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * (patch // 2) - patch) // stride + 1,
            (W + 2 * (patch // 2) - patch) // stride + 1]
        """
        x = self.patch_embeddings(x)
        x = self.blocks(x)
        x = self.layer_norm(x).permute(0, 3, 1, 2).contiguous()
        return x


class SegformerModel(nn.Module):
    def __init__(
        self,
        stages: Sequence[tuple[int, int, int, int, int, int, int]],
        drop: float,
        dropout: float,
        attention_dropout: float,
    ) -> None:
        super().__init__()
        depths = [stage[0] for stage in stages]
        drops = [drop * i / max(sum(depths) - 1, 1) for i in range(sum(depths))]
        parts = [
            drops[sum(depths[:i]) : sum(depths[: i + 1])] for i in range(len(depths))
        ]
        self.stages = nn.Sequential()
        channels = 3
        for (_, width, patch, stride, heads, reduction, ratio), part in zip(
            stages, parts, strict=True
        ):
            self.stages.append(
                Stage(
                    channels,
                    width,
                    patch,
                    stride,
                    heads,
                    reduction,
                    ratio,
                    part,
                    dropout,
                    attention_dropout,
                )
            )
            channels = width
        self.out_channels = channels
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, H, W] -> [N, stages[-1][1], H_out, W_out]"""
        x: Tensor = self.stages(image)
        return x


class SegformerForImageClassification(nn.Module):
    def __init__(
        self,
        classes: int = 2,
        stages: Sequence[tuple[int, int, int, int, int, int, int]] = B0,
        drop: float = 0.1,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.segformer = SegformerModel(stages, drop, dropout, attention_dropout)
        self.classifier = nn.Linear(self.segformer.out_channels, classes)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, H, W] -> [N, classes]"""
        x: Tensor = self.segformer(image)
        x = self.classifier(x.flatten(2).transpose(1, 2).mean(dim=1))
        return x


# netdsl: made from segformer.net
