"""Operators, and functions of several tensors, element by element."""

from __future__ import annotations

from typing import Any

from netdsl.layers.call import Call
from netdsl.layers.pointwise import not_bool
from netdsl.layers.spec import function
from netdsl.shapes import COMPLEX, FLOATS, Refusal, Shape, Tensor, result_dtype


def _tensors(*values: Any) -> list[Tensor]:
    return [v for v in values if isinstance(v, Tensor)]


def mixed(c: Call, *values: Any) -> Tensor:
    """The type of an operation on tensors and plain numbers."""
    tensors = _tensors(*values)
    if not tensors:
        raise Refusal(
            "wrong-type",
            f"`{c.declaration.name}` wants a tensor, and is given plain numbers only",
            "no tensor among them",
        )
    return Tensor(c.broadcast(*tensors).shape, result_dtype(*values))


def _is_bool(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.dtype == "bool"
    return isinstance(value, bool)


def _plain(c: Call) -> Tensor:
    return mixed(c, c.input, c.other)


def _subtract(c: Call) -> Tensor:
    if _is_bool(c.input) or _is_bool(c.other):
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` can't subtract bools",
            "one side holds bools",
            "use `logical_not` or `logical_and`, or bring it to a number first",
        )
    return _plain(c)


def _divide(c: Call) -> Tensor:
    result = _plain(c)
    if result.dtype in FLOATS | COMPLEX or result.dtype == "any":
        return result
    return Tensor(result.shape, "float")


def _whole(c: Call) -> Tensor:
    return _not_both_bool(c, c.input, c.other)


def _not_both_bool(c: Call, a: Any, b: Any) -> Tensor:
    if _is_bool(a) and _is_bool(b):
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` wants numbers, and both sides hold bools",
            "both sides hold bools",
        )
    return mixed(c, a, b)


def _compare(c: Call) -> Tensor:
    return Tensor(_plain(c).shape, "bool")


def _fold(c: Call) -> Tensor:
    values = c.tensors
    if len(values) < 2:
        raise Refusal(
            "missing-argument",
            f"`{c.declaration.name}` wants two or more tensors",
            f"{len(values)} flows in" if values else "nothing flows in",
        )
    # Left to right, as it runs: (a + b) + c may differ from a + (b + c) in dtype.
    result = mixed(c, *values[:2]) if _tensors(*values[:2]) else mixed(c, *values)
    for value in values[2:]:
        result = mixed(c, result, value)
    return result


def _power(c: Call, base: Any, exponent: Any) -> Tensor:
    result = _not_both_bool(c, base, exponent)
    negative = isinstance(exponent, int) and exponent < 0
    if negative and result.is_integer and result.dtype != "any":
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` can't take {base} of {result.dtype} to the power"
            f" {exponent}",
            "a negative power of ints",
            "bring it to a float first",
        )
    return result


_SIDES = "input: number, other: number"
for _name, _rule, _doc in (
    ("+", _plain, "Sum, element by element."),
    ("-", _subtract, "Difference, element by element."),
    ("*", _plain, "Product, element by element."),
    ("/", _divide, "Quotient, always a float."),
    ("//", _whole, "Quotient, rounded down."),
    ("%", _whole, "Rest of the division; it has the sign of the divisor."),
    ("**", lambda c: _power(c, c.input, c.other), "Power, element by element."),
    ("==", _compare, "Where both are equal."),
    ("!=", _compare, "Where they differ."),
    ("<", _compare, "Where the left is less."),
    ("<=", _compare, "Where the left is less or equal."),
    (">", _compare, "Where the left is greater."),
    (">=", _compare, "Where the left is greater or equal."),
):
    function(f"{_name}({_SIDES})", _name, _rule, _doc)

function("add(*tensors: number)", "+", _fold, "Sum of two or more, from left to right.")
function(
    "mul(*tensors: number)", "*", _fold, "Product of two or more, from left to right."
)

# -- two tensors by name -------------------------------------------------------

_PAIR = "input: tensor, other: number"
for _name, _rule, _doc in (
    ("eq", _compare, "Where both are equal."),
    ("ne", _compare, "Where they differ."),
    ("lt", _compare, "Where the first is less."),
    ("le", _compare, "Where the first is less or equal."),
    ("gt", _compare, "Where the first is greater."),
    ("ge", _compare, "Where the first is greater or equal."),
    ("floor_divide", _whole, "Quotient, rounded down."),
    ("remainder", _whole, "Rest of the division; it has the sign of the divisor."),
    ("fmod", _whole, "Rest of the division; it has the sign of the dividend."),
):
    function(f"{_name}({_PAIR})", f"torch.{_name}", _rule, _doc)


def _rounded(c: Call) -> Tensor:
    return _divide(c) if c.known("rounding_mode") is None else _whole(c)


function(
    f"sub({_PAIR}, *, alpha: float = 1)",
    "torch.sub",
    _subtract,
    "`input - alpha * other`.",
)
function(
    f'div({_PAIR}, *, rounding_mode: "trunc" "floor" ? = None)',
    "torch.div",
    _rounded,
    "Quotient, rounded if told.",
)


def _exponent(c: Call) -> Tensor:
    return _power(c, c.input, c.exponent)


function(
    "pow(input: number, exponent: number)",
    "torch.pow",
    _exponent,
    "Power, element by element.",
)

_BOTH = "input: tensor, other: tensor"

for _name, _rule, _doc in (
    ("maximum", _plain, "The greater of two, element by element."),
    ("minimum", _plain, "The lesser of two, element by element."),
    ("atan2", _divide, "Angle of the point (`other`, `input`)."),
    ("logical_and", _compare, "Where both are true."),
    ("logical_or", _compare, "Where one is true, or both."),
    ("logical_xor", _compare, "Where just one is true."),
):
    function(f"{_name}({_BOTH})", f"torch.{_name}", _rule, _doc)


def _floats(c: Call) -> Tensor:
    result = _plain(c)
    c.floating(result, "its tensors")
    return result


def _whole_numbers(c: Call) -> Tensor:
    """Of ints or bools, bit by bit."""
    result = _plain(c)
    if result.is_float and result.dtype != "any":
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` takes ints or bools, not {result.dtype}",
            "floating point",
        )
    return result


