from torch import Tensor, nn


class Plain(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1)
        self.out_channels = width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, H, W]"""
        x = self.conv(x)
        return x


class Wide(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2 * width, 3, padding=1)
        self.out_channels = 2 * width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 2 * width, H, W]"""
        x = self.conv(x)
        return x


class Stage(nn.Sequential):
    def __init__(
        self, in_channels: int, Block: type[Plain | Wide], width: int, depth: int
    ) -> None:
        super().__init__()
        channels = in_channels
        for _ in range(depth):
            block = Block(channels, width)
            self.append(block)
            channels = block.out_channels
        self.out_channels = channels


class Trunk(nn.Module):
    def __init__(self, Block: type[Plain | Wide], depth: int) -> None:
        super().__init__()
        self.first = Stage(3, Block, 8, depth)
        self.second = Stage(self.first.out_channels, Block, 16, depth)
        self.late_channels = self.second.out_channels
        self.early_channels = self.first.out_channels

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: [N, 3, H, W] -> ([N, late_channels, H, W], [N, early_channels, H, W])"""
        early = self.first(x)
        late = self.second(early)
        return late, early


class Two(nn.Module):
    def __init__(
        self, Block: type[Plain | Wide], depth: int, aux: bool = False
    ) -> None:
        super().__init__()
        self.aux = aux
        self.trunk = Trunk(Block, depth)
        self.head = nn.Conv2d(self.trunk.late_channels, 5, 1)
        if aux:
            self.side = nn.Conv2d(self.trunk.early_channels, 5, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """x: [N, 3, H, W] -> {late: [N, 5, H, W]} or {late: [N, 5, H, W], early: [N, 5, H, W]}"""
        late, early = self.trunk(x)
        late = self.head(late)
        if not self.aux:
            return {"late": late}
        return {"late": late, "early": self.side(early)}


def plain(aux: bool = False) -> Two:
    return Two(Plain, 2, aux)


def wide() -> Two:
    return Two(Wide, 1, True)


class AtOnce(nn.Module):
    def __init__(self, doubled: bool = False) -> None:
        super().__init__()
        self.doubled = doubled
        if not doubled:
            self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 4] -> [N, 4]"""
        if self.doubled:
            return x * 2
        x = self.fc(x)
        return x
