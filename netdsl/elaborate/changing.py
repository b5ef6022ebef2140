"""Sizes that change from round to round: `__init__` has them where it builds in rounds,
and what they are in the end behind that.

A layer by itself is made once, so a loop that sends another size through it in each
round is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netdsl import graph
from netdsl.diagnostics import Label
from netdsl.elaborate.demand import in_expr, in_module, reached, running
from netdsl.elaborate.trees import every_module
from netdsl.elaborate.walk import Walk
from netdsl.graph import RepeatModule, Symbol
from netdsl.source import Span

_COMPOUND = (graph.ChainModule, graph.ChoiceModule, graph.RepeatModule)


def refuse_changing(walk: Walk) -> None:
    """Refuses what `__init__` makes once of a size that a loop changes."""
    if walk.report.failed:
        return
    known: set[Symbol] = set()
    if walk.root is not None:
        _made_in_turn(walk, walk.root, walk.owner.name_span, known)
    _statements(walk, walk.init, known)


def _statements(walk: Walk, statements: Iterable[Any], known: set[Symbol]) -> None:
    for statement in statements:
        match statement:
            case graph.Branch():
                _statements(walk, statement.then, known)
                _statements(walk, statement.other, known)
            case graph.Register():
                _made_in_turn(walk, statement.module, statement.span, known)
            case graph.OwnTensor():
                symbol = _unknown(walk, reached(walk.program, statement), known)
                if symbol is not None:
                    _refuse(walk, symbol, statement.kind, statement.span)


def _made_in_turn(
    walk: Walk, root: graph.Module, span: Span, known: set[Symbol]
) -> None:
    """Goes over a tree of layers as `__init__` makes it; `known` are the running
    ints so far."""
    inside: set[int] = set()
    for module in every_module(root):
        place = module.span or span
        symbol = None
        if isinstance(module, RepeatModule):
            carried = running(walk.program, module)
            known.update(s for s, _, _ in carried)
            firsts = in_expr(walk.program, [before for _, before, _ in carried])
            symbol = _unknown(walk, firsts, known)
            inside.update(id(m) for m in every_module(module))
        elif not isinstance(module, _COMPOUND):
            symbols = list(in_module(walk.program, module))
            if id(module) in inside:
                symbols = [s for s in symbols if s.kind == "carried"]
                symbol = _unknown(walk, symbols, known)
            else:
                symbol = _unknown(walk, symbols, known)
                symbol = symbol or _of_its_loop(walk, module, symbols)
        if symbol is not None:
            _refuse(walk, symbol, "layer", place, module.applied)
            return


def _unknown(
    walk: Walk, symbols: Iterable[Symbol], known: set[Symbol]
) -> Symbol | None:
    """A size of a round that nothing before this line of `__init__` works out."""
    rounds = {s for _, changing in walk.changing for s in changing}
    for symbol in symbols:
        if symbol.kind == "carried" and symbol not in known:
            return symbol
        if symbol.kind == "loop" and symbol in rounds:
            return symbol
    return None


def _of_its_loop(
    walk: Walk, module: graph.Module, symbols: list[Symbol]
) -> Symbol | None:
    """A size that changes in the loop that runs the layer."""
    loops = _loops_around(walk, module.applied)
    return next((s for _, own in loops for s in symbols if s in own), None)


def _loops_around(
    walk: Walk, place: Span | None
) -> list[tuple[Span, frozenset[Symbol]]]:
    return [
        (loop, own)
        for loop, own in walk.changing
        if place is not None
        and place.chunk is loop.chunk
        and loop.start <= place.start < loop.end
    ]


def _refuse(
    walk: Walk, symbol: Symbol, what: str, place: Span, used: Span | None = None
) -> None:
    labels: list[Label] = []
    for loop, own in walk.changing:
        if symbol in own and not labels:
            head = loop.text.partition("\n")[0]
            where = Span(loop.chunk, loop.start, loop.start + len(head))
            labels.append(Label(where, "this loop changes it"))
    if any(symbol in own for _, own in _loops_around(walk, used)):
        message = f"each round of a loop has another size for this {what}"
        advice = (
            "give each round one of its own, in a list that the loop goes over,"
            " or write the size by name"
        )
    else:
        message = f"`__init__` can't tell the size that a loop leaves for this {what}"
        advice = (
            "write it below the list of layers that the loop goes over, or write"
            " the size by name"
        )
    walk.error("size-not-inferred", message, place, labels=labels, help=advice)
