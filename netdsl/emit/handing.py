"""Nets and layers handed on as arguments: `partial(nn.BatchNorm2d, eps=1e-3)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netdsl import graph, syntax
from netdsl.elaborate.trials import names_given
from netdsl.elaborate.values import SKIP, Factory, FunctionValue, NetParameter
from netdsl.emit.levels import ATOM, UNARY
from netdsl.layers.spec import Declaration

if TYPE_CHECKING:
    from netdsl.emit.spelling import Speller


def factory_text(speller: Speller, value: Any) -> str:
    """A net or layer handed on: `Block`, `partial(nn.BatchNorm2d, eps=1e-3)`"""
    if isinstance(value, NetParameter):
        return speller.symbol_text(value.symbol)
    target = value.target
    if isinstance(value, FunctionValue):
        own = isinstance(target, syntax.Fn)
        return speller.function(target if own else target.target)
    if target == SKIP:
        name = speller.imports.note("nn.Identity")
    elif isinstance(target, NetParameter):
        name = speller.symbol_text(target.symbol)
    elif isinstance(target, Declaration):
        name = speller.imports.note(target.target)
    else:
        name = speller.net_name(target)
    if not value.positional and not value.keywords:
        return name
    speller.imports.use("partial")
    names = names_given(value) or ()
    keywords = (*zip(names, value.positional, strict=False), *value.keywords)
    inner = given_text(speller, value.positional[len(names) :], keywords)
    return f"partial({name}, {inner})"


def given_text(speller: Speller, positional: Sequence[Any], keywords: Any) -> str:
    """Arguments as they were written."""
    pairs = keywords.items() if isinstance(keywords, dict) else keywords
    parts: list[str] = []
    at = 0
    while at < len(positional):
        stars = _star_items(positional[at:])
        if stars is None:
            parts.append(argument_text(speller, positional[at]))
            at += 1
        else:
            parts.append(f"*{speller.text(stars.value, ATOM)}")
            at += stars.count
    parts += [f"{name}={argument_text(speller, a)}" for name, a in pairs]
    return ", ".join(parts)


def argument_text(speller: Speller, argument: Any) -> str:
    if isinstance(argument.value, Factory | NetParameter | FunctionValue):
        return factory_text(speller, argument.value)
    if isinstance(argument.value, list | tuple | dict) and _has_factory(argument.value):
        return table_text(speller, argument.value, argument.expr)
    return speller.text(argument.expr)


def table_text(speller: Speller, value: Any, expr: Any = None) -> str:
    """A table of nets; `[Block] * 4` as it was written."""
    if isinstance(value, Factory | NetParameter):
        return factory_text(speller, value)
    match expr:
        case graph.Op(op="*", operands=(graph.Sequence() as once, times)):
            part = value[: len(once.items)]
            spread = any(isinstance(i, graph.Spread) for i in once.items)
            if part and not spread and value == part * (len(value) // len(part)):
                return f"{table_text(speller, part)} * {speller.text(times, UNARY)}"
    if isinstance(value, dict):
        inner = ", ".join(
            f"{speller.constant(k)[0]}: {table_text(speller, v)}"
            for k, v in value.items()
        )
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        inner = ", ".join(table_text(speller, v) for v in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return speller.constant(value)[0]


def _star_items(arguments: Sequence[Any]) -> graph.StarItem | None:
    """The first of all parts of `*value`, if the arguments begin with them."""
    first = arguments[0].expr
    if not isinstance(first, graph.StarItem):
        return None
    for i, argument in enumerate(arguments[: first.count]):
        expr = argument.expr
        if not isinstance(expr, graph.StarItem) or expr.value != first.value:
            return None
        if expr.items != (graph.Const(i),):
            return None
    return first if len(arguments) >= first.count else None


def _has_factory(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_factory(v) for v in value.values())
    if isinstance(value, list | tuple):
        return any(_has_factory(v) for v in value)
    return isinstance(value, Factory | NetParameter)
