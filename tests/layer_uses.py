"""Uses of torch's layers, right ones and wrong ones, drawn by Hypothesis.

`USES` has a strategy for each layer.  Most draws are near what the layer takes;
the rest have another rank, another dtype, or arguments that can't be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from netdsl.shapes import Tensor
from tests.loss_cases import LOSSES
from tests.rules import Use, layer_use, tensor

Draw = Callable[[st.SearchStrategy[Any]], Any]
Maker = Callable[[Draw, str], Use]

BOOL = st.booleans()
SIZE = st.integers(1, 6)
FEATURES = st.sampled_from([1, 2, 3, 5, 8, -1])
PROBABILITY = st.sampled_from([0.0, 0.5, 1.0, 1.5, -0.1])
MAKERS: dict[str, Maker] = {}


def seldom(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 9 + list(others))


def some(draw: Draw, **options: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Each of the optional arguments, or not."""
    return {name: draw(values) for name, values in options.items() if draw(BOOL)}


def shape(draw: Draw, *ranks: int, largest: int = 6, dtype: str = "") -> Tensor:
    """A tensor of one of these ranks, seldom of another; seldom not of floats."""
    rank = draw(st.sampled_from(ranks))
    if draw(st.integers(0, 11)) == 0:
        rank = draw(st.integers(0, 6))
    sizes = [draw(st.integers(1, largest)) for _ in range(rank)]
    if not dtype:
        dtype = draw(st.sampled_from(["float"] * 18 + ["int64", "bool"]))
    return tensor(*sizes, dtype=dtype)


def image(draw: Draw, n: int, largest: int = 9, dtype: str = "") -> Tensor:
    """Channels and `n` axes, perhaps behind a batch."""
    given = shape(draw, n + 1, n + 2, n + 2, dtype=dtype)
    sizes = [s for s in given.shape.sizes if isinstance(s, int)]
    if len(sizes) > n:
        sizes[-n:] = [draw(st.integers(1, largest)) for _ in range(n)]
    return tensor(*sizes, dtype=given.dtype)


def with_size(given: Tensor, index: int, size: int) -> Tensor:
    rank = len(given.shape.sizes)
    if not -rank <= index < rank:
        return given
    return given.with_shape(given.shape.replace(index, size))


def each(n: int, least: int, most: int) -> st.SearchStrategy[Any]:
    """An int, or one for each axis; seldom below what is right."""
    one = st.integers(max(least, 1), most)
    low = st.integers(least, most)
    return st.one_of(one, one, low, st.tuples(*[one] * n), st.tuples(*[low] * n))


def define(*names: str) -> Callable[[Maker], Maker]:
    def keep(maker: Maker) -> Maker:
        for name in names:
            MAKERS[name] = maker
        return maker

    return keep


def families(*patterns: str) -> list[str]:
    return [p.replace("#", str(n)) for p in patterns for n in (1, 2, 3)]


def axes(name: str) -> int:
    return int(next(c for c in name if c.isdigit()))


# -- linear maps ---------------------------------------------------------------


@define("Linear")
def _linear(draw: Draw, name: str) -> Use:
    more = some(draw, bias=BOOL, in_features=SIZE)
    return layer_use(name, shape(draw, 1, 2, 4), out_features=draw(FEATURES), **more)


@define("Bilinear")
def _bilinear(draw: Draw, name: str) -> Use:
    left = shape(draw, 1, 2, 3)
    right = draw(seldom(left, shape(draw, 1, 2, 3)))
    right = with_size(right, -1, draw(SIZE))
    more = some(draw, bias=BOOL)
    return layer_use(name, left, right, out_features=draw(FEATURES), **more)


@define("Identity")
def _identity(draw: Draw, name: str) -> Use:
    return layer_use(name, shape(draw, 0, 2, 5))


# -- convolutions --------------------------------------------------------------


def _channels(draw: Draw, given: Tensor, n: int) -> tuple[Tensor, dict[str, Any]]:
    groups = draw(st.sampled_from([1, 1, 2, 3, 0]))
    into, out = (draw(st.integers(1, 3)) for _ in "io")
    given = with_size(given, -n - 1, draw(seldom(into * max(groups, 1), 5)))
    arguments: dict[str, Any] = {"out_channels": draw(seldom(out * max(groups, 1), 5))}
    if groups != 1:
        arguments["groups"] = groups
    return given, arguments


