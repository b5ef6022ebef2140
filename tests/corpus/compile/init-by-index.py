from collections import OrderedDict

from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_features, in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, in_features]"""
        x = self.fc(x)
        return x


class Tower(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*[Block(8) for _ in range(depth)])
        self.named = nn.Sequential(
            OrderedDict([("a", nn.Linear(8, 8)), ("1", nn.ReLU()), ("2", Block(8))])
        )
        for name, parameter in self.named_parameters():
            if name == "named.2.fc.bias":
                nn.init.normal_(parameter, std=0.1)
            elif name == "named.a.bias":
                nn.init.ones_(parameter)
            elif name == "layers.0.fc.weight":
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 8]"""
        x = self.named(self.layers(x))
        return x


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4))
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
            if name == "layers.1":
                nn.init.ones_(module.get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 8] -> [N, 4]"""
        x = self.layers(x)
        return x
