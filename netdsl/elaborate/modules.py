"""Layers: made where they are mentioned, and what comes out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Label
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.joining import arms_differ, join, surely_different
from netdsl.elaborate.loops import (
    Carried,
    bind_target,
    go_round,
    make_target,
    sequence,
    target_names,
)
from netdsl.elaborate.names import lookup_stage
from netdsl.elaborate.narrowing import handed_on
from netdsl.elaborate.values import (
    BLUR,
    SKIP,
    Blur,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    Rounds,
    Val,
    assume,
    decide,
    leaves,
)
from netdsl.elaborate.walk import Walk
from netdsl.graph import (
    Argument,
    ChainModule,
    ChoiceModule,
    ExternModule,
    LayerModule,
    Member,
    Module,
    NetModule,
    ParameterModule,
    RepeatModule,
    SkipModule,
)
from netdsl.layers import FUNCTIONS, LAYERS, Call, Declaration, Unknown, bind
from netdsl.shapes import Refusal, Shape, Tensor, Undecided
from netdsl.source import Span

# -- making --------------------------------------------------------------------


def make(walk: Walk, node: syntax.Expression) -> Module:
    """The layer that stands right of `name:`, or in a list of layers."""
    if isinstance(node, syntax.ListOf):
        return _chain(walk, node)
    if isinstance(node, syntax.IfElse):
        return _choice(walk, node)
    if isinstance(node, syntax.Comprehension):
        raise walk.stop(
            "not-a-layer",
            "a comprehension of layers stands in a list",
            node.span,
            help="write `[... for ...]`",
        )
    return from_factory(walk, factory_of(walk, node), node.span)


def factory_of(walk: Walk, node: syntax.Expression) -> Factory | NetParameter:
    """What makes the layer: a net, a torch layer, or one with arguments."""
    function = node.function if isinstance(node, syntax.Call) else node
    if isinstance(function, syntax.Name):
        value = _made_by_name(walk, function).value
    else:
        value = walk.evaluate(function).value
    if isinstance(value, Blur):
        from netdsl.elaborate.walk import Stop

        raise Stop
    if not isinstance(value, Factory | NetParameter):
        raise _no_layer(walk, node, value)
    if not isinstance(node, syntax.Call):
        return value
    positional, keywords = call_arguments(walk, node)
    return with_arguments(walk, value, positional, keywords, node.span)


def _made_by_name(walk: Walk, node: syntax.Name) -> Val:
    """Right of `name:` a net or torch layer is meant, never a layer that exists."""
    from netdsl.elaborate.names import definition

    found = walk.scope.get(node.id)
    if found is not None and isinstance(found.value, Factory | NetParameter | Blur):
        walk.used.add(node.id)
        return found
    made = definition(walk, node.id, node)
    if made is not None:
        return made
    if node.id[:1].isupper() or node.id.lower() in {n.lower() for n in LAYERS}:
        if walk.named_layer(node.id) is None and node.id not in FUNCTIONS:
            raise walk.stop(
                "unknown-layer",
                f"there is no layer or net called `{node.id}`",
                node.span,
                help=walk.suggest(node.id, walk.program.layer_names(walk.owner)),
            )
    return lookup_stage(walk, node)


def refuse_layers(walk: Walk, vals: Sequence[Val], span: Span | None) -> None:
    """Stops where a layer or function stands for a tensor or a number."""
    for val in vals:
        if isinstance(val.value, ModuleValue | Factory | NetParameter | FunctionValue):
            place = val.span or span
            assert place is not None
            name = place.text.partition("=")[2].strip() or place.text
            raise walk.stop(
                "not-a-value",
                f"{arithmetic.describe_value(val.value)} stands where a value is due",
                place,
                help=(
                    f"send a tensor through it: `{name}(x)`"
                    if isinstance(val.value, ModuleValue | FunctionValue)
                    and name.isidentifier()
                    else ""
                ),
            )


def _no_layer(walk: Walk, node: syntax.Expression, value: Any) -> Exception:
    what = arithmetic.describe_value(value)
    help_ = ""
    if isinstance(value, FunctionValue):
        name = node.span.text.split("(")[0]
        what = f"`{name}` is a function"
        layer = walk.suggest(name, walk.program.layer_names(walk.owner))
        help_ = layer or "only layers have names; put the function behind `->`"
        return walk.stop("not-a-layer", f"{what}, not a layer", node.span, help=help_)
    if isinstance(value, ModuleValue):
        return walk.stop(
            "not-a-layer",
            "this layer exists already",
            node.span,
            help="to share its weights, use its name as a stage: `-> name`",
        )
    return walk.stop("not-a-layer", f"{what} is not a layer", node.span)


def call_arguments(walk: Walk, node: syntax.Call) -> tuple[list[Val], dict[str, Val]]:
    """The arguments of a call, evaluated from left to right."""
    makers: list[Any] = [lambda a=a: _argument(walk, a) for a in node.arguments]
    makers += [lambda k=k: walk.evaluate(k.value) for k in node.keywords]
    vals = walk.in_order(makers)
    positional: list[Val] = []
    for argument, val in zip(node.arguments, vals, strict=False):
        if isinstance(argument, syntax.Star) and isinstance(val.value, list | tuple):
            inner = val.expr.value if isinstance(val.expr, graph.Spread) else val.expr
            positional += [
                Val(v, graph.Item(inner, (graph.Const(i),), False), argument.span)
                for i, v in enumerate(val.value)
            ]
        else:
            positional.append(val)
    keywords = {
        k.name: Val(v.value, v.expr, k.span)
        for k, v in zip(node.keywords, vals[len(node.arguments) :], strict=True)
    }
    return positional, keywords


def _argument(walk: Walk, node: syntax.Expression) -> Val:
    if isinstance(node, syntax.Star) and node.value is not None:
        val = walk.evaluate(node.value)
        return Val(val.value, graph.Spread(val.expr), node.span)
    return walk.evaluate(node)


def with_arguments(
    walk: Walk,
    factory: Factory | NetParameter,
    positional: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Factory:
    """A factory with more arguments."""
    given = tuple(v.argument for v in positional)
    named = tuple((k, v.argument) for k, v in keywords.items())
    if isinstance(factory, NetParameter):
        return Factory(factory, given, named, span)
    names = {k for k, _ in named}
    kept = tuple((k, a) for k, a in factory.keywords if k not in names)
    return Factory(factory.target, factory.positional + given, kept + named, span)


def from_factory(walk: Walk, factory: Factory | NetParameter, span: Span) -> Module:
    """A new layer."""
    if isinstance(factory, NetParameter):
        factory = Factory(factory, (), (), span)
    target = factory.target
    keywords = dict(factory.keywords)
    for argument in (*factory.positional, *keywords.values()):
        _settled(walk, argument, span)
    if target == SKIP:
        return SkipModule(span)
    if isinstance(target, NetParameter):
        trials = [
            (
                from_factory(
                    walk,
                    with_arguments(
                        walk,
                        binding,
                        [Val(a.value, a.expr, a.span) for a in factory.positional],
                        {k: Val(a.value, a.expr, a.span) for k, a in keywords.items()},
                        span,
                    ),
                    span,
                )
                if binding.target != SKIP
                else SkipModule(span)
            )
            for binding in target.bindings
        ]
        return ParameterModule(
            span, target.symbol, factory.positional, keywords, trials
        )
    if isinstance(target, syntax.Extern):
        return ExternModule(span, target, factory.positional, keywords)
    if isinstance(target, Declaration):
        made = LayerModule(span, target, factory.positional, keywords)
        _check_arguments(walk, made)
        return made
    walk.program.check_recursion(target, span)
    net = NetModule(span, target, factory.positional, keywords)
    net.given = walk.program.match_hyperparameters(walk, net)
    return walk.program.specialised(net)


def _settled(walk: Walk, argument: Argument, span: Span) -> None:
    """Stops where an argument has no value, so that a mistake in it is told once."""
    from netdsl.elaborate.walk import Stop

    for part in leaves(argument.value):
        if not isinstance(part, Blur):
            continue
        if part.reason is not None:
            walk.error(
                "size-not-inferred",
                "this value isn't known when the module is built",
                argument.span or span,
                labels=[Label(part.reason, "it gets lost here")],
            )
        raise Stop


def _check_arguments(walk: Walk, module: LayerModule) -> None:
    """Says what is wrong with a layer's arguments where they are written."""
    given = (*module.positional, *module.keywords.values())
    refuse_layers(walk, [Val(a.value, a.expr, a.span) for a in given], module.span)
    try:
        _bound(module)
    except Refusal as refusal:
        spans: dict[str | int, Span] = {
            i: a.span for i, a in enumerate(module.positional) if a.span
        }
        spans.update({k: a.span for k, a in module.keywords.items() if a.span})
        from netdsl.elaborate.walk import Stop

        assert module.span is not None
        walk.refused(refusal, module.span, spans)
        raise Stop from None


