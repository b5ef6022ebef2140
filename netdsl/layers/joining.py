"""Many tensors to one, and one to many."""

from __future__ import annotations

from collections.abc import Sequence

from netdsl.dims import Name, Size, floordiv, maximum, modulo, show, single
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import function
from netdsl.shapes import (
    Parts,
    Refusal,
    Shape,
    Tensor,
    Undecided,
    fixed,
    result_dtype,
)

Tensors = tuple[Tensor, ...]


def given(c: Call) -> Tensors:
    tensors = tuple(c.tensors)
    if not tensors:
        raise Refusal(
            "missing-argument",
            f"`{c.declaration.name}` wants at least one tensor",
            "nothing flows in",
        )
    return tensors


def _list(things: Sequence[object]) -> str:
    words = [str(thing) for thing in things]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _same_form(c: Call, tensors: Tensors) -> None:
    first = tensors[0].shape
    for other in tensors[1:]:
        form = other.shape
        if form.star != first.star:
            # One of them has a star: it says that the rank is not known.
            first.sizes, form.sizes  # noqa: B018
        if (len(form.head), len(form.tail)) != (len(first.head), len(first.tail)):
            raise c.refuse(
                f"`{c.declaration.name}` wants tensors with equally many sizes, and is"
                f" given {_list(tensors)}",
                f"{tensors[0]} and {other}",
            )


def _differences(c: Call, a: Shape, b: Shape, skip: int | None) -> list[int]:
    """The places where two shapes of one form differ for sure."""
    return [
        place for place, x, y in _pairs(a, b) if place != skip and _is_apart(c, x, y)
    ]


def _is_apart(c: Call, x: Size, y: Size) -> bool:
    equal = c.facts.equal(x, y)
    if equal is None and 1 in (x, y):
        # As for broadcasting, a size with a name is taken not to be 1.
        name = single(y if x == 1 else x)
        return isinstance(name, Name) and name.lo == 1
    return equal is False


def _pairs(a: Shape, b: Shape) -> list[tuple[int, Size, Size]]:
    front = [(i, x, y) for i, (x, y) in enumerate(zip(a.head, b.head, strict=True))]
    back = zip(a.tail, b.tail, strict=True)
    return front + [(i - len(a.tail), x, y) for i, (x, y) in enumerate(back)]


def agree(c: Call, tensors: Tensors, what: str, skip: int | None) -> None:
    """States that the tensors have equal sizes but for the one that is skipped."""
    for other in tensors[1:]:
        one, two = tensors[0].shape, other.shape
        places = _differences(c, one, two, skip)
        if places:
            values = ", ".join(
                f"{show(one.at(p))} and {show(two.at(p))}" for p in places
            )
            word, verb = ("sizes", "differ") if len(places) > 1 else ("size", "differs")
            raise c.refuse(
                f"{what}: {word} {_list(places)} {verb}: {values}",
                f"{tensors[0]} and {other}",
            )
        for place, x, y in _pairs(one, two):
            if place != skip:
                c.equal(x, y, f"{what}: size {place} differs: {show(x)} and {show(y)}")


def _cat(c: Call) -> Tensor:
    tensors = given(c)
    _same_form(c, tensors)
    if tensors[0].shape.rank == 0:
        raise c.refuse("`cat` joins along a size, and [] has none", "use `stack`")
    place = c.axis(tensors[0])
    agree(c, tensors, f"`cat` joins {_list(tensors)} along size {c.dim}", place)
    total: Size = 0
    for tensor in tensors:
        total = total + tensor.shape.at(place)
    return Tensor(tensors[0].shape.replace(place, total), result_dtype(*tensors))


def _stack(c: Call) -> Tensor:
    tensors = given(c)
    _same_form(c, tensors)
    agree(c, tensors, f"`stack` wants equal shapes, not {_list(tensors)}", None)
    shape = tensors[0].shape.insert(c.number("dim"), len(tensors))
    return Tensor(shape, result_dtype(*tensors))


# -- parts ---------------------------------------------------------------------


def parts(tensor: Tensor, place: int, sizes: Sequence[Size]) -> Tensors:
    return Parts(tensor.with_shape(tensor.shape.replace(place, s)) for s in sizes)


def _positive(c: Call, name: str) -> None:
    value = c.known(name)
    if not isinstance(value, tuple):
        text = f"`{name}` of `{c.declaration.name}` is {show(value)}, and has to be"
        c.require(Comparison(">", value, 0), f"{text} above 0")


def _split(c: Call) -> Tensors:
    tensor: Tensor = c.input
    place = c.axis(tensor)
    size = tensor.shape.at(place)
    wanted = c.known("split_size_or_sections")
    if isinstance(wanted, tuple):
        total: Size = 0
        for part in wanted:
            _not_negative(c, part)
            total = total + part
        text = f"`split` cuts size {c.dim} of {tensor} into {_sum(wanted)}"
        c.equal(total, size, f"{text}: {show(total)} is not {show(size)}")
        return parts(tensor, place, list(wanted))
    _positive(c, "split_size_or_sections")
    count = c.facts.normal(floordiv(size, wanted))
    rest = c.facts.normal(modulo(size, wanted))
    if not isinstance(count, int):
        raise Undecided("split_size_or_sections")
    return parts(tensor, place, [wanted] * count + ([rest] if rest != 0 else []))


