"""Diagonals, turns, windows: more ways to look at the same elements."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep, not_bool
from netdsl.layers.rearranging import at_least, diagonal_shape
from netdsl.layers.spec import Rule, function
from netdsl.shapes import Refusal, Shape, Tensor, fixed


def _diag(c: Call) -> Tensor:
    tensor = keep(c)
    c.rank(tensor, 1, 2)
    if tensor.shape.rank == 1:
        size = tensor.shape.at(0) + _distance(c, "diagonal")
        return tensor.with_shape(fixed(size, size))
    c.values.update(offset=c.known("diagonal"), dim1=0, dim2=1)
    return diagonal_shape(c)


def _distance(c: Call, name: str) -> int:
    return abs(c.number(name))


def _diagflat(c: Call) -> Tensor:
    size = c.input.shape.numel + _distance(c, "offset")
    return keep(c).with_shape(fixed(size, size))


def _diag_embed(c: Call) -> Tensor:
    tensor = keep(c)
    at_least(c, 1)
    sizes = list(tensor.shape.sizes)
    frame = Shape((*sizes, 1))
    one, two = (frame.index(c.number(name)) for name in ("dim1", "dim2"))
    if one == two:
        raise Refusal(
            "bad-dimension",
            f"`diag_embed` makes two sizes of the last of {tensor}, not one twice",
            "the same size",
            argument="dim2",
        )
    size = sizes.pop() + _distance(c, "offset")
    for place in sorted((one, two)):
        sizes.insert(place, size)
    return tensor.with_shape(fixed(*sizes))


def _trace(c: Call) -> Tensor:
    c.rank(c.input, 2)
    dtype = c.input.dtype
    whole = dtype in ("bool", "int8", "int16", "int32", "uint8")
    return Tensor(Shape(()), "int64" if whole else dtype)


def _adjoint(c: Call) -> Tensor:
    tensor = keep(c)
    if tensor.shape.rank == 0:
        return tensor
    at_least(c, 2)
    rows, columns = tensor.shape.at(-2), tensor.shape.at(-1)
    return tensor.with_shape(tensor.shape.replace(-2, columns).replace(-1, rows))


# -- turns ---------------------------------------------------------------------


def _rot90(c: Call) -> Tensor:
    tensor = keep(c)
    places = c.axes(tensor, "dims")
    if len(places) != 2:
        raise c.bad("dims", f"`rot90` turns two sizes, not {len(places)}")
    if c.number("k") % 2 == 0:
        return tensor
    one, two = places
    shape = tensor.shape.replace(one, tensor.shape.at(two))
    return tensor.with_shape(shape.replace(two, tensor.shape.at(one)))


def _with_rank(rank: int) -> Rule:
    def rule(c: Call) -> Tensor:
        at_least(c, rank)
        return keep(c)

    return rule


def _ravel(c: Call) -> Tensor:
    return keep(c).with_shape(fixed(c.input.shape.numel))


def _windows(c: Call) -> Tensor:
    tensor = keep(c)
    if tensor.shape.rank == 0:
        tensor = tensor.with_shape(fixed(1))
    place = c.axis(tensor, "dimension")
    size, step = c.known("size"), c.known("step")
    c.at_least("step")
    c.at_least("size", least=0)
    whole = tensor.shape.at(place)
    text = f"`Tensor.unfold` takes {show(size)} of size {c.dimension} of {c.input}"
    c.require(Comparison("<=", size, whole), text)
    count = floordiv(whole - size, step) + 1
    shape = tensor.shape.replace(place, count).append(size)
    return tensor.with_shape(shape if c.input.shape.rank != 0 else fixed(size))


# -- places of triangles -------------------------------------------------------


def _triangle(c: Call) -> Tensor:
    c.at_least("row", "col", least=0)
    rows, columns, offset = (c.number(name) for name in ("row", "col", "offset"))
    lower = c.declaration.name == "tril_indices"
    below = sum(min(max(i + offset + lower, 0), columns) for i in range(rows))
    count = below if lower else rows * columns - below
    return Tensor(fixed(2, count), "int64")


def _vander(c: Call) -> Tensor:
    tensor: Tensor = c.x
    c.rank(tensor, 1)
    not_bool(c, tensor)
    c.at_least("N", least=0)
    size: Size = tensor.shape.at(0) if c.known("N") is None else c.N
    return tensor.with_shape(fixed(tensor.shape.at(0), size))


for _declaration, _rule, _doc in (
    (
        "diag(input: tensor, diagonal: int = 0)",
        _diag,
        "The diagonal of a matrix; or the matrix with a vector as its diagonal.",
    ),
    (
        "diagflat(input: tensor, offset: int = 0)",
        _diagflat,
        "The matrix with all elements as its diagonal.",
    ),
    (
        "diag_embed(input: tensor, offset: int = 0, dim1: int = -2, dim2: int = -1)",
        _diag_embed,
        "Matrices that have the last size as their diagonal.",
    ),
    ("trace(input: tensor)", _trace, "Sum of the diagonal of a matrix."),
    (
        "rot90(input: tensor, k: int = 1, dims: ints = (0, 1))",
        _rot90,
        "Turns two sizes by 90 degrees, `k` times.",
    ),
    ("fliplr(input: tensor)", _with_rank(2), "Reverses the second size."),
    ("flipud(input: tensor)", _with_rank(1), "Reverses the first size."),
    ("ravel(input: tensor)", _ravel, "All elements as one vector."),
    ("adjoint(input: tensor)", _adjoint, "Swaps the last two sizes, and conjugates."),
    (
        "tril_indices(row: int, col: int, offset: int = 0)",
        _triangle,
        "Rows and columns of the places on and below a diagonal.",
    ),
    (
        "triu_indices(row: int, col: int, offset: int = 0)",
        _triangle,
        "Rows and columns of the places on and above a diagonal.",
    ),
    (
        "vander(x: tensor, N: int? = None, increasing: bool = False)",
        _vander,
        "The powers of a vector, one a column.",
    ),
):
    function(_declaration, f"torch.{_declaration.split('(')[0]}", _rule, _doc)
function(
    "Tensor.unfold(input: tensor, dimension: int, size: int, step: int)",
    ".unfold",
    _windows,
    "Windows of a size, each in a new last size; `unfold` is for images.",
)
