"""Where ways meet: the type of what comes out of one of two arms, and what is said
of arms and branches that don't fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from netdsl.diagnostics import Advice, Edit, Label
from netdsl.dims import Size, choose, show
from netdsl.elaborate.arithmetic import is_int
from netdsl.elaborate.values import Blur, Maybe, Val, rounds_read
from netdsl.elaborate.walk import Walk
from netdsl.facts import Facts
from netdsl.graph import Ref
from netdsl.layers import Unknown
from netdsl.layers.binding import describe
from netdsl.layers.mending import sizes_apart
from netdsl.layers.spec import Declaration
from netdsl.shapes import Parts, Refusal, Shape, Tensor, promote
from netdsl.source import Span


def join(
    walk: Walk, then: Any, other: Any, if_true: Facts, if_false: Facts, test: Val
) -> Any:
    """The value of two arms together; None if no value can stand for both."""
    if isinstance(then, Blur) or isinstance(other, Blur):
        return then if isinstance(then, Blur) else other
    if isinstance(then, Tensor) and isinstance(other, Tensor):
        shape = _join_shapes(then.shape, other.shape, if_true, if_false, test)
        if shape is None:
            return None
        dtype = then.dtype if then.dtype == other.dtype else "any"
        return Tensor(shape, dtype if dtype else promote(then.dtype, other.dtype))
    kind = _sequence_of(then, other)
    if kind is not None:
        if len(then) != len(other):
            return None
        parts = [
            join(walk, a, b, if_true, if_false, test)
            for a, b in zip(then, other, strict=True)
        ]
        return None if any(p is None for p in parts) else kind(parts)
    if then == other:
        return then
    if isinstance(then, Tensor | Maybe) or isinstance(other, Tensor | Maybe):
        return _join_optional(walk, then, other, if_true, if_false, test)
    if is_int(then) and is_int(other):
        return _join_sizes(then, other, if_true, if_false, test)
    return Unknown("any", object())


def _sequence_of(then: Any, other: Any) -> Any:
    """What two lists or two tuples give together."""
    if isinstance(then, tuple) and isinstance(other, tuple):
        return Parts if Parts in (type(then), type(other)) else tuple
    return list if isinstance(then, list) and isinstance(other, list) else None


def _join_optional(
    walk: Walk, then: Any, other: Any, if_true: Facts, if_false: Facts, test: Val
) -> Maybe | None:
    """A tensor that may be None on one side or on both."""
    sides = [v.value if isinstance(v, Maybe) else v for v in (then, other)]
    given = [v for v in sides if v is not None]
    if len(given) == 1:
        return Maybe(given[0])
    if not any(isinstance(v, Maybe) for v in (then, other)):
        return None
    value = join(walk, given[0], given[1], if_true, if_false, test)
    return None if value is None else Maybe(value)


def _join_shapes(
    then: Shape, other: Shape, if_true: Facts, if_false: Facts, test: Val
) -> Shape | None:
    if (then.star, len(then.head), len(then.tail)) != (
        other.star,
        len(other.head),
        len(other.tail),
    ):
        return None

    def one(a: Size, b: Size) -> Size:
        return _join_sizes(a, b, if_true, if_false, test)

    head = tuple(one(a, b) for a, b in zip(then.head, other.head, strict=True))
    tail = tuple(one(a, b) for a, b in zip(then.tail, other.tail, strict=True))
    return Shape(head, then.star, tail)


def _join_sizes(a: Size, b: Size, if_true: Facts, if_false: Facts, test: Val) -> Size:
    """The size that is `a` where a test is true, else `b`."""
    if a == b or if_false.normal(a) == if_false.normal(b):
        return a
    if if_true.normal(a) == if_true.normal(b):
        return b
    shown = " ".join(test.span.text.split()) if test.span is not None else "..."
    return choose(test, shown, a, b, *rounds_read(test).values())


def surely_different(walk: Walk, a: Any, b: Any) -> bool:
    """Whether two arms can't give one shape, whatever the sizes are."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return False
    pairs = zip(
        (*a.shape.head, *a.shape.tail), (*b.shape.head, *b.shape.tail), strict=False
    )
    return any(walk.facts.equal(x, y) is False for x, y in pairs)


