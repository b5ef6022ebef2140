"""What a net parameter stands for: one class where one can serve, else one each."""

from __future__ import annotations

import pytest
import torch

import netdsl

BLOCKS = """
net Conv():
    input x: [N, C, H, W]
    x -> conv: Conv2d(C, 3, padding=1)

net Mixer():
    input x: [N, C, H, W]
    x -> { skip | flatten(1) -> fc: Linear(C * H * W) -> view(N, C, H, W) } -> add

net Trunk(Block: net, depth: int) = [Block() for _ in range(depth)]

net Model(Block: net, depth: int = 2, classes: int = 10):
    input x: [N, 3, 8, 8]
    x -> trunk: Trunk(Block, depth) -> flatten(1) -> fc: Linear(classes)

net conv(classes: int = 10) = Model(Conv, 2, classes)
net mixer(classes: int = 10) = Model(Mixer, classes=classes)
"""


def python(tmp_path, text: str) -> str:
    path = tmp_path / "model.net"
    path.write_text(text)
    return netdsl.compile(path)


def test_bindings_that_need_other_sizes_get_a_class_each(tmp_path):
    text = python(tmp_path, BLOCKS)
    assert "class Trunk(" not in text
    assert "class TrunkConv(nn.Sequential)" in text
    assert "class TrunkMixer(nn.Sequential)" in text
    assert "def conv(classes: int = 10) -> ModelConv:" in text
    assert "return ModelMixer(classes=classes)" in text


def test_their_classes_run(tmp_path):
    path = tmp_path / "model.net"
    path.write_text(BLOCKS)
    x = torch.randn(2, 3, 8, 8)
    for name, first in (
        ("conv", "trunk.0.conv.weight"),
        ("mixer", "trunk.0.fc.weight"),
    ):
        model = netdsl.load(path, name, classes=4)
        assert next(iter(model.state_dict())) == first
        assert model(x).shape == (2, 4)


def test_bindings_that_need_the_same_sizes_share_a_class(tmp_path):
    text = python(
        tmp_path,
        """
net Wide(width: int):
    input x: [N, C, H, W]
    x -> conv: Conv2d(width, 3, padding=1)

net Deep(width: int):
    input x: [N, C, H, W]
    x -> a: Conv2d(4 * width, 1) -> b: Conv2d(2 * width, 1)

net Model(Block: net):
    input x: [N, 3, H, W]
    x -> one: Block(8) -> two: Block(16) -> head: Conv2d(2, 1)

net wide = Model(Wide)
net deep = Model(Deep)
""",
    )
    assert text.count("class Model") == 1
    assert "Block: type[Wide | Deep]" in text
    assert "self.two = Block(self.one.out_channels, 16)" in text


@pytest.mark.parametrize("norm", ["skip", "GroupNorm(2)", "BatchNorm2d(eps=0.001)"])
def test_a_torch_layer_can_be_what_a_parameter_stands_for(tmp_path, norm):
    path = tmp_path / "model.net"
    path.write_text(f"""
net Unit(width: int, Norm: net = BatchNorm2d, Act: net = ReLU(inplace=True)) = [
    Conv2d(width, 3, padding=1), Norm, Act]

net Model():
    input x: [N, 3, H, W]
    x -> a: Unit(8) -> b: Unit(6, Norm={norm}) -> c: Unit(4, Act=skip)
""")
    assert netdsl.load(path, "Model")(torch.randn(2, 3, 5, 5)).shape == (2, 4, 5, 5)
