"""`expect`: what a file says of its nets, checked with numbers."""

from __future__ import annotations

from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import USED_HERE, Label
from netdsl.dims import show
from netdsl.elaborate import arithmetic
from netdsl.elaborate.program import Program
from netdsl.elaborate.types import dtype_of, split_star
from netdsl.elaborate.values import BLUR, Blur, Maybe, Val, decide, leaves
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.graph import Argument, Symbol
from netdsl.shapes import DTYPES, Refusal, Shape, Tensor
from netdsl.source import Span


def check_expect(program: Program, node: syntax.Expect) -> None:
    """One `expect` line."""
    program.start()
    walk = Walk(program, node, defining=False, training=False)
    try:
        if node.params is not None:
            _check_params(walk, node)
        else:
            _check_result(walk, node)
    except Refusal as refusal:
        walk.refused(refusal, node.span)
    except (Stop, TooMuch):
        pass


def _check_params(walk: Walk, node: syntax.Expect) -> None:
    assert node.params is not None
    net, inputs, keywords = _subject(walk, node.subject)
    with walk.report.recorded() as said:
        used = use(walk, net, inputs, keywords, node.subject.span)
        wanted = walk.evaluate(node.params).value
    if said or _is_blurred(walk, used.result, node.subject.span):
        return
    count = used.count
    if isinstance(count, dims.Dim):
        names = ", ".join(f"{n}=..." for n in _open_names(count))
        raise walk.stop(
            "size-not-inferred",
            f"the number of parameters of `{net.name}` depends on {show(count)}",
            node.subject.span,
            help=f"write `expect {net.name}({names}) params == ...`" if names else "",
        )
    if count != wanted:
        walk.error(
            "expect-failed",
            (
                f"`{net.name}` has {count:,} parameters, not {wanted:,}"
                if isinstance(wanted, int)
                else f"`{net.name}` has {count:,} parameters"
            ),
            node.params.span,
            note=f"the net has {count:_}",
        )


def _open_names(count: dims.Dim) -> list[str]:
    return list(
        dict.fromkeys(str(a) for a in dims.atoms(count) if isinstance(a, dims.Name))
    )


def _check_result(walk: Walk, node: syntax.Expect) -> None:
    subject = node.subject
    if isinstance(subject, syntax.Compare) and subject.ops == ("==",):
        if _is_net(walk, subject.left):
            _check_shapes(walk, node, subject)
            return
    val = walk.evaluate(subject)
    known = decide(val.value, walk.facts)
    if known is False:
        walk.error(
            "expect-failed",
            f"`{' '.join(subject.span.text.split())}` does not hold",
            subject.span,
            note=_both_sides(walk, subject),
        )
    elif known is None and not isinstance(val.value, Blur):
        walk.error("expect-failed", "this can't be decided", subject.span)


def _both_sides(walk: Walk, node: syntax.Expression) -> str:
    if not isinstance(node, syntax.Compare) or len(node.rights) != 1:
        return ""
    left = walk.evaluate(node.left).value
    right = walk.evaluate(node.rights[0]).value
    return f"{left} {node.ops[0]} {right}"


def _is_net(walk: Walk, node: syntax.Expression) -> bool:
    name = node.function if isinstance(node, syntax.Call) else node
    return isinstance(name, syntax.Name) and isinstance(
        walk.program.definition(walk.owner, name.id), syntax.Net
    )


def _check_shapes(walk: Walk, node: syntax.Expect, subject: syntax.Compare) -> None:
    net, inputs, keywords = _subject(walk, subject.left)
    wanted = type_value(walk, subject.rights[0])
    with walk.report.recorded() as said:
        used = use(walk, net, inputs, keywords, subject.left.span)
    if said or isinstance(wanted, Blur):
        return
    if _is_blurred(walk, used.result, subject.left.span):
        return
    if not same_type(walk, used.result, wanted):
        walk.error(
            "expect-failed",
            f"`{net.name}` gives {describe_type(used.result)}, not"
            f" {describe_type(wanted)}",
            subject.rights[0].span,
            note=f"the net gives {describe_type(used.result)}",
        )


