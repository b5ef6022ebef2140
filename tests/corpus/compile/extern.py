from torch import Tensor, nn
from torchvision.ops import StochasticDepth


class Block(nn.Module):
    def __init__(self, in_features: int, p: float = 0.1) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features)
        self.depth = StochasticDepth(p, "row")

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features]"""
        x = x + self.depth(self.fc(x))
        return x
