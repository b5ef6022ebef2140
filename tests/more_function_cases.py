"""Uses of every function, continued: order, indices, new tensors, products, layers."""

from __future__ import annotations

from typing import Any

from function_cases import (
    CASES,
    DTYPE,
    FLOAT,
    FLOAT_DTYPE,
    SAME,
    Case,
    Draw,
    broadcastable,
    case,
    dim,
    each,
    flag,
    of,
    options,
    seldom,
    shapes,
    sizes,
    sizes_of,
    spoiled,
    tensors,
    with_dim,
)
from hypothesis import strategies as st

from netdsl.shapes import Tensor, fixed

# -- order ---------------------------------------------------------------------


@st.composite
def two_dims(draw: Draw, *after: st.SearchStrategy[Any]) -> Case:
    tensor = draw(tensors(1))
    shape = sizes_of(tensor)
    return (tensor, dim(draw, shape), dim(draw, shape), *(draw(a) for a in after)), {}


@st.composite
def permuted(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    rank = len(sizes_of(tensor))
    order = [
        i - rank if seldom(draw, 3) else i for i in draw(st.permutations(range(rank)))
    ]
    if seldom(draw):
        order[0] = draw(st.integers(-rank - 1, rank))
    if seldom(draw):
        order.pop()
    return (tensor, order) if not order or draw(st.booleans()) else (tensor, *order), {}


@st.composite
def rolled(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    places = [dim(draw, sizes_of(tensor)) for _ in range(draw(st.integers(0, 2)))]
    count = len(places) + (draw(st.integers(0, 1)) if not places else seldom(draw))
    return (tensor, [1] * count, places), {}


@st.composite
def flipped(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    places = [dim(draw, sizes_of(tensor)) for _ in range(draw(st.integers(1, 2)))]
    return (tensor, *places), {}


@st.composite
def moved(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    shape = sizes_of(tensor)
    count = draw(st.integers(1, 2))
    source = [dim(draw, shape) for _ in range(count)]
    goal = [dim(draw, shape) for _ in range(count + seldom(draw))]
    if count == 1 and len(goal) == 1 and draw(st.booleans()):
        return (tensor, source[0], goal[0]), {}
    return (tensor, source, goal), {}


@st.composite
def image(draw: Draw, *lead: int, dtypes: tuple[str, ...] = FLOAT) -> Tensor:
    """[N, C, ...] with sizes that are large enough for small windows."""
    rank = draw(st.sampled_from(lead))
    spatial = [draw(st.sampled_from((4, 5, 6, 8))) for _ in range(rank)]
    batch = draw(st.sampled_from(((2,), (), (1,))))
    channels = draw(st.sampled_from((4, 2, 6)))
    shape = spoiled(draw, (*batch, channels, *spatial)) if seldom(draw) else None
    dtype = draw(st.sampled_from(dtypes))
    return Tensor(fixed(*(shape or (*batch, channels, *spatial))), dtype)


each("transpose swapdims swapaxes", two_dims())
CASES["t"] = case(tensors(0, 3))
CASES["permute"] = permuted()
CASES["movedim"] = moved()
CASES["roll"] = rolled()
CASES["flip"] = flipped()
each("tril triu", case(tensors(), diagonal=st.integers(-2, 2)))
CASES["diagonal"] = st.builds(
    lambda use, offset: ((use[0][0], offset, *use[0][1:]), {}),
    two_dims(),
    st.integers(-1, 1),
)
each("pixel_shuffle pixel_unshuffle", case(image(2), st.integers(0, 3)))
CASES["channel_shuffle"] = case(image(1, 2), st.integers(0, 3))

# -- indices -------------------------------------------------------------------

INDEX = ("int64",) * 8 + ("float", "int32")


@st.composite
def gathered(draw: Draw, source: str = "") -> Case:
    tensor = draw(tensors(1))
    shape = sizes_of(tensor)
    place = dim(draw, shape)
    index = [draw(st.integers(1, s)) for s in shape]
    if draw(st.booleans()) and -len(shape) <= place < len(shape):
        index[place] = draw(sizes)
    where = of(*spoiled(draw, tuple(index)), dtype=draw(st.sampled_from(INDEX)))
    args: tuple[Any, ...] = (tensor, place, where)
    if source:
        grown = tuple(s + draw(st.integers(0, 1)) for s in sizes_of(where))
        src = of(*spoiled(draw, grown), dtype=tensor.dtype)
        number = source == "number" and draw(st.booleans())
        args = (*args, 2 if number else src)
    return args, {}


@st.composite
def indexed(draw: Draw, add: bool = False) -> Case:
    tensor = draw(tensors(1))
    shape = list(sizes_of(tensor))
    place = dim(draw, sizes_of(tensor))
    lead = spoiled(draw, (draw(sizes),))
    index = of(*lead, dtype=draw(st.sampled_from(INDEX)))
    if not add:
        return (tensor, place, index), {}
    if lead and -len(shape) <= place < len(shape):
        shape[place] = lead[0]
    return (
        tensor,
        place,
        index,
        of(*spoiled(draw, tuple(shape)), dtype=tensor.dtype),
    ), {}


@st.composite
def merging(draw: Draw, uses: st.SearchStrategy[Case], ways: tuple[str, ...]) -> Case:
    args, keywords = draw(uses)
    more = draw(options(include_self=flag))
    return (*args, draw(st.sampled_from(ways))), {**keywords, **more}


@st.composite
def taken(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    shape = sizes_of(tensor)
    index = broadcastable(draw, shape)
    where = of(*index, dtype=draw(st.sampled_from(("int64",) * 5 + ("int32",))))
    return (tensor, where), draw(options(dim=st.just(dim(draw, shape))))


@st.composite
def narrowed(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    place = dim(draw, sizes_of(tensor))
    return (tensor, place, draw(st.integers(-2, 2)), draw(st.integers(0, 3))), {}


CASES["gather"] = gathered()
CASES["scatter"] = gathered("number")
CASES["scatter_add"] = gathered("tensor")
CASES["scatter_reduce"] = merging(
    gathered("tensor"), ("sum", "prod", "mean", "amax", "amin")
)
CASES["index_reduce"] = merging(
    indexed(add=True), ("prod", "mean", "amax", "amin", "sum")
)
CASES["index_select"] = indexed()
CASES["index_add"] = indexed(add=True)
CASES["take_along_dim"] = taken()
CASES["narrow"] = narrowed()
CASES["select"] = with_dim(after=(st.integers(-2, 2),))
CASES["topk"] = st.builds(
    lambda use, k: ((use[0][0], k, use[0][1]), {}), with_dim(), st.integers(-1, 4)
)
CASES["one_hot"] = case(
    tensors(0, 3, ("int64",) * 5 + ("int32", "float")), st.sampled_from((3, 1, 7, 0))
)

# -- new tensors ---------------------------------------------------------------

wanted = st.lists(st.sampled_from((2, 3, 1, 0, 4, 3, -1)), max_size=3)


@st.composite
def created(draw: Draw, first: bool = False, floating: bool = False) -> Case:
    shape = draw(wanted)
    head = (draw(tensors(dtypes=FLOAT)),) if first else ()
    keywords = draw(options(dtype=FLOAT_DTYPE if floating else DTYPE))
    if len(shape) and draw(flag):
        return (*head, *shape), keywords
    return (*head, shape), keywords


number = st.sampled_from((0, 1, 2, 5, -3, 0.5, 2.5))
value = st.sampled_from((1, 0.5, True, -2))
each("zeros ones", created())
each("rand randn", created(floating=True))
each("new_zeros new_ones", created(first=True))
each("zeros_like ones_like", case(tensors(), dtype=DTYPE))
CASES["full_like"] = case(tensors(), value, dtype=DTYPE)
each("rand_like randn_like", case(tensors(dtypes=FLOAT), dtype=FLOAT_DTYPE))
CASES["full"] = case(st.one_of(wanted, wanted, st.just(3)), value, dtype=DTYPE)
CASES["new_full"] = case(tensors(), wanted, value, dtype=DTYPE)
CASES["eye"] = case(st.integers(-1, 4), m=st.integers(0, 4), dtype=DTYPE)
CASES["arange"] = st.one_of(
    case(number, dtype=DTYPE),
    case(number, number, dtype=DTYPE),
    case(number, number, number),
)
CASES["linspace"] = case(number, number, st.integers(-1, 5), dtype=FLOAT_DTYPE)
CASES["tensor"] = case(
    st.recursive(value, lambda inner: st.lists(inner, min_size=1, max_size=3)),
    dtype=DTYPE,
)
CASES["randint"] = st.one_of(
    case(st.integers(0, 4), wanted, dtype=DTYPE),
    case(st.integers(0, 4), st.integers(0, 6), wanted),
)
CASES["bernoulli"] = case(tensors(), p=st.just(0.5))
CASES["multinomial"] = case(
    tensors(0, 3, FLOAT), st.integers(0, 4), replacement=st.booleans()
)

# -- products ------------------------------------------------------------------


@st.composite
def multiplied(draw: Draw) -> Case:
    inner = draw(sizes)
    left = (*draw(shapes(0, 2)), draw(sizes), inner)
    right = (*broadcastable(draw, left[:-2]), inner, draw(sizes))
    one = spoiled(draw, left if draw(st.booleans()) else left[-1:])
    two = spoiled(draw, right if draw(st.booleans()) else right[-2:-1])
    return (
        of(*one, dtype=draw(st.sampled_from(SAME))),
        of(*two, dtype=draw(st.sampled_from(SAME))),
    ), {}


@st.composite
def matrices(draw: Draw, batch: bool, added: bool) -> Case:
    n, k, m = draw(sizes), draw(sizes), draw(sizes)
    lead = (draw(sizes),) if batch else ()
    one, two = (*lead, n, k), (*lead, k, m)
    args = [spoiled(draw, one), spoiled(draw, two)]
    if added:
        args.insert(0, broadcastable(draw, (*lead, n, m)))
    return tuple(of(*a) for a in args), {}


@st.composite
def vectors(draw: Draw, *ranks: int) -> Case:
    size = draw(sizes)
    return (
        tuple(
            of(
                *spoiled(draw, (draw(sizes),) * (r - 1) + (size,)),
                dtype=draw(st.sampled_from(SAME)),
            )
            for r in ranks
        ),
        {},
    )


EQUATIONS = (
    "ij,jk->ik",
    "bhid,bhjd->bhij",
    "...ij,...jk->...ik",
    "i,j",
    "ij,j",
    "ii->i",
    "ij->ji",
    "b i j -> b j",
    "...d,d->...",
    "ijk,ik->",
    "ij,jk,kl->il",
    "ij->ik",
    "i...j->j...",
    "ij,jk->i i",
    "ij;j",
)


@st.composite
def summed(draw: Draw) -> Case:
    equation = draw(st.sampled_from(EQUATIONS))
    letters: dict[str, int] = {}
    operands = []
    dots = draw(shapes(0, 2))
    for word in equation.split("->")[0].replace(" ", "").split(","):
        shape: tuple[int, ...] = ()
        for part in word.replace("...", "."):
            size = letters.setdefault(part, draw(sizes))
            shape += broadcastable(draw, dots) if part == "." else (size,)
        operands.append(of(*(spoiled(draw, shape) if seldom(draw, 9) else shape)))
    return (equation, *operands[: 1 if seldom(draw, 9) else None]), {}


@st.composite
def attended(draw: Draw) -> Case:
    batch, heads, few = draw(sizes), draw(sizes), draw(sizes)
    length, keys, width, out = (draw(sizes) for _ in range(4))
    grouped = draw(st.booleans())
    lead = (batch, heads) if draw(st.integers(0, 3)) else draw(shapes(0, 2))
    other = (batch, few) if grouped else lead
    shapes_ = [(*lead, length, width), (*other, keys, width), (*other, keys, out)]
    if seldom(draw, 4):
        shapes_[draw(st.integers(0, 2))] = draw(shapes(1))
    query, key, value_ = (of(*shape) for shape in shapes_)
    mask = of(
        *broadcastable(draw, (*lead, length, keys)),
        dtype=draw(st.sampled_from(("bool", "float", "int64"))),
    )
    keywords = draw(options(attn_mask=st.just(mask), is_causal=flag))
    return (query, key, value_), {
        **keywords,
        **({"enable_gqa": True} if grouped else {}),
    }


each("matmul @", multiplied())
CASES["mm"] = matrices(batch=False, added=False)
CASES["bmm"] = matrices(batch=True, added=False)
CASES["addmm"] = matrices(batch=False, added=True)
CASES["baddbmm"] = matrices(batch=True, added=True)
CASES["mv"] = vectors(2, 1)
each("dot outer", vectors(1, 1))
CASES["einsum"] = summed()
CASES["scaled_dot_product_attention"] = attended()
