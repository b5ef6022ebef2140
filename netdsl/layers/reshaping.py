"""The same elements in another shape: views, sizes of 1, repetition."""

from __future__ import annotations

from math import gcd

from netdsl.dims import (
    Dim,
    FloorDiv,
    Size,
    atoms,
    cancel,
    floordiv,
    modulo,
    show,
    single,
)
from netdsl.facts import Comparison
from netdsl.layers.call import Call, is_declared
from netdsl.layers.pointwise import keep
from netdsl.layers.reduction import outside_in
from netdsl.layers.spec import Rule, function
from netdsl.shapes import Refusal, Shape, Tensor, fixed


def _wanted(c: Call, name: str) -> tuple[Size, ...]:
    """Sizes that are asked for; each has to be known, at least by a name."""
    sizes: tuple[Size, ...] = c.known(name)
    return sizes


def _word(sizes: tuple[Size, ...]) -> str:
    return str(Shape(sizes))


# -- the number of elements ----------------------------------------------------


def filled(
    c: Call, source: tuple[Size, ...], wanted: tuple[Size, ...], text: str
) -> tuple[Size, ...]:
    """The sizes asked for, with -1 worked out, stated to hold all of `source`."""
    holes = [i for i, size in enumerate(wanted) if size == -1]
    if len(holes) > 1:
        raise c.refuse(f"{text}: only one size can be -1", "-1 more than once")
    for size in wanted:
        if size != -1:
            c.require(Comparison(">=", size, 0), f"{text}: {show(size)} is no size")
    total, product = _leftover(c, source, [s for s in wanted if s != -1], text)
    if not holes:
        shown = f"{show(_product([*source]))} elements don't fit into"
        text = f"{text}: {shown} {show(_product([*wanted]))}"
        _same_count(c, total, product, text)
        return wanted
    if product == 0:
        raise c.refuse(f"{text}: -1 beside 0 could be any size", "-1 beside 0")
    rest = modulo(total, product)
    shown = f"{show(total)} is not a multiple of {show(product)}"
    if holes == [0] and c.facts.equal(rest, 0) is None:
        _keep_rows(c, source, wanted, text)
    c.equal(rest, 0, f"{text}: {shown}")
    size = floordiv(total, product)
    return tuple(size if i in holes else s for i, s in enumerate(wanted))


def _keep_rows(
    c: Call, source: tuple[Size, ...], wanted: tuple[Size, ...], text: str
) -> None:
    """Refuses rows of a batch cut into others: as a size with a name is taken not to
    be 1, so is it taken not to make up for what doesn't come out even."""
    batch, row, new = source[0], _product([*source[1:]]), _product([*wanted[1:]])
    if not isinstance(batch, Dim) or not isinstance(row, int):
        return
    if not isinstance(new, int) or not all(map(is_declared, atoms(batch))):
        return
    whole = f"{c.declaration.name}(-1, {row})"
    needed = f"`where {show(batch)} % {new // gcd(row, new)} == 0` of an input"
    raise c.refuse(
        f"{text}: {row} elements of each of the {show(batch)} don't fit into {new}",
        f"each has {row}",
        f"write `{whole}` or `flatten(1)`" if len(wanted) == 2 else f"or say {needed}",
    )


def _leftover(
    c: Call, source: tuple[Size, ...], wanted: list[Size], text: str
) -> tuple[Size, Size]:
    """What both sides hold when the sizes that they share are taken away."""
    left = [c.facts.normal(s) for s in source]
    right = [c.facts.normal(s) for s in wanted]
    for whole in list(left):
        if whole in right and whole != 0:
            left.remove(whole)
            right.remove(whole)
    for whole in list(left):
        # `heads` and `C // heads` are the two parts of `C`.
        divisor = _parts_of(whole, right)
        if divisor is not None:
            rest = modulo(whole, divisor)
            shown = f"{show(whole)} is not a multiple of {show(divisor)}"
            c.equal(rest, 0, f"{text}: {shown}")
            left.remove(whole)
            right.remove(divisor)
            right.remove(floordiv(whole, divisor))
    return cancel(_product(left), _product(right))


def _parts_of(whole: Size, sizes: list[Size]) -> Size | None:
    for size in sizes:
        atom = single(size)
        if isinstance(atom, FloorDiv):
            for divisor in sizes:
                if divisor not in (0, size) and floordiv(whole, divisor) == size:
                    return divisor
    return None


def _product(sizes: list[Size]) -> Size:
    product: Size = 1
    for size in sizes:
        product = product * size
    return product


def _same_count(c: Call, total: Size, product: Size, text: str) -> None:
    if isinstance(total, Dim) and isinstance(product, Dim):
        total, product = total - product, 0
    c.equal(total, product, text, note="")


