"""Elements picked out or put in by index, and by order."""

from __future__ import annotations

from netdsl.dims import show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep, not_bool
from netdsl.layers.spec import Result, function
from netdsl.shapes import Refusal, Shape, Tensor, fixed

INDEX_REDUCTIONS = '"prod" "mean" "amax" "amin"'
REDUCTIONS = f'"sum" {INDEX_REDUCTIONS}'


def without_picked(c: Call) -> Shape:
    """The shape of the slice at `index` of a size."""
    tensor = keep(c)
    place = c.axis(tensor)
    size = tensor.shape.at(place)
    text = f"there is no index {show(c.known('index'))} in size {c.dim} of {tensor}"
    c.require(Comparison("<", c.index, size), text)
    c.require(Comparison(">=", c.index, -size), text)
    return tensor.shape.without(place)


def _select(c: Call) -> Tensor:
    return keep(c).with_shape(without_picked(c))


def _narrow(c: Call) -> Tensor:
    tensor = keep(c)
    place = c.axis(tensor)
    size = tensor.shape.at(place)
    start, length = c.known("start"), c.known("length")
    if c.facts.decide(Comparison("<", start, 0)):
        start = start + size
    text = (
        f"`narrow` takes {show(length)} from {show(start)} on, of size {show(size)}"
        f" of {tensor}"
    )
    c.require(Comparison(">=", start, 0), text)
    c.require(Comparison(">=", length, 0), text)
    c.require(Comparison("<=", start + length, size), text)
    return tensor.with_shape(tensor.shape.replace(place, length))


def _inside(c: Call, inner: Tensor, outer: Tensor, skip: int | None) -> None:
    """States that an index stays within a tensor, but along one size."""
    # As in torch, a single number counts as a vector of one.
    one, two = inner.shape.sizes or (1,), outer.shape.sizes or (1,)
    if len(one) != len(two):
        raise c.refuse(
            f"`{c.declaration.name}` wants equally many sizes, not {inner} and {outer}",
            f"{inner} and {outer}",
        )
    for i, (small, large) in enumerate(zip(one, two, strict=True)):
        if i != skip:
            c.require(
                Comparison("<=", small, large),
                f"`{c.declaration.name}`: {inner} does not fit into {outer}: size {i}"
                f" is {show(small)} and {show(large)}",
            )


def _gather(c: Call) -> Tensor:
    c.integer(c.index, "int64", "int32", name="its index")
    c.input.shape.sizes  # noqa: B018  the index says the shape, so the rank counts
    _inside(c, c.index, c.input, c.axis(c.input))
    return keep(c).with_shape(c.index.shape)


def scatter(c: Call) -> Tensor:
    c.integer(c.index, "int64", "int32", name="its index")
    place = c.axis(c.input)
    _inside(c, c.index, c.input, place)
    source = c.src
    if isinstance(source, Tensor):
        _inside(c, c.index, source, None)
        c.same_dtype(c.input, source)
    return keep(c)


def _scatter_reduce(c: Call) -> Tensor:
    if c.known("reduce") == "mean":
        not_bool(c)
    return scatter(c)


def _vector(c: Call) -> Tensor:
    index: Tensor = c.index
    c.integer(index, "int64", "int32", name="its index")
    c.rank(index, 0, 1, name="its index")
    return index


def _index_select(c: Call) -> Tensor:
    tensor, index = keep(c), _vector(c)
    count = index.shape.head[0] if index.shape.head else 1
    return tensor.with_shape(tensor.shape.replace(c.axis(tensor), count))


def slices(c: Call) -> Tensor:
    """Slices of `source` that go to the places of a vector of indices."""
    tensor, index = keep(c), _vector(c)
    place = c.axis(tensor)
    c.same_dtype(tensor, c.source)
    count = index.shape.head[0] if index.shape.head else 1
    wanted = tensor.shape.replace(place, count)
    text = f"`{c.declaration.name}` puts {c.source} into {tensor} at {index}"
    c.rank(c.source, len(wanted.sizes), name="its source")
    for i, (a, b) in enumerate(zip(c.source.shape.sizes, wanted.sizes, strict=True)):
        c.equal(a, b, f"{text}: size {i} is {show(a)}, not {show(b)}")
    return tensor


