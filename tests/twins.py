"""A net beside the `nn.Module` that somebody would write by hand.

Same keys in the same order, same starting values from the same seed, a strict
load, and equal bits while training and not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import netdsl

X = torch.linspace(-2, 2, 24).view(4, 6)
SEQUENCE = torch.linspace(-2, 2, 2 * 5 * 8).view(2, 5, 8)
IMAGE = torch.linspace(-1, 1, 2 * 3 * 8 * 8).view(2, 3, 8, 8)


def same(
    text: str,
    make: Callable[[], nn.Module],
    *inputs: Any,
    net: str | None = None,
    hyper: dict[str, Any] | None = None,
    externs: dict[str, Any] | None = None,
    **keywords: Any,
) -> nn.Module:
    """Loads the net, compares it with its twin, and gives it."""
    torch.manual_seed(0)
    ours = netdsl.loads(text, net, externs=externs, **(hyper or {}))
    torch.manual_seed(0)
    theirs = make()
    mine, wanted = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(wanted)
    assert [n for n, _ in ours.named_parameters()] == [
        n for n, _ in theirs.named_parameters()
    ]
    for name, tensor in wanted.items():
        assert mine[name].dtype == tensor.dtype, name
        assert torch.equal(mine[name], tensor), name
    ours.load_state_dict(wanted, strict=True)
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        torch.manual_seed(1)
        got = ours(*inputs, **keywords)
        torch.manual_seed(1)
        equal(got, theirs(*inputs, **keywords))
    return ours


def equal(got: Any, wanted: Any) -> None:
    assert type(got) is type(wanted)
    if isinstance(wanted, Tensor):
        assert got.dtype == wanted.dtype and torch.equal(got, wanted)
    elif isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for key, value in wanted.items():
            equal(got[key], value)
    elif isinstance(wanted, tuple | list):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            equal(one, other)
    else:
        assert got == wanted