def arms_differ(walk: Walk, then: Any, other: Any, span: Span, spans: Any) -> None:
    """Says that two arms can't be joined, and what each of them gives."""
    walk.error(
        "arms-mismatch",
        f"the two sides of this condition give {describe(then)} and {describe(other)}",
        span,
        labels=[
            Label(place, str(value))
            for place, value in zip(spans, (then, other), strict=True)
            if place is not None
        ],
        help="give both sides the same shape and dtype: what follows works with either",
    )


# -- tensors that are merged ---------------------------------------------------


def refused_merge(
    walk: Walk,
    declaration: Declaration,
    refusal: Refusal,
    vals: Sequence[Val],
    span: Span,
) -> bool:
    """Says that tensors don't fit together, with the shape of each where it ends.

    False if there are not several, or their places are not known apart.
    """
    placed = [(s, t) for s, t in _tensors(vals) if s is not None and s != span]
    if refusal.code != "shape-mismatch" or len({s for s, _ in placed}) < 2:
        return False
    labels = [Label(place, str(tensor)) for place, tensor in placed]
    name = declaration.name
    tensors = [tensor for _, tensor in placed]
    different = _differences(walk, tensors)
    branches = all(place in walk.branches for place, _ in placed)
    if branches and name in ("add", "mul", "stack"):
        text = f"`{name}` joins branches of different shape"
        help_ = _padded(placed) or Advice(_way_out(placed))
        walk.error("branch-mismatch", text, span, different, labels, help_)
    elif branches:
        walk.error("branch-mismatch", refusal.text, span, "", labels, refusal.help)
    else:
        about, help_ = _declared(walk, vals)
        help_ = help_ or Advice(refusal.help)
        walk.error("shape-mismatch", refusal.text, span, "", labels + about, help_)
    return True


def _declared(walk: Walk, vals: Sequence[Val]) -> tuple[list[Label], Advice]:
    """Where a `param` or `buffer` that doesn't fit is declared, and what to declare it
    as if one number is wrong."""
    if len(vals) != 2 or not all(isinstance(v.value, Tensor) for v in vals):
        return [], Advice()
    names = [v.expr.symbol.name if isinstance(v.expr, Ref) else "" for v in vals]
    mine_at = [i for i, n in enumerate(names) if n in walk.owns]
    if len(mine_at) != 1:
        return [], Advice()
    name = names[mine_at[0]]
    statement = walk.owns[name]
    mine, theirs = (vals[i].value.shape.head for i in (mine_at[0], 1 - mine_at[0]))
    about = [Label(walk.own_spans[name], "declared here")]
    pairs = zip(reversed(mine), reversed(theirs), strict=False)
    wrong = [(a, b) for a, b in pairs if a not in (b, 1) and b != 1]
    if len(wrong) != 1 or not isinstance(wrong[0][0], int):
        return about, Advice()
    number, wanted = wrong[0]
    shape = re.search(r":[^=]*\[([^\]]*)\]", statement.span.text)
    places = list(re.finditer(rf"\b{number}\b", shape[1])) if shape else []
    if shape is None or len(places) != 1 or not isinstance(wanted, int):
        return about, Advice()
    start = statement.span.start + shape.start(1) + places[0].start()
    place = Span(statement.span.chunk, start, start + len(str(number)))
    sizes = shape[1][: places[0].start()] + str(wanted) + shape[1][places[0].end() :]
    text = f"declare it as `{name}: [{sizes}]`"
    return about, Advice(text, (Edit(place, str(wanted)),))


def _tensors(vals: Sequence[Val]) -> Iterator[tuple[Span | None, Tensor]]:
    for val in vals:
        if isinstance(val.value, Tensor):
            yield val.span, val.value
        elif isinstance(val.value, tuple | list) and len(val.parts) == len(val.value):
            for part, value in zip(val.parts, val.value, strict=True):
                if isinstance(value, Tensor):
                    yield part, value


