"""What comes out of a layer; the sizes that it needs follow from what flows in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import dims, graph
from netdsl.diagnostics import Label
from netdsl.dims import Size
from netdsl.elaborate.carried import Carried, go_round
from netdsl.elaborate.joining import arms_differ, join, surely_different
from netdsl.elaborate.making import argument_spans, bound
from netdsl.elaborate.narrowing import handed_on
from netdsl.elaborate.trees import (
    OutOf,
    every_module,
    inferred_sizes,
    is_inferred,
    reset,
)
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Val,
    assume,
    decide,
)
from netdsl.elaborate.walk import Walk
from netdsl.graph import (
    ChainModule,
    ChoiceModule,
    ExternModule,
    LayerModule,
    Module,
    NetModule,
    ParameterModule,
    RepeatModule,
    SkipModule,
)
from netdsl.layers import Call, bind
from netdsl.shapes import Refusal, Shape, Tensor, Undecided
from netdsl.source import Span


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
    from netdsl.elaborate.members import SliceModule

    if isinstance(module, SliceModule):
        raise walk.stop(
            "unsupported",
            "a part of a list that a loop makes can't be run as a whole",
            span,
            help="loop over it: `for layer in layers[1:]:`",
        )
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
    running: dict[str, Any] = {}
    inferred: dict[str, Any] = {}
    try:
        values = bound(module)
        positional, named = handed_on(declaration.call, vals, keywords)
        running = bind(declaration, positional, named, running=True)
        inferred = _infer(walk, module, values, running, vals)
        if module.written_sizes:
            from netdsl.elaborate.torchs_order import tell_sizes

            if not tell_sizes(walk, module, inferred):
                return BLUR
        call = Call(declaration, {**values, **inferred, **running}, walk.facts)
        result = declaration.rule(call)
    except Refusal as refusal:
        from netdsl.layers.mending import way_out

        given = {**(module.bound or {}), **running, **inferred}
        refusal.help = way_out(declaration, refusal, given, module.keywords)
        _tell(walk, module, refusal, vals, keywords, span)
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


def _tell(
    walk: Walk,
    module: LayerModule,
    refusal: Refusal,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> None:
    """Says why a layer can't run, with what flows in."""
    if not refusal.note and not refusal.argument and len(vals) == 1:
        flowing = str(vals[0].value)
        if isinstance(vals[0].value, Tensor) and flowing not in refusal.text:
            refusal.note = f"{flowing} flows in"
    labels = []
    if isinstance(module.applied, Span) and module.applied != span:
        labels.append(Label(module.applied, "its sizes come from this use"))
        if refusal.code == "shape-mismatch" and not refusal.help:
            refusal.help = "for a layer of its own, give it another name"
    if refusal.code == "bad-input" and not refusal.help and len(vals) > 1:
        nested = any(isinstance(v.value, tuple) for v in vals)
        refusal.help = (
            "take the values apart, and go on with the first: `y, state = x -> ...`"
            if nested
            else "join them first: `-> cat(dim=-1)`"
        )
    spans = argument_spans(module)
    spans.update({k: v.span for k, v in keywords.items() if v.span})
    walk.refused(refusal, span, spans, labels)


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
    return blur.sent_through(module.declaration)


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
                if not isinstance(size, int | dims.Dim):
                    raise Undecided(size)
                total = total * size
            walk.count = walk.count + total
    except (Undecided, Refusal):
        walk.count = walk.count + dims.symbol("?")
    if isinstance(walk.count, int) and walk.count > walk.limits.parameters:
        raise walk.program.too_many_parameters(walk, module.span or span)


def count_unrun(walk: Walk) -> None:
    """Layers that nothing runs are built, too: they may lend out their weights."""
    for layer in walk.layers.values():
        if not isinstance(layer, LayerModule) or layer.applied is not None:
            continue
        values = bound(layer)
        parameters = layer.declaration.signature.parameters
        if all(p.inferred is None or p.name in values for p in parameters):
            call = Call(layer.declaration, values, walk.facts)
            _count(walk, layer, call, layer.span or walk.owner.span)


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
        chain.run()
    for member in chain.members:
        place = member.module.span or span
        value = _run_member(walk, member.module, value, extra, keywords, span)
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


