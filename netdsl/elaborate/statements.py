"""Statements of a net's or function's body."""

from __future__ import annotations

from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Advice, Edit, Label
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.building import for_building, refuse_rebound
from netdsl.elaborate.expressions import known_when_run
from netdsl.elaborate.flows import declare
from netdsl.elaborate.habits import declare_instead, refuse_target
from netdsl.elaborate.loops import (
    parts_of,
    renamed,
    target_names,
)
from netdsl.elaborate.module_code import refuse_assigned
from netdsl.elaborate.reserved import check_name
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    Rounds,
    Val,
    type_name,
)
from netdsl.elaborate.walk import Stop, Walk, executes
from netdsl.graph import Symbol
from netdsl.shapes import Refusal, Tensor


@executes(syntax.Flowing)
def _flowing(walk: Walk, node: syntax.Flowing) -> None:
    value = node.value
    items = value.items if isinstance(value, syntax.TupleOf) else (value,)
    if all(isinstance(i, syntax.Labelled) for i in items):
        for item in items:
            try:
                declare(walk, item)  # type: ignore[arg-type]
            except Stop:
                pass
        return
    val = walk.evaluate(value)
    if isinstance(val.value, ModuleValue | Factory | FunctionValue | NetParameter):
        raise walk.stop(
            "not-a-value",
            "this names a layer and sends nothing through it",
            node.span,
            help="write `x -> ...`, or `name: LAYER` to declare it",
        )
    walk.pending = (val, node.span)


@executes(syntax.Assign)
def _assign(walk: Walk, node: syntax.Assign) -> None:
    names = target_names(node.target)
    if len(names) == 1:
        walk.flow_name = names[0]
    refuse_assigned(walk, node)
    _check_target(walk, node, node.target)
    val = walk.evaluate(node.value)
    if isinstance(val.value, Factory | FunctionValue | NetParameter):
        _bind_names(walk, node.target, BLUR)
        shown = " ".join(node.value.span.text.split())
        raise walk.stop(
            "not-a-value",
            (
                f"`{shown}` makes a layer, not a value"
                if not isinstance(val.value, FunctionValue)
                else f"`{shown}` is a function, not a value"
            ),
            node.value.span,
            help=(
                declare_instead(node, shown)
                if not isinstance(val.value, FunctionValue)
                else ""
            ),
        )
    try:
        target = _bind_names(walk, node.target, val.value)
    except (Stop, Refusal):
        # The names have values all the same, though nobody knows which.
        _bind_names(walk, node.target, BLUR)
        raise
    if isinstance(target, Symbol):
        target.value = val.expr
    walk.assigned.append((names, node.target.span))
    walk.say(graph.Assign(target, "=", val.expr, node.span))


def _check_target(walk: Walk, node: syntax.Assign, target: syntax.Expression) -> None:
    if isinstance(target, syntax.TupleOf):
        for item in target.items:
            _check_target(walk, node, item)
    elif not isinstance(target, syntax.Name):
        raise refuse_target(walk, node, target)
    else:
        check_name(walk, target.id, target.span)


def _bind_names(walk: Walk, target: syntax.Expression, value: Any) -> Any:
    """Binds names to the parts of a value; gives their symbols."""
    if isinstance(target, syntax.Name):
        if refuse_rebound(walk, target.id, value, target.span):
            value = BLUR
        symbol = walk.variable(target.id, value)
        walk.bind(target.id, Val(value, graph.Ref(symbol), target.span))
        return symbol
    assert isinstance(target, syntax.TupleOf)
    if isinstance(value, Tensor):
        count = len(target.items)
        first = value.shape.at(0)
        if first != count:
            raise walk.stop(
                "tuple-mismatch",
                f"the tensor {value} can't be taken apart into {count} names",
                target.span,
                help="`chunk`, `split` or `unbind` gives its parts",
            )
        rest = Tensor(value.shape.without(0), value.dtype)
        value = (rest,) * count
    parts = parts_of(walk, value, len(target.items), target)
    return tuple(
        _bind_names(walk, t, v) for t, v in zip(target.items, parts, strict=True)
    )


