"""Every public name of torch.nn, its functions and its initialisers is declared, or
left out with a reason: a new torch shows here what is missing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.nn import functional, init

from netdsl.elaborate.arithmetic import STATIC_FUNCTIONS
from netdsl.elaborate.starting import INITIALISERS
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.layers.left_out import FUNCTIONS_LEFT_OUT, LAYERS_LEFT_OUT
from netdsl.layers.spec import REQUIRED, Signature

# Where what torch imports for itself comes from.
FOREIGN = ("typing", "torch.overrides", "torch._jit_internal", "torch._C")


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    for name, value in vars(module).items():
        if not name.startswith("_") and not inspect.ismodule(value):
            yield name, value


def classes() -> set[str]:
    return {name for name, value in public(nn) if inspect.isclass(value)}


def functions() -> set[str]:
    return {
        name
        for name, value in public(functional)
        if callable(value)
        and not inspect.isclass(value)
        and getattr(value, "__module__", None) not in FOREIGN
        and name != "assert_int_or_pair"
    }


def initialisers() -> set[str]:
    """Those that end in `_`; torch has the others for what is older than they."""
    own = (n for n, v in public(init) if getattr(v, "__module__", "") == init.__name__)
    return {name for name in own if name.endswith("_")}


def test_every_class_is_declared_or_left_out() -> None:
    assert not LAYERS.keys() & LAYERS_LEFT_OUT.keys()
    assert classes() - LAYERS.keys() - LAYERS_LEFT_OUT.keys() == set()


def test_every_function_is_declared_or_left_out() -> None:
    assert not FUNCTIONS.keys() & FUNCTIONS_LEFT_OUT.keys()
    assert functions() - FUNCTIONS.keys() - FUNCTIONS_LEFT_OUT.keys() == set()


def test_every_initialiser_is_declared() -> None:
    assert {f"{name}_" for name in INITIALISERS} == initialisers()


def test_other_names_of_initialisers_are_older_ones() -> None:
    others = {n for n in init.__all__ if not n.endswith("_")}
    assert {f"{n}_" for n in others - STATIC_FUNCTIONS.keys()} <= initialisers()
    assert "calculate_gain" in STATIC_FUNCTIONS


def test_what_is_left_out_is_torchs() -> None:
    assert LAYERS_LEFT_OUT.keys() <= classes()
    assert all(hasattr(functional, n) or hasattr(torch, n) for n in FUNCTIONS_LEFT_OUT)


# Arguments of torch that a `.net` file can't write: the caller seeds.
CALLERS = {"tensor", "generator"}


@pytest.mark.parametrize("name", INITIALISERS)
def test_signature_of_an_initialiser_is_torchs(name: str) -> None:
    found = inspect.signature(getattr(init, f"{name}_")).parameters.values()
    theirs = [p for p in found if p.name not in CALLERS]
    ours = Signature(INITIALISERS[name]).parameters
    assert [p.name for p in ours] == [p.name for p in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        missing = other.default is inspect.Parameter.empty
        assert mine.default == (REQUIRED if missing else other.default)


def public_target(target: str) -> bool:
    """Whether torch has what a function is written as."""
    if target.startswith("."):
        return hasattr(torch.Tensor, target[1:])
    found: object = {"torch": torch, "F": functional}[target.split(".")[0]]
    for word in target.split(".")[1:]:
        found = getattr(found, word, None)
    return callable(found)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n[0].isalpha()])
def test_every_function_is_torchs(name: str) -> None:
    target = FUNCTIONS[name].target
    assert target in ("+", "*") or public_target(target)
    doc = FUNCTIONS[name].doc
    assert doc.endswith(".") and "\n" not in doc and len(doc) < 88


@pytest.mark.parametrize(
    "name",
    [n for n, d in FUNCTIONS.items() if d.target.startswith("F.")],
)
def test_signature_of_a_function_is_torchs(name: str) -> None:
    """Names, order and defaults, where Python can tell them."""
    target = getattr(functional, FUNCTIONS[name].target[2:])
    try:
        theirs = inspect.signature(target).parameters
    except ValueError:
        pytest.skip("written in C++, which has no signature")
    if {"args", "kwargs"} & theirs.keys():
        pytest.skip("chosen by `return_indices`, which hides the signature")
    ours = FUNCTIONS[name].signature.parameters
    by_position = [p.name for p in ours if not p.keyword]
    assert list(theirs)[: len(by_position)] == by_position
    for mine in ours:
        default = theirs[mine.name].default
        if mine.name == "training":
            continue  # follows the module: torch's one default that is changed
        if mine.name == "dim" and FUNCTIONS[name].name == "softmin":
            continue  # torch guesses it, with a warning
        assert mine.default == (REQUIRED if default is inspect._empty else default)
