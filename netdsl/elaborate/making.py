"""Layers, made where they are mentioned: from names, lists, comprehensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Advice, Label
from netdsl.dims import Dim, Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.building import for_building, if_built
from netdsl.elaborate.habits import plain_name, refuse_colon
from netdsl.elaborate.loops import (
    bind_target,
    make_target,
    sequence,
    target_names,
)
from netdsl.elaborate.module_code import refuse_call
from netdsl.elaborate.names import left_out, lookup_stage
from netdsl.elaborate.reserved import check_member, check_name
from netdsl.elaborate.trials import argument_names, representatives
from netdsl.elaborate.values import (
    PLAIN,
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
    for_torch,
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
from netdsl.layers import FUNCTIONS, LAYERS, Declaration, Unknown, bind
from netdsl.layers.spec import Parameter
from netdsl.shapes import Refusal
from netdsl.source import Span


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
    factory, handed = _factory_of(walk, node)
    return from_factory(walk, factory, node.span, handed)


def is_handed(val: Val) -> bool:
    """Whether what makes a layer is a value, not the name of a definition."""
    return not isinstance(val.expr, graph.Definition)


def _factory_of(
    walk: Walk, node: syntax.Expression
) -> tuple[Factory | NetParameter, bool]:
    """What makes the layer: a net, a torch layer, or one with arguments; and
    whether it is handed on."""
    function = node
    if isinstance(node, syntax.Call):
        refuse_call(walk, node)
        function = node.function
    function = plain_name(walk, function)
    if isinstance(function, syntax.Name):
        val = _made_by_name(walk, function)
    else:
        val = walk.evaluate(function)
    value, handed = val.value, is_handed(val)
    if isinstance(value, Blur):
        from netdsl.elaborate.walk import Stop

        raise Stop
    if not isinstance(value, Factory | NetParameter):
        raise _no_layer(walk, node, value)
    if not isinstance(node, syntax.Call):
        return value, handed
    positional, keywords = call_arguments(walk, node)
    return with_arguments(walk, value, positional, keywords, node.span), handed


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
                help=left_out(node.id)
                or walk.suggest(
                    node.id, walk.program.layer_names(walk.owner), node.span
                ),
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
                    else "a layer becomes a value when a tensor flows through it:"
                    f" `x -> {name}`"
                ),
            )


def _no_layer(walk: Walk, node: syntax.Expression, value: Any) -> Exception:
    what = arithmetic.describe_value(value)
    if isinstance(value, FunctionValue):
        name = node.span.text.split("(")[0]
        what = f"`{name}` is a function"
        layer = walk.suggest(name, walk.program.layer_names(walk.owner), node.span)
        help_ = layer or Advice("only layers have names; put the function behind `->`")
        return walk.stop("not-a-layer", f"{what}, not a layer", node.span, help=help_)
    if isinstance(value, ModuleValue):
        return walk.stop(
            "not-a-layer",
            "this layer exists already",
            node.span,
            help="to share its weights, use its name as a stage: `-> name`",
        )
    help_ = Advice()
    if isinstance(value, list | tuple) and isinstance(node, syntax.Binary):
        example = "[Linear(8) for _ in range(3)]" if node.op == "*" else "[*a, *b]"
        help_ = Advice(f"layers are made one by one: write `{example}`")
    return walk.stop("not-a-layer", f"{what} is not a layer", node.span, help=help_)


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
                Val(v, _star_item(inner, i, val.value), argument.span)
                for i, v in enumerate(val.value)
            ]
        else:
            positional.append(val)
    keywords = {
        k.name: Val(v.value, v.expr, k.span)
        for k, v in zip(node.keywords, vals[len(node.arguments) :], strict=True)
    }
    return positional, keywords


def refuse_spread(walk: Walk, vals: Sequence[Val]) -> None:
    """Stops at `*b` where nobody knows how many arguments that is."""
    for val in vals:
        known = not isinstance(val.value, Unknown | Dim | int)
        if known or not isinstance(val.expr, graph.Spread) or val.span is None:
            continue
        name = val.span.text[1:].strip()
        kind = getattr(val.value, "type", "")
        text = f"`*` spreads a tuple or a list, and `{name}` is neither"
        help_ = ""
        if "[" in kind:
            text = f"`{name}` is of type {kind}: how many arguments `*{name}` gives"
            text += " isn't known"
            part = arithmetic.split_types(kind.partition("[")[2][:-1])[0]
            help_ = f"declare how many there are, `tuple[{part}, {part}]`, or write"
            help_ += f" `{name}[0], {name}[1]`"
        raise walk.stop("wrong-type", text, val.span, help=help_)


def _star_item(expr: graph.Expr, index: int, value: list[Any] | tuple[Any, ...]) -> Any:
    """A part of `*value`; of a tuple Python's types say how many parts it has."""
    place = (graph.Const(index),)
    if isinstance(expr, graph.Sequence) and len(expr.items) == len(value):
        return expr.items[index]
    if isinstance(value, tuple):
        return graph.StarItem(expr, place, False, len(value))
    return graph.Item(expr, place, False)


