"""Layers as functions, with their weights given as tensors."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, modulo, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.convolution import windows
from netdsl.layers.pointwise import keep
from netdsl.layers.rearranging import at_least
from netdsl.layers.spec import LAYERS, Result, Rule, function
from netdsl.shapes import Shape, Tensor, fixed


def as_layer(name: str, **more: object) -> Rule:
    """The rule of the layer that does the same."""

    def rule(c: Call) -> Result:
        c.values.update(more)
        return LAYERS[name].rule(c)

    return rule


def vector(c: Call, name: str, size: Size) -> None:
    """States that an argument, if it is given, is a vector of a size."""
    tensor: Tensor | None = c.values[name]
    if tensor is None:
        return
    c.rank(tensor, 1, name=f"`{name}`")
    c.equal(
        tensor.shape.at(0),
        size,
        f"`{name}` of `{c.declaration.name}` is {tensor}, and {c.input} asks for"
        f" [{show(size)}]",
    )


def _one_dtype(c: Call, *names: str) -> None:
    given = [c.values[name] for name in names]
    c.same_dtype(c.input, *(t for t in given if t is not None))


# -- linear maps ---------------------------------------------------------------


def _linear(c: Call) -> Tensor:
    c.floating(c.input)
    _one_dtype(c, "weight", "bias")
    weight: Tensor = c.weight
    c.rank(weight, 1, 2, name="`weight`")
    text = f"`linear` maps {c.input} by {weight}"
    c.equal(
        c.input.shape.at(-1),
        weight.shape.at(-1),
        f"{text}, which reads {show(weight.shape.at(-1))} features",
    )
    if weight.shape.rank == 1:
        if c.bias is not None:
            c.rank(c.bias, 0, name="`bias`")
        return keep(c).with_shape(c.input.shape.without(-1))
    if c.bias is not None and c.bias.shape not in (fixed(), fixed(1)):
        vector(c, "bias", weight.shape.at(0))
    return keep(c).with_shape(c.input.shape.replace(-1, weight.shape.at(0)))


def _bilinear(c: Call) -> Result:
    c.rank(c.weight, 3, name="`weight`")
    out, left, right = c.weight.shape.sizes
    c.values["input"] = c.input1
    vector(c, "bias", out)
    c.same_dtype(c.input1, c.input2, c.weight)
    c.values.update(out_features=out, in1_features=left, in2_features=right)
    return LAYERS["Bilinear"].rule(c)


function(
    "linear(input: tensor, weight: tensor, bias: tensor? = None)",
    "F.linear",
    _linear,
    "Affine map of the last size: `x @ weight.T + bias`.",
)
function(
    "bilinear(input1: tensor, input2: tensor, weight: tensor, bias: tensor? = None)",
    "F.bilinear",
    _bilinear,
    "`x1 @ weight @ x2` for each output.",
)


# -- convolutions --------------------------------------------------------------


def _conv(n: int) -> Rule:
    def rule(c: Call) -> Result:
        weight: Tensor = c.weight
        c.rank(weight, n + 2, name="`weight`")
        out, channels, *kernel = weight.shape.sizes
        vector(c, "bias", out)
        c.at_least("groups")
        c.values.update(
            out_channels=out,
            in_channels=channels * c.groups,
            kernel_size=tuple(kernel),
            padding_mode="zeros",
        )
        _one_dtype(c, "weight", "bias")
        return LAYERS[f"Conv{n}d"].rule(c)

    return rule


def _transposed(n: int) -> Rule:
    def rule(c: Call) -> Result:
        weight: Tensor = c.weight
        c.rank(weight, n + 2, name="`weight`")
        channels, out, *kernel = weight.shape.sizes
        c.at_least("groups")
        vector(c, "bias", out * c.groups)
        c.values.update(
            out_channels=out * c.groups,
            in_channels=channels,
            kernel_size=tuple(kernel),
            output_size=None,
        )
        _one_dtype(c, "weight", "bias")
        return LAYERS[f"ConvTranspose{n}d"].rule(c)

    return rule


def _declare_convolutions(n: int) -> None:
    k = f"int{n}"
    weights = "input: tensor, weight: tensor, bias: tensor? = None"
    function(
        f'conv{n}d({weights}, stride: {k} = 1, padding: {k} | "same" "valid" = 0,'
        f" dilation: {k} = 1, groups: int = 1)",
        f"F.conv{n}d",
        _conv(n),
        "Convolution with a weight [out, in // groups, *kernel].",
    )
    function(
        f"conv_transpose{n}d({weights}, stride: {k} = 1, padding: {k} = 0,"
        f" output_padding: {k} = 0, groups: int = 1, dilation: {k} = 1)",
        f"F.conv_transpose{n}d",
        _transposed(n),
        "Transposed convolution with a weight [in, out // groups, *kernel].",
    )


for _n in (1, 2, 3):
    _declare_convolutions(_n)


def _conv_tbc(c: Call) -> Tensor:
    c.rank(c.input, 3)
    c.rank(c.weight, 3, name="`weight`")
    c.rank(c.bias, 1, name="`bias`")
    c.floating(c.input)
    _one_dtype(c, "weight", "bias")
    time, batch, channels = c.input.shape.sizes
    kernel, into, out = c.weight.shape.sizes
    c.equal(channels, into, f"`conv_tbc` maps {c.input} by {c.weight}")
    vector(c, "bias", out)
    c.at_least("pad", least=0)
    length = windows(c, time, kernel, padding=c.known("pad"))
    return keep(c).with_shape(fixed(length, batch, out))


function(
    "conv_tbc(input: tensor, weight: tensor, bias: tensor, pad: int = 0)",
    "torch.conv_tbc",
    _conv_tbc,
    "Convolution of [T, N, C] with a weight [kernel, in, out].",
)

# -- norms ---------------------------------------------------------------------


def _statistics(c: Call, needed: bool) -> Tensor:
    """Norms over the channels, which size 1 counts."""
    tensor = keep(c)
    c.floating(tensor)
    at_least(c, 2)
    channels = tensor.shape.at(1)
    for name in ("running_mean", "running_var", "weight", "bias"):
        vector(c, name, channels)
    if needed and c.running_mean is None:
        raise c.bad(
            "running_mean",
            f"`{c.declaration.name}` needs `running_mean` and `running_var` here",
        )
    return tensor


def _several(c: Call, sizes: tuple[Size, ...]) -> None:
    c.require(
        Comparison("!=", Shape(sizes).numel, 1),
        f"`{c.declaration.name}` takes the mean of more than one value, and {c.input}"
        " has one for each channel",
    )


def _batch_norm(c: Call) -> Tensor:
    tensor = _statistics(c, needed=c.training is False)
    if c.training is True:
        sizes = tensor.shape.sizes
        _several(c, (sizes[0], *sizes[2:]))
    return tensor


def _instance_norm(c: Call) -> Tensor:
    tensor = _statistics(c, needed=c.use_input_stats is False)
    if c.use_input_stats is True:
        _several(c, tensor.shape.sizes[2:])
    return tensor


def _layer_norm(c: Call) -> Result:
    shape = c.known("normalized_shape")
    if not isinstance(shape, tuple):
        raise c.bad(
            "normalized_shape",
            f"`normalized_shape` of `{c.declaration.name}` is a list of sizes",
            f"write `[{show(shape)}]`",
        )
    for name in ("weight", "bias"):
        tensor: Tensor | None = c.values.get(name)
        if tensor is not None:
            text = f"`{name}` of `{c.declaration.name}` is {tensor}, not {Shape(shape)}"
            c.rank(tensor, len(shape), name=f"`{name}`")
            for a, b in zip(tensor.shape.sizes, shape, strict=True):
                c.equal(a, b, text)
    c.values["x"] = c.input
    return LAYERS["RMSNorm" if c.declaration.name == "rms_norm" else "LayerNorm"].rule(
        c
    )


def _group_norm(c: Call) -> Result:
    at_least(c, 2)
    channels = c.input.shape.at(1)
    for name in ("weight", "bias"):
        vector(c, name, channels)
    c.values.update(num_channels=channels, affine=True)
    return LAYERS["GroupNorm"].rule(c)


def _local_response(c: Call) -> Result:
    at_least(c, 3)
    return LAYERS["LocalResponseNorm"].rule(c)


def _normalize(c: Call) -> Tensor:
    c.floating(c.input)
    c.axes(c.input)
    return keep(c)


_AFFINE = "weight: tensor? = None, bias: tensor? = None"
_OPTIONAL = "running_mean: tensor? = None, running_var: tensor? = None"
function(
    "batch_norm(input: tensor, running_mean: tensor?, running_var: tensor?,"
    f" {_AFFINE}, training: bool = False, momentum: float = 0.1, eps: float = 1e-05)",
    "F.batch_norm",
    _batch_norm,
    "Normalises each channel over the batch.",
)
function(
    f"instance_norm(input: tensor, {_OPTIONAL}, {_AFFINE},"
    " use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-05)",
    "F.instance_norm",
    _instance_norm,
    "Normalises each channel of each example.",
)
function(
    f"layer_norm(input: tensor, normalized_shape: ints, {_AFFINE}, eps: float = 1e-05)",
    "F.layer_norm",
    _layer_norm,
    "Normalises over the last sizes.",
)
function(
    "rms_norm(input: tensor, normalized_shape: ints, weight: tensor? = None,"
    " eps: float? = None)",
    "F.rms_norm",
    _layer_norm,
    "Divides by the root of the mean square over the last sizes.",
)
function(
    f"group_norm(input: tensor, num_groups: int, {_AFFINE}, eps: float = 1e-05)",
    "F.group_norm",
    _group_norm,
    "Normalises groups of channels.",
)
function(
    "local_response_norm(input: tensor, size: int, alpha: float = 0.0001,"
    " beta: float = 0.75, k: float = 1.0)",
    "F.local_response_norm",
    _local_response,
    "Normalises over neighbouring channels.",
)
function(
    "normalize(input: tensor, p: float = 2.0, dim: ints = 1, eps: float = 1e-12)",
    "F.normalize",
    _normalize,
    "Scales vectors along `dim` to length 1.",
)


# -- others --------------------------------------------------------------------


def _embedding(c: Call) -> Tensor:
    c.integer(c.input, "int64", "int32")
    c.rank(c.weight, 2, name="`weight`")
    return Tensor(c.input.shape.append(c.weight.shape.at(1)), c.weight.dtype)


def _embedding_bag(c: Call) -> Tensor:
    weight: Tensor = c.weight
    c.rank(weight, 2, name="`weight`")
    rows, width = weight.shape.sizes
    if c.per_sample_weights is not None:
        c.same_dtype(weight, c.per_sample_weights)
    if c.mode == "max" and (c.sparse is True or c.scale_grad_by_freq is True):
        raise c.bad(
            "mode", '`mode="max"` goes without `sparse` and `scale_grad_by_freq`'
        )
    c.values.update(num_embeddings=rows, embedding_dim=width)
    result = LAYERS["EmbeddingBag"].rule(c)
    assert isinstance(result, Tensor)
    return Tensor(result.shape, weight.dtype)


def _prelu(c: Call) -> Tensor:
    tensor = keep(c)
    c.floating(tensor)
    _one_dtype(c, "weight")
    c.rank(c.weight, 0, 1, name="`weight`")
    sizes = c.weight.shape.sizes
    if sizes and sizes[0] != 1:
        channels = 1 if tensor.shape.rank in (0, 1) else tensor.shape.at(1)
        vector(c, "weight", channels)
    return tensor


def _glu(c: Call) -> Tensor:
    tensor = keep(c)
    c.floating(tensor)
    place = c.axis(tensor)
    size = tensor.shape.at(place)
    c.equal(
        modulo(size, 2),
        0,
        f"`glu` halves size {c.dim} of {tensor}: {show(size)} is odd",
    )
    return tensor.with_shape(tensor.shape.replace(place, floordiv(size, 2)))


function(
    "embedding(input: tensor, weight: tensor, padding_idx: int? = None,"
    " max_norm: float? = None, norm_type: float = 2.0,"
    " scale_grad_by_freq: bool = False, sparse: bool = False)",
    "F.embedding",
    _embedding,
    "The rows of a table that the input names.",
)
function(
    "embedding_bag(input: tensor, weight: tensor, offsets: tensor? = None,"
    " max_norm: float? = None, norm_type: float = 2, scale_grad_by_freq: bool = False,"
    ' mode: "sum" "mean" "max" = "mean", sparse: bool = False,'
    " per_sample_weights: tensor? = None, include_last_offset: bool = False,"
    " padding_idx: int? = None)",
    "F.embedding_bag",
    _embedding_bag,
    "The sum, mean or maximum of the rows of a table that each bag names.",
)
function(
    "prelu(input: tensor, weight: tensor)",
    "F.prelu",
    _prelu,
    "`x` above 0, `weight * x` below.",
)
function(
    "glu(input: tensor, dim: int = -1)",
    "F.glu",
    _glu,
    "One half of a size times the sigmoid of the other.",
)
