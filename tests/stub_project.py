"""A program that uses the nets of a stub: right uses, and wrong ones of each kind."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from netdsl.cli import cli

MODEL = '''"""A model."""

net Block(width: int, stride: int = 1):
    input x: [N, C, H, W]
    x -> conv: Conv2d(width, 3, stride=stride, padding=1) -> relu

net Stem = [first: Conv2d(8, 3), ReLU]

net Pair(classes: int, norm: net = BatchNorm2d(eps=0.001)):
    input image: [N, 3, H, W]
    input mask: bool[N, H, W] | None = None
    param scale: [classes] = ones
    x = image -> stem: Stem -> block: Block(16) -> norm: norm
    y = x -> mean(dim=(2, 3)) -> head: Linear(classes)
    return y * scale, x

net pair10(norm: net = BatchNorm2d) = Pair(10, norm)
'''
RIGHT = """
import torch
from model import Block, Pair, Stem, pair10
from torch import Tensor, nn
from typing import assert_type

block = Block(3, width=8)
assert_type(block(torch.zeros(1, 3, 4, 4)), Tensor)
assert_type(block.conv, nn.Conv2d)
pair = pair10()
assert_type(pair, Pair)
assert_type(pair(torch.zeros(1, 3, 4, 4), mask=None), tuple[Tensor, Tensor])
assert_type(pair.forward(torch.zeros(1, 3, 4, 4)), tuple[Tensor, Tensor])
assert_type(pair.stem, Stem)
assert_type(pair.stem.first, nn.Conv2d)
assert_type(pair.head.weight, Tensor)
assert_type(pair.scale, nn.Parameter)
assert_type(Stem(3)(torch.zeros(1, 3, 4, 4)), Tensor)
assert_type(len(pair.stem), int)
Pair(3, norm=nn.InstanceNorm2d)
pair.to("cpu").eval().state_dict()
"""
WRONG = [
    "Block(3)",
    "Block(3, 'wide')",
    "Block(3, 8, padding=1)",
    "Block(3, 8)(3)",
    "Block(3, 8)(image, image)",
    "Block(3, 8).convolution.stride()",
    "Pair(10)(image).relu()",
    "Pair(10)(image, masks=None)",
    "Pair(10, norm=3)",
    "pair10(classes=3)",
    "Stem()",
    "Stem(3)(x=image)",
]


def write_project(folder: Path) -> Path:
    """A program, the stub of its model, and a line for each wrong use."""
    (folder / "model.net").write_text(MODEL)
    done = CliRunner().invoke(cli, ["stub", str(folder / "model.net")])
    assert done.exit_code == 0, done.output
    (folder / "right.py").write_text(RIGHT.lstrip())
    head = "import torch\nfrom model import Block, Pair, Stem, pair10\n"
    head += "image = torch.zeros(1, 3, 4, 4)\n"
    (folder / "wrong.py").write_text(head + "".join(f"{line}\n" for line in WRONG))
    return folder


def refused(output: str) -> list[str]:
    """The lines of wrong.py for which a checker has an error."""
    lines = [x for x in output.splitlines() if "wrong.py:" in x and "error" in x]
    numbers = {int(x.split("wrong.py:")[1].split(":")[0]) for x in lines}
    return [WRONG[n - 4] for n in sorted(numbers)]
