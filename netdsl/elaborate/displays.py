"""Lists, tuples and dicts as they are written, with `*` and comprehensions."""

from __future__ import annotations

from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate import arithmetic
from netdsl.elaborate.arithmetic import describe_value
from netdsl.elaborate.lists import tensors_of, tensors_together
from netdsl.elaborate.loops import comprehend
from netdsl.elaborate.values import BLUR, Blur, Val, is_static
from netdsl.elaborate.walk import Walk, evaluates
from netdsl.graph import Expr
from netdsl.layers import Unknown
from netdsl.source import Span


@evaluates(syntax.TupleOf)
def _tuple(walk: Walk, node: syntax.TupleOf) -> Val:
    return _sequence(walk, node, "tuple")


@evaluates(syntax.ListOf)
def _list(walk: Walk, node: syntax.ListOf) -> Val:
    if len(node.items) == 1 and isinstance(node.items[0], syntax.Comprehension):
        return comprehend(walk, node.items[0], "list")
    return _sequence(walk, node, "list")


def _sequence(walk: Walk, node: syntax.ListOf | syntax.TupleOf, kind: str) -> Val:
    values: list[Any] = []
    spans: list[Span | None] = []
    vals = walk.in_order([lambda i=i: _item(walk, i, kind) for i in node.items])  # type: ignore[misc]
    exprs = (e for v in vals for e in _written(v, kind))
    expr = graph.Sequence(kind, tuple(exprs))
    for item, val in zip(node.items, vals, strict=True):
        if not isinstance(item, syntax.Star):
            values.append(val.value)
            spans.append(val.span)
        elif isinstance(val.value, list | tuple):
            values.extend(val.value)
            spans.extend([val.span] * len(val.value))
        elif tensors_of(val.value):
            made = tensors_together([*map(_spread, node.items, vals)], node.span)
            return Val(BLUR if made is None else made, expr, node.span)
        elif isinstance(val.value, Blur):
            return Val(BLUR, expr, node.span)
        elif arithmetic.rounds(val.value) is None:
            text = f"`*` spreads a list, not {describe_value(val.value)}"
            raise walk.stop("wrong-type", text, item.span)
        else:
            type_ = "list[int]" if kind == "list" else "tuple[int, ...]"
            return Val(Unknown(type_, expr), expr, node.span)
    arithmetic.bounded(values, walk.limits)
    if kind == "tuple":
        return Val(tuple(values), expr, node.span, tuple(spans))
    return Val(values, expr, node.span)


def _spread(item: syntax.Expression, val: Val) -> Any:
    """What an item of a list adds to it, as a list."""
    if not isinstance(item, syntax.Star):
        return [val.value]
    return [*val.value] if isinstance(val.value, tuple) else val.value


def _written(val: Val, kind: str) -> list[Expr]:
    """The Python of a part: tensors in a tuple one by one, since how many there are
    in what torch returns is more than Python's types tell."""
    inner = val.expr.value if isinstance(val.expr, graph.Spread) else None
    if kind != "tuple" or not isinstance(inner, graph.Ref) or is_static(val.value):
        return [val.expr]
    if not isinstance(val.value, list | tuple):
        return [val.expr]
    places = range(len(val.value))
    return [graph.Item(inner, (graph.Const(i),), False) for i in places]


def _item(walk: Walk, item: syntax.Expression, kind: str) -> Val:
    if isinstance(item, syntax.Star):
        if item.value is None:
            raise walk.stop("syntax-error", "`*` needs a list here", item.span)
        val = walk.evaluate(item.value)
        return Val(val.value, graph.Spread(val.expr), item.span)
    if isinstance(item, syntax.Labelled) and kind == "list":
        raise walk.stop(
            "not-a-value",
            "a list of layers is a layer, not a value",
            item.span,
            help="put it behind a name: `name: [...]`, or in a flow",
        )
    return walk.evaluate(item)


@evaluates(syntax.DictOf)
def _dict(walk: Walk, node: syntax.DictOf) -> Val:
    keys = [walk.evaluate(k) for k in node.keys]
    vals = walk.in_order([lambda v=v: walk.evaluate(v) for v in node.values])  # type: ignore[misc]
    value = {k.value: v.value for k, v in zip(keys, vals, strict=True)}
    entries = tuple((k.expr, v.expr) for k, v in zip(keys, vals, strict=True))
    arithmetic.bounded(value, walk.limits)
    return Val(value, graph.Mapped(entries), node.span)


@evaluates(syntax.Comprehension)
def _generator(walk: Walk, node: syntax.Comprehension) -> Val:
    return comprehend(walk, node, "generator")
