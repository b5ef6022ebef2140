"""Python's operators and functions on static values, known or not."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.dims import Dim, Size
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Condition,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    OpenNets,
    Rounds,
    outgrown,
    type_name,
)
from netdsl.layers.binding import describe
from netdsl.layers.spec import Unknown
from netdsl.limits import Limits
from netdsl.shapes import Refusal

PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_NESTS = {list, tuple, dict}


def is_int(value: Any) -> bool:
    return isinstance(value, int | Dim) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return is_int(value) or isinstance(value, float | bool)


def is_open(value: Any) -> bool:
    """Whether a static value is not known."""
    return isinstance(value, Dim | Unknown | Condition | Rounds)


def binary(op: str, a: Any, b: Any, expr: graph.Expr, limits: Limits) -> Any:
    """`a op b` for static values."""
    if isinstance(a, Blur) or isinstance(b, Blur):
        return BLUR
    if op == "@":
        raise not_for(op, a, b)
    if is_int(a) and is_int(b):
        return _integers(op, a, b, expr)
    if is_open(a) or is_open(b):
        return _unknown(op, a, b, expr)
    if op == "+" and isinstance(a, list) and isinstance(b, list):
        return bounded(a + b, limits)
    if op == "+" and isinstance(a, tuple) and isinstance(b, tuple):
        return bounded(a + b, limits)
    if op == "*" and isinstance(a, list | tuple | str) and is_int(b):
        if len(a) * max(b, 0) > limits.steps:
            raise Refusal("too-many-steps", "this makes too long a list")
        return bounded(a * b, limits)
    if op == "*" and is_int(a) and isinstance(b, list | tuple | str):
        return binary(op, b, a, expr, limits)
    if op == "+" and isinstance(a, str) and isinstance(b, str):
        return bounded(a + b, limits)
    if is_number(a) and is_number(b):
        return _floats(op, a, b)
    raise not_for(op, a, b)


def bounded(value: Any, limits: Limits) -> Any:
    """A value that was made, if it is no longer than is worked out: doubling adds up,
    and in nested values faster than in flat ones."""
    if isinstance(value, dict):
        parts: Any = value.values()
    elif isinstance(value, list | tuple | str):
        parts = value
    else:
        return value
    if len(value) > limits.steps:
        raise Refusal("too-many-steps", "this makes too long a value")
    if not isinstance(value, str):
        most = limits.steps // 10
        nested = not _NESTS.isdisjoint(map(type, parts))
        if nested and outgrown(value, most):
            text = f"this holds more than {most:,} values, or is nested too deep"
            raise Refusal("too-many-steps", text)
    return value


def not_for(op: str, a: Any, b: Any) -> Refusal:
    return Refusal(
        "wrong-type", f"`{op}` can't take {describe_value(a)} and {describe_value(b)}"
    )


def describe_value(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, Factory):
        kind = "net" if isinstance(value.target, syntax.Net) else "layer"
        return f"the {kind} `{value.name}`"
    if isinstance(value, ModuleValue):
        name = ".".join(p for p in value.module.path if isinstance(p, str))
        return f"the layer `{name}`" if name else "a layer"
    if isinstance(value, NetParameter):
        return f"the net `{value.name}`"
    if isinstance(value, FunctionValue):
        return "a function"
    if isinstance(value, slice):
        return "a slice"
    if isinstance(value, Condition):
        return "a condition"
    if isinstance(value, Rounds):
        return "a list"
    return describe(value)


def _integers(op: str, a: Size, b: Size, expr: graph.Expr) -> Any:
    if op in ("//", "%", "/") and b == 0:
        raise Refusal("division-by-zero", f"`{op}` by zero")
    try:
        match op:
            case "+":
                return _small(a + b)
            case "-":
                return _small(a - b)
            case "*":
                return _small(a * b)
            case "//":
                return _small(dims.floordiv(a, b))
            case "%":
                return dims.modulo(a, b)
            case "**" if isinstance(b, int) and b < 0:
                if a == 0:
                    raise Refusal("division-by-zero", "`**` of 0 and a negative number")
                return float(a) ** b if isinstance(a, int) else Unknown("float", expr)
            case "**":
                return _small(dims.power(a, b))
    except OverflowError:
        raise Refusal("wrong-value", "this number is too large") from None
    if isinstance(a, Dim) or isinstance(b, Dim):
        return Unknown("float", expr)
    return a / b


def _small(size: Size) -> Size:
    if isinstance(size, int) and abs(size) >= 2**63:
        raise Refusal("wrong-value", "this number is too large")
    return size


def _floats(op: str, a: Any, b: Any) -> Any:
    try:
        value = PYTHON[op](a, b)
    except ZeroDivisionError:
        raise Refusal("division-by-zero", f"`{op}` by zero") from None
    except OverflowError:
        raise Refusal("wrong-value", "this number is too large") from None
    if isinstance(value, complex) or value != value or value in (math.inf, -math.inf):
        raise Refusal("wrong-value", "this is no finite number")
    return value


def _unknown(op: str, a: Any, b: Any, expr: graph.Expr) -> Any:
    types = type_name(a), type_name(b)
    if "any" in types or "Any" in types:
        return Unknown("any", expr)
    if op == "+" and types[0].startswith(("list", "tuple", "str")):
        return Unknown(types[0], expr)
    if op == "*" and types[0].startswith(("list", "tuple", "str")):
        return Unknown(types[0], expr)
    if any(t.startswith(("list", "tuple", "dict", "str", "None")) for t in types):
        raise not_for(op, a, b)
    if "float" in " ".join(types) or op == "/":
        return Unknown("float", expr)
    return Unknown("int", expr)


# -- functions -----------------------------------------------------------------

# Name in a `.net` file -> name in Python.
STATIC_FUNCTIONS = {
    "range": "range",
    "len": "len",
    "min": "min",
    "max": "max",
    "sum": "sum",
    "abs": "abs",
    "int": "int",
    "float": "float",
    "round": "round",
    "enumerate": "enumerate",
    "zip": "zip",
    "reversed": "reversed",
    "sqrt": "math.sqrt",
    "ceil": "math.ceil",
    "floor": "math.floor",
    "log": "math.log",
    "split": "split",
    "list": "list",
    "tuple": "tuple",
    "str": "str",
    "bool": "bool",
    "calculate_gain": "nn.init.calculate_gain",
}
# What torch's initialisers know the gain of.
NONLINEARITIES = (
    *("linear", "conv1d", "conv2d", "conv3d"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    *("sigmoid", "tanh", "relu", "leaky_relu", "selu"),
)


def rounds(value: Any) -> Rounds | None:
    """A sequence whose length or elements are not known, as one."""
    if isinstance(value, Rounds):
        return value
    if isinstance(value, Unknown):
        kind = value.type
        if kind.startswith(("list", "tuple")) or kind in ("any", "Any"):
            return _rounds_of_unknown(value)
    return None


def text_of(origin: Any) -> str:
    """A short text for an expression that a size comes from."""
    if isinstance(origin, graph.Ref):
        return origin.symbol.name
    if isinstance(origin, graph.AttributeOf):
        return f"{text_of(origin.value)}.{origin.name}"
    if isinstance(origin, graph.Item):
        return f"{text_of(origin.value)}[{', '.join(text_of(i) for i in origin.items)}]"
    if isinstance(origin, graph.Const):
        return ascii(origin.value)
    if isinstance(origin, graph.SizeOf):
        # Rounds of two loops have the same name, but not the same key.
        keys = [a.key for a in dims.atoms(origin.size)]
        return ".".join(keys) or repr(origin.size)
    if isinstance(origin, graph.CallOf):
        target = getattr(origin.target, "name", origin.target)
        return f"{target}({', '.join(text_of(a) for a in origin.arguments)})"
    if isinstance(origin, graph.Sequence):
        inner = ", ".join(map(text_of, origin.items))
        return f"[{inner}]" if origin.kind == "list" else f"({inner})"
    if isinstance(origin, graph.Comprehend):
        sources = ", ".join(text_of(loop.iterable) for loop in origin.loops)
        return f"[{text_of(origin.element)} for ... in {sources}]"
    if isinstance(origin, graph.SliceOf):
        sides = (origin.start, origin.stop)
        return ":".join("" if s is None else text_of(s) for s in sides)
    if isinstance(origin, graph.Op):
        return f" {origin.op} ".join(text_of(o) for o in origin.operands)
    return type(origin).__name__.lower()


def _rounds_of_unknown(value: Unknown) -> Rounds:
    text = text_of(value.origin)
    length = dims.of(
        dims.Name(f"len({text})", 0, None, graph.CallOf("len", (value.origin,)))  # type: ignore[arg-type]
    )
    inner = value.type[value.type.find("[") + 1 : -1] if "[" in value.type else "any"
    inner = inner.removesuffix(", ...")

    def at(index: Size) -> Any:
        return element(value, inner, index)

    return Rounds(length, at, value)


def element(value: Unknown, inner: str, index: Size) -> Any:
    """`value[index]` of an unknown list of `inner`."""
    text = text_of(value.origin)
    if inner == "int":
        base, indices = _indexed(value.origin)
        return dims.of(dims.Element(text_of(base), base, *indices, index))
    place = graph.Item(value.origin, (graph.SizeOf(index),), False)  # type: ignore[arg-type]
    if isinstance(value, OpenNets) and "net" in inner:
        return in_parts(value.part(inner, place, f"{text}[{dims.show(index)}]"))
    return in_parts(Unknown(inner, place))


def int_or_element(value: Unknown, inner: str, index: Size) -> Size:
    """What an unknown int, or list of them, holds for one side: `kernel[0]`."""
    origin: Any = value.origin
    place = graph.Item(origin, (graph.SizeOf(index),), False)
    is_int = graph.CallOf("isinstance", (origin, graph.Raw("int")))
    text = f"{text_of(origin)}[{dims.show(index)}]"
    choice = graph.Choose(is_int, origin, place)
    return dims.of(dims.Name(text, None, None, choice))


def in_parts(value: Any) -> Any:
    """An unknown tuple of known length as a tuple of its unknown parts."""
    kind = value.type if isinstance(value, Unknown) else ""
    if not kind.startswith("tuple[") or "..." in kind or "|" in kind:
        return value
    kinds = enumerate(split_types(kind[6:-1]))
    return tuple(element(value, part, i) for i, part in kinds)


def one_of(values: list[Any], expr: graph.Expr, text: str, index: Size) -> Any:
    """The element of a known list at an index that is not."""
    if isinstance(index, int):
        return values[index]
    if all(v == values[0] for v in values):
        return values[0]
    if all(is_int(v) for v in values):
        step = values[1] - values[0]
        counted = isinstance(expr, graph.CallOf) and expr.target == "range"
        if counted and all(b - a == step for a, b in pairwise(values)):
            return values[0] + step * index
        return dims.of(dims.Element(text, expr, index))
    if all(isinstance(v, tuple) and len(v) == len(values[0]) for v in values):
        place = graph.Item(expr, (graph.SizeOf(index),), False)
        return tuple(
            one_of(
                [v[k] for v in values],
                graph.Item(place, (graph.Const(k),), False),
                f"{text}.{k}",
                index,
            )
            for k in range(len(values[0]))
        )
    types = dict.fromkeys(type_name(v) for v in values)
    place = graph.Item(expr, (graph.SizeOf(index),), False)
    return Unknown(" | ".join(types), place)


def _indexed(origin: Any) -> tuple[Any, tuple[Size, ...]]:
    """`plan[i][0]` as the list and the indices, so that a loop's round is seen."""
    indices: tuple[Size, ...] = ()
    while isinstance(origin, graph.Item) and len(origin.items) == 1:
        place = origin.items[0]
        if isinstance(place, graph.SizeOf):
            indices = (place.size, *indices)
        elif isinstance(place, graph.Const) and isinstance(place.value, int):
            indices = (place.value, *indices)
        else:
            break
        origin = origin.value
    return origin, indices


