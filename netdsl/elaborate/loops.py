"""What loops go over, and comprehensions of values: round by round where the rounds
are known, else once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from netdsl import dims, graph, syntax
from netdsl.dims import Dim, Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.reserved import check_name
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    ModuleValue,
    NetParameter,
    Rounds,
    Val,
    is_static,
    leaves,
    symbols_of,
    type_name,
)
from netdsl.elaborate.walk import Walk
from netdsl.graph import Symbol
from netdsl.layers import Unknown
from netdsl.shapes import Tensor

# -- targets -------------------------------------------------------------------


def target_names(target: syntax.Expression) -> list[str]:
    if isinstance(target, syntax.TupleOf):
        return [n for t in target.items for n in target_names(t)]
    return [target.id] if isinstance(target, syntax.Name) else []


FORWARD = "forward"
"""The place of the variables of a loop that runs, and builds nothing."""


def make_target(target: syntax.Expression, kind: str, place: str | None = None) -> Any:
    """Symbols in the form of a loop's target."""
    if isinstance(target, syntax.TupleOf):
        return tuple(make_target(t, kind, place) for t in target.items)
    assert isinstance(target, syntax.Name)
    return Symbol(target.id, kind, place=place)


def bind_target(
    walk: Walk, target: syntax.Expression, symbols: Any, value: Any
) -> None:
    """Gives the names of a loop's target their values of one round."""
    if isinstance(target, syntax.Name):
        symbols.type = type_name(value)
        symbols.value = value
        if symbols.kind == "member":
            # Beside the layers a loop goes over may stand their numbers.
            symbols.kind = "loop" if isinstance(value, Dim) else "item"
        if isinstance(value, ModuleValue):
            value = ModuleValue(value.module, graph.Ref(symbols))
        if isinstance(value, NetParameter):
            value = NetParameter(symbols, value.bindings)
        if isinstance(value, tuple):
            value = tuple(_net_in(symbols, k, part) for k, part in enumerate(value))
        walk.bind(target.id, Val(value, graph.Ref(symbols), target.span))
        return
    assert isinstance(target, syntax.TupleOf)
    parts = parts_of(walk, value, len(target.items), target)
    for item, symbol, part in zip(target.items, symbols, parts, strict=True):
        bind_target(walk, item, symbol, part)


def _net_in(target: Symbol, index: int, part: Any) -> Any:
    """A net in a tuple that a loop's variable holds goes by its place in that."""
    if not isinstance(part, NetParameter):
        return part
    symbol = Symbol(f"{target.name}[{index}]", "lookup")
    symbol.value = graph.Item(graph.Ref(target), (graph.Const(index),), False)
    return NetParameter(symbol, part.bindings)


def parts_of(walk: Walk, value: Any, count: int, node: syntax.Node) -> list[Any]:
    """The parts of a value that is unpacked into `count` names."""
    if isinstance(value, Blur):
        return [value] * count
    if isinstance(value, Unknown):
        kind = value.type
        if kind.startswith("tuple[") and "..." not in kind:
            kinds = arithmetic.split_types(kind[6:-1])
            if len(kinds) == count:
                return [arithmetic.element(value, k, i) for i, k in enumerate(kinds)]
        if "any" in kind.lower() or kind.startswith(("list", "tuple")):
            inner = (
                kind[kind.find("[") + 1 : -1].split(",")[0] if "[" in kind else "any"
            )
            return [arithmetic.element(value, inner, i) for i in range(count)]
    if isinstance(value, Rounds):
        return [value.at(i) for i in range(count)]
    if not isinstance(value, tuple | list) or isinstance(value, Tensor):
        raise walk.stop(
            "tuple-mismatch",
            f"{arithmetic.describe_value(value)} can't be taken apart into"
            f" {count} names",
            node.span,
        )
    if len(value) != count:
        raise walk.stop(
            "tuple-mismatch",
            f"{len(value)} values are taken apart into {count} names",
            node.span,
            help=_apart(value, count),
        )
    return list(value)


def _apart(value: Sequence[Any], count: int) -> str:
    if len(value) > count:
        return "write `_` for a part that isn't wanted"
    if len(value) == 2 and isinstance(value[1], tuple) and len(value[1]) == count - 1:
        names = ", ".join("hcxyz"[: count - 1])
        return f"the second is a tuple itself: write `y, ({names}) = ...`"
    return f"write {len(value)} names, or make {count} values"


# -- what is looped over -------------------------------------------------------


def sequence(walk: Walk, val: Val) -> list[Any] | Rounds | None:
    """What a loop goes over: known values, or rounds; None after a mistake.

    A class keeps its loops: where one is defined, a static list is open too.
    """
    value = val.value
    if isinstance(value, Blur):
        return None
    open_ = arithmetic.rounds(value)
    if open_ is not None:
        return open_
    if isinstance(value, ModuleValue):
        from netdsl.elaborate.members import module_rounds

        return module_rounds(walk, value, val.span)
    if isinstance(value, dict):
        value = list(value)
    if isinstance(value, Tensor):
        size = value.shape.at(0)
        rest = Tensor(value.shape.without(0), value.dtype)
        if isinstance(size, int) and not walk.defining:
            return [rest] * size
        return Rounds(size, lambda i: rest, val.expr)
    if not isinstance(value, list | tuple):
        raise walk.stop(
            "wrong-type",
            f"{arithmetic.describe_value(value)} can't be looped over",
            val.span or walk.owner.span,
            help=(
                f"write `range({val.span.text})`"
                if arithmetic.is_int(value) and val.span
                else ""
            ),
        )
    values = list(value)
    if walk.defining and values and _is_plain(values):
        return arithmetic.open_rounds(values, val.expr)
    return values


