"""Operators on lists. One that a class takes may be a tuple in Python, since a default
is: `a + b` becomes `[*a, *b]`, and `a == b` compares `[*a]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import dims, graph
from netdsl.elaborate.values import Blur, Gathered, Rounds, Val
from netdsl.graph import Expr
from netdsl.layers import Unknown
from netdsl.shapes import Tensor
from netdsl.source import Span


def is_list(value: Any) -> bool:
    if isinstance(value, Unknown):
        return value.type.startswith("list")
    return isinstance(value, list | Rounds | Gathered)


def of_lists(op: str, left: Val, right: Val) -> Expr:
    """An operator of which one side or both are lists."""
    left, right = surely_list(left), surely_list(right)
    if op != "+":
        return graph.Op(op, (left.expr, right.expr))
    items: list[Expr] = []
    for part in (left.expr, right.expr):
        if isinstance(part, graph.Sequence):
            items += part.items
        else:
            items.append(graph.Spread(part))
    return graph.Sequence("list", tuple(items))


def surely_list(val: Val) -> Val:
    """`[*a]` of what may be a tuple in Python."""
    made = isinstance(val.expr, graph.Sequence | graph.Comprehend)
    if made or not is_list(val.value):
        return val
    return Val(val.value, graph.Sequence("list", (graph.Spread(val.expr),)), val.span)


def tensors_of(value: Any) -> list[Any] | None:
    """The tensors in a list, a loop's in one piece; None if it holds anything else."""
    if isinstance(value, Gathered):
        return [*value.parts]
    if isinstance(value, Rounds) and isinstance(value.at(0), Tensor):
        return [value]
    if isinstance(value, list) and all(isinstance(v, Tensor) for v in value):
        return value
    return None


def tensors_together(values: Sequence[Any], span: Span) -> Any:
    """One list of all tensors in some lists; None if these hold anything else."""
    parts: list[Any] = []
    for value in values:
        found = tensors_of(value)
        if found is None:
            return None
        parts += found
    if any(isinstance(part, Rounds) for part in parts):
        return parts[0] if len(parts) == 1 else Gathered(span, parts)
    return parts


def part_of(value: Gathered, index: Any, span: Span) -> Any:
    """One of tensors in a list of unknown length, or some of them."""
    if isinstance(index, slice):
        return _slice_of(value, index, span)
    end = value.parts[-1] if index == -1 else value.parts[0]
    if index in (0, -1) and isinstance(end, Tensor):
        return end
    some = dims.symbol("?")
    kinds = [p.at(some) if isinstance(p, Rounds) else p for p in value.parts]
    same = all(kind == kinds[0] for kind in kinds)
    return kinds[0] if same else Blur(span, is_tensor=True)


def _slice_of(value: Gathered, index: slice, span: Span) -> Any:
    """The list without some of its first; without others, nobody knows which."""
    start = index.start or 0
    if index.stop is None and index.step is None and isinstance(start, int):
        left, rest = value.parts[:start], value.parts[start:]
        if start >= 0 and rest and not any(isinstance(p, Rounds) for p in left):
            one = len(rest) == 1 and isinstance(rest[0], Rounds)
            return rest[0] if one else Gathered(span, rest)
    return Blur(span)
