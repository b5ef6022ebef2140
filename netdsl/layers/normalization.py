"""Normalisation: over a batch, an example, or groups of channels."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.dims import Size, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, Unknown, layer
from netdsl.shapes import Shape, Tensor

Sizes = Mapping[str, tuple[Size, ...]]


def _features(c: Call, channels: Size, name: str = "num_features") -> None:
    # Without weights and statistics torch never looks at the number.
    if c.affine is not True and c.values.get("track_running_stats") is not True:
        return
    count = c.values[name]
    c.equal(
        channels,
        count,
        lambda: f"`{c.declaration.name}` normalises {show(count)} channels,"
        f" and {c.input} flows in",
    )


def _several(c: Call, count: Size, what: str) -> None:
    c.require(
        Comparison("!=", count, 1),
        f"`{c.declaration.name}` needs more than one value {what},"
        f" and {c.input} has one",
    )


def _product(sizes: tuple[Size, ...]) -> Size:
    return Shape(sizes).numel


def _affine(c: Call) -> Sizes:
    if not c.known("affine"):
        return {}
    bias = {"bias": (c.num_features,)} if c.known("bias") else {}
    return {"weight": (c.num_features,), **bias}


def _statistics(c: Call) -> Sizes:
    if not c.known("track_running_stats"):
        return {}
    return {
        "running_mean": (c.num_features,),
        "running_var": (c.num_features,),
        "num_batches_tracked": (),
    }


def _batch_norm(*ranks: int) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        if ranks:
            c.rank(tensor, *ranks)
        elif tensor.shape.rank in (0, 1):
            raise c.refuse(
                f"`{c.declaration.name}` wants 2 sizes or more, not {tensor}"
            )
        c.floating(tensor)
        _features(c, tensor.shape.at(1))
        if c.track_running_stats is False and tensor.shape.rank is not None:
            sizes = tensor.shape.sizes
            _several(c, sizes[0] * _product(sizes[2:]), "a channel")
        return tensor

    return rule


def _instance_norm(n: int) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        c.rank(tensor, n + 1, n + 2)
        c.floating(tensor)
        sizes = tensor.shape.sizes
        _features(c, sizes[-n - 1])
        if c.track_running_stats is False:
            _several(c, _product(sizes[-n:]), "a channel of an example")
        return tensor

    return rule


def _group_norm(c: Call) -> Tensor:
    tensor: Tensor = c.input
    if tensor.shape.rank in (0, 1):
        raise c.refuse(
            f"`GroupNorm` wants its input to have 2 sizes or more, not {tensor}"
        )
    c.floating(tensor)
    c.at_least("num_groups")
    channels = tensor.shape.at(1)
    _features(c, channels, "num_channels")
    for count in (c.num_channels, channels):
        c.equal(
            count % c.num_groups,
            0,
            f"`GroupNorm` makes {show(c.num_groups)} groups of {show(count)} channels,"
            " which doesn't come out even",
        )
    if tensor.shape.rank is not None:
        sizes = tensor.shape.sizes
        each = sizes[0] * (channels // c.num_groups) * _product(sizes[2:])
        _several(c, each, "a group")
    return tensor


def _group_norm_weights(c: Call) -> Sizes:
    if not c.known("affine"):
        return {}
    bias = {"bias": (c.num_channels,)} if c.known("bias") else {}
    return {"weight": (c.num_channels,), **bias}


def _normalized(c: Call) -> tuple[Size, ...]:
    shape = c.known("normalized_shape")
    return shape if isinstance(shape, tuple) else (shape,)


def _trailing_norm(input: str) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.values[input]
        c.floating(tensor)
        if isinstance(c.normalized_shape, Unknown):
            return tensor
        wanted = _normalized(c)
        if not wanted:
            raise c.bad(
                "normalized_shape", "`normalized_shape` names at least one size"
            )
        rank = tensor.shape.rank
        text = (
            f"`{c.declaration.name}` normalises over {Shape(wanted)},"
            f" and {tensor} flows in"
        )
        if rank is not None and rank < len(wanted):
            raise c.refuse(text)
        for i in range(-len(wanted), 0):
            c.equal(tensor.shape.at(i), wanted[i], text)
        return tensor

    return rule


def _layer_norm_weights(c: Call) -> Sizes:
    if not c.known("elementwise_affine"):
        return {}
    shape = _normalized(c)
    return {"weight": shape, **({"bias": shape} if c.known("bias") else {})}


def _rms_norm_weights(c: Call) -> Sizes:
    return {"weight": _normalized(c)} if c.known("elementwise_affine") else {}


def _local_response(c: Call) -> Tensor:
    tensor: Tensor = c.input
    c.floating(tensor)
    if tensor.shape.rank is not None and tensor.shape.rank < 3:
        raise c.refuse(
            "`LocalResponseNorm` wants its input to have 3 sizes or more,"
            f" and {tensor} has {tensor.shape.rank}"
        )
    c.at_least("size")
    return tensor


def _cross_map(c: Call) -> Tensor:
    tensor: Tensor = c.input
    c.floating(tensor)
    c.rank(tensor, 4)
    c.at_least("size")
    return tensor


def _declare(n: int) -> None:
    axes = ("sequences", "images", "volumes")[n - 1]
    layer(
        f"BatchNorm{n}d(num_features: size[1], eps: float = 1e-05,"
        " momentum: float? = 0.1, affine: bool = True,"
        " track_running_stats: bool = True, bias: bool = True)",
        _batch_norm(*((2, 3) if n == 1 else (n + 2,))),
        f"Normalises each channel of {axes} over the batch.",
        parameters=_affine,
        buffers=_statistics,
    )
    layer(
        f"InstanceNorm{n}d(num_features: size[{-n - 1}], eps: float = 1e-05,"
        " momentum: float = 0.1, affine: bool = False,"
        " track_running_stats: bool = False, bias: bool = True)",
        _instance_norm(n),
        f"Normalises each channel of each of the {axes} by itself.",
        parameters=_affine,
        buffers=_statistics,
    )


for _n in (1, 2, 3):
    _declare(_n)

layer(
    "SyncBatchNorm(num_features: size[1], eps: float = 1e-05, momentum: float? = 0.1,"
    " affine: bool = True, track_running_stats: bool = True, bias: bool = True)",
    _batch_norm(),
    "Batch normalisation over all processes that train together.",
    parameters=_affine,
    buffers=_statistics,
)
layer(
    "GroupNorm(num_groups: int, num_channels: size[1], eps: float = 1e-05,"
    " affine: bool = True, bias: bool = True)",
    _group_norm,
    "Normalises groups of channels of each example.",
    parameters=_group_norm_weights,
)
layer(
    "LayerNorm(normalized_shape: size[-1] | ints, eps: float = 1e-05,"
    " elementwise_affine: bool = True, bias: bool = True)",
    _trailing_norm("input"),
    "Normalises over the last size, or over the trailing sizes that are written.",
    parameters=_layer_norm_weights,
)
layer(
    "RMSNorm(normalized_shape: size[-1] | ints, eps: float? = None,"
    " elementwise_affine: bool = True)",
    _trailing_norm("x"),
    "Divides by the root mean square over the last size, or the trailing sizes.",
    call="x: tensor",
    parameters=_rms_norm_weights,
)
layer(
    "LocalResponseNorm(size: int, alpha: float = 0.0001, beta: float = 0.75,"
    " k: float = 1.0)",
    _local_response,
    "Divides by the strength of the neighbouring channels.",
)
layer(
    "CrossMapLRN2d(size: int, alpha: float = 0.0001, beta: float = 0.75,"
    " k: float = 1)",
    _cross_map,
    "LocalResponseNorm of a batch of images, as older models have it.",
)
