"""Statements of a net's or function's body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Label
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.arithmetic import describe_value
from netdsl.elaborate.expressions import is_dynamic, known_when_run
from netdsl.elaborate.flows import declare
from netdsl.elaborate.joining import join, surely_different
from netdsl.elaborate.loops import (
    Carried,
    bind_target,
    go_round,
    make_target,
    parts_of,
    sequence,
    target_names,
)
from netdsl.elaborate.members import round_mapping
from netdsl.elaborate.narrowing import narrowed
from netdsl.elaborate.reserved import check_name
from netdsl.elaborate.running import look_ahead, note_carried
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    Rounds,
    Val,
    assume,
    decide,
    is_static,
    type_name,
)
from netdsl.elaborate.walk import Stop, Walk, executes
from netdsl.facts import Facts
from netdsl.graph import ChoiceModule, Symbol
from netdsl.layers import Unknown
from netdsl.shapes import Refusal, Shape, Tensor

# -- flows and bindings --------------------------------------------------------


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
    _check_target(walk, node.target)
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
                "a layer is declared with `:`, as in"
                f" `{node.target.span.text}: {shown}`"
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
    walk.assigned.append((names, node.target.span))
    walk.say(graph.Assign(target, "=", val.expr, node.span))


def _check_target(walk: Walk, target: syntax.Expression) -> None:
    if isinstance(target, syntax.TupleOf):
        for item in target.items:
            _check_target(walk, item)
    elif not isinstance(target, syntax.Name):
        raise walk.stop(
            "syntax-error",
            "only names can be given a value",
            target.span,
            help=(
                "name a layer with `:`, as in `-> fc: Linear(10)`"
                if isinstance(target, syntax.Flow)
                else "write `name = ...`"
            ),
        )
    else:
        check_name(walk, target.id, target.span)


def _bind_names(walk: Walk, target: syntax.Expression, value: Any) -> Any:
    """Binds names to the parts of a value; gives their symbols."""
    if isinstance(target, syntax.Name):
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


# -- conditions ----------------------------------------------------------------


@executes(syntax.If)
def _if(walk: Walk, node: syntax.If) -> None:
    test = walk.evaluate(node.test)
    if isinstance(test.value, Blur):
        return
    known = decide(test.value, walk.facts)
    open_ = any(isinstance(p, Symbol) for p in graph.every(test.expr))
    if known is not None and not (walk.defining and open_):
        with walk.in_arm(node, known), narrowed(walk, node.test, known):
            walk.execute(node.body if known else node.orelse)
        return
    arms = []
    for truth, body in ((True, node.body), (False, node.orelse)):
        arms.append(_walk_arm(walk, node, test, truth, body, known))
    _meet(walk, node, test, arms)


class _Arm:
    """What one side of an `if` leaves behind."""

    def __init__(self, walk: Walk, facts: Facts, told: dict[str, Val]) -> None:
        self.scope = dict(walk.scope)
        self.told = told
        """What the test says of names, unless the arm binds them anew."""
        self.init = walk.init
        self.forward = walk.forward
        self.layers = walk.layers
        self.returned = walk.returned
        self.facts = facts

    def leaves(self, name: str, before: Val | None) -> bool:
        """Whether the arm binds nothing to a name that there was before."""
        val = self.scope.get(name)
        return val is not None and (val is before or val is self.told.get(name))


def _walk_arm(
    walk: Walk,
    node: syntax.If,
    test: Val,
    truth: bool,
    body: Sequence[syntax.Statement],
    known: bool | None,
) -> _Arm:
    facts = assume(test.value, truth, walk.facts)
    saved = walk.scope, walk.init, walk.forward, walk.layers, walk.returned
    walk.scope, walk.layers = dict(walk.scope), dict(walk.layers)
    walk.init, walk.forward = [], []
    try:
        with walk.on_path(facts), walk.in_arm(node, truth):
            with narrowed(walk, node.test, truth) as told:
                if known is (not truth):
                    with walk.report.muted():
                        walk.execute(body)
                else:
                    walk.execute(body)
                return _Arm(walk, facts, told)
    finally:
        walk.scope, walk.init, walk.forward, walk.layers, walk.returned = saved


def _meet(walk: Walk, node: syntax.If, test: Val, arms: list[_Arm]) -> None:
    """What holds behind an `if`."""
    then, other = arms
    if then.init or other.init:
        if is_dynamic(walk, test):
            walk.init += [*then.init, *other.init]
        else:
            walk.init.append(graph.Branch(test.expr, then.init, other.init, node.span))
    if then.forward or other.forward:
        walk.say(graph.Branch(test.expr, then.forward, other.forward, node.span))
    _meet_layers(walk, test, then, other)
    walk.returned = then.returned and other.returned
    if then.returned != other.returned:
        # One side is gone: what follows is on the path of the other.
        stays = other if then.returned else then
        walk.scope = stays.scope
        walk.facts = stays.facts
        truth = stays is then
        for name, is_none in _settled(node.test, truth):
            val = walk.scope.get(name)
            if val is not None:
                from netdsl.elaborate.narrowing import settle

                walk.scope[name] = Val(settle(val.value, is_none), val.expr, val.span)
        return
    for name in {*then.scope, *other.scope}:
        a, b = then.scope.get(name), other.scope.get(name)
        before = walk.scope.get(name)
        if then.leaves(name, before) and other.leaves(name, before):
            continue
        if a is None or b is None:
            given = a if a is not None else b
            assert given is not None
            walk.scope[name] = given
        elif a is not b:
            value = join(walk, a.value, b.value, then.facts, other.facts, test)
            if value is None or (
                # One shape is known ahead only if the module's building settles it.
                is_dynamic(walk, test)
                and surely_different(walk, a.value, b.value)
            ):
                walk.error(
                    "arms-mismatch",
                    f"`{name}` is {describe_value(a.value)} on one side of this"
                    f" condition and {describe_value(b.value)} on the other",
                    node.test.span,
                    labels=[
                        Label(v.span, str(v.value))
                        for v in (a, b)
                        if v.span is not None and isinstance(v.value, Tensor)
                    ],
                    help="give both the same shape",
                )
                value = BLUR
            walk.scope[name] = Val(value, a.expr, a.span)


def _settled(test: syntax.Expression, truth: bool) -> list[tuple[str, bool]]:
    from netdsl.elaborate.narrowing import _told

    return list(_told(test, truth))


def _meet_layers(walk: Walk, test: Val, then: _Arm, other: _Arm) -> None:
    before = walk.layers
    walk.layers = {**before, **then.layers, **other.layers}
    for name in then.layers.keys() & other.layers.keys():
        one, two = then.layers[name], other.layers[name]
        if one is not two:
            both = ChoiceModule(one.span, test, test.expr, one, two)
            both.path = one.path
            walk.layers[name] = both


# -- loops ---------------------------------------------------------------------


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
    static = is_static(source.value) and not _holds_modules(source.value)
    symbols = make_target(node.target, "loop" if static else "item")
    walk.looping += 1
    top, walk.top = walk.top, False
    try:
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
        walk.program.step(node.span)
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
    _, index = walk.fresh("i", "loop")
    loop = Carried(index, over.count)
    names = [n for n in assigned_in(node.body) if n in walk.scope]
    state = {n: walk.scope[n].value for n in names}
    lists = [n for n, v in state.items() if isinstance(v, list | Rounds)]
    recorded: list[Any] = []

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
    for module in walk.rounds:
        note_carried(module.repeat, loop, round_mapping(module))
    walk.rounds = []
    return recorded


def _lists_after(
    walk: Walk, loop: Carried, lists: list[str], state: dict[str, Any]
) -> None:
    """The lists that an open loop made longer or shorter."""
    own = dims.single(loop.index)
    running = {atom for _, atom, _, _ in loop.running}
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
            if len(added) == 1 and val.value == []:
                value = Rounds(
                    loop.count,
                    _element_of(name, added[0], own, running),
                    ("appended", name, walk.program.count()),
                )
            walk.scope[name] = Val(value, val.expr, val.span)


def _element_of(name: str, value: Any, own: Any, running: set[Any]) -> Any:
    def at(index: Size) -> Any:
        if not isinstance(value, Tensor):
            return value

        def one(size: Size, place: int) -> Size:
            if any(a in running for a in dims.atoms(size)):
                return dims.of(dims.Element(f"{name}.{place}", None, index))
            return dims.substitute(size, {own: index})

        shape = value.shape
        head = tuple(one(s, i) for i, s in enumerate(shape.head))
        tail = tuple(one(s, i - len(shape.tail)) for i, s in enumerate(shape.tail))
        return Tensor(Shape(head, shape.star, tail), value.dtype)

    return at


# -- parameters of the net's own, initial values, ties -------------------------


@executes(syntax.Own)
def _own(walk: Walk, node: syntax.Own) -> None:
    from netdsl.elaborate.flows import register  # noqa: F401  names share a table
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
    tensor, sizes = own_shape(walk, node.type)
    value = starting_value(walk, node.value, tensor, node.kind)
    if isinstance(value, Val) and isinstance(value.value, Tensor):
        tensor = Tensor(tensor.shape, value.value.dtype)
    options = tuple((k.name, walk.evaluate(k.value).expr) for k in node.options)
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
    statement = graph.OwnTensor(symbol, node.kind, sizes, value, options, node.span)
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
                help="write `tie a.weight = b.weight`",
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


def unknown(kind: str) -> Unknown:
    return Unknown(kind)
