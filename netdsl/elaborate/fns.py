"""Functions of the file: their bodies, walked with what is given."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate import arithmetic
from netdsl.elaborate.inputs import _match_shape, _symbolic
from netdsl.elaborate.narrowing import open_value
from netdsl.elaborate.types import (
    allows_none,
    dtype_of,
    fits_type,
    shape_items,
    type_text,
    without_none,
)
from netdsl.elaborate.values import BLUR, Blur, Maybe, Val, type_name
from netdsl.elaborate.walk import Stop, Walk
from netdsl.graph import Symbol
from netdsl.layers import FUNCTIONS
from netdsl.shapes import Refusal, Shape, Tensor


def run_fn(walk: Walk, fn: syntax.Fn, given: Mapping[str, Val]) -> Any:
    """The value of a function; BLUR after a mistake."""
    try:
        for parameter in fn.parameters:
            give(walk, fn, parameter, given.get(parameter.name))
        _run_body(walk, fn)
    except Refusal as refusal:
        walk.refused(refusal, fn.name_span)
        return BLUR
    except Stop:
        return BLUR
    if not walk.results:
        walk.error("no-result", f"`{fn.name}` gives no result", fn.name_span)
        return BLUR
    values = [v for v, _ in walk.results]
    return values[-1]


def _run_body(walk: Walk, fn: syntax.Fn) -> None:
    """Walks the body; its results are the walk's."""
    if fn.value is not None:
        val, span = walk.evaluate(fn.value), fn.value.span
        walk.pending = val, span
    else:
        walk.execute(fn.body)
    if walk.layers:
        raise _holds_layer(walk, fn)
    if walk.pending is not None:
        val, span = walk.pending
        walk.results.append((val.value, span))
        walk.say(graph.Result(val.expr, span))


def _holds_layer(walk: Walk, fn: syntax.Fn) -> Stop:
    """A function has no place to keep a layer; one without weights has a function
    of its own."""
    name, layer = next(iter(walk.layers.items()))
    net = "".join(word.capitalize() for word in fn.name.split("_")) or "Block"
    help_ = f"make it a net: `net {net}: ...`, and use that as a layer"
    if isinstance(layer, graph.LayerModule) and not layer.declaration.has_weights:
        plain = layer.declaration.name.lower()
        like = [f for f in FUNCTIONS if f.replace("_", "") == plain]
        if like:
            help_ = f"write the function, `{like[0]}`"
    return walk.stop(
        "unsupported",
        f"the function `{fn.name}` holds a layer",
        walk.layer_spans[name],
        help=help_,
    )


def give(
    walk: Walk, fn: syntax.Fn, parameter: syntax.Parameter, val: Val | None
) -> None:
    """Binds a parameter, checked against its type."""
    if val is None:
        assert parameter.default is not None
        val = walk.evaluate(parameter.default)
    value = val.value
    span = val.span or parameter.span
    kind = "Tensor" if isinstance(value, Tensor | Blur) else type_name(value)
    symbol = Symbol(parameter.name, "input", kind)
    if isinstance(value, Tensor | Maybe):
        walk.inputs.append(symbol)
    declared = without_none(parameter.type) if parameter.type is not None else None
    if declared is not None and isinstance(value, Blur):
        # One mistake is one message: the sizes that it names are as unknown.
        for item in shape_items(declared) or ():
            if isinstance(item, syntax.Name) and item.id not in walk.scope:
                walk.bind(item.id, Val(BLUR, graph.Const(None), item.span))
    elif declared is not None and parameter.type is not None:
        items = shape_items(declared)
        optional = allows_none(parameter.type)
        tensor = value.value if isinstance(value, Maybe) and optional else value
        if items is None:
            wanted = type_text(walk, parameter.type)
            if not fits_type(value, wanted):
                raise walk.stop(
                    "wrong-type",
                    f"`{parameter.name}` of `{fn.name}` is of type {wanted}, not"
                    f" {arithmetic.describe_value(value)}",
                    span,
                )
        elif isinstance(tensor, Tensor):
            if isinstance(declared, syntax.TypeOf):
                dtype_of(walk, declared)
            name = syntax.Name(parameter.name_span, parameter.name)
            _match_shape(walk, items, tensor, name, span)
            note_places(walk, items, symbol)
        elif value is None and optional:
            walk.absent.update(i.id for i in items if isinstance(i, syntax.Name))
        else:
            raise walk.stop(
                "wrong-type",
                f"`{parameter.name}` of `{fn.name}` is a tensor, not"
                f" {arithmetic.describe_value(value)}",
                span,
            )
    walk.bind(parameter.name, Val(value, graph.Ref(symbol), parameter.name_span))


def note_places(
    walk: Walk, items: tuple[syntax.Expression, ...], symbol: Symbol
) -> None:
    """Gives each size that the type names the place to read it from."""
    for i, item in enumerate(items):
        if isinstance(item, syntax.Name) and item.id in walk.sizes:
            known = walk.scope.get(item.id)
            if known is None or isinstance(known.expr, graph.Ref):
                continue
            starred = any(isinstance(x, syntax.Star) for x in items[:i])
            place = i - len(items) if starred else i
            size = Symbol(item.id, "size", "int", place=(symbol, place))
            walk.bind(item.id, Val(known.value, graph.Ref(size), item.span))


def define_fn(program: Any, fn: syntax.Fn, told: bool = False) -> Walk:
    """A walk over a function with its parameters open; `told` says its mistakes."""
    with nullcontext() if told else program.report.muted():
        walk = Walk(program, fn, defining=True)
        seen = program.fn_calls.get(id(fn), {})
        for parameter in fn.parameters:
            val = _open_parameter(walk, parameter, seen.get(parameter.name))
            walk.given_types[parameter.name] = val
            walk.bind(parameter.name, val)
        try:
            _run_body(walk, fn)
            walk.result = walk.results[-1][0] if walk.results else None
        except Stop:
            walk.result = None
    known = program.fn_results.get(id(fn))
    if not isinstance(walk.result, Tensor | tuple | list | dict) and known is not None:
        walk.result = known
    return walk


def _open_parameter(walk: Walk, parameter: syntax.Parameter, seen: Any) -> Val:
    """A parameter's value: by its type as written, else as it was called."""
    symbol = Symbol(parameter.name, "input", "Tensor")
    value: Any = seen
    if parameter.type is not None:
        declared = without_none(parameter.type)
        items = shape_items(declared)
        if items is None:
            symbol.type = type_text(walk, parameter.type)
            value = open_value(symbol.type, graph.Ref(symbol))
        else:
            dtype = (
                dtype_of(walk, declared)
                if isinstance(declared, syntax.TypeOf)
                else "float"
            )
            if allows_none(parameter.type):
                symbol.type = "Tensor | None"
            value = Tensor(_symbolic(walk, items, symbol), dtype)
            if allows_none(parameter.type):
                value = Maybe(value)
            walk.input_types.append((parameter.name, value))
            note_places(walk, items, symbol)
    elif isinstance(seen, Tensor | Maybe):
        walk.input_types.append((parameter.name, seen))
    elif seen is None and parameter.default is not None:
        seen = walk.evaluate(parameter.default).value
        symbol.type = type_name(seen)
        value = open_value(symbol.type, graph.Ref(symbol))
    elif seen is None:
        value = Tensor(Shape((), ""), "float")
    else:
        symbol.type = type_name(seen)
        value = open_value(symbol.type, graph.Ref(symbol))
    if isinstance(value, Tensor | Maybe):
        walk.inputs.append(symbol)
    return Val(value, graph.Ref(symbol), parameter.name_span)