@define(*families("Conv#d"))
def _conv(draw: Draw, name: str) -> Use:
    n = axes(name)
    given, arguments = _channels(draw, image(draw, n), n)
    mode = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    # torch crops by a negative padding in some modes; that is no padding.
    least = -1 if mode == "zeros" else 0
    more = some(
        draw,
        stride=each(n, 0, 3),
        dilation=each(n, 0, 2),
        padding=st.one_of(each(n, least, 3), st.sampled_from(["same", "valid"])),
        bias=BOOL,
        in_channels=seldom(
            given.shape.sizes[-n - 1] if len(given.shape.sizes) > n else 1, 4
        ),
    )
    if mode != "zeros":
        more["padding_mode"] = mode
    return layer_use(name, given, kernel_size=draw(each(n, 0, 4)), **arguments, **more)


@define(*families("ConvTranspose#d"))
def _transposed(draw: Draw, name: str) -> Use:
    n = axes(name)
    given, arguments = _channels(draw, image(draw, n, 5), n)
    more = some(
        draw,
        stride=each(n, 0, 3),
        dilation=each(n, 0, 2),
        padding=each(n, -1, 2),
        output_padding=each(n, -1, 2),
        bias=BOOL,
    )
    inputs: list[Any] = [given]
    if draw(st.integers(0, 3)) == 0:
        count = draw(seldom(n, n + 2, n + 1, 1))
        inputs.append([draw(st.integers(1, 12)) for _ in range(count)])
    return layer_use(
        name, *inputs, kernel_size=draw(each(n, 0, 4)), **arguments, **more
    )


# -- pooling -------------------------------------------------------------------


@define(*families("MaxPool#d", "AvgPool#d", "LPPool#d"))
def _pool(draw: Draw, name: str) -> Use:
    n = axes(name)
    size, arguments = each(n, 0, 4), {}
    if name.startswith("LPPool"):
        arguments = {"norm_type": draw(st.sampled_from([1.0, 2.0, 3]))}
        size = st.integers(0, 4) if n == 1 else size
    options = {"stride": st.integers(0, 4) if n == 1 else size, "ceil_mode": BOOL}
    if name.startswith("MaxPool"):
        options |= {"dilation": each(n, 0, 2), "return_indices": BOOL}
    if not name.startswith("LPPool"):
        options["padding"] = each(n, -1, 2)
    if name.startswith("AvgPool"):
        options["count_include_pad"] = BOOL
        if n > 1:
            options["divisor_override"] = st.integers(0, 3)
    given = image(draw, n)
    more = some(draw, **options)
    return layer_use(name, given, kernel_size=draw(size), **arguments, **more)


@define(*families("AdaptiveAvgPool#d", "AdaptiveMaxPool#d"))
def _adaptive(draw: Draw, name: str) -> Use:
    n = axes(name)
    wanted = st.one_of(st.integers(1, 7), st.none())
    count = draw(seldom(n, 1, 4))
    sizes = draw(
        st.one_of(st.integers(-1, 7).filter(bool), st.tuples(*[wanted] * count))
    )
    more = some(draw, return_indices=BOOL) if "Max" in name else {}
    return layer_use(name, image(draw, n), output_size=sizes, **more)


@define(*families("MaxUnpool#d"))
def _unpool(draw: Draw, name: str) -> Use:
    n = axes(name)
    given = image(draw, n, 4, dtype="float")
    indices = tensor(*given.shape.sizes, dtype=draw(seldom("int64", "float", "int32")))
    if draw(st.integers(0, 9)) == 0:
        indices = image(draw, n, dtype="int64")
    more = some(draw, stride=each(n, 1, 3), padding=each(n, 0, 2))
    inputs: list[Any] = [given, indices]
    if draw(st.integers(0, 3)) == 0:
        inputs.append([draw(st.integers(1, 9)) for _ in range(draw(seldom(n, 1)))])
    return layer_use(name, *inputs, kernel_size=draw(each(n, 1, 3)), **more)


