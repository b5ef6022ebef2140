"""Uses of every function, continued: order, indices, new tensors, products, layers."""

from __future__ import annotations

from typing import Any

from function_cases import (
    CASES,
    DTYPE,
    FLOAT,
    FLOAT_DTYPE,
    NUMBERS,
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
    pair,
    seldom,
    shapes,
    sizes,
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
    shape = tensor.shape.head
    return (tensor, dim(draw, shape), dim(draw, shape), *(draw(a) for a in after)), {}


@st.composite
def permuted(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    rank = len(tensor.shape.head)
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
    places = [dim(draw, tensor.shape.head) for _ in range(draw(st.integers(0, 2)))]
    count = len(places) + (draw(st.integers(0, 1)) if not places else seldom(draw))
    return (tensor, [1] * count, places), {}


@st.composite
def flipped(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    places = [dim(draw, tensor.shape.head) for _ in range(draw(st.integers(1, 2)))]
    return (tensor, *places), {}


@st.composite
def moved(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    shape = tensor.shape.head
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
    shape = tensor.shape.head
    place = dim(draw, shape)
    index = [draw(st.integers(1, s)) for s in shape]
    if draw(st.booleans()) and -len(shape) <= place < len(shape):
        index[place] = draw(sizes)
    where = of(*spoiled(draw, tuple(index)), dtype=draw(st.sampled_from(INDEX)))
    args: tuple[Any, ...] = (tensor, place, where)
    if source:
        grown = tuple(s + draw(st.integers(0, 1)) for s in where.shape.head)
        src = of(*spoiled(draw, grown), dtype=tensor.dtype)
        number = source == "number" and draw(st.booleans())
        args = (*args, 2 if number else src)
    return args, {}


@st.composite
def indexed(draw: Draw, add: bool = False) -> Case:
    tensor = draw(tensors(1))
    shape = list(tensor.shape.head)
    place = dim(draw, tensor.shape.head)
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
def taken(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    shape = tensor.shape.head
    index = broadcastable(draw, shape)
    where = of(*index, dtype=draw(st.sampled_from(("int64",) * 5 + ("int32",))))
    return (tensor, where), draw(options(dim=st.just(dim(draw, shape))))


@st.composite
def narrowed(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    place = dim(draw, tensor.shape.head)
    return (tensor, place, draw(st.integers(-2, 2)), draw(st.integers(0, 3))), {}


CASES["gather"] = gathered()
CASES["scatter"] = gathered("number")
CASES["scatter_add"] = gathered("tensor")
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
    if shape and draw(st.booleans()):
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
    return tuple(
        of(
            *spoiled(draw, (draw(sizes),) * (r - 1) + (size,)),
            dtype=draw(st.sampled_from(SAME)),
        )
        for r in ranks
    ), {}


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

# -- layers as functions -------------------------------------------------------


@st.composite
def mapped(draw: Draw) -> Case:
    tensor = draw(tensors(1, 4, SAME))
    weight = spoiled(draw, (draw(sizes), tensor.shape.head[-1]))
    bias = of(*spoiled(draw, weight[:1]))
    return (tensor, of(*weight)), draw(options(bias=st.just(bias)))


@st.composite
def convolved(draw: Draw, n: int, transposed: bool = False) -> Case:
    tensor = draw(image(n, dtypes=SAME))
    shape = tensor.shape.head
    channels = shape[-n - 1] if len(shape) > n else 2
    groups = draw(st.sampled_from((1, 1, 1, 2)))
    out = draw(st.sampled_from((2, 4, 4, 3)))
    kernel = tuple(draw(st.sampled_from((1, 3, 2, 3, 5))) for _ in range(n))
    lead = (channels, out) if transposed else (out, channels // groups)
    keywords = draw(
        options(
            bias=st.just(of(out * groups if transposed and not seldom(draw) else out)),
            stride=st.sampled_from((1, 2, 2, 1, 0)),
            padding=st.sampled_from((0, 1, (1,) * n, "same", "valid")),
            dilation=st.sampled_from((1, 2)),
        )
    )
    if transposed and isinstance(keywords.get("padding"), str):
        del keywords["padding"]
    shape = (*lead, *kernel)
    weight = of(*(spoiled(draw, shape) if seldom(draw) else shape))
    return (tensor, weight), {**keywords, "groups": groups}


@st.composite
def with_vectors(draw: Draw, *names: str, before: tuple[Any, ...] = ()) -> Case:
    """[N, C, ...] and vectors of C."""
    tensor = draw(tensors(2, 4, SAME))
    channels = tensor.shape.head[1:2]
    given = {
        name: of(*(spoiled(draw, channels) if seldom(draw, 4) else channels))
        for name in names
        if draw(st.booleans())
    }
    return (tensor, *(draw(b) for b in before)), given


@st.composite
def batch_normed(draw: Draw, name: str) -> Case:
    (tensor,), given = draw(with_vectors("weight", "bias"))
    vector = of(*spoiled(draw, tensor.shape.head[1:2]))
    mean = vector if draw(st.integers(0, 3)) else None
    use = {name: draw(st.booleans())}
    return (tensor, mean, mean), {**given, **use}


@st.composite
def layer_normed(draw: Draw, bias: bool) -> Case:
    tensor = draw(tensors(1, 4, SAME))
    shape = tensor.shape.head
    inner = spoiled(draw, shape[draw(st.integers(0, len(shape))) :])
    keywords = draw(options(weight=st.just(of(*spoiled(draw, inner)))))
    if bias and seldom(draw, 2):
        keywords["bias"] = of(*inner)
    return (tensor, inner[0] if inner and seldom(draw) else inner), keywords


CASES["linear"] = mapped()
CASES["bilinear"] = st.builds(
    lambda lead, a, b, o, cut: (
        (of(*lead, a), of(*lead[cut:], b), of(o, a, b if not cut else a)),
        {},
    ),
    shapes(0, 2),
    sizes,
    sizes,
    sizes,
    st.sampled_from((0, 0, 0, 1)),
)
for n in (1, 2, 3):
    CASES[f"conv{n}d"] = convolved(n)
    CASES[f"conv_transpose{n}d"] = convolved(n, transposed=True)
CASES["batch_norm"] = batch_normed("training")
CASES["instance_norm"] = batch_normed("use_input_stats")
CASES["layer_norm"] = layer_normed(bias=True)
CASES["rms_norm"] = layer_normed(bias=False)
CASES["group_norm"] = with_vectors(
    "weight", "bias", before=(st.sampled_from((1, 2, 3, 0)),)
)
CASES["local_response_norm"] = case(tensors(2, 4, FLOAT), st.integers(1, 3))
CASES["normalize"] = with_dim(FLOAT).map(lambda use: (use[0][:1], {"dim": use[0][1]}))
CASES["embedding"] = case(tensors(0, 3, INDEX), tensors(2, 3, ("float",)))
CASES["prelu"] = st.builds(
    lambda use, size: ((use[0][0], of(*use[0][0].shape.head[1:2], *size)), {}),
    with_vectors(),
    st.sampled_from(((), (), (1,))),
)
CASES["glu"] = with_dim(SAME)

# -- grids ---------------------------------------------------------------------

window = st.sampled_from((2, 3, 1, 2, 9, 0))


def pooled(n: int, **more: Any) -> Any:
    each_way = st.one_of(window, st.just((2,) * n), st.just((2,) * (n + 1)))
    return case(
        image(n), each_way, stride=st.sampled_from((1, 2)), ceil_mode=flag, **more
    )


for n in (1, 2, 3):
    out = st.sampled_from((1, 3, (2,) * n, 0, (2,) * (n + 1)))
    some = st.sampled_from((None, (None,) * n)) if n > 1 else out
    CASES[f"max_pool{n}d"] = pooled(
        n,
        padding=st.integers(0, 2),
        dilation=st.integers(1, 2),
        return_indices=flag,
    )
    CASES[f"avg_pool{n}d"] = pooled(
        n, padding=st.integers(0, 1), count_include_pad=flag
    )
    CASES[f"lp_pool{n}d"] = case(image(n), st.just(2.0), window, ceil_mode=flag)
    CASES[f"adaptive_avg_pool{n}d"] = case(image(n), st.one_of(out, some))
    CASES[f"adaptive_max_pool{n}d"] = case(
        image(n), st.one_of(out, some), return_indices=flag
    )

small = st.sampled_from((2, 1, (2, 3)))
CASES["unfold"] = case(
    image(2), small, dilation=small, padding=st.integers(0, 1), stride=small
)


@st.composite
def folded_patches(draw: Draw) -> Case:
    height, width, k = draw(sizes), draw(sizes), draw(st.sampled_from((1, 2)))
    count = max(height - k + 1, 1) * max(width - k + 1, 1)
    shape = spoiled(draw, (2, draw(sizes) * k * k, count))
    return (of(*shape), (height, width), k), {}


@st.composite
def padded(draw: Draw) -> Case:
    mode = draw(
        st.sampled_from(("constant", "constant", "reflect", "replicate", "circular"))
    )
    tensor = draw(st.one_of(image(1, 2, 3), tensors()))
    count = draw(st.integers(1, 3)) * 2 - seldom(draw)
    low = -1 if mode == "constant" else 0
    amounts = draw(st.lists(st.integers(low, 2), min_size=count, max_size=count))
    return (tensor, amounts), draw(options(mode=st.just(mode)))


@st.composite
def resized(draw: Draw) -> Case:
    rank = draw(st.sampled_from((1, 2, 2, 3)))
    tensor = draw(image(rank))
    if len(tensor.shape.head) == rank + 1 and not seldom(draw):
        tensor = tensor.with_shape(fixed(2, *tensor.shape.head))
    modes = ("nearest", "linear", "bilinear", "bicubic", "trilinear", "area")
    fitting = draw(st.sampled_from(("nearest", modes[rank if rank < 3 else 4])))
    mode = draw(st.sampled_from(modes)) if seldom(draw, 4) else fitting
    size = st.sampled_from((3, 8, (5,) * rank, (5, 5), 0))
    scale = st.sampled_from((2, 0.5, 1.7, (2.0,) * rank, 0.1))
    by = {"size": draw(size)} if draw(st.booleans()) else {"scale_factor": draw(scale)}
    more = draw(options(align_corners=flag)) if mode != "nearest" else {}
    if seldom(draw):
        more["antialias"] = True
    return (tensor,), {"mode": mode, **by, **more}


@st.composite
def sampled(draw: Draw) -> Case:
    axes = draw(st.sampled_from((2, 2, 3)))
    batch, channels, *rest = (draw(sizes) for _ in range(2 + 2 * axes))
    tensor = spoiled(draw, (batch, channels, *rest[:axes]))
    grid = spoiled(draw, (batch, *rest[axes:], axes))
    modes = st.sampled_from(("bilinear", "nearest", "bicubic"))
    return (of(*tensor), of(*grid)), draw(options(mode=modes, align_corners=flag))


@st.composite
def affine(draw: Draw) -> Case:
    axes = draw(st.sampled_from((2, 2, 3)))
    size = tuple(draw(sizes) for _ in range(2 + axes))
    theta = spoiled(draw, (size[0], axes, axes + 1))
    return (of(*theta), list(spoiled(draw, size))), {}


CASES["fold"] = folded_patches()
CASES["pad"] = padded()
CASES["interpolate"] = resized()
CASES["grid_sample"] = sampled()
CASES["affine_grid"] = affine()

# -- comparing -----------------------------------------------------------------

how = st.sampled_from(("none", "mean", "sum"))


@st.composite
def compared(draw: Draw, exact: bool = False, **more: Any) -> Case:
    shape = draw(shapes())
    other = spoiled(draw, shape) if exact else broadcastable(draw, shape)
    one = of(*shape, dtype=draw(st.sampled_from(SAME)))
    two = of(*other, dtype=draw(st.sampled_from(SAME)))
    return (one, two), draw(options(reduction=how, **more))


@st.composite
def classified(draw: Draw, probabilities: bool) -> Case:
    shape = draw(shapes(1))
    rest = shape[1:] if len(shape) == 1 else (shape[0], *shape[2:])
    target = of(
        *spoiled(draw, rest), dtype=draw(st.sampled_from(("int64",) * 5 + ("int32",)))
    )
    if probabilities and draw(st.booleans()):
        target = of(*spoiled(draw, shape))
    weight = of(*spoiled(draw, shape[:1] if len(shape) == 1 else shape[1:2]))
    keywords = draw(options(reduction=how, weight=st.just(weight)))
    return (of(*shape), target), keywords


@st.composite
def far_apart(draw: Draw) -> Case:
    batch, width = draw(shapes(0, 2)), draw(sizes)
    one = spoiled(draw, (*batch, draw(sizes), width))
    two = spoiled(draw, (*broadcastable(draw, batch), draw(sizes), width))
    return (of(*one), of(*two)), {}


@st.composite
def alike(draw: Draw) -> Case:
    (one, two), _ = draw(pair("", SAME))
    rank = max(len(one.shape.head), len(two.shape.head))
    return (one, two), {"dim": dim(draw, (1,) * rank)}


each("mse_loss l1_loss smooth_l1_loss huber_loss", compared())
each(
    "binary_cross_entropy binary_cross_entropy_with_logits",
    compared(exact=True),
)
CASES["kl_div"] = compared()
CASES["cross_entropy"] = classified(probabilities=True)
CASES["nll_loss"] = classified(probabilities=False)
CASES["cdist"] = far_apart()
CASES["cosine_similarity"] = alike()
CASES["pairwise_distance"] = pair("", SAME).map(
    lambda use: (use[0], {"keepdim": len(use[0][0].shape.head) % 2 == 0})
)