def _argument(walk: Walk, node: syntax.Expression) -> Val:
    if isinstance(node, syntax.Labelled) and isinstance(node.label, syntax.Name):
        raise refuse_colon(walk, node)
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
    refuse_spread(walk, positional)
    positional = [for_building(walk, v, span) for v in positional]
    keywords = {k: for_building(walk, v, span) for k, v in keywords.items()}
    given = tuple(v.argument for v in positional)
    named = tuple((k, v.argument) for k, v in keywords.items())
    if isinstance(factory, NetParameter):
        return Factory(factory, given, named, span)
    names = {k for k, _ in named}
    kept = tuple((k, a) for k, a in factory.keywords if k not in names)
    return Factory(factory.target, factory.positional + given, kept + named, span)


def from_factory(
    walk: Walk, factory: Factory | NetParameter, span: Span, handed: bool
) -> Module:
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
                    True,
                )
                if binding.target != SKIP
                else SkipModule(span)
            )
            for binding in representatives(walk.program, target.bindings)
        ]
        return _called(span, target, factory.positional, keywords, trials)
    if isinstance(target, syntax.Extern):
        return ExternModule(span, target, factory.positional, keywords)
    if isinstance(target, Declaration):
        made = LayerModule(span, target, factory.positional, keywords)
        return _checked(walk, made)
    if not handed:
        walk.program.check_recursion(target, span)
    net = NetModule(span, target, factory.positional, keywords)
    net.handed = handed
    net.given = walk.program.match_hyperparameters(walk, net)
    return walk.program.specialised(net)


def _called(
    span: Span,
    parameter: NetParameter,
    positional: tuple[Argument, ...],
    keywords: dict[str, Argument],
    trials: list[Module],
) -> ParameterModule:
    """A net parameter, called; its arguments go by name where a net that it stands
    for has some already."""
    names = argument_names(parameter.bindings, len(positional))
    if names:
        keywords = {**dict(zip(names, positional, strict=True)), **keywords}
        positional = ()
    made = ParameterModule(span, parameter.symbol, positional, keywords, trials)
    made.unlike = names is None
    return made


def _settled(walk: Walk, argument: Argument, span: Span) -> None:
    """Stops where an argument has no value, so that a mistake in it is told once."""
    if type(argument.value) in PLAIN:
        return
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


def _checked(walk: Walk, module: LayerModule) -> LayerModule:
    """The layer, as it is meant; says what is wrong with its arguments where they
    are written."""
    given = (*module.positional, *module.keywords.values())
    unclear = [a for a in given if type(a.value) not in PLAIN]
    refuse_layers(walk, [Val(a.value, a.expr, a.span) for a in unclear], module.span)
    try:
        bound(module)
    except Refusal as refusal:
        if refusal.code in ("too-many-arguments", "repeated-argument"):
            from netdsl.elaborate.torchs_order import as_torch_has_it

            meant = as_torch_has_it(walk, module, refusal)
            if meant is not None:
                return meant
        spans: dict[str | int, Span] = {
            i: a.span for i, a in enumerate(module.positional) if a.span
        }
        spans.update({k: a.span for k, a in module.keywords.items() if a.span})
        if refusal.argument == "activation":
            word = module.keywords["activation"].value
            if word in FUNCTIONS:
                refusal.help = f"an activation is a stage of its own: `-> {word}`"
        from netdsl.elaborate.walk import Stop

        assert module.span is not None
        walk.refused(refusal, module.span, spans)
        raise Stop from None
    return module


def argument_spans(module: LayerModule) -> dict[str | int, Span]:
    """Where the arguments of a layer are written, by their names."""
    declaration = module.declaration
    places = [
        p.name
        for p in declaration.signature.parameters
        if p.inferred is None and (p.required or not declaration.infers)
    ]
    given = [*zip(places, module.positional, strict=False), *module.keywords.items()]
    return {name: argument.span for name, argument in given if argument.span}


