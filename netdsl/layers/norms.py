"""Norms of vectors and of matrices."""

from __future__ import annotations

from typing import Any

from netdsl.layers.call import Call
from netdsl.layers.matrices import PRECISE, exact
from netdsl.layers.pointwise import keep, real_of
from netdsl.layers.rearranging import at_least
from netdsl.layers.reduction import outside_in, reduced
from netdsl.layers.spec import function
from netdsl.shapes import COMPLEX, FLOATS, Tensor


def _norm_dtype(c: Call) -> str:
    dtype = c.input.dtype
    if dtype not in FLOATS | COMPLEX | {"any"}:
        c.floating(c.input)
    if c.known("dtype") is not None:
        return str(real_of(c.dtype))
    return real_of(dtype)


def _vector_norm(c: Call) -> Tensor:
    return Tensor(reduced(c, c.input), _norm_dtype(c))


def _matrix_norm(c: Call) -> Tensor:
    at_least(c, 2)
    if not isinstance(c.known("dim"), tuple) or len(c.dim) != 2:
        raise c.bad("dim", f"`dim` of `{c.declaration.name}` is a pair of sizes")
    if c.known("ord") not in ("fro",) and c.input.dtype not in PRECISE:
        exact(c, c.input)
    _known_order(c, c.ord)
    return Tensor(reduced(c, c.input), _norm_dtype(c))


def _known_order(c: Call, order: Any) -> None:
    known = ("fro", "nuc", 1, -1, 2, -2, float("inf"), float("-inf"))
    if order not in known:
        raise c.bad("ord", f"a matrix has no norm {order}: it has {list(known)}")


def _norm(c: Call) -> Tensor:
    order, dim = c.known("ord"), c.known("dim")
    dtype = _norm_dtype(c)
    if order is None:
        return Tensor(reduced(c, c.input), dtype)
    rank = len(c.input.shape.sizes) if dim is None else None
    if dim is None:
        if rank not in (1, 2):
            raise c.bad("ord", "`ord` goes with `dim`, or with a vector or a matrix")
        places: tuple[int, ...] = tuple(range(rank))
    else:
        places = c.axes(c.input)
        if len(places) not in (1, 2):
            raise c.bad("dim", f"`dim` of `{c.declaration.name}` is one size, or two")
    if len(places) == 2:
        _known_order(c, order)
        if order != "fro":
            exact(c, c.input)
    elif isinstance(order, str):
        raise c.bad("ord", f'a vector has no norm "{order}"')
    shape = c.input.shape
    for place in outside_in(places):
        keep_size = c.known("keepdim")
        shape = shape.replace(place, 1) if keep_size else shape.without(place)
    return Tensor(shape, dtype)


def _renorm(c: Call) -> Tensor:
    c.floating(c.input)
    at_least(c, 2)
    c.axis(c.input)
    return keep(c)


for _declaration, _rule, _doc in (
    (
        "renorm(input: tensor, p: float, dim: int, maxnorm: float)",
        _renorm,
        "The slices along `dim`, scaled to a `p`-norm of at most `maxnorm`.",
    ),
    (
        "linalg.norm(input: tensor, ord: float | str ? = None, dim: ints? = None,"
        " keepdim: bool = False, *, dtype: dtype? = None)",
        _norm,
        "The norm of vectors, or of matrices if `dim` is a pair.",
    ),
    (
        "linalg.vector_norm(input: tensor, ord: float = 2, dim: ints? = None,"
        " keepdim: bool = False, *, dtype: dtype? = None)",
        _vector_norm,
        "The norm of all elements as a vector, or along `dim`.",
    ),
    (
        'linalg.matrix_norm(input: tensor, ord: float | str = "fro",'
        " dim: ints = (-2, -1), keepdim: bool = False, *, dtype: dtype? = None)",
        _matrix_norm,
        "The norm of matrices.",
    ),
):
    function(_declaration, f"torch.{_declaration.split('(')[0]}", _rule, _doc)