def _run_member(
    walk: Walk,
    module: Module,
    value: Any,
    extra: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    """The value that a layer of a chain makes of what the one before gave."""
    vals = [Val(value, graph.Const(None), span), *extra]
    place = module.span or span
    result = transfer(walk, module, vals, keywords, place)
    if walk.seen is not None and place.chunk is walk.owner.span.chunk:
        walk.seen.stages[place[1:]] = value, result
    return result


def _run_repeat(
    walk: Walk,
    repeat: RepeatModule,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> Any:
    # The same list, used with other numbers, changes the same sizes.
    key, known = id(repeat.span), walk.program.changed_places
    loop = Carried(repeat.index, repeat.count, known.get(key, ()))
    extra = list(vals[1:])
    if not any(is_inferred(m) for p in repeat.members for m in every_module(p.module)):
        repeat.carried = []  # of a walk that only looked ahead

    def body(state: dict[str, Any]) -> dict[str, Any]:
        value = state["x"]
        for member in repeat.members:
            value = _run_member(walk, member.module, value, extra, keywords, span)
        return {"x": value}

    before = walk.count
    after = go_round(walk, loop, {"x": vals[0].value}, body, lambda: look_ahead(walk))
    known[key] = loop.opened
    walk.count = before + _of_all_rounds(walk.count - before, repeat.count)
    note_carried(repeat, loop, {dims.single(loop.index): repeat.index})
    return after["x"]


def _of_all_rounds(parameters: Size, count: Size) -> Size:
    """The parameters of all rounds of a loop, from those of any."""
    named = (a.key for a in dims.atoms(parameters) if isinstance(a, dims.Name))
    if any("#" in key for key in named):
        return dims.symbol("?")  # another number in each round
    return parameters * count


def look_ahead(walk: Walk) -> Any:
    """What undoes the inference of a walk that only looked ahead."""
    facts, conditions = walk.facts, len(walk.conditions)
    touched, rounds = len(walk.touched), len(walk.rounds)
    scope, count, built = dict(walk.scope), walk.count, walk.built

    def undo() -> None:
        walk.facts, walk.count, walk.built = facts, count, built
        walk.scope = scope
        del walk.conditions[conditions:]
        for module in walk.touched[touched:]:
            reset(module)
        del walk.touched[touched:]
        del walk.rounds[rounds:]

    return undo


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
    before = walk.count
    with walk.on_path(if_true), _quiet(walk, known is False):
        then = transfer(walk, choice.then, vals, keywords, choice.then.span or span)
    count, walk.count = walk.count, before
    with walk.on_path(if_false), _quiet(walk, known is True):
        other = transfer(walk, choice.other, vals, keywords, choice.other.span or span)
    if known or (known is None and count != walk.count):
        walk.count = count if known else before + dims.symbol("?")
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
        return kept_size(module, at, rank, first.star is not None)

    head = tuple(one(i, [s.head[i] for s in shapes]) for i in range(len(first.head)))
    tail = tuple(
        one(i - len(first.tail), [s.tail[i] for s in shapes])
        for i in range(len(first.tail))
    )
    return Shape(head, first.star, tail)


def kept_size(
    module: Module,
    at: int,
    rank: int,
    starred: bool,
    part: str = "out",
    path: tuple[Any, ...] = (),
) -> Size:
    """A size that only the layer itself knows; of one of its results, if several."""
    names = {1: f"{part}_channels"} if rank >= 3 and not starred else {}
    last = at in (rank - 1, -1)
    name = names.get(at) or (f"{part}_features" if last else f"{part}_size_{at}")
    origin = OutOf(module, name, (*path, at))
    key = f"out{id(module)}.{name}#{at}"
    return dims.of(dims.Name(key, 1, None, origin, name))
