"""Python's brackets on tensors: `x[:, 0]`, `x[..., ::2]`, `x[None]`, `x[index]`."""

from __future__ import annotations

from typing import Any, TypeAlias

from netdsl.dims import Dim, Size, floordiv, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import Unknown
from netdsl.shapes import Refusal, Shape, Tensor, Undecided

# What stands between the brackets: int, Dim, slice, None, Ellipsis, or Tensor.
Item: TypeAlias = Any

_INDEX_DTYPES = ("int64", "int32", "any")


class _Place:
    """One place of the result while the items are read: a size or an index."""

    __slots__ = ("index", "size")

    def __init__(self, size: Size = 0, index: Tensor | None = None) -> None:
        self.size = size
        self.index = index


def index_shape(c: Call, tensor: Tensor, items: tuple[Item, ...]) -> Tensor:
    """The type of `tensor[items]`."""
    at = next((i for i, item in enumerate(items) if item is Ellipsis), None)
    before = items if at is None else items[:at]
    after = () if at is None else items[at + 1 :]
    if any(item is Ellipsis for item in after):
        raise _bad(f"`...` stands once in an index of {tensor}", "a second `...`")
    front, star, back = _sides(tensor, before, after)
    taken = _counted(before)
    left = _places(c, tensor, front[:taken], before)
    middle = [_Place(s) for s in front[taken:]]
    kept = len(back) - _counted(after)
    right = _places(c, tensor, back[kept:], after)
    tail = [_Place(s) for s in back[:kept]]
    if star is None:
        return tensor.with_shape(_joined(c, left + middle + tail + right))
    return tensor.with_shape(_around(c, left + middle, star, tail + right, tensor))


def _sides(
    tensor: Tensor, before: tuple[Item, ...], after: tuple[Item, ...]
) -> tuple[tuple[Size, ...], str | None, tuple[Size, ...]]:
    """The sizes that items from the front and from the back can take."""
    head, star, tail = tensor.shape.head, tensor.shape.star, tensor.shape.tail
    front, back = _counted(before), _counted(after)
    if star is None:
        if front + back > len(head):
            raise _bad(
                f"{tensor} has {len(head)} sizes, and is indexed with {front + back}",
                "too many indices",
            )
        cut = len(head) - back
        return head[:cut], None, head[cut:]
    # Beyond what is written, sizes may or may not be there.
    if front:
        tensor.shape.at(front - 1)
    if back:
        tensor.shape.at(-back)
    return head, star, tail


def _counted(items: tuple[Item, ...]) -> int:
    return sum(item is not None for item in items)


def _bad(text: str, note: str) -> Refusal:
    return Refusal("bad-index", text, note)


def _places(
    c: Call, tensor: Tensor, sizes: tuple[Size, ...], items: tuple[Item, ...]
) -> list[_Place]:
    places: list[_Place] = []
    rest = iter(sizes)
    for item in items:
        if item is None:
            places.append(_Place(1))
            continue
        size = c.facts.normal(next(rest))
        if isinstance(item, slice):
            places.append(_Place(_cut(c, tensor, size, item)))
        elif isinstance(item, Tensor):
            _check_index(tensor, item)
            # torch takes an index without sizes for a plain int.
            if item.shape.rank != 0:
                places.append(_Place(index=item))
        elif isinstance(item, Unknown):
            if item.type not in ("int", "any"):
                raise _bad(f"{tensor} can't be indexed with a {item.type}", item.type)
        else:
            _check_range(c, tensor, size, c.facts.normal(item))
    return places


def _check_range(c: Call, tensor: Tensor, size: Size, item: Size) -> None:
    text = f"there is no index {show(item)} in size {show(size)} of {tensor}"
    for comparison in (Comparison("<", item, size), Comparison(">=", item, -size)):
        if isinstance(item, Dim) and c.facts.decide(comparison) is None:
            # Most often the index of a loop: not worth a condition.
            continue
        decided = c.facts.decide(comparison)
        if decided is False:
            raise _bad(text, f"`{comparison}` is needed")
        c.require(comparison, text)


def _check_index(tensor: Tensor, index: Tensor) -> None:
    if index.dtype in ("bool", "uint8"):
        raise Refusal(
            "data-dependent",
            f"how much of {tensor} a mask picks depends on the data",
            f"{index} is a mask",
            "use `where` or `masked_fill`, which keep the shape",
        )
    if index.dtype not in _INDEX_DTYPES:
        raise Refusal(
            "wrong-dtype",
            f"{tensor} is indexed with ints, and {index} is {index.dtype}",
            "not an index",
            "bring it to int64 with `long()`",
        )


# -- slices --------------------------------------------------------------------