def _view(name: str) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor = keep(c)
        wanted = _wanted(c, name)
        text = f"`{c.declaration.name}` turns {tensor} into {_word(wanted)}"
        return tensor.with_shape(fixed(*filled(c, tensor.shape.sizes, wanted, text)))

    return rule


def _like(c: Call) -> Tensor:
    other: Tensor = c.other
    text = f"`{c.declaration.name}` turns {c.input} into {other.shape}"
    if c.input.shape != other.shape:
        filled(c, c.input.shape.sizes, other.shape.sizes, text)
    return Tensor(other.shape, c.input.dtype)


def _flatten(c: Call) -> Tensor:
    shape: Shape = c.input.shape
    if shape.rank == 0:
        # As in torch, where flattening alone gives a number a size.
        shape = fixed(1)
        c.values["input"] = keep(c).with_shape(shape)
    start, end = c.axis(c.input, "start_dim"), c.axis(c.input, "end_dim")
    if (start < 0) != (end < 0):
        shape.sizes  # noqa: B018  refuses: the star stands between the two
    if start > end:
        raise Refusal(
            "bad-dimension",
            f"`flatten` goes from size {start} to size {end} of {c.input}",
            "the first is behind the last",
            argument="start_dim",
        )
    total = _product([shape.at(i) for i in range(start, end + 1)])
    return keep(c).with_shape(shape.splice(start, end, (total,)))


def _unflatten(c: Call) -> Tensor:
    tensor = keep(c)
    place = c.axis(tensor)
    sizes = _wanted(c, "sizes")
    if not isinstance(sizes, tuple) or not sizes:
        raise c.bad("sizes", "`sizes` of `unflatten` is a list of sizes")
    size = tensor.shape.at(place)
    text = f"`unflatten` turns size {show(size)} of {tensor} into {_word(sizes)}"
    parts = filled(c, (size,), sizes, text)
    return tensor.with_shape(tensor.shape.splice(place, place, parts))


# -- sizes of 1 ----------------------------------------------------------------


def _squeeze(c: Call) -> Tensor:
    tensor = keep(c)
    shape = tensor.shape
    if c.known("dim") is None:
        places: tuple[int, ...] = tuple(range(len(shape.sizes)))
    elif shape.rank == 0 and all(d in (0, -1) for d in c.numbers("dim")):
        return tensor
    else:
        places = c.axes(tensor)
    for place in outside_in(places):
        if _is_one(c, tensor, place):
            shape = shape.without(place)
    return tensor.with_shape(shape)


def _is_one(c: Call, tensor: Tensor, place: int) -> bool:
    size = c.facts.normal(tensor.shape.at(place))
    if size != 1:
        # As for broadcasting, a size with a name is taken not to be 1.
        if c.facts.equal(size, 1) is None:
            c.require(
                Comparison("!=", size, 1),
                f"`squeeze` drops size {place} of {tensor} where it is 1",
            )
        return False
    return True


def _unsqueeze(c: Call) -> Tensor:
    return keep(c).with_shape(c.input.shape.insert(c.number("dim"), 1))


# -- repetition ----------------------------------------------------------------


def expanded(c: Call, tensor: Tensor, wanted: tuple[Size, ...]) -> Shape:
    """The shape when its sizes of 1 are stretched; -1 keeps a size."""
    sizes = tensor.shape.sizes
    text = f"`{c.declaration.name}` stretches {tensor} to {_word(wanted)}"
    if len(wanted) < len(sizes):
        raise c.refuse(f"{text}, which has fewer sizes", f"{len(sizes)} sizes at least")
    new = len(wanted) - len(sizes)
    for size in wanted[:new]:
        c.require(
            Comparison(">=", size, 0), f"{text}: {show(size)} is no size for a new one"
        )
    out: list[Size] = list(wanted[:new])
    for i, (size, want) in enumerate(zip(sizes, wanted[new:], strict=True)):
        if want == -1:
            out.append(size)
        elif c.facts.normal(size) == 1:
            c.require(Comparison(">=", want, 0), f"{text}: {show(want)} is no size")
            out.append(want)
        else:
            c.equal(
                size,
                want,
                f"{text}: size {new + i} is {show(size)}, not {show(want)}",
                "only a size of 1 stretches",
            )
            out.append(want)
    return fixed(*out)


def _expand(c: Call) -> Tensor:
    return keep(c).with_shape(expanded(c, c.input, _wanted(c, "size")))


def _expand_as(c: Call) -> Tensor:
    if c.input.shape == c.other.shape:
        return keep(c)
    return keep(c).with_shape(expanded(c, c.input, c.other.shape.sizes))


