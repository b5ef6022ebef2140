"""Brackets on tensors, compared with torch, and over names."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_function_rules import Names, real, unstarred

from netdsl.dims import Size, symbol
from netdsl.facts import Comparison, Facts
from netdsl.layers.call import Call
from netdsl.layers.indexing import index_shape
from netdsl.layers.spec import FUNCTIONS
from netdsl.shapes import Refusal, Shape, Tensor, fixed

B, T, D = symbol("B"), symbol("T"), symbol("D")
X = Tensor(fixed(B, T, D))

bounds = st.one_of(st.none(), st.integers(-7, 7))
slices = st.builds(slice, bounds, bounds, st.sampled_from((None, 1, 2, 3, 0, -1)))
indices = st.builds(
    Tensor,
    st.sampled_from((fixed(), fixed(3), fixed(2, 3), fixed(1), fixed(4))),
    st.sampled_from(("int64", "int64", "int32", "bool", "float")),
)
plain = st.one_of(st.integers(-5, 5), slices, slices, st.none(), st.just(slice(None)))
items = st.lists(
    st.one_of(plain, plain, st.just(Ellipsis), indices), min_size=1, max_size=4
).map(tuple)
shapes = st.lists(st.sampled_from((1, 2, 3, 5)), max_size=4)


def call(facts: Facts | None = None) -> Call:
    return Call(FUNCTIONS["narrow"], {}, facts or Facts())


def ours(tensor: Tensor, items: tuple[Any, ...]) -> Tensor | Refusal:
    try:
        return index_shape(call(), tensor, items)
    except Refusal as refusal:
        return refusal


def theirs(shape: tuple[int, ...], items: tuple[Any, ...]) -> Shape | Exception:
    try:
        return fixed(*torch.zeros(shape)[real(items)].shape)
    except (IndexError, ValueError, TypeError, RuntimeError) as error:
        return error


def masked(items: tuple[Any, ...]) -> bool:
    return any(isinstance(i, Tensor) and i.dtype == "bool" for i in items)


@settings(max_examples=600, deadline=None, database=None, derandomize=True)
@given(shapes, items)
def test_as_torch(sizes: list[int], items: tuple[Any, ...]) -> None:
    mine, other = ours(Tensor(fixed(*sizes)), items), theirs(tuple(sizes), items)
    if isinstance(mine, Refusal):
        stricter = masked(items) or sum(i is Ellipsis for i in items) > 1
        assert isinstance(other, Exception) or stricter, (mine.text, other)
        return
    assert mine.shape == other
    for i in range(len(sizes) + 1):
        starred = Tensor(Shape((), "S", tuple(sizes[i:])))
        again = ours(starred, items)
        if isinstance(again, Refusal):
            assert again.code == "unknown-rank"
        elif again.shape.star is not None:
            assert unstarred(again, tuple(sizes[:i])) == mine


@settings(max_examples=600, deadline=None, database=None, derandomize=True)
@given(shapes, items, st.booleans())
def test_names(sizes: list[int], items: tuple[Any, ...], distinct: bool) -> None:
    tensor = Tensor(fixed(*sizes))
    expected, names = ours(tensor, items), Names(distinct)
    c = call()
    try:
        result = index_shape(c, names.into(tensor), items)
    except Refusal:
        assert isinstance(expected, Refusal)
        return
    # Beyond a size a slice is clamped: names take it to lie inside.
    if names.hold(c):
        assert names.back(result) == expected


@pytest.mark.parametrize(
    ("items", "sizes", "conditions"),
    [
        ((slice(None), 0), (B, D), []),
        ((slice(None), -1), (B, D), []),
        ((slice(None), None), (B, 1, T, D), []),
        ((Ellipsis, None), (B, T, D, 1), []),
        ((Ellipsis, slice(None, None, 2)), (B, T, (D + 1) // 2), []),
        ((Ellipsis, slice(D // 2, None)), (B, T, D - D // 2), []),
        ((Ellipsis, slice(None, D // 2)), (B, T, D // 2), []),
        ((Ellipsis, slice(None, -1)), (B, T, D - 1), []),
        ((slice(None), slice(1, None)), (B, T - 1, D), []),
        ((slice(None), slice(None, 5)), (B, 5, D), ["5 <= T"]),
        ((slice(None), slice(None, B)), (B, B, D), ["B <= T"]),
        ((slice(None), slice(-3, None)), (B, 3, D), ["T - 3 >= 0"]),
        ((Tensor(fixed(4, 2), "int64"),), (4, 2, T, D), []),
        ((slice(None), Tensor(fixed(B, 7), "int64")), (B, B, 7, D), []),
        ((slice(None), 4), (B, D), ["4 < T"]),
    ],
)
def test_over_names(
    items: tuple[Any, ...], sizes: tuple[Size, ...], conditions: list[str]
) -> None:
    c = call()
    assert index_shape(c, X, items).shape == fixed(*sizes)
    assert [str(condition) for condition, _ in c.conditions] == conditions


def test_what_a_path_knows_is_no_condition() -> None:
    c = call(Facts().assume(Comparison("<=", B, T)))
    index_shape(c, X, (slice(None), slice(None, B)))
    assert c.conditions == []


def test_a_mask_is_refused() -> None:
    refusal = ours(X, (Tensor(fixed(B, T), "bool"),))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "data-dependent"
