"""Types as they are written: of hyperparameters, inputs and parameters."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Advice, Edit
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.values import Blur, type_name
from netdsl.elaborate.walk import Walk
from netdsl.graph import Symbol
from netdsl.layers import Unknown
from netdsl.shapes import DTYPES, Shape, Tensor
from netdsl.source import Span

PLAIN = frozenset({"int", "float", "bool", "str", "None", "net", "dtype"})
_GENERIC = frozenset({"list", "tuple", "dict"})


def type_text(walk: Walk, node: syntax.Type) -> str:
    """A type as Python's annotation; `net` stays `net`."""
    match node:
        case syntax.TypeName():
            if node.name in PLAIN:
                return node.name
            if node.name in _GENERIC:
                return f"{node.name}[{'int, ...' if node.name == 'tuple' else 'int'}]"
            raise walk.stop(
                "wrong-type",
                f"there is no type `{node.name}`",
                node.span,
                help=_type_meant(walk, node),
            )
        case syntax.TypeOf() if node.name in _GENERIC:
            inner = [_item_type(walk, i) for i in node.items.items]
            return f"{node.name}[{', '.join(inner)}]"
        case syntax.TypeOf() if node.name not in DTYPES:
            raise walk.stop(
                "wrong-type",
                f"there is no type `{node.name}[...]`",
                node.span,
                help=_generic_meant(walk, node),
            )
        case syntax.TypeUnion():
            return " | ".join(type_text(walk, o) for o in node.options)
    raise walk.stop(
        "wrong-type",
        "a shape is no type of a hyperparameter",
        node.span,
        help="tensors come in by `input`",
    )


def _type_meant(walk: Walk, node: syntax.TypeName) -> Advice:
    if node.name == "Tensor":
        return Advice("a tensor is declared by its shape: `[N, C]`")
    if node.name in ("Callable", "Module"):
        return Advice("what makes a layer is of type `net`", (Edit(node.span, "net"),))
    found = walk.suggest(node.name, sorted(PLAIN | _GENERIC), node.span)
    return found or Advice("types are int, float, bool, str, net, and lists of these")


def _generic_meant(walk: Walk, node: syntax.TypeOf) -> Advice:
    if node.name in ("Callable", "Type", "type"):
        return Advice("what makes a layer is of type `net`", (Edit(node.span, "net"),))
    if node.name == "Sequence":
        meant = f"list{node.items.span.text}"
        return Advice.to_write(meant, node.span)
    if node.name in ("List", "Tuple", "Dict"):
        meant = node.name.lower() + node.items.span.text
        word = Span(node.span.chunk, node.span.start, node.items.span.start)
        return Advice(f"write `{meant}`", (Edit(word, node.name.lower()),))
    if node.name == "Optional":
        inner = node.items.span.text[1:-1]
        if re.search(r"\b(?:Module|Callable|Type)\b", inner):
            text = "what makes a layer is of type `net`, and none at all is `skip`"
            return Advice(f"{text}: `net = skip`")
        edit = Edit(node.span, f"{inner} | None")
        return Advice(f"write `{inner} | None`", (edit,))
    found = walk.suggest(node.name, sorted(_GENERIC), node.span)
    return found or Advice("types are int, float, bool, str, net, and lists of these")


def _item_type(walk: Walk, node: syntax.Expression) -> str:
    if isinstance(node, syntax.Name):
        return type_text(walk, syntax.TypeName(node.span, node.id))
    if isinstance(node, syntax.Literal) and node.value is ...:
        return "..."
    if isinstance(node, syntax.Subscript) and isinstance(node.value, syntax.Name):
        items = syntax.ListOf(node.span, node.items)
        return type_text(walk, syntax.TypeOf(node.span, node.value.id, items))
    raise walk.stop("wrong-type", "this is no type", node.span)


def open_hyperparameter(symbol: Symbol, kind: str) -> Any:
    """A hyperparameter's value where the class is defined."""
    if kind == "int":
        return dims.of(dims.Name(symbol.name, None, None, symbol))
    return arithmetic.in_parts(Unknown(kind, graph.Ref(symbol)))


def fits_type(value: Any, kind: str) -> bool:
    """Whether a value may be given for a type."""
    if type(value).__name__ == kind:
        return True
    if isinstance(value, Blur) or kind in ("any", "Any", ""):
        return True
    given = type_name(value)
    if given in ("any", "Any"):
        return True
    for option in _options(kind):
        for one in _options(given):
            if _fits(value, one, option):
                return True
    return False