@define("FractionalMaxPool2d", "FractionalMaxPool3d")
def _fractional(draw: Draw, name: str) -> Use:
    n = axes(name)
    more = some(draw, return_indices=BOOL)
    size, ratio = each(n, 1, 5), st.sampled_from([0.5, 0.25, 0.7, 1.0, 0.0])
    if draw(BOOL):
        more["output_size"] = draw(size)
    if "output_size" not in more or draw(st.integers(0, 9)) == 0:
        more["output_ratio"] = draw(st.one_of(ratio, st.tuples(*[ratio] * n)))
    return layer_use(name, image(draw, n), kernel_size=draw(each(n, 1, 3)), **more)


# -- normalisation -------------------------------------------------------------


@define(*families("BatchNorm#d", "InstanceNorm#d"), "SyncBatchNorm")
def _batch_norm(draw: Draw, name: str) -> Use:
    if name == "SyncBatchNorm":
        given = shape(draw, 2, 3, 5)
    else:
        given = shape(draw, *((2, 3) if name == "BatchNorm1d" else (axes(name) + 2,)))
        if name.startswith("Instance"):
            given = image(draw, axes(name), 3)
    more = some(
        draw,
        affine=BOOL,
        track_running_stats=BOOL,
        bias=BOOL,
        eps=st.just(0.001),
        momentum=st.just(0.01),
    )
    if draw(st.integers(0, 3)) == 0:
        more["num_features"] = draw(SIZE)
    return layer_use(name, given, **more)


@define("GroupNorm")
def _group_norm(draw: Draw, name: str) -> Use:
    groups = draw(st.sampled_from([1, 1, 2, 3, 0]))
    given = shape(draw, 2, 3, 4, 5)
    if draw(st.integers(0, 4)):
        given = with_size(given, 1, max(groups, 1) * draw(st.integers(1, 3)))
    more = some(draw, affine=BOOL, bias=BOOL)
    if draw(st.integers(0, 3)) == 0:
        more["num_channels"] = draw(SIZE)
    return layer_use(name, given, num_groups=groups, **more)


@define("LayerNorm", "RMSNorm")
def _layer_norm(draw: Draw, name: str) -> Use:
    given = shape(draw, 1, 2, 3, 4)
    more = some(draw, elementwise_affine=BOOL, eps=st.just(1e-6))
    if name == "LayerNorm":
        more |= some(draw, bias=BOOL)
    sizes = given.shape.sizes
    if draw(BOOL):
        count = draw(st.integers(0, len(sizes)))
        trailing = st.just(sizes[len(sizes) - count :])
        other = st.lists(SIZE, max_size=3)
        more["normalized_shape"] = draw(st.one_of(trailing, trailing, other, SIZE))
    return layer_use(name, given, **more)


@define("LocalResponseNorm", "CrossMapLRN2d")
def _local_response(draw: Draw, name: str) -> Use:
    more = some(draw, alpha=st.just(0.01), k=st.just(2))
    return layer_use(name, shape(draw, 3, 4, 5), size=draw(st.integers(0, 4)), **more)


# -- activations and dropout ---------------------------------------------------

_PLAIN = ("Tanh", "Sigmoid", "Softsign", "Tanhshrink", "LogSigmoid", "Softmax2d")
_IN_PLACE = ("ReLU", "ReLU6", "SiLU", "Mish", "SELU", "Hardswish", "Hardsigmoid")
_ACTIVATIONS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    **{name: {} for name in _PLAIN},
    **{name: {"inplace": BOOL} for name in _IN_PLACE},
    "GELU": {"approximate": seldom("tanh", "none", "other")},
    "LeakyReLU": {"negative_slope": st.just(0.2), "inplace": BOOL},
    "RReLU": {"lower": st.just(0.1), "upper": st.just(0.3)},
    "ELU": {"alpha": st.just(0.5), "inplace": BOOL},
    "CELU": {"alpha": st.just(0.5), "inplace": BOOL},
    "Softplus": {"beta": st.just(2), "threshold": st.just(10)},
    "Hardshrink": {"lambd": st.just(0.3)},
    "Softshrink": {"lambd": st.just(0.3)},
    "Hardtanh": {"min_val": st.just(-2), "max_val": seldom(2.0, -2), "inplace": BOOL},
    "PReLU": {"num_parameters": st.integers(1, 4), "init": st.just(0.1)},
    "Softmax": {"dim": st.integers(-4, 4)},
    "LogSoftmax": {"dim": st.integers(-4, 4)},
    "Softmin": {"dim": st.integers(-4, 4)},
    "GLU": {"dim": st.integers(-4, 4)},
}