def _argument_spans(module: LayerModule) -> dict[str | int, Span]:
    """Where the arguments of a layer are written, by their names."""
    declaration = module.declaration
    places = [
        p.name
        for p in declaration.signature.parameters
        if p.inferred is None and (p.required or not declaration.infers)
    ]
    given = [*zip(places, module.positional, strict=False), *module.keywords.items()]
    return {name: argument.span for name, argument in given if argument.span}


def _bound(module: LayerModule) -> dict[str, Any]:
    if module.bound is None:
        module.bound = bind(
            module.declaration,
            [a.value for a in module.positional],
            {k: a.value for k, a in module.keywords.items()},
        )
    return module.bound


# -- lists of layers -----------------------------------------------------------


def _chain(walk: Walk, node: syntax.ListOf) -> ChainModule:
    members: list[Member] = []
    for item in node.items:
        if isinstance(item, syntax.Comprehension):
            members += _repeat(walk, item)
        elif isinstance(item, syntax.Star):
            members += _spread(walk, item)
        else:
            members.append(_member(walk, item))
    return ChainModule(node.span, members)


def _member(walk: Walk, item: syntax.Expression) -> Member:
    label: Any = None
    value = item
    if isinstance(item, syntax.Labelled):
        label = label_of(walk, item.label)
        value = item.value
    if isinstance(value, syntax.Flow):
        raise walk.stop(
            "not-a-layer",
            "a flow stands in a list of layers",
            value.span,
            help="separate the layers by `,`",
        )
    return Member(label, make(walk, value))