@executes(syntax.Augment)
def _augment(walk: Walk, node: syntax.Augment) -> None:
    if not isinstance(node.target, syntax.Name) or node.target.id not in walk.scope:
        raise walk.stop(
            "unknown-name", f"there is no `{node.target.span.text}` here",
            node.target.span,
        )  # fmt: skip
    name = node.target.id
    before = walk.scope[name]
    walk.used.add(name)
    if refuse_rebound(walk, name, None, node.target.span):
        walk.bind(name, Val(BLUR, before.expr, node.span))
        raise Stop
    walk.flow_name = name
    added = walk.evaluate(node.value)
    symbol = walk.variable(name, before.value)
    if isinstance(before.value, Blur) or isinstance(added.value, Blur):
        value: Any = BLUR
    elif isinstance(before.value, Rounds | list) and isinstance(added.value, list):
        value = _longer(walk, name, before.value, added.value, node)
    elif isinstance(before.value, Tensor) or isinstance(added.value, Tensor):
        from netdsl.elaborate.functions import call_operator

        op = node.op[0]
        expr = graph.Op(op, (before.expr, added.expr))
        value = call_operator(walk, op, expr, [before, added], node.span).value
    else:
        expr = graph.Op(node.op[0], (before.expr, added.expr))
        value = arithmetic.binary(
            node.op[0], before.value, added.value, expr, walk.limits
        )
    if before.value == [] and isinstance(added.value, list) and added.value:
        symbol.type = type_name(added.value)
    walk.bind(name, Val(value, graph.Ref(symbol), node.span))
    walk.say(graph.Assign(symbol, node.op, added.expr, node.span))


def _longer(walk: Walk, name: str, before: Any, added: list[Any], node: Any) -> Any:
    """A list with more at its end; in an open loop, what a round appends."""
    if walk.appended is not None and name in walk.appended:
        walk.appended[name] += added
        return before
    if isinstance(before, Rounds):
        _, index = walk.fresh("i", "loop")
        if all(before.at(index) == one for one in added):
            count = before.count + len(added)
            return Rounds(count, before.at, ("longer", before.key, len(added)))
        return Blur(node.span)
    return before + added


@executes(syntax.Let)
def _let(walk: Walk, node: syntax.Let) -> None:
    val = _let_value(walk, node.value)
    for target in node.targets:
        check_name(walk, target.id, target.span)
        if target.id in walk.lets or target.id in walk.hypers:
            raise walk.stop(
                "duplicate-name",
                f"`{target.id}` is named twice",
                target.span,
                labels=[
                    Label(s, "the first")
                    for s in [walk.scope[target.id].span]
                    if s is not None
                ],
                help="a `let` holds for the whole net",
            )
    names = [t.id for t in node.targets]
    parts = (
        [val.value] if len(names) == 1 else parts_of(walk, val.value, len(names), node)
    )
    dynamic = known_when_run(walk, val.expr)
    symbols = []
    for target, value in zip(node.targets, parts, strict=True):
        symbol = Symbol(target.id, "let", type_name(value))
        symbol.place = "dynamic" if dynamic else "static"
        symbol.value = val.expr
        if isinstance(val.expr, graph.Comprehend) and not dynamic:
            value = renamed(value, val.expr, symbol)
        symbols.append(symbol)
        walk.bind(target.id, Val(value, graph.Ref(symbol), target.span))
        walk.lets[target.id] = target.span
    statement = graph.BindLet(tuple(symbols), val.expr, node.span)
    walk.let_values += [
        (s, v) for s, v in zip(symbols, parts, strict=True) if not dynamic
    ]
    walk.say(statement) if dynamic else walk.init.append(statement)


def _let_value(walk: Walk, node: syntax.Expression) -> Val:
    """The value of a `let`.

    A tensor that no input has a part in is made when the module is built, so
    nothing tells it a device.
    """
    if any(isinstance(p, syntax.Flow | syntax.Labelled) for p in syntax.walk(node)):
        return walk.evaluate(node)
    mark = len(walk.forward)
    inputs, walk.inputs = walk.inputs, []
    try:
        with walk.report.muted():
            val = walk.evaluate(node)
    finally:
        walk.inputs = inputs
    if isinstance(val.value, Tensor) and not known_when_run(walk, val.expr):
        return val
    del walk.forward[mark:]
    return walk.evaluate(node)


@executes(syntax.Return)
def _return(walk: Walk, node: syntax.Return) -> None:
    if node.value is None:
        raise walk.stop("no-result", "`return` gives nothing", node.span)
    val = walk.evaluate(node.value)
    walk.results.append((val.value, node.span))
    walk.say(graph.Result(val.expr, node.span))
    walk.returned = True


