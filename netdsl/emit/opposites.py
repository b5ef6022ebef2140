"""Conditions turned around, as people write them."""

from __future__ import annotations

from netdsl import graph
from netdsl.emit.spelling import Speller

_OPPOSITE = {
    "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip


def negated(speller: Speller, test: graph.Expr) -> str:
    """The opposite of a test, as people write it."""
    return speller.text(opposite(test))


def opposite(test: graph.Expr) -> graph.Expr:
    if isinstance(test, graph.Op):
        if test.op == "not":
            return test.operands[0]
        if test.op in _OPPOSITE and len(test.operands) == 2:
            return graph.Op(_OPPOSITE[test.op], test.operands)
        if test.op in ("and", "or"):
            other = "or" if test.op == "and" else "and"
            return graph.Op(other, tuple(opposite(o) for o in test.operands))
    return graph.Op("not", (test,))
