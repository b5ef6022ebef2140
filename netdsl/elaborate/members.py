"""Layers as values: members of lists and of nets, slices, rounds of loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import dims, graph
from netdsl.diagnostics import Label
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.making import SPREAD, bound
from netdsl.elaborate.running import transfer
from netdsl.elaborate.values import (
    BLUR,
    ModuleValue,
    Rounds,
    Val,
)
from netdsl.elaborate.walk import Walk
from netdsl.graph import (
    ChainModule,
    ChoiceModule,
    LayerModule,
    Member,
    Module,
    NetModule,
    RepeatModule,
    SkipModule,
)
from netdsl.layers import Call
from netdsl.shapes import Shape, Tensor, Undecided
from netdsl.source import Span


def module_rounds(
    walk: Walk, value: ModuleValue, span: Span | None = None
) -> list[Any] | Rounds | None:
    """The members of a list of layers, for a loop."""
    module = value.module
    if isinstance(module, SliceModule):
        start, some = module.start, module.repeat
        return Rounds(
            module.count,
            lambda i: ModuleValue(
                _at_round(some, some.members[0].module, start + i), graph.Const(None)
            ),
            ("modules", id(some), start),
        )
    if not isinstance(module, ChainModule):
        raise walk.stop(
            "wrong-type",
            "only a list of layers can be looped over",
            span or walk.owner.span,
        )
    module.used = True
    module.indexed = True
    _refuse_uncounted(walk, module.members, span or walk.owner.span)
    if len(module.members) == 1 and isinstance(module.members[0].module, RepeatModule):
        repeat = module.members[0].module
        if len(repeat.members) == 1:
            return Rounds(
                repeat.count,
                lambda i: ModuleValue(
                    _at_round(repeat, repeat.members[0].module, i), graph.Const(None)
                ),
                ("modules", id(repeat)),
            )
    if any(isinstance(m.module, RepeatModule) for m in module.members):
        raise walk.stop(
            "unsupported",
            "a list of mixed layers and loops can't be looped over",
            span or walk.owner.span,
            help="make two lists of it",
        )
    return [
        ModuleValue(
            m.module,
            graph.ModuleRef((*value.module.path, graph.Const(i))),
        )
        for i, m in enumerate(module.members)
    ]


def _refuse_uncounted(walk: Walk, members: Sequence[Member], span: Span) -> None:
    """Stops where members are counted of which one may have no key: those behind
    it have other places then than they have here."""
    found = next((f for m in members if (f := _uncounted(m)) is not None), None)
    if found is None:
        return
    at, text = found
    kept = "write `Identity()`, which keeps its place, or "
    raise walk.stop(
        "unsupported",
        "the places of these layers depend on a condition",
        span,
        labels=[Label(at, text)] if at is not None else [],
        help=f"{kept if '`skip`' in text else ''}name the layers one by one",
    )


def _uncounted(member: Member) -> tuple[Span | None, str] | None:
    """Where a member stands that isn't surely one layer, and what it may be."""
    module = member.module
    if isinstance(module, ChoiceModule):
        if member.label == SPREAD:
            return module.span, "this may be more layers or fewer"
        if _may_skip(module):
            return module.span, "this may be `skip`, which has no place in a list"
    if isinstance(module, RepeatModule):
        if any(loop.tests for loop in module.loops):
            return module.span, "a round of this may add no layer"
        return next((f for m in module.members if (f := _uncounted(m))), None)
    return None


def _may_skip(module: Module) -> bool:
    if isinstance(module, ChoiceModule):
        return _may_skip(module.then) or _may_skip(module.other)
    return isinstance(module, SkipModule)


class RoundModule(Module):
    """The layer of one round of a loop that builds layers."""

    __slots__ = ("inner", "repeat", "round")

    def __init__(self, repeat: RepeatModule, inner: Module, at: Size) -> None:
        super().__init__(inner.span)
        self.repeat = repeat
        self.inner = inner
        self.round = at


class SliceModule(Module):
    """Some rounds of a loop that builds layers, to be looped over."""

    __slots__ = ("count", "repeat", "start")

    def __init__(self, repeat: RepeatModule, start: Size, count: Size) -> None:
        super().__init__(repeat.span)
        self.repeat = repeat
        self.start = start
        self.count = count


def _at_round(repeat: RepeatModule, inner: Module, at: Size) -> RoundModule:
    return RoundModule(repeat, inner, at)