def _is_plain(values: Any) -> bool:
    """Whether it holds neither tensors nor layers, of which each is another."""
    return is_static(values) and not any(
        isinstance(v, ModuleValue) for v in leaves(values)
    )


# -- comprehensions of values --------------------------------------------------


def comprehend(
    walk: Walk, node: syntax.Comprehension, kind: Literal["list", "generator"]
) -> Val:
    """`[element for ...]` of values or tensors."""
    loops: list[graph.Loop] = []
    values: list[Any] = []
    exprs: list[graph.Expr] = []
    sources: list[Any] = []
    state: dict[str, Any] = {"open": False}

    def clause(i: int) -> None:
        if i == len(node.clauses):
            mark = len(walk.forward)
            val = walk.evaluate(node.element)
            del walk.forward[mark:]
            values.append(val.value)
            exprs.append(val.expr)
            return
        part = node.clauses[i]
        source = walk.evaluate(part.iterable)
        sources.append(source.value)
        symbols = make_target(
            part.target, "loop" if is_static(source.value) else "item"
        )
        over = sequence(walk, source)
        if over is None:
            raise _Blurred
        first = len(loops) == i
        if first:
            loops.append(graph.Loop(symbols, source.expr, ()))
        if isinstance(over, Rounds):
            state["open"] = not isinstance(over.count, int) or state["open"]
            _, index = walk.fresh("i", "loop")
            rounds = [over.at(index)]
            single = len(node.clauses) == 1 and not part.tests
            state["rounds"] = (over.count, index) if single else None
        else:
            rounds = list(over)
        for value in rounds:
            walk.program.walk_again(node.element.span, part.span)
            bind_target(walk, part.target, symbols, value)
            keep, tests = _tests(walk, part)
            if first and tests and not loops[i].tests:
                loops[i] = graph.Loop(symbols, source.expr, tests)
            if keep is None:
                state["open"] = True
            if keep is not False:
                clause(i + 1)

    names = [n for c in node.clauses for n in target_names(c.target)]
    for name in names:
        check_name(walk, name, node.span)
    with walk.shadowed(names):
        try:
            clause(0)
        except _Blurred:
            return Val(BLUR, graph.Const(None), node.span)
    if not exprs:
        return Val([], graph.Sequence("list", ()), node.span)
    expr = graph.Comprehend(exprs[0], tuple(loops), kind)
    if any(isinstance(v, Blur) for v in values):
        return Val(BLUR, expr, node.span)
    if state.get("rounds") and any(isinstance(v, Tensor) for v in leaves(values)):
        count, index = state["rounds"]
        return Val(each_round(values[0], count, index, expr), expr, node.span)
    if walk.defining and len(node.clauses) == 1 and not state["open"]:
        values = _again(walk, node, sources[0], loops[0].target, values)
    if state["open"]:
        kinds = dict.fromkeys(type_name(v) for v in values)
        return Val(Unknown(f"list[{' | '.join(kinds)}]", expr), expr, node.span)
    own = {id(s) for loop in loops for s in graph.every(loop.target)}
    return Val(_by_place(values, expr, (), own), expr, node.span)


def _by_place(
    value: Any, expr: graph.Expr, place: tuple[int, ...], own: set[int]
) -> Any:
    """Elements of a list by their place in it, where they are known only in terms of
    the variables that made it: those mean nothing behind it."""
    if isinstance(value, list | tuple) and not isinstance(value, Tensor):
        return type(value)(
            _by_place(v, expr, (*place, i), own) for i, v in enumerate(value)
        )
    if not any(id(s) in own for s in symbols_of(value)):
        return value
    if isinstance(value, Dim):
        return dims.of(dims.Element(arithmetic.text_of(expr), expr, *place))
    for i in place:
        expr = graph.Item(expr, (graph.Const(i),), False)
    return Unknown(value.type, expr)


def renamed(value: Any, expr: graph.Expr, symbol: Symbol) -> Any:
    """A list under the name that a `let` gives it."""
    if isinstance(value, list | tuple) and not isinstance(value, Tensor):
        return type(value)(renamed(v, expr, symbol) for v in value)
    atom = dims.single(value) if isinstance(value, Dim) else None
    ref = graph.Ref(symbol)
    if isinstance(atom, dims.Element) and atom.origin is expr:
        return dims.of(dims.Element(symbol.name, ref, *atom.parts()))
    if isinstance(value, Unknown) and value.origin is expr:
        return Unknown(value.type, ref)
    return value


def each_round(value: Any, count: Size, index: Dim, expr: graph.Expr) -> Rounds:
    """Tensors of an open loop: one of a round, by the number of the round."""
    from netdsl.elaborate.members import moved_by

    own = dims.single(index)
    assert own is not None
    return Rounds(count, lambda i: moved_by(value, {own: i}), ("each", expr))


def _again(
    walk: Walk,
    node: syntax.Comprehension,
    source: Any,
    symbols: Any,
    values: list[Any],
) -> list[Any]:
    """The exact values of a comprehension over a static list of known length."""
    part = node.clauses[0]
    if not isinstance(source, list | tuple) or not _is_plain(source):
        return values
    out = []
    for value in source:
        bind_target(walk, part.target, symbols, value)
        keep, _ = _tests(walk, part)
        if keep:
            out.append(walk.evaluate(node.element).value)
    return out


class _Blurred(Exception):
    pass


def _tests(
    walk: Walk, part: syntax.Clause
) -> tuple[bool | None, tuple[graph.Expr, ...]]:
    from netdsl.elaborate.values import decide

    keep: bool | None = True
    exprs = []
    for test in part.tests:
        val = walk.evaluate(test)
        exprs.append(val.expr)
        known = decide(val.value, walk.facts)
        if known is False:
            keep = False
        elif known is None and keep:
            keep = None
    return keep, tuple(exprs)
