"""Elements put in by index or by mask, and places looked up."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, maximum, minimum
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep, not_bool
from netdsl.layers.rearranging import diagonal_shape
from netdsl.layers.selecting import slices, without_picked
from netdsl.layers.spec import function
from netdsl.shapes import Refusal, Shape, Tensor, Undecided, fixed

# -- slices along a size -------------------------------------------------------


def _index_copy(c: Call) -> Tensor:
    c.integer(c.index, name="its index")
    return slices(c)


def _index_fill(c: Call) -> Tensor:
    tensor, index = keep(c), c.index
    c.axis(tensor)
    c.integer(index, name="its index")
    c.rank(index, 0, 1, name="its index")
    if isinstance(c.value, Tensor):
        c.rank(c.value, 0, name="`value`")
    return tensor


def _select_scatter(c: Call) -> Tensor:
    _replaces(c, without_picked(c))
    return keep(c)


def _replaces(c: Call, wanted: Shape) -> None:
    """States that `src` has the shape of what it replaces."""
    text = f"`{c.declaration.name}` replaces {wanted} by {c.src}"
    if len(c.src.shape.sizes) != len(wanted.sizes):
        raise c.refuse(text)
    for a, b in zip(c.src.shape.sizes, wanted.sizes, strict=True):
        c.equal(a, b, text)


def _slice_scatter(c: Call) -> Tensor:
    tensor = keep(c)
    place = c.axis(tensor)
    size = tensor.shape.at(place)
    c.at_least("step")
    start = _end(c, c.known("start"), size, 0)
    end = _end(c, c.known("end"), size, size)
    span = maximum(end - start, 0)
    count = floordiv(span + c.known("step") - 1, c.step)
    _replaces(c, tensor.shape.replace(place, count))
    return tensor


def _end(c: Call, at: Size | None, size: Size, default: Size) -> Size:
    """An end of a slice, counted from the front and within the size."""
    if at is None:
        return default
    negative = c.facts.decide(Comparison("<", at, 0))
    if negative is None:
        raise Undecided("start")
    return maximum(at + size, 0) if negative else minimum(at, size)


def _diagonal_scatter(c: Call) -> Tensor:
    _replaces(c, diagonal_shape(c).shape)
    return keep(c)


# -- any elements --------------------------------------------------------------


def _masked_scatter(c: Call) -> Tensor:
    if c.mask.dtype not in ("bool", "any"):
        raise Refusal(
            "wrong-dtype",
            f"`masked_scatter` wants its mask to be bool, and {c.mask} is"
            f" {c.mask.dtype}",
            "not a mask",
            "compare it with something, as in `mask == 0`",
        )
    c.same_dtype(c.input, c.source)
    return Tensor(c.broadcast(c.input, c.mask).shape, c.input.dtype)


def _index_put(c: Call) -> Tensor:
    tensor = keep(c)
    sizes, indices = tensor.shape.sizes, c.indices
    if not indices or len(indices) > len(sizes):
        raise c.refuse(
            f"`index_put` has {len(indices)} indices for the {len(sizes)} sizes of"
            f" {tensor}"
        )
    shape = fixed()
    for index in indices:
        c.integer(index, "int64", "int32", name="each index")
        shape = c.broadcast_shapes(shape, index.shape)
    c.same_dtype(tensor, c.values["values"])
    _spreads(c, c.values["values"], Shape((*shape.sizes, *sizes[len(indices) :])))
    return tensor


def _spreads(c: Call, tensor: Tensor, wanted: Shape) -> None:
    """States that a tensor broadcasts to a shape."""
    text = f"`{c.declaration.name}` puts {tensor} in places of {wanted}"
    given = tensor.shape.sizes
    if len(given) > len(wanted.sizes):
        raise c.refuse(text)
    for a, b in zip(reversed(given), reversed(wanted.sizes), strict=False):
        if a != 1:
            c.equal(a, b, text)


def _take(c: Call) -> Tensor:
    c.integer(c.index, name="its index")
    return keep(c).with_shape(c.index.shape)


def _put(c: Call) -> Tensor:
    c.integer(c.index, name="its index")
    c.same_dtype(c.input, c.source)
    c.equal(
        c.index.shape.numel,
        c.source.shape.numel,
        f"`put` has {c.index} places for {c.source}",
    )
    return keep(c)


# -- looking up ----------------------------------------------------------------


def _found(c: Call, shape: Shape) -> Tensor:
    return Tensor(shape, "int32" if c.known("out_int32") else "int64")


def _searchsorted(c: Call) -> Tensor:
    ordered: Tensor = c.sorted_sequence
    if c.right is True and c.side == "left":
        raise c.bad("side", "`side` and `right` of `searchsorted` differ")
    if not isinstance(c.input, Tensor):
        c.rank(ordered, 1, name="`sorted_sequence`")
        return _found(c, fixed())
    c.same_dtype(ordered, c.input)
    if not ordered.shape.sizes:
        raise c.refuse(f"`searchsorted` looks up in vectors, not in {ordered}")
    if ordered.shape.rank != 1:
        lead, wanted = ordered.shape.without(-1), c.input.shape
        text = f"`searchsorted` looks up {c.input} in {ordered}"
        if len(wanted.sizes) != len(lead.sizes) + 1:
            raise c.refuse(text)
        for a, b in zip(lead.sizes, wanted.sizes, strict=False):
            c.equal(a, b, text)
    return _found(c, c.input.shape)


def _bucketize(c: Call) -> Tensor:
    c.rank(c.boundaries, 1, name="`boundaries`")
    return _found(c, c.input.shape)


def _isin(c: Call) -> Tensor:
    for tensor in (c.elements, c.test_elements):
        if isinstance(tensor, Tensor):
            not_bool(c, tensor)
    return Tensor(c.elements.shape, "bool")


def _msort(c: Call) -> Tensor:
    return keep(c)


def _nonzero_static(c: Call) -> Tensor:
    c.at_least("size", least=0)
    return Tensor(fixed(c.known("size"), len(c.input.shape.sizes)), "int64")


_AT = "input: tensor, dim: int, index: tensor"
for _declaration, _rule, _doc in (
    (
        f"index_copy({_AT}, source: tensor)",
        _index_copy,
        "The input with slices of `source` put in along `dim`.",
    ),
    (
        f"index_fill({_AT}, value: number)",
        _index_fill,
        "The input with one value in slices along `dim`.",
    ),
    (
        "index_put(input: tensor, indices: tensors, values: tensor,"
        " accumulate: bool = False)",
        _index_put,
        "The input with `values` at the places that indices, one a size, name.",
    ),
    (
        "masked_scatter(input: tensor, mask: tensor, source: tensor)",
        _masked_scatter,
        "The input with elements of `source`, in order, where the mask is True.",
    ),
    (
        "put(input: tensor, index: tensor, source: tensor, accumulate: bool = False)",
        _put,
        "The input with elements of `source` at places of the flat tensor.",
    ),
):
    function(_declaration, f".{_declaration.split('(')[0]}", _rule, _doc)
_WHERE = "*, out_int32: bool = False, right: bool = False"
for _declaration, _rule, _doc in (
    (
        "take(input: tensor, index: tensor)",
        _take,
        "Picks elements of the flat tensor.",
    ),
    (
        "select_scatter(input: tensor, src: tensor, dim: int, index: int)",
        _select_scatter,
        "The input with `src` for the slice at an index.",
    ),
    (
        "slice_scatter(input: tensor, src: tensor, dim: int = 0, start: int? = None,"
        " end: int? = None, step: int = 1)",
        _slice_scatter,
        "The input with `src` for a part of a size.",
    ),
    (
        "diagonal_scatter(input: tensor, src: tensor, offset: int = 0, dim1: int = 0,"
        " dim2: int = 1)",
        _diagonal_scatter,
        "The input with `src` for a diagonal.",
    ),
    (
        f"searchsorted(sorted_sequence: tensor, input: number, {_WHERE},"
        ' side: "left" "right" ? = None)',
        _searchsorted,
        "Where each number would stand in vectors that are in order.",
    ),
    (
        f"bucketize(input: tensor, boundaries: tensor, {_WHERE})",
        _bucketize,
        "Between which of the boundaries each number lies.",
    ),
    (
        "isin(elements: tensor, test_elements: number, *, assume_unique: bool = False,"
        " invert: bool = False)",
        _isin,
        "Which of the elements are among the others.",
    ),
    ("msort(input: tensor)", _msort, "Values in order along the first size."),
    (
        "nonzero_static(input: tensor, *, size: int, fill_value: int = -1)",
        _nonzero_static,
        "The places of the first `size` elements that are not 0, one a row.",
    ),
):
    function(_declaration, f"torch.{_declaration.split('(')[0]}", _rule, _doc)