def _shifted(c: Call) -> Tensor:
    result = _whole_numbers(c)
    if result.dtype == "bool":
        not_bool(c, result)
    return result


def _heaviside(c: Call) -> Tensor:
    c.same_dtype(c.input, c.values["values"])
    return c.broadcast(c.input, c.values["values"])


def _ldexp(c: Call) -> Tensor:
    both = c.broadcast(c.input, c.other)
    kept = c.input.is_float or c.other.is_float
    return both if kept else Tensor(both.shape, "float")


def _float_power(c: Call) -> Tensor:
    return Tensor(mixed(c, c.input, c.exponent).shape, "float64")


def _isclose(c: Call) -> Tensor:
    c.same_dtype(c.input, c.other)
    return _compare(c)


_SOME = "input: tensor, other: number"
for _declaration, _rule, _doc in (
    (f"fmax({_BOTH})", _plain, "The greater of two, and a number rather than nan."),
    (f"fmin({_BOTH})", _plain, "The lesser of two, and a number rather than nan."),
    (f"hypot({_BOTH})", _floats, "`sqrt(input * input + other * other)`."),
    (f"logaddexp({_BOTH})", _floats, "`log(exp(input) + exp(other))`."),
    (f"logaddexp2({_BOTH})", _floats, "`log2(2 ** input + 2 ** other)`."),
    (f"nextafter({_BOTH})", _floats, "The next number that there is, towards `other`."),
    (f"ldexp({_BOTH})", _ldexp, "`input * 2 ** other`."),
    (f"gcd({_BOTH})", _shifted, "The greatest common divisor."),
    (f"lcm({_BOTH})", _shifted, "The least common multiple."),
    (f"copysign({_SOME})", _divide, "The input with the sign of `other`."),
    (f"bitwise_and({_SIDES})", _whole_numbers, "And, bit by bit, or of bools."),
    (f"bitwise_or({_SIDES})", _whole_numbers, "Or, bit by bit, or of bools."),
    (f"bitwise_xor({_SIDES})", _whole_numbers, "Either, bit by bit, or of bools."),
    (f"bitwise_left_shift({_SIDES})", _shifted, "`input * 2 ** other`, of ints."),
    (f"bitwise_right_shift({_SIDES})", _shifted, "`input // 2 ** other`, of ints."),
    (
        "heaviside(input: tensor, values: tensor)",
        _heaviside,
        "0 below 0, 1 above, and `values` at 0.",
    ),
    (
        "float_power(input: number, exponent: number)",
        _float_power,
        "Power, in float64.",
    ),
    (
        f"isclose({_BOTH}, rtol: float = 1e-05, atol: float = 1e-08,"
        " equal_nan: bool = False)",
        _isclose,
        "Where two are nearly equal.",
    ),
):
    function(_declaration, f"torch.{_declaration.split('(')[0]}", _rule, _doc)

