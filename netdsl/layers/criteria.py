"""Losses of margins, of likelihoods and of alignments: as layers and as functions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from netdsl.dims import Size, show
from netdsl.layers.call import Call
from netdsl.layers.spec import Result, Rule, function, layer
from netdsl.shapes import Shape, Tensor, Undecided, fixed


def reduced(c: Call, shape: Shape, dtype: str) -> Tensor:
    """A loss for each element, or one number."""
    return Tensor(shape if c.known("reduction") == "none" else Shape(()), dtype)


def same_sizes(c: Call, tensor: Tensor, wanted: Shape, name: str) -> None:
    """States the shape of one of the tensors, which follows from the others."""
    text = f"`{c.declaration.name}` wants {name} to be {wanted}, not {tensor}"
    if len(tensor.shape.sizes) != len(wanted.sizes):
        raise c.refuse(text)
    for a, b in zip(tensor.shape.sizes, wanted.sizes, strict=True):
        c.equal(a, b, text)


def _floats(c: Call, *names: str) -> None:
    for name in names:
        c.floating(c.values[name], f"`{name}`")


# -- of pairs and triples ------------------------------------------------------


def _same_rank(c: Call, *tensors: Tensor) -> None:
    if len({len(t.shape.sizes) for t in tensors}) > 1:
        raise c.refuse(
            f"`{c.declaration.name}` wants equally many sizes, and is given"
            f" {', '.join(map(str, tensors))}"
        )


def _ranking(c: Call) -> Tensor:
    _floats(c, "input1", "input2")
    _same_rank(c, c.input1, c.input2, c.target)
    result = c.broadcast(c.input1, c.input2, c.target)
    return reduced(c, result.shape, result.dtype)


def _hinge(c: Call) -> Tensor:
    _floats(c, "input")
    return reduced(c, c.broadcast(c.input, c.target).shape, c.input.dtype)


def _soft_margin(c: Call) -> Tensor:
    _floats(c, "input")
    same_sizes(c, c.target, c.input.shape, "its target")
    return reduced(c, c.input.shape, c.input.dtype)


def _cosine(c: Call) -> Tensor:
    _floats(c, "input1", "input2")
    rank = len(c.target.shape.sizes)
    c.rank(c.target, 0, 1, name="its target")
    c.rank(c.input1, rank + 1, name="`input1`")
    c.rank(c.input2, rank + 1, name="`input2`")
    vectors = c.broadcast(c.input1, c.input2)
    shape = c.broadcast_shapes(vectors.shape.without(-1), c.target.shape)
    return reduced(c, shape, c.broadcast(c.input1, c.input2).dtype)


def _triplet(c: Call) -> Tensor:
    _floats(c, "anchor", "positive", "negative")
    _same_rank(c, c.anchor, c.positive, c.negative)
    result = c.broadcast(c.anchor, c.positive, c.negative)
    shape = result.shape.without(-1) if result.shape.sizes else result.shape
    return reduced(c, shape, result.dtype)


# -- of classes ----------------------------------------------------------------


def _scores(c: Call) -> tuple[Size, Shape]:
    """How many classes [C] or [N, C] has, and the shape without them."""
    _floats(c, "input")
    c.rank(c.input, 1, 2)
    return c.input.shape.at(-1), c.input.shape.without(-1)


def _class_weight(c: Call, classes: Size) -> None:
    weight: Tensor | None = c.values.get("weight")
    if weight is not None:
        c.same_dtype(c.input, weight)
        same_sizes(c, weight, fixed(classes), "`weight`")


def _multi_margin(c: Call) -> Tensor:
    classes, rest = _scores(c)
    if c.p not in (1, 2) and isinstance(c.p, int):
        raise c.bad("p", f"`p` of `{c.declaration.name}` is 1 or 2, not {c.p}")
    c.integer(c.target, name="its target")
    same_sizes(c, c.target, rest, "its target")
    _class_weight(c, classes)
    return reduced(c, rest, c.input.dtype)


def _multilabel_margin(c: Call) -> Tensor:
    _, rest = _scores(c)
    c.integer(c.target, name="its target")
    same_sizes(c, c.target, c.input.shape, "its target")
    return reduced(c, rest, c.input.dtype)


def _multilabel_soft(c: Call) -> Tensor:
    _floats(c, "input")
    same_sizes(c, c.target, c.input.shape, "its target")
    result = c.broadcast(c.input, c.target)
    weight: Tensor | None = c.values.get("weight")
    if weight is not None:
        stretched = c.broadcast_shapes(result.shape, weight.shape)
        same_sizes(c, Tensor(stretched), c.input.shape, "`weight`, spread,")
        result = c.broadcast(result, weight)
    return reduced(c, c.input.shape.without(-1), result.dtype)


# -- of distributions ----------------------------------------------------------


def _poisson(c: Call) -> Tensor:
    # The layer's input has the name of its argument `log_input`.
    given: Tensor = c.values.get("input", c.log_input)
    c.floating(given)
    both = c.broadcast(given, c.target)
    return reduced(c, both.shape, both.dtype)


def _gaussian(c: Call) -> Tensor:
    _floats(c, "input")
    tensors = [c.input, c.target]
    if isinstance(c.var, Tensor):
        tensors.append(_variance(c))
    elif isinstance(c.known("var"), int):
        raise c.bad("var", f"`var` is a tensor or a float, as in `{c.var}.0`")
    result = c.broadcast(*tensors)
    return reduced(c, result.shape, result.dtype)


def _variance(c: Call) -> Tensor:
    """One for each element, or for all along one size."""
    var, shape = c.var, c.input.shape
    c.floating(var, "`var`")
    text = f"`var` of `{c.declaration.name}` is {var}, for {c.input}"
    if len(var.shape.sizes) == len(shape.sizes) - 1:
        same_sizes(c, var, shape.without(-1), "`var`")
        return Tensor(var.shape.append(1), var.dtype)
    if len(var.shape.sizes) != len(shape.sizes):
        raise c.refuse(text)
    single = 0
    for ours, theirs in zip(shape.sizes, var.shape.sizes, strict=True):
        if theirs == 1 and ours != 1:
            single += 1
        else:
            c.equal(ours, theirs, text)
    if single > 1:
        raise c.refuse(f"{text}: only one of its sizes may be 1 instead")
    return Tensor(var.shape, var.dtype)


# -- of alignments -------------------------------------------------------------


def _ctc(c: Call) -> Tensor:
    c.floating(c.log_probs, "`log_probs`")
    c.rank(c.log_probs, 2, 3, name="`log_probs`")
    sizes = c.log_probs.shape.sizes
    batch = sizes[1:-1]
    c.integer(c.targets, "int64", "int32", name="`targets`")
    c.rank(c.targets, 1, 2, name="`targets`")
    if len(c.targets.shape.sizes) == 2:
        count = batch[0] if batch else 1
        text = f"`targets` of `ctc_loss` is one row for each example, not {c.targets}"
        c.equal(c.targets.shape.at(0), count, text)
    for name in ("input_lengths", "target_lengths"):
        c.integer(c.values[name], "int64", "int32", name=f"`{name}`")
        same_sizes(c, c.values[name], fixed(*batch), f"`{name}`")
    return reduced(c, fixed(*batch), c.log_probs.dtype)


# -- of a linear map -----------------------------------------------------------


def _linear_classes(c: Call, classes: Size, more: tuple[Size, ...]) -> Tensor:
    """Cross entropy of classes whose scores are a linear map of the input."""
    _floats(c, "input")
    c.rank(c.input, 1, 2)
    batch = c.input.shape.sizes[:-1]
    if more and not batch:
        raise c.refuse(
            f"`{c.declaration.name}` wants a batch [N, features] for more than one"
            f" score, not {c.input}"
        )
    target, rest = c.target, fixed(*batch, *more)
    if target.is_float and target.dtype != "any":
        same_sizes(c, target, fixed(*batch, classes, *more), "its target")
        if c.known("ignore_index") is not None:
            raise c.bad("ignore_index", "`ignore_index` goes with class numbers")
    else:
        c.integer(target, name="its target")
        same_sizes(c, target, rest, "its target")
    _class_weight(c, classes)
    return reduced(c, rest, c.input.dtype)


def _linear_layer(c: Call) -> Tensor:
    c.at_least("num_classes", "out_features")
    c.equal(
        c.input.shape.at(-1),
        c.in_features,
        f"`{c.declaration.name}` reads {show(c.in_features)} features,"
        f" and {c.input} flows in",
    )
    return _linear_classes(c, c.num_classes, _several(c))


def _several(c: Call) -> tuple[Size, ...]:
    more = c.known("out_features")
    if not isinstance(more, tuple):
        raise c.bad("out_features", "`out_features` is a list of sizes here")
    return more


def _linear_function(c: Call) -> Tensor:
    weight: Tensor = c.linear_weight
    if len(weight.shape.sizes) < 2:
        raise c.refuse(f"`linear_weight` is [classes, *, features], not {weight}")
    classes, *more, features = weight.shape.sizes
    c.equal(
        c.input.shape.at(-1),
        features,
        f"`{c.declaration.name}` maps {c.input} by {weight}",
    )
    if c.linear_bias is not None:
        same_sizes(c, c.linear_bias, fixed(classes, *more), "`linear_bias`")
        c.same_dtype(c.input, weight, c.linear_bias)
    c.same_dtype(c.input, weight)
    return _linear_classes(c, classes, tuple(more))


def _linear_weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    rows: Size = c.num_classes
    for size in _several(c):
        rows = rows * size
    bias = {"linear.bias": (rows,)} if c.known("bias") else {}
    return {"linear.weight": (rows, c.in_features), **bias}


def _declare(name: str, inputs: str, arguments: str, rule: Rule, doc: str) -> None:
    """`margin_ranking_loss`, and the layer `MarginRankingLoss`.

    torch has two dead arguments ahead of `reduction`, so it and what is behind
    them is given by keyword.
    """
    layer_name, function_name = name.split()
    layer_arguments = ", ".join(
        a for a in arguments.split(", ") if not a.startswith("weight:")
    )
    layer(
        f"{layer_name}({layer_arguments})",
        rule,
        doc,
        call=inputs.replace("input:", "log_input:") if "Poisson" in name else inputs,
    )
    function(f"{function_name}({inputs}, {arguments})", f"F.{function_name}", rule, doc)


_REDUCTION = 'reduction: "mean" "sum" "none" = "mean"'
_PAIR = "input: tensor, target: tensor"
_TWO = "input1: tensor, input2: tensor, target: tensor"
_WEIGHT = "weight: tensor? = None"
_declare(
    "MarginRankingLoss margin_ranking_loss",
    _TWO,
    f"margin: float = 0.0, *, {_REDUCTION}",
    _ranking,
    "How far two scores are from the order that the target (1 or -1) says.",
)
_declare(
    "HingeEmbeddingLoss hinge_embedding_loss",
    _PAIR,
    f"margin: float = 1.0, *, {_REDUCTION}",
    _hinge,
    "A distance where the target is 1, what lacks to `margin` where it is -1.",
)
_declare(
    "SoftMarginLoss soft_margin_loss",
    _PAIR,
    f"*, {_REDUCTION}",
    _soft_margin,
    "`log(1 + exp(-target * input))`, for targets 1 and -1.",
)
_declare(
    "CosineEmbeddingLoss cosine_embedding_loss",
    _TWO,
    f"margin: float = 0.0, *, {_REDUCTION}",
    _cosine,
    "Draws vectors to one angle where the target is 1, apart where it is -1.",
)
_declare(
    "TripletMarginLoss triplet_margin_loss",
    "anchor: tensor, positive: tensor, negative: tensor",
    "margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, *,"
    f" {_REDUCTION}",
    _triplet,
    "How much nearer than `margin` the negative is than the positive.",
)
_declare(
    "MultiMarginLoss multi_margin_loss",
    _PAIR,
    f"p: int = 1, margin: float = 1.0, {_WEIGHT}, *, {_REDUCTION}",
    _multi_margin,
    "How far the score of the class is below `margin` above the others.",
)
_declare(
    "MultiLabelMarginLoss multilabel_margin_loss",
    _PAIR,
    f"*, {_REDUCTION}",
    _multilabel_margin,
    "The same for several classes, listed ahead of a -1.",
)
_declare(
    "MultiLabelSoftMarginLoss multilabel_soft_margin_loss",
    _PAIR,
    f"{_WEIGHT}, *, {_REDUCTION}",
    _multilabel_soft,
    "Cross entropy of yes or no for each class, before the sigmoid.",
)
_declare(
    "PoissonNLLLoss poisson_nll_loss",
    _PAIR,
    f"log_input: bool = True, full: bool = False, *, eps: float = 1e-08, {_REDUCTION}",
    _poisson,
    "The negative log-likelihood of counts.",
)
_FULL = f"full: bool = False, eps: float = 1e-06, {_REDUCTION}"
_VAR = f"{_PAIR}, var: float | tensor"
layer(
    f"GaussianNLLLoss(*, {_FULL})",
    _gaussian,
    "The negative log-likelihood of normal distributions.",
    call=_VAR,
)
function(
    f"gaussian_nll_loss({_VAR}, {_FULL})",
    "F.gaussian_nll_loss",
    _gaussian,
    "The negative log-likelihood of normal distributions.",
)
_declare(
    "CTCLoss ctc_loss",
    "log_probs: tensor, targets: tensor, input_lengths: tensor,"
    " target_lengths: tensor",
    f"blank: int = 0, {_REDUCTION}, zero_infinity: bool = False",
    _ctc,
    "The negative log-likelihood of label sequences, over all alignments.",
)
_LINEAR = f"{_REDUCTION}, ignore_index: int? = None, label_smoothing: float = 0.0"
layer(
    "LinearCrossEntropyLoss(in_features: size[-1], num_classes: int, *,"
    f" out_features: ints = (), bias: bool = False, {_LINEAR})",
    _linear_layer,
    "A linear map to logits, and their cross entropy, in one step.",
    call=_PAIR,
    parameters=_linear_weights,
)
function(
    "linear_cross_entropy(input: tensor, linear_weight: tensor, target: tensor, *,"
    f" linear_bias: tensor? = None, {_WEIGHT}, {_LINEAR})",
    "F.linear_cross_entropy",
    _linear_function,
    "A linear map to logits, and their cross entropy, in one step.",
)


# -- of many classes -----------------------------------------------------------


def _adaptive(c: Call) -> Result:
    c.floating(c.input_, "its input")
    c.rank(c.input_, 1, 2)
    c.integer(c.target_, name="its target")
    _cutoffs(c)
    c.equal(
        c.input_.shape.at(-1),
        c.in_features,
        f"`{c.declaration.name}` reads {show(c.in_features)} features,"
        f" and {c.input_} flows in",
    )
    rest = c.input_.shape.without(-1)
    same_sizes(c, c.target_, rest, "its target")
    return Tensor(rest, c.input_.dtype), Tensor(Shape(()), c.input_.dtype)


def _cutoffs(c: Call) -> tuple[int, ...]:
    """Where the clusters of rarer classes begin, and the end of the last."""
    cutoffs = (*c.numbers("cutoffs"), c.number("n_classes"))
    rises = all(a < b for a, b in zip((0, *cutoffs), cutoffs, strict=False))
    if len(cutoffs) < 2 or not rises:
        raise c.bad(
            "cutoffs",
            f"`cutoffs` rise from 1 to at most {c.n_classes - 1}, not"
            f" {list(cutoffs[:-1])}",
        )
    return cutoffs


def _narrower(size: Size, divisor: float) -> Size:
    if isinstance(size, int):
        return int(size // divisor)
    if divisor != int(divisor):
        raise Undecided("div_value")
    return size // int(divisor)


def _adaptive_weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    cutoffs = _cutoffs(c)
    head = cutoffs[0] + len(cutoffs) - 1
    found: dict[str, tuple[Size, ...]] = {"head.weight": (head, c.in_features)}
    if c.known("head_bias"):
        found["head.bias"] = (head,)
    for i, (low, high) in enumerate(pairwise(cutoffs)):
        width = _narrower(c.in_features, c.known("div_value") ** (i + 1))
        found[f"tail.{i}.0.weight"] = (width, c.in_features)
        found[f"tail.{i}.1.weight"] = (high - low, width)
    return found


layer(
    "AdaptiveLogSoftmaxWithLoss(in_features: size[-1], n_classes: int, cutoffs: ints,"
    " div_value: float = 4.0, head_bias: bool = False)",
    _adaptive,
    "Log-probabilities of the targets, of rare classes by small maps; and the loss.",
    call="input_: tensor, target_: tensor",
    parameters=_adaptive_weights,
)
