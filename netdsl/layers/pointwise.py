"""Functions of one tensor, element by element: activations and mathematics."""

from __future__ import annotations

from netdsl.layers.call import Call
from netdsl.layers.spec import function
from netdsl.shapes import COMPLEX, FLOATS, Refusal, Tensor

_KEPT = FLOATS | COMPLEX | {"any"}


def keep(c: Call) -> Tensor:
    """The type that flows in."""
    tensor: Tensor = c.input
    return tensor


def complex_of(dtype: str) -> str:
    """The complex dtype whose parts are of a floating one; ints count as floats."""
    if dtype in COMPLEX or dtype == "any":
        return dtype
    if dtype in ("float16", "bfloat16"):
        return "any"  # the language has no name for it
    return "complex128" if dtype == "float64" else "complex64"


def real_of(dtype: str) -> str:
    """The dtype of the parts of complex numbers; any other is its own."""
    return {"complex64": "float", "complex128": "float64"}.get(dtype, dtype)


def _floating(c: Call) -> Tensor:
    c.floating(c.input)
    return keep(c)


def to_float(c: Call) -> Tensor:
    """Ints and bools become floats."""
    tensor = keep(c)
    return tensor if tensor.dtype in _KEPT else Tensor(tensor.shape, "float")


def not_bool(c: Call, *tensors: Tensor) -> None:
    """States that none of the tensors (the input, if none is named) holds bools."""
    for tensor in tensors or (c.input,):
        if tensor.dtype == "bool":
            raise Refusal(
                "wrong-dtype",
                f"`{c.declaration.name}` wants numbers, and {tensor} holds bools",
                f"{tensor} flows in",
            )


def _numeric(c: Call) -> Tensor:
    not_bool(c)
    return keep(c)


def _abs(c: Call) -> Tensor:
    tensor = _numeric(c)
    return Tensor(tensor.shape, real_of(tensor.dtype))


def _numeric_to_float(c: Call) -> Tensor:
    not_bool(c)
    return to_float(c)


def _square(c: Call) -> Tensor:
    tensor = keep(c)
    return Tensor(tensor.shape, "int64") if tensor.dtype == "bool" else tensor


def to_bool(c: Call) -> Tensor:
    """The shape that flows in, of bools."""
    return Tensor(c.input.shape, "bool")


def _dropout(c: Call) -> Tensor:
    c.probability()
    return _floating(c)


def _dropout1d(c: Call) -> Tensor:
    c.rank(c.input, 2, 3)
    return _dropout(c)


# -- activations ---------------------------------------------------------------

_ACTIVATIONS = {
    'gelu(input: tensor, *, approximate: "none" "tanh" = "none")': (
        "`x` times the normal distribution up to `x`; `tanh` is a faster formula."
    ),
    "silu(input: tensor, inplace: bool = False)": "`x * sigmoid(x)`.",
    "mish(input: tensor, inplace: bool = False)": "`x * tanh(softplus(x))`.",
    "softplus(input: tensor, beta: float = 1.0, threshold: float = 20.0)": (
        "A smooth relu: `log(1 + exp(beta * x)) / beta`."
    ),
    "elu(input: tensor, alpha: float = 1.0, inplace: bool = False)": (
        "`x` above 0, `alpha * (exp(x) - 1)` below."
    ),
    "selu(input: tensor, inplace: bool = False)": "elu with fixed scales.",
    "celu(input: tensor, alpha: float = 1.0, inplace: bool = False)": (
        "elu with a continuous slope."
    ),
    "leaky_relu(input: tensor, negative_slope: float = 0.01, inplace: bool = False)": (
        "`x` above 0, `negative_slope * x` below."
    ),
    "hardswish(input: tensor, inplace: bool = False)": (
        "`x * relu6(x + 3) / 6`, near to silu."
    ),
    "hardsigmoid(input: tensor, inplace: bool = False)": (
        "`relu6(x + 3) / 6`, near to sigmoid."
    ),
    "logsigmoid(input: tensor)": "`log(sigmoid(x))`.",
    "hardshrink(input: tensor, lambd: float = 0.5)": "0 where `|x| <= lambd`.",
    "softshrink(input: tensor, lambd: float = 0.5)": (
        "`x` moved towards 0 by `lambd`, no further."
    ),
    "rrelu(input: tensor, lower: float = 0.125, upper: float = 0.3333333333333333,"
    " training: bool? = None, inplace: bool = False)": (
        "leaky_relu with a random slope in training."
    ),
}
for _declaration, _doc in _ACTIVATIONS.items():
    function(_declaration, f"F.{_declaration.split('(')[0]}", _floating, _doc)

function(
    "relu(input: tensor, inplace: bool = False)",
    "F.relu",
    _numeric,
    "0 where `x` is negative.",
)
function(
    "relu6(input: tensor, inplace: bool = False)",
    "F.relu6",
    _numeric,
    "`x` kept between 0 and 6.",
)
function(
    "hardtanh(input: tensor, min_val: float = -1.0, max_val: float = 1.0,"
    " inplace: bool = False)",
    "F.hardtanh",
    _numeric,
    "`x` kept between `min_val` and `max_val`.",
)
function(
    "threshold(input: tensor, threshold: float, value: float, inplace: bool = False)",
    "F.threshold",
    _numeric,
    "`value` where `x` is not above `threshold`.",
)
function("softsign(input: tensor)", "F.softsign", _numeric_to_float, "`x / (1 + |x|)`.")
function(
    "tanhshrink(input: tensor)", "F.tanhshrink", _numeric_to_float, "`x - tanh(x)`."
)

# -- dropout: `training` follows the module unless it is given -----------------

