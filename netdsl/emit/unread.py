"""What only layers are made with has no line in `forward`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from netdsl import graph
from netdsl.dims import Dim
from netdsl.elaborate.values import symbols_of
from netdsl.graph import Symbol


def without_unread(statements: list[Any]) -> list[Any]:
    """The statements without the numbers that they name and never read."""
    needed: set[int] = set()
    before = -1
    while before != (before := len(needed)):
        for statement in statements:
            _is_needed(statement, needed)
    return _kept(statements, needed)


def _is_needed(statement: Any, needed: set[int]) -> bool:
    """Whether a statement does anything; what it reads is needed then, too."""
    reads: Any = ()
    match statement:
        case graph.Assign() | graph.BindLet():
            names = _named(statement)
            if _are_numbers(names, statement) and needed.isdisjoint(map(id, names)):
                return False
            if isinstance(statement, graph.Assign) and _changes_nothing(statement):
                return False
            reads = statement.value
        case graph.Branch():
            arms = [_is_needed(s, needed) for s in (*statement.then, *statement.other)]
            if not any(arms) and _is_plain(statement.test):
                return False
            reads = statement.test
        case graph.Repeat():
            if not any([_is_needed(s, needed) for s in statement.body]):
                return False
            reads = statement.loop
        case graph.Check():
            reads = statement.test
        case _:
            reads = statement.value
    needed.update(_symbols(reads))
    return True


def _changes_nothing(statement: graph.Assign) -> bool:
    """`x = x`, of an input, too: names of the user's are written as they are."""
    named, value = statement.target, statement.value
    if statement.op != "=" or not isinstance(value, graph.Ref):
        return False
    held = value.symbol
    if named is held:
        return True
    return (
        isinstance(named, Symbol)
        and named.kind in _WRITTEN
        and held.kind in _WRITTEN
        and named.name == held.name
    )


_WRITTEN = ("input", "var")


def _kept(statements: list[Any], needed: set[int]) -> list[Any]:
    out: list[Any] = []
    for statement in statements:
        if not _is_needed(statement, needed):
            continue
        if isinstance(statement, graph.Branch):
            then, other = _kept(statement.then, needed), _kept(statement.other, needed)
            if not then and not other:
                continue
            statement = statement.replaced(then=then, other=other)
        elif isinstance(statement, graph.Repeat):
            statement = statement.replaced(body=_kept(statement.body, needed))
        out.append(statement)
    return out


def _named(statement: graph.Assign | graph.BindLet) -> list[Symbol]:
    if isinstance(statement, graph.BindLet):
        return [*statement.symbols]
    return [p for p in graph.every(statement.target) if isinstance(p, Symbol)]


def _are_numbers(names: list[Symbol], statement: graph.Assign | graph.BindLet) -> bool:
    """Whether a statement gives names to what no tensor has a part in."""
    named = all(s.kind in ("var", "let") for s in names)
    named = named and not any(_OF_TENSORS.search(s.type) for s in names)
    return named and _is_plain(statement.value)


def _is_plain(value: graph.Expr) -> bool:
    """Whether working it out does nothing else: runs no layer, draws no number."""
    for part in graph.every(value):
        if isinstance(part, graph.Apply | graph.MethodOf):
            return False
        if isinstance(part, graph.CallOf):
            if isinstance(part.target, str) and part.target.startswith(_TORCH):
                return False
            if any(s.type == "Tensor" for s in graph.every(part) if _is_symbol(s)):
                return False
    return True


def _is_symbol(part: Any) -> bool:
    return isinstance(part, Symbol)


_OF_TENSORS = re.compile(r"Tensor|Any|\bany\b")
_TORCH = ("torch.", "F.", "nn.")


def _symbols(node: Any) -> Iterator[int]:
    for part in graph.every(node):
        if isinstance(part, Symbol):
            yield id(part)
        elif isinstance(part, Dim):
            yield from map(id, symbols_of(part))
