"""Every example compiles to the Python beside it, which is clean, and runs."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import tutorial_twins as twins
from reviewing import assert_silent, each_tool
from torch import Tensor, nn

import netdsl
from netdsl.files import with_footer

EXAMPLES = Path(__file__).parent.parent / "examples"
SOURCES = sorted(EXAMPLES.glob("*.net"))
NAMES = [s.stem for s in SOURCES]


@cache
def module(name: str) -> ModuleType:
    """The generated file, imported."""
    spec = importlib.util.spec_from_file_location(
        f"example_{name}", EXAMPLES / f"{name}.py"
    )
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


# -- the text --------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_there_is_nothing_to_say(source: Path) -> None:
    assert netdsl.check(source) == ()


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_the_python_beside_it_is_what_it_compiles_to(source: Path) -> None:
    beside = source.with_suffix(".py").read_text()
    assert beside == with_footer(netdsl.compile(source), source.name)


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_it_imports_torch_and_the_standard_library(source: Path) -> None:
    tree = ast.parse(source.with_suffix(".py").read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and node.level == 0
            imported.add(node.module.split(".")[0])
    assert "torch" in imported
    assert imported - {"torch"} <= sys.stdlib_module_names


@each_tool
def test_a_reviewers_tools_are_silent(command: list[str]) -> None:
    assert_silent(command, SOURCES)


# -- the networks of the tutorial ------------------------------------------------------

Make = Callable[[], nn.Module]
TUTORIAL: dict[str, tuple[dict[str, Any], Make, list[tuple[int, ...]]]] = {
    "OneLinear": ({}, twins.OneLinear, [(2, 3)]),
    "TwoLinears": ({}, twins.TwoLinears, [(2, 3)]),
    "MyModel": ({}, twins.MyModel, [(7, 2)]),
    "MyModel2": ({}, twins.MyModel2, [(7, 2)]),
    "Plain": ({"in_features": 6, "classes": 4}, lambda: twins.plain(6, 4), [(5, 6)]),
    "ComplexModel": ({}, twins.ComplexModel, [(4, 10)]),
    "Residual": ({"width": 8}, lambda: twins.Residual(8), [(3, 8)]),
    "TwoHeads": ({"classes": 5}, lambda: twins.TwoHeads(5), [(2, 64), (2, 32)]),
    "Switchable": ({"classes": 3}, lambda: twins.Switchable(3, True), [(4, 8)]),
    "Switchable/plain": (
        {"classes": 3, "norm": False},
        lambda: twins.Switchable(3, False),
        [(4, 8)],
    ),
    "Noisy": ({"std": 0.5}, lambda: twins.Noisy(0.5), [(4, 8)]),
    "Tempered": ({}, twins.Tempered, [(40, 4)]),
    "Tempered/small": ({}, twins.Tempered, [(1, 4)]),
    "Activations": ({}, twins.Activations, [(3, 16)]),
}


def test_every_net_of_the_tutorial_has_a_twin() -> None:
    tree = ast.parse((EXAMPLES / "tutorial.py").read_text())
    classes = {n.name for n in tree.body if isinstance(n, ast.ClassDef)}
    assert classes == {name.partition("/")[0] for name in TUTORIAL}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", TUTORIAL)
def test_the_tutorial_equals_what_is_written_by_hand(name: str, training: bool) -> None:
    arguments, make, shapes = TUTORIAL[name]
    net = getattr(module("tutorial"), name.partition("/")[0])
    ours = seeded(lambda: net(**arguments))
    theirs = seeded(make)
    same_start(ours, theirs)
    inputs = [torch.randn(shape) for shape in shapes]
    same_results(ours, theirs, inputs, training)


def test_a_condition_on_values_takes_both_sides() -> None:
    net = module("tutorial").Tempered()
    nn.init.eye_(net.fc.weight)
    nn.init.zeros_(net.fc.bias)
    small, large = torch.full((1, 4), 0.125), torch.ones(1, 4)
    assert torch.equal(net(small), small)
    assert torch.equal(net(large), large / 2)


def seeded(make: Make) -> nn.Module:
    torch.manual_seed(0)
    return make()


def same_start(ours: nn.Module, theirs: nn.Module) -> None:
    """The same keys in the same order and, from the same seed, the same values."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    for key, value in mine.items():
        assert torch.equal(value, other[key]), key
    theirs.load_state_dict(mine, strict=True)


def same_results(
    ours: nn.Module, theirs: nn.Module, inputs: list[Tensor], training: bool
) -> None:
    results = []
    for net in (ours, theirs):
        net.train(training)
        torch.manual_seed(1)
        results.append(net(*inputs))
    assert_same(*results)


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(ours, tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert torch.equal(ours, theirs)


# -- the small classics ----------------------------------------------------------------


def test_lenet_is_the_paper_s() -> None:
    net = module("lenet").LeNet5()
    assert net(torch.randn(2, 1, 32, 32)).shape == (2, 10)
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in net.children()]
    assert sizes == [156, 0, 2416, 0, 48_120, 10_164, 850]


class Vae(nn.Module):
    """pytorch/examples, vae/main.py, its images kept as images."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h1 = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3)).view_as(x), mu, logvar


def test_the_vae_is_the_one_of_the_pytorch_examples() -> None:
    ours = seeded(lambda: module("vae").VAE(1, 28, 28))
    theirs = seeded(Vae)
    same_start(ours, theirs)
    same_results(ours, theirs, [torch.rand(3, 1, 28, 28)], training=True)


def test_the_vae_takes_images_of_any_size() -> None:
    net = module("vae").VAE(3, 8, 6, hidden=16, latent=5)
    image, mu, _ = net(torch.rand(2, 3, 8, 6))
    assert (image.shape, mu.shape) == ((2, 3, 8, 6), (2, 5))


def test_the_char_rnn_goes_on_where_it_stopped() -> None:
    net = module("lstm").CharRNN(vocab=11, width=6, hidden=8).eval()
    tokens = torch.randint(11, (2, 10))
    scores, (h, c) = net(tokens)
    assert (scores.shape, h.shape, c.shape) == ((2, 10, 11), (2, 2, 8), (2, 2, 8))
    first, state = net(tokens[:, :4])
    second, (h2, c2) = net(tokens[:, 4:], *state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), scores)
    torch.testing.assert_close((h2, c2), (h, c))


def test_the_char_rnn_starts_as_it_says() -> None:
    net = module("lstm").CharRNN(vocab=50)
    for weight in (net.encoder.weight, net.decoder.weight):
        assert 0.09 < weight.abs().max() <= 0.1
    assert not net.decoder.bias.any()


def test_siamese_twins_share_their_weights() -> None:
    net = module("siamese").Siamese(features=32).eval()
    left, right = torch.rand(2, 2, 1, 105, 105)
    assert torch.equal(net(left, right), net(right, left))
    alike = torch.sigmoid(net.fc.bias).expand(2, 1)
    assert torch.equal(net(left, left), alike)
    assert {key.split(".")[0] for key in net.state_dict()} == {"twin", "fc"}
    assert net.twin(left).shape == (2, 32)
