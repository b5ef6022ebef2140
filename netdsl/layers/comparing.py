"""Distances between tensors, and losses."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, show
from netdsl.layers.call import Call
from netdsl.layers.functional import as_layer
from netdsl.layers.spec import Rule, function
from netdsl.shapes import Shape, Tensor, fixed

# -- distances -----------------------------------------------------------------


def _cdist(c: Call) -> Tensor:
    for tensor, name in ((c.x1, "`x1`"), (c.x2, "`x2`")):
        c.floating(tensor, name)
        if tensor.shape.rank is not None and tensor.shape.rank < 2:
            raise c.refuse(f"`cdist` wants [*, points, features], not {tensor}", name)
    one, two = c.x1.shape, c.x2.shape
    c.equal(one.at(-1), two.at(-1), f"`cdist` of {c.x1} and {c.x2}: features differ")
    batch = c.broadcast_shapes(one.without(-1).without(-1), two.without(-1).without(-1))
    return Tensor(batch.append(one.at(-2), two.at(-2)), c.same_dtype(c.x1, c.x2))


def _pdist(c: Call) -> Tensor:
    c.floating(c.input)
    c.rank(c.input, 2)
    points = c.input.shape.at(0)
    return Tensor(fixed(floordiv(points * (points - 1), 2)), c.input.dtype)


function(
    "pdist(input: tensor, p: float = 2)",
    "F.pdist",
    _pdist,
    "The distances of all pairs of rows.",
)
function(
    "cosine_similarity(x1: tensor, x2: tensor, dim: int = 1, eps: float = 1e-08)",
    "F.cosine_similarity",
    as_layer("CosineSimilarity"),
    "The cosine of the angle between vectors along `dim`.",
)
function(
    "pairwise_distance(x1: tensor, x2: tensor, p: float = 2.0, eps: float = 1e-06,"
    " keepdim: bool = False)",
    "F.pairwise_distance",
    as_layer("PairwiseDistance"),
    "The distance of each vector to its partner.",
)
function(
    "cdist(x1: tensor, x2: tensor, p: float = 2.0)",
    "torch.cdist",
    _cdist,
    "The distances of all vectors of one to all of the other.",
)

# -- losses --------------------------------------------------------------------


def _reduced(c: Call, tensor: Tensor) -> Tensor:
    if c.known("reduction") == "none":
        return tensor
    return Tensor(Shape(()), tensor.dtype)


def _pointwise(c: Call) -> Tensor:
    result = c.broadcast(c.input, c.target)
    c.floating(result)
    tensors = [result]
    if c.values.get("weight") is not None:
        tensors.append(c.weight)
    return _reduced(c, c.broadcast(*tensors))


def _same_shape(c: Call, a: Tensor, b: Tensor, name: str) -> None:
    text = (
        f"`{c.declaration.name}` wants {name} like its input, and they are {a} and {b}"
    )
    if a.shape == b.shape:
        return
    if len(a.shape.sizes) != len(b.shape.sizes):
        raise c.refuse(text, f"{a} and {b}")
    for i, (x, y) in enumerate(zip(a.shape.sizes, b.shape.sizes, strict=True)):
        c.equal(x, y, f"{text}: size {i} is {show(x)} and {show(y)}")


def _binary(c: Call) -> Tensor:
    c.floating(c.input)
    c.floating(c.target, "its target")
    _same_shape(c, c.input, c.target, "its target")
    result: Tensor = c.input
    for name in ("weight", "pos_weight"):
        weight = c.values.get(name)
        if weight is not None:
            shape = c.broadcast(result, weight).shape
            result = Tensor(shape, result.dtype)
    if c.declaration.name == "binary_cross_entropy":
        c.same_dtype(c.input, c.target)
        _same_shape(c, c.input, result, "its weight")
    return _reduced(c, result)


def _kl_div(c: Call) -> Tensor:
    c.floating(c.input)
    c.floating(c.target, "its target")
    result = c.broadcast(c.input, c.target)
    if c.known("reduction") == "batchmean":
        return Tensor(Shape(()), result.dtype)
    return _reduced(c, result)


def _classes(c: Call) -> tuple[Size, Shape]:
    """How many classes the input has, and the shape of what it classifies."""
    c.floating(c.input)
    shape: Shape = c.input.shape
    if shape.rank == 0:
        raise c.refuse(
            f"`{c.declaration.name}` wants [N, C, *], and {c.input} has no classes",
            "a single number flows in",
        )
    place = 0 if shape.rank == 1 else 1
    return shape.at(place), shape.without(place)


def _by_class(c: Call) -> Tensor:
    classes, rest = _classes(c)
    c.integer(c.target, name="its target")
    wanted = Tensor(rest, c.target.dtype)
    _same_shape(c, wanted, c.target, f"the target of {c.input}")
    _class_weight(c, classes)
    return _reduced(c, Tensor(rest, c.input.dtype))


def _class_weight(c: Call, classes: Size) -> None:
    if c.weight is None:
        return
    c.same_dtype(c.input, c.weight)
    c.rank(c.weight, 1, name="`weight`")
    c.equal(
        c.weight.shape.at(0),
        classes,
        f"`weight` of `{c.declaration.name}` is one number for each class: {c.weight}"
        f" for {show(classes)}",
    )


def _cross_entropy(c: Call) -> Tensor:
    if not c.target.is_float or c.target.dtype == "any":
        return _by_class(c)
    # The target gives probabilities.
    classes, rest = _classes(c)
    _same_shape(c, c.input, c.target, "its target")
    _class_weight(c, classes)
    return _reduced(c, Tensor(rest, c.broadcast(c.input, c.target).dtype))


def _huber(c: Call) -> Tensor:
    c.floating(c.input)
    result = _pointwise(c)
    return Tensor(result.shape, c.input.dtype)


def _declare(name: str, inputs: str, options: str, rule: Rule, doc: str) -> None:
    reduction = 'reduction: "none" "mean" "sum" = "mean"'
    options = f", {options}" if options else ""
    function(f"{name}({inputs}, *, {reduction}{options})", f"F.{name}", rule, doc)


# torch has two dead arguments ahead of `reduction`, so it is given by keyword.
_PAIR = "input: tensor, target: tensor"
_WEIGHT = "weight: tensor? = None"
_declare("mse_loss", _PAIR, _WEIGHT, _pointwise, "Mean of squared differences.")
_declare("l1_loss", _PAIR, _WEIGHT, _pointwise, "Mean of absolute differences.")
_declare(
    "smooth_l1_loss",
    _PAIR,
    "beta: float = 1.0",
    _pointwise,
    "Squared below `beta`, absolute above.",
)
_declare(
    "huber_loss",
    _PAIR,
    f"delta: float = 1.0, {_WEIGHT}",
    _huber,
    "Squared below `delta`, absolute above.",
)
_declare(
    "binary_cross_entropy",
    f"{_PAIR}, {_WEIGHT}",
    "",
    _binary,
    "Cross entropy of probabilities of yes.",
)
_declare(
    "binary_cross_entropy_with_logits",
    f"{_PAIR}, {_WEIGHT}",
    "pos_weight: tensor? = None",
    _binary,
    "Cross entropy of yes or no, before the sigmoid.",
)
_declare(
    "cross_entropy",
    f"{_PAIR}, {_WEIGHT}",
    "ignore_index: int = -100, label_smoothing: float = 0.0",
    _cross_entropy,
    "Cross entropy of classes, before the softmax.",
)
_declare(
    "nll_loss",
    f"{_PAIR}, {_WEIGHT}",
    "ignore_index: int = -100",
    _by_class,
    "Cross entropy of classes, after log_softmax.",
)
function(
    f"kl_div({_PAIR}, *,"
    ' reduction: "none" "mean" "sum" "batchmean" = "mean", log_target: bool = False)',
    "F.kl_div",
    _kl_div,
    "Kullback-Leibler divergence; the input is a logarithm.",
)