@define(*_ACTIVATIONS)
def _activation(draw: Draw, name: str) -> Use:
    ranks = (3, 4) if name == "Softmax2d" else (0, 1, 2, 3, 4)
    dtype = draw(seldom("float", "int64", "uint8", "bool"))
    given = shape(draw, *ranks, dtype=dtype)
    return layer_use(name, given, **some(draw, **_ACTIVATIONS[name]))


@define("Threshold")
def _threshold(draw: Draw, name: str) -> Use:
    given = shape(draw, 0, 2, 3, dtype=draw(seldom("float", "int64", "bool")))
    return layer_use(name, given, threshold=1, value=2, **some(draw, inplace=BOOL))


@define(
    *("Dropout", "Dropout1d", "Dropout2d", "Dropout3d"),
    *("AlphaDropout", "FeatureAlphaDropout"),
)
def _dropout(draw: Draw, name: str) -> Use:
    more = some(draw, p=PROBABILITY)
    return layer_use(name, shape(draw, 0, 1, 2, 3, 4, 5), training=True, **more)


# -- tables --------------------------------------------------------------------


@define("Embedding")
def _embedding(draw: Draw, name: str) -> Use:
    given = shape(
        draw, 0, 1, 2, 3, dtype=draw(seldom("int64", "int32", "float", "bool"))
    )
    more = some(draw, padding_idx=st.integers(-4, 4))
    rows = draw(st.integers(1, 4))
    return layer_use(
        name, given, num_embeddings=rows, embedding_dim=draw(FEATURES), **more
    )


@define("EmbeddingBag")
def _bag(draw: Draw, name: str) -> Use:
    dtype = draw(seldom("int64", "int32", "float"))
    given = shape(draw, 1, 2, 2, dtype=dtype)
    more = some(
        draw,
        mode=st.sampled_from(["sum", "mean", "max", "other"]),
        include_last_offset=BOOL,
        padding_idx=st.integers(-3, 3),
    )
    keywords = {}
    if len(given.shape.sizes) == 1 or draw(st.integers(0, 9)) == 0:
        keywords["offsets"] = tensor(draw(st.integers(2, 4)), dtype=dtype)
    if draw(st.integers(0, 3)) == 0:
        keywords["per_sample_weights"] = tensor(*given.shape.sizes)
    return layer_use(
        name,
        given,
        keywords=keywords,
        num_embeddings=draw(st.integers(1, 4)),
        embedding_dim=draw(FEATURES),
        **more,
    )


# -- padding and other grids ---------------------------------------------------


@define(
    *families("ConstantPad#d", "ZeroPad#d"),
    *families("ReflectionPad#d", "ReplicationPad#d", "CircularPad#d"),
)
def _pad(draw: Draw, name: str) -> Use:
    n = axes(name)
    one = st.integers(-1, 3)
    padding = draw(st.one_of(one, st.tuples(*[one] * 2 * n)))
    more = {"value": draw(st.sampled_from([0, 1.5]))} if name[0:2] == "Co" else {}
    return layer_use(name, image(draw, n, 6), padding=padding, **more)


@define("Flatten")
def _flatten(draw: Draw, name: str) -> Use:
    dim = st.integers(-4, 4)
    return layer_use(
        name, shape(draw, 1, 2, 3, 4), **some(draw, start_dim=dim, end_dim=dim)
    )


@define("Unflatten")
def _unflatten(draw: Draw, name: str) -> Use:
    parts = draw(st.lists(seldom(2, 1, 3, -1), min_size=1, max_size=3))
    given, dim = shape(draw, 1, 2, 3), draw(st.integers(-3, 2))
    if draw(st.integers(0, 4)):
        size = draw(st.integers(1, 2))
        for part in parts:
            size *= max(part, 1)
        given = with_size(given, dim, size)
        if draw(BOOL):
            parts = [*parts, -1]
    return layer_use(name, given, dim=dim, unflattened_size=tuple(parts))