def label_of(walk: Walk, node: syntax.Expression) -> Any:
    """A label: a tuple of texts for a dotted name, or what gives it at build time."""
    if isinstance(node, syntax.Name):
        return node.id
    if isinstance(node, syntax.Attribute):
        head = label_of(walk, node.value)
        return (*(head if isinstance(head, tuple) else (head,)), node.name)
    if isinstance(node, syntax.Literal) and isinstance(node.value, str):
        return node.value
    if isinstance(node, syntax.FString):
        val = walk.evaluate(node)
        return val.value if isinstance(val.value, str) else val.expr
    raise walk.stop(
        "not-a-layer",
        "a layer's name is a word or a string",
        node.span,
        help="write `name: LAYER`",
    )


def _spread(walk: Walk, item: syntax.Star) -> list[Member]:
    assert item.value is not None
    if isinstance(item.value, syntax.ListOf):
        return _chain(walk, item.value).members
    if isinstance(item.value, syntax.IfElse):
        made = make(walk, item.value)
        return [Member(SPREAD, made)]
    val = walk.evaluate(item.value)
    if isinstance(val.value, ModuleValue) and isinstance(val.value.module, ChainModule):
        return list(val.value.module.members)
    raise walk.stop("not-a-layer", "only a list of layers can be spread", item.span)


SPREAD = "*"


def _repeat(walk: Walk, node: syntax.Comprehension) -> list[Member]:
    """Layers made by a comprehension: one by one where the rounds are known, else
    one for all rounds, over a symbol for the round."""
    names = [n for c in node.clauses for n in target_names(c.target)]
    with walk.shadowed(names):
        return _repeat_clause(walk, node, 0, [], None)


