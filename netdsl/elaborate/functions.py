"""Calls of functions: torch's, the file's own, and Python's on static values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Label
from netdsl.dims import Dim, Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.habits import refuse_function
from netdsl.elaborate.joining import refused_merge
from netdsl.elaborate.narrowing import handed_on
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    FunctionValue,
    Gathered,
    ModuleValue,
    Rounds,
    Val,
    is_static,
    symbols_of,
)
from netdsl.elaborate.walk import Walk, blur_of
from netdsl.graph import Expr
from netdsl.layers import FUNCTIONS, Call, Declaration, Unknown, bind
from netdsl.shapes import Refusal, Shape, Tensor, Undecided
from netdsl.source import Span


def call_operator(
    walk: Walk, name: str, expr: Expr, vals: Sequence[Val], span: Span
) -> Val:
    """An operator on tensors, by the rule of the function it stands for."""
    declaration = FUNCTIONS[name]
    return Val(_apply_rule(walk, declaration, vals, {}, span), expr, span)


def _apply_rule(
    walk: Walk,
    declaration: Declaration,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    blurred = [v.value for v in (*vals, *keywords.values()) if _has_blur(v.value)]
    if blurred:
        blur = blurred[0] if isinstance(blurred[0], Blur) else BLUR
        return blur.sent_through(declaration)
    from netdsl.elaborate.making import refuse_layers, refuse_spread

    refuse_layers(walk, [*vals, *keywords.values()], span)
    refuse_spread(walk, vals)
    spans: dict[str | int, Span] = {i: v.span for i, v in enumerate(vals) if v.span}
    spans.update({k: v.span for k, v in keywords.items() if v.span})
    for parameter, val in zip(declaration.signature.parameters, vals, strict=False):
        if val.span is not None and "tensor" not in parameter.kinds:
            spans[parameter.name] = val.span
    values: dict[str, Any] = {}
    try:
        positional, named = handed_on(declaration.signature, vals, keywords)
        values = bind(declaration, positional, named)
        call = Call(declaration, values, walk.facts)
        result = declaration.rule(call)
    except Refusal as refusal:
        from netdsl.layers.mending import way_out

        refusal.help = way_out(declaration, refusal, values, words_of(span))
        refuse_function(walk, declaration, refusal, vals, keywords, span)
        if not refused_merge(
            walk, declaration, refusal, [*vals, *keywords.values()], span
        ):
            walk.refused(refusal, span, spans)
        return BLUR
    except Undecided:
        return Blur(span, declaration.gives_tensor)
    walk.keep(call.conditions, span)
    return result


def words_of(span: Span) -> frozenset[str]:
    """The words and numbers that stand in a piece of text."""
    return frozenset(re.findall(r"\w+", span.text))


def _has_blur(value: Any) -> bool:
    if isinstance(value, tuple | list) and not isinstance(value, Tensor):
        return any(_has_blur(v) for v in value)
    return isinstance(value, Blur)


def call_function(
    walk: Walk,
    function: FunctionValue,
    name: str,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Val:
    """A function called: what flows in is the first of `vals`."""
    target = function.target
    if isinstance(target, syntax.Fn):
        return call_fn(walk, target, vals, keywords, span)
    values = [v.value for v in (*vals, *keywords.values())]
    if name in arithmetic.STATIC_FUNCTIONS and all(is_static(v) for v in values):
        return _call_static(walk, name, vals, keywords, span)
    if target is None:
        blur = blur_of(*values)
        if blur is not None:
            return Val(blur, graph.Const(None), span)
        if name in ("zip", "enumerate", "reversed", "len", "list", "tuple", "range"):
            return _call_static(walk, name, vals, keywords, span)
        raise walk.stop("wrong-type", f"`{name}` takes no tensors", span)
    return call_torch(walk, target, vals, keywords, span)


def _call_static(
    walk: Walk,
    name: str,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Val:
    if keywords:
        raise walk.stop(
            "unknown-argument",
            f"`{name}` takes no arguments by name",
            next(iter(keywords.values())).span or span,
        )
    extra: tuple[tuple[str, Expr], ...] = ()
    if name == "zip":
        extra = (("strict", graph.Const(True)),)
    expr = graph.CallOf(
        arithmetic.STATIC_FUNCTIONS[name], tuple(v.expr for v in vals), extra
    )
    values = [_members(walk, v.value, v.span or span) for v in vals]
    try:
        value = arithmetic.call(name, values, expr, walk.limits)
        walk.program.grown(value, span)
    except Refusal as refusal:
        raise walk.stop(refusal.code, refusal.text, span, help=refusal.help) from None
    return Val(value, expr, span)


def _members(walk: Walk, value: Any, span: Span) -> Any:
    """A list of layers as the sequence that `zip`, `len` and the like take."""
    if isinstance(value, ModuleValue) and isinstance(value.module, graph.ChainModule):
        from netdsl.elaborate.members import module_rounds

        return module_rounds(walk, value, span)
    return value


def call_torch(
    walk: Walk,
    declaration: Declaration,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Val:
    """A function of torch: its rule gives the type, its target the Python."""
    packed = pack_tensors(declaration, vals)
    first = packed[0].value if packed else None
    joins = "tensors" in declaration.signature.parameters[0].kinds if packed else False
    if isinstance(first, Rounds) or (isinstance(first, Gathered) and joins):
        result = _join_rounds(walk, declaration, packed, keywords, span)
    else:
        result = _apply_rule(walk, declaration, packed, keywords, span)
    return Val(result, spell(walk, declaration, packed, keywords), span)


def _join_rounds(
    walk: Walk,
    declaration: Declaration,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    """Tensors in a list of unknown length, those of a loop all of one type, made one.

    Each size of the result grows by the same amount with each tensor of a loop, so
    two results tell all of them.
    """
    given = vals[0].value
    parts = given.parts if isinstance(given, Gathered) else (given,)
    counts: list[Size | None] = []
    tensors: list[Any] = []
    for part in parts:
        one = part
        if isinstance(part, Rounds):
            one = part.at(walk.fresh("i", "loop")[1])
            if one != part.at(0):
                one = None
        if not isinstance(one, Tensor):
            return Blur(span, declaration.gives_tensor)
        counts.append(part.count if isinstance(part, Rounds) else None)
        tensors.append(one)

    def result(more: int | None = None) -> Any:
        """Of two tensors of each loop, and one more of that at a place."""
        times = [
            1 if c is None else 3 if i == more else 2 for i, c in enumerate(counts)
        ]
        all_ = tuple(t for t, n in zip(tensors, times, strict=True) for _ in range(n))
        first = Val(all_, vals[0].expr, vals[0].span)
        return _apply_rule(walk, declaration, [first, *vals[1:]], keywords, span)

    total = two = result()
    for i, count in enumerate(counts):
        if count is not None:
            three = result(i)
            if not isinstance(total, Tensor) or not isinstance(three, Tensor):
                return two
            total = _grown(total, two, three, count - 2)
    return total


def _grown(total: Tensor, two: Tensor, three: Tensor, more: Size) -> Tensor:
    """The total, with so many more tensors as `three` has one more than `two`."""

    def grown(*sizes: tuple[Size, ...]) -> tuple[Size, ...]:
        return tuple(t + more * (b - a) for t, a, b in zip(*sizes, strict=True))

    t, a, b = total.shape, two.shape, three.shape
    head, tail = grown(t.head, a.head, b.head), grown(t.tail, a.tail, b.tail)
    return Tensor(Shape(head, t.star, tail), total.dtype)


def pack_tensors(declaration: Declaration, vals: Sequence[Val]) -> list[Val]:
    """`(a, b) -> cat(dim=1)`: several tensors as the one list it takes."""
    first = declaration.signature.parameters[:1]
    if not first or "tensors" not in first[0].kinds or first[0].variadic:
        return list(vals)
    if vals and isinstance(vals[0].value, Rounds | Gathered):
        return list(vals)
    tensors = []
    for val in vals:
        if not isinstance(val.value, Tensor):
            break
        tensors.append(val)
    if not tensors:
        return list(vals)
    joined = Val(
        tuple(v.value for v in tensors),
        graph.Sequence("tuple", tuple(v.expr for v in tensors)),
        tensors[0].span,
        tuple(v.span for v in tensors),
    )
    return [joined, *vals[len(tensors) :]]


def spell(
    walk: Walk,
    declaration: Declaration,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
) -> Expr:
    """The Python of a call, as a careful person writes it."""
    named = tuple((k, v.expr) for k, v in keywords.items())
    exprs = tuple(v.expr for v in vals)
    target = declaration.target
    names = declaration.signature.by_name
    if "training" in names and "training" not in keywords:
        if names["training"].default is None or declaration.name in ("dropout",):
            named = (*named, ("training", graph.Training()))
    if target in ("+", "*"):
        return _folded(target, exprs)
    if target.startswith(".") and not exprs and named:
        # `half(input=x)`: what a method belongs to is never given by name.
        owner = declaration.signature.parameters[0].name
        exprs = tuple(e for k, e in named if k == owner) or (named[0][1],)
        named = tuple((k, e) for k, e in named if k != owner)
    if target.startswith(".") and exprs:
        return graph.MethodOf(exprs[0], target[1:], exprs[1:], named)
    if is_creation(declaration) and walk.inputs:
        first = next((s for s in walk.inputs if s.type == "Tensor"), None)
        if first is not None and "device" not in keywords:
            device = graph.AttributeOf(graph.Ref(first), "device")
            named = (*named, ("device", device))
    return graph.CallOf(target, exprs, named)


def is_creation(declaration: Declaration) -> bool:
    """Whether a function makes a tensor out of nothing (`arange`, `zeros`)."""
    kinds = {k for p in declaration.signature.parameters for k in p.kinds}
    return (
        declaration.target.startswith("torch.")
        and not kinds
        & {
            "tensor",
            "tensors",
            "number",
        }
    ) or declaration.name in ("arange", "linspace", "full", "tensor")


def _folded(op: str, exprs: tuple[Expr, ...]) -> Expr:
    items: tuple[Expr, ...] = exprs
    if len(exprs) == 1 and isinstance(exprs[0], graph.Sequence):
        items = exprs[0].items
    folded = items[0]
    for item in items[1:]:
        folded = graph.Op(op, (folded, item))
    if len(items) == 1:
        # One list of unknown length: Python folds it at run time.
        return graph.CallOf("sum", (items[0],)) if op == "+" else items[0]
    return folded


# -- functions of the file -----------------------------------------------------


def call_fn(
    walk: Walk,
    fn: syntax.Fn,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Val:
    """A `fn`: its body is walked with what is given."""
    from netdsl.elaborate.making import refuse_spread

    refuse_spread(walk, vals)
    expr = graph.CallOf(
        fn,
        tuple(v.expr for v in vals),
        tuple((k, v.expr) for k, v in keywords.items()),
    )
    given = walk.program.match_parameters(walk, fn, vals, keywords, span)
    label = Label(span, f"`{fn.name}` is called here")
    value = walk.program.use_fn(walk, fn, given, label)
    known = {id(s) for v in given.values() for s in symbols_of(v.value)}
    return Val(_from_outside(value, expr, known), expr, span)


def _from_outside(value: Any, expr: Expr, known: set[int]) -> Any:
    """What a function gave, where it is called: names of its own mean nothing there,
    so that a value made of them is known as the call and no closer."""
    if isinstance(value, list | tuple) and not isinstance(value, Tensor):
        parts = (graph.Item(expr, (graph.Const(i),), False) for i in range(len(value)))
        pairs = zip(value, parts, strict=True)
        return type(value)(_from_outside(v, part, known) for v, part in pairs)
    if not isinstance(value, Dim) and type(value) is not Unknown:
        return value
    if all(s.kind == "constant" or id(s) in known for s in symbols_of(value)):
        return value
    if isinstance(value, Dim):
        return arithmetic.opaque("fn", expr, dims.bounds(value)[0])
    return Unknown(value.type, expr)