def split_types(text: str) -> list[str]:
    """The types in `int, list[int], str`."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [p for p in parts if p]


def opaque(kind: str, expr: graph.Expr, low: int | None = None) -> Dim:
    """An int of which only the Python that gives it is known.

    Loops may have names in common: the key says which round of which is meant.
    """
    where = [
        dims.show(s.value) if isinstance(s.value, Dim) else repr(s.value)
        for s in graph.every(expr)
        if isinstance(s, graph.Symbol) and s.kind == "loop"
    ]
    key = f"{kind}:{expr!r}@{', '.join(where)}"
    return dims.of(dims.Name(key, low, None, expr, text_of(expr)))


def call(name: str, args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    """A static function on static values."""
    if any(isinstance(a, Blur) for a in args):
        return BLUR
    function = _FUNCTIONS.get(name)
    try:
        if function is not None:
            return bounded(function(args, expr, limits), limits)
        return _elementwise(name, args, expr)
    except dims.TooBig:
        raise
    except (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError):
        shown = ", ".join(describe_value(a) for a in args) or "nothing"
        raise Refusal("wrong-type", f"`{name}` can't take {shown}") from None


def _elementwise(name: str, args: Sequence[Any], expr: graph.Expr) -> Any:
    if any(is_open(a) for a in args):
        if name in ("int", "ceil", "floor", "round") and (
            name != "round" or len(args) == 1
        ):
            if name != "float" and is_int(args[0]):
                return args[0]
            return opaque(name, expr)
        if name == "abs" and is_int(args[0]) and dims.bounds(args[0])[0] is not None:
            if dims.bounds(args[0])[0] >= 0:  # type: ignore[operator]
                return args[0]
        kinds = {"str": "str", "bool": "bool"}
        return Unknown(kinds.get(name, "float"), expr)
    python: dict[str, Callable[..., Any]] = {
        "abs": abs, "int": int, "float": float, "round": round, "sqrt": math.sqrt,
        "ceil": math.ceil, "floor": math.floor, "log": math.log, "str": str,
        "bool": bool,
    }  # fmt: skip
    return python[name](*args)


def _range(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    if not all(is_int(a) for a in args) or not 1 <= len(args) <= 3:
        raise TypeError
    start: Size = 0 if len(args) == 1 else args[0]
    stop: Size = args[0] if len(args) == 1 else args[1]
    step = args[2] if len(args) == 3 else 1
    if not isinstance(step, int) or step == 0:
        raise TypeError
    count = -((start - stop) // step)
    if isinstance(count, int):
        if count > limits.steps:
            raise Refusal(
                "too-many-steps",
                f"a range of {count:,} rounds; the limit is {limits.steps:,} steps",
            )
        if isinstance(start, int):
            return list(range(start, start + step * count, step))
    return Rounds(count, lambda i: start + step * i, ("range", start, step))


def _gain(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    """torch's own numbers are left to torch."""
    word, *parameter = args
    known = isinstance(word, Unknown) or word in NONLINEARITIES
    if not known or len(parameter) > 1:
        words = ", ".join(f'"{n}"' for n in NONLINEARITIES)
        raise Refusal(
            "wrong-value",
            f"`calculate_gain` takes one of {words}, not {describe_value(word)}",
        )
    return Unknown("float", expr)


