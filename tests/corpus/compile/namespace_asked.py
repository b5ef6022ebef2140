from torch import Tensor, nn


class Thin(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3)
        self.out_channels = width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H - 2, W - 2]"""
        x = self.conv(x)
        return x


class Thick(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 4 * width, 3)
        self.out_channels = 4 * width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 4 * width, H - 2, W - 2]"""
        x = self.conv(x)
        return x


class Enc(nn.Module):
    def __init__(
        self, in_channels: int, Block: type[Thin | Thick], width: int = 4
    ) -> None:
        super().__init__()
        self.block = Block(in_channels, width)
        self.out_channels = self.block.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, out_channels, H - 2, W - 2]"""
        x = self.block(x)
        return x


class A(nn.Module):
    def __init__(self, Block: type[Thin | Thick]) -> None:
        super().__init__()
        encoder = Enc(3, Block)
        self.a = nn.ModuleDict({"encoder": encoder})
        self.a["late"] = nn.Conv2d(encoder.out_channels, 4, 1)
        self.b = nn.Conv2d(4, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 3, H - 2, W - 2]"""
        x = self.b(self.a["late"](self.a["encoder"](x)))
        return x


def thin() -> A:
    return A(Thin)


def thick() -> A:
    return A(Thick)


class Layers(nn.Module):
    def __init__(self, in_features: int, depth: int = 2) -> None:
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "layer": nn.ModuleList(
                    [nn.Linear(in_features, in_features) for _ in range(depth)]
                )
            }
        )
        self.head = nn.Linear(in_features, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_features] -> [N, 3]"""
        for layer in self.transformer["layer"].children():
            x = layer(x)
        x = self.head(x)
        return x