def _is_blurred(walk: Walk, result: Any, span: Span) -> bool:
    """Whether a net's result isn't known; says so if a shape can't be worked out."""
    blurred = [v for v in leaves(result) if isinstance(v, Blur)]
    reason = next((v.reason for v in blurred if v.reason is not None), None)
    if reason is not None:
        labels = [Label(reason, "its shape can't be worked out")]
        walk.error("expect-failed", "this can't be decided", span, labels=labels)
    return bool(blurred)


def _subject(
    walk: Walk, node: syntax.Expression
) -> tuple[syntax.Net, list[Val], dict[str, syntax.Keyword]]:
    """The net, the types of its inputs and the other arguments."""
    name = node.function if isinstance(node, syntax.Call) else node
    found = (
        walk.program.definition(walk.owner, name.id)
        if isinstance(name, syntax.Name)
        else None
    )
    if not isinstance(found, syntax.Net):
        if walk.program.files.is_broken(walk.owner, name.span.text):
            raise Stop
        words = [
            n
            for n, item in walk.program.files.scope_of(walk.owner).items()
            if isinstance(item, syntax.Net)
        ]
        raise walk.stop(
            "unknown-layer",
            f"there is no net called `{name.span.text}`",
            name.span,
            help=walk.suggest(name.span.text, words, name.span),
        )
    inputs = []
    if isinstance(node, syntax.Call):
        for argument in node.arguments:
            value = type_value(walk, argument)
            inputs.append(Val(value, graph.Const(None), argument.span))
    keywords = (
        {k.name: k for k in node.keywords} if isinstance(node, syntax.Call) else {}
    )
    return found, inputs, keywords


def type_value(walk: Walk, node: syntax.Expression) -> Any:
    """A type as it is written in an `expect`: `[N, 3]`, `int64[B]`, tuples, dicts."""
    match node:
        case syntax.ListOf():
            return Tensor(_shape(walk, node.items))
        case syntax.Subscript(value=syntax.Name(id=name)) if name in DTYPES:
            items = syntax.ListOf(node.span, node.items)
            kind = syntax.TypeOf(node.span, name, items)
            return Tensor(_shape(walk, node.items), dtype_of(walk, kind))
        case syntax.TupleOf():
            return tuple(type_value(walk, i) for i in node.items)
        case syntax.DictOf():
            keys = [walk.evaluate(k).value for k in node.keys]
            return {
                k: type_value(walk, v) for k, v in zip(keys, node.values, strict=True)
            }
    return walk.evaluate(node).value


def _shape(walk: Walk, items: tuple[syntax.Expression, ...]) -> Shape:
    head, star, tail = split_star(walk, items)
    return Shape(
        tuple(_size(walk, i) for i in head), star, tuple(_size(walk, i) for i in tail)
    )


def _size(walk: Walk, node: syntax.Expression) -> Any:
    for part in syntax.walk(node):
        if isinstance(part, syntax.Name) and part.id not in walk.scope:
            if walk.program.constant(walk.owner, part.id, part.span) is None:
                symbol = Symbol(part.id, "size", "int")
                size = dims.of(dims.Name(part.id, 1, None, symbol))
                walk.bind(part.id, Val(size, graph.Ref(symbol), part.span))
    value = walk.evaluate(node).value
    if isinstance(value, Blur):
        raise Stop
    if not arithmetic.is_int(value):
        raise walk.stop(
            "wrong-type",
            f"a size is an int, not {arithmetic.describe_value(value)}",
            node.span,
        )
    return value


def use(
    walk: Walk,
    net: syntax.Net,
    inputs: list[Val],
    keywords: dict[str, syntax.Keyword],
    span: Span,
) -> Walk:
    """A concrete use of a net; inputs that are not given are symbols."""
    program = walk.program
    training = False
    given: dict[str, Argument] = {}
    extra: dict[str, Val] = {}
    input_names = program.input_names(net) or []
    for name, keyword in keywords.items():
        if name == "training":
            training = bool(walk.evaluate(keyword.value).value)
        elif name in input_names:
            value = type_value(walk, keyword.value)
            extra[name] = Val(value, graph.Const(None), keyword.span)
        else:
            val = walk.evaluate(keyword.value)
            given[name] = Argument(val.value, val.expr, keyword.span)
    return use_concrete(walk, net, inputs, given, extra, training, span)


