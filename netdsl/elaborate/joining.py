"""The type of what comes out of one of two arms."""

from __future__ import annotations

from typing import Any

from netdsl.diagnostics import Label
from netdsl.dims import Size, choose
from netdsl.facts import Facts
from netdsl.elaborate.values import Blur, Val
from netdsl.elaborate.walk import Walk
from netdsl.layers import Unknown
from netdsl.layers.spec import describe
from netdsl.shapes import Shape, Tensor, promote
from netdsl.source import Span


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


def surely_different(walk: Walk, a: Any, b: Any) -> bool:
    """Whether two arms can't give one shape, whatever the sizes are."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return False
    pairs = zip(
        (*a.shape.head, *a.shape.tail), (*b.shape.head, *b.shape.tail), strict=False
    )
    return any(walk.facts.equal(x, y) is False for x, y in pairs)


def arms_differ(walk: Walk, then: Any, other: Any, span: Span, spans: Any) -> None:
    """Says that two arms can't be joined, and what each of them gives."""
    walk.error(
        "arms-mismatch",
        f"the two sides of this condition give {describe(then)} and {describe(other)}",
        span,
        labels=[
            Label(place, str(value))
            for place, value in zip(spans, (then, other), strict=True)
            if place is not None
        ],
        help="give both sides the same shape and dtype: what follows works with either",
    )
