"""The nets that the tests of the library load."""

from __future__ import annotations

import torch
from torch import nn

import netdsl

BASICS = """\
net Head(classes: int = 10, hidden: list[int] = [8]):
    input x: [N, C, H, W]
    x -> flatten(1) -> body: [Linear(h) for h in hidden] -> fc: Linear(classes)
"""

PYRAMID = """\
net Block(width: int, stride: int = 1):
    input x: [N, C, H, W]
    x -> { conv: Conv2d(width, 3, stride=stride, padding=1) -> bn: BatchNorm2d
           -> relu: ReLU
         | down: Conv2d(width, 1, stride=stride) if stride != 1 or C != width else skip
         } -> add -> relu

net Pyramid(widths: list[int] = [4, 8], classes: int = 3):
    input x: [N, 3, H, W]
    x -> stem: Conv2d(4, 3, padding=1)
      -> layers: [Block(w, stride=2) for w in widths]
      -> pool: AdaptiveAvgPool2d(1) -> flatten(1) -> fc: Linear(classes)

net wide(classes: int = 3) = Pyramid([8, 16], classes)
net narrow(classes: int = 3) = Pyramid([2, 4], classes)
"""

OWN = """\
net Own(width: int = 4):
    input x: [N, 8]
    param scale: [8] = ones
    param offset: [8] = uniform(-1.0, 1.0)
    buffer steps: [8] = arange(8) / 8
    buffer scratch: [8] = 2.0, persistent=False
    x * scale + offset + steps * scratch -> fc: Linear(width)
"""


def pyramid() -> nn.Module:
    return netdsl.loads(PYRAMID, "Pyramid").eval()


IMAGE = torch.linspace(-1, 1, 2 * 3 * 16 * 16).view(2, 3, 16, 16)
