"""Externs: the shape rule that a file declares for a Python module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.dims import Size, show
from netdsl.elaborate import arithmetic
from netdsl.elaborate.types import dtype_of, shape_items, split_star
from netdsl.elaborate.values import BLUR, Blur, Val
from netdsl.elaborate.walk import Walk
from netdsl.shapes import Shape, Tensor
from netdsl.source import Span


def extern_result(
    walk: Walk, extern: syntax.Extern, vals: Sequence[Val], span: Span
) -> Any:
    """The results by the declared shapes, for what flows in."""
    stars: dict[str, tuple[tuple[Size, ...], str | None, tuple[Size, ...]]] = {}
    for kind, val in zip(extern.inputs, vals, strict=True):
        if isinstance(val.value, Blur):
            return BLUR
        if not isinstance(val.value, Tensor):
            raise walk.stop(
                "wrong-type",
                f"`{extern.name}` takes tensors, not"
                f" {arithmetic.describe_value(val.value)}",
                span,
            )
        _take(walk, extern, kind, val.value, stars, span)
    results = tuple(_give(walk, kind, stars, vals) for kind in extern.outputs)
    return results[0] if len(results) == 1 else results


def _take(
    walk: Walk,
    extern: syntax.Extern,
    kind: syntax.Type,
    tensor: Tensor,
    stars: dict[str, Any],
    span: Span,
) -> None:
    items = shape_items(kind)
    if items is None:
        return
    head, star, tail = split_star(walk, items)
    shape = tensor.shape
    enough = len(shape.head) >= len(head) + (len(tail) if shape.star is None else 0)
    if not enough or (star is None and shape.rank != len(head)):
        raise walk.stop(
            "size-mismatch",
            f"`{extern.name}` wants {kind.span.text}, and {tensor} flows in",
            span,
        )
    pairs = list(zip(head, shape.head, strict=False))
    if star is not None:
        if shape.star is None:
            middle = shape.head[len(head) : len(shape.head) - len(tail)]
            stars[star] = (middle, None, ())
            back = shape.head[len(shape.head) - len(tail) :] if tail else ()
        else:
            cut = len(shape.tail) - len(tail)
            stars[star] = (shape.head[len(head) :], shape.star, shape.tail[:cut])
            back = shape.tail[cut:] if tail else ()
        pairs += list(zip(tail, back, strict=True))
    for item, size in pairs:
        _match_size(walk, extern, kind, tensor, item, size, span)


def _match_size(
    walk: Walk,
    extern: syntax.Extern,
    kind: syntax.Type,
    tensor: Tensor,
    item: syntax.Expression,
    size: Size,
    span: Span,
) -> None:
    if isinstance(item, syntax.Name):
        if item.id == "_":
            return
        if item.id not in walk.scope:
            walk.bind(item.id, Val(size, graph.SizeOf(size), item.span))
            return
    wanted = walk.evaluate(item).value
    if arithmetic.is_int(wanted) and walk.facts.equal(wanted, size) is False:
        raise walk.stop(
            "size-mismatch",
            f"`{extern.name}` wants {kind.span.text}, and {tensor} flows in",
            span,
            note=f"{show(size)} is not {show(wanted)}",
        )


def _give(
    walk: Walk, kind: syntax.Type, stars: dict[str, Any], vals: Sequence[Val]
) -> Any:
    items = shape_items(kind)
    if items is None:
        return BLUR
    head, star, tail = split_star(walk, items)
    sizes = [_size(walk, i) for i in head]
    back = [_size(walk, i) for i in tail]
    name: str | None = None
    if star is not None:
        first, name, last = stars.get(star, ((), star, ()))
        if name is None:
            sizes += first
            sizes += back
            back = []
        else:
            sizes += first
            back = [*last, *back]
    first_value = vals[0].value if vals else None
    dtype = first_value.dtype if isinstance(first_value, Tensor) else "float"
    if isinstance(kind, syntax.TypeOf):
        dtype = dtype_of(walk, kind)
    elif dtype not in ("float", "float16", "float32", "float64", "bfloat16", "any"):
        dtype = "float"
    return Tensor(Shape(tuple(sizes), name, tuple(back)), dtype)


def _size(walk: Walk, item: syntax.Expression) -> Size:
    if isinstance(item, syntax.Name) and item.id == "_":
        return dims.symbol(f"_#{walk.program.count()}")
    value = walk.evaluate(item).value
    return value if arithmetic.is_int(value) else dims.symbol("?")
