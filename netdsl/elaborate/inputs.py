"""Inputs of a net: symbols where its class is defined, matched where it is used."""

from __future__ import annotations

from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Label
from netdsl.dims import Size, show
from netdsl.elaborate import arithmetic
from netdsl.elaborate.lacking import is_optional, optional_owner
from netdsl.elaborate.narrowing import open_value
from netdsl.elaborate.reserved import check_name
from netdsl.elaborate.types import (
    allows_none,
    dtype_of,
    shape_items,
    split_star,
    type_text,
    without_none,
)
from netdsl.elaborate.values import BLUR, Blur, Condition, Maybe, Val, decide
from netdsl.elaborate.walk import Stop, Unfit, Walk
from netdsl.facts import Comparison
from netdsl.graph import Symbol
from netdsl.layers.spec import Unknown
from netdsl.reserved import PYTHON
from netdsl.shapes import FLOATS, INTEGERS, Shape, Tensor
from netdsl.source import Span


def declare_input(walk: Walk, node: syntax.Input) -> None:
    if isinstance(walk.owner, syntax.Fn):
        raise walk.stop(
            "syntax-error",
            "an `input` stands in a net",
            node.span,
            help=f"a function takes its tensors in brackets: `fn {walk.owner.name}(x)`",
        )
    for name in node.names:
        try:
            _declare(walk, node, name)
        except Stop:
            # The input is there all the same, of no type that is known.
            walk.bind(name.id, Val(BLUR, graph.Const(None), name.span))
    if node.where is not None:
        _where(walk, node.where)


def _declare(walk: Walk, node: syntax.Input, name: syntax.Name) -> None:
    check_name(walk, name.id, name.span)
    if name.id in walk.input_spans or name.id in walk.hypers:
        first = walk.scope.get(name.id)
        labels = [Label(first.span, "the first")] if first and first.span else []
        raise walk.stop(
            "duplicate-name", f"`{name.id}` is named twice", name.span, labels=labels
        )
    walk.input_spans[name.id] = name.span
    if walk.defining:
        _define(walk, node, name)
    else:
        _match_or_blur(walk, node, name)


# -- where the class is defined ------------------------------------------------


def _define(walk: Walk, node: syntax.Input, name: syntax.Name) -> None:
    kind = without_none(node.type)
    items = shape_items(kind)
    symbol = Symbol(name.id, "input", "Tensor")
    walk.inputs.append(symbol)
    if allows_none(node.type):
        symbol.type = "Tensor | None"
    if items is None:
        symbol.type = type_text(walk, node.type)
        value: Any = open_value(symbol.type, graph.Ref(symbol))
    else:
        dtype = dtype_of(walk, kind) if isinstance(kind, syntax.TypeOf) else "float"
        value = Tensor(_symbolic(walk, items, symbol), dtype)
    if allows_none(node.type) and items is not None:
        value = Maybe(value)
    default: Any = None
    if node.default is not None:
        default = walk.evaluate(node.default)
        if default.value is None and items is not None and not isinstance(value, Maybe):
            raise walk.stop(
                "wrong-type",
                f"`{name.id}` can't be None",
                node.default.span,
                help="add `| None` to its type",
            )
    walk.input_defaults[name.id] = default
    walk.input_types.append((name.id, value))
    walk.bind(name.id, Val(value, graph.Ref(symbol), name.span))


def _symbolic(
    walk: Walk, items: tuple[syntax.Expression, ...], symbol: Symbol
) -> Shape:
    head, star, tail = split_star(walk, items)
    for i, item in enumerate(head):
        _declare_size(walk, item, symbol, i)
    for i, item in enumerate(tail):
        _declare_size(walk, item, symbol, i - len(tail))
    first = tuple(_size_value(walk, item, symbol, i) for i, item in enumerate(head))
    last = tuple(
        _size_value(walk, item, symbol, i - len(tail)) for i, item in enumerate(tail)
    )
    return Shape(first, star, last)


def _declare_size(
    walk: Walk, item: syntax.Expression, symbol: Symbol, index: int
) -> None:
    """Binds a name that a shape mentions first."""
    if not isinstance(item, syntax.Name) or item.id == "_":
        return
    if item.id in walk.scope:
        first = walk.sizes.get(item.id)
        known = (
            first.expr.symbol if first and isinstance(first.expr, graph.Ref) else None
        )
        if known is not None and optional_owner(known) and not is_optional(symbol):
            # Better read from an input that is always there.
            known.place = (symbol, index)
        return
    if walk.program.constant(walk.owner, item.id, item.span) is not None:
        return
    if item.id in PYTHON or item.id == "self":
        check_name(walk, item.id, item.span)
    size = Symbol(item.id, "size", "int", place=(symbol, index))
    value = dims.of(dims.Name(item.id, 1, None, size))
    val = Val(value, graph.Ref(size), item.span)
    walk.bind(item.id, val)
    walk.sizes[item.id] = val


