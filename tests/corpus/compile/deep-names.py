import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Model(nn.Module):
    def __init__(self, in_features: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.body = nn.ModuleDict(
            {
                "attention": nn.ModuleDict(
                    {
                        "query": nn.Linear(in_features, in_features),
                        "key": nn.Linear(in_features, in_features),
                    }
                ),
                "output": nn.ModuleDict({"dense": nn.Linear(in_features, in_features)}),
            }
        )
        self.body["attention"].add_module("late", nn.Linear(in_features, in_features))
        self.transformer = nn.ModuleDict(
            {
                "h": nn.ModuleList(
                    [nn.Linear(in_features, in_features) for _ in range(depth)]
                ),
                "ln": nn.LayerNorm(in_features),
            }
        )
        self.head = nn.Sequential(
            nn.Linear(in_features, in_features), nn.ReLU(), nn.Linear(in_features, 4)
        )
        nn.init.zeros_(self.get_parameter("body.output.dense.bias"))
        nn.init.zeros_(self.get_parameter("head.2.weight"))

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, T, in_features] -> [B, T, 4]"""
        x = self.get_submodule("body.output.dense")(
            self.get_submodule("body.attention.key")(
                self.get_submodule("body.attention.query")(x)
            )
        )
        x = self.get_submodule("body.attention.late")(x)
        for layer in self.transformer["h"].children():
            x = F.relu(layer(x))
        x = self.transformer["ln"](self.get_submodule("transformer.h.0")(x))
        for i in range(self.depth):
            x = self.get_submodule(f"transformer.h.{i}")(x)
        x = self.head(x)
        return x


class Encoder(nn.Module):
    def __init__(self, in_channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.body = nn.Sequential()
        channels = in_channels
        for i in range(depth):
            self.body.append(nn.Conv2d(channels, width * (i + 1), 3))
            channels = width * (i + 1)
        self.out_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, depth * width, H - 2 * depth, W - 2 * depth]"""
        x = self.body(x)
        return x


class Asked(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        encoder = Encoder(3, 4, depth)
        self.a = nn.ModuleDict({"encoder": encoder})
        self.a["norm"] = nn.GroupNorm(1, encoder.out_channels)
        encoder_layers = Encoder(3, 8, depth)
        self.b = nn.ModuleDict({"encoder": encoder_layers})
        self.norm = nn.GroupNorm(1, encoder_layers.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, out_channels, H - 2 * depth, W - 2 * depth]"""
        x = torch.cat(
            (self.a["norm"](self.a["encoder"](x)), self.norm(self.b["encoder"](x))),
            dim=1,
        )
        return x