def _sum(sizes: tuple[Size, ...]) -> str:
    return " + ".join(show(s) for s in sizes) or "no parts"


def _not_negative(c: Call, size: Size) -> None:
    c.require(
        Comparison(">=", size, 0),
        f"`{c.declaration.name}` is told a size of {show(size)}",
    )


def _chunk(c: Call) -> Tensors:
    tensor: Tensor = c.input
    place = c.axis(tensor)
    size = c.facts.normal(tensor.shape.at(place))
    chunks = c.number("chunks")
    _positive(c, "chunks")
    if isinstance(size, int):
        # As torch: pieces of the rounded size, so there may be fewer.
        piece = max(-(-size // chunks), 1)
        full, rest = divmod(size, piece)
        sizes: list[Size] = [*([piece] * full), *([rest] if rest else [])]
        return parts(tensor, place, sizes or [0] * chunks)
    text = f"`chunk` cuts size {c.dim} of {tensor} into {chunks} equal parts"
    c.equal(modulo(size, chunks), 0, f"{text}, and {show(size)} has a rest")
    return parts(tensor, place, [floordiv(size, chunks)] * chunks)


def _tensor_split(c: Call) -> Tensors:
    tensor: Tensor = c.input
    place = c.axis(tensor)
    size = tensor.shape.at(place)
    wanted = c.known("indices_or_sections")
    if isinstance(wanted, tuple):
        return parts(tensor, place, between(c, size, wanted))
    sections = c.number("indices_or_sections")
    _positive(c, "indices_or_sections")
    number = c.facts.normal(size)
    if isinstance(number, int):
        less, longer = divmod(number, sections)
        return parts(tensor, place, [less + 1] * longer + [less] * (sections - longer))
    text = f"`tensor_split` cuts size {c.dim} of {tensor} into {sections} equal parts"
    c.equal(modulo(size, sections), 0, f"{text}, and {show(size)} has a rest")
    return parts(tensor, place, [floordiv(size, sections)] * sections)


def between(c: Call, size: Size, indices: tuple[Size, ...]) -> list[Size]:
    sizes: list[Size] = []
    start: Size = 0
    number = c.facts.normal(size)
    for index in indices:
        index = c.facts.normal(index)
        if isinstance(number, int) and isinstance(index, int):
            from_front = index + number if index < 0 else index
            end: Size = min(max(from_front, 0), number)
            sizes.append(maximum(end - start, 0))
        else:
            end = index + size if isinstance(index, int) and index < 0 else index
            text = f"`tensor_split` cuts {show(size)} at {show(index)}"
            c.require(Comparison("<=", end, size), text)
            c.require(Comparison(">=", end, 0), text)
            # As in torch, a place ahead of the last gives an empty part.
            empty = c.facts.decide(Comparison(">", start, end))
            if not empty:
                c.require(Comparison("<=", start, end), text)
            sizes.append(0 if empty else end - start)
        start = end
    last = size - start
    return [*sizes, last]


def _unbind(c: Call) -> Tensors:
    tensor: Tensor = c.input
    place = c.axis(tensor)
    size = c.facts.normal(tensor.shape.at(place))
    if not isinstance(size, int):
        raise Undecided("dim")
    return Parts([tensor.with_shape(tensor.shape.without(place))] * size)


def _meshgrid(c: Call) -> Tensors:
    tensors = tuple(c.tensors)
    if not tensors:
        raise Refusal(
            "missing-argument", "`meshgrid` wants at least one tensor", "none is given"
        )
    for tensor in tensors:
        c.rank(tensor, 0, 1, name="each of its tensors")
    c.same_dtype(*tensors)
    sizes = [t.shape.head[0] if t.shape.head else 1 for t in tensors]
    if c.known("indexing") == "xy" and len(sizes) > 1:
        sizes[0], sizes[1] = sizes[1], sizes[0]
    return Parts(t.with_shape(fixed(*sizes)) for t in tensors)


function(
    "cat(tensors: tensors, dim: int = 0)",
    "torch.cat",
    _cat,
    "Joins tensors along a size that they have.",
)
function(
    "stack(tensors: tensors, dim: int = 0)",
    "torch.stack",
    _stack,
    "Joins equal shapes along a new size.",
)
function(
    "split(input: tensor, split_size_or_sections: ints, dim: int = 0)",
    "torch.split",
    _split,
    "Cuts a size into parts of one size, or of the sizes listed.",
)
function(
    "chunk(input: tensor, chunks: int, dim: int = 0)",
    ".chunk",
    _chunk,
    "Cuts a size into `chunks` equal parts.",
)
function(
    "tensor_split(input: tensor, indices_or_sections: ints, dim: int = 0)",
    ".tensor_split",
    _tensor_split,
    "Cuts a size into so many parts, or at the places listed.",
)
function(
    "unbind(input: tensor, dim: int = 0)",
    ".unbind",
    _unbind,
    "Gives the slices along a size, one tensor each.",
)
function(
    'meshgrid(*tensors: tensor, indexing: "ij" "xy" = "ij")',
    "torch.meshgrid",
    _meshgrid,
    "Grids of coordinates from vectors.",
)
