"""Which known word an unknown one was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from netdsl.diagnostics import Advice, Edit
from netdsl.source import Span

_LEAST = 4
"""Shorter words that differ in a letter are likely to be two words."""

_MANY = 1_000
"""Of more words, only those that begin alike are looked through."""

_ELSEWHERE = {
    "dense": "Linear", "batchnormalization": "BatchNorm2d", "activation": "ReLU",
    "maxpooling2d": "MaxPool2d", "averagepooling2d": "AvgPool2d",
    "globalaveragepooling2d": "AdaptiveAvgPool2d", "layernormalization": "LayerNorm",
    "concatenate": "cat", "concat": "cat", "matrix_multiply": "matmul",
    "expand_dims": "unsqueeze", "reduce_mean": "mean", "reduce_sum": "sum",
    "axis": "dim", "axes": "dim", "dims": "dim", "keepdims": "keepdim",
    "filters": "out_channels", "units": "out_features", "strides": "stride",
    "kernel": "kernel_size", "channels": "out_channels", "dilation_rate": "dilation",
    "gamma": "weight", "beta": "bias", "use_bias": "bias", "rate": "p", "prob": "p",
    "epsilon": "eps", "string": "str",
    "integer": "int", "boolean": "bool", "number": "float", "long": "int64",
}  # fmt: skip
"""What Keras, NumPy and others call what is known here under torch's names."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one, if any is."""
    known = list(dict.fromkeys(known))
    if len(known) > _MANY:
        first, size = word[:1].lower(), len(word)
        like = (k for k in known if k[:1].lower() == first and abs(len(k) - size) < 3)
        known = list(islice(like, _MANY))
    for key in (str.lower, _bare):
        alike = [k for k in known if key(k) == key(word)]
        same = [k for k in alike if k[:1].isupper() == word[:1].isupper()]
        if alike:
            return (same or alike)[0]
    if _ELSEWHERE.get(word.lower()) in known:
        return _ELSEWHERE[word.lower()]
    longer = [k for k in known if k.startswith(f"{word}_")]
    if len(longer) == 1:
        return longer[0]
    slips = [k for k in known if _is_slip(word, k)]
    if len(slips) == 1:
        return slips[0]
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, known, 1, 0.7)), "")


def _alike(word: str, near: str, known: Sequence[str]) -> list[str]:
    """Those that are as like the word as the nearest: `Conv1d`, `Conv2d`, `Conv3d`."""
    family = re.sub(r"\d", "#", near)
    like = [k for k in known if re.sub(r"\d", "#", k) == family]
    return like if len(like) > 1 and not re.search(r"\d", word) else [near]


def did_you_mean(word: str, known: Iterable[str], span: Span | None = None) -> Advice:
    """The nearest known word as advice; with the edit where it is one slip away."""
    known = list(dict.fromkeys(known))
    near = nearest(word, known)
    if not near:
        return Advice()
    sure = span is not None and is_sure(word, near, known)
    alike = _alike(word, near, known)
    if len(alike) > 1 and word.lower() not in _ELSEWHERE:
        *some, last = (f"`{k}`" for k in alike[:3])
        return Advice(f"did you mean {', '.join(some)} or {last}?")
    edits = (Edit(span, near),) if span is not None and sure else ()
    return Advice(f"did you mean `{near}`?", edits)


def is_sure(word: str, near: str, known: Iterable[str]) -> bool:
    """Whether the nearest word is one slip away, and no other is as near."""
    if near and _ELSEWHERE.get(word.lower()) == near:
        return True
    if not near or not _is_slip(word, near):
        return False
    if near.lower() == word.lower():
        alike = [k for k in known if k.lower() == word.lower()]
        return len(alike) == 1 or near[:1].isupper() == word[:1].isupper()
    return not any(k != near and _is_slip(word, k) for k in known)


def _bare(word: str) -> str:
    return word.replace("_", "").lower()


def _is_slip(word: str, meant: str) -> bool:
    """Whether case, underscores or one slip of a finger make the difference."""
    if _bare(word) == _bare(meant):
        return True
    if min(len(word), len(meant)) < _LEAST and not (
        len(word) == len(meant) == 3 and sorted(word) == sorted(meant)
    ):
        return False
    start = 0
    while word[start : start + 1] == meant[start : start + 1] != "":
        start += 1
    a, b = word[start:], meant[start:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if any(c.isdigit() for c in a + b):
        return False  # `conv1` and `conv2` are two
    swapped = len(a) == 2 and a == b[::-1]
    return swapped or (len(a) <= 1 and len(b) <= 1)
