"""Auto-encoding variational Bayes (Kingma and Welling, 2013), https://arxiv.org/abs/1312.6114"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def reparameterize(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)


class VAE(nn.Module):
    """Gives the image as it is understood, and where in the latent space it lies."""

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        hidden: int = 400,
        latent: int = 20,
    ) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels * height * width, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, channels * height * width)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """image: [N, channels, height, width]
        -> ([N, channels, height, width], [N, latent], [N, latent])
        """
        N, channels, height, width = image.shape
        x = F.relu(self.fc1(image.flatten(1)))
        mu, logvar = self.fc21(x), self.fc22(x)
        z = reparameterize(mu, logvar)
        z = F.relu(self.fc3(z))
        z = torch.sigmoid(self.fc4(z))
        image = z.view(N, channels, height, width)
        return image, mu, logvar


# netdsl: made from vae.net