def _times(c: Call, sizes: tuple[Size, ...], times: tuple[Size, ...]) -> Tensor:
    for n in times:
        c.require(
            Comparison(">=", n, 0),
            f"`{c.declaration.name}` can't repeat {show(n)} times",
        )
    pairs = zip(sizes, times, strict=True)
    return keep(c).with_shape(fixed(*(s * n for s, n in pairs)))


def _repeat(c: Call) -> Tensor:
    sizes, times = c.input.shape.sizes, _wanted(c, "repeats")
    if len(times) < len(sizes):
        raise c.refuse(
            f"`repeat` of {c.input} needs {len(sizes)} numbers, not {len(times)}",
            "one number for each size",
        )
    return _times(c, (1,) * (len(times) - len(sizes)) + sizes, times)


def _tile(c: Call) -> Tensor:
    sizes, times = c.input.shape.sizes, _wanted(c, "dims")
    width = max(len(sizes), len(times))
    return _times(
        c,
        (1,) * (width - len(sizes)) + sizes,
        (1,) * (width - len(times)) + times,
    )


def _repeat_interleave(c: Call) -> Tensor:
    tensor = keep(c)
    shape = tensor.shape
    if c.known("dim") is None:
        size, shape, place = _product(list(shape.sizes)), fixed(1), 0
    else:
        place = c.axis(tensor)
        size = shape.at(place)
    return tensor.with_shape(shape.replace(place, _interleaved(c, tensor, size)))


def _interleaved(c: Call, tensor: Tensor, size: Size) -> Size:
    repeats = c.known("repeats")
    if not isinstance(repeats, Tensor):
        c.require(
            Comparison(">=", repeats, 0),
            f"`repeat_interleave` can't repeat {show(repeats)} times",
        )
        total: Size = size * repeats
        if c.known("output_size") is not None:
            c.equal(total, c.output_size, f"`repeat_interleave` gives {show(total)}")
        return total
    c.integer(repeats, "int64", "int32", name="`repeats`")
    c.rank(repeats, 0, 1, name="`repeats`")
    for count in repeats.shape.sizes:
        if count != 1:
            text = f"`repeat_interleave` takes one number for each of {show(size)}"
            c.equal(count, size, f"{text} in {tensor}, not {repeats}")
    if c.known("output_size") is None:
        raise c.bad(
            "output_size",
            "how often `repeat_interleave` repeats follows from the data here",
            "say how many there will be: `output_size=...`",
        )
    out: Size = c.output_size
    return out


function(
    "view(input: tensor, *size: int)",
    ".view",
    _view("size"),
    "The same elements in another shape; -1 is worked out.",
)
function(
    "reshape(input: tensor, *shape: int)",
    ".reshape",
    _view("shape"),
    "The same elements in another shape, copied if they have to be.",
)
for _name in ("view_as", "reshape_as"):
    function(
        f"{_name}(input: tensor, other: tensor)",
        f".{_name}",
        _like,
        "The same elements in the shape of another tensor.",
    )
function(
    "flatten(input: tensor, start_dim: int = 0, end_dim: int = -1)",
    ".flatten",
    _flatten,
    "Makes one size of those from `start_dim` to `end_dim`.",
)
function(
    "unflatten(input: tensor, dim: int, sizes: ints)",
    "torch.unflatten",
    _unflatten,
    "Makes several sizes of one; -1 is worked out.",
)
function(
    "squeeze(input: tensor, dim: ints? = None)",
    ".squeeze",
    _squeeze,
    "Drops sizes of 1.",
)
function(
    "unsqueeze(input: tensor, dim: int)", ".unsqueeze", _unsqueeze, "Adds a size of 1."
)
function(
    "expand(input: tensor, *size: int)",
    ".expand",
    _expand,
    "Stretches sizes of 1 without copying; -1 keeps a size.",
)
function(
    "expand_as(input: tensor, other: tensor)",
    ".expand_as",
    _expand_as,
    "Stretches sizes of 1 to the shape of another tensor.",
)
function(
    "broadcast_to(input: tensor, size: ints)",
    "torch.broadcast_to",
    _expand,
    "Stretches sizes of 1 without copying; -1 keeps a size.",
)
function(
    "repeat(input: tensor, *repeats: int)",
    ".repeat",
    _repeat,
    "Copies the tensor so many times along each size.",
)
function(
    "tile(input: tensor, *dims: int)",
    ".tile",
    _tile,
    "Copies the tensor along its last sizes.",
)
function(
    "repeat_interleave(input: tensor, repeats: int | tensor, dim: int? = None, *,"
    " output_size: int? = None)",
    ".repeat_interleave",
    _repeat_interleave,
    "Copies each element so many times, side by side.",
)
