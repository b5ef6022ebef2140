"""Image-to-image translation with conditional adversarial networks (Isola et al., 2016), https://arxiv.org/abs/1611.07004"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


def Down(in_channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, width, 4, stride=2, padding=1, bias=False)


def Up(in_channels: int, width: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(in_channels, width, 4, stride=2, padding=1, bias=False)


class Innermost(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.LeakyReLU(0.2, inplace=True),
            Down(in_channels, in_channels),
            nn.ReLU(inplace=True),
            Up(in_channels, in_channels),
            nn.BatchNorm2d(in_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 2 * in_channels, H, W]"""
        y = self.model(x)
        x = torch.cat((x, y), dim=1)
        return x


class Skip(nn.Module):
    """Half the size, what is inside, and twice the size again, beside the input."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        Inner: Callable[..., "Skip | Innermost"],
        dropout: bool = False,
    ) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.LeakyReLU(0.2, inplace=True),
            Down(in_channels, width),
            nn.BatchNorm2d(width),
            Inner(width),
            nn.ReLU(inplace=True),
            Up(2 * width, in_channels),
            nn.BatchNorm2d(in_channels),
        )
        if dropout:
            self.model.append(nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, 2 * in_channels, H, W]"""
        y = self.model(x)
        x = torch.cat((x, y), dim=1)
        return x


class Outermost(nn.Module):
    def __init__(
        self, in_channels: int, width: int, Inner: Callable[..., Skip]
    ) -> None:
        super().__init__()
        self.model = nn.Sequential(
            Down(in_channels, width),
            Inner(width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * width, in_channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, 2 * (H // 2), 2 * (W // 2)]"""
        x = self.model(x)
        return x


class Generator(nn.Module):
    def __init__(self, Inner: Callable[..., Skip], width: int = 64) -> None:
        super().__init__()
        self.model = Outermost(3, width, Inner)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 3, 2 * (H // 2), 2 * (W // 2)]"""
        x = self.model(x)
        return x


def unet_256(dropout: bool = False) -> Generator:
    return Generator(
        partial(
            Skip,
            width=128,
            Inner=partial(
                Skip,
                width=256,
                Inner=partial(
                    Skip,
                    width=512,
                    Inner=partial(
                        Skip,
                        width=512,
                        Inner=partial(
                            Skip,
                            width=512,
                            Inner=partial(
                                Skip, width=512, Inner=Innermost, dropout=dropout
                            ),
                            dropout=dropout,
                        ),
                        dropout=dropout,
                    ),
                ),
            ),
        )
    )


# netdsl: made from pix2pix.net
