from torch import Tensor, nn


class Heads(nn.Module):
    def __init__(self, in_features: int, heads: int) -> None:
        super().__init__()
        d = in_features // heads
        self.d = d
        self.fc = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, in_features]"""
        B, T, _ = x.shape
        x = self.fc(x.view(B, T, -1, self.d).flatten(2))
        return x
