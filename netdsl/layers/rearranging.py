"""The same sizes in another order, and elements moved within them."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, maximum, minimum, modulo, show
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep
from netdsl.layers.spec import function
from netdsl.shapes import Refusal, Shape, Tensor, fixed


def _swapped(c: Call, first: str, second: str) -> Tensor:
    tensor = keep(c)
    if tensor.shape.rank == 0 and {c.number(first), c.number(second)} <= {0, -1}:
        return tensor
    one, two = c.axis(tensor, first), c.axis(tensor, second)
    shape = tensor.shape.replace(one, tensor.shape.at(two))
    return tensor.with_shape(shape.replace(two, tensor.shape.at(one)))


def _transpose(c: Call) -> Tensor:
    return _swapped(c, "dim0", "dim1")


def _swapaxes(c: Call) -> Tensor:
    return _swapped(c, "axis0", "axis1")


def _t(c: Call) -> Tensor:
    c.rank(c.input, 0, 1, 2)
    return keep(c).with_shape(fixed(*reversed(c.input.shape.sizes)))


def _permute(c: Call) -> Tensor:
    tensor = keep(c)
    sizes = tensor.shape.sizes
    order = c.axes(tensor, "dims")
    if len(order) != len(sizes):
        raise c.refuse(
            f"`permute` names {len(order)} of the {len(sizes)} sizes of {tensor}",
            "each size once",
            f"{tensor} has the sizes 0 to {len(sizes) - 1}" if len(sizes) > 1 else "",
        )
    return tensor.with_shape(fixed(*(sizes[i] for i in order)))


def _movedim(c: Call) -> Tensor:
    tensor = keep(c)
    sizes = tensor.shape.sizes
    source, goal = c.axes(tensor, "source"), c.axes(tensor, "destination")
    if len(source) != len(goal):
        raise c.bad(
            "destination",
            f"`movedim` moves {len(source)} sizes to {len(goal)} places",
        )
    moved = dict(zip(goal, source, strict=True))
    others = iter(i for i in range(len(sizes)) if i not in source)
    order = [moved[i] if i in moved else next(others) for i in range(len(sizes))]
    return tensor.with_shape(fixed(*(sizes[i] for i in order)))


def _roll(c: Call) -> Tensor:
    shifts, dims = c.known("shifts"), c.numbers("dims")
    count = len(shifts) if isinstance(shifts, tuple) else 1
    if not dims:
        if count != 1:
            raise c.bad("shifts", "`roll` without `dims` takes one shift")
        return keep(c)
    if count != len(dims):
        raise c.bad("shifts", f"`roll` has {count} shifts for {len(dims)} sizes")
    for dim in dims:
        c.input.shape.place(dim)
    return keep(c)


def _flip(c: Call) -> Tensor:
    c.axes(c.input, "dims")
    return keep(c)


def at_least(c: Call, rank: int) -> None:
    """States how many sizes the input has at least."""
    if c.input.shape.least_rank < rank:
        c.input.shape.sizes  # noqa: B018  refuses a star
        raise c.refuse(
            f"`{c.declaration.name}` wants at least {rank} sizes, and {c.input} has"
            " fewer",
            f"{c.input} flows in",
        )


def _triangle(c: Call) -> Tensor:
    at_least(c, 2)
    return keep(c)


def _pixel_shuffle(c: Call) -> Tensor:
    tensor = keep(c)
    factor = c.known("upscale_factor")
    c.at_least("upscale_factor")
    channels, height, width = _image(c, tensor)
    area = factor * factor
    c.equal(
        modulo(channels, area),
        0,
        f"`pixel_shuffle` spreads channels over {show(factor)} x {show(factor)} pixels,"
        f" and {show(channels)} of {tensor} is not a multiple of {show(area)}",
    )
    return _with_image(
        tensor, floordiv(channels, area), height * factor, width * factor
    )


def _pixel_unshuffle(c: Call) -> Tensor:
    tensor = keep(c)
    factor = c.known("downscale_factor")
    c.at_least("downscale_factor")
    channels, height, width = _image(c, tensor)
    for size in (height, width):
        c.equal(
            modulo(size, factor),
            0,
            f"`pixel_unshuffle` takes {show(factor)} x {show(factor)} pixels together,"
            f" and {show(size)} of {tensor} is not a multiple of {show(factor)}",
        )
    return _with_image(
        tensor,
        channels * factor * factor,
        floordiv(height, factor),
        floordiv(width, factor),
    )


def _channel_shuffle(c: Call) -> Tensor:
    tensor = keep(c)
    c.at_least("groups")
    at_least(c, 3)
    channels = tensor.shape.at(1)
    c.equal(
        modulo(channels, c.known("groups")),
        0,
        f"`channel_shuffle` cuts {show(channels)} channels of {tensor} into"
        f" {show(c.groups)} equal groups",
    )
    return tensor


def _image(c: Call, tensor: Tensor) -> tuple[Size, Size, Size]:
    at_least(c, 3)
    return tensor.shape.at(-3), tensor.shape.at(-2), tensor.shape.at(-1)


def _with_image(tensor: Tensor, channels: Size, height: Size, width: Size) -> Tensor:
    shape: Shape = tensor.shape.replace(-3, channels)
    return tensor.with_shape(shape.replace(-2, height).replace(-1, width))


def diagonal_shape(c: Call) -> Tensor:
    """The diagonal of two sizes, behind the others."""
    tensor = keep(c)
    one, two = c.axis(tensor, "dim1"), c.axis(tensor, "dim2")
    if one == two:
        raise Refusal(
            "bad-dimension",
            f"`diagonal` runs along two sizes of {tensor}, not along one twice",
            "the same size",
            argument="dim2",
        )
    rows, columns = tensor.shape.at(one), tensor.shape.at(two)
    sizes = [s for i, s in enumerate(tensor.shape.sizes) if i not in (one, two)]
    return tensor.with_shape(fixed(*sizes, _length(c, rows, columns)))


def _length(c: Call, rows: Size, columns: Size) -> Size:
    offset = c.number("offset")
    if offset >= 0:
        columns = columns - offset
    else:
        rows = rows + offset
    return maximum(minimum(rows, columns), 0)


function(
    "transpose(input: tensor, dim0: int, dim1: int)",
    ".transpose",
    _transpose,
    "Swaps two sizes.",
)
for _name in ("swapaxes", "swapdims"):
    _suffix = "axis" if _name == "swapaxes" else "dim"
    function(
        f"{_name}(input: tensor, {_suffix}0: int, {_suffix}1: int)",
        f".{_name}",
        _swapaxes if _name == "swapaxes" else _transpose,
        "Swaps two sizes.",
    )
function("t(input: tensor)", ".t", _t, "Swaps the two sizes of a matrix.")
function(
    "permute(input: tensor, *dims: int)",
    ".permute",
    _permute,
    "Puts all sizes in another order.",
)
function(
    "movedim(input: tensor, source: ints, destination: ints)",
    ".movedim",
    _movedim,
    "Moves sizes to other places; the others keep their order.",
)
function(
    "contiguous(input: tensor)",
    ".contiguous",
    keep,
    "The same tensor with its elements in order in memory, as `view` needs.",
)
function(
    "roll(input: tensor, shifts: ints, dims: ints = ())",
    ".roll",
    _roll,
    "Moves elements along sizes; those that fall off come in again.",
)
function(
    "flip(input: tensor, *dims: int)",
    ".flip",
    _flip,
    "Reverses the order of elements along sizes.",
)
for _name, _doc in (
    ("tril", "Zeroes what is above the diagonal of the last two sizes."),
    ("triu", "Zeroes what is below the diagonal of the last two sizes."),
):
    function(
        f"{_name}(input: tensor, diagonal: int = 0)",
        f".{_name}",
        _triangle,
        _doc,
    )
function(
    "diagonal(input: tensor, offset: int = 0, dim1: int = 0, dim2: int = 1)",
    ".diagonal",
    diagonal_shape,
    "The diagonal of two sizes, as the last size.",
)
function(
    "pixel_shuffle(input: tensor, upscale_factor: int)",
    "F.pixel_shuffle",
    _pixel_shuffle,
    "Spreads channels over pixels: [*, C * r * r, H, W] to [*, C, H * r, W * r].",
)
function(
    "pixel_unshuffle(input: tensor, downscale_factor: int)",
    "F.pixel_unshuffle",
    _pixel_unshuffle,
    "Gathers pixels into channels: the reverse of pixel_shuffle.",
)
function(
    "channel_shuffle(input: tensor, groups: int)",
    "F.channel_shuffle",
    _channel_shuffle,
    "Deals the channels of groups out, one from each in turn.",
)
