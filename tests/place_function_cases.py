"""Uses of functions, continued: places, diagonals, turns, stacks."""

from __future__ import annotations

from typing import Any

from function_cases import (
    ANY,
    CASES,
    NUMBERS,
    SAME,
    Case,
    Draw,
    broadcastable,
    case,
    dim,
    each,
    everything,
    flag,
    of,
    options,
    seldom,
    shapes,
    sizes,
    sizes_of,
    spoiled,
    tensors,
)
from hypothesis import strategies as st
from more_function_cases import INDEX, indexed

from netdsl.shapes import Tensor, fixed

# -- slices and elements put in ------------------------------------------------

CASES["index_copy"] = indexed(add=True)


@st.composite
def index_filled(draw: Draw) -> Case:
    (tensor, place, index), _ = draw(indexed())
    return (tensor, place, index, draw(st.sampled_from((0, 0.5, of(), of(2))))), {}


CASES["index_fill"] = index_filled()


@st.composite
def put_at(draw: Draw) -> Case:
    tensor = draw(tensors(1, 3, SAME))
    shape = sizes_of(tensor)
    count = draw(st.integers(1, len(shape) + seldom(draw)))
    where = draw(shapes(0, 2))
    indices = tuple(
        of(*broadcastable(draw, where), dtype=draw(st.sampled_from(INDEX)))
        for _ in range(count)
    )
    values = broadcastable(draw, (*where, *shape[count:]))
    more = draw(options(accumulate=flag))
    return (tensor, indices, of(*values, dtype=tensor.dtype)), more


CASES["index_put"] = put_at()


@st.composite
def masked(draw: Draw) -> Case:
    tensor = draw(tensors(0, 3, NUMBERS))
    mask = broadcastable(draw, sizes_of(tensor))
    kinds = ("bool",) * 5 + ("int64",)
    kind = "bool" if seldom(draw) else tensor.dtype
    source = tensor if draw(flag) else draw(tensors(0, 3, (kind,)))
    return (tensor, of(*mask, dtype=draw(st.sampled_from(kinds))), source), {}


CASES["masked_scatter"] = masked()
CASES["take"] = case(tensors(1), tensors(0, 2, INDEX))


@st.composite
def put_flat(draw: Draw) -> Case:
    tensor = draw(tensors(1, 3, NUMBERS))
    index = of(*draw(shapes(0, 2)), dtype=draw(st.sampled_from(INDEX)))
    source = of(*spoiled(draw, sizes_of(index)), dtype=tensor.dtype)
    return (tensor, index, source), draw(options(accumulate=flag))


CASES["put"] = put_flat()


@st.composite
def selected(draw: Draw) -> Case:
    tensor = draw(tensors(1, 3, ("float",)))
    shape = sizes_of(tensor)
    place = dim(draw, shape)
    rest = shape
    if -len(shape) <= place < len(shape):
        rest = tuple(s for i, s in enumerate(shape) if i != place % len(shape))
    return (tensor, of(*spoiled(draw, rest)), place, draw(st.integers(-2, 2))), {}


@st.composite
def sliced(draw: Draw) -> Case:
    tensor = draw(tensors(1, 3, ("float",)))
    shape = list(sizes_of(tensor))
    place = dim(draw, tuple(shape))
    start, end = draw(st.sampled_from((None, 0, 1, -1))), draw(
        st.sampled_from((None, 3, -1, 9))
    )
    step = draw(st.sampled_from((1, 1, 2, 0)))
    if -len(shape) <= place < len(shape) and step:
        shape[place] = len(range(shape[place])[start:end:step])
    source = of(*spoiled(draw, tuple(shape)))
    return (tensor, source, place, start, end, step), {}


@st.composite
def on_diagonals(draw: Draw) -> Case:
    rows, columns = draw(sizes), draw(sizes)
    offset = draw(st.integers(-1, 1))
    length = min(rows + min(offset, 0), columns - max(offset, 0))
    lead = draw(shapes(0, 1))
    source = of(*spoiled(draw, (*lead, max(length, 0))))
    return (of(*lead, rows, columns), source, offset, -2, -1), {}


