"""Inputs and arguments of losses, drawn for the layers and for the functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from netdsl.shapes import Tensor, fixed

Draw = st.DrawFn
Drawn = tuple[tuple[Any, ...], dict[str, Any]]
Maker = Callable[[Draw], Drawn]

SIZES = st.sampled_from((2, 3, 4, 1))
FLOATS = ("float",) * 7 + ("int64",)
CLASSES = ("int64",) * 7 + ("int32", "float")
FLAG = st.booleans()
LOSSES: dict[str, Maker] = {}


def loss(*names: str) -> Callable[[Maker], Maker]:
    """The drawn arguments hold for the layer and for the function of these names."""

    def keep(maker: Maker) -> Maker:
        LOSSES.update(dict.fromkeys(names, maker))
        return maker

    return keep


def _seldom(draw: Draw) -> bool:
    return bool(draw(st.integers(0, 8)) == 0)


def _of(draw: Draw, sizes: tuple[int, ...], dtypes: tuple[str, ...] = FLOATS) -> Tensor:
    """A tensor; seldom of other sizes."""
    if _seldom(draw):
        sizes = draw(st.sampled_from((sizes[1:], (*sizes, 2), sizes[::-1])))
    return Tensor(fixed(*sizes), draw(st.sampled_from(dtypes)))


def _shape(draw: Draw, least: int = 0, most: int = 3) -> tuple[int, ...]:
    return tuple(draw(st.lists(SIZES, min_size=least, max_size=most)))


def _near(draw: Draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape, or one that broadcasts with it."""
    return tuple(1 if _seldom(draw) else s for s in shape)


def _options(draw: Draw, **given: st.SearchStrategy[Any]) -> dict[str, Any]:
    words = ("none",) * 4 + ("mean", "sum", "other")
    given["reduction"] = st.sampled_from(words)
    return {name: draw(values) for name, values in given.items() if draw(FLAG)}


@loss("MarginRankingLoss", "margin_ranking_loss")
def _ranking(draw: Draw) -> Drawn:
    shape = _shape(draw)
    tensors = (_of(draw, _near(draw, shape)) for _ in range(3))
    return tuple(tensors), _options(draw, margin=st.just(0.5))


@loss("HingeEmbeddingLoss", "hinge_embedding_loss")
def _hinge(draw: Draw) -> Drawn:
    shape = _shape(draw)
    target = _of(draw, _near(draw, shape))
    return (_of(draw, shape), target), _options(draw, margin=st.just(2.0))


@loss("SoftMarginLoss", "soft_margin_loss")
def _soft(draw: Draw) -> Drawn:
    shape = _shape(draw)
    return (_of(draw, shape), _of(draw, shape)), _options(draw)


@loss("CosineEmbeddingLoss", "cosine_embedding_loss")
def _cosine(draw: Draw) -> Drawn:
    shape = _shape(draw, 1, 2)
    vectors = (_of(draw, _near(draw, shape)) for _ in range(2))
    return (*vectors, _of(draw, shape[:-1])), _options(draw, margin=st.just(0.5))


@loss("TripletMarginLoss", "triplet_margin_loss")
def _triplet(draw: Draw) -> Drawn:
    shape = _shape(draw)
    tensors = tuple(_of(draw, _near(draw, shape)) for _ in range(3))
    return tensors, _options(draw, swap=FLAG, p=st.just(1.0))


@loss("MultiMarginLoss", "multi_margin_loss")
def _multi_margin(draw: Draw) -> Drawn:
    shape = _shape(draw, 1, 2)
    weight = st.builds(lambda: _of(draw, shape[-1:]))
    more = _options(draw, p=st.sampled_from((1, 2, 3)), weight=weight)
    return (_of(draw, shape), _of(draw, shape[:-1], CLASSES)), more


@loss("MultiLabelMarginLoss", "multilabel_margin_loss")
def _multilabel(draw: Draw) -> Drawn:
    shape = _shape(draw, 1, 2)
    return (_of(draw, shape), _of(draw, shape, CLASSES)), _options(draw)


@loss("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss")
def _multilabel_soft(draw: Draw) -> Drawn:
    shape = _shape(draw, 1, 3)
    more = _options(draw, weight=st.builds(lambda: _of(draw, shape[-1:])))
    return (_of(draw, shape), _of(draw, shape)), more


@loss("PoissonNLLLoss", "poisson_nll_loss")
def _poisson(draw: Draw) -> Drawn:
    shape = _shape(draw)
    more = _options(draw, log_input=FLAG, full=FLAG)
    return (_of(draw, shape), _of(draw, _near(draw, shape))), more