_DROPOUT = "p: float = 0.5, training: bool? = None, inplace: bool = False"
for _name, _rule, _doc in (
    ("dropout", _dropout, "Zeroes elements with probability `p` in training."),
    ("alpha_dropout", _dropout, "Dropout that keeps mean and variance, for selu."),
    ("feature_alpha_dropout", _dropout, "alpha_dropout of whole channels."),
    ("dropout1d", _dropout1d, "Dropout of whole channels of [N, C, L]."),
    ("dropout2d", _dropout, "Dropout of whole channels of [N, C, H, W]."),
    ("dropout3d", _dropout, "Dropout of whole channels of [N, C, D, H, W]."),
):
    function(f"{_name}(input: tensor, {_DROPOUT})", f"F.{_name}", _rule, _doc)

# -- mathematics ---------------------------------------------------------------

_TO_FLOAT = {
    "sigmoid": "`1 / (1 + exp(-x))`.",
    "tanh": "Hyperbolic tangent.",
    "exp": "e to the power `x`.",
    "exp2": "2 to the power `x`.",
    "expm1": "`exp(x) - 1`, exact near 0.",
    "log": "Natural logarithm.",
    "log1p": "`log(1 + x)`, exact near 0.",
    "log2": "Logarithm to base 2.",
    "log10": "Logarithm to base 10.",
    "sin": "Sine.",
    "cos": "Cosine.",
    "tan": "Tangent.",
    "asin": "Inverse sine.",
    "acos": "Inverse cosine.",
    "atan": "Inverse tangent.",
    "sinh": "Hyperbolic sine.",
    "cosh": "Hyperbolic cosine.",
    "asinh": "Inverse hyperbolic sine.",
    "acosh": "Inverse hyperbolic cosine.",
    "atanh": "Inverse hyperbolic tangent.",
    "erf": "The error function.",
    "erfc": "`1 - erf(x)`.",
    "erfinv": "Inverse of the error function.",
    "sqrt": "Square root.",
    "rsqrt": "`1 / sqrt(x)`, in one step.",
    "reciprocal": "`1 / x`.",
    "sinc": "`sin(pi * x) / (pi * x)`.",
    "deg2rad": "Degrees to radians.",
    "lgamma": "Logarithm of the gamma function.",
}
for _name, _doc in _TO_FLOAT.items():
    function(f"{_name}(input: tensor)", f"torch.{_name}", to_float, _doc)
function(
    "logit(input: tensor, eps: float? = None)",
    "torch.logit",
    to_float,
    "Inverse of sigmoid.",
)

_NUMERIC = {
    "floor": "The next whole number below.",
    "ceil": "The next whole number above.",
    "trunc": "The whole number towards 0.",
    "neg": "`-x`.",
}
for _name, _doc in _NUMERIC.items():
    function(f"{_name}(input: tensor)", f"torch.{_name}", _numeric, _doc)
function("abs(input: tensor)", "torch.abs", _abs, "Size without sign.")
function("frac(input: tensor)", "torch.frac", _floating, "What is behind the point.")
function(
    "round(input: tensor, *, decimals: int = 0)",
    "torch.round",
    _numeric,
    "The nearest whole number; halves go to the even one.",
)
function("sign(input: tensor)", "torch.sign", keep, "-1, 0 or 1.")
function("square(input: tensor)", "torch.square", _square, "`x * x`.")

for _name, _doc in (
    ("isnan", "Where it is not a number."),
    ("isinf", "Where it is infinite."),
    ("isfinite", "Where it is a finite number."),
    ("logical_not", "Where it is zero, or False."),
):
    function(f"{_name}(input: tensor)", f"torch.{_name}", to_bool, _doc)


# -- parts of numbers ----------------------------------------------------------


def _angle(c: Call) -> Tensor:
    tensor = to_float(c)
    return Tensor(tensor.shape, real_of(tensor.dtype))


def _real(c: Call) -> Tensor:
    return Tensor(c.input.shape, real_of(c.input.dtype))


def _imaginary(c: Call) -> Tensor:
    if c.input.dtype not in COMPLEX | {"any"}:
        raise _only(c, "complex numbers")
    return _real(c)


def _only(c: Call, what: str) -> Refusal:
    return Refusal(
        "wrong-dtype",
        f"`{c.declaration.name}` takes {what}, and {c.input} is {c.input.dtype}",
        f"{c.input} flows in",
    )


def _bits(c: Call) -> Tensor:
    if not c.input.is_integer and c.input.dtype != "bool":
        raise _only(c, "ints or bools")
    return keep(c)


def _ordered(c: Call) -> Tensor:
    if c.input.dtype in COMPLEX:
        raise _only(c, "real numbers")
    return to_bool(c)


for _name, _rule, _doc in (
    ("angle", _angle, "The angle of complex numbers; of others 0 or pi."),
    ("real", _real, "The real part."),
    ("imag", _imaginary, "The imaginary part."),
    ("conj", keep, "Complex numbers with the other sign of their imaginary part."),
    ("sgn", keep, "sign, also of complex numbers."),
    ("positive", _numeric, "The same numbers."),
    ("bitwise_not", _bits, "The other bits, or the other bools."),
    ("signbit", _ordered, "Where it is negative."),
    ("isposinf", _ordered, "Where it is positive and infinite."),
    ("isneginf", _ordered, "Where it is negative and infinite."),
    ("isreal", to_bool, "Where it has no imaginary part."),
):
    function(f"{_name}(input: tensor)", f"torch.{_name}", _rule, _doc)
function("rad2deg(input: tensor)", "torch.rad2deg", to_float, "Radians to degrees.")
