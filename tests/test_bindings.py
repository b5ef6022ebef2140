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


NAMED = """
net Deep(width: int, depth: int):
    input x: [N, C]
    x -> fcs: [Linear(width) for _ in range(depth)] -> fc: Linear(width)

net Deeper(depth: int):
    input x: [N, C]
    x -> fcs: [Linear(16) for _ in range(depth)]

net Wide(times: int):
    input x: [N, C]
    x -> wide: Linear(16 * times) -> fc: Linear(16)

net Two(Layer: net):
    input x: [N, C]
    x -> a: Layer(3) -> b: Layer(4)

net Outer(Layer: net):
    input x: [N, C]
    x -> two: Two(Layer(16))

net two = Two(Deep(16))
net outer = Outer(Deep)
net deeper = Two(Deeper)
"""


def run_all(tmp_path, text: str, names: list[str]) -> None:
    path = tmp_path / "model.net"
    path.write_text(text)
    x = torch.randn(2, 5)
    for name in names:
        assert netdsl.load(path, name, C=5)(x).shape == (2, 16)


def test_arguments_behind_those_of_a_binding_go_by_name(tmp_path):
    text = python(tmp_path, NAMED)
    assert "self.a = Layer(in_features, depth=3)" in text
    assert "return Two(in_features, partial(Deep, width=16))" in text
    assert "self.two = Two(in_features, partial(Layer, width=16))" in text
    run_all(tmp_path, NAMED, ["two", "outer", "deeper"])


def test_bindings_that_name_an_argument_differently_get_a_class_each(tmp_path):
    unlike = NAMED + "net wide = Two(Wide)\n"
    text = python(tmp_path, unlike)
    assert "class Two(" not in text and "class Outer(" not in text
    assert "self.a = Deep(in_features, 16, 3)" in text
    assert "self.a = Wide(in_features, 3)" in text
    run_all(tmp_path, unlike, ["two", "outer", "deeper", "wide"])