def _len(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    open_ = rounds(args[0])
    return len(args[0]) if open_ is None else open_.count


def _extreme(name: str) -> Callable[..., Any]:
    def run(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
        values = (
            list(args[0]) if len(args) == 1 and not is_open(args[0]) else list(args)
        )
        if all(is_int(v) for v in values) and not isinstance(values[0], Rounds):
            return (dims.minimum if name == "min" else dims.maximum)(*values)
        if any(is_open(v) for v in values):
            if rounds(values[0]) is not None:
                return opaque(name, expr)
            return Unknown("float", expr)
        return (min if name == "min" else max)(values)

    return run


def _sum(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    if rounds(args[0]) is not None:
        kind = type_name(args[0])
        if "float" in kind:
            return Unknown("float", expr)
        return opaque("sum", expr)
    total: Any = args[1] if len(args) > 1 else 0
    for item in args[0]:
        total = binary("+", total, item, expr, limits)
    return total


def _enumerate(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    start = args[1] if len(args) > 1 else 0
    open_ = rounds(args[0])
    if open_ is None:
        return [(start + i, v) for i, v in enumerate(args[0])]
    return Rounds(
        open_.count, lambda i: (start + i, open_.at(i)), ("enumerate", start, open_.key)
    )


def _zip(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    open_ = [rounds(a) for a in args]
    if not any(open_):
        if len({len(a) for a in args}) > 1:
            lengths = " and ".join(str(len(a)) for a in args)
            raise Refusal("wrong-value", f"`zip` wants equal lengths, not {lengths}")
        return list(zip(*args, strict=True))
    exprs = expr.arguments if isinstance(expr, graph.CallOf) else ()
    both = [
        open_rounds(list(a), e) if r is None else r
        for a, e, r in zip(args, exprs, open_, strict=True)
    ]
    counts = [r.count for r in both]
    count = next((c for c in counts if isinstance(c, int)), counts[0])

    def at(index: Size) -> Any:
        return tuple(r.at(index) for r in both)

    return Rounds(count, at, ("zip", *(r.key for r in both)))


def open_rounds(values: list[Any], expr: graph.Expr) -> Rounds:
    """A known list, as what is not known which round it is in takes it."""
    text = text_of(expr)
    return Rounds(len(values), lambda i: one_of(values, expr, text, i), ("known", text))


def _reversed(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    open_ = rounds(args[0])
    if open_ is None:
        return list(reversed(args[0]))
    count = open_.count
    return Rounds(count, lambda i: open_.at(count - 1 - i), ("reversed", open_.key))


def _split(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
    values, sizes = args
    if rounds(values) is not None or rounds(sizes) is not None:
        kind = type_name(values)
        inner = kind[5:-1] if kind.startswith("list[") else "any"
        return Unknown(f"list[list[{inner}]]", expr)
    if sum(sizes) != len(values):
        raise Refusal(
            "wrong-value", f"`split` of {len(values)} values into {sum(sizes)}"
        )
    out, at = [], 0
    for size in sizes:
        out.append(list(values[at : at + size]))
        at += size
    return out


def _as(kind: type) -> Callable[..., Any]:
    def run(args: Sequence[Any], expr: graph.Expr, limits: Limits) -> Any:
        return args[0] if is_open(args[0]) else kind(args[0])

    return run


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "range": _range,
    "len": _len,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "sum": _sum,
    "enumerate": _enumerate,
    "zip": _zip,
    "reversed": _reversed,
    "split": _split,
    "calculate_gain": _gain,
    "list": _as(list),
    "tuple": _as(tuple),
}
