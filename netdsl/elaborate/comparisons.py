"""Comparisons of static values: true, false, or a condition."""

from __future__ import annotations

from typing import Any

from netdsl import graph
from netdsl.elaborate.arithmetic import (
    PYTHON,
    describe_value,
    is_int,
    is_number,
    is_open,
    not_for,
)
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Condition,
    Maybe,
    Rounds,
    leaves,
)
from netdsl.facts import Comparison
from netdsl.layers.spec import Unknown
from netdsl.shapes import Refusal

_ORDER = {"<", "<=", ">", ">="}


def compare(op: str, a: Any, b: Any, expr: graph.Expr, dynamic: bool) -> Any:
    """`a op b`: a bool, or a Condition where it is not known."""
    if isinstance(a, Blur) or isinstance(b, Blur):
        return BLUR
    if op in ("is", "is not"):
        return _identity(op, a, b, expr, dynamic)
    if op in ("in", "not in"):
        return _membership(op, a, b, expr, dynamic)
    if is_int(a) and is_int(b):
        comparison = Comparison(op, a, b)
        if isinstance(a, int) and isinstance(b, int):
            return PYTHON[op](a, b)
        return Condition("compare", (comparison,), dynamic)
    if is_open(a) or is_open(b):
        if op in ("==", "!=") and a == b and not isinstance(a, Condition):
            return op == "=="
        return Condition("opaque", (expr,), dynamic)
    if any(is_open(leaf) for leaf in (*leaves(a), *leaves(b))):
        return _part_by_part(op, a, b, expr, dynamic)
    if op in _ORDER and not (is_number(a) and is_number(b)) and type(a) is not type(b):
        raise not_for(op, a, b)
    return PYTHON[op](a, b)


def _part_by_part(op: str, a: Any, b: Any, expr: graph.Expr, dynamic: bool) -> Any:
    """`a == b` of lists or tuples that hold what is not known."""
    if op not in ("==", "!=") or isinstance(a, dict) or isinstance(b, dict):
        return Condition("opaque", (expr,), dynamic)
    if type(a) is not type(b) or len(a) != len(b):
        return op == "!="
    pairs = zip(a, b, strict=True)
    parts = tuple(compare(op, x, y, expr, dynamic) for x, y in pairs)
    return Condition("and" if op == "==" else "or", parts, dynamic)


def _identity(op: str, a: Any, b: Any, expr: graph.Expr, dynamic: bool) -> Any:
    if b is not None:
        raise Refusal("wrong-value", f"`{op}` compares with None only")
    if isinstance(a, Unknown) and ("None" in a.type or a.type in ("any", "Any")):
        return Condition("opaque", (expr,), dynamic)
    if isinstance(a, Maybe):
        return Condition("opaque", (expr,), True)
    return (a is None) == (op == "is")


def _membership(op: str, a: Any, b: Any, expr: graph.Expr, dynamic: bool) -> Any:
    if isinstance(b, dict | list | tuple) and not is_open(a):
        if not any(is_open(item) for item in b):
            return (a in b) == (op == "in")
    if isinstance(a, str) and isinstance(b, str):
        return (a in b) == (op == "in")
    if not isinstance(b, Unknown | Rounds | list | tuple | dict):
        raise Refusal("wrong-type", f"`{op}` needs a list, not {describe_value(b)}")
    return Condition("opaque", (expr,), dynamic)
