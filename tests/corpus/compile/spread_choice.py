from torch import Tensor, nn


class Head(nn.Module):
    def __init__(self, in_features: int, deep: bool, plain: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential()
        if deep:
            self.body.append(nn.Linear(in_features, in_features))
            self.body.append(nn.ReLU())
        if not plain:
            self.body.append(nn.LayerNorm(in_features))
        self.body.append(nn.Linear(in_features, 2))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 2]"""
        x = self.body(x)
        return x
