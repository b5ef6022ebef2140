"""Losses: how far an output is from what was wanted."""

from __future__ import annotations

from netdsl.dims import Size
from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, layer
from netdsl.shapes import Refusal, Shape, Tensor, promote


def _reduced(c: Call, shape: Shape, dtype: str) -> Tensor:
    return Tensor(shape if c.known("reduction") == "none" else Shape(()), dtype)


def _pointwise(*, integers: bool = True, keep_dtype: bool = False) -> Rule:
    """Compares element by element, broadcasting."""

    def rule(c: Call) -> Tensor:
        c.floating(c.input)
        if not (integers and c.target.is_integer):
            c.floating(c.target, "its target")
        both = c.broadcast(c.input, c.target)
        return _reduced(c, both.shape, c.input.dtype if keep_dtype else both.dtype)

    return rule


def _same_shape(c: Call) -> Tensor:
    c.floating(c.input)
    c.floating(c.target, "its target")
    a, b = c.input.shape, c.target.shape
    if a != b:
        _equal(c, a.sizes, b.sizes)
    return _reduced(c, a, promote(c.input.dtype, c.target.dtype))


def _equal(c: Call, ours: tuple[Size, ...], theirs: tuple[Size, ...]) -> None:
    text = (
        f"`{c.declaration.name}` compares {Shape(ours)} with {Shape(theirs)},"
        f" for {c.input} and {c.target}"
    )
    if len(ours) != len(theirs):
        raise c.refuse(text)
    for a, b in zip(ours, theirs, strict=True):
        c.equal(a, b, text)


def _classes(c: Call) -> Tensor:
    c.floating(c.input)
    sizes, target = c.input.shape.sizes, c.target
    if not sizes:
        raise c.refuse(f"`{c.declaration.name}` wants a size for the classes, not []")
    # A single example has its classes first, a batch has them behind the batch.
    rest = sizes[1:] if len(sizes) == 1 else (sizes[0], *sizes[2:])
    if target.is_float and c.declaration.name == "CrossEntropyLoss":
        _equal(c, sizes, target.shape.sizes)
    elif target.dtype not in ("int64", "any"):
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` wants its target to be int64, and {target} is"
            f" {target.dtype}",
        )
    else:
        _equal(c, rest, target.shape.sizes)
    return _reduced(c, Shape(rest), c.input.dtype)


_CALL = "input: tensor, target: tensor"
# torch's `size_average` and `reduce`, long deprecated, stand ahead of these.
_REDUCTION = '*, reduction: "mean" "sum" "none" = "mean"'
_KL_REDUCTION = '*, reduction: "mean" "sum" "none" "batchmean" = "mean"'

_RULES: dict[str, tuple[Rule, str]] = {
    f"L1Loss({_REDUCTION})": (_pointwise(), "The absolute difference."),
    f"MSELoss({_REDUCTION})": (_pointwise(), "The squared difference."),
    f"SmoothL1Loss({_REDUCTION}, beta: float = 1.0)": (
        _pointwise(),
        "The squared difference below `beta`, the absolute one above.",
    ),
    'HuberLoss(reduction: "mean" "sum" "none" = "mean", delta: float = 1.0)': (
        _pointwise(keep_dtype=True),
        "The squared difference below `delta`, the absolute one, times it, above.",
    ),
    f"KLDivLoss({_KL_REDUCTION}, log_target: bool = False)": (
        _pointwise(integers=False),
        "The Kullback-Leibler divergence of log-probabilities from the target.",
    ),
    f"BCELoss({_REDUCTION})": (_same_shape, "Binary cross entropy of probabilities."),
    f"BCEWithLogitsLoss({_REDUCTION})": (
        _same_shape,
        "Binary cross entropy of logits.",
    ),
    f"CrossEntropyLoss(*, ignore_index: int = -100, {_REDUCTION.removeprefix('*, ')},"
    " label_smoothing: float = 0.0)": (
        _classes,
        "Cross entropy of logits, for class numbers or probabilities.",
    ),
    f"NLLLoss(*, ignore_index: int = -100, {_REDUCTION.removeprefix('*, ')})": (
        _classes,
        "The negative log-probability of the target's class numbers.",
    ),
}

for _declaration, (_rule, _doc) in _RULES.items():
    layer(_declaration, _rule, _doc, call=_CALL)