# -- three values --------------------------------------------------------------


def _clamp(c: Call) -> Tensor:
    limits = [v for v in (c.min, c.max) if v is not None]
    if not limits:
        raise Refusal(
            "missing-argument", "`clamp` needs `min` or `max`", "both are missing"
        )
    if _tensors(*limits) and not all(isinstance(v, Tensor) for v in limits):
        raise Refusal(
            "wrong-type",
            "`min` and `max` of `clamp` are two tensors or two numbers, not mixed",
            "a tensor and a number",
        )
    return mixed(c, c.input, *limits)


def _clamp_min(c: Call) -> Tensor:
    return mixed(c, c.input, c.min)


def _clamp_max(c: Call) -> Tensor:
    return mixed(c, c.input, c.max)


def _where(c: Call) -> Tensor:
    if c.condition.dtype not in ("bool", "any"):
        raise Refusal(
            "wrong-dtype",
            f"`where` wants its condition to be bool, and {c.condition} is"
            f" {c.condition.dtype}",
            "not a condition",
            "compare it with something, as in `x > 0`",
        )
    shape = c.broadcast(c.condition, *_tensors(c.input, c.other)).shape
    return Tensor(shape, result_dtype(c.input, c.other))


def _masked_fill(c: Call) -> Tensor:
    if c.mask.dtype not in ("bool", "any"):
        raise Refusal(
            "wrong-dtype",
            f"`masked_fill` wants its mask to be bool, and {c.mask} is {c.mask.dtype}",
            "not a mask",
            "compare it with something, as in `mask == 0`",
        )
    if isinstance(c.value, Tensor) and c.value.shape != Shape(()):
        raise c.refuse(
            f"`masked_fill` wants one number to fill with, and is given {c.value}",
            "not a single number",
            "use `where` to take numbers from a tensor",
        )
    infinite = isinstance(c.value, float) and abs(c.value) == float("inf")
    if infinite and c.input.is_integer and c.input.dtype != "any":
        raise Refusal(
            "wrong-dtype",
            f"{c.input} has no value for {c.value}",
            f"{c.input} flows in",
        )
    return Tensor(c.broadcast(c.input, c.mask).shape, c.input.dtype)


def _lerp(c: Call) -> Tensor:
    tensors = _tensors(c.input, c.end, c.weight)
    for tensor in tensors:
        c.floating(tensor, "its tensors")
    return Tensor(c.broadcast(*tensors).shape, c.same_dtype(*tensors))


def _addcmul(c: Call) -> Tensor:
    result = c.broadcast(c.input, c.tensor1, c.tensor2)
    if result.dtype == "bool":
        not_bool(c, result)
    return result


def _addcdiv(c: Call) -> Tensor:
    if not (c.tensor1.is_float or c.tensor2.is_float):
        c.floating(c.tensor1, "what it divides")
    return c.broadcast(c.input, c.tensor1, c.tensor2)


for _name in ("clamp", "clip"):
    function(
        f"{_name}(input: tensor, min: number? = None, max: number? = None)",
        f"torch.{_name}",
        _clamp,
        "Values kept between `min` and `max`.",
    )
function(
    "clamp_min(input: tensor, min: number)",
    "torch.clamp_min",
    _clamp_min,
    "Values kept at `min` or above.",
)
function(
    "clamp_max(input: tensor, max: number)",
    "torch.clamp_max",
    _clamp_max,
    "Values kept at `max` or below.",
)
function(
    "where(condition: tensor, input: number, other: number)",
    "torch.where",
    _where,
    "`input` where the condition holds, else `other`.",
)
function(
    "masked_fill(input: tensor, mask: tensor, value: number)",
    ".masked_fill",
    _masked_fill,
    "The input with `value` where the mask is True.",
)
function(
    "lerp(input: tensor, end: tensor, weight: number)",
    "torch.lerp",
    _lerp,
    "From `input` towards `end`: `input + weight * (end - input)`.",
)
function(
    "addcmul(input: tensor, tensor1: tensor, tensor2: tensor, *, value: float = 1)",
    "torch.addcmul",
    _addcmul,
    "`input + value * tensor1 * tensor2`.",
)
function(
    "addcdiv(input: tensor, tensor1: tensor, tensor2: tensor, *, value: float = 1)",
    "torch.addcdiv",
    _addcdiv,
    "`input + value * tensor1 / tensor2`.",
)