def transfer_round(
    walk: Walk,
    module: RoundModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    """A use of one round's layer: its sizes are those of any round."""
    # What flows in is written in terms of this loop's round; the list is built
    # in terms of its own.
    mapping = round_mapping(module)
    moved = [Val(moved_by(v.value, mapping), v.expr, v.span) for v in vals]
    named = {
        k: Val(moved_by(v.value, mapping), v.expr, v.span) for k, v in keywords.items()
    }
    result = transfer(walk, module.inner, moved, named, span)
    own = dims.single(module.repeat.index)
    assert own is not None
    return moved_by(result, {own: module.round})


def round_mapping(module: RoundModule) -> dict[dims.Atom, Size]:
    """This loop's round, written by the round of the loop that builds."""
    atom = next(
        (a for a in dims.atoms(module.round) if isinstance(a, dims.Name)
         and "#" in a.key and a.key.startswith("i#")), None,
    )  # fmt: skip
    if atom is None:
        return {}
    coefficient = module.round - dims.substitute(module.round, {atom: 0})
    rest = dims.substitute(module.round, {atom: 0})
    if coefficient == dims.of(atom):
        return {atom: module.repeat.index - rest}
    if coefficient == -dims.of(atom):
        return {atom: rest - module.repeat.index}
    return {}


def moved_by(value: Any, mapping: Mapping[dims.Atom, Size]) -> Any:
    if isinstance(value, Tensor):
        shape = value.shape
        return Tensor(
            Shape(
                tuple(dims.substitute(s, mapping) for s in shape.head),
                shape.star,
                tuple(dims.substitute(s, mapping) for s in shape.tail),
            ),
            value.dtype,
        )
    if isinstance(value, tuple | list):
        return type(value)(moved_by(v, mapping) for v in value)
    return value


def indexed(walk: Walk, value: ModuleValue, index: Val, span: Span) -> Val:
    """`layer[0]`, `blocks[j]`, `features[:4]`"""
    module = value.module
    expr = _element(value, index.expr)
    if not isinstance(module, ChainModule):
        raise walk.stop("bad-index", "only a list of layers has an index", span)
    module.used = True
    module.indexed = True
    if isinstance(index.value, slice):
        return _sliced(walk, module, value, index, span)
    members = module.members
    _refuse_uncounted(walk, _counted(members, index.value), span)
    if isinstance(index.value, int) and not any(
        isinstance(m.module, RepeatModule) for m in members
    ):
        if not -len(members) <= index.value < len(members):
            raise walk.stop(
                "bad-index",
                f"there is no layer {index.value} in a list of {len(members)}",
                span,
            )
        return Val(ModuleValue(members[index.value].module, expr), expr, span)
    if len(members) == 1 and isinstance(members[0].module, RepeatModule):
        repeat = members[0].module
        if len(repeat.members) == 1 and arithmetic.is_int(index.value):
            at = index.value
            if isinstance(at, int) and at < 0:
                at = repeat.count + at
            inner = _at_round(repeat, repeat.members[0].module, at)
            return Val(ModuleValue(inner, expr), expr, span)
    if all(not isinstance(m.module, RepeatModule) for m in members) and members:
        # An index that is not known: any of them; the first stands for all.
        return Val(ModuleValue(members[0].module, expr), expr, span)
    raise walk.stop("bad-index", "this index can't be told here", span)


def _counted(members: list[Member], index: Any) -> list[Member]:
    """The members on whose count an index depends, its own among them."""
    if not isinstance(index, int):
        return members
    return members[: index + 1] if index >= 0 else members[index:]


def _counted_by_slice(members: list[Member], part: slice) -> list[Member]:
    """The members on whose count a slice depends."""
    if part.step is not None:
        return members
    found: list[Member] = []
    for bound_ in (part.start, part.stop):
        if not isinstance(bound_, int):
            found += members if bound_ is not None else []
        else:
            found += members[:bound_] if bound_ >= 0 else members[bound_:]
    return found


def _sliced(
    walk: Walk, module: ChainModule, value: ModuleValue, index: Val, span: Span
) -> Val:
    expr = graph.Item(graph.ModuleRef(_path(value)), (index.expr,), False)
    part = index.value
    bounds = (part.start, part.stop, part.step)
    _refuse_uncounted(walk, _counted_by_slice(module.members, part), span)
    repeat = _only_repeat(module)
    if repeat is not None and part.step is None:
        start = _slice_bound(part.start, 0, repeat.count)
        stop = _slice_bound(part.stop, repeat.count, repeat.count)
        if start is not None and stop is not None:
            some = SliceModule(repeat, start, stop - start)
            some.path = module.path
            return Val(ModuleValue(some, expr), expr, span)
    if any(isinstance(m.module, RepeatModule) for m in module.members) or not all(
        b is None or isinstance(b, int) for b in bounds
    ):
        raise walk.stop("bad-index", "this slice can't be told here", span)
    inner = ChainModule(span, module.members[part])
    inner.path = module.path
    inner.whole = module
    return Val(ModuleValue(inner, expr), expr, span)


def _only_repeat(module: ChainModule) -> RepeatModule | None:
    """The loop that makes all of a list, one layer a round."""
    first = module.members[0].module if len(module.members) == 1 else None
    if isinstance(first, RepeatModule) and len(first.members) == 1:
        return first
    return None


def _slice_bound(value: Any, otherwise: Size, count: Size) -> Size | None:
    """A bound of a slice, counted from the start."""
    if value is None:
        return otherwise
    if isinstance(value, int) and value < 0:
        return count + value
    return value if arithmetic.is_int(value) else None


def _element(value: ModuleValue, index: graph.Expr | str) -> graph.Expr:
    if isinstance(value.expr, graph.MemberOf | graph.Ref):
        return graph.MemberOf(value.expr, index, False)
    return graph.ModuleRef((*_path(value), index))


def has_class(expr: graph.Expr) -> bool:
    """Whether Python knows the class of a layer: an attribute's, not an element's."""
    if isinstance(expr, graph.MemberOf):
        return expr.typed
    return isinstance(expr, graph.ModuleRef) and len(expr.path) == 1


def _path(value: ModuleValue) -> tuple[Any, ...]:
    if isinstance(value.expr, graph.ModuleRef):
        return value.expr.path
    return value.module.path


def member(walk: Walk, value: ModuleValue, name: str, span: Span) -> Val:
    """`lm_head.weight`, `block.attn`: a parameter or a member of a layer."""
    module = value.module
    module.used = True
    expr = graph.AttributeOf(value.expr, name)
    if isinstance(module, RoundModule):
        inner = member(walk, ModuleValue(module.inner, value.expr), name, span)
        return Val(inner.value, expr, span)
    if isinstance(module, LayerModule):
        return _parameter_of(walk, module, name, expr, span)
    if isinstance(module, ChainModule):
        for part in module.members:
            if part.label == name:
                _refuse_uncounted(walk, [part], span)
                path = _element(value, name)
                return Val(ModuleValue(part.module, path), path, span)
    if isinstance(module, NetModule):
        found = walk.program.member_of(module, name)
        if isinstance(found, Module):
            inner_expr = graph.MemberOf(value.expr, name, has_class(value.expr))
            return Val(ModuleValue(found, inner_expr), inner_expr, span)
        if found is not None:
            return Val(found, expr, span)
    raise walk.stop(
        "unknown-name", f"this layer has no `{name}`", span,
        help=walk.suggest(name, _member_names(module), last_word(span, name)),
    )  # fmt: skip


def last_word(span: Span, name: str) -> Span:
    """The name behind the dot that ends the span."""
    return Span(span.chunk, span.end - len(name), span.end)


def _member_names(module: Module) -> list[str]:
    if isinstance(module, ChainModule):
        return [m.label for m in module.members if isinstance(m.label, str)]
    return ["weight", "bias"]


def _parameter_of(
    walk: Walk, module: LayerModule, name: str, expr: graph.Expr, span: Span
) -> Val:
    declaration = module.declaration
    values = {**bound(module), **module.inferred}
    call = Call(declaration, values, walk.facts)
    shapes: dict[str, tuple[Size, ...]] = {}
    for source in (declaration.parameters, declaration.buffers):
        if source is not None:
            try:
                shapes.update(source(call))
            except (Undecided, AttributeError):
                return Val(BLUR, expr, span)
    if name in shapes:
        return Val(Tensor(Shape(tuple(shapes[name]))), expr, span)
    if name in ("weight", "bias") and declaration.has_weights:
        return Val(None, expr, span)
    known = module.declaration.signature.by_name
    if name in known and name in values:
        return Val(values[name], expr, span)
    raise walk.stop(
        "unknown-name",
        f"`{declaration.name}` has no `{name}`",
        span,
        help=walk.suggest(name, [*shapes, *known], last_word(span, name))
        or f"it has {', '.join(shapes) or 'nothing'}",
    )