def bound(module: LayerModule) -> dict[str, Any]:
    if module.bound is None:
        signature = module.declaration.signature
        places = dict(enumerate(signature.places))
        module.positional = tuple(
            _of_width(a, places.get(i)) for i, a in enumerate(module.positional)
        )
        module.keywords = {
            k: _of_width(a, signature.by_name.get(k))
            for k, a in module.keywords.items()
        }
        module.bound = bind(
            module.declaration,
            [for_torch(a) for a in module.positional],
            {k: for_torch(a) for k, a in module.keywords.items()},
        )
    return module.bound


def _of_width(argument: Argument, parameter: Parameter | None) -> Argument:
    """A list of any length as the ints that torch takes of it, for Python's types:
    `stride` of `Conv2d` becomes `(stride[0], stride[1])`."""
    value = argument.value
    if type(value) is not Unknown or parameter is None or not parameter.width:
        return argument
    if value.type not in ("list[int]", "tuple[int, ...]"):
        return argument
    places = range(parameter.width)
    items = (graph.Item(argument.expr, (graph.Const(i),), False) for i in places)
    parts = tuple(arithmetic.element(value, "int", i) for i in places)
    return Argument(parts, graph.Sequence("tuple", tuple(items)), argument.span)


def _chain(walk: Walk, node: syntax.ListOf) -> ChainModule:
    members: list[Member] = []
    spans: list[Span] = []
    for item in node.items:
        if isinstance(item, syntax.Comprehension):
            members += _repeat(walk, item)
        elif isinstance(item, syntax.Star):
            members += _spread(walk, item)
        else:
            members.append(_member(walk, item))
        part = item.label if isinstance(item, syntax.Labelled) else item
        spans += [part.span] * (len(members) - len(spans))
    _refuse_twice(walk, members, spans)
    return ChainModule(node.span, members)


def _refuse_twice(walk: Walk, members: list[Member], spans: list[Span]) -> None:
    """Two members of a list with one key: torch would keep the last alone."""
    seen: dict[str, Span] = {}
    counted = True
    for i, (member, span) in enumerate(zip(members, spans, strict=True)):
        key = member.label
        if isinstance(member.module, RepeatModule | ChoiceModule | SkipModule):
            counted = False  # nobody knows how many keys these have
            continue
        if key is None and counted:
            key = str(i)
        if not isinstance(key, str) or key == SPREAD:
            continue
        if key in seen:
            raise walk.stop(
                "duplicate-name",
                f"there are two layers called `{key}`",
                span,
                labels=[Label(seen[key], "the first")],
            )
        seen[key] = span


def _member(walk: Walk, item: syntax.Expression) -> Member:
    label: Any = None
    value = item
    if isinstance(item, syntax.Labelled):
        label = label_of(walk, item.label)
        check_member(walk, label, item.label.span)
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
        val = for_building(walk, walk.evaluate(node))
        return val.value if isinstance(val.value, str) else val.expr
    raise walk.stop(
        "not-a-layer",
        "a layer's name is a word or a string",
        node.span,
        help="write `name: LAYER`",
    )


def _spread(walk: Walk, item: syntax.Star) -> list[Member]:
    if item.value is None:
        raise walk.stop(
            "not-a-layer",
            "`*` alone stands for sizes of a shape; in a list it spreads another",
            item.span,
            help="write `*` and the list: `*layers`",
        )
    if isinstance(item.value, syntax.ListOf):
        return _chain(walk, item.value).members
    if isinstance(item.value, syntax.IfElse):
        made = make(walk, item.value)
        if _is_spreadable(made):
            return [Member(SPREAD, made)]
    else:
        value = walk.evaluate(item.value).value
        if isinstance(value, ModuleValue) and isinstance(value.module, ChainModule):
            return list(value.module.members)
    raise walk.stop("not-a-layer", "only a list of layers can be spread", item.span)


def _is_spreadable(module: Module) -> bool:
    if isinstance(module, ChoiceModule):
        return _is_spreadable(module.then) and _is_spreadable(module.other)
    return isinstance(module, ChainModule | SkipModule)


SPREAD = "*"


def _repeat(walk: Walk, node: syntax.Comprehension) -> list[Member]:
    """Layers made by a comprehension: one by one where the rounds are known, else
    one for all rounds, over a symbol for the round."""
    names = [n for c in node.clauses for n in target_names(c.target)]
    for name in names:
        check_name(walk, name, node.span)
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
    source = for_building(walk, walk.evaluate(clause.iterable))
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
        tests = tuple(for_building(walk, walk.evaluate(t)).expr for t in clause.tests)
        loop = graph.Loop(symbols, source.expr, tests)
        return _repeat_clause(walk, node, at + 1, [*loops, loop], whole)
    members: list[Member] = []
    for value in over:
        walk.program.walk_again(node.element.span, clause.span, 3)
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
    test = if_built(walk, walk.evaluate(node.test))
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
