"""What nets are made of: nets as parameters, and layers that a condition chooses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from twins import IMAGE, X, same

import netdsl


def test_arguments_of_a_net_that_is_handed_on_stand_behind_its_sizes() -> None:
    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv2d(3, 8, 3)
            self.b = nn.GroupNorm(4, 8)
            self.c = nn.Conv2d(8, 8, 3)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.c(self.b(self.a(x)))
            return result

    text = """\
net Two(Layer: net, Norm: net):
    input x: [N, 3, H, W]
    x -> a: Layer -> b: Norm -> c: Layer

net two = Two(Conv2d(8, 3), GroupNorm(4))
"""
    same(text, Twin, IMAGE, net="two")


def test_a_net_stands_in_itself_where_it_is_handed_on() -> None:
    class Around(nn.Module):
        def __init__(self, channels: int, width: int, inner: nn.Module) -> None:
            super().__init__()
            self.down = nn.Linear(channels, width)
            self.inner = inner
            self.up = nn.Linear(2 * width, channels)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat((x, self.up(self.inner(self.down(x)))), dim=1)

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(5, 10)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.fc(x)
            return result

    text = """\
net Around(width: int, Inner: net):
    input x: [N, C]
    x -> { skip | down: Linear(width) -> inner: Inner -> up: Linear(C) } -> cat(dim=1)

net Twice:
    input x: [N, C]
    x -> fc: Linear(2 * C)

net two = Around(4, Around(5, Twice))
"""
    ours = netdsl.loads(text, "two", C=6)
    theirs = Around(6, 4, Around(4, 5, Twice()))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert torch.equal(ours(X), theirs(X))


@pytest.mark.parametrize("aux", [False, True])
def test_what_stands_behind_a_static_return_is_made_on_the_other_path(
    aux: bool, tmp_path: Path
) -> None:
    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(6, 3)
            if aux:
                self.side = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            y = self.head(x)
            return (y, self.side(x)) if aux else (y, y)

    text = """\
net A(aux: bool = False):
    input x: [N, 6]
    y = x -> head: Linear(3)
    if not aux:
        return y, y
    z = x -> side: Linear(2)
    return y, z

expect A params == 21
expect A(aux=True) params == 35
"""
    same(text, Twin, X, hyper={"aux": aux})
    path = tmp_path / "a.net"
    path.write_text(text)
    assert netdsl.check(path) == ()


def test_layers_of_one_name_and_two_classes() -> None:
    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(3, 1, 2, stride=2)
            self.mix = nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor, beside: Tensor) -> Tensor:
            result: Tensor = self.mix(torch.cat((beside, self.up(x)), dim=1))
            return result

    text = """\
net Up(smooth: bool = False):
    input x: [N, C, H, W]
    input beside: [N, extra, _, _]
    let width = C if smooth else C // 2
    if smooth:
        x = x -> up: Upsample(scale_factor=2)
    else:
        x = x -> up: ConvTranspose2d(width, 2, stride=2)
    (beside, x) -> cat(dim=1) -> mix: Conv2d(2, 1)
"""
    beside = torch.ones(2, 3, 16, 16)
    same(text, Twin, IMAGE, beside, hyper={"C": 3, "extra": 3})


def test_a_class_for_each_net_if_one_keeps_no_size() -> None:
    text = """\
net Around(Inner: net):
    input x: [N, C]
    x -> inner: Inner -> up: Linear(C)

net Leaf = [Linear(9)]

net leaf = Around(Leaf)
net plain = Around(skip)
net normed = Around(BatchNorm1d)
"""
    for net, width in (("leaf", 9), ("plain", 6), ("normed", 6)):
        model = netdsl.loads(text, net, C=6)
        assert model.get_parameter("up.weight").shape == (6, width)
        assert model(X).shape == X.shape


def test_what_a_file_imports_is_bound_by_what_it_uses_alone(tmp_path: Path) -> None:
    (tmp_path / "blocks.net").write_text("""\
net Thin:
    input x: [N, C]
    x -> fc: Linear(C)

net Wide:
    input x: [N, C]
    x -> fc: Linear(2 * C)

net Stack(Block: net, depth: int) = [Block for _ in range(depth)]

net wide = Stack(Wide, 2)
""")
    path = tmp_path / "model.net"
    path.write_text("""\
from "blocks.net" import Stack, Thin

net Model(depth: int):
    input x: [N, 6]
    x -> stack: Stack(Thin, depth) -> head: Linear(2)
""")
    text = netdsl.compile(path)
    assert "Wide" not in text and "Block: type[Thin]" in text
