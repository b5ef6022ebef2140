from torch import Tensor, nn


class Layer(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(in_features, heads, batch_first=True)
        self.norm = nn.LayerNorm(in_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[T, T] | None -> [B, T, in_features]"""
        y, _ = self.attn(x, x, x, attn_mask=mask)
        x = self.norm(x + y)
        return x


class Encoder(nn.Module):
    def __init__(self, in_features: int, depth: int, heads: int = 4) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(in_features, heads) for _ in range(depth)])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, T, in_features], mask: bool[T, T] | None -> [B, T, in_features]"""
        for layer in self.layers:
            x = layer(x, mask)
        return x