def _steps(draw: Draw) -> dict[str, Any]:
    step = each(2, 0, 2)
    return some(draw, dilation=step, padding=each(2, -1, 2), stride=step)


@define("Unfold")
def _unfold(draw: Draw, name: str) -> Use:
    given = image(draw, 2, 7, dtype=draw(seldom("float", "int64")))
    return layer_use(name, given, kernel_size=draw(each(2, 0, 3)), **_steps(draw))


@define("Fold")
def _fold(draw: Draw, name: str) -> Use:
    out, kernel = draw(each(2, 0, 6)), draw(each(2, 0, 3))
    more, given = _steps(draw), shape(draw, 2, 3)
    area = kernel * kernel if isinstance(kernel, int) else kernel[0] * kernel[1]
    if draw(st.integers(0, 4)):
        given = with_size(given, -2, max(area, 1) * draw(st.integers(1, 2)))
        given = with_size(given, -1, max(_count(out, kernel, more), 1))
    return layer_use(name, given, output_size=out, kernel_size=kernel, **more)


def _count(out: Any, kernel: Any, more: Mapping[str, Any]) -> int:
    count = 1
    for i in (0, 1):
        n, k, d, p, s = (
            v if isinstance(v, int) else v[i]
            for v in (
                *(out, kernel, more.get("dilation", 1)),
                *(more.get("padding", 0), more.get("stride", 1)),
            )
        )
        count *= (n + 2 * p - d * (k - 1) - 1) // max(s, 1) + 1
    return count


@define("PixelShuffle", "PixelUnshuffle", "ChannelShuffle")
def _shuffle(draw: Draw, name: str) -> Use:
    factor, given = draw(st.sampled_from([1, 2, 2, 3, 0])), shape(draw, 3, 4, 5)
    if draw(st.integers(0, 4)):
        step = factor**2 if name == "PixelShuffle" else factor
        for i in (1, -2, -1) if name == "PixelUnshuffle" else (1, -3):
            given = with_size(given, i, max(step, 1) * draw(st.integers(1, 2)))
    argument = {
        "PixelShuffle": "upscale_factor",
        "PixelUnshuffle": "downscale_factor",
        "ChannelShuffle": "groups",
    }
    return layer_use(name, given, **{argument[name]: factor})


_SCALE = st.sampled_from([1, 2, 0.5, 1.5, 2.5, 0.3, 1 / 3, -1.0])


@define("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d")
def _upsample(draw: Draw, name: str) -> Use:
    n = 2 if name != "Upsample" else draw(st.integers(1, 3))
    more: dict[str, Any] = {}
    if draw(BOOL):
        more["size"] = draw(each(n if draw(st.integers(0, 9)) else 2, 1, 9))
    if "size" not in more or draw(st.integers(0, 9)) == 0:
        more["scale_factor"] = draw(st.one_of(_SCALE, st.tuples(*[_SCALE] * n)))
    if name == "Upsample":
        modes = ("linear", "bilinear", "trilinear")[n - 1], "nearest", "nearest-exact"
        mode = st.sampled_from([*modes, "area", "bicubic", "other"])
        more |= some(draw, mode=mode, align_corners=BOOL, recompute_scale_factor=BOOL)
    given = shape(draw, n + 2, dtype=draw(seldom("float", "int64")))
    return layer_use(name, given, **more)


# -- recurrent layers ----------------------------------------------------------


@define("RNN", "GRU", "LSTM")
def _recurrent(draw: Draw, name: str) -> Use:
    given = shape(draw, 2, 3, 3)
    hidden = draw(st.sampled_from([1, 2, 3, 5, 0]))
    more = some(
        draw,
        num_layers=st.sampled_from([1, 2, 3, 0]),
        bias=BOOL,
        batch_first=BOOL,
        dropout=PROBABILITY,
        bidirectional=BOOL,
    )
    if name == "LSTM":
        more |= some(draw, proj_size=st.integers(-1, 3))
    if name == "RNN":
        more |= some(draw, nonlinearity=seldom("relu", "tanh", "other"))
    inputs: list[Any] = [given]
    if draw(BOOL) and len(given.shape.sizes) in (2, 3):
        inputs.append(_states(draw, name, given, hidden, more))
    return layer_use(name, *inputs, hidden_size=hidden, **more)


