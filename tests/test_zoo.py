"""The zoo against its originals: same keys, strict load, same bits, same start."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from originals import (
    EXAMPLES,
    Original,
    differing,
    key_hash,
    lines_of,
    net_lines,
    parameters,
    same_results,
    shapes,
)
from originals_torchvision import VARIANTS
from reviewing import assert_silent, each_tool
from torchvision import models
from zoo_models import ORIGINALS

import netdsl
from netdsl.files import with_footer

ZOO = sorted((EXAMPLES / "zoo").glob("*.net"))
NAMES = [o.name for o in ORIGINALS]
each = pytest.mark.parametrize("original", ORIGINALS, ids=NAMES)


pytestmark = pytest.mark.usefixtures("one_thread")


@each
def test_it_has_the_keys_of_the_published_model(original: Original) -> None:
    ours, theirs = original.full_pair()
    assert shapes(ours) == shapes(theirs)
    assert parameters(ours) == parameters(theirs)
    assert original.parameters in (None, parameters(ours))
    assert original.keys in (None, len(shapes(ours)))
    assert original.digest in (None, key_hash(ours))


@pytest.mark.parametrize(("file", "name"), VARIANTS, ids=[n for _, n in VARIANTS])
def test_a_variant_has_the_keys_of_the_published_model(file: str, name: str) -> None:
    with torch.device("meta"):
        ours = netdsl.load(EXAMPLES / f"{file}.net", name)
        theirs = models.get_model(name)
    assert shapes(ours) == shapes(theirs)


@each
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_it_gives_the_same_bits(original: Original, training: bool) -> None:
    if training and original.trains is not True:
        pytest.skip(str(original.trains))
    assert same_results(original, training)


@each
def test_it_starts_with_the_same_weights(original: Original) -> None:
    if original.starts is not True:
        pytest.skip(str(original.starts))
    assert differing(*original.pair()) == []


@pytest.mark.parametrize("file", sorted({o.file for o in ORIGINALS}))
def test_it_is_half_as_long_as_the_original(file: str) -> None:
    own = [o for o in ORIGINALS if o.file == file]
    pieces = {id(piece): piece for o in own for piece in o.code}
    count = net_lines(own[0].source.read_text())
    assert count <= lines_of(list(pieces.values())) / 2


@pytest.mark.parametrize("path", ZOO, ids=lambda p: p.stem)
def test_every_file_has_an_original(path: Path) -> None:
    assert f"zoo/{path.stem}" in {o.file for o in ORIGINALS}


@pytest.mark.parametrize("path", ZOO, ids=lambda p: p.stem)
def test_the_python_beside_each_net_is_what_it_compiles_to(path: Path) -> None:
    assert netdsl.check(path) == ()
    expected = with_footer(netdsl.compile(path), path.name)
    assert path.with_suffix(".py").read_text() == expected


@each_tool
def test_a_reviewers_tools_are_silent(command: list[str]) -> None:
    assert_silent(command, ZOO)
