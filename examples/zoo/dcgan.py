"""Deep convolutional generative adversarial network (Radford et al., 2015), https://arxiv.org/abs/1511.06434"""

from torch import Tensor, nn


def up(in_channels: int, width: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(in_channels, width, 4, stride=2, padding=1, bias=False)


def down(in_channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, width, 4, stride=2, padding=1, bias=False)


class Generator(nn.Module):
    """Makes images from noise, after the example of PyTorch."""

    def __init__(self, latent: int, width: int = 64, out_channels: int = 3) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(latent, 8 * width, 4, bias=False),
            nn.BatchNorm2d(8 * width),
            nn.ReLU(inplace=True),
        )
        channels = 8 * width
        for m in [4, 2, 1]:
            self.main.append(up(channels, m * width))
            self.main.append(nn.BatchNorm2d(m * width))
            self.main.append(nn.ReLU(inplace=True))
            channels = m * width
        self.main.append(up(channels, out_channels))
        self.main.append(nn.Tanh())
        for module in self.modules():
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, noise: Tensor) -> Tensor:
        """noise: [N, latent, 1, 1] -> [N, out_channels, 64, 64]"""
        x: Tensor = self.main(noise)
        return x


class Discriminator(nn.Module):
    """The chance that an image is a real one."""

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__()
        self.main = nn.Sequential(
            down(in_channels, width), nn.LeakyReLU(0.2, inplace=True)
        )
        channels = width
        for m in [2, 4, 8]:
            self.main.append(down(channels, m * width))
            self.main.append(nn.BatchNorm2d(m * width))
            self.main.append(nn.LeakyReLU(0.2, inplace=True))
            channels = m * width
        self.main.append(nn.Conv2d(channels, 1, 4, bias=False))
        self.main.append(nn.Sigmoid())
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, in_channels, 64, 64] -> [N]"""
        x: Tensor = self.main(image)
        x = x.flatten(0)
        return x


# netdsl: made from dcgan.net