@loss("GaussianNLLLoss", "gaussian_nll_loss")
def _gaussian(draw: Draw) -> Drawn:
    shape = _shape(draw)
    var: Any = _of(draw, draw(st.sampled_from((shape, shape[:-1], _near(draw, shape)))))
    if _seldom(draw):
        var = draw(st.sampled_from((0.5, 2)))
    target = _of(draw, _near(draw, shape))
    return (_of(draw, shape), target, var), _options(draw, full=FLAG)


@loss("CTCLoss", "ctc_loss")
def _ctc(draw: Draw) -> Drawn:
    batch = _shape(draw, 0, 1)
    scores = _of(draw, (draw(SIZES), *batch, draw(SIZES)), ("float",))
    ints = ("int64",) * 5 + ("int32",)
    # The lengths are 0 in a test, and one list of all targets would be empty.
    rows = draw(SIZES) if _seldom(draw) else (*batch, 1)[0]
    targets = Tensor(fixed(rows, draw(SIZES)), draw(st.sampled_from(ints)))
    lengths = tuple(_of(draw, batch, ints) for _ in range(2))
    return (scores, targets, *lengths), _options(draw, zero_infinity=FLAG)


def _scored(draw: Draw, batch: tuple[int, ...], classes: tuple[int, ...]) -> Tensor:
    if draw(FLAG):
        return _of(draw, (*batch, *classes), ("float",))
    return _of(draw, (*batch, *classes[1:]), CLASSES[:-1])


@loss("LinearCrossEntropyLoss")
def _linear_layer(draw: Draw) -> Drawn:
    batch, classes = _shape(draw, 0, 1), draw(SIZES)
    more = _options(draw, bias=FLAG, out_features=st.builds(lambda: _shape(draw, 0, 2)))
    target = _scored(draw, batch, (classes, *more.get("out_features", ())))
    if _seldom(draw):
        more["ignore_index"] = 1
    more["num_classes"] = classes
    return (_of(draw, (*batch, draw(SIZES))), target), more


@loss("linear_cross_entropy")
def _linear_function(draw: Draw) -> Drawn:
    batch, features = _shape(draw, 0, 1), draw(SIZES)
    classes = (draw(SIZES), *(_shape(draw, 0, 2) if draw(FLAG) else ()))
    more = _options(
        draw,
        linear_bias=st.builds(lambda: _of(draw, classes)),
        weight=st.builds(lambda: _of(draw, classes[:1])),
    )
    given = _of(draw, (*batch, features)), _of(draw, (*classes, features))
    return (*given, _scored(draw, batch, classes)), more


@loss("AdaptiveLogSoftmaxWithLoss")
def _adaptive(draw: Draw) -> Drawn:
    batch = _shape(draw, 0, 1)
    cutoffs = draw(st.sampled_from(((2,), (2, 5), (1, 3, 4), (), (3, 2), (2, 9))))
    target = _of(draw, batch, CLASSES)
    features = draw(st.sampled_from((16, 64, 20)))
    more: dict[str, Any] = {"n_classes": 8, "cutoffs": cutoffs}
    if draw(FLAG):
        more["head_bias"] = True
    if draw(FLAG):
        more["div_value"] = draw(st.sampled_from((2.0, 2.5)))
    return (_of(draw, (*batch, features), ("float",)), target), more


# Where we are stricter than torch: what our refusal says then, and why.
_FLOATS = ("floating point", "a loss of ints has no gradient")
_SPREAD = ("its target to be", "torch spreads a target, which is hardly ever meant")
_SINGLE = ("its target to be", "torch takes [1] for the target of one example")
_NUMBER = ("have 1 or 2 sizes", "torch takes a number for the score of a single class")
_WEIGHT = ("`weight`, spread,", "torch takes a weight with more sizes than the scores")
STRICTER: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(LOSSES, (_FLOATS,)),
    **dict.fromkeys(("SoftMarginLoss", "soft_margin_loss"), (_FLOATS, _SPREAD)),
    **dict.fromkeys(
        ("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss"),
        (_FLOATS, _SPREAD, _WEIGHT),
    ),
    **dict.fromkeys(
        ("MultiMarginLoss", "multi_margin_loss"), (_FLOATS, _SINGLE, _NUMBER)
    ),
    **dict.fromkeys(
        ("MultiLabelMarginLoss", "multilabel_margin_loss"), (_FLOATS, _NUMBER, _SINGLE)
    ),
}
