"""Tables of vectors that are looked up by number."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.dims import Size, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import Unknown, layer
from netdsl.shapes import Refusal, Shape, Tensor


def _indices(c: Call, tensor: Tensor, name: str = "its input") -> None:
    if tensor.dtype not in ("int32", "int64", "any"):
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` looks up numbers: {name} is int64 or int32,"
            f" not {tensor} of {tensor.dtype}",
            f"{tensor} flows in",
            help=f"declare it as `int64{tensor.shape}`" if name == "its input" else "",
        )


def _table(c: Call) -> None:
    c.at_least("num_embeddings", "embedding_dim")
    at, count = c.padding_idx, c.num_embeddings
    if at is None or isinstance(at, Unknown):
        return
    for comparison in (Comparison("<", at, count), Comparison(">=", at, -count)):
        c.require(
            comparison, f"`padding_idx` is {show(at)}, and there are {show(count)} rows"
        )


def _embedding(c: Call) -> Tensor:
    _indices(c, c.input)
    _table(c)
    shape: Shape = c.input.shape
    if shape.star is None:
        return Tensor(Shape((*shape.head, c.embedding_dim)))
    return Tensor(Shape(shape.head, shape.star, (*shape.tail, c.embedding_dim)))


def _bag(c: Call) -> Tensor:
    tensor: Tensor = c.input
    _indices(c, tensor)
    _table(c)
    c.rank(tensor, 1, 2)
    if c.per_sample_weights is not None:
        _sample_weights(c, tensor)
    if tensor.shape.rank == 2:
        if c.offsets is not None:
            raise c.refuse("`offsets` goes with an input of one size only")
        return Tensor(Shape((tensor.shape.at(0), c.embedding_dim)))
    if c.offsets is None:
        raise c.refuse(
            f"`{c.declaration.name}` wants `offsets` with an input of one size",
            help="or an input of two sizes: one row for each bag",
        )
    _indices(c, c.offsets, "`offsets`")
    c.rank(c.offsets, 1, name="`offsets`")
    bags = c.offsets.shape.at(0)
    if c.known("include_last_offset"):
        bags = bags - 1
    return Tensor(Shape((bags, c.embedding_dim)))


def _sample_weights(c: Call, tensor: Tensor) -> None:
    weights: Tensor = c.per_sample_weights
    if c.mode in ("mean", "max"):
        raise c.refuse('`per_sample_weights` goes with `mode="sum"` only')
    c.floating(weights, "`per_sample_weights`")
    c.rank(weights, len(tensor.shape.sizes), name="`per_sample_weights`")
    for a, b in zip(tensor.shape.sizes, weights.shape.sizes, strict=True):
        c.equal(
            a,
            b,
            "`per_sample_weights` has the shape of the input, and they are"
            f" {weights} and {tensor}",
        )


def _weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    return {"weight": (c.num_embeddings, c.embedding_dim)}


layer(
    "Embedding(num_embeddings: int, embedding_dim: int, padding_idx: int? = None,"
    " max_norm: float? = None, norm_type: float = 2.0,"
    " scale_grad_by_freq: bool = False, sparse: bool = False)",
    _embedding,
    "A learned vector for each number.",
    parameters=_weights,
)
layer(
    "EmbeddingBag(num_embeddings: int, embedding_dim: int, max_norm: float? = None,"
    " norm_type: float = 2.0, scale_grad_by_freq: bool = False,"
    ' mode: "sum" "mean" "max" = "mean", sparse: bool = False, *,'
    " include_last_offset: bool = False, padding_idx: int? = None)",
    _bag,
    "The sum, mean or maximum of the learned vectors of each bag of numbers.",
    call="input: tensor, offsets: tensor? = None, per_sample_weights: tensor? = None",
    parameters=_weights,
)
