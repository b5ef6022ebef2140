"""Annotations that mypy needs: what a layer gives is Any to it, and a function
that declares a Tensor may not return that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from netdsl import graph
from netdsl.graph import Symbol

# torch itself doesn't say what these methods give.
_UNTYPED = frozenset({"norm"})
# Nor what these functions give, nor those of these modules.
_UNTYPED_CALLS = ("torch.fft.", "torch.linalg.", "torch.special.", "torch.tensordot")


class Annotations:
    """Which variables of a body are Any, and which are annotated.

    A variable has the type of its first assignment; those that are returned
    get the type of the result.
    """

    def __init__(
        self,
        statements: list[Any],
        spell: Callable[[Symbol], str],
        inputs: Iterable[Symbol],
        result: str,
    ) -> None:
        self.spell = spell
        self.result = result
        self.typed = {spell(s) for s in inputs}
        self.untyped: set[str] = set()
        self.returned = {spell(s) for s in returned(statements)}
        self.later: set[str] = set()
        """Variables that a layer's result is given to, if only later: to mypy they
        are Any from there on, unless the first assignment says what they are."""
        self.mixed: set[str] = set()
        """Variables that may hold something else than a tensor at some time."""
        for statement in assignments(statements):
            if isinstance(statement.target, Symbol):
                name = spell(statement.target)
                if self.is_any(statement.value):
                    self.later.add(name)
                if statement.target.type != "Tensor" or _of_any_kind(statement.value):
                    self.mixed.add(name)

    def ahead(self, statement: graph.Assign) -> list[str]:
        """Variables that need a line of their own: `y, _ = self.rnn(x)` has no
        room for a type."""
        if not isinstance(statement.target, tuple) or self.result != "Tensor":
            return []
        names = []
        for symbol in graph.every(statement.target):
            name = self.spell(symbol) if isinstance(symbol, Symbol) else ""
            if name in self.returned - self.typed - self.untyped:
                if self.is_any(statement.value):
                    self.typed.add(name)
                    names.append(name)
        return names

    def of(self, statement: graph.Assign) -> str:
        """What stands behind the variable: `: Tensor`, or nothing."""
        if not isinstance(statement.target, Symbol):
            for symbol in graph.every(statement.target):
                if isinstance(symbol, Symbol):
                    self._first(self.spell(symbol), statement.value)
            return ""
        name = self.spell(statement.target)
        if name in self.typed | self.untyped or statement.op != "=":
            return ""
        if (
            name in self.returned
            and self.result != "Any"
            and (self.is_any(statement.value) or name in self.later)
        ):
            self.typed.add(name)
            several = " | " in self.result and name not in self.mixed
            return ": Tensor" if several else f": {self.result}"
        self._first(name, statement.value)
        return ""

    def _first(self, name: str, value: graph.Expr) -> None:
        if name not in self.typed | self.untyped:
            (self.untyped if self.is_any(value) else self.typed).add(name)

    def is_any(self, expr: Any) -> bool:
        """Whether Python knows no type of an expression."""
        match expr:
            case graph.Apply():
                return True
            case graph.Ref():
                return self.spell(expr.symbol) in self.untyped
            case graph.CallOf(target=str() as target):
                return target.startswith(_UNTYPED_CALLS)
            case graph.MethodOf():
                return expr.name in _UNTYPED or self.is_any(expr.value)
            case graph.AttributeOf() | graph.Item():
                return self.is_any(expr.value)
            case graph.Op():
                return any(self.is_any(o) for o in expr.operands)
            case graph.Sequence():
                return any(self.is_any(i) for i in expr.items)
            case graph.Choose():
                return self.is_any(expr.then) or self.is_any(expr.other)
        return False


def _of_any_kind(value: graph.Expr) -> bool:
    """Whether an expression may give a tuple, a dict or None."""
    kinds = graph.Sequence | graph.Mapped | graph.Const | graph.Choose | graph.Ref
    return isinstance(value, kinds)


def assignments(statements: list[Any]) -> Iterable[graph.Assign]:
    """Every assignment of a body."""
    for statement in statements:
        match statement:
            case graph.Assign():
                yield statement
            case graph.Branch():
                yield from assignments(statement.then)
                yield from assignments(statement.other)
            case graph.Repeat():
                yield from assignments(statement.body)


def returned(statements: list[Any]) -> Iterable[Symbol]:
    """The variables that a body returns as they are."""
    for statement in statements:
        match statement:
            case graph.Result():
                if isinstance(statement.value, graph.Ref):
                    yield statement.value.symbol
            case graph.Branch():
                yield from returned(statement.then)
                yield from returned(statement.other)
            case graph.Repeat():
                yield from returned(statement.body)
