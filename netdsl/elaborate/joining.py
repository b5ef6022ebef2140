"""The type of what comes out of one of two arms."""

from __future__ import annotations

from typing import Any

from netdsl.dims import Facts, Size, choose
from netdsl.elaborate.values import Blur, Val
from netdsl.elaborate.walk import Walk
from netdsl.layers import Unknown
from netdsl.shapes import Shape, Tensor, promote


def join(
    walk: Walk, then: Any, other: Any, if_true: Facts, if_false: Facts, test: Val
) -> Any:
    """The value of two arms together; None if no value can stand for both."""
    if isinstance(then, Blur) or isinstance(other, Blur):
        return then if isinstance(then, Blur) else other
    if isinstance(then, Tensor) and isinstance(other, Tensor):
        shape = _join_shapes(then.shape, other.shape, if_true, if_false, test)
        if shape is None:
            return None
        dtype = then.dtype if then.dtype == other.dtype else "any"
        return Tensor(shape, dtype if dtype else promote(then.dtype, other.dtype))
    if type(then) is type(other) and isinstance(then, tuple | list):
        if len(then) != len(other):
            return None
        parts = [
            join(walk, a, b, if_true, if_false, test)
            for a, b in zip(then, other, strict=True)
        ]
        return None if any(p is None for p in parts) else type(then)(parts)
    if then == other:
        return then
    if isinstance(then, Tensor) or isinstance(other, Tensor):
        if then is None or other is None:
            return Unknown("Tensor | None", object())
        return None
    return Unknown("any", object())


def _join_shapes(
    then: Shape, other: Shape, if_true: Facts, if_false: Facts, test: Val
) -> Shape | None:
    if (then.star, len(then.head), len(then.tail)) != (
        other.star,
        len(other.head),
        len(other.tail),
    ):
        return None

    def one(a: Size, b: Size) -> Size:
        if a == b or if_false.normal(a) == if_false.normal(b):
            return a
        if if_true.normal(a) == if_true.normal(b):
            return b
        shown = " ".join(test.span.text.split()) if test.span is not None else "..."
        return choose(test, shown, a, b)

    head = tuple(one(a, b) for a, b in zip(then.head, other.head, strict=True))
    tail = tuple(one(a, b) for a, b in zip(then.tail, other.tail, strict=True))
    return Shape(head, then.star, tail)
