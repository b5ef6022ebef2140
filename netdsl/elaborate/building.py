"""What a layer is made with: `__init__` knows it, before any tensor flows.

A name that the body gives to a number or a size, `c` in `_, c, _, _ = x.shape`,
belongs to `forward`.  Where a layer is made, what it holds is said instead, if the
name is bound once, outside loops and conditions: then it holds that wherever it is
read.  Any other is refused, and in the end so is whatever else of `__init__` would
rest on what only a run knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Label
from netdsl.elaborate.demand import (
    RUN,
    in_expr,
    in_size,
    nets_behind,
    reached,
    running,
)
from netdsl.elaborate.loops import FORWARD, target_names
from netdsl.elaborate.specialise import asked_sizes
from netdsl.elaborate.trees import OutOf, every_module
from netdsl.elaborate.values import PLAIN, Blur, Val
from netdsl.elaborate.walk import Walk
from netdsl.graph import Expr, Symbol
from netdsl.layers.spec import Unknown
from netdsl.shapes import Tensor
from netdsl.source import Span

_NO_NAMES = ("training", "this value")
_RUNNING = ("input", "var", "temp", "item", RUN)


class _Running(Exception):
    """What only a run of the module knows."""

    def __init__(self, name: str) -> None:
        self.name = name


class Binding:
    """How a body binds a name: where, and why it may hold several values."""

    __slots__ = ("places", "why")

    def __init__(self) -> None:
        self.places: list[Span] = []
        self.why = ""

    def note(self, place: Span, why: str) -> None:
        self.places.append(place)
        self.why = self.why or why
        if len(self.places) > 1:
            self.why = self.why or "bound again here"


def bindings(walk: Walk) -> dict[str, Binding]:
    """The names that the body of the net binds by `=`, and as loop variables."""
    known = walk.program.bound.get(id(walk.owner))
    if known is None:
        known = {}
        _gather(getattr(walk.owner, "body", ()), "", known)
        walk.program.bound[id(walk.owner)] = known
    return known


def _gather(
    body: Sequence[syntax.Statement], why: str, found: dict[str, Binding]
) -> None:
    for statement in body:
        match statement:
            case syntax.Assign() | syntax.Augment():
                reason = why
                if isinstance(statement, syntax.Augment):
                    reason = why or "changed here"
                for name in target_names(statement.target):
                    place = statement.target.span
                    found.setdefault(name, Binding()).note(place, reason)
            case syntax.If():
                for arm in (statement.body, statement.orelse):
                    _gather(arm, why or "bound under a condition", found)
            case syntax.For():
                for name in target_names(statement.target):
                    place = statement.target.span
                    found.setdefault(name, Binding()).note(place, "of a loop")
                _gather(statement.body, "bound in a loop", found)


def if_built(walk: Walk, val: Val) -> Val:
    """The same for what may well be known only when the module runs."""
    if not walk.defining:
        return val
    try:
        return Val(val.value, _built(walk, val.expr), val.span)
    except _Running:
        return val


def for_building(walk: Walk, val: Val, span: Span | None = None) -> Val:
    """A value as it can be said where layers are made; refuses what a run knows."""
    # What a use says is never written: the class's own walk refuses for both.
    if not walk.defining or type(val.expr) is graph.Const:
        return val
    if isinstance(val.value, (Tensor, Blur)):
        return val
    if not any(_is_running(part) for part in graph.every(val.expr)):
        return val
    try:
        return Val(val.value, _built(walk, val.expr), val.span)
    except _Running as known:
        place = val.span or span
        assert place is not None
        raise _refused(walk, known.name, "a layer is made before", place) from None


def _refused(walk: Walk, name: str, before: str, place: Span) -> Exception:
    """Says that only a run knows what a name stands for, and where it is bound."""
    binding = bindings(walk).get(name)
    labels = []
    advice = "make it a hyperparameter, or work it out by `let`"
    if binding is not None:
        advice = f"work it out by `let {name} = ...`: that holds for the whole net"
        why = binding.why or "bound here"
        labels = [Label(p, why) for p in binding.places[-1:]]
    return walk.stop(
        "not-a-value",
        f"`{name}` is known when the module runs, and {before}",
        place,
        labels=labels,
        help=advice,
    )


def _is_running(part: Any) -> bool:
    if isinstance(part, Symbol):
        if part.kind in ("let", "loop"):
            return part.place in ("dynamic", FORWARD)
        return part.kind in _RUNNING
    return isinstance(part, (graph.Training, graph.Apply))


def _built(walk: Walk, node: Any) -> Any:
    """The expression without names of `forward`."""
    if isinstance(node, graph.Ref) and _is_running(node.symbol):
        return _held(walk, node)
    if isinstance(node, graph.Training):
        raise _Running("training")
    if isinstance(node, graph.Apply):
        raise _Running("this value")
    if isinstance(node, tuple):
        return tuple(_built(walk, part) for part in node)
    if isinstance(node, Expr):
        parts = {field: _built(walk, getattr(node, field)) for field in node.fields}
        return _element(node.replaced(**parts))
    return node


def _element(node: Expr) -> Expr:
    """`9` for `[width, 9][1]`"""
    match node:
        case graph.Item(
            value=graph.Sequence(items=items), items=(graph.Const(value=int(place)),)
        ) if (-len(items) <= place < len(items)):
            return items[place]
    return node


def _held(walk: Walk, node: graph.Ref) -> Expr:
    """What the name of a value holds, said without it."""
    symbol = node.symbol
    name = symbol.name
    bound = walk.scope.get(name)
    if bound is None or bound.expr != node:
        raise _Running(name)
    if symbol.kind == "let":
        try:
            _built(walk, symbol.value)
        except _Running as known:
            raise _Running(name if known.name in _NO_NAMES else known.name) from None
        return _said(walk, symbol, bound.value)
    binding = bindings(walk).get(name)
    if symbol.kind != "var" or binding is None or binding.why:
        raise _Running(name)
    return _said(walk, symbol, bound.value)


def _said(walk: Walk, symbol: Symbol, value: Any) -> Expr:
    """A value by itself, without the name that it has."""
    if type(value) in PLAIN:
        return graph.Const(value)
    if isinstance(value, dims.Dim):
        if any(map(_is_running, in_size(walk.program, value))):
            raise _Running(symbol.name)
        return graph.SizeOf(value)
    if isinstance(value, list | tuple) and not isinstance(value, Tensor):
        kind = "list" if isinstance(value, list) else "tuple"
        items = tuple(_said(walk, Symbol(symbol.name, "var"), v) for v in value)
        return graph.Sequence(kind, items)
    if isinstance(symbol.value, Expr):
        said: Expr = _built(walk, symbol.value)
        return said
    if type(value) is Unknown and isinstance(value.origin, Expr):
        origin: Expr = _built(walk, value.origin)
        return origin
    raise _Running(symbol.name)


# -- names that stand for one value --------------------------------------------


def refuse_rebound(walk: Walk, name: str, value: Any, place: Span) -> bool:
    """Refuses to bind a name that stands for one value in the whole net: what
    `forward` knows by it would change.  Whether it did."""
    if not walk.defining:
        return False
    binding = bindings(walk).get(name)
    size = walk.sizes.get(name)
    what, first = "", None
    if name in walk.lets:
        what, first = "a `let`", walk.lets[name]
    elif name in walk.hypers:
        what = "a hyperparameter"
    elif name in walk.owns and binding is not None and binding.why:
        what, first = f"a {walk.owns[name].kind}", walk.own_spans[name]
    elif size is not None and not _same(walk, size.value, value):
        what, first = "the size of an input", size.span
    elif isinstance(walk.program.files.scope_of(walk.owner).get(name), syntax.Constant):
        what = "a constant of the file"
    if what:
        walk.error(
            "duplicate-name",
            f"`{name}` is {what}, and stands for one value",
            place,
            labels=[Label(first, "it is this")] if first is not None else [],
            help=_another(walk, name),
        )
    return bool(what)


def _same(walk: Walk, size: Any, value: Any) -> bool:
    sizes = all(isinstance(v, int | dims.Dim) for v in (size, value))
    return isinstance(value, Blur) or (sizes and walk.facts.equal(size, value) is True)


def _another(walk: Walk, name: str) -> str:
    """What to write instead; of the habit `if width is None: width = 64`, a `let`."""
    for node, truth in walk.arms[-1:]:
        test = node.test
        match node.body:
            case (syntax.Assign(target=syntax.Name(id=bound), value=value),) if truth:
                if bound == name and test.span.text == f"{name} is None":
                    meant = f"{value.span.text} if {name} is None else {name}"
                    return f"write `let {name[0]} = {meant}`, and use that"
    return "give the other value a name of its own"


# -- all that `__init__` is made of --------------------------------------------


def refuse_running(walk: Walk) -> None:
    """Refuses a class whose `__init__` would read what only a run knows, by whatever
    way it got there: by the shape of a tensor, say."""
    told: set[str] = set()
    for part, what, span, rounds in _pieces(walk, walk.init):
        for symbol in reached(walk.program, part):
            if rounds and symbol.kind == "loop":
                continue  # the loop that builds has a variable for it
            if _is_running(symbol) and symbol.name not in told:
                told.add(symbol.name)
                name = symbol.name or symbol.hint
                _refused(walk, name, f"{what} before", span)
                break
    for out in asked_sizes(walk.program, walk):
        name = _kept_of_a_run(walk.program, out, set())
        if name and name not in told:
            told.add(name)
            place = out.module.span or walk.owner.name_span
            _refused(walk, name, "a layer behind this one is made before", place)


def _kept_of_a_run(program: Any, out: OutOf, seen: set[tuple[int, str]]) -> str:
    """What only a run knows of a size that a layer is asked to keep."""
    for net in nets_behind(program, out.module):
        if (id(net), out.attribute) in seen or id(net) in program._open:
            continue  # a net that is handed to itself
        seen.add((id(net), out.attribute))
        size = program.kept(net).get(out.attribute)
        for symbol in in_size(program, size):
            if _is_running(symbol):
                return str(symbol.name or symbol.hint)
        for atom in dims.atoms(size) if size is not None else ():
            origin = getattr(atom, "origin", None)
            if isinstance(origin, OutOf):
                name = _kept_of_a_run(program, origin, seen)
                if name:
                    return name
    return ""


_Piece: TypeAlias = "tuple[Any, str, Span, bool]"
"""A part of `__init__`, what becomes of it, where it is written, and whether a loop
makes it."""


def _pieces(walk: Walk, statements: Sequence[Any]) -> Iterator[_Piece]:
    if walk.root is not None and statements is walk.init:
        yield from _in_module(walk, walk.root, walk.owner.name_span)
    for statement in statements:
        if isinstance(statement, graph.Branch):
            yield statement.test, "what is built is chosen", statement.span, False
            yield from _pieces(walk, statement.then)
            yield from _pieces(walk, statement.other)
        elif isinstance(statement, graph.Register):
            yield from _in_module(walk, statement.module, statement.span)
        elif isinstance(statement, graph.OwnTensor):
            what = f"the {statement.kind} is made"
            options = tuple(e for _, e in statement.options)
            yield statement, what, statement.span, False
            yield options, what, statement.span, False
    if statements is walk.init:
        for rule in walk.rules:
            yield rule, "starting values are set", rule.span, False


def _in_module(walk: Walk, root: graph.Module, span: Span) -> Iterator[_Piece]:
    inside: set[int] = set()
    for module in every_module(root):
        parts: list[Any] = []
        match module:
            case graph.ChainModule():
                parts = [m.label for m in module.members]
            case graph.RepeatModule():
                inside.update(id(m) for m in every_module(module))
                carried = running(walk.program, module)
                parts = [*(m.label for m in module.members), *module.loops]
                parts += [size for _, *sizes in carried for size in sizes]
            case graph.ChoiceModule():
                # One that a run decides has both its layers.
                parts = [module.test]
                if any(map(_is_running, in_expr(walk.program, module.test))):
                    parts = []
            case _:
                parts = [module]
        for part in parts:
            place = module.span or span
            yield part, "this layer is made", place, id(module) in inside