def _differences(walk: Walk, tensors: Sequence[Tensor]) -> str:
    """`size 1 is 128 and 64, sizes 2 and 3 are 16 and 32`"""
    shapes = [t.shape for t in tensors]
    first = shapes[0]
    if any(
        (s.star, len(s.head), len(s.tail))
        != (first.star, len(first.head), len(first.tail))
        for s in shapes
    ):
        counts = " and ".join(str(s.least_rank) for s in shapes)
        return f"they have {counts} sizes" if first.star is None else ""
    found: dict[str, list[int]] = {}
    at = [*range(len(first.head)), *range(-len(first.tail), 0)]
    for place in at:
        sizes = [s.at(place) for s in shapes]
        if any(walk.facts.equal(sizes[0], size) is False for size in sizes):
            found.setdefault(_listed([show(s) for s in sizes]), []).append(place)
    return ", ".join(
        (
            f"size {places[0]} is {values}"
            if len(places) == 1
            else f"sizes {' and '.join(map(str, places))} are {values}"
        )
        for values, places in found.items()
    )


_CONVOLUTION = re.compile(r"\bConv[123]d\(\s*[^(),]+,\s*(\d+)\s*(?:,[^()]*)?\)")


def _padded(placed: Sequence[tuple[Span, Tensor]]) -> Advice:
    """The only convolution without padding, where some was left out."""
    shapes = [t.shape.head for _, t in placed]
    if len(shapes) != 2 or {len(s) for s in shapes} != {4}:
        return Advice()
    apart = [a - b for a, b in zip(*(s[2:] for s in shapes), strict=True)]
    if apart[0] != apart[1] or not isinstance(apart[0], int) or not apart[0]:
        return Advice()
    small = placed[0 if apart[0] < 0 else 1][0]
    found = [m for m in _CONVOLUTION.finditer(small.text) if int(m[1]) > 1]
    bare = [m for m in found if "padding" not in m[0]]
    if len(bare) != 1 or int(bare[0][1]) % 2 == 0 or "dilation" in bare[0][0]:
        return Advice()
    end = small.start + bare[0].end() - 1
    more = f", padding={int(bare[0][1]) // 2}"
    shown = " ".join(f"{bare[0][0][:-1]}{more})".split())
    return Advice(f"write `{shown}`", (Edit(Span(small.chunk, end, end), more),))


def _way_out(placed: Sequence[tuple[Span, Tensor]]) -> str:
    """The layer that brings a `skip` to the shape of the other branch."""
    skips = [t for s, t in placed if s.text == "skip"]
    others = [t for s, t in placed if s.text != "skip"]
    if len(skips) != 1 or len(others) != 1:
        heads = [t.shape.head for _, t in placed]
        images = len(heads) == 2 and all(len(h) == 4 for h in heads)
        if not images or heads[0][1] != heads[1][1]:
            return ""
        return sizes_apart(heads[0], heads[1])
    here, there = skips[0].shape.head, others[0].shape.head
    if len(here) != len(there) or len(here) not in (2, 3, 4):
        return ""
    if len(here) < 4:
        if here[:-1] != there[:-1]:
            return ""
        return f"project the other branch: `| down: Linear({show(there[-1])})`"
    stride = _stride(here[2:], there[2:])
    if stride is not None:
        tail = f", stride={stride}" if stride > 1 else ""
        layer = f"Conv2d({show(there[1])}, 1{tail})"
        return f"project the other branch: `| down: {layer}`"
    return sizes_apart(here, there) if here[1] == there[1] else ""


def _stride(before: Sequence[Size], after: Sequence[Size]) -> int | None:
    """The stride that takes these sizes of an image to those."""
    if tuple(before) == tuple(after):
        return 1
    for stride in (2, 3, 4, 8):
        if all(
            isinstance(b, int) and isinstance(a, int) and (b - 1) // stride + 1 == a
            for b, a in zip(before, after, strict=True)
        ):
            return stride
    return None


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