def _states(draw: Draw, name: str, given: Tensor, hidden: int, more: Any) -> Any:
    sizes = given.shape.sizes
    batch = () if len(sizes) == 2 else (sizes[0 if more.get("batch_first") else 1],)
    layers = more.get("num_layers", 1) * (2 if more.get("bidirectional") else 1)
    out = max(more.get("proj_size", 0), 0) or hidden
    wrong = shape(draw, len(sizes), dtype="float")
    states = [
        draw(seldom(tensor(layers, *batch, out), wrong)),
        draw(seldom(tensor(layers, *batch, hidden), wrong)),
    ]
    return tuple(states) if name == "LSTM" else states[0]


@define("RNNCell", "GRUCell", "LSTMCell")
def _cell(draw: Draw, name: str) -> Use:
    given, hidden = shape(draw, 1, 2), draw(st.integers(1, 4))
    more = some(draw, bias=BOOL)
    if name == "RNNCell":
        more |= some(draw, nonlinearity=st.sampled_from(["relu", "tanh"]))
    inputs: list[Any] = [given]
    if draw(BOOL):
        right = tensor(*given.shape.sizes[:-1], hidden)
        wrong = shape(draw, 1, 2, dtype="float")
        h, s = draw(seldom(right, wrong)), draw(seldom(right, wrong))
        inputs.append((h, s) if name == "LSTMCell" else h)
    return layer_use(name, *inputs, hidden_size=hidden, **more)


# -- attention -----------------------------------------------------------------


def _lengths(draw: Draw) -> tuple[list[int], int, int]:
    return draw(st.sampled_from([[], [1], [2], [3]])), draw(SIZE), draw(SIZE)


def _of(draw: Draw, batch: list[int], length: int, width: int, first: Any) -> Tensor:
    sizes = [*batch, length, width] if first else [length, *batch, width]
    given: Tensor = draw(seldom(tensor(*sizes), shape(draw, 2, 3, dtype="float")))
    return given


def _mask(draw: Draw, *sizes: int) -> Tensor:
    dtype = draw(seldom("bool", "float", "int64"))
    given: Tensor = draw(
        seldom(tensor(*sizes, dtype=dtype), shape(draw, 2, dtype=dtype))
    )
    return given


def _masks(
    draw: Draw, mask: str, padding: str, batch: list[int], heads: int, t: int, s: int
) -> dict[str, Any]:
    """The masks that a call may be given."""
    masks = {}
    if draw(st.integers(0, 2)) == 0:
        ahead = [heads * batch[0] if batch else heads] if draw(BOOL) else []
        masks[mask] = _mask(draw, *ahead, t, s)
    if draw(st.integers(0, 2)) == 0:
        masks[padding] = _mask(draw, *batch, s)
    return masks


@define("MultiheadAttention")
def _attention(draw: Draw, name: str) -> Use:
    batch, target, source = _lengths(draw)
    heads = draw(st.sampled_from([1, 2, 3, 0]))
    width = draw(seldom(max(heads, 1) * draw(st.integers(1, 3)), 5))
    more = some(
        draw,
        dropout=st.just(0.1),
        bias=BOOL,
        add_bias_kv=BOOL,
        add_zero_attn=BOOL,
        batch_first=BOOL,
    )
    first = more.get("batch_first", False)
    query = _of(draw, batch, target, width, first)
    key, value = (
        _of(draw, batch, source, draw(st.sampled_from([width, width, 3])), first)
        for _ in "kv"
    )
    keywords = _masks(
        draw, "attn_mask", "key_padding_mask", batch, heads, target, source
    )
    keywords |= some(draw, need_weights=BOOL, average_attn_weights=BOOL)
    if draw(st.integers(0, 9)) == 0:
        more["kdim"] = draw(SIZE)
    if "attn_mask" not in keywords and draw(st.integers(0, 9)) == 0:
        keywords["is_causal"] = True
    return layer_use(
        name, query, key, value, keywords=keywords, num_heads=heads, **more
    )


