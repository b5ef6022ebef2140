"""Sizes written as products are the sizes they stand for."""

from __future__ import annotations

from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st

from netdsl import dims
from netdsl.dims import Atom, Dim, FloorDiv, Size, factors

H, W = dims.symbol("H"), dims.symbol("W")


def quotients(name: Dim) -> st.SearchStrategy[Size]:
    """A name after a few strides, as convolutions and pools leave it."""
    steps = st.lists(st.tuples(st.integers(-6, 6), st.integers(1, 4)), max_size=3)

    def walk(steps: list[tuple[int, int]]) -> Size:
        size: Size = name
        for shift, stride in steps:
            size = (size + shift) // stride
        return size

    return steps.map(walk)


def value(size: Size, names: dict[Atom, int]) -> int:
    """The number a size is; its quotients may be ones that nothing normalised."""
    if not isinstance(size, Dim):
        return size
    return sum(
        coefficient * prod(atom_value(a, names) ** power for a, power in monomial)
        for monomial, coefficient in size.terms
    )


def atom_value(atom: Atom, names: dict[Atom, int]) -> int:
    if atom in names:
        return names[atom]
    a, b = (value(p, names) for p in atom.parts())
    return a // b if isinstance(atom, FloorDiv) else a % b


@settings(max_examples=300, deadline=None)
@given(
    quotients(H), quotients(W), st.integers(-4, 64), st.integers(-3, 3),
    st.integers(1, 40), st.integers(1, 40),
)  # fmt: skip
def test_the_product_is_the_size(
    a: Size, b: Size, factor: int, more: int, h: int, w: int
) -> None:
    size = factor * a * b + more
    names: dict[Atom, int] = {x: n for d, n in ((H, h), (W, w)) for x in dims.atoms(d)}
    assert prod(value(f, names) for f in factors(size)) == value(size, names)


def test_a_flattened_image_reads_as_a_product() -> None:
    size = 64 * ((H - 1) // 2 + 1) * ((W - 1) // 2 + 1)
    shown = [dims.show(f) for f in factors(size)]
    assert shown == ["64", "(H + 1) // 2", "(W + 1) // 2"]


def test_a_plain_quotient_is_left_alone() -> None:
    size = (H - 1) // 2 + 1
    assert factors(size) == [size]