@executes(syntax.Own)
def _own(walk: Walk, node: syntax.Own) -> None:
    from netdsl.elaborate.starting import starting_value
    from netdsl.elaborate.types import own_shape

    name = node.name.id
    check_name(walk, name, node.name.span)
    if name in walk.owns or name in walk.layers:
        first = walk.own_spans.get(name) or walk.layer_spans.get(name)
        raise walk.stop(
            "duplicate-name", f"`{name}` is named twice", node.name.span,
            labels=[Label(first, "the first")] if first else [],
        )  # fmt: skip
    try:
        tensor, sizes = own_shape(walk, node.type)
        value = starting_value(walk, node.value, tensor, node.kind)
    except (Stop, Refusal):
        # What uses the name is left alone.
        walk.bind(name, Val(BLUR, graph.Const(None), node.name.span))
        raise
    if isinstance(value, Val) and isinstance(value.value, Tensor):
        tensor = Tensor(tensor.shape, value.value.dtype)
    options = tuple(
        (k.name, for_building(walk, walk.evaluate(k.value)).expr) for k in node.options
    )
    for keyword in node.options:
        allowed = "requires_grad" if node.kind == "param" else "persistent"
        if keyword.name != allowed:
            raise walk.stop(
                "unknown-argument",
                f"a `{node.kind}` has no option `{keyword.name}`",
                keyword.name_span,
                help=f"it has `{allowed}`",
            )
    symbol = Symbol(name, "own", "Tensor")
    statement = graph.OwnTensor(
        symbol, node.kind, tensor.dtype, sizes, value, options, node.span
    )
    walk.owns[name] = statement
    walk.bind(name, Val(tensor, graph.Ref(symbol), node.name.span))
    walk.own_spans[name] = node.name.span
    walk.init.append(statement)
    if not walk.defining and node.kind == "param":
        total: Size = 1
        for size in tensor.shape.sizes:
            total = total * size
        walk.count = walk.count + total
        if isinstance(walk.count, int) and walk.count > walk.limits.parameters:
            raise walk.program.too_many_parameters(walk, node.span)


@executes(syntax.Init)
def _init(walk: Walk, node: syntax.Init) -> None:
    from netdsl.elaborate.starting import init_rule

    walk.rules.append(init_rule(walk, node))


def _weights_tied(node: syntax.Tie, *sides: Val) -> Advice:
    """`tie head.weight = emb.weight` for `tie head = emb`."""
    places = [s.span for s in (node.target, node.source)]
    words = [p.text for p in places]
    if not all(isinstance(s.value, ModuleValue) for s in sides):
        return Advice("write `tie a.weight = b.weight`")
    meant = " = ".join(f"{word}.weight" for word in words)
    edits = tuple(Edit(p, f"{p.text}.weight") for p in places)
    return Advice(f"write `tie {meant}`", edits)


@executes(syntax.Tie)
def _tie(walk: Walk, node: syntax.Tie) -> None:
    target, source = walk.evaluate(node.target), walk.evaluate(node.source)
    if isinstance(target.value, Blur) or isinstance(source.value, Blur):
        return
    for val, side in ((target, node.target), (source, node.source)):
        if not isinstance(val.value, Tensor) or not isinstance(
            val.expr, graph.AttributeOf | graph.Ref
        ):
            raise walk.stop(
                "wrong-type",
                f"`{side.span.text}` is no parameter",
                side.span,
                help=_weights_tied(node, target, source),
            )
    a, b = target.value.shape, source.value.shape
    same = len(a.head) == len(b.head) and all(
        walk.facts.equal(x, y) is not False for x, y in zip(a.head, b.head, strict=True)
    )
    if not same:
        raise walk.stop(
            "shape-mismatch",
            f"`tie` joins parameters of different shape: {a} and {b}",
            node.span,
        )
    walk.ties.append(graph.TieTo(target.expr, source.expr, node.span))
    if not walk.defining:
        total: Size = 1
        for size in a.sizes:
            total = total * size
        walk.count = walk.count - total


@executes(syntax.Input)
def _input(walk: Walk, node: syntax.Input) -> None:
    from netdsl.elaborate.inputs import declare_input

    declare_input(walk, node)
