"""Tensors side by side, and cut apart again, by their first sizes."""

from __future__ import annotations

from math import comb

from netdsl.dims import Dim, Size, floordiv, modulo, show
from netdsl.layers.call import Call
from netdsl.layers.joining import agree, between, given, parts
from netdsl.layers.pointwise import keep
from netdsl.layers.spec import Result, Rule, function
from netdsl.shapes import Tensor, Undecided, fixed, result_dtype


def _raised(tensor: Tensor, rank: int) -> Tensor:
    """Sizes of 1 are added, until there are so many."""
    sizes = tensor.shape.sizes
    if len(sizes) >= rank:
        return tensor
    if rank == 3:
        # As of an image with one channel, which is its last size.
        sizes = {0: (1, 1), 1: (1, *sizes)}.get(len(sizes), sizes)
        return tensor.with_shape(fixed(*sizes, 1))
    return tensor.with_shape(fixed(*(1,) * (rank - len(sizes)), *sizes))


def _along(c: Call, tensors: tuple[Tensor, ...], place: int) -> Tensor:
    """The tensors joined along a size that they have."""
    first = tensors[0].shape
    name = c.declaration.name
    if len({len(t.shape.sizes) for t in tensors}) > 1:
        raise c.refuse(
            f"`{name}` wants tensors with equally many sizes, and is given"
            f" {', '.join(map(str, c.tensors))}"
        )
    agree(c, tensors, f"`{name}` joins {', '.join(map(str, c.tensors))}", place)
    total: Size = 0
    for tensor in tensors:
        total = total + tensor.shape.at(place)
    return Tensor(first.replace(place, total), result_dtype(*tensors))


def _hstack(c: Call) -> Tensor:
    tensors = tuple(_raised(t, 1) for t in given(c))
    return _along(c, tensors, 0 if tensors[0].shape.rank == 1 else 1)


def _vstack(c: Call) -> Tensor:
    return _along(c, tuple(_raised(t, 2) for t in given(c)), 0)


def _dstack(c: Call) -> Tensor:
    return _along(c, tuple(_raised(t, 3) for t in given(c)), 2)


def _column_stack(c: Call) -> Tensor:
    columns = tuple(
        t if len(t.shape.sizes) > 1 else t.with_shape(fixed(t.shape.numel, 1))
        for t in given(c)
    )
    return _along(c, columns, 1)


# -- combinations --------------------------------------------------------------


def _cartesian(c: Call) -> Tensor:
    tensors = given(c)
    count: Size = 1
    for tensor in tensors:
        c.rank(tensor, 1, name="each of its tensors")
        count = count * tensor.shape.at(0)
    dtype = c.same_dtype(*tensors)
    alone = len(tensors) == 1
    return Tensor(fixed(count) if alone else fixed(count, len(tensors)), dtype)


def _combinations(c: Call) -> Tensor:
    c.rank(c.input, 1)
    size = c.facts.normal(c.input.shape.at(0))
    c.at_least("r", least=0)
    width = c.number("r")
    if width == 0:
        return keep(c).with_shape(fixed(0))
    if isinstance(size, Dim):
        if width != 2 or c.known("with_replacement"):
            raise Undecided("r")
        return keep(c).with_shape(fixed(floordiv(size * (size - 1), 2), 2))
    more = width - 1 if c.known("with_replacement") else 0
    return keep(c).with_shape(fixed(comb(size + more, width), width))


# -- cut apart -----------------------------------------------------------------


def _cut(rank: int, place: int) -> Rule:
    def rule(c: Call) -> Result:
        tensor = keep(c)
        name = c.declaration.name
        if len(tensor.shape.sizes) < rank:
            raise c.refuse(f"`{name}` wants at least {rank} sizes, not {tensor}")
        at = 0 if len(tensor.shape.sizes) == 1 else place
        size = tensor.shape.at(at)
        wanted = c.known("indices_or_sections")
        if isinstance(wanted, tuple):
            return parts(tensor, at, between(c, size, wanted))
        c.at_least("indices_or_sections")
        count = c.number("indices_or_sections")
        text = f"`{name}` cuts {show(size)} of {tensor} into {count} equal parts"
        c.equal(modulo(size, count), 0, text)
        return parts(tensor, at, [floordiv(size, count)] * count)

    return rule


for _name, _rule, _doc in (
    ("hstack", _hstack, "Joins along the second size, vectors along their only one."),
    ("vstack", _vstack, "Joins along the first size; vectors are rows."),
    ("dstack", _dstack, "Joins along the third size."),
    ("column_stack", _column_stack, "hstack whose vectors are columns."),
):
    function(f"{_name}(tensors: tensors)", f"torch.{_name}", _rule, _doc)
function(
    "cartesian_prod(*tensors: tensor)",
    "torch.cartesian_prod",
    _cartesian,
    "All choices of one element of each, one a row.",
)
function(
    "combinations(input: tensor, r: int = 2, with_replacement: bool = False)",
    "torch.combinations",
    _combinations,
    "All choices of `r` elements of a vector, one a row.",
)
for _name, _cuts, _doc in (
    ("hsplit", _cut(1, 1), "Cuts the second size, that of vectors, as tensor_split."),
    ("vsplit", _cut(2, 0), "Cuts the first size of matrices, as tensor_split."),
    ("dsplit", _cut(3, 2), "Cuts the third size, as tensor_split."),
):
    function(
        f"{_name}(input: tensor, indices_or_sections: ints)",
        f"torch.{_name}",
        _cuts,
        _doc,
    )
