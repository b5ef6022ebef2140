"""Distances between vectors."""

from __future__ import annotations

from netdsl.layers.call import Call
from netdsl.layers.spec import layer
from netdsl.shapes import Tensor


def _together(c: Call) -> Tensor:
    c.floating(c.x1, "its first input")
    c.floating(c.x2, "its second input")
    return c.broadcast(c.x1, c.x2)


def _cosine(c: Call) -> Tensor:
    tensor = _together(c)
    dim = c.number("dim")
    if tensor.shape.rank == 0 and dim in (0, -1):
        # A number has a last dimension for torch.
        return tensor
    return tensor.with_shape(tensor.shape.without(dim))


def _pairwise(c: Call) -> Tensor:
    tensor = _together(c)
    if tensor.shape.rank == 0:
        return tensor
    if c.known("keepdim"):
        return tensor.with_shape(tensor.shape.replace(-1, 1))
    return tensor.with_shape(tensor.shape.without(-1))


layer(
    "CosineSimilarity(dim: int = 1, eps: float = 1e-08)",
    _cosine,
    "The cosine of the angle between vectors along `dim`.",
    call="x1: tensor, x2: tensor",
)
layer(
    "PairwiseDistance(p: float = 2.0, eps: float = 1e-06, keepdim: bool = False)",
    _pairwise,
    "The norm of the difference of vectors along the last size.",
    call="x1: tensor, x2: tensor",
)
