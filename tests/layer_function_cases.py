"""Uses of layers as functions, of functions over grids, of distances and losses."""

from __future__ import annotations

from typing import Any

from function_cases import (
    CASES,
    FLOAT,
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
    sizes_of,
    spoiled,
    tensors,
    with_dim,
)
from hypothesis import strategies as st
from loss_cases import LOSSES
from more_function_cases import INDEX, image

from netdsl.shapes import fixed

# -- layers as functions -------------------------------------------------------


@st.composite
def mapped(draw: Draw) -> Case:
    tensor = draw(tensors(1, 4, SAME))
    weight = spoiled(draw, (draw(sizes), sizes_of(tensor)[-1]))
    bias = of(*spoiled(draw, weight[:1]))
    return (tensor, of(*weight)), draw(options(bias=st.just(bias)))


@st.composite
def convolved(draw: Draw, n: int, transposed: bool = False) -> Case:
    tensor = draw(image(n, dtypes=SAME))
    shape = sizes_of(tensor)
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
    channels = sizes_of(tensor)[1:2]
    given = {
        name: of(*(spoiled(draw, channels) if seldom(draw, 4) else channels))
        for name in names
        if draw(st.booleans())
    }
    return (tensor, *(draw(b) for b in before)), given


@st.composite
def batch_normed(draw: Draw, name: str) -> Case:
    (tensor,), given = draw(with_vectors("weight", "bias"))
    vector = of(*spoiled(draw, sizes_of(tensor)[1:2]))
    mean = vector if draw(st.integers(0, 3)) else None
    use = {name: draw(st.booleans())}
    return (tensor, mean, mean), {**given, **use}


@st.composite
def layer_normed(draw: Draw, bias: bool) -> Case:
    tensor = draw(tensors(1, 4, SAME))
    shape = sizes_of(tensor)
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


@st.composite
def over_time(draw: Draw) -> Case:
    time, batch, channels, out = (draw(sizes) for _ in range(4))
    weight = spoiled(draw, (draw(st.sampled_from((1, 2, 3))), channels, out))
    tensor = of(
        *spoiled(draw, (time, batch, channels)), dtype=draw(st.sampled_from(SAME))
    )
    bias = of(*spoiled(draw, weight[-1:]))
    return (tensor, of(*weight), bias), draw(options(pad=st.sampled_from((0, 1, 2))))


@st.composite
def bags(draw: Draw) -> Case:
    dtype = draw(st.sampled_from(INDEX))
    given = draw(tensors(1, 2, (dtype,)))
    more = draw(
        options(
            mode=st.sampled_from(("sum", "mean", "max", "other")),
            include_last_offset=flag,
            padding_idx=st.sampled_from((0, -1, 9)),
            sparse=flag,
        )
    )
    if len(sizes_of(given)) == 1 or seldom(draw):
        more["offsets"] = of(*spoiled(draw, (draw(sizes) + 1,)), dtype=dtype)
    if seldom(draw, 3):
        more["per_sample_weights"] = of(*spoiled(draw, sizes_of(given)))
    return (given, draw(tensors(2, 2, SAME))), more


CASES["conv_tbc"] = over_time()
CASES["embedding_bag"] = bags()
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
    lambda use, size: ((use[0][0], of(*sizes_of(use[0][0])[1:2], *size)), {}),
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


@st.composite
def unpooled(draw: Draw, n: int) -> Case:
    tensor = draw(image(n, dtypes=SAME))
    indices = of(*spoiled(draw, sizes_of(tensor)), dtype=draw(st.sampled_from(INDEX)))
    steps = ((1,) * n, (2,) * n, (3,) * n)
    more = draw(options(stride=st.sampled_from(steps), padding=st.just((1,) * n)))
    if seldom(draw, 3):
        more["output_size"] = [draw(sizes) + 2 for _ in range(n)]
    size = (draw(st.sampled_from((2, 3))),) * n
    return (tensor, indices, 2 if seldom(draw) else size), more


@st.composite
def fractional(draw: Draw, n: int) -> Case:
    size = st.sampled_from((2, 3, (2,) * n, 9))
    ratio = st.sampled_from((0.5, 0.7, (0.5,) * n, 1.0))
    either = (
        {"output_size": draw(size)} if draw(flag) else {"output_ratio": draw(ratio)}
    )
    more = draw(options(return_indices=flag))
    return (draw(image(n)), draw(st.sampled_from((1, 2)))), {**either, **more}


for n in (1, 2, 3):
    CASES[f"max_unpool{n}d"] = unpooled(n)
for n in (2, 3):
    CASES[f"fractional_max_pool{n}d"] = fractional(n)

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
    if len(sizes_of(tensor)) == rank + 1 and not seldom(draw):
        tensor = tensor.with_shape(fixed(2, *sizes_of(tensor)))
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
def compared(draw: Draw, /, exact: bool = False, **more: Any) -> Case:
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
    rank = max(len(sizes_of(one)), len(sizes_of(two)))
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
    lambda use: (use[0], {"keepdim": len(sizes_of(use[0][0])) % 2 == 0})
)
CASES["pdist"] = case(tensors(1, 3, FLOAT))
for name, maker in LOSSES.items():
    if name[0].islower():
        CASES[name] = st.composite(maker)()
