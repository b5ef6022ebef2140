"""Flows: stages, named layers, branches, calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate import arithmetic
from netdsl.elaborate.expressions import is_dynamic
from netdsl.elaborate.functions import call_function
from netdsl.elaborate.habits import (
    advice_on_stage,
    advice_on_value,
    append_instead,
    forward_call,
    made_and_called,
    plain_name,
    refuse_method,
    refuse_parts,
)
from netdsl.elaborate.joining import arms_differ, join, surely_different
from netdsl.elaborate.making import (
    call_arguments,
    from_factory,
    is_handed,
    label_of,
    make,
    with_arguments,
)
from netdsl.elaborate.members import RoundModule, transfer_round
from netdsl.elaborate.module_code import refuse_call
from netdsl.elaborate.names import lookup_stage
from netdsl.elaborate.narrowing import narrowed
from netdsl.elaborate.reserved import check_label
from netdsl.elaborate.running import transfer
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Factory,
    FunctionValue,
    Gathered,
    ModuleValue,
    NetParameter,
    Rounds,
    Val,
    assume,
    decide,
)
from netdsl.elaborate.walk import Stop, Walk, evaluates, plain
from netdsl.elaborate.words import arm_name
from netdsl.graph import ChainModule, ChoiceModule, Module, SkipModule, Symbol
from netdsl.shapes import Refusal, Tensor
from netdsl.source import Span

# -- flows ---------------------------------------------------------------------


@evaluates(syntax.Flow)
def _flow(walk: Walk, node: syntax.Flow) -> Val:
    source, *stages = node.stages
    if isinstance(source, syntax.Labelled):
        raise walk.stop(
            "not-a-value",
            "a flow starts with a tensor, not with a layer",
            source.span,
            help="write the input first: `x -> name: LAYER`",
        )
    before = walk.flow_name
    if isinstance(source, syntax.Name) and source.id != before:
        # What an image becomes is no image: only a letter is handed on.
        walk.flow_name = source.id if len(source.id) == 1 else "x"
    try:
        return run_stages(walk, walk.evaluate(source), stages)
    finally:
        walk.flow_name = before


# So many stages in a line of the text, and Python gets a line of its own.
_IN_A_LINE = 16


def run_stages(walk: Walk, flowing: Val, stages: Sequence[syntax.Expression]) -> Val:
    """Sends a value through stages; each line of the text is a statement."""
    line = flowing.span.line if walk.defining and flowing.span is not None else None
    in_line = 0
    for stage in stages:
        in_line += 1
        ends = line is not None and (stage.span.line != line or in_line > _IN_A_LINE)
        if ends:
            in_line = 1
        if ends and not plain(flowing.expr):
            if isinstance(flowing.value, Tensor | Blur):
                flowing = walk.name_value(flowing, walk.flow_name)
        before = flowing.value
        try:
            flowing = run_stage(walk, stage, flowing)
        except _caught() as problem:
            # The stages behind it are walked all the same: they may make layers.
            walk.tell(problem, stage.span)
            flowing = Val(BLUR, graph.Const(None), stage.span)
        if walk.seen is not None:
            walk.seen.stages[stage.span[1:]] = before, flowing.value
        if walk.defining:
            end = stage.span
            line = end.source.position(end.chunk.start + end.end - 1)[0]
    return flowing


def run_stage(walk: Walk, node: syntax.Expression, flowing: Val) -> Val:
    """One stage: what flows in goes through a layer, a function or branches."""
    node = plain_name(walk, node)
    match node:
        case syntax.Labelled():
            module = declare(walk, node)
            return apply(
                walk, _as_value(module), [*_parts(flowing)], {}, node.value.span
            )
        case syntax.Branches():
            return _branches(walk, node, flowing)
        case syntax.ListOf():
            module = make(walk, node)
            register(walk, walk.unique("sequential"), module, node.span, named=False)
            return apply(walk, _as_value(module), _parts(flowing), {}, node.span)
        case syntax.IfElse():
            return _choose_stage(walk, node, flowing)
        case syntax.Flow():
            return run_stages(walk, flowing, node.stages)
        case syntax.Name():
            return _through(walk, lookup_stage(walk, node), node, flowing, [], {})
        case syntax.Call():
            refuse_call(walk, node)
            function = _callee(walk, node.function)
            positional, keywords = call_arguments(walk, node)
            return _through(walk, function, node, flowing, positional, keywords)
        case syntax.Attribute() | syntax.Subscript():
            return _through(walk, walk.evaluate(node), node, flowing, [], {})
        case syntax.Literal(value=str() as name) if name in walk.layers:
            # A layer whose name is no word: `"block1-0"`.
            layer = walk.layers[name]
            return apply(walk, _as_value(layer), _parts(flowing), {}, node.span)
    raise walk.stop(
        "not-a-layer",
        "a stage is a layer, a function or branches",
        node.span,
        help=advice_on_stage(walk, node),
    )


def _callee(walk: Walk, node: syntax.Expression) -> Val:
    node = plain_name(walk, node)
    return (
        lookup_stage(walk, node)
        if isinstance(node, syntax.Name)
        else walk.evaluate(node)
    )


def _parts(flowing: Val) -> list[Val]:
    """A tuple that flows in is one positional input each."""
    if not isinstance(flowing.value, tuple):
        return [flowing]
    if isinstance(flowing.expr, graph.Sequence) and len(flowing.expr.items) == len(
        flowing.value
    ):
        spans = flowing.parts or (flowing.span,) * len(flowing.value)
        return [
            Val(v, e, s)
            for v, e, s in zip(flowing.value, flowing.expr.items, spans, strict=True)
        ]
    if isinstance(flowing.expr, graph.Ref):
        return [
            Val(v, graph.Item(flowing.expr, (graph.Const(i),), False), flowing.span)
            for i, v in enumerate(flowing.value)
        ]
    spread = graph.Spread(flowing.expr)
    return [
        Val(v, spread if i == 0 else _NOTHING, flowing.span)
        for i, v in enumerate(flowing.value)
    ]


_NOTHING = graph.Raw("")


def exprs_of(vals: Sequence[Val]) -> tuple[graph.Expr, ...]:
    """The arguments as Python; a spread stands for all its parts."""
    return tuple(v.expr for v in vals if v.expr != _NOTHING)


def _through(
    walk: Walk,
    function: Val,
    node: syntax.Expression,
    flowing: Val,
    positional: Sequence[Val],
    keywords: Mapping[str, Val],
) -> Val:
    value = function.value
    called = isinstance(node, syntax.Call)
    match value:
        case Blur():
            return Val(BLUR, flowing.expr, node.span)
        case ModuleValue():
            vals = [*_parts(flowing), *positional]
            return apply(walk, value, vals, keywords, node.span)
        case Factory() | NetParameter():
            factory: Factory | NetParameter = value
            if called:
                factory = with_arguments(walk, value, positional, keywords, node.span)
            module = from_factory(walk, factory, node.span, is_handed(function))
            if isinstance(module, SkipModule):
                return flowing
            name = walk.unique(value.name.lower())
            register(walk, name, module, node.span, named=False)
            return apply(walk, _as_value(module), _parts(flowing), {}, node.span)
        case FunctionValue():
            name = _name_of(node)
            vals = _function_inputs(value, flowing)
            refuse_parts(walk, value, name, vals, node.span)
            return call_function(
                walk, value, name, [*vals, *positional], keywords, node.span
            )
    raise walk.stop(
        "not-a-layer",
        f"{arithmetic.describe_value(value)} is no layer and no function",
        node.span,
        help=advice_on_value(value, node),
    )


def _function_inputs(function: FunctionValue, flowing: Val) -> list[Val]:
    if isinstance(flowing.value, tuple):
        first = (
            function.target.signature.parameters[:1]
            if not isinstance(function.target, syntax.Fn | None)
            else ()
        )
        if first and "tensors" in first[0].kinds and not first[0].variadic:
            return [flowing]
    return _parts(flowing)


def _name_of(node: syntax.Expression) -> str:
    if isinstance(node, syntax.Call):
        return _name_of(node.function)
    return node.id if isinstance(node, syntax.Name) else ""


# -- calls outside a flow ------------------------------------------------------


@evaluates(syntax.Call)
def _call(walk: Walk, node: syntax.Call) -> Val:
    if isinstance(node.function, syntax.Attribute):
        method = _method(walk, node)
        if method is not None:
            return method
    refuse_call(walk, node)
    function = _callee(walk, node.function)
    positional, keywords = call_arguments(walk, node)
    value = function.value
    match value:
        case Blur():
            return Val(BLUR, graph.Const(None), node.span)
        case ModuleValue():
            return apply(walk, value, positional, keywords, node.span)
        case Factory() | NetParameter():
            made = with_arguments(walk, value, positional, keywords, node.span)
            if any(isinstance(v.value, Tensor) for v in positional):
                raise walk.stop(
                    "not-a-value",
                    f"`{value.name}` makes a layer; tensors flow into it",
                    node.span,
                    help=made_and_called(walk, node),
                )
            return Val(made, graph.Definition(made), node.span)
        case FunctionValue():
            return call_function(
                walk, value, _name_of(node.function), positional, keywords, node.span
            )
    raise walk.stop(
        "not-a-layer",
        f"{arithmetic.describe_value(value)} can't be called",
        node.function.span,
    )


def _method(walk: Walk, node: syntax.Call) -> Val | None:
    """`skips.pop()`; other methods are an error with the way to write it."""
    assert isinstance(node.function, syntax.Attribute)
    owner, name = node.function.value, node.function.name
    if isinstance(owner, syntax.Name) and owner.id in walk.scope:
        val = walk.scope[owner.id]
        if name == "pop" and isinstance(val.value, list | Rounds):
            return _pop(walk, owner, val, node)
        if isinstance(val.value, list):
            walk.bind(owner.id, Val(BLUR, val.expr, val.span))
            raise walk.stop(
                "unknown-name",
                f"lists have no `{name}` here",
                node.function.span,
                help=append_instead(node),
            )
    refuse_method(walk, node)
    forward_call(walk, node)
    return None


def _pop(walk: Walk, owner: syntax.Name, val: Val, node: syntax.Call) -> Val:
    walk.used.add(owner.id)
    expr = graph.MethodOf(val.expr, "pop", (), ())
    if isinstance(val.value, Rounds):
        return walk.pop_round(owner.id, val, expr, node.span)
    if not val.value:
        raise walk.stop("bad-index", f"`{owner.id}` is empty here", node.span)
    walk.bind(owner.id, Val(val.value[:-1], val.expr, val.span))
    return Val(val.value[-1], expr, node.span)


# -- layers --------------------------------------------------------------------


def declare(walk: Walk, node: syntax.Labelled) -> Module:
    """`name: LAYER`"""
    label = label_of(walk, node.label)
    try:
        module = make(walk, node.value)
    except _caught() as problem:
        walk.tell(problem, node.value.span)
        if isinstance(label, str):
            # One mistake, one message: what uses the name is left alone.
            walk.bind(label, Val(BLUR, graph.Const(None), node.span))
            walk.layer_spans[label] = node.label.span
        raise Stop from None
    register(walk, label, module, node.label.span)
    return module


def register(
    walk: Walk, label: Any, module: Module, span: Span, named: bool = True
) -> None:
    """Puts a layer under its name: its keys start with it."""
    path = label if isinstance(label, tuple) else (label,)
    if named:
        check_label(walk, path, span, quoted=span.text[:1] in "\"'f")
    name = ".".join(p if isinstance(p, str) else "?" for p in path)
    first = walk.layer_spans.get(name)
    if first is not None and not walk.exclusive(name):
        from netdsl.diagnostics import Label

        raise walk.stop(
            "duplicate-name",
            f"there are two layers called `{name}`",
            span,
            labels=[Label(first, "the first")],
            help="give one another name; to share the layer, use its name as a stage",
        )
    if walk.looping and named:
        raise walk.stop(
            "layer-in-loop",
            "a layer can't be declared inside a loop",
            span,
            help="declare a list before it: `layers: [... for ...]`, and loop over it",
        )
    walk.layer_arms[name] = walk.arms
    walk.layer_spans[name] = span
    module.path = path
    module.named = named
    walk.layers[name] = module
    walk.init.append(graph.Register(path, module, span))


def _as_value(module: Module) -> ModuleValue:
    return ModuleValue(module, graph.ModuleRef(module.path))


def apply(
    walk: Walk,
    value: ModuleValue,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Val:
    """A layer called on tensors."""
    module = value.module
    module.used = True
    if isinstance(module, ChoiceModule):
        # One name for the layers of two arms: each of them is registered.
        module.then.used = module.other.used = True
    if isinstance(module, SkipModule):
        return vals[0]
    if isinstance(module, ChainModule) and (len(vals) > 1 or keywords):
        return _apply_each(walk, value, vals, keywords, span)
    if isinstance(module, RoundModule):
        walk.rounds.append(module)
        result = transfer_round(walk, module, vals, keywords, span)
    else:
        result = transfer(walk, module, vals, keywords, span)
    named = tuple((k, v.expr) for k, v in keywords.items())
    return Val(result, graph.Apply(value.expr, exprs_of(vals), named), span)


def _apply_each(
    walk: Walk,
    value: ModuleValue,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Val:
    """`x -> layers(cos, sin)`: each member is given the further inputs too."""
    result = transfer(walk, value.module, vals, keywords, span)
    first = walk.name_copy(vals[0], walk.flow_name)
    extra = [walk.name_value(v, "y").expr for v in vals[1:]]
    named = tuple((k, walk.name_value(v, k).expr) for k, v in keywords.items())
    item = Symbol(_singular(value), "item", "nn.Module")
    step = graph.Apply(graph.Ref(item), (first.expr, *extra), named)
    assert isinstance(first.expr, graph.Ref)
    body = [graph.Assign(first.expr.symbol, "=", step, span)]
    walk.say(graph.Repeat(graph.Loop(item, value.expr, ()), body, span))
    return Val(result, first.expr, span)


def _singular(value: ModuleValue) -> str:
    last = value.module.path[-1] if value.module.path else "layer"
    if isinstance(last, str) and last.isidentifier() and len(last) > 2:
        return last[:-1] if last.endswith("s") else "layer"
    return "layer"


# -- branches ------------------------------------------------------------------


def _branches(walk: Walk, node: syntax.Branches, flowing: Val) -> Val:
    source = flowing
    if len(node.arms) > 1:
        source = walk.name_value(flowing, walk.flow_name)
    # Only the class's Python needs names.
    names = [(walk.defining and arm_name(arm)) or walk.flow_name for arm in node.arms]
    makers: list[Any] = []
    for arm, name in zip(node.arms, names, strict=True):
        makers.append(lambda a=arm, n=name: _run_arm(walk, a, source, n))
    vals = walk.in_order(makers, names)
    values: list[Any] = []
    spans: list[Span | None] = []
    exprs: list[graph.Expr] = []
    for arm, val in zip(node.arms, vals, strict=True):
        if _is_spread(arm) and isinstance(val.value, list | Rounds):
            many = val.value if isinstance(val.value, list) else [val.value]
            values += many
            spans += [val.span] * len(many)
            if isinstance(val.expr, graph.Sequence):
                exprs += val.expr.items
            else:
                exprs.append(graph.Spread(val.expr))
        else:
            values.append(val.value)
            spans.append(val.span)
            exprs.append(val.expr)
    if len(node.arms) == 1 and not isinstance(vals[0].expr, graph.Sequence):
        return vals[0]
    expr = graph.Sequence("tuple", tuple(exprs))
    if any(isinstance(v, Rounds) for v in values):
        return Val(Gathered(node.span, values), expr, node.span)
    walk.branches.update(s for s in spans if s is not None)
    return Val(tuple(values), expr, node.span, tuple(spans))


def _is_spread(arm: syntax.Expression) -> bool:
    first = arm.stages[0] if isinstance(arm, syntax.Flow) else arm
    return isinstance(first, syntax.Star)


def _run_arm(walk: Walk, arm: syntax.Expression, source: Val, name: str) -> Val:
    stages = list(arm.stages) if isinstance(arm, syntax.Flow) else [arm]
    start = Val(source.value, source.expr, stages[0].span)
    if _is_spread(arm):
        return _spread_arm(walk, stages, start)
    before, walk.flow_name = walk.flow_name, name
    try:
        val = run_stages(walk, start, stages)
    except _caught() as problem:
        walk.tell(problem, arm.span)
        return Val(BLUR, graph.Const(None), arm.span)
    finally:
        walk.flow_name = before
    return Val(val.value, val.expr, arm.span)


def _caught() -> tuple[type[Exception], ...]:
    return (Stop, Refusal)


def _spread_arm(walk: Walk, stages: list[syntax.Expression], source: Val) -> Val:
    """`*convs`: a branch for each member of a list of layers."""
    star = stages[0]
    assert isinstance(star, syntax.Star) and star.value is not None
    target = walk.evaluate(star.value)
    if not isinstance(target.value, ModuleValue):
        raise walk.stop(
            "not-a-layer", "`*` in branches needs a list of layers", star.span
        )
    from netdsl.elaborate.members import module_rounds

    rest = stages[1:]
    over = module_rounds(walk, target.value, star.span)
    if isinstance(over, list):
        vals = [
            run_stages(walk, apply(walk, m, [source], {}, star.span), rest)
            for m in over
        ]
        expr: graph.Expr = graph.Sequence("tuple", tuple(v.expr for v in vals))
        return Val([v.value for v in vals], expr, star.span)
    if over is None:
        return Val(BLUR, source.expr, star.span)
    item = Symbol(_singular(target.value), "item", "nn.Module")
    _, index = walk.fresh("i", "loop")
    one = over.at(index)
    val = run_stages(
        walk,
        apply(walk, ModuleValue(one.module, graph.Ref(item)), [source], {}, star.span),
        rest,
    )
    loop = graph.Loop(item, graph.ModuleRef(target.value.module.path), ())
    expr = graph.Comprehend(val.expr, (loop,), "list")
    if isinstance(over.count, int):
        return Val([val.value] * over.count, expr, star.span)
    if isinstance(val.value, Blur):
        return Val(val.value, expr, star.span)
    from netdsl.elaborate.loops import each_round

    return Val(each_round(val.value, over.count, index, expr), expr, star.span)


# -- a stage under a condition -------------------------------------------------


def _choose_stage(walk: Walk, node: syntax.IfElse, flowing: Val) -> Val:
    test = walk.evaluate(node.test)
    known = decide(test.value, walk.facts)
    if known is not None and not walk.defining:
        return run_stage(walk, node.then if known else node.other, flowing)
    source = walk.name_value(flowing, walk.flow_name)
    outcomes = []
    for truth, arm in ((True, node.then), (False, node.other)):
        facts = assume(test.value, truth, walk.facts)
        init, forward = walk.init, walk.forward
        walk.init, walk.forward = [], []
        arms, walk.arms = walk.arms, (*walk.arms, (node, truth))
        try:
            with walk.on_path(facts), narrowed(walk, node.test, truth):
                val = run_stage(walk, arm, source)
            outcomes.append((val, walk.init, walk.forward, facts))
        finally:
            walk.init, walk.forward, walk.arms = init, forward, arms
    (then, init1, say1, facts1), (other, init2, say2, facts2) = outcomes
    if init1 or init2:
        if is_dynamic(walk, test):
            walk.init += [*init1, *init2]
        else:
            walk.init.append(graph.Branch(test.expr, init1, init2, node.span))
    value = join(walk, then.value, other.value, facts1, facts2, test)
    if value is None or (
        is_dynamic(walk, test) and surely_different(walk, then.value, other.value)
    ):
        spans = (node.then.span, node.other.span)
        arms_differ(walk, then.value, other.value, node.test.span, spans)
        raise Stop
    if say1 or say2:
        symbol = Symbol("", "temp", "Tensor", walk.flow_name or "x")
        say1.append(graph.Assign(symbol, "=", then.expr, node.span))
        say2.append(graph.Assign(symbol, "=", other.expr, node.span))
        walk.say(graph.Branch(test.expr, say1, say2, node.span))
        return Val(value, graph.Ref(symbol), node.span)
    return Val(value, graph.Choose(test.expr, then.expr, other.expr), node.span)


@evaluates(syntax.Branches)
def _stray_branches(walk: Walk, node: syntax.Branches) -> Val:
    raise walk.stop(
        "not-a-value",
        "nothing flows into these branches",
        node.span,
        help="write `x -> { ... }`",
    )


@evaluates(syntax.Labelled)
def _stray_label(walk: Walk, node: syntax.Labelled) -> Val:
    raise walk.stop(
        "not-a-value",
        "a layer stands where a value is due",
        node.span,
        help="send a tensor through it: `x -> name: LAYER`",
    )


@evaluates(syntax.Star)
def _stray_star(walk: Walk, node: syntax.Star) -> Val:
    raise walk.stop("syntax-error", "`*` spreads a list; none is due here", node.span)
