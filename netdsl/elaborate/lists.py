"""Operators on lists. One that a class takes may be a tuple in Python, since a default
is: `a + b` becomes `[*a, *b]`, and `a == b` compares `[*a]`."""

from __future__ import annotations

from typing import Any

from netdsl import graph
from netdsl.elaborate.values import Rounds, Val
from netdsl.graph import Expr
from netdsl.layers import Unknown


def is_list(value: Any) -> bool:
    if isinstance(value, Unknown):
        return value.type.startswith("list")
    return isinstance(value, list | Rounds)


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
