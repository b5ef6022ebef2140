from collections import OrderedDict

from torch import Tensor, nn


class Features(nn.Module):
    def __init__(self, depth: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict([("conv0", nn.Conv2d(3, 64, 7)), ("norm0", nn.BatchNorm2d(64))])
        )
        self.blocks = nn.Sequential()
        for i in range(depth):
            self.blocks.add_module(f"block{i + 1}", nn.Conv2d(64, 64, 1))
        self.tail = nn.ModuleDict({"pool": nn.AdaptiveAvgPool2d(1)})
        self.add_module("0", nn.Linear(64, 4))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 4]"""
        x = self.features(x)
        x = self.blocks(x)
        x = self.get_submodule("0")(self.tail["pool"](x).flatten(1))
        return x