def _cut(c: Call, tensor: Tensor, size: Size, item: slice) -> Size:
    step = _step(c, tensor, item.step)
    start = _bound(c, tensor, size, item.start, 0)
    stop = _bound(c, tensor, size, item.stop, size)
    length = c.facts.normal(stop - start)
    shorter = c.facts.decide(Comparison("<", length, 0))
    if shorter:
        return 0
    if shorter is None:
        c.require(
            Comparison("<=", start, stop),
            f"a slice of {tensor} starts at {show(start)} and ends at {show(stop)}",
        )
    return floordiv(length + step - 1, step)


def _step(c: Call, tensor: Tensor, step: Any) -> Size:
    if step is None:
        return 1
    size = _value(c, step)
    if c.facts.decide(Comparison(">=", size, 1)) is False:
        raise _bad(
            f"a slice of {tensor} has a step of {show(size)}, and torch takes steps"
            " of at least 1",
            "not a step for a tensor",
        )
    c.require(Comparison(">=", size, 1), f"a slice of {tensor} has a step of 0")
    return size


def _value(c: Call, value: Any) -> Size:
    if isinstance(value, Unknown):
        raise Undecided("slice")
    size: Size = c.facts.normal(value)
    return size


def _bound(c: Call, tensor: Tensor, size: Size, value: Any, default: Size) -> Size:
    """Where a slice starts or stops: counted from the front, and inside the size.

    For a concrete size it is clamped, as in Python; where that can't be decided,
    the slice is taken to lie inside, and that is a condition.
    """
    if value is None:
        return default
    at = _value(c, value)
    text = f"a slice of {tensor} goes beyond its size {show(size)}, to {show(at)}"
    if _counts_from_end(c, at):
        c.require(Comparison("<=", at, 0), text)
        at = size + at
        if c.facts.decide(Comparison(">=", at, 0)) is False:
            return 0
        c.require(Comparison(">=", at, 0), text)
        return at
    c.require(Comparison(">=", at, 0), text)
    if c.facts.decide(Comparison("<=", at, size)) is False:
        return size
    c.require(Comparison("<=", at, size), text)
    return at


def _counts_from_end(c: Call, value: Size) -> bool:
    negative = c.facts.decide(Comparison("<", value, 0))
    if negative is None and isinstance(value, Dim):
        # `-pad`, of a `pad` that may be anything: it is written as negative.
        return all(coefficient < 0 for _, coefficient in value.terms)
    return bool(negative)


# -- the result ----------------------------------------------------------------


def _joined(c: Call, places: list[_Place]) -> Shape:
    """The sizes that stay, with the index tensors' sizes where the first of them
    stands; in front, if a size stands between them."""
    at = [i for i, place in enumerate(places) if place.index is not None]
    if not at:
        return Shape(tuple(p.size for p in places))
    shape = _index_sizes(c, places)
    first, last = at[0], at[-1]
    if last - first + 1 > len(at):
        return Shape(shape.head + _sizes(places), shape.star, shape.tail)
    return _wrapped(_sizes(places[:first]), shape, _sizes(places[last + 1 :]))


def _sizes(places: list[_Place]) -> tuple[Size, ...]:
    return tuple(p.size for p in places if p.index is None)


def _wrapped(before: tuple[Size, ...], shape: Shape, after: tuple[Size, ...]) -> Shape:
    if shape.star is None:
        return Shape(before + shape.head + after)
    return Shape(before + shape.head, shape.star, shape.tail + after)


def _index_sizes(c: Call, places: list[_Place]) -> Shape:
    indices = [p.index for p in places if p.index is not None]
    shape = indices[0].shape
    for other in indices[1:]:
        shape = c.broadcast_shapes(shape, other.shape)
    return shape


def _around(
    c: Call, left: list[_Place], star: str, right: list[_Place], tensor: Tensor
) -> Shape:
    """The result for a shape with a star, all of whose sizes stay."""
    if not any(p.index is not None for p in left + right):
        return Shape(_sizes(left), star, _sizes(right))
    shape = _index_sizes(c, left + right)
    if shape.star is not None:
        tensor.shape.sizes  # noqa: B018  refuses: two stars in one shape
    one_side = [s for s in (left, right) if any(p.index is not None for p in s)]
    at = [i for i, p in enumerate(one_side[0]) if p.index is not None]
    if len(one_side) == 2 or at[-1] - at[0] + 1 > len(at):
        return Shape(shape.head + _sizes(left), star, _sizes(right))
    joined = _joined(c, one_side[0]).head
    if one_side[0] is left:
        return Shape(joined, star, _sizes(right))
    return Shape(_sizes(left), star, joined)
