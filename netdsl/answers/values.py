"""Values of a walk as an editor shows them."""

from __future__ import annotations

import re
from typing import Any

from netdsl import dims, graph
from netdsl.dims import Dim, Size
from netdsl.elaborate.making import bound
from netdsl.elaborate.trees import every_module
from netdsl.elaborate.values import (
    Blur,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    Rounds,
    leaves,
)
from netdsl.elaborate.walk import Walk
from netdsl.layers import Call
from netdsl.layers.spec import Unknown
from netdsl.shapes import Refusal, Shape, Tensor, Undecided

_TABLE = re.compile(r"\[\(|\)\.\d")


def show(value: Any) -> str:
    """A value or the type of a tensor; nothing if it isn't known."""
    match value:
        case Blur() | Factory() | FunctionValue() | ModuleValue() | NetParameter():
            return ""
        case Rounds():
            one = show(value.at(0)) if _is_short(value.count) else ""
            return f"list of {dims.show(value.count)}" + (f": {one}" if one else "")
        case Unknown():
            return value.type
        case Tensor():
            return str(value.with_shape(_told_apart(value.shape)))
        case Dim():
            return dims.show(value)
        case tuple() | list():
            return _sequence(value)
        case dict():
            inner = [(k, show(v)) for k, v in value.items()]
            return "{" + ", ".join(f'"{k}": {v}' for k, v in inner) + "}"
        case str():
            return f'"{value}"'
    return str(value) if value is None or isinstance(value, int | float) else ""


def _told_apart(shape: Shape) -> Shape:
    """The shape with `_` for sizes that look like another one and aren't, since what a
    loop makes of them has no name of its own; and for those of a round whose table is
    no name, `[(1, 16), (6, 24)][i][1]`."""
    if shape.star is not None:
        return shape
    first: dict[str, Size] = {}
    unnamed = dims.of(dims.Name("_"))
    sizes = []
    for size in shape.head:
        text = dims.show(size)
        is_named = first.setdefault(text, size) == size and not _TABLE.search(text)
        sizes.append(size if is_named else unnamed)
    return Shape(tuple(sizes))


def _is_short(count: Size) -> bool:
    return isinstance(count, Dim) or count > 0


def _sequence(value: tuple[Any, ...] | list[Any]) -> str:
    parts = [show(v) or "?" for v in value]
    if all(p == "?" for p in parts):
        return ""
    if len(parts) > 8:
        parts = [*parts[:8], "..."]
    inner = ", ".join(parts)
    if isinstance(value, list):
        return f"[{inner}]"
    return f"({inner},)" if len(parts) == 1 else f"({inner})"


def is_tensors(value: Any) -> bool:
    """Whether a value is a tensor, or several."""
    parts = list(leaves(value))
    return bool(parts) and any(isinstance(p, Tensor) for p in parts)


# -- layers ----------------------------------------------------------------------


def module_at(walk: Walk, start: int, end: int) -> graph.Module | None:
    """The layer that is made at a place of the text."""
    for module in modules(walk):
        span = module.span
        if span is not None and (span.start, span.end) == (start, end):
            if span.chunk is walk.owner.span.chunk:
                return module
    return None


def modules(walk: Walk) -> list[graph.Module]:
    """All layers of a net, those inside lists too."""
    roots = [s.module for s in _registered(walk.init)]
    if walk.root is not None:
        roots.append(walk.root)
    return [m for root in roots for m in every_module(root)]


def _registered(statements: list[Any]) -> list[graph.Register]:
    from netdsl.elaborate.demand import registered

    return list(registered(statements))


def held(module: graph.Module, walk: Walk) -> dict[str, Tensor]:
    """The parameters and buffers of a layer of torch."""
    if not isinstance(module, graph.LayerModule):
        return {}
    declaration = module.declaration
    out: dict[str, Tensor] = {}
    for source in (declaration.parameters, declaration.buffers):
        if source is None:
            continue
        try:
            values = {**bound(module), **module.inferred}
            shapes = source(Call(declaration, values, walk.facts))
        except (Undecided, Refusal, AttributeError):
            continue
        out |= {name: Tensor(Shape(tuple(sizes))) for name, sizes in shapes.items()}
    return out


def counted(count: Size) -> str:
    """`1,234 parameters`, `C*width parameters`"""
    number = f"{count:,}" if isinstance(count, int) else dims.show(count)
    return f"{number} parameter{'' if count == 1 else 's'}"
