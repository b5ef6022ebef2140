import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Embed(nn.Module):
    def __init__(self, vocab: int, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocab, width)
        self.kinds = nn.Embedding(2, width)

    def forward(self, tokens: Tensor, types: Tensor | None = None) -> Tensor:
        """tokens: int64[B, T], types: int64[B, T] | None -> [B, T, width]"""
        B, T = tokens.shape
        if types is None:
            types = torch.zeros(B, T, dtype=torch.int64, device=tokens.device)
        x: Tensor = self.words(tokens) + self.kinds(types)
        return x


class Model(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.width = width
        self.embed = Embed(100, width)

    def forward(
        self, tokens: Tensor, types: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """tokens: int64[B, T], types: int64[B, T] | None, mask: bool[B, S] | None
        -> ([B, T, width], [B, T, width]) or ([B, T, width], bool[B, S, width])
        """
        B = tokens.shape[0]
        x = self.embed(tokens, types)
        if mask is None:
            return x, x
        return x, mask.view(B, mask.shape[1], 1).expand(B, mask.shape[1], self.width)


class Masked(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features)

    def forward(self, mask: Tensor | None, x: Tensor) -> Tensor:
        """mask: bool[B, T] | None, x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, _ = x.shape
        y: Tensor = self.fc(x)
        if mask is not None:
            y = y * mask.view(B, T, 1)
        y = F.scaled_dot_product_attention(
            y, y, y, is_causal=mask is None, dropout_p=0.0 if T > 2 else 0.1
        )
        return y