CASES["select_scatter"] = selected()
CASES["slice_scatter"] = sliced()
CASES["diagonal_scatter"] = on_diagonals()

# -- looking up ----------------------------------------------------------------

places: dict[str, Any] = {"out_int32": flag, "right": flag}


@st.composite
def looked_up(draw: Draw) -> Case:
    lead = draw(shapes(0, 2))
    ordered = (*lead, draw(sizes))
    given: Any = of(*spoiled(draw, (*lead, draw(sizes))))
    if seldom(draw, 4):
        given = draw(st.sampled_from((0.5, of(), of(3, 2))))
    more = options(side=st.sampled_from(("left", "right")), **places)
    return (of(*spoiled(draw, ordered)), given), draw(more)


CASES["searchsorted"] = looked_up()
CASES["bucketize"] = case(tensors(), tensors(0, 2, ("float",)), **places)
CASES["isin"] = case(tensors(), st.one_of(tensors(), st.just(2)), invert=flag)
CASES["msort"] = everything
CASES["nonzero_static"] = st.builds(
    lambda tensor, size: ((tensor,), {"size": size}), tensors(0, 3), st.integers(-1, 3)
)

# -- diagonals, turns, windows -------------------------------------------------

offset = st.integers(-1, 1)
CASES["diag"] = case(tensors(0, 3), diagonal=offset)
CASES["diagflat"] = case(tensors(0, 3), offset=offset)


@st.composite
def embedded(draw: Draw) -> Case:
    tensor = draw(tensors(0, 3))
    shape = sizes_of(tensor)
    given = options(
        offset=offset,
        dim1=st.just(dim(draw, shape, 1)),
        dim2=st.just(dim(draw, shape, 1)),
    )
    return (tensor,), draw(given)


CASES["diag_embed"] = embedded()
each("trace adjoint", case(tensors(0, 4, (*ANY, "int32"))))
each("fliplr flipud ravel", everything)


@st.composite
def turned(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    shape = sizes_of(tensor)
    places = tuple(dim(draw, shape) for _ in range(3 if seldom(draw) else 2))
    return (tensor, draw(st.integers(-1, 3)), places), {}


CASES["rot90"] = turned()


@st.composite
def windowed(draw: Draw) -> Case:
    tensor = draw(tensors(0, 3))
    place = dim(draw, sizes_of(tensor))
    return (tensor, place, draw(st.integers(0, 4)), draw(st.integers(0, 3))), {}


CASES["Tensor.unfold"] = windowed()


count = st.sampled_from((3, 1, 0, 5, -1))
each("tril_indices triu_indices", case(count, count, offset=st.integers(-4, 4)))
CASES["vander"] = case(tensors(0, 2, SAME), N=st.integers(-1, 3), increasing=flag)

# -- stacks --------------------------------------------------------------------


@st.composite
def stacked(draw: Draw, place: int) -> Case:
    shape = draw(shapes())
    found = []
    for _ in range(draw(st.integers(1, 3))):
        part = list(shape)
        at = 0 if len(part) == 1 and place == 1 else place
        if at < len(part):
            part[at] = draw(sizes)
        dtype = draw(st.sampled_from(("float", "float", "int64")))
        found.append(Tensor(fixed(*spoiled(draw, tuple(part))), dtype))
    return (found,), {}


CASES["vstack"] = stacked(0)
each("hstack column_stack", stacked(1))
CASES["dstack"] = stacked(2)


CASES["cartesian_prod"] = st.lists(tensors(1, 1, SAME), min_size=1, max_size=3).map(
    lambda found: (tuple(found), {})
)
CASES["combinations"] = case(
    tensors(0, 2), r=st.sampled_from((2, 1, 3, 0)), with_replacement=flag
)
cut = st.sampled_from((1, 2, 3, [1], [1, 2], 0))
each("hsplit vsplit dsplit", case(tensors(), cut))
