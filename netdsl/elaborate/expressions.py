"""Expressions: static values, tensors, indexing, comprehensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Advice
from netdsl.dims import Dim
from netdsl.elaborate import arithmetic
from netdsl.elaborate.arithmetic import describe_value
from netdsl.elaborate.comparisons import compare
from netdsl.elaborate.functions import call_operator
from netdsl.elaborate.habits import plain_name, refuse_attribute
from netdsl.elaborate.lists import (
    is_list,
    of_lists,
    part_of,
    surely_list,
    tensors_together,
)
from netdsl.elaborate.names import dotted_function, lookup_value
from netdsl.elaborate.narrowing import narrowed, refuse_optional, refuse_test
from netdsl.elaborate.values import (
    BLUR,
    PLAIN,
    Blur,
    Condition,
    Factory,
    Gathered,
    ModuleValue,
    NetParameter,
    OpenNets,
    Rounds,
    Val,
    assume,
    decide,
    is_static,
    rounds_read,
    size_names,
    type_name,
)
from netdsl.elaborate.walk import Walk, blur_of, evaluates
from netdsl.graph import Expr, Symbol
from netdsl.layers import Call, Unknown
from netdsl.layers.spec import Declaration
from netdsl.shapes import Refusal, Tensor, Undecided


@evaluates(syntax.Name)
def _name(walk: Walk, node: syntax.Name) -> Val:
    return lookup_value(walk, node)


@evaluates(syntax.Literal)
def _literal(walk: Walk, node: syntax.Literal) -> Val:
    return Val(node.value, graph.Const(node.value), node.span)


@evaluates(syntax.FString)
def _f_string(walk: Walk, node: syntax.FString) -> Val:
    texts: list[str] | None = []
    parts: list[str | Expr] = []
    for part in node.parts:
        if isinstance(part, str):
            parts.append(part)
            if texts is not None:
                texts.append(part)
            continue
        val = walk.evaluate(part)
        parts.append(val.expr)
        if arithmetic.is_open(val.value) or not is_static(val.value):
            texts = None
        elif texts is not None:
            texts.append(str(val.value))
    if texts is not None and sum(map(len, texts)) > walk.limits.steps:
        raise Refusal("too-many-steps", "this makes too long a string")
    expr = graph.Format(tuple(parts))
    value = "".join(texts) if texts is not None else Unknown("str", expr)
    return Val(value, expr, node.span)


@evaluates(syntax.Unary)
def _unary(walk: Walk, node: syntax.Unary) -> Val:
    val = walk.evaluate(node.operand)
    value = val.value
    if node.op == "not":
        return _negated(walk, node, val)
    if isinstance(node.operand, syntax.Literal) and arithmetic.is_number(value):
        return Val(-value if node.op == "-" else value, graph.Const(-value), node.span)
    expr = graph.Op(node.op, (val.expr,))
    if isinstance(value, Blur):
        return Val(value, expr, node.span)
    if isinstance(value, Tensor):
        name = {"-": "neg", "~": "logical_not", "+": "neg"}[node.op]
        return call_operator(walk, name, expr, [val], node.span)
    if isinstance(value, Unknown):
        return Val(Unknown(value.type, expr), expr, node.span)
    if not arithmetic.is_number(value):
        raise walk.stop(
            "wrong-type", f"`{node.op}` can't take {describe_value(value)}", node.span
        )
    return Val(-value if node.op == "-" else value, expr, node.span)


def _negated(walk: Walk, node: syntax.Unary, val: Val) -> Val:
    expr = graph.Op("not", (val.expr,))
    known = decide(val.value, walk.facts)
    if known is not None and not isinstance(val.value, Condition):
        return Val(not known, expr, node.span)
    dynamic = is_dynamic(walk, val)
    return Val(Condition("not", (val.value,), dynamic), expr, node.span)


@evaluates(syntax.Binary)
def _binary(walk: Walk, node: syntax.Binary) -> Val:
    left, right = walk.in_order(
        [lambda: walk.evaluate(node.left), lambda: walk.evaluate(node.right)]
    )
    expr: Expr = graph.Op(node.op, (left.expr, right.expr))
    if node.op == "+" and is_list(left.value) and is_list(right.value):
        tensors = tensors_together([left.value, right.value], node.span)
        if tensors:
            return Val(tensors, of_lists("+", left, right), node.span)
    blur = blur_of(left.value, right.value)
    if blur is not None:
        return Val(blur, expr, node.span)
    if isinstance(left.value, Tensor) or isinstance(right.value, Tensor):
        return call_operator(walk, node.op, expr, [left, right], node.span)
    for val in (left, right):
        if isinstance(val.value, tuple | list) and any(
            isinstance(v, Tensor) for v in val.value
        ):
            raise walk.stop(
                "wrong-type",
                f"`{node.op}` can't take several tensors at once",
                val.span or node.span,
                help="merge them with `add` or `cat`, or name them one by one",
            )
    a, b = left.value, right.value
    if node.op == "//" and isinstance(a, int) and isinstance(b, int) and b and a % b:
        from netdsl.layers.mending import near_divisors

        near = " and ".join(map(str, near_divisors(a, b))) if a > 0 < b else ""
        text = f"{a} is not a multiple of {b}"
        text += f": {near} divide it" if " and " in near else ""
        walk.remainders.append((node.span, text))
    if is_list(a) or is_list(b):
        expr = of_lists(node.op, left, right)
    value = arithmetic.binary(node.op, a, b, expr, walk.limits)
    walk.program.grown(value, node.span)
    return Val(value, expr, node.span)


@evaluates(syntax.Compare)
def _compare(walk: Walk, node: syntax.Compare) -> Val:
    operands = [node.left, *node.rights]
    vals = walk.in_order([lambda o=o: walk.evaluate(o) for o in operands])  # type: ignore[misc]
    if not {"is", "is not", "in", "not in"}.intersection(node.ops):
        vals = [surely_list(v) for v in vals]
    expr: Expr = graph.Op(
        " ".join(node.ops), tuple(v.expr for v in vals)
    )  # `a < b <= c` keeps its operators in one node
    blur = blur_of(*(v.value for v in vals))
    if blur is not None:
        return Val(blur, expr, node.span)
    refuse_test(walk, vals[0], node)
    answers: list[Any] = []
    for op, left, right in zip(node.ops, vals, vals[1:], strict=False):
        if (
            isinstance(left.value, Tensor) or isinstance(right.value, Tensor)
        ) and op not in ("is", "is not", "in", "not in"):
            return call_operator(walk, op, expr, [left, right], node.span)
        known = type(left.value) in PLAIN and type(right.value) in PLAIN
        dynamic = not known and (is_dynamic(walk, left) or is_dynamic(walk, right))
        single = expr if len(node.ops) == 1 else graph.Op(op, (left.expr, right.expr))
        answers.append(compare(op, left.value, right.value, single, dynamic))
    return Val(_all(answers), expr, node.span)


def _all(answers: list[Any]) -> Any:
    if any(a is False for a in answers):
        return False
    open_ = [a for a in answers if a is not True]
    if not open_:
        return True
    if len(open_) == 1:
        return open_[0]
    return Condition("and", tuple(open_), any(a.dynamic for a in open_))


def is_dynamic(walk: Walk, val: Val) -> bool:
    """Whether a value is known only when the module runs."""
    if isinstance(val.value, Tensor):
        return True
    return any(
        isinstance(part, graph.MethodOf) for part in graph.every(val.expr)
    ) or known_when_run(walk, val.expr)


def known_when_run(walk: Walk, expr: Expr) -> bool:
    """Whether an expression reads what only a run knows."""
    for part in graph.every(expr):
        if isinstance(part, graph.Training | graph.Apply):
            return True
        if isinstance(part, graph.Symbol):
            if part.kind in ("input", "var", "temp", "item"):
                return True
            if part.kind == "size" and not walk.demands(part.name):
                return True
            if part.kind == "let" and part.place == "dynamic":
                return True
        if isinstance(part, Dim):
            for symbol in size_names(part):
                if symbol.kind == "size" and not walk.demands(symbol.name):
                    return True
    return False


@evaluates(syntax.Bool)
def _bool(walk: Walk, node: syntax.Bool) -> Val:
    left = walk.evaluate(node.left)
    known = decide(left.value, walk.facts)
    stop = node.op == "or"
    if known is stop and not isinstance(left.value, Condition | Blur):
        # Python would not look at the right side either.
        return Val(left.value, left.expr, node.span)
    with walk.on_path(assume(left.value, not stop, walk.facts)):
        right = walk.evaluate(node.right)
    expr = graph.Op(node.op, (left.expr, right.expr))
    blur = blur_of(left.value, right.value)
    if blur is not None:
        return Val(blur, expr, node.span)
    if isinstance(left.value, Tensor) or isinstance(right.value, Tensor):
        return Val(Condition("opaque", (expr,), True), expr, node.span)
    if known is (not stop) and not isinstance(left.value, Condition):
        return Val(right.value, expr, node.span)
    _refuse_default(walk, node, left.value, right.value)
    dynamic = is_dynamic(walk, left) or is_dynamic(walk, right)
    parts = (left.value, right.value)
    return Val(Condition(node.op, parts, dynamic), expr, node.span)


def _refuse_default(walk: Walk, node: syntax.Bool, left: Any, right: Any) -> None:
    """Stops at `hidden or 4 * C`, which in Python is what there is."""
    optional = isinstance(left, Unknown) and "None" in left.type.split(" | ")
    if node.op != "or" or not optional or isinstance(right, bool | Condition):
        return
    one, two = node.left.span.text, node.right.span.text
    meant = f"{two} if {one} is None else {one}"
    raise walk.stop(
        "wrong-type",
        "`or` joins conditions, and gives no value",
        node.span,
        help=Advice.to_write(meant, node.span),
    )


@evaluates(syntax.IfElse)
def _if_else(walk: Walk, node: syntax.IfElse) -> Val:
    test = walk.evaluate(node.test)
    known = decide(test.value, walk.facts)
    if known is not None and not (walk.defining and isinstance(test.value, Condition)):
        chosen = walk.evaluate(node.then if known else node.other)
        if not walk.defining:
            return chosen
        if not arithmetic.is_open(test.value) and not _written_static(test):
            return chosen
    with narrowed(walk, node.test, True):
        facts = assume(test.value, True, walk.facts)
        then = _arm(walk, node.then, facts, known is False)
    with narrowed(walk, node.test, False):
        facts = assume(test.value, False, walk.facts)
        other = _arm(walk, node.other, facts, known is True)
    expr = graph.Choose(test.expr, then.expr, other.expr)
    value = choose(walk, test, then.value, other.value, expr, known)
    return Val(value, expr, node.span)


def _written_static(test: Val) -> bool:
    """Whether the test names something, so that the choice is worth keeping."""
    return any(isinstance(p, graph.Symbol) for p in graph.every(test.expr))


def _arm(walk: Walk, node: syntax.Expression, facts: Any, dead: bool) -> Val:
    with walk.on_path(facts):
        if dead:
            with walk.report.muted():
                return walk.evaluate(node)
        return walk.evaluate(node)


def choose(
    walk: Walk, test: Val, then: Any, other: Any, expr: Expr, known: bool | None
) -> Any:
    """The value of `then if test else other`."""
    if known is not None:
        return then if known else other
    blur = blur_of(then, other)
    if blur is not None:
        return blur
    if arithmetic.is_int(then) and arithmetic.is_int(other):
        from netdsl.dims import choose as choose_size

        rounds = rounds_read(test).values()
        return choose_size(test, shown(test), then, other, *rounds)
    if then == other:
        return then
    if isinstance(then, Tensor) and isinstance(other, Tensor):
        return join_tensors(walk, then, other, test)
    if type(then) is type(other) and isinstance(then, tuple | list):
        if len(then) == len(other):
            places = (
                graph.Item(expr, (graph.Const(i),), False) for i in range(len(then))
            )
            parts = zip(then, other, places, strict=True)
            return type(then)(choose(walk, test, *part, known) for part in parts)
    types = dict.fromkeys(type_name(v) for v in (then, other))
    return Unknown(" | ".join(types), expr)


def shown(val: Val) -> str:
    """The text of a condition, as written."""
    return " ".join(val.span.text.split()) if val.span is not None else "..."


def join_tensors(walk: Walk, then: Tensor, other: Tensor, test: Val) -> Any:
    """The type of a tensor that is one of two, or a message."""
    from netdsl.elaborate.joining import join

    joined = join(
        walk,
        then,
        other,
        assume(test.value, True, walk.facts),
        assume(test.value, False, walk.facts),
        test,
    )
    if joined is None:
        raise walk.stop(
            "arms-mismatch",
            f"the two sides of this condition differ: {then} and {other}",
            test.span,  # type: ignore[arg-type]
        )
    return joined


# -- attributes and subscripts -------------------------------------------------


@evaluates(syntax.Attribute)
def _attribute(walk: Walk, node: syntax.Attribute) -> Val:
    from netdsl.elaborate.members import member

    in_namespace = _namespaced(walk, node) or dotted_function(walk, node)
    if in_namespace is not None:
        return in_namespace
    plain = plain_name(walk, node)
    if plain is not node:
        return walk.evaluate(plain)
    val = walk.evaluate(node.value)
    expr = graph.AttributeOf(val.expr, node.name)
    if isinstance(val.value, Blur):
        return Val(BLUR, expr, node.span)
    if isinstance(val.value, ModuleValue):
        return member(walk, val.value, node.name, node.span)
    if isinstance(val.value, Tensor):
        return _tensor_attribute(walk, val, node, expr)
    refuse_optional(walk, val, node.value)
    raise walk.stop(
        "unknown-name",
        f"{describe_value(val.value)} has no `{node.name}`",
        node.span,
        help="a `.net` file has no methods: write `x -> f`" if node.name else "",
    )


def _namespaced(walk: Walk, node: syntax.Attribute) -> Val | None:
    """`transformer.wte`, declared under its dotted name."""
    from netdsl.elaborate.names import module_val

    words = [node.name]
    value = node.value
    while isinstance(value, syntax.Attribute):
        words.append(value.name)
        value = value.value
    if not isinstance(value, syntax.Name) or value.id in walk.scope:
        return None
    layer = walk.layers.get(".".join([value.id, *reversed(words)]))
    if layer is None:
        return None
    layer.used = True
    return module_val(layer, node)


def _tensor_attribute(walk: Walk, val: Val, node: syntax.Attribute, expr: Expr) -> Val:
    tensor = val.value
    if node.name == "shape":
        return Val(tuple(tensor.shape.sizes), expr, node.span)
    if node.name == "dtype":
        return Val(Unknown("dtype", expr), expr, node.span)
    if node.name == "device":
        return Val(Unknown("device", expr), expr, node.span)
    if node.name in ("T", "mT"):
        name = "t" if node.name == "T" else "transpose"
        extra = (
            [] if name == "t" else [Val(-2, graph.Const(-2)), Val(-1, graph.Const(-1))]
        )
        return call_operator(walk, name, expr, [val, *extra], node.span)
    raise refuse_attribute(walk, node)


@evaluates(syntax.Slice)
def _slice(walk: Walk, node: syntax.Slice) -> Val:
    vals = [
        walk.evaluate(p) if p is not None else None
        for p in (node.start, node.stop, node.step)
    ]
    for val in vals:
        if val is not None and not _may_bound(val.value):
            raise walk.stop(
                "bad-index",
                f"a slice goes from number to number, not {describe_value(val.value)}",
                val.span or node.span,
            )
    expr = graph.SliceOf(*(v.expr if v is not None else None for v in vals))
    values = [v.value if v is not None else None for v in vals]
    return Val(blur_of(*values) or slice(*values), expr, node.span)


def _may_bound(value: Any) -> bool:
    if isinstance(value, Unknown):
        return set(value.type.split(" | ")) <= {"int", "None", "any", "Any"}
    plain = value is None or isinstance(value, (int, Dim, Blur))
    return plain and not isinstance(value, bool)


@evaluates(syntax.Subscript)
def _subscript(walk: Walk, node: syntax.Subscript) -> Val:
    val = walk.evaluate(node.value)
    items = [walk.evaluate(i) for i in node.items]
    expr = graph.Item(val.expr, tuple(i.expr for i in items), node.is_tuple)
    value = val.value
    blur = blur_of(value, *(i.value for i in items))
    if isinstance(value, Gathered) and len(items) == 1 and not node.is_tuple:
        return Val(part_of(value, items[0].value, node.span), expr, node.span)
    if blur is not None:
        return Val(blur, expr, node.span)
    if isinstance(value, Tensor):
        return _index_tensor(walk, node, value, items, expr)
    refuse_optional(walk, val, node.value)
    if len(items) != 1 or node.is_tuple:
        raise walk.stop(
            "bad-index", f"{describe_value(value)} takes one index", node.span
        )
    index = items[0].value
    if isinstance(value, ModuleValue):
        from netdsl.elaborate.members import indexed

        return indexed(walk, value, items[0], node.span)
    return Val(_index_value(walk, node, value, index, expr), expr, node.span)


_INDICES = (int, Dim, slice, Tensor, Unknown, Blur, type(None), type(...))


def _index_tensor(
    walk: Walk, node: syntax.Subscript, tensor: Tensor, items: Sequence[Val], expr: Expr
) -> Val:
    from netdsl.layers.indexing import index_shape

    for item in items:
        if isinstance(item.value, bool) or not isinstance(item.value, _INDICES):
            raise walk.stop(
                "bad-index",
                f"{tensor} can't be indexed with {describe_value(item.value)}",
                item.span or node.span,
                help="an index is a number, a slice, `...`, `None` or a tensor",
            )
    declaration = Declaration("[]", "", "", lambda c: tensor)
    call = Call(declaration, {}, walk.facts)
    try:
        result = index_shape(call, tensor, tuple(i.value for i in items))
    except Undecided:
        return Val(Blur(node.span, True), expr, node.span)
    walk.keep(call.conditions, node.span)
    return Val(result, expr, node.span)


def _index_value(
    walk: Walk, node: syntax.Subscript, value: Any, index: Any, expr: Expr
) -> Any:
    if isinstance(value, dict):
        return _look_up(walk, node, value, index, expr)
    if isinstance(value, Unknown | Rounds):
        return _index_unknown(walk, node, value, index, expr)
    if not isinstance(value, list | tuple | str):
        raise walk.stop(
            "bad-index", f"{describe_value(value)} can't be indexed", node.span
        )
    if isinstance(index, slice):
        bounds = (index.start, index.stop, index.step)
        if index.step == 0:
            raise walk.stop("wrong-value", "the step of a slice isn't 0", node.span)
        if all(b is None or isinstance(b, int) for b in bounds):
            return value[index]
        return Unknown(type_name(value), expr)
    if isinstance(index, Dim | Unknown):
        return _any_of(walk, list(value), expr, index)
    if not isinstance(index, int):
        raise walk.stop(
            "bad-index", f"{describe_value(index)} is no index", node.items[0].span
        )
    if not -len(value) <= index < len(value):
        raise walk.stop(
            "bad-index",
            f"there is no element {index} in a list of {len(value)}",
            node.items[0].span,
        )
    return value[index]


def _any_of(walk: Walk, values: list[Any], expr: Expr, index: Any) -> Any:
    """One of several values, nobody knows which."""
    if not values:
        raise walk.stop("bad-index", "an empty list has no elements", walk.owner.span)
    if all(v == values[0] for v in values):
        return values[0]
    if all(arithmetic.is_int(v) for v in values):
        from netdsl import dims

        place = index if isinstance(index, Dim) else 0
        inner = expr.value if isinstance(expr, graph.Item) else expr
        return dims.of(dims.Element(arithmetic.text_of(inner), inner, place))
    if all(isinstance(v, Factory) for v in values):
        symbol = Symbol(arithmetic.text_of(expr), "lookup")
        symbol.value = expr
        return NetParameter(symbol, tuple(values))
    types = dict.fromkeys(type_name(v) for v in values)
    return Unknown(" | ".join(types), expr)


def _look_up(
    walk: Walk, node: syntax.Subscript, table: dict[Any, Any], key: Any, expr: Expr
) -> Any:
    if arithmetic.is_open(key):
        return _any_of(walk, list(table.values()), expr, key)
    if key not in table:
        known = ", ".join(f"`{k}`" for k in table)
        raise walk.stop(
            "bad-index",
            f"the table has no {key!r}",
            node.items[0].span,
            help=walk.suggest(str(key), [str(k) for k in table]) or f"it has {known}",
        )
    return table[key]


def _index_unknown(
    walk: Walk, node: syntax.Subscript, value: Unknown | Rounds, index: Any, expr: Expr
) -> Any:
    open_ = arithmetic.rounds(value)
    if open_ is None:
        if isinstance(value, Unknown) and value.type.startswith("dict["):
            from netdsl.elaborate.narrowing import open_value

            kind = arithmetic.split_types(value.type[5:-1])[-1]
            if isinstance(value, OpenNets):
                return value.part(kind, expr, arithmetic.text_of(expr))
            return open_value(kind, expr)
        raise walk.stop(
            "bad-index", f"{describe_value(value)} can't be indexed", node.span
        )
    if isinstance(index, slice):
        return _slice_rounds(open_, index, value, expr)
    if not arithmetic.is_int(index):
        return Unknown("any", expr)
    if isinstance(index, int) and index < 0:
        return open_.at(open_.count + index)
    return open_.at(index)


def _slice_rounds(open_: Rounds, index: slice, value: Any, expr: Expr) -> Any:
    start = 0 if index.start is None else index.start
    stop = open_.count if index.stop is None else index.stop
    if index.step is not None or not all(arithmetic.is_int(b) for b in (start, stop)):
        return Unknown(type_name(value), expr)
    if isinstance(start, int) and start < 0:
        start = open_.count + start
    if isinstance(stop, int) and stop < 0:
        stop = open_.count + stop
    return Rounds(
        stop - start, lambda i: open_.at(start + i), ("slice", open_.key, start, stop)
    )