def _repeat_clause(
    walk: Walk,
    node: syntax.Comprehension,
    at: int,
    loops: list[graph.Loop],
    index: tuple[dims.Dim, Size] | None,
) -> list[Member]:
    if at == len(node.clauses):
        return _round(walk, node, loops, index)
    clause = node.clauses[at]
    source = walk.evaluate(clause.iterable)
    symbols = make_target(clause.target, "loop")
    over = sequence(walk, source)
    if over is None:
        from netdsl.elaborate.walk import Stop

        raise Stop
    if isinstance(over, Rounds):
        _, inner = walk.fresh("i", "loop")
        whole = (inner, over.count)
        if index is not None:
            _, joint = walk.fresh("i", "loop")
            whole = (joint, index[1] * over.count)
        bind_target(walk, clause.target, symbols, over.at(inner))
        tests = tuple(walk.evaluate(t).expr for t in clause.tests)
        loop = graph.Loop(symbols, source.expr, tests)
        return _repeat_clause(walk, node, at + 1, [*loops, loop], whole)
    members: list[Member] = []
    for value in over:
        walk.program.step(clause.span)
        bind_target(walk, clause.target, symbols, value)
        answers = [decide(walk.evaluate(t).value, walk.facts) for t in clause.tests]
        if all(answers):
            members += _repeat_clause(walk, node, at + 1, loops, index)
    return members


def _round(
    walk: Walk,
    node: syntax.Comprehension,
    loops: list[graph.Loop],
    index: tuple[dims.Dim, Size] | None,
) -> list[Member]:
    element = node.element
    if isinstance(element, syntax.Star):
        members = _spread(walk, element)
    else:
        members = [_member(walk, element)]
    if index is None:
        return members
    repeat = RepeatModule(node.span, members, tuple(loops), index[0], index[1])
    return [Member(None, repeat)]


def _choice(walk: Walk, node: syntax.IfElse) -> Module:
    test = walk.evaluate(node.test)
    known = decide(test.value, walk.facts)
    from netdsl.elaborate.expressions import is_dynamic

    if known is not None and not walk.defining:
        return make(walk, node.then if known else node.other)
    if is_dynamic(walk, test):
        # Both are registered; which one runs is decided in forward.
        pass
    with walk.on_path(assume(test.value, True, walk.facts)):
        then = make(walk, node.then)
    with walk.on_path(assume(test.value, False, walk.facts)):
        other = make(walk, node.other)
    return ChoiceModule(node.span, test, test.expr, then, other)


# -- what comes out ------------------------------------------------------------


