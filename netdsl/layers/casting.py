"""Tensors of another dtype, and the same tensor apart from its history."""

from __future__ import annotations

from netdsl.layers.call import Call
from netdsl.layers.pointwise import complex_of, keep, real_of
from netdsl.layers.spec import Rule, function
from netdsl.shapes import COMPLEX, Refusal, Tensor


def _to(c: Call) -> Tensor:
    dtype = c.dtype
    return Tensor(c.input.shape, dtype.dtype if isinstance(dtype, Tensor) else dtype)


def _type_as(c: Call) -> Tensor:
    return Tensor(c.input.shape, c.other.dtype)


def _cast(dtype: str) -> Rule:
    def rule(c: Call) -> Tensor:
        return Tensor(c.input.shape, dtype)

    return rule


def _view_as_complex(c: Call) -> Tensor:
    c.floating(c.input)
    c.equal(
        c.input.shape.at(-1),
        2,
        f"`view_as_complex` wants pairs in the last size of {c.input}",
    )
    return Tensor(c.input.shape.without(-1), complex_of(c.input.dtype))


def _view_as_real(c: Call) -> Tensor:
    if c.input.dtype not in COMPLEX | {"any"}:
        raise Refusal(
            "wrong-dtype",
            f"`view_as_real` wants complex numbers, and {c.input} is {c.input.dtype}",
            f"{c.input} flows in",
        )
    return Tensor(c.input.shape.append(2), real_of(c.input.dtype))


def _polar(c: Call) -> Tensor:
    c.floating(c.abs, "`abs`")
    c.same_dtype(c.abs, c.angle)
    both = c.broadcast(c.abs, c.angle)
    return Tensor(both.shape, complex_of(both.dtype))


def _complex(c: Call) -> Tensor:
    c.floating(c.values["real"], "`real`")
    c.same_dtype(c.values["real"], c.values["imag"])
    both = c.broadcast(c.values["real"], c.values["imag"])
    return Tensor(both.shape, complex_of(both.dtype))


function(
    "to(input: tensor, dtype: dtype | tensor)",
    ".to",
    _to,
    "The same numbers in a dtype, or in that of another tensor.",
)
function(
    "type_as(input: tensor, other: tensor)",
    ".type_as",
    _type_as,
    "The same numbers in the dtype of another tensor.",
)
for _name, _dtype in (
    ("float", "float32"),
    ("double", "float64"),
    ("half", "float16"),
    ("bfloat16", "bfloat16"),
    ("long", "int64"),
    ("int", "int32"),
    ("short", "int16"),
    ("char", "int8"),
    ("byte", "uint8"),
    ("bool", "bool"),
):
    function(
        f"{_name}(input: tensor)",
        f".{_name}",
        _cast(_dtype),
        f"The same numbers as {_dtype}.",
    )
function(
    "detach(input: tensor)", ".detach", keep, "The same tensor, without its gradient."
)
function("clone(input: tensor)", ".clone", keep, "A copy.")
function(
    "view_as_complex(input: tensor)",
    "torch.view_as_complex",
    _view_as_complex,
    "The pairs of the last size as complex numbers.",
)
function(
    "view_as_real(input: tensor)",
    "torch.view_as_real",
    _view_as_real,
    "Complex numbers as pairs in a new last size.",
)
function(
    "polar(abs: tensor, angle: tensor)",
    "torch.polar",
    _polar,
    "Complex numbers of a length and an angle.",
)
function(
    "complex(real: tensor, imag: tensor)",
    "torch.complex",
    _complex,
    "Complex numbers of two parts.",
)