def use_concrete(
    walk: Walk,
    net: syntax.Net,
    inputs: list[Val],
    given: dict[str, Argument],
    extra: dict[str, Val],
    training: bool,
    span: Span,
    why: str | None = None,
) -> Walk:
    """A use of a net with values; `why` is what messages say of its place."""
    program = walk.program
    module = graph.NetModule(span, net, (), given)
    module.given = program.match_hyperparameters(walk, module)
    actual = program.inputs_by_name(walk, net, inputs, extra, span)
    _fill_inputs(walk, net, module.given, actual)
    inner = Walk(
        program,
        net,
        defining=False,
        chain=() if why == "" else (Label(span, why or f"`{net.name}` {USED_HERE}"),),
        training=training,
    )
    with program._inside(net, span):
        program.run_use(inner, net, module.given, actual)
    return inner


def _fill_inputs(
    walk: Walk, net: syntax.Net, given: dict[str, Argument], actual: dict[str, Val]
) -> None:
    """Inputs that nobody gave, as the net's class declares them; sizes written as
    keywords are put in."""
    program = walk.program
    definition = program.define(net)
    values = {}
    for name, val in definition.sizes.items():
        atom = dims.single(val.value) if isinstance(val.value, dims.Dim) else None
        argument = given.get(name)
        if atom is not None and argument is not None:
            values[atom] = argument.value
    for name, argument in given.items():
        if name in definition.hypers and arithmetic.is_int(argument.value):
            values[dims.Name(name)] = argument.value
    for parameter in net.parameters:
        own = definition.hypers.get(parameter.name)
        if parameter.name not in given and own is not None:
            default = own.value
            if isinstance(default, Val) and arithmetic.is_int(default.value):
                values[dims.Name(parameter.name)] = default.value
    for name, value in definition.input_types:
        if name in actual:
            continue
        if isinstance(value, Tensor):
            actual[name] = Val(_put(value, values), graph.Const(None))
        elif definition.input_defaults.get(name) is not None:
            continue
        elif isinstance(value, Maybe):
            actual[name] = Val(None, graph.Const(None))
        else:
            actual[name] = Val(
                value if arithmetic.is_open(value) else BLUR, graph.Const(None)
            )
    order = [n for n, _ in definition.input_types]
    ordered = {n: actual[n] for n in order if n in actual}
    rest = {n: v for n, v in actual.items() if n not in ordered}
    actual.clear()
    actual.update(ordered)
    actual.update(rest)


def _put(tensor: Tensor, values: dict[Any, Any]) -> Tensor:
    shape = tensor.shape
    return Tensor(
        Shape(
            tuple(dims.substitute(s, values) for s in shape.head),
            shape.star,
            tuple(dims.substitute(s, values) for s in shape.tail),
        ),
        tensor.dtype,
    )


def same_type(walk: Walk, given: Any, wanted: Any) -> bool:
    """Whether a result is of the type that an `expect` says."""
    if isinstance(given, Tensor) and isinstance(wanted, Tensor):
        a, b = given.shape, wanted.shape
        if (len(a.head), len(a.tail), a.star is None) != (
            len(b.head),
            len(b.tail),
            b.star is None,
        ):
            return False
        sizes = zip((*a.head, *a.tail), (*b.head, *b.tail), strict=True)
        if not all(walk.facts.equal(x, y) is True for x, y in sizes):
            return False
        if wanted.dtype == "float":
            return given.is_float
        return given.dtype in (wanted.dtype, "any")
    if isinstance(given, tuple | list) and isinstance(wanted, tuple | list):
        return len(given) == len(wanted) and all(
            same_type(walk, a, b) for a, b in zip(given, wanted, strict=True)
        )
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(
            same_type(walk, given[k], wanted[k]) for k in given
        )
    return bool(given == wanted)


def describe_type(value: Any) -> str:
    """A result as it is written: `([N, 3], int64[N])`."""
    if isinstance(value, tuple):
        inner = ", ".join(describe_type(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(describe_type(v) for v in value)}]"
    if isinstance(value, dict):
        inner = ", ".join(f'"{k}": {describe_type(v)}' for k, v in value.items())
        return f"{{{inner}}}"
    return str(value)
