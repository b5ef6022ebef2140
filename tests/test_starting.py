"""Starting values of parts, ties that depend on a choice, inputs that may be None:
nets beside modules written by hand."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import SEQUENCE, X, same

import netdsl

TOKENS = torch.arange(6).view(2, 3)


class Padded(nn.Module):
    """The row of the padding and the gate of the memory start on their own."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 8, padding_idx=0)
        self.rnn = nn.LSTM(8, 4, batch_first=True)
        nn.init.normal_(self.embed.weight, std=0.5)
        nn.init.zeros_(self.embed.weight[0])
        nn.init.ones_(self.rnn.bias_hh_l0[4:8])

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.rnn(self.embed(x))[0]
        return output


def test_a_part_of_a_parameter_starts_with_its_own_value() -> None:
    text = """\
net A:
    input x: int64[B, T]
    y, _ = x -> embed: Embedding(11, 8, padding_idx=0) -> rnn: LSTM(4, batch_first=True)
    y
    init Embedding.weight = normal(std=0.5)
    init embed.weight[0] = zeros
    init rnn.bias_hh_l0[4:8] = ones
"""
    model = same(text, Padded, TOKENS)
    assert not model.embed.weight[0].any()
    assert model.embed.weight[1].any()


class Inner(nn.Module):
    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.embed(x)
        return output


class Choice(nn.Module):
    def __init__(self, tied: bool) -> None:
        super().__init__()
        self.inner = Inner(11, 8)
        self.head = nn.Linear(8, 11)
        if tied:
            self.head.weight = self.inner.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.inner(x))
        return output


CHOICE = """\
net Inner(words: int, width: int):
    input x: int64[B, T]
    x -> embed: Embedding(words, width)

net A(words: int, width: int, tied: bool):
    input x: int64[B, T]
    x -> inner: Inner(words, width) -> head: Linear(words)
    if tied:
        tie head.weight = inner.embed.weight

expect A(words=11, width=8, tied=False) params == 11 * 8 + 11 * 8 + 11
expect A(words=11, width=8, tied=True) params == 11 * 8 + 11
"""


@pytest.mark.parametrize("tied", [True, False])
def test_a_tie_may_depend_on_a_hyperparameter(tied: bool) -> None:
    hyper = {"words": 11, "width": 8, "tied": tied}
    model = same(CHOICE, lambda: Choice(tied), TOKENS, net="A", hyper=hyper)
    assert (model.head.weight is model.inner.embed.weight) is tied


def test_a_layer_that_only_lends_its_weights_counts() -> None:
    text = """\
net Lent:
    input x: int64[B, T]
    shared: Embedding(11, 8)
    x -> own: Embedding(11, 8) -> head: Linear(2)
    tie own.weight = shared.weight

expect Lent params == 11 * 8 + 8 * 2 + 2
"""
    model = netdsl.loads(text)
    assert sum(p.numel() for p in model.parameters()) == 106
    assert model.own.weight is model.shared.weight


def refused(text: str, code: str) -> Any:
    with pytest.raises(netdsl.CompileError) as caught:
        netdsl.loads(text)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_what_happens_when_a_net_is_built_depends_on_no_run() -> None:
    text = CHOICE.replace("if tied", "if training").replace(", tied: bool", "")
    refused(text.split("expect")[0], "unsupported")
    text = text.replace(
        "tie head.weight = inner.embed.weight", "init head.bias = zeros"
    )
    refused(text.split("expect")[0], "unsupported")


class Conditional(nn.Module):
    """A head that may start as zero, and weights of its own if they are asked for."""

    def __init__(self, fresh: bool, zero: bool, pad: int | None) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 8, padding_idx=pad)
        self.fc = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                if module is self.head and zero:
                    nn.init.zeros_(module.weight)
                elif fresh:
                    nn.init.normal_(module.weight, std=0.1)
            elif isinstance(module, nn.Embedding) and fresh:
                nn.init.normal_(module.weight)
        if fresh and pad is not None:
            nn.init.zeros_(self.embed.weight[pad])

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.fc(self.embed(x)))
        return output


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("pad", [None, 2])
def test_starting_values_may_depend_on_hyperparameters(
    fresh: bool, zero: bool, pad: int | None
) -> None:
    text = """\
net A(fresh: bool, zero: bool, pad: int | None):
    input x: int64[B, T]
    x -> embed: Embedding(11, 8, padding_idx=pad) -> fc: Linear(8) -> head: Linear(3)
    if fresh:
        init Linear.weight = normal(std=0.1)
        init Embedding.weight = normal
        if pad is not None:
            init embed.weight[pad] = zeros
    if zero:
        init head.weight = zeros
"""
    hyper = {"fresh": fresh, "zero": zero, "pad": pad}
    same(text, lambda: Conditional(fresh, zero, pad), TOKENS, hyper=hyper)


def test_either_side_of_a_condition_has_starting_values() -> None:
    text = """\
net A(zero: bool):
    input x: [N, 8]
    x -> fc: Linear(8) -> head: Linear(3)
    if zero:
        init head.weight = zeros
    else:
        init Linear.weight = ones
"""
    one, other = (netdsl.loads(text, zero=zero) for zero in (True, False))
    assert not one.head.weight.any() and one.fc.weight.unique().numel() > 1
    assert (other.head.weight == 1).all() and (other.fc.weight == 1).all()