def transfer(
    walk: Walk,
    module: Module,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    """The value that a layer gives for these inputs; infers its sizes."""
    match module:
        case SkipModule():
            return vals[0].value if len(vals) == 1 else tuple(v.value for v in vals)
        case LayerModule():
            return _layer(walk, module, vals, keywords, span)
        case NetModule():
            return walk.program.use_net(walk, module, vals, keywords, span)
        case ChainModule():
            return _run_chain(walk, module, vals, keywords, span)
        case RepeatModule():
            return _run_repeat(walk, module, vals, keywords, span)
        case ChoiceModule():
            return _run_choice(walk, module, vals, keywords, span)
        case ParameterModule():
            return _run_parameter(walk, module, vals, keywords, span)
        case ExternModule():
            return walk.program.use_extern(walk, module, vals, keywords, span)
    raise AssertionError(module)


def _layer(
    walk: Walk,
    module: LayerModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    declaration = module.declaration
    blurred = [v for v in (*vals, *keywords.values()) if isinstance(v.value, Blur)]
    if blurred:
        return _from_blur(walk, module, blurred[0].value)
    spans = _argument_spans(module)
    spans.update({k: v.span for k, v in keywords.items() if v.span})
    try:
        values = _bound(module)
        positional, named = handed_on(declaration.call, vals, keywords)
        running = bind(declaration, positional, named, running=True)
        inferred = _infer(walk, module, values, running, vals)
        call = Call(declaration, {**values, **inferred, **running}, walk.facts)
        result = declaration.rule(call)
    except Refusal as refusal:
        labels = []
        if isinstance(module.applied, Span) and module.applied != span:
            labels.append(Label(module.applied, "its sizes come from this use"))
        if module.span is not None and module.span != span:
            pass
        walk.refused(refusal, span, spans, labels)
        return BLUR
    except Undecided:
        return Blur(span)
    module.inferred = inferred
    if module.applied is None:
        module.applied = span
        walk.touched.append(module)
        _count(walk, module, call, span)
    walk.learn(call.conditions)
    return result


def _from_blur(walk: Walk, module: LayerModule, blur: Blur) -> Blur:
    needs = [
        p.name
        for p in module.declaration.signature.parameters
        if p.inferred and p.name not in module.keywords
    ]
    if blur.reason is not None and needs and not module.inferred and walk.defining:
        assert module.span is not None
        walk.error(
            "size-not-inferred",
            f"`{needs[0]}` of `{module.declaration.name}` can't be inferred",
            module.span,
            labels=[Label(blur.reason, "the size gets lost here")],
            help=f"write it: `{module.declaration.name}(..., {needs[0]}=...)`",
        )
        return BLUR
    return blur


def _infer(
    walk: Walk,
    module: LayerModule,
    values: Mapping[str, Any],
    running: Mapping[str, Any],
    vals: Sequence[Val],
) -> dict[str, Size]:
    """The sizes that follow from what flows in, unless written or known."""
    declaration = module.declaration
    out: dict[str, Size] = {}
    tensors = [v for v in running.values() if isinstance(v, Tensor)]
    for parameter in declaration.signature.parameters:
        if parameter.inferred is None or parameter.name in values:
            continue
        if parameter.name in module.inferred:
            out[parameter.name] = module.inferred[parameter.name]
            continue
        name, index = parameter.inferred
        source = running.get(name) if name else (tensors[0] if tensors else None)
        if not isinstance(source, Tensor):
            raise Refusal(
                "size-not-inferred",
                f"`{parameter.name}` of `{declaration.name}` follows from a tensor,"
                " and none flows in",
            )
        try:
            out[parameter.name] = walk.simplest(source.shape.at(index))
        except Refusal:
            # The rule says best what is wrong with a tensor of too few sizes.
            rule = Call(declaration, {**values, **out, **running}, walk.facts)
            rule.values[parameter.name] = dims.symbol("?")
            declaration.rule(rule)
            raise
    if declaration.infer is not None:
        call = Call(declaration, {**values, **out, **running}, walk.facts)
        for key, value in declaration.infer(call).items():
            if key not in out and key not in module.keywords:
                out[key] = value if key not in module.inferred else module.inferred[key]
    return out


def _count(walk: Walk, module: LayerModule, call: Call, span: Span) -> None:
    walk.build(1, span)
    if module.declaration.parameters is None or walk.defining:
        return
    try:
        for sizes in module.declaration.parameters(call).values():
            total: Size = 1
            for size in sizes:
                total = total * size
            walk.count = walk.count + total
    except (Undecided, Refusal):
        walk.count = walk.count + dims.symbol("?")
    if isinstance(walk.count, int) and walk.count > walk.limits.parameters:
        raise walk.program.too_many_parameters(walk, module.span or span)


def _run_chain(
    walk: Walk,
    chain: ChainModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    value: Any = vals[0].value if vals else BLUR
    extra = list(vals[1:])
    if extra or keywords:
        chain.indexed = True
    else:
        chain.ran = True
    for member in chain.members:
        place = member.module.span or span
        value = transfer(
            walk, member.module, [Val(value, graph.Const(None), span), *extra],
            keywords, place,
        )  # fmt: skip
        if isinstance(value, tuple) and not isinstance(value, Tensor):
            if member is not chain.members[-1]:
                walk.error(
                    "tuple-mismatch",
                    "a chain hands one value on, and this gives several",
                    place,
                    help="take the values apart in a flow of your own",
                )
                return BLUR
    return value


def _run_repeat(
    walk: Walk,
    repeat: RepeatModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    loop = Carried(repeat.index, repeat.count)
    extra = list(vals[1:])
    if not any(is_inferred(m) for p in repeat.members for m in every_module(p.module)):
        repeat.carried = []  # of a walk that only looked ahead

    def body(state: dict[str, Any]) -> dict[str, Any]:
        value = state["x"]
        for member in repeat.members:
            value = transfer(
                walk, member.module, [Val(value, graph.Const(None), span), *extra],
                keywords, member.module.span or span,
            )  # fmt: skip
        return {"x": value}

    after = go_round(walk, loop, {"x": vals[0].value}, body, lambda: look_ahead(walk))
    note_carried(repeat, loop, {dims.single(loop.index): repeat.index})
    return after["x"]


def look_ahead(walk: Walk) -> Any:
    """What undoes the inference of a walk that only looked ahead."""
    facts, conditions = walk.facts, len(walk.conditions)
    touched, rounds = len(walk.touched), len(walk.rounds)
    scope = dict(walk.scope)

    def undo() -> None:
        walk.facts = facts
        walk.scope = scope
        del walk.conditions[conditions:]
        for module in walk.touched[touched:]:
            reset(module)
        del walk.touched[touched:]
        del walk.rounds[rounds:]

    return undo


def reset(module: Module) -> None:
    """Forgets what was inferred."""
    module.applied = None
    if isinstance(module, LayerModule):
        module.inferred = {}
    elif isinstance(module, NetModule):
        module.sizes = {}
    elif isinstance(module, ParameterModule):
        module.sizes = None


def every_module(module: Module) -> list[Module]:
    """The module and all inside it."""
    out = [module]
    match module:
        case ChainModule() | RepeatModule():
            for member in module.members:
                out += every_module(member.module)
        case ChoiceModule():
            out += every_module(module.then) + every_module(module.other)
        case ParameterModule():
            for trial in module.trials:
                out += every_module(trial)
    return out


def is_inferred(module: Module) -> bool:
    """Whether something flowed in that told its sizes."""
    if isinstance(module, LayerModule):
        return bool(module.inferred)
    if isinstance(module, NetModule | ParameterModule):
        return bool(module.sizes)
    return False


def inferred_sizes(module: Module) -> list[Size]:
    """The sizes that its constructor needs, and those of all inside it."""
    out: list[Size] = []
    for part in every_module(module):
        if isinstance(part, LayerModule):
            out += part.inferred.values()
        elif isinstance(part, NetModule):
            out += part.sizes.values()
        elif isinstance(part, ParameterModule) and part.sizes:
            out += part.sizes
        elif isinstance(part, RepeatModule):
            # A loop within takes up what this one carries.
            for _, before, after in part.carried:
                out += [before, after]
    return out


def note_carried(
    repeat: RepeatModule, loop: Carried, to_index: Mapping[Any, Size]
) -> None:
    """Gives a building loop the running ints that its layers need."""
    needed = {
        atom
        for member in repeat.members
        for size in inferred_sizes(member.module)
        for atom in dims.atoms(size)
    }
    grown = True
    chosen: list[Any] = []
    while grown:
        grown = False
        for entry in loop.running:
            symbol, atom, before, after = entry
            if atom in needed and entry not in chosen:
                chosen.append(entry)
                needed |= set(dims.atoms(after))
                grown = True
    for symbol, _, before, after in chosen:
        moved = dims.substitute(after, to_index)
        if all(symbol is not known for known, _, _ in repeat.carried):
            repeat.carried.append((symbol, before, moved))


def _run_choice(
    walk: Walk,
    choice: ChoiceModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    test: Val = choice.condition
    if_true = assume(test.value, True, walk.facts)
    if_false = assume(test.value, False, walk.facts)
    known = decide(test.value, walk.facts)
    with walk.on_path(if_true), _quiet(walk, known is False):
        then = transfer(walk, choice.then, vals, keywords, choice.then.span or span)
    with walk.on_path(if_false), _quiet(walk, known is True):
        other = transfer(walk, choice.other, vals, keywords, choice.other.span or span)
    if known is not None:
        return then if known else other
    joined = join(walk, then, other, if_true, if_false, test)
    from netdsl.elaborate.expressions import is_dynamic

    if joined is None or (
        is_dynamic(walk, test) and surely_different(walk, then, other)
    ):
        arms = (choice.then.span, choice.other.span)
        arms_differ(walk, then, other, test.span or span, arms)
        return BLUR
    return joined


def _quiet(walk: Walk, muted: bool) -> Any:
    from contextlib import nullcontext

    return walk.report.muted() if muted else nullcontext()


def _run_parameter(
    walk: Walk,
    module: ParameterModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    """One result per binding; where they differ, the layer is asked at run time."""
    results = []
    for trial in module.trials:
        # What one binding needs, another may not.
        with walk.on_path(walk.facts):
            results.append(transfer(walk, trial, vals, keywords, span))
    if not results:
        # That nothing says which net it is, is told at the parameter.
        return BLUR
    if any(isinstance(r, Blur) for r in results):
        return next(r for r in results if isinstance(r, Blur))
    first = results[0]
    if all(r == first for r in results):
        return first
    if all(isinstance(r, Tensor) for r in results):
        shapes = [r.shape for r in results]
        if len({(s.star, len(s.head), len(s.tail)) for s in shapes}) == 1:
            return Tensor(_merge(walk, module, shapes), first.dtype)
    walk.error(
        "arms-mismatch",
        f"the nets that `{module.symbol.name}` stands for give different results",
        span,
        note=" and ".join(dict.fromkeys(str(r) for r in results)),
    )
    return BLUR


def _merge(walk: Walk, module: Module, shapes: list[Shape]) -> Shape:
    first = shapes[0]
    rank = len(first.head) + len(first.tail)

    def one(at: int, sizes: list[Size]) -> Size:
        if all(s == sizes[0] for s in sizes):
            return sizes[0]
        return kept_size(walk, module, at, rank, first.star is not None)

    head = tuple(one(i, [s.head[i] for s in shapes]) for i in range(len(first.head)))
    tail = tuple(
        one(i - len(first.tail), [s.tail[i] for s in shapes])
        for i in range(len(first.tail))
    )
    return Shape(head, first.star, tail)


class OutOf(graph.Expr):
    """A size of a layer's result, which the layer keeps: `block.out_channels`."""

    module: Any
    attribute: str
    index: int

    def _values(self) -> tuple[Any, ...]:
        return id(self.module), self.attribute


def kept_size(walk: Walk, module: Module, at: int, rank: int, starred: bool) -> Size:
    """A size that only the layer itself knows."""
    names = {1: "out_channels"} if rank >= 3 and not starred else {}
    last = at in (rank - 1, -1)
    name = names.get(at) or ("out_features" if last else f"out_size_{at}")
    origin = OutOf(module, name, at)
    key = f"out{id(module)}.{name}#{at}"
    return dims.of(dims.Name(key, 1, None, origin, name))


# -- lists of layers as values -------------------------------------------------


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
        # A slice of a `Sequential` can be run, one of a `ModuleList` can't.
        module.ran = True
        return _sliced(walk, module, value, index, span)
    members = module.members
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


def _sliced(
    walk: Walk, module: ChainModule, value: ModuleValue, index: Val, span: Span
) -> Val:
    expr = graph.Item(graph.ModuleRef(_path(value)), (index.expr,), False)
    part = index.value
    bounds = (part.start, part.stop, part.step)
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


def _element(value: ModuleValue, index: graph.Expr) -> graph.Expr:
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
                path = graph.ModuleRef((*module.path, name))
                return Val(ModuleValue(part.module, path), path, span)
    if isinstance(module, NetModule):
        found = walk.program.member_of(module.net, name)
        if isinstance(found, Module):
            inner_expr = graph.MemberOf(value.expr, name, has_class(value.expr))
            return Val(ModuleValue(found, inner_expr), inner_expr, span)
        if found is not None:
            return Val(found, expr, span)
    raise walk.stop(
        "unknown-name", f"this layer has no `{name}`", span,
        help=walk.suggest(name, _member_names(module)),
    )  # fmt: skip


def _member_names(module: Module) -> list[str]:
    if isinstance(module, ChainModule):
        return [m.label for m in module.members if isinstance(m.label, str)]
    return ["weight", "bias"]


def _parameter_of(
    walk: Walk, module: LayerModule, name: str, expr: graph.Expr, span: Span
) -> Val:
    declaration = module.declaration
    values = {**_bound(module), **module.inferred}
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
        help=walk.suggest(name, shapes) or f"it has {', '.join(shapes) or 'nothing'}",
    )


def unknown_type(value: Any) -> bool:
    return isinstance(value, Unknown)
