"""Special functions: of one tensor, and of two, element by element."""

from __future__ import annotations

from netdsl.layers.arithmetic import mixed
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep, to_float
from netdsl.layers.spec import function
from netdsl.shapes import COMPLEX, Refusal, Tensor


def _real_to_float(c: Call) -> Tensor:
    if c.input.dtype in COMPLEX:
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` takes real numbers, and {c.input} is complex",
            f"{c.input} flows in",
        )
    return to_float(c)


def both_to_float(c: Call) -> Tensor:
    """Two tensors, or one and a number; ints become floats."""
    result = mixed(c, c.input, c.other)
    return Tensor(result.shape, result.dtype if result.is_float else "float")


def _polygamma(c: Call) -> Tensor:
    c.at_least("n", least=0)
    return _real_to_float(c)


def _mvlgamma(c: Call) -> Tensor:
    c.at_least("p")
    return _real_to_float(c)


def _gamma(c: Call) -> Tensor:
    result = c.broadcast(c.input, c.other)
    c.floating(result, "its tensors")
    return result


for _name, _doc in {
    "digamma": "The derivative of lgamma.",
    "i0": "The modified Bessel function of order 0.",
    "special.bessel_j0": "The Bessel function of the first kind, of order 0.",
    "special.bessel_j1": "The Bessel function of the first kind, of order 1.",
    "special.entr": "`-x * log(x)`, 0 at 0.",
    "special.erfcx": "`exp(x * x) * erfc(x)`.",
    "special.i0e": "`exp(-abs(x)) * i0(x)`.",
    "special.i1": "The modified Bessel function of order 1.",
    "special.i1e": "`exp(-abs(x)) * i1(x)`.",
    "special.log_ndtr": "Logarithm of special.ndtr.",
    "special.ndtr": "The normal distribution up to `x`.",
    "special.ndtri": "Inverse of special.ndtr.",
}.items():
    function(f"{_name}(input: tensor)", f"torch.{_name}", _real_to_float, _doc)
function(
    "polygamma(n: int, input: tensor)",
    "torch.polygamma",
    _polygamma,
    "The `n`-th derivative of digamma.",
)
function(
    "mvlgamma(input: tensor, p: int)",
    "torch.mvlgamma",
    _mvlgamma,
    "Logarithm of the gamma function of `p` dimensions.",
)
_SIDES = "input: number, other: number"
for _name, _doc in {
    "xlogy": "`input * log(other)`, 0 where the input is.",
    "special.xlog1py": "`input * log1p(other)`, 0 where the input is.",
    "special.zeta": "The Hurwitz zeta function.",
}.items():
    function(f"{_name}({_SIDES})", f"torch.{_name}", both_to_float, _doc)
for _name, _doc in {
    "igamma": "The lower incomplete gamma function, from 0 to 1.",
    "igammac": "`1 - igamma(input, other)`.",
}.items():
    function(f"{_name}(input: tensor, other: tensor)", f"torch.{_name}", _gamma, _doc)

# -- of numbers as they are stored ---------------------------------------------

function(
    "nan_to_num(input: tensor, nan: float? = None, posinf: float? = None,"
    " neginf: float? = None)",
    "torch.nan_to_num",
    keep,
    "Numbers for what is none: 0, and the greatest and least that there are.",
)
