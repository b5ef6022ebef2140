"""Activations."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.dims import Dim, Size, show
from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, Unknown, layer
from netdsl.shapes import Refusal, Shape, Tensor


def elementwise(c: Call) -> Tensor:
    """The same shape, of floating numbers."""
    tensor: Tensor = c.input
    c.floating(tensor)
    return tensor


def _of_numbers(*but: str) -> Rule:
    """The same shape and dtype, of any numbers but some."""

    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        _not_of(c, tensor, *but)
        return tensor

    return rule


def _to_float(*but: str) -> Rule:
    """The same shape; integers become floating numbers."""

    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        _not_of(c, tensor, *but)
        return tensor if tensor.is_float else Tensor(tensor.shape, "float32")

    return rule


def _not_of(c: Call, tensor: Tensor, *dtypes: str) -> None:
    if tensor.dtype in dtypes:
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` has no {tensor.dtype} form, and {tensor} flows in",
            f"{tensor} flows in",
        )


def check_dim(c: Call, shape: Shape, dim: object) -> None:
    """States that there is such a dimension, where that can be told."""
    if dim is None or isinstance(dim, Unknown | Dim):
        return
    assert isinstance(dim, int)
    if shape.rank == 0:
        # A number has a last dimension for torch.
        shape = Shape((1,))
    if shape.rank is None:
        shape.at(dim)
    else:
        shape.index(dim)


def softmax(c: Call) -> Tensor:
    check_dim(c, c.input.shape, c.dim)
    return elementwise(c)


def _softmax2d(c: Call) -> Tensor:
    c.rank(c.input, 3, 4)
    return elementwise(c)


def glu(c: Call) -> Tensor:
    tensor = elementwise(c)
    dim = c.number("dim")
    size = tensor.shape.at(dim)
    c.equal(
        size % 2, 0, f"`GLU` halves size {dim}, and {show(size)} doesn't come out even"
    )
    return tensor.with_shape(tensor.shape.replace(dim, size // 2))


def _prelu(c: Call) -> Tensor:
    tensor = elementwise(c)
    count = c.num_parameters
    c.at_least("num_parameters")
    if tensor.shape.rank in (0, 1):
        channels: Size = 1
    else:
        channels = tensor.shape.at(1)
    c.equal(
        # One slope, or one for each channel.
        (count - 1) * (count - channels),
        0,
        f"`PReLU` has {show(count)} slopes, and {tensor} has {show(channels)} channels",
        help="leave `num_parameters` out for one slope",
    )
    return tensor


def _slopes(c: Call) -> Mapping[str, tuple[Size, ...]]:
    return {"weight": (c.num_parameters,)}


def _hardtanh(c: Call) -> Tensor:
    low, high = c.min_val, c.max_val
    if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
        raise c.bad("min_val", f"`min_val` is below `max_val`, not {low} and {high}")
    tensor: Tensor = c.input
    _not_of(c, tensor, "bool", "uint8")
    return tensor


_RULES: Mapping[str, tuple[Rule, str]] = {
    "ReLU(inplace: bool = False)": (_of_numbers("bool"), "`max(x, 0)`"),
    "ReLU6(inplace: bool = False)": (_of_numbers("bool"), "`min(max(x, 0), 6)`"),
    "Threshold(threshold: float, value: float, inplace: bool = False)": (
        _of_numbers("bool"),
        "`x` where it is above the threshold, else the value",
    ),
    "Hardtanh(min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False)": (
        _hardtanh,
        "`x` between `min_val` and `max_val`",
    ),
    "Tanh()": (_to_float(), "`tanh(x)`"),
    "Sigmoid()": (_to_float(), "`1 / (1 + exp(-x))`"),
    "Softsign()": (_to_float("bool"), "`x / (1 + |x|)`"),
    "Tanhshrink()": (_to_float("bool"), "`x - tanh(x)`"),
    'GELU(approximate: "none" "tanh" = "none")': (
        elementwise,
        "`x` times the chance that a normal number is below `x`",
    ),
    "SiLU(inplace: bool = False)": (elementwise, "`x * sigmoid(x)`, also called swish"),
    "Mish(inplace: bool = False)": (elementwise, "`x * tanh(softplus(x))`"),
    "LeakyReLU(negative_slope: float = 0.01, inplace: bool = False)": (
        elementwise,
        "`x`, and `negative_slope * x` below 0",
    ),
    "RReLU(lower: float = 0.125, upper: float = 0.3333333333333333,"
    " inplace: bool = False)": (
        elementwise,
        "`LeakyReLU` with a slope drawn at random when training",
    ),
    "ELU(alpha: float = 1.0, inplace: bool = False)": (
        elementwise,
        "`x`, and `alpha * (exp(x) - 1)` below 0",
    ),
    "SELU(inplace: bool = False)": (
        elementwise,
        "`ELU` scaled so that mean 0 and variance 1 are kept",
    ),
    "CELU(alpha: float = 1.0, inplace: bool = False)": (
        elementwise,
        "`x`, and `alpha * (exp(x / alpha) - 1)` below 0",
    ),
    "Softplus(beta: float = 1.0, threshold: float = 20.0)": (
        elementwise,
        "`log(1 + exp(beta * x)) / beta`",
    ),
    "LogSigmoid()": (elementwise, "`log(sigmoid(x))`"),
    "Hardswish(inplace: bool = False)": (elementwise, "`x * relu6(x + 3) / 6`"),
    "Hardsigmoid(inplace: bool = False)": (elementwise, "`relu6(x + 3) / 6`"),
    "Hardshrink(lambd: float = 0.5)": (elementwise, "0 between `-lambd` and `lambd`"),
    "Softshrink(lambd: float = 0.5)": (
        elementwise,
        "`x` moved towards 0 by `lambd`, and 0 between",
    ),
    "Softmax(dim: int? = None)": (softmax, "Shares of 1 along `dim`"),
    "LogSoftmax(dim: int? = None)": (softmax, "`log(softmax(x))` along `dim`"),
    "Softmin(dim: int? = None)": (softmax, "`softmax(-x)` along `dim`"),
    "Softmax2d()": (_softmax2d, "Shares of 1 over the channels of an image"),
    "GLU(dim: int = -1)": (glu, "One half of `dim` times the sigmoid of the other"),
}

for _declaration, (_rule, _doc) in _RULES.items():
    layer(_declaration, _rule, f"{_doc}.")

layer(
    "PReLU(num_parameters: int = 1, init: float = 0.25)",
    _prelu,
    "`LeakyReLU` with learned slopes: one, or one for each channel.",
    parameters=_slopes,
)
