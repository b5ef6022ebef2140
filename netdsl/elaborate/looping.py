"""`for` in a body: known rounds one by one, open ones once, after looking ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.building import refuse_rebound
from netdsl.elaborate.carried import Carried, go_round
from netdsl.elaborate.loops import (
    FORWARD,
    bind_target,
    make_target,
    sequence,
    target_names,
)
from netdsl.elaborate.members import round_mapping
from netdsl.elaborate.reserved import check_name
from netdsl.elaborate.running import look_ahead, note_carried
from netdsl.elaborate.values import (
    PLAIN,
    Blur,
    Gathered,
    ModuleValue,
    Rounds,
    Val,
    is_number,
    is_static,
    symbols_of,
    type_name,
)
from netdsl.elaborate.walk import Walk, executes
from netdsl.layers import Unknown
from netdsl.shapes import Shape, Tensor


@executes(syntax.For)
def _for(walk: Walk, node: syntax.For) -> None:
    source = walk.evaluate(node.iterable)
    over = sequence(walk, source)
    if over is None:
        if walk.defining and not walk.report.failed:
            # Nothing was wrong, and yet nobody knows: leaving the loop out would be.
            raise walk.stop(
                "unsupported",
                "what this loop goes over can't be told when the file is compiled",
                node.iterable.span,
            )
        return
    kind = "loop" if is_static(source.value) else "item"
    if _holds_modules(source.value):
        kind = "member"
    symbols = make_target(node.target, kind, FORWARD)
    for name in target_names(node.target):
        check_name(walk, name, node.target.span)
        refuse_rebound(walk, name, None, node.target.span)
    walk.looping += 1
    top, walk.top = walk.top, False
    try:
        with walk.in_loop(target_names(node.target)):
            if isinstance(over, Rounds):
                exact = _exactly(walk, node, source.value)
                body = _open_loop(walk, node, symbols, over)
                for name, value in exact.items():
                    val = walk.scope[name]
                    walk.scope[name] = Val(value, val.expr, val.span)
            else:
                body = _known_loop(walk, node, symbols, over)
    finally:
        walk.looping -= 1
        walk.top = top
    if body:
        loop = graph.Loop(symbols, source.expr, ())
        walk.say(graph.Repeat(loop, body, node.span))


def _exactly(walk: Walk, node: syntax.For, value: Any) -> dict[str, Any]:
    """What a loop over a known list leaves behind, walked round by round.

    The class keeps the loop, but what comes out of it is known all the same.
    """
    if not walk.defining or not isinstance(value, list | tuple):
        return {}
    names = [n for n in assigned_in(node.body) if n in walk.scope]
    undo = look_ahead(walk)
    said = len(walk.forward)
    with walk.report.muted():
        _known_loop(walk, node, make_target(node.target, "loop"), value)
    after = {n: walk.scope[n].value for n in names}
    del walk.forward[said:]
    undo()
    return {n: v for n, v in after.items() if not isinstance(v, Blur)}


def _holds_modules(value: Any) -> bool:
    from netdsl.elaborate.values import leaves

    if isinstance(value, Rounds):
        return "modules" in str(value.key)
    return any(isinstance(v, ModuleValue) for v in leaves(value))


def _known_loop(
    walk: Walk, node: syntax.For, symbols: Any, values: Sequence[Any]
) -> list[Any]:
    first: list[Any] = []
    for i, value in enumerate(values):
        walk.program.walk_again(node.span, node.span, 2)
        before, walk.forward = walk.forward, []
        try:
            bind_target(walk, node.target, symbols, value)
            walk.execute(node.body)
            if i == 0:
                first = walk.forward
        finally:
            walk.forward = before
    return first


def assigned_in(statements: Sequence[syntax.Statement]) -> set[str]:
    """The names that statements bind."""
    names: set[str] = set()
    for statement in statements:
        for part in syntax.walk(statement):
            if isinstance(part, syntax.Assign | syntax.Augment):
                names.update(target_names(part.target))
    return names


def _open_loop(walk: Walk, node: syntax.For, symbols: Any, over: Rounds) -> list[Any]:
    """A loop of unknown length: its body is walked once, after looking ahead."""
    number, index = walk.fresh("i", "loop")
    loop = Carried(index, over.count)
    bound = assigned_in(node.body)
    names = [n for n in bound if n in walk.scope]
    before_all = {n: walk.scope[n].value for n in names}
    _number_anew(walk, names)
    state = {n: walk.scope[n].value for n in names}
    lists = [n for n, v in state.items() if isinstance(v, list | Rounds)]
    recorded: list[Any] = []
    ours = len(walk.rounds)  # those ahead of it are of a loop around this one

    def body(before: dict[str, Any]) -> dict[str, Any]:
        nonlocal recorded
        for name in names:
            if name not in lists:
                val = walk.scope[name]
                walk.scope[name] = Val(before[name], val.expr, val.span)
        outer, walk.forward = walk.forward, []
        appended, walk.appended = walk.appended, {n: [] for n in lists}
        popping, walk.popping = walk.popping, (index, {})
        try:
            bind_target(walk, node.target, symbols, over.at(index))
            walk.execute(node.body)
            recorded = walk.forward
            state["appended"] = walk.appended
            state["popped"] = walk.popping[1]
        finally:
            walk.forward = outer
            walk.appended, walk.popping = appended, popping
        return {n: walk.scope[n].value for n in names}

    carried = {n: v for n, v in state.items() if n not in lists}
    after = go_round(walk, loop, dict(carried), body, lambda: look_ahead(walk))
    for name, value in after.items():
        if name in carried:
            val = walk.scope[name]
            walk.scope[name] = Val(value, val.expr, val.span)
    _lists_after(walk, loop, lists, state)
    _numbers_after(walk, {*bound, *target_names(node.target)}, before_all)
    for module in walk.rounds[ours:]:
        note_carried(module.repeat, loop, round_mapping(module))
    del walk.rounds[ours:]
    own = frozenset({number, *(symbol for symbol, *_ in loop.running)})
    walk.changing.append((node.span, own))
    return recorded


def _number_anew(walk: Walk, names: Iterable[str]) -> None:
    """Numbers that a round of an open loop binds: another round has others."""
    for name in names:
        val = walk.scope[name]
        if is_number(val.value):
            walk.scope[name] = Val(_of_a_run(walk, name, val.value), val.expr, val.span)


def _numbers_after(walk: Walk, names: set[str], before: Mapping[str, Any]) -> None:
    """What an open loop leaves of numbers: only a run knows them, unless a round
    leaves what there was before."""
    changed = []
    for name in sorted(names & walk.scope.keys()):
        value = walk.scope[name].value
        stays = type(value) in PLAIN and value == before.get(name, value)
        if is_number(value) and not stays and not _is_lasting(value):
            changed.append(name)
    _number_anew(walk, changed)


def _is_lasting(value: Any) -> bool:
    """Whether a value rests on nothing that a round may change."""
    kinds = ("hyper", "size", "constant", "input")
    return type(value) not in PLAIN and all(s.kind in kinds for s in symbols_of(value))


def _of_a_run(walk: Walk, name: str, value: Any) -> Any:
    """A number of that type, of which a run alone knows which."""
    symbol = walk.variable(name, value)
    if not arithmetic.is_int(value):
        return Unknown(type_name(value), graph.Ref(symbol))
    return dims.of(
        dims.Name(f"{name}#{walk.program.count()}", None, None, symbol, name)
    )


def _lists_after(
    walk: Walk, loop: Carried, lists: list[str], state: dict[str, Any]
) -> None:
    """The lists that an open loop made longer or shorter."""
    own = dims.single(loop.index)
    running = {atom: before for _, atom, before, _ in loop.running}
    for name in lists:
        val = walk.scope[name]
        added = state["appended"].get(name, [])
        popped = state["popped"].get(name, 0)
        if added and popped:
            walk.scope[name] = Val(Blur(val.span), val.expr, val.span)
        elif popped and isinstance(val.value, Rounds):
            rest = Rounds(val.value.count - loop.count, val.value.at, ("rest", name))
            walk.scope[name] = Val(rest, val.expr, val.span)
        elif added:
            value: Any = Blur(val.span)
            if len(added) == 1 and isinstance(val.value, list):
                value = Rounds(
                    loop.count,
                    _element_of(name, added[0], own, running),
                    ("appended", name, walk.program.count()),
                )
                if val.value:
                    value = Gathered(val.span, (*val.value, value))
            walk.scope[name] = Val(value, val.expr, val.span)


def _element_of(
    name: str, value: Any, own: Any, running: Mapping[dims.Atom, Size]
) -> Any:
    def at(index: Size) -> Any:
        if not isinstance(value, Tensor):
            return value

        def one(size: Size, place: int) -> Size:
            if any(a in running for a in dims.atoms(size)):
                first = dims.substitute(size, {own: 0, **running})
                return dims.appended(f"{name}.{place}", first, index)
            return dims.substitute(size, {own: index})

        shape = value.shape
        head = tuple(one(s, i) for i, s in enumerate(shape.head))
        tail = tuple(one(s, i - len(shape.tail)) for i, s in enumerate(shape.tail))
        return Tensor(Shape(head, shape.star, tail), value.dtype)

    return at