def _size_value(
    walk: Walk, item: syntax.Expression, symbol: Symbol, index: int
) -> Size:
    if isinstance(item, syntax.Name) and item.id == "_":
        name = f"_{symbol.name}_{index}"
        size = Symbol(name, "size", "int", place=(symbol, index))
        value = dims.of(dims.Name(name, 1, None, size, "_"))
        walk.sizes[name] = Val(value, graph.Ref(size), item.span)
        return value
    val = walk.evaluate(item)
    if isinstance(val.value, Blur):
        return dims.symbol("?")
    if not arithmetic.is_int(val.value):
        raise walk.stop(
            "wrong-type",
            f"a size is an int, not {arithmetic.describe_value(val.value)}",
            item.span,
            help="a name stands for any size: `[N, C]`",
        )
    if isinstance(val.value, int) and val.value < 1:
        help_ = "a name stands for any size: `[N, C]`" if val.value < 0 else ""
        raise walk.stop("wrong-value", "a size is at least 1", item.span, help=help_)
    known: Size = val.value
    return known


# -- where the net is used -----------------------------------------------------


def _match_or_blur(walk: Walk, node: syntax.Input, name: syntax.Name) -> None:
    """An input that doesn't fit is one mistake: what uses it is left alone."""
    try:
        _match(walk, node, name)
    except Stop:
        walk.bind(name.id, Val(BLUR, graph.Const(None), name.span))
        _blur_sizes(walk, shape_items(without_none(node.type)) or ())
        raise


def _match(walk: Walk, node: syntax.Input, name: syntax.Name) -> None:
    assert walk.actual is not None
    kind = without_none(node.type)
    items = shape_items(kind)
    symbol = Symbol(name.id, "input", "Tensor")
    walk.inputs.append(symbol)
    given = walk.actual.pop(name.id, None)
    if given is None and node.default is not None:
        given = walk.evaluate(node.default)
    if given is None:
        where = walk.chain[-1].span if walk.chain else name.span
        raise walk.stop(
            "bad-input",
            f"`{walk.owner.name}` needs its input `{name.id}` too",
            where,
            labels=[Label(name.span, "this input")],
        )
    value = given.value
    span = given.span or (walk.chain[-1].span if walk.chain else name.span)
    if isinstance(value, Maybe):
        # An optional input is handed on: whether it is None shows at run time.
        value = value if allows_none(node.type) else value.value
    inner = value.value if isinstance(value, Maybe) else value
    if isinstance(inner, Tensor) and items is not None:
        dtype = dtype_of(walk, kind) if isinstance(kind, syntax.TypeOf) else "float"
        _match_dtype(walk, name, inner, dtype, span)
        _match_shape(walk, items, inner, name, span)
    elif (items is not None and isinstance(value, Unknown | Condition)) or (
        items is not None and value is not None and not isinstance(value, Blur)
    ):
        raise _not_given(walk, name, value, span)
    elif items is None and isinstance(value, Tensor):
        raise walk.stop(
            "wrong-type",
            f"the input `{name.id}` is no tensor, and {value} flows in",
            span,
            labels=[Label(node.span, "declared here")],
        )
    elif items is not None and isinstance(value, Blur):
        _blur_sizes(walk, items)
    elif items is not None and value is None and not allows_none(node.type):
        raise _not_given(walk, name, value, span)
    elif items is not None and value is None:
        walk.absent.update(i.id for i in items if isinstance(i, syntax.Name))
    walk.bind(name.id, Val(value, graph.Ref(symbol), name.span))


def _not_given(walk: Walk, name: syntax.Name, value: Any, span: Span) -> Exception:
    return walk.stop(
        "wrong-type",
        f"the input `{name.id}` is a tensor, not {arithmetic.describe_value(value)}",
        span,
        labels=[Label(name.span, "declared here")],
    )


def _blur_sizes(walk: Walk, items: tuple[syntax.Expression, ...]) -> None:
    for item in items:
        if isinstance(item, syntax.Name) and item.id not in walk.scope:
            val = Val(BLUR, graph.Const(None), item.span)
            walk.bind(item.id, val)


def _match_dtype(
    walk: Walk, name: syntax.Name, tensor: Tensor, dtype: str, span: Span
) -> None:
    given = tensor.dtype
    if given == "any" or given == dtype:
        return
    both_float = given in FLOATS and dtype in FLOATS
    if both_float and "float" in (given, dtype):
        return
    if given in INTEGERS and dtype in INTEGERS and given == dtype:
        return
    raise walk.stop(
        "wrong-dtype",
        f"the input `{name.id}` of `{walk.owner.name}` is"
        f" {_dtype_words(dtype)}, and {tensor} is {_dtype_words(given)}",
        span,
        labels=[Label(name.span, "declared here")],
        help=(
            f"write `{'' if dtype == 'float' else dtype}{tensor.shape}`"
            if _is_expected(span)
            else f"convert it: `-> to({'float32' if dtype == 'float' else dtype})`"
        ),
    )


