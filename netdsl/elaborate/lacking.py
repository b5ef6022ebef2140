"""Sizes of optional inputs, read where the input may be None."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from netdsl import graph
from netdsl.dims import Dim
from netdsl.elaborate.values import size_names
from netdsl.elaborate.walk import Walk
from netdsl.graph import Symbol
from netdsl.source import Span

Given = frozenset[Symbol]


def lint_sizes(walk: Walk) -> None:
    """Refuses to read the size of an input that may be None."""
    reader = _Reader(walk)
    for val, node in walk.wheres:
        reader.read(val.expr, frozenset(), node.span)
    reader.block(walk.forward, frozenset())


class _Reader:
    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.told: set[Symbol] = set()

    def block(self, statements: Sequence[Any], given: Given) -> None:
        """Reads statements; `given` are the optional inputs that are not None."""
        for statement in statements:
            match statement:
                case graph.Branch(test=test, then=then, other=other):
                    self.read(test, given, statement.span)
                    self.block(then, given.union(_given(test, True)))
                    self.block(other, given.union(_given(test, False)))
                    for gone, truth in ((then, False), (other, True)):
                        if gone and isinstance(gone[-1], graph.Result):
                            given = given.union(_given(test, truth))
                case graph.Repeat():
                    self.read(statement.loop, given, statement.span)
                    self.block(statement.body, given)
                case graph.Assign() | graph.Result():
                    self.read(statement.value, given, statement.span)

    def read(self, part: Any, given: Given, span: Span) -> None:
        match part:
            case graph.Choose(test=test, then=then, other=other):
                self.read(test, given, span)
                self.read(then, given.union(_given(test, True)), span)
                self.read(other, given.union(_given(test, False)), span)
            case graph.Op(op="and" | "or" as op):
                for operand in part.operands:
                    self.read(operand, given, span)
                    given = given.union(_given(operand, op == "and"))
            case Symbol(kind="size"):
                self.size(part, given, span)
            case Dim():
                for symbol in size_names(part):
                    self.size(symbol, given, span)
            case _:
                for inner in graph.parts_of(part):
                    self.read(inner, given, span)

    def size(self, symbol: Symbol, given: Given, span: Span) -> None:
        owner = optional_owner(symbol)
        if owner is None or owner in given or symbol in self.told:
            return
        self.told.add(symbol)
        name = symbol.name if symbol.name[0] != "_" else "this size"
        self.walk.error(
            "wrong-type",
            f"`{name}` is a size of `{owner.name}`, which may be None here",
            span,
            help=f"ask first: `if {owner.name} is not None:`; or read the size of a"
            f" tensor that is there: `x.shape[{symbol.place[1]}]`",
        )


def optional_owner(symbol: Symbol) -> Symbol | None:
    """The input that a size is read from, if that may be None."""
    owner = symbol.place[0] if isinstance(symbol.place, tuple) else None
    return owner if isinstance(owner, Symbol) and is_optional(owner) else None


def is_optional(symbol: Symbol) -> bool:
    return "None" in symbol.type


def _given(test: Any, truth: bool) -> Iterator[Symbol]:
    """The inputs that are not None where the test comes out so."""
    match test:
        case graph.Op(op="is" | "is not" as op, operands=(graph.Ref(symbol=symbol), _)):
            if (op == "is not") is truth:
                yield symbol
        case graph.Op(op="not", operands=(operand,)):
            yield from _given(operand, not truth)
        case graph.Op(op="and" | "or" as op) if (op == "and") is truth:
            for operand in test.operands:
                yield from _given(operand, truth)
