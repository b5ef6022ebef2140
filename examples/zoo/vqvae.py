"""Vector-quantised variational autoencoder (van den Oord et al., 2017), https://arxiv.org/abs/1711.00937"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    def __init__(self, in_channels: int, hidden: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels, hidden, 3, padding=1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, in_channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        x = x + self.block(x)
        return x


class ResidualStack(nn.Module):
    def __init__(self, in_channels: int, depth: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *[Residual(in_channels, hidden) for _ in range(depth)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        x = F.relu(self.layers(x))
        return x


class Encoder(nn.Module):
    def __init__(self, in_channels: int, width: int, depth: int, hidden: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(in_channels, width // 2, 4, stride=2, padding=1)
        self.conv_2 = nn.Conv2d(width // 2, width, 4, stride=2, padding=1)
        self.conv_3 = nn.Conv2d(width, width, 3, padding=1)
        self.residual_stack = ResidualStack(width, depth, hidden)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, in_channels, H, W] -> [N, width, H // 4, W // 4]"""
        x: Tensor = F.relu(self.conv_1(image))
        x = F.relu(self.conv_2(x))
        x = self.conv_3(x)
        x = self.residual_stack(x)
        return x


class VectorQuantizer(nn.Module):
    """The nearest code of each vector; its gradient goes straight through to the encoder."""

    def __init__(self, width: int, codes: int, commitment: float) -> None:
        super().__init__()
        self.commitment = commitment
        self.codes = codes
        self.embedding = nn.Embedding(codes, width)
        nn.init.uniform_(self.embedding.weight, -1 / codes, 1 / codes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: [N, width, H, W] -> ([N, width, H, W], [], float32[])"""
        N, width, H, W = x.shape
        x = x.permute(0, 2, 3, 1)
        flat = x.reshape(-1, width)
        distances = (
            (flat**2).sum(dim=1, keepdim=True)
            + (self.embedding.weight**2).sum(dim=1)
            - 2 * flat @ self.embedding.weight.T
        )
        nearest = distances.argmin(dim=1)
        quantized = self.embedding(nearest).view(N, H, W, width)
        loss = F.mse_loss(quantized, x.detach()) + self.commitment * F.mse_loss(
            quantized.detach(), x
        )
        used = F.one_hot(nearest, self.codes).float().mean(dim=0)
        perplexity = torch.exp(-(used * torch.log(used + 1e-10)).sum())
        return (x + (quantized - x).detach()).permute(0, 3, 1, 2), loss, perplexity


class Decoder(nn.Module):
    def __init__(
        self, in_channels: int, width: int, depth: int, hidden: int, channels: int
    ) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(in_channels, width, 3, padding=1)
        self.residual_stack = ResidualStack(width, depth, hidden)
        self.conv_trans_1 = nn.ConvTranspose2d(
            width, width // 2, 4, stride=2, padding=1
        )
        self.conv_trans_2 = nn.ConvTranspose2d(
            width // 2, channels, 4, stride=2, padding=1
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, channels, 4 * H, 4 * W]"""
        x = self.conv_1(x)
        x = self.residual_stack(x)
        x = F.relu(self.conv_trans_1(x))
        x = self.conv_trans_2(x)
        return x


class VQVAE(nn.Module):
    """Gives the image as it is rebuilt, the losses of the codes, and how many codes are in use."""

    def __init__(
        self,
        channels: int,
        width: int = 128,
        depth: int = 2,
        hidden: int = 32,
        codes: int = 512,
        code_width: int = 64,
        commitment: float = 0.25,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(channels, width, depth, hidden)
        self.pre_vq_conv = nn.Conv2d(width, code_width, 1)
        self.vq_vae = VectorQuantizer(code_width, codes, commitment)
        self.decoder = Decoder(code_width, width, depth, hidden, channels)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """image: [N, channels, H, W]
        -> ([N, channels, 4 * (H // 4), 4 * (W // 4)], [], float32[])
        """
        x = self.pre_vq_conv(self.encoder(image))
        x, loss, perplexity = self.vq_vae(x)
        x = self.decoder(x)
        return x, loss, perplexity


# netdsl: made from vqvae.net
