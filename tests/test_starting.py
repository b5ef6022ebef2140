"""Starting values of parts, ties that depend on a choice, inputs that may be None:
nets beside modules written by hand."""

from __future__ import annotations

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
    text = CHOICE.replace("tie head.weight = inner.embed", "init head")
    refused(
        text.replace(".weight\n", ".bias = zeros\n").split("expect")[0], "unsupported"
    )


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
