"""Uses of functions, continued: products of other kinds, linear algebra."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from function_cases import (
    ANY,
    CASES,
    FLOAT,
    FLOAT_DTYPE,
    SAME,
    Case,
    Cases,
    Draw,
    broadcastable,
    case,
    each,
    flag,
    maybe,
    of,
    options,
    pair,
    seldom,
    shapes,
    sizes,
    sizes_of,
    spoiled,
    tensors,
    with_dim,
)
from hypothesis import strategies as st
from more_function_cases import vectors

from netdsl.shapes import Tensor

# -- products ------------------------------------------------------------------


@st.composite
def added(draw: Draw, *letters: str) -> Case:
    """A tensor that is spread over a product, and what is multiplied."""
    values = {letter: draw(sizes) for letter in "bnkm"}
    shapes_ = [tuple(values[letter] for letter in word) for word in letters]
    first = broadcastable(draw, shapes_[0])
    return (of(*first), *(of(*spoiled(draw, s)) for s in shapes_[1:])), {}


@st.composite
def inner(draw: Draw) -> Case:
    size = draw(sizes)
    tensors_ = (
        of(
            *spoiled(draw, (*draw(shapes(0, 2)), size)),
            dtype=draw(st.sampled_from(SAME)),
        )
        for _ in range(2)
    )
    return tuple(tensors_), {}


@st.composite
def dotted(draw: Draw) -> Case:
    count = draw(st.integers(0, 2))
    middle = draw(shapes(count, count))
    one, two = (*draw(shapes(0, 2)), *middle), (*middle, *draw(shapes(0, 2)))
    dims: Any = count + seldom(draw)
    if draw(flag):
        ours = tuple(range(len(one) - count, len(one)))
        dims = (ours, tuple(range(count + seldom(draw))))
    return (of(*spoiled(draw, one)), of(*spoiled(draw, two))), {"dims": dims}


@st.composite
def crossed(draw: Draw) -> Case:
    shape = [draw(sizes) for _ in range(draw(st.integers(1, 3)))]
    place = draw(st.integers(-len(shape), len(shape) - 1))
    shape[place] = 3
    one, two = (of(*broadcastable(draw, tuple(shape))) for _ in range(2))
    return (one, two), {"dim": place}


@st.composite
def chained(draw: Draw) -> Case:
    widths = [draw(sizes) for _ in range(draw(st.integers(2, 4)))]
    found = [spoiled(draw, p) for p in pairwise(widths)]
    if seldom(draw):
        found[0] = found[0][-1:]
    return ([of(*f) for f in found],), {}


@st.composite
def grouped(draw: Draw) -> Case:
    groups, rows, inner_, columns = draw(st.sampled_from((1, 2, 3))), 4, 8, 16
    one, two = draw(
        st.sampled_from(
            (
                ((rows, inner_), (groups, inner_, columns)),
                ((groups, rows, inner_), (groups, inner_, columns)),
                ((groups, rows, inner_), (inner_, columns)),
                ((rows, inner_), (inner_, columns)),
            )
        )
    )
    offsets = of(groups if draw(flag) or len(one) == len(two) else 5, dtype="int32")
    both = of(*spoiled(draw, one)), of(*spoiled(draw, two))
    given = len(one) == 2 or len(two) == 2
    return both, {"offs": offsets} if given != seldom(draw) else {}


CASES["addbmm"] = added("nm", "bnk", "bkm")
CASES["addmv"] = added("n", "nk", "k")
CASES["addr"] = added("nm", "n", "m")
CASES["inner"] = inner()
CASES["vdot"] = vectors(1, 1)
CASES["kron"] = pair("", ANY)
CASES["tensordot"] = dotted()
each("cross linalg.cross", crossed())
CASES["linalg.vecdot"] = crossed()
CASES["linalg.multi_dot"] = chained()
CASES["grouped_mm"] = grouped()

# -- matrices ------------------------------------------------------------------

EXACT = ("float",) * 6 + ("float64", "complex64", "int64", "float16")


@st.composite
def matrix(draw: Draw, square: bool = True) -> Tensor:
    rows = draw(sizes)
    columns = rows if square and not seldom(draw) else draw(sizes)
    shape = spoiled(draw, (*draw(shapes(0, 2)), rows, columns))
    return of(*shape, dtype=draw(st.sampled_from(EXACT)))


def one(square: bool = True, **more: Any) -> Cases:
    return case(matrix(square), **more)


each(
    "inverse det logdet slogdet matrix_exp linalg.inv linalg.det linalg.slogdet"
    " linalg.matrix_exp linalg.eig linalg.eigvals",
    one(),
)
each("matrix_power linalg.matrix_power", case(matrix(), st.integers(0, 3)))
CASES["linalg.cholesky"] = one(upper=flag)
each("linalg.eigh linalg.eigvalsh", one(UPLO=st.sampled_from(("L", "U", "x"))))
CASES["linalg.cond"] = one(p=st.sampled_from((2, 1, "fro")))
each("pinverse linalg.pinv linalg.matrix_rank linalg.svdvals", one(square=False))
CASES["linalg.lu"] = one(square=False)
CASES["linalg.qr"] = one(square=False, mode=st.sampled_from(("complete", "r", "x")))
CASES["linalg.svd"] = one(square=False, full_matrices=flag)
CASES["renorm"] = with_dim(FLOAT).map(
    lambda use: ((use[0][0], 2.0, use[0][1], 1.0), {})
)


@st.composite
def solved(draw: Draw, triangular: bool) -> Case:
    rows, columns = draw(sizes), draw(sizes)
    lead = draw(shapes(0, 2))
    left = draw(flag)
    other: tuple[int, ...] = (rows, columns) if left else (columns, rows)
    if not triangular and draw(flag):
        other = other[:1]
    given = of(*broadcastable(draw, lead), *spoiled(draw, (rows, rows)))
    sides = of(*spoiled(draw, (*broadcastable(draw, lead), *other)))
    more = {"left": left} if not left else {}
    return (given, sides), {**more, **({"upper": True} if triangular else {})}


CASES["linalg.solve"] = solved(triangular=False)
CASES["linalg.solve_triangular"] = solved(triangular=True)

# -- norms ---------------------------------------------------------------------


def normed(**more: Any) -> Cases:
    return maybe(
        with_dim(FLOAT, several=True, keepdim=flag, dtype=FLOAT_DTYPE, **more).map(
            lambda use: (use[0][:1], {"dim": use[0][1], **use[1]})
        )
    )


orders = (2, 1, 0, float("inf"), 3)
CASES["linalg.vector_norm"] = normed(ord=st.sampled_from(orders))
CASES["linalg.norm"] = st.one_of(
    normed(ord=st.sampled_from((*orders, "fro", "nuc"))),
    case(tensors(dtypes=FLOAT), ord=st.sampled_from((2, 1, "fro", "nuc"))),
)


@st.composite
def matrix_normed(draw: Draw) -> Case:
    tensor = draw(tensors(1, 4, FLOAT))
    rank = len(sizes_of(tensor))
    places = tuple(draw(st.integers(-rank, rank)) for _ in range(2))
    kinds = st.sampled_from(("fro", "nuc", 1, 2, 3, float("inf")))
    given = options(dim=st.just(places), ord=kinds, keepdim=flag)
    return (tensor,), draw(given)


CASES["linalg.matrix_norm"] = matrix_normed()