def _take_along_dim(c: Call) -> Tensor:
    if c.known("dim") is None:
        c.integer(c.indices, "int64", "int32", name="its indices")
        return keep(c).with_shape(fixed(c.indices.shape.numel))
    c.integer(c.indices, name="its indices")
    place = c.axis(c.input)
    ours, theirs = c.input.shape, c.indices.shape
    if len(ours.sizes) != len(theirs.sizes):
        raise c.refuse(
            f"`take_along_dim` wants equally many sizes, not {c.input} and {c.indices}",
            f"{c.input} and {c.indices}",
        )
    count = theirs.at(place)
    shape = c.broadcast_shapes(ours.replace(place, count), theirs)
    return keep(c).with_shape(shape)


def _topk(c: Call) -> Result:
    tensor = keep(c)
    not_bool(c)
    place = c.axis(tensor)
    size, k = tensor.shape.at(place), c.known("k")
    text = f"`topk` takes {show(k)} of the {show(size)} along size {c.dim} of {tensor}"
    c.require(Comparison(">=", k, 0), text)
    c.require(Comparison("<=", k, size), text)
    shape = tensor.shape.replace(place, k)
    return tensor.with_shape(shape), Tensor(shape, "int64")


def _sort(c: Call) -> Result:
    c.axis(c.input)
    return keep(c), Tensor(c.input.shape, "int64")


def _argsort(c: Call) -> Tensor:
    c.axis(c.input)
    return Tensor(c.input.shape, "int64")


def _one_hot(c: Call) -> Tensor:
    c.integer(c.tensor)
    classes = c.known("num_classes")
    if classes == -1:
        raise Refusal(
            "data-dependent",
            "how many classes `one_hot` finds depends on the data",
            "`num_classes` is missing",
            "say how many there are: `one_hot(num_classes)`",
        )
    c.at_least("num_classes")
    return Tensor(c.tensor.shape.append(classes), "int64")


function(
    "select(input: tensor, dim: int, index: int)",
    ".select",
    _select,
    "The slice at an index of a size.",
)
function(
    "narrow(input: tensor, dim: int, start: int, length: int)",
    ".narrow",
    _narrow,
    "A piece of a size: `length` from `start` on.",
)
function(
    "gather(input: tensor, dim: int, index: tensor, *, sparse_grad: bool = False)",
    ".gather",
    _gather,
    "Picks an element along `dim` for each index.",
)
function(
    "scatter(input: tensor, dim: int, index: tensor, src: number, *,"
    ' reduce: "add" "multiply" ? = None)',
    ".scatter",
    scatter,
    "The input with elements of `src` put in along `dim`.",
)
function(
    "scatter_add(input: tensor, dim: int, index: tensor, src: tensor)",
    ".scatter_add",
    scatter,
    "The input with elements of `src` added along `dim`.",
)
function(
    "index_select(input: tensor, dim: int, index: tensor)",
    ".index_select",
    _index_select,
    "The slices of a size that a vector of indices names.",
)
function(
    "index_add(input: tensor, dim: int, index: tensor, source: tensor, *,"
    " alpha: float = 1)",
    ".index_add",
    slices,
    "The input with slices of `source` added along `dim`.",
)
function(
    "scatter_reduce(input: tensor, dim: int, index: tensor, src: tensor,"
    f" reduce: {REDUCTIONS}, *, include_self: bool = True)",
    ".scatter_reduce",
    _scatter_reduce,
    "The input with elements of `src` merged in along `dim`.",
)
function(
    "index_reduce(input: tensor, dim: int, index: tensor, source: tensor,"
    f" reduce: {INDEX_REDUCTIONS}, *, include_self: bool = True)",
    ".index_reduce",
    slices,
    "The input with slices of `source` merged in along `dim`.",
)
function(
    "take_along_dim(input: tensor, indices: tensor, dim: int? = None)",
    ".take_along_dim",
    _take_along_dim,
    "Picks elements along `dim`; other sizes broadcast.",
)
function(
    "topk(input: tensor, k: int, dim: int = -1, largest: bool = True,"
    " sorted: bool = True)",
    ".topk",
    _topk,
    "The `k` greatest along `dim`: a pair of values and indices.",
)
function(
    "sort(input: tensor, dim: int = -1, descending: bool = False,"
    " stable: bool = False)",
    ".sort",
    _sort,
    "Values in order along `dim`, and their indices.",
)
function(
    "argsort(input: tensor, dim: int = -1, descending: bool = False,"
    " stable: bool = False)",
    ".argsort",
    _argsort,
    "Indices that put values in order along `dim`.",
)
function(
    "one_hot(tensor: tensor, num_classes: int = -1)",
    "F.one_hot",
    _one_hot,
    "A vector for each class number: 1 at its place, else 0.",
)
