from torch import Tensor, nn


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def mean_of(x: Tensor, mask: Tensor | None = None) -> Tensor:
    if mask is not None:
        return (x * mask).sum(dim=1) / mask.shape[1]
    return x.mean(dim=1)


class Model(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: [B, in_features], mask: bool[B, in_features] | None -> [B]"""
        y: Tensor = self.fc(masked(x, mask) + masked(x, None))
        y = mean_of(y) + mean_of(y, mask) + mean_of(y, y > 0)
        return y
