"""Operators on lists. One that a class takes may be a tuple in Python, since a default
is: `a + b` becomes `[*a, *b]`, and `a == b` compares `[*a]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import graph
from netdsl.elaborate.values import Gathered, Rounds, Val
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
