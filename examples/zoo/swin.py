"""Swin transformer (Liu et al., 2021), https://arxiv.org/abs/2103.14030"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def relative_index(window: int) -> Tensor:
    """The row of the bias table for each pair of places in a window."""
    apart = torch.arange(window)[:, None] - torch.arange(window) + window - 1
    return (
        apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]
    ).flatten()


def windows(image: Tensor, window: int) -> Tensor:
    N, H, W, C = image.shape
    x = image.view(N, H // window, window, W // window, window, C)
    x = x.permute(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, window**2, C)


def parts(place: Tensor, window: int, shift: int) -> Tensor:
    """Of each row of a shifted image: 2 if it was moved, 1 if it shares a window with such, else 0."""
    L = place.shape[0]
    return (place >= L - window).long() + (place >= L - shift).long()


class StochasticDepth(nn.Module):
    """Drops whole samples of a batch (Huang et al., 2016), https://arxiv.org/abs/1603.09382"""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, C] -> [N, H, W, C]"""
        N = x.shape[0]
        if self.training and self.p > 0:
            kept = x.new_ones(N, 1, 1, 1).bernoulli(1 - self.p)
            x = x * (kept / (1 - self.p))
        return x


class WindowAttention(nn.Module):
    """Attention within windows of an image, which is moved by `shift` before."""

    relative_position_index: Tensor

    def __init__(self, in_features: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.shift = shift
        self.qkv = nn.Linear(in_features, 3 * in_features)
        self.proj = nn.Linear(in_features, in_features)
        self.relative_position_bias_table = nn.Parameter(
            torch.empty((2 * window - 1) ** 2, heads)
        )
        self.register_buffer(
            "relative_position_index", torch.empty(window**4, dtype=torch.int64)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.relative_position_index.copy_(relative_index(self.window))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_features] -> [N, H, W, in_features]"""
        N, H, W, C = x.shape
        height = H + -H % self.window
        width = W + -W % self.window
        down = self.shift if height > self.window else 0
        across = self.shift if width > self.window else 0
        x = F.pad(x, (0, 0, 0, width - W, 0, height - H))
        if down + across > 0:
            x = x.roll((-down, -across), dims=(1, 2))
        y = windows(x, self.window)
        y = self.qkv(y)
        y = y.reshape(-1, self.window**2, 3, self.heads, C // self.heads)
        y = y.permute(2, 0, 3, 1, 4)
        q, k, v = y.unbind(0)
        bias = self.relative_position_bias_table[self.relative_position_index]
        bias = bias.view(self.window**2, self.window**2, self.heads)
        bias = bias.permute(2, 0, 1)
        attn = q * (C // self.heads) ** -0.5 @ k.transpose(-2, -1) + bias
        if down + across > 0:
            rows = parts(torch.arange(height, device=x.device), self.window, down)
            columns = parts(torch.arange(width, device=x.device), self.window, across)
            part = windows((3 * rows[:, None] + columns)[None, :, :, None], self.window)
            mask = -100.0 * (part != part.transpose(1, 2)).to(x.dtype)
            attn = (torch.unflatten(attn, 0, (N, -1)) + mask[:, None]).flatten(0, 1)
        x = self.proj(
            (attn.softmax(dim=-1) @ v).transpose(1, 2).reshape(-1, self.window**2, C)
        )
        x = x.view(
            N, height // self.window, width // self.window, self.window, self.window, C
        )
        x = x.permute(0, 1, 3, 2, 4, 5)
        x = x.reshape(N, height, width, C)
        if down + across > 0:
            x = x.roll((down, across), dims=(1, 2))
        x = x[:, :H, :W]
        return x


class Block(nn.Module):
    def __init__(
        self, in_features: int, heads: int, window: int, shift: int, drop: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(in_features)
        self.attn = WindowAttention(in_features, heads, window, shift)
        self.stochastic_depth = StochasticDepth(drop)
        self.norm2 = nn.LayerNorm(in_features)
        self.mlp = nn.Sequential(
            nn.Linear(in_features, 4 * in_features),
            nn.GELU(),
            nn.Dropout(0.0),
            nn.Linear(4 * in_features, in_features),
            nn.Dropout(0.0),
        )
        for name, parameter in self.named_parameters():
            if fnmatchcase(name, "mlp.*.bias"):
                nn.init.normal_(parameter, std=1e-6)
            elif fnmatchcase(name, "mlp.*.weight"):
                nn.init.xavier_uniform_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, in_features] -> [N, H, W, in_features]"""
        y = self.norm1(x)
        y = self.attn(y)
        x = x + self.stochastic_depth(y)
        x = x + self.stochastic_depth(self.mlp(self.norm2(x)))
        return x


class PatchMerging(nn.Module):
    """Four neighbours become one, of twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, H, W, channels]
        -> [N, (H + H % 2 - 1) // 2 + 1, (W + W % 2 - 1) // 2 + 1, 2 * channels]
        """
        _, H, W, _ = x.shape
        x = F.pad(x, (0, 0, 0, W % 2, 0, H % 2))
        x = torch.cat(
            (x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]),
            dim=-1,
        )
        x = self.reduction(self.norm(x))
        return x


class ChannelsLast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """x: [N, C, H, W] -> [N, H, W, C]"""
        x = x.permute(0, 2, 3, 1)
        return x


class SwinTransformer(nn.Module):
    def __init__(
        self,
        width: int,
        depths: Sequence[int],
        heads: Sequence[int],
        window: int = 7,
        drop: float = 0.1,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(
                nn.Conv2d(3, width, 4, stride=4), ChannelsLast(), nn.LayerNorm(width)
            )
        )
        channels = width
        for i, depth in enumerate(depths):
            self.features.append(
                nn.Sequential(
                    *[
                        Block(
                            channels,
                            heads[i],
                            window,
                            window // 2 * (j % 2),
                            drop * (sum(depths[:i]) + j) / (sum(depths) - 1),
                        )
                        for j in range(depth)
                    ]
                )
            )
            if i < len(depths) - 1:
                self.features.append(PatchMerging(channels))
                channels = 2 * channels
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, num_classes]"""
        x = self.features(x)
        x = self.head(self.norm(x).mean(dim=(1, 2)))
        return x


def swin_t(num_classes: int = 1000) -> SwinTransformer:
    return SwinTransformer(
        96, [2, 2, 6, 2], [3, 6, 12, 24], drop=0.2, num_classes=num_classes
    )


def swin_s(num_classes: int = 1000) -> SwinTransformer:
    return SwinTransformer(
        96, [2, 2, 18, 2], [3, 6, 12, 24], drop=0.3, num_classes=num_classes
    )


def swin_b(num_classes: int = 1000) -> SwinTransformer:
    return SwinTransformer(
        128, [2, 2, 18, 2], [4, 8, 16, 32], drop=0.5, num_classes=num_classes
    )


# netdsl: made from swin.net
