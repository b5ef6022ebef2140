"""Padding of the last sizes."""

from __future__ import annotations

from netdsl.dims import Size, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, layer
from netdsl.shapes import Refusal, Shape, Tensor


def _pairs(c: Call, n: int) -> tuple[tuple[Size, Size], ...]:
    """What is added before and after each of the last sizes, first to last."""
    padding = c.known("padding")
    return tuple((padding[2 * i], padding[2 * i + 1]) for i in reversed(range(n)))


def _grown(c: Call, size: Size, before: Size, after: Size) -> Size:
    result = size + before + after
    c.require(
        Comparison(">=", result, 1),
        f"`{c.declaration.name}` cuts off more than there is: {show(result)} are left",
    )
    return result


def _constant(n: int) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        shape = tensor.shape
        if shape.rank is not None and shape.rank < n:
            raise c.refuse(f"`{c.declaration.name}` pads {n} sizes, and gets {tensor}")
        for i, (before, after) in enumerate(_pairs(c, n)):
            shape = shape.replace(i - n, _grown(c, shape.at(i - n), before, after))
        return tensor.with_shape(shape)

    return rule


def _copying(n: int, kind: str) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        c.rank(tensor, n + 1, n + 2)
        if tensor.dtype == "bool" and kind != "Circular":
            raise Refusal(
                "wrong-dtype",
                f"`{c.declaration.name}` has no bool form, and gets {tensor}",
            )
        sizes = tensor.shape.sizes
        out = []
        for size, (before, after) in zip(sizes[-n:], _pairs(c, n), strict=True):
            for amount in (before, after):
                _enough(c, kind, size, amount)
            out.append(_grown(c, size, before, after))
        return tensor.with_shape(Shape((*sizes[:-n], *out)))

    return rule


def _enough(c: Call, kind: str, size: Size, amount: Size) -> None:
    if kind == "Replication":
        return
    # A reflection leaves the edge itself out.
    most = size if kind == "Circular" else size - 1
    c.require(
        Comparison("<=", amount, most),
        f"`{c.declaration.name}` takes {show(amount)} from a size of {show(size)}",
    )


_KINDS = {
    "Reflection": "their mirror image",
    "Replication": "the value at their edge",
    "Circular": "what is at their other end",
}


def _declare(n: int) -> None:
    last = ("last size", "last two sizes", "last three sizes")[n - 1]
    layer(
        f"ConstantPad{n}d(padding: int{2 * n}, value: float)",
        _constant(n),
        f"Pads the {last} with a number.",
    )
    layer(
        f"ZeroPad{n}d(padding: int{2 * n})",
        _constant(n),
        f"Pads the {last} with zeros.",
    )
    for kind, what in _KINDS.items():
        layer(
            f"{kind}Pad{n}d(padding: int{2 * n})",
            _copying(n, kind),
            f"Pads the {last} with {what}.",
        )


for _n in (1, 2, 3):
    _declare(_n)
