"""Models that make images and scenes, written by hand after their authors."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from originals import Original
from torch import Tensor, nn

# -- DCGAN, as in the examples of PyTorch ----------------------------------------------


def weights_init(m: Any) -> None:
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


class Generator(nn.Module):
    def __init__(self, nz: int = 100, ngf: int = 64, nc: int = 3) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 8),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 8, ngf * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )
        self.apply(weights_init)

    def forward(self, input: Tensor) -> Any:
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self, ndf: int = 64, nc: int = 3) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 4),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 4, ndf * 8, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 8, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )
        self.apply(weights_init)

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = self.main(input)
        return output.view(-1, 1).squeeze(1)


# -- the variational auto-encoder of the same examples ---------------------------------


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z: Tensor) -> Any:
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x: Tensor) -> tuple[Any, Tensor, Tensor]:
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def as_image(module: nn.Module, image: Tensor) -> Any:
    rebuilt, mu, logvar = module(image)
    return rebuilt.view_as(image), mu, logvar


# -- VQ-VAE ----------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(
        self, in_channels: int, num_hiddens: int, num_residual_hiddens: int
    ) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ReLU(True),
            nn.Conv2d(
                in_channels,
                num_residual_hiddens,
                kernel_size=3,
                stride=1,
                padding=1,
                bias=False,
            ),
            nn.ReLU(True),
            nn.Conv2d(
                num_residual_hiddens, num_hiddens, kernel_size=1, stride=1, bias=False
            ),
        )

    def forward(self, x: Tensor) -> Any:
        return x + self.block(x)


class ResidualStack(nn.Module):
    def __init__(
        self, in_channels: int, num_hiddens: int, num_layers: int, num_hidden: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [Residual(in_channels, num_hiddens, num_hidden) for _ in range(num_layers)]
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return F.relu(x)


class Encoder(nn.Module):
    def __init__(
        self, in_channels: int, num_hiddens: int, num_layers: int, num_hidden: int
    ) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(
            in_channels, num_hiddens // 2, kernel_size=4, stride=2, padding=1
        )
        self.conv_2 = nn.Conv2d(
            num_hiddens // 2, num_hiddens, kernel_size=4, stride=2, padding=1
        )
        self.conv_3 = nn.Conv2d(
            num_hiddens, num_hiddens, kernel_size=3, stride=1, padding=1
        )
        self.residual_stack = ResidualStack(
            num_hiddens, num_hiddens, num_layers, num_hidden
        )

    def forward(self, inputs: Tensor) -> Any:
        x = F.relu(self.conv_1(inputs))
        x = F.relu(self.conv_2(x))
        x = self.conv_3(x)
        return self.residual_stack(x)


class Decoder(nn.Module):
    def __init__(
        self,
        in_channels: int,
        num_hiddens: int,
        num_layers: int,
        num_hidden: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(
            in_channels, num_hiddens, kernel_size=3, stride=1, padding=1
        )
        self.residual_stack = ResidualStack(
            num_hiddens, num_hiddens, num_layers, num_hidden
        )
        self.conv_trans_1 = nn.ConvTranspose2d(
            num_hiddens, num_hiddens // 2, kernel_size=4, stride=2, padding=1
        )
        self.conv_trans_2 = nn.ConvTranspose2d(
            num_hiddens // 2, out_channels, kernel_size=4, stride=2, padding=1
        )

    def forward(self, inputs: Tensor) -> Any:
        x = self.conv_1(inputs)
        x = self.residual_stack(x)
        x = F.relu(self.conv_trans_1(x))
        return self.conv_trans_2(x)


class VectorQuantizer(nn.Module):
    def __init__(
        self, num_embeddings: int, embedding_dim: int, commitment_cost: float
    ) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.num_embeddings = num_embeddings
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.embedding.weight.data.uniform_(-1 / num_embeddings, 1 / num_embeddings)
        self.commitment_cost = commitment_cost

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # BCHW -> BHWC, and each vector a row.
        inputs = inputs.permute(0, 2, 3, 1).contiguous()
        flat = inputs.view(-1, self.embedding_dim)
        distances = (
            torch.sum(flat**2, dim=1, keepdim=True)
            + torch.sum(self.embedding.weight**2, dim=1)
            - 2 * torch.matmul(flat, self.embedding.weight.t())
        )
        indices = torch.argmin(distances, dim=1).unsqueeze(1)
        encodings = torch.zeros(indices.shape[0], self.num_embeddings)
        encodings.scatter_(1, indices, 1)
        quantized = torch.matmul(encodings, self.embedding.weight).view(inputs.shape)
        e_latent_loss = F.mse_loss(quantized.detach(), inputs)
        q_latent_loss = F.mse_loss(quantized, inputs.detach())
        loss = q_latent_loss + self.commitment_cost * e_latent_loss
        quantized = inputs + (quantized - inputs).detach()
        avg_probs = torch.mean(encodings, dim=0)
        perplexity = torch.exp(-torch.sum(avg_probs * torch.log(avg_probs + 1e-10)))
        return quantized.permute(0, 3, 1, 2).contiguous(), loss, perplexity


class VQVAE(nn.Module):
    def __init__(
        self,
        channels: int = 3,
        num_hiddens: int = 128,
        num_residual_layers: int = 2,
        num_residual_hiddens: int = 32,
        num_embeddings: int = 512,
        embedding_dim: int = 64,
        commitment_cost: float = 0.25,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(
            channels, num_hiddens, num_residual_layers, num_residual_hiddens
        )
        self.pre_vq_conv = nn.Conv2d(
            num_hiddens, embedding_dim, kernel_size=1, stride=1
        )
        self.vq_vae = VectorQuantizer(num_embeddings, embedding_dim, commitment_cost)
        self.decoder = Decoder(
            embedding_dim,
            num_hiddens,
            num_residual_layers,
            num_residual_hiddens,
            channels,
        )

    def forward(self, x: Tensor) -> tuple[Any, Any, Any]:
        z = self.encoder(x)
        z = self.pre_vq_conv(z)
        quantized, loss, perplexity = self.vq_vae(z)
        return self.decoder(quantized), loss, perplexity


# -- NeRF ------------------------------------------------------------------------------


class Embedder:
    """x, sin(x), cos(x), sin(2 x), cos(2 x), ... up to a power of two."""

    def __init__(self, num_freqs: int) -> None:
        self.freq_bands = 2.0 ** torch.linspace(0.0, num_freqs - 1, steps=num_freqs)

    def embed(self, x: Tensor) -> Tensor:
        parts = [x]
        for freq in self.freq_bands:
            for function in (torch.sin, torch.cos):
                parts.append(function(x * freq))
        return torch.cat(parts, -1)


class NeRF(nn.Module):
    def __init__(
        self,
        D: int = 8,
        W: int = 256,
        input_ch: int = 63,
        input_ch_views: int = 27,
        skips: tuple[int, ...] = (4,),
    ) -> None:
        super().__init__()
        self.skips = skips
        self.pts_linears = nn.ModuleList(
            [nn.Linear(input_ch, W)]
            + [
                nn.Linear(W, W) if i not in skips else nn.Linear(W + input_ch, W)
                for i in range(D - 1)
            ]
        )
        self.views_linears = nn.ModuleList([nn.Linear(input_ch_views + W, W // 2)])
        self.feature_linear = nn.Linear(W, W)
        self.alpha_linear = nn.Linear(W, 1)
        self.rgb_linear = nn.Linear(W // 2, 3)

    def forward(self, input_pts: Tensor, input_views: Tensor) -> Tensor:
        h = input_pts
        for i, linear in enumerate(self.pts_linears):
            h = F.relu(linear(h))
            if i in self.skips:
                h = torch.cat([input_pts, h], -1)
        alpha = self.alpha_linear(h)
        feature = self.feature_linear(h)
        h = torch.cat([feature, input_views], -1)
        for linear in self.views_linears:
            h = F.relu(linear(h))
        rgb = self.rgb_linear(h)
        return torch.cat([rgb, alpha], -1)


def encoded(module: nn.Module, position: Tensor, direction: Tensor) -> Any:
    """The original gets its inputs encoded."""
    return module(Embedder(10).embed(position), Embedder(4).embed(direction))


ORIGINALS = [
    Original(
        "DCGAN generator", "zoo/dcgan", "Generator", Generator,
        lambda: (torch.randn(2, 100, 1, 1),), hyper={"latent": 100},
        code=[Generator, weights_init],
        parameters=3_576_704, keys=25, digest="99c7824223",
    ),
    Original(
        "DCGAN discriminator", "zoo/dcgan", "Discriminator", Discriminator,
        lambda: (torch.randn(2, 3, 64, 64),), hyper={"C": 3},
        code=[Discriminator, weights_init],
        parameters=2_765_568, keys=20, digest="4f9f67a5e2",
    ),
    Original(
        "VAE", "vae", "VAE", VAE, lambda: (torch.rand(2, 1, 28, 28),),
        hyper={"channels": 1, "height": 28, "width": 28}, call=as_image, code=[VAE],
        parameters=652_824, keys=10, digest="89736e9788",
    ),
    Original(
        "VQ-VAE", "zoo/vqvae", "VQVAE", VQVAE, lambda: (torch.randn(2, 3, 32, 32),),
        hyper={"channels": 3},
        code=[Residual, ResidualStack, Encoder, Decoder, VectorQuantizer, VQVAE],
    ),
    Original(
        "NeRF", "zoo/nerf", "NeRF", NeRF,
        lambda: (torch.rand(2, 5, 3), torch.rand(2, 5, 3)), call=encoded,
        code=[Embedder, NeRF, encoded],
        parameters=595_844, keys=24, digest="15823a51c0",
    ),
]  # fmt: skip
