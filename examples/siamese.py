"""Siamese networks for one-shot image recognition (Koch et al., 2015),
https://www.cs.cmu.edu/~rsalakhu/papers/oneshot1.pdf
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Twin(nn.Module):
    """What an image shows, as a vector."""

    def __init__(self, height: int, width: int, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 10)
        self.conv2 = nn.Conv2d(64, 128, 7)
        self.conv3 = nn.Conv2d(128, 128, 4)
        self.conv4 = nn.Conv2d(128, 256, 4)
        self.fc = nn.Linear(256 * ((height - 57) // 8) * ((width - 57) // 8), features)

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 1, height, width] -> [N, features]"""
        x = F.max_pool2d(F.relu(self.conv1(image)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)
        x = F.relu(self.conv4(x)).flatten(1)
        x = torch.sigmoid(self.fc(x))
        return x


class Siamese(nn.Module):
    """How likely it is that two images show the same letter."""

    def __init__(self, features: int = 4096) -> None:
        super().__init__()
        self.twin = Twin(105, 105, features)
        self.fc = nn.Linear(features, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """left: [N, 1, 105, 105], right: [N, 1, 105, 105] -> [N, 1]"""
        distance = torch.abs(self.twin(left) - self.twin(right))
        x = torch.sigmoid(self.fc(distance))
        return x


# netdsl: made from siamese.net