@pytest.mark.parametrize("kinds", [None, TOKENS % 2])
@pytest.mark.parametrize("mask", [None, torch.ones(2, 4)])
def test_an_optional_input_is_handed_on_and_filled_in(
    kinds: Tensor | None, mask: Tensor | None
) -> None:
    text = """\
net Embed:
    input x: int64[B, T]
    input kinds: int64[B, T] | None = None
    if kinds is None:
        kinds = zeros(B, T, dtype=int64)
    (x -> words: Embedding(11, 8)) + (kinds -> types: Embedding(2, 8))

net A:
    input x: int64[B, T]
    input kinds: int64[B, T] | None = None
    input mask: [B, S] | None = None
    y = (x, kinds) -> embed: Embed
    if mask is not None:
        y = y * (mask -> sum(dim=1) -> view(B, 1, 1)) / S
    return y
"""
    model = netdsl.loads(text)
    plain = model.embed.words(TOKENS)
    types = torch.zeros_like(TOKENS) if kinds is None else kinds
    assert torch.equal(model(TOKENS, kinds, mask), plain + model.embed.types(types))


def test_a_table_uses_the_nets_that_it_holds() -> None:
    text = """\
net Twice:
    input x: [*]
    2.0 * x

let ACTS = {"twice": Twice, "relu": ReLU}

net A(act: str = "twice"):
    input x: [N, 4]
    x -> fc: Linear(4) -> act: ACTS[act]
"""
    assert type(netdsl.loads(text)).__name__ == "A"


def test_a_condition_is_an_argument() -> None:
    text = """\
net A(heads: int):
    input x: [B, T, 8]
    input mask: bool[B, T] | None = None
    y = x -> fc: Linear(8, bias=heads > 2)
    scaled_dot_product_attention(y, y, y, is_causal=mask is None)
"""
    assert netdsl.loads(text, heads=2).fc.bias is None
    assert netdsl.loads(text, heads=3).fc.bias is not None


def test_a_kernel_is_an_int_or_a_pair() -> None:
    text = """\
net Conv(width: int, kernel: int | tuple[int, int]):
    input x: [N, C, H, W]
    x -> conv: Conv2d(width, kernel) -> bn: BatchNorm2d -> max_pool2d(kernel)

net A:
    input x: [N, 3, 30, 30]
    x -> a: Conv(4, 3) -> b: Conv(5, (1, 2)) -> flatten(1) -> fc: Linear(2)
"""
    model = netdsl.loads(text)
    x = torch.randn(2, 3, 30, 30)
    y = F.max_pool2d(model.a.bn(model.a.conv(x)), 3)
    y = F.max_pool2d(model.b.bn(model.b.conv(y)), (1, 2))
    assert model.fc.in_features == y.flatten(1).shape[1]
    assert model(x).shape == (2, 2)


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self = nn.Linear(8, 8)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = None
        if lengths is not None:
            mask = torch.arange(x.shape[1]) < lengths[:, None]
            mask = mask[:, None]
        x = self.self(x)
        return F.scaled_dot_product_attention(x, x, x, mask)


@pytest.mark.parametrize("lengths", [None, torch.tensor([5, 3])])
def test_an_input_that_may_be_none_becomes_a_mask_that_may_be(
    lengths: Tensor | None,
) -> None:
    text = """\
net A:
    input x: [B, T, 8]
    input lengths: int64[B] | None = None
    mask = None
    if lengths is not None:
        mask = (arange(T) < lengths[:, None])[:, None]
    x = x -> self: Linear(8)
    scaled_dot_product_attention(x, x, x, mask)
"""
    same(text, Masked, SEQUENCE, lengths)


def test_a_key_may_be_a_word_of_python() -> None:
    text = (
        'net A:\n    input x: [N, 6]\n    x -> "class": Linear(3) -> self: Linear(2)\n'
    )
    model = netdsl.loads(text)
    assert list(model.state_dict())[::2] == ["class.weight", "self.weight"]
    assert model(X).shape == (4, 2)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.bn(self.conv(x))
        return output


class Zeroed(nn.Module):
    """The last norm of a residual branch starts as nothing, if asked to."""

    def __init__(self, zero: bool, std: float | None) -> None:
        super().__init__()
        self.body = Scaled()
        self.head = nn.Linear(4, 2)
        if zero:
            nn.init.zeros_(self.body.bn.weight)
        else:
            nn.init.ones_(self.body.bn.weight)
        if std is not None:
            nn.init.normal_(self.head.weight, std=std)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.body(x).mean(dim=(2, 3)))
        return output


@pytest.mark.parametrize(("zero", "std"), [(True, None), (False, 0.5)])
def test_a_starting_value_may_depend_on_a_hyperparameter(
    zero: bool, std: float | None
) -> None:
    text = """\
net Scaled:
    input x: [N, 3, H, W]
    x -> conv: Conv2d(4, 3) -> bn: BatchNorm2d

net Zeroed(zero: bool, std: float | None = None):
    input x: [N, 3, H, W]
    x -> body: Scaled -> mean(dim=(2, 3)) -> head: Linear(2)
    if std is not None:
        init head.weight = normal(std=std)
    init body.bn.weight = 0 if zero else 1
"""
    image = torch.randn(2, 3, 8, 8)
    hyper = {"zero": zero, "std": std}
    model = same(text, lambda: Zeroed(zero, std), image, net="Zeroed", hyper=hyper)
    assert bool(model.body.bn.weight.any()) is not zero
    # A tensor of a class that is known needs no loop over all of them.
    python = inspect.getsource(type(model))
    assert "nn.init.constant_(self.body.bn.weight, 0 if zero else 1)" in python
    assert "for name" not in python