@cache
def _options(kind: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for i, char in enumerate(kind):
        depth += (char == "[") - (char == "]")
        if char == "|" and depth == 0:
            parts.append(kind[start:i].strip())
            start = i + 1
    parts.append(kind[start:].strip())
    return parts


def _fits(value: Any, given: str, wanted: str) -> bool:
    if given == wanted or (wanted == "float" and given == "int"):
        return True
    if wanted == "dtype":
        return given in ("str", "dtype")
    base = wanted.split("[")[0]
    if base not in _GENERIC:
        return False
    if isinstance(value, Unknown) or arithmetic.rounds(value) is not None:
        return given.split("[")[0] in ("list", "tuple") and base in ("list", "tuple")
    if base == "dict":
        return isinstance(value, dict)
    if not isinstance(value, list | tuple):
        return False
    inner = arithmetic.split_types(wanted[len(base) + 1 : -1]) if "[" in wanted else []
    if base == "tuple" and inner and inner[-1] != "...":
        return len(inner) == len(value) and all(
            fits_type(v, k) for v, k in zip(value, inner, strict=True)
        )
    return not inner or inner[0] == "net" or all(fits_type(v, inner[0]) for v in value)


# -- shapes --------------------------------------------------------------------


def dtype_of(walk: Walk, node: syntax.TypeOf) -> str:
    if node.name == "float":
        return "float"
    if node.name not in DTYPES:
        raise walk.stop(
            "wrong-type",
            f"there is no dtype `{node.name}`",
            node.span,
            help=_dtype_meant(node) or walk.suggest(node.name, DTYPES, node.span),
        )
    return node.name


def _dtype_meant(node: syntax.TypeOf) -> Advice:
    """`int64[B, T]` for `int[B, T]` and `LongTensor[B, T]`."""
    if node.name == "Optional":
        return Advice("write `[SIZES] | None`")
    meant = _TORCH_TYPES.get(node.name)
    if meant is None:
        return Advice()
    shown = meant + node.items.span.text
    return Advice(f"write `{' '.join(shown.split())}`", (Edit(node.span, shown),))


_TORCH_TYPES = {
    "int": "int64", "long": "int64", "double": "float64", "half": "float16",
    "boolean": "bool", "Tensor": "", "FloatTensor": "", "LongTensor": "int64",
    "IntTensor": "int32", "BoolTensor": "bool", "DoubleTensor": "float64",
    "HalfTensor": "float16", "ByteTensor": "uint8",
}  # fmt: skip


def own_shape(walk: Walk, node: syntax.Type) -> tuple[Tensor, tuple[Any, ...]]:
    """The type of a `param` or `buffer`, and its sizes as written."""
    from netdsl.elaborate.building import for_building

    dtype = "float"
    if isinstance(node, syntax.TypeOf):
        dtype, items = dtype_of(walk, node), node.items.items
    elif isinstance(node, syntax.TypeShape):
        items = node.shape.items
    else:
        raise walk.stop("wrong-type", "a shape is due here: `[1, C]`", node.span)
    sizes: list[Size] = []
    exprs: list[Any] = []
    for item in items:
        val = for_building(walk, walk.evaluate(item))
        if isinstance(val.value, Blur) or not arithmetic.is_int(val.value):
            if not isinstance(val.value, Blur):
                raise walk.stop(
                    "wrong-type",
                    f"a size is an int, not {arithmetic.describe_value(val.value)}",
                    item.span,
                )
            return Tensor(Shape((dims.symbol("?"),)), dtype), ()
        sizes.append(val.value)
        exprs.append(val.expr)
    return Tensor(Shape(tuple(sizes)), dtype), tuple(exprs)


def without_none(node: syntax.Type) -> syntax.Type:
    """The type without `| None`."""
    if isinstance(node, syntax.TypeUnion):
        rest = [o for o in node.options if not _is_none(o)]
        return rest[0] if len(rest) == 1 else node
    return node


def allows_none(node: syntax.Type) -> bool:
    return isinstance(node, syntax.TypeUnion) and any(map(_is_none, node.options))


def _is_none(node: syntax.Type) -> bool:
    return isinstance(node, syntax.TypeName) and node.name == "None"


def shape_items(node: syntax.Type) -> tuple[syntax.Expression, ...] | None:
    if isinstance(node, syntax.TypeShape):
        return node.shape.items
    if isinstance(node, syntax.TypeOf) and node.name not in _GENERIC:
        return node.items.items
    return None


def split_star(
    walk: Walk, items: tuple[syntax.Expression, ...]
) -> tuple[list[syntax.Expression], str | None, list[syntax.Expression]]:
    """The sizes before and behind a `*`, and its name."""
    head: list[syntax.Expression] = []
    tail: list[syntax.Expression] = []
    star: str | None = None
    for item in items:
        if isinstance(item, syntax.Star):
            if star is not None:
                raise walk.stop(
                    "syntax-error", "a shape has `*` once at most", item.span
                )
            inner = item.value
            star = inner.id if isinstance(inner, syntax.Name) else ""
        else:
            (head if star is None else tail).append(item)
    return head, star, tail