def _is_expected(span: Span) -> bool:
    """Whether a shape in an `expect` is what flows in: it is written, not converted."""
    return span.chunk.text.startswith("expect")


def _dtype_words(dtype: str) -> str:
    return "floating point" if dtype == "float" else dtype


def _match_shape(
    walk: Walk,
    items: tuple[syntax.Expression, ...],
    tensor: Tensor,
    name: syntax.Name,
    span: Span,
) -> None:
    head, star, tail = split_star(walk, items)
    shape = tensor.shape
    pairs = _pair(shape, head, star, tail)
    if pairs is None:
        raise _mismatch(walk, items, tensor, name, span, "the number of sizes differs")
    for item, size in pairs:
        if not isinstance(item, syntax.Name):
            continue
        if item.id != "_" and item.id not in walk.scope:
            constant = walk.program.constant(walk.owner, item.id, item.span)
            if constant is None:
                val = Val(size, graph.SizeOf(size), item.span)
                walk.bind(item.id, val)
                walk.sizes[item.id] = val
        elif item.id == "_":
            walk.sizes[f"_{name.id}_{_place(items, item)}"] = Val(
                size, graph.SizeOf(size), item.span
            )
    for item, size in pairs:
        if isinstance(item, syntax.Name) and item.id == "_":
            continue
        wanted = walk.evaluate(item).value
        if not arithmetic.is_int(wanted):
            continue  # told where the class is defined
        equal = walk.facts.equal(wanted, size)
        if equal is False:
            what = (
                show(wanted)
                if isinstance(item, syntax.Literal)
                else (f"`{item.span.text}` = {show(wanted)}")
            )
            raise _mismatch(
                walk, items, tensor, name, span, f"{show(size)} is not {what}"
            )
        if equal is None:
            walk.keep(
                [(Comparison("==", wanted, size), f"`{name.id}` is {tensor}")], span
            )


def _place(items: tuple[syntax.Expression, ...], item: syntax.Expression) -> int:
    stars = [i for i, x in enumerate(items) if isinstance(x, syntax.Star)]
    at = next(i for i, x in enumerate(items) if x is item)
    return at - len(items) if stars and at > stars[0] else at


def _pair(
    shape: Shape,
    head: list[syntax.Expression],
    star: str | None,
    tail: list[syntax.Expression],
) -> list[tuple[syntax.Expression, Size]] | None:
    """Declared sizes beside given ones; None if their numbers can't agree."""
    if star is None:
        if shape.star is not None or len(shape.head) != len(head):
            return None
        return list(zip(head, shape.head, strict=True))
    if shape.star is None:
        if len(shape.head) < len(head) + len(tail):
            return None
        back = shape.head[len(shape.head) - len(tail) :] if tail else ()
        return [
            *zip(head, shape.head, strict=False),
            *zip(tail, back, strict=True),
        ]
    if len(shape.head) < len(head) or len(shape.tail) < len(tail):
        return None
    back = shape.tail[len(shape.tail) - len(tail) :] if tail else ()
    return [*zip(head, shape.head, strict=False), *zip(tail, back, strict=True)]


def _mismatch(
    walk: Walk,
    items: tuple[syntax.Expression, ...],
    tensor: Tensor,
    name: syntax.Name,
    span: Span,
    note: str,
) -> Exception:
    from netdsl.layers.mending import brought_to

    declared = ", ".join(i.span.text for i in items)
    owner = walk.owner
    assert owner is not None
    return walk.stop(
        "size-mismatch",
        f"`{owner.name}` wants `{name.id}: [{declared}]`, and {tensor} flows in",
        span,
        note=note,
        labels=[Label(name.span, "declared here")],
        help=(
            ""
            if walk.chain and _is_expected(walk.chain[0].span)
            else brought_to([i.span.text for i in items], tensor)
        ),
    )


# -- conditions of an input ----------------------------------------------------


def _where(walk: Walk, node: syntax.Expression) -> None:
    from netdsl.elaborate.values import assume

    val = walk.evaluate(node)
    known = decide(val.value, walk.facts)
    if known is False:
        place = walk.chain[-1].span if walk.chain else node.span
        text = " ".join(node.span.text.split())
        told = walk.stop(
            "size-mismatch",
            f"`{walk.owner.name}` needs `{text}`" + _values_in(walk, node),
            place,
            labels=[Label(node.span, "needed here")] if walk.chain else [],
        )
        raise Unfit if walk.chain else told
    if known is None:
        walk.wheres.append((val, node))
        walk.facts = assume(val.value, True, walk.facts)


def _values_in(walk: Walk, node: syntax.Expression) -> str:
    """The values of the names in a condition: `, and H is 30`."""
    told = []
    for part in syntax.walk(node):
        if isinstance(part, syntax.Name) and part.id in walk.scope:
            value = walk.scope[part.id].value
            if isinstance(value, int):
                told.append(f"`{part.id}` is {value}")
    return f", and {' and '.join(dict.fromkeys(told))}" if told else ""
