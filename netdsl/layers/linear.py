"""Linear maps."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.dims import Size
from netdsl.layers.call import Call
from netdsl.layers.spec import layer
from netdsl.shapes import Shape, Tensor


def _linear(c: Call) -> Tensor:
    tensor: Tensor = c.input
    c.floating(tensor)
    c.equal(
        tensor.shape.at(-1),
        c.in_features,
        f"`Linear` reads {c.in_features} features, and {tensor} flows in",
    )
    c.at_least("out_features")
    return tensor.with_shape(tensor.shape.replace(-1, c.out_features))


def _linear_weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    bias = {"bias": (c.out_features,)} if c.known("bias") else {}
    return {"weight": (c.out_features, c.in_features), **bias}


def _linear_flops(c: Call) -> Size:
    flops: Size = 2 * c.input.shape.numel * c.out_features
    return flops


layer(
    "Linear(in_features: size[-1], out_features: int, bias: bool = True)",
    _linear,
    "Affine map of the last size: `x @ weight.T + bias`.",
    parameters=_linear_weights,
    flops=_linear_flops,
)


def _bilinear(c: Call) -> Tensor:
    left, right = c.input1, c.input2
    c.floating(left, "its first input")
    c.floating(right, "its second input")
    for tensor, features in ((left, c.in1_features), (right, c.in2_features)):
        c.equal(
            tensor.shape.at(-1),
            features,
            f"`Bilinear` reads {features} features, and {tensor} flows in",
        )
    c.at_least("out_features")
    _same_leading(c, left.shape, right.shape)
    return Tensor(left.shape.replace(-1, c.out_features))


def _same_leading(c: Call, left: Shape, right: Shape) -> None:
    text = f"`Bilinear` wants equal leading sizes, and joins {left} and {right}"
    same_rank = left.star == right.star and len(left.tail) == len(right.tail)
    if not same_rank or len(left.head) != len(right.head):
        if left.rank is not None and right.rank is not None:
            raise c.refuse(text)
        left, right = Shape(left.sizes), Shape(right.sizes)
    ours, theirs = (*left.head, *left.tail), (*right.head, *right.tail)
    for a, b in zip(ours[:-1], theirs[:-1], strict=True):
        c.equal(a, b, text)


def _bilinear_weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    bias = {"bias": (c.out_features,)} if c.known("bias") else {}
    return {"weight": (c.out_features, c.in1_features, c.in2_features), **bias}


def _bilinear_flops(c: Call) -> Size:
    flops: Size = 2 * c.input1.shape.numel * c.in2_features * c.out_features
    return flops


layer(
    "Bilinear(in1_features: size[-1], in2_features: size[input2, -1],"
    " out_features: int, bias: bool = True)",
    _bilinear,
    "A number for each pair of features of two inputs, times a weight, summed.",
    call="input1: tensor, input2: tensor",
    parameters=_bilinear_weights,
    flops=_bilinear_flops,
)


def _identity(c: Call) -> Tensor:
    tensor: Tensor = c.input
    return tensor


layer("Identity()", _identity, "Hands its input on.")