@define("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer")
def _transformer(draw: Draw, name: str) -> Use:
    batch, target, source = _lengths(draw)
    heads = draw(st.sampled_from([1, 2, 3]))
    width = draw(seldom(heads * draw(st.integers(1, 2)), 5))
    more = some(
        draw,
        dropout=PROBABILITY,
        activation=st.sampled_from(["relu", "gelu"]),
        batch_first=BOOL,
        norm_first=BOOL,
        bias=BOOL,
    )
    first = more.get("batch_first", False)
    more |= {"nhead": heads, "dim_feedforward": draw(FEATURES)}
    tgt = _of(draw, batch, target, width, first)
    src = _of(draw, batch, source, width, first)
    own = ("tgt_mask", "tgt_key_padding_mask", batch, heads, target, target)
    other = ("memory_mask", "memory_key_padding_mask", batch, heads, target, source)
    encoded = ("src_mask", "src_key_padding_mask", batch, heads, source, source)
    if name == "TransformerEncoderLayer":
        return layer_use(name, src, keywords=_masks(draw, *encoded), **more)
    keywords = _masks(draw, *own) | _masks(draw, *other)
    if name == "TransformerDecoderLayer":
        return layer_use(name, tgt, src, keywords=keywords, **more)
    more["num_encoder_layers"] = draw(st.integers(0, 2))
    more["num_decoder_layers"] = draw(st.integers(1, 2))
    keywords |= _masks(draw, *encoded)
    return layer_use(name, src, tgt, keywords=keywords, **more)


# -- distances and losses ------------------------------------------------------


def _pair(draw: Draw, dtype: str = "float") -> tuple[Tensor, Tensor]:
    """Two tensors, often such that they broadcast."""
    left = shape(draw, 0, 1, 2, 3, dtype="float")
    sizes = [draw(seldom(s, 1, 4)) for s in left.shape.sizes]
    cut = draw(seldom(0, 1))
    return left, tensor(*sizes[cut:], dtype=dtype)


@define("CosineSimilarity", "PairwiseDistance")
def _distance(draw: Draw, name: str) -> Use:
    if name == "CosineSimilarity":
        more = some(draw, dim=st.integers(-3, 3), eps=st.just(0.1))
    else:
        more = some(draw, p=st.just(1), keepdim=BOOL)
    return layer_use(name, *_pair(draw), **more)


_REDUCTION = seldom("none", "mean", "sum", "other")


@define("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss")
@define("KLDivLoss", "BCELoss", "BCEWithLogitsLoss")
def _pointwise(draw: Draw, name: str) -> Use:
    dtype = draw(seldom("float", "int64"))
    reduction = seldom("batchmean", "none") if name[0] == "K" else _REDUCTION
    return layer_use(name, *_pair(draw, dtype), **some(draw, reduction=reduction))


@define("CrossEntropyLoss", "NLLLoss")
def _classes(draw: Draw, name: str) -> Use:
    given = shape(draw, 1, 2, 3, 4)
    sizes = given.shape.sizes
    target = sizes[1:] if len(sizes) == 1 else (sizes[:1] + sizes[2:])
    dtype = draw(seldom("int64", "float", "int32"))
    wanted = tensor(*(sizes if dtype == "float" else target), dtype=dtype)
    wanted = draw(seldom(wanted, shape(draw, 1, 2, 3, dtype=dtype)))
    more = some(draw, reduction=_REDUCTION)
    return layer_use(name, given, wanted, **more)


@define(*(name for name in LOSSES if name[0].isupper()))
def _loss(draw: Draw, name: str) -> Use:
    inputs, arguments = draw(st.composite(LOSSES[name])())
    # A weight of the classes is a tensor, which no argument of a layer is.
    return layer_use(
        name, *inputs, **{k: v for k, v in arguments.items() if k != "weight"}
    )


def _strategy(name: str, maker: Maker) -> st.SearchStrategy[Use]:
    @st.composite
    def use(draw: st.DrawFn) -> Use:
        return maker(draw, name)

    return use()


USES: dict[str, st.SearchStrategy[Use]] = {
    name: _strategy(name, maker) for name, maker in MAKERS.items()
}
