"""Other grids: flattening, patches, shuffled channels, other sizes of images."""

from __future__ import annotations

from netdsl.dims import Dim, Size, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.convolution import windows
from netdsl.layers.spec import Rule, Value, layer
from netdsl.shapes import Shape, Tensor, Undecided


def _flatten(c: Call) -> Tensor:
    tensor: Tensor = c.input
    start, end = c.number("start_dim"), c.number("end_dim")
    shape = tensor.shape
    if shape.rank == 0:
        shape = Shape((1,))
    if shape.star is not None and start < 0 and end < 0 and -start <= len(shape.tail):
        # All of it lies behind the star.
        tail = _joined(c, shape.tail, start % len(shape.tail), end % len(shape.tail))
        return tensor.with_shape(Shape(shape.head, shape.star, tail))
    if shape.star is not None and start >= 0 and 0 <= end < len(shape.head):
        head = _joined(c, shape.head, start, end)
        return tensor.with_shape(Shape(head, shape.star, shape.tail))
    sizes = _joined(c, shape.sizes, shape.index(start), shape.index(end))
    return tensor.with_shape(Shape(sizes))


def _joined(c: Call, sizes: tuple[Size, ...], start: int, end: int) -> tuple[Size, ...]:
    if start > end:
        raise c.bad("end_dim", "`start_dim` comes before `end_dim`, not behind it")
    return (*sizes[:start], Shape(sizes[start : end + 1]).numel, *sizes[end + 1 :])


def _unflatten(c: Call) -> Tensor:
    tensor: Tensor = c.input
    dim = c.number("dim")
    parts = c.known("unflattened_size")
    if not isinstance(parts, tuple) or not parts:
        raise c.bad("unflattened_size", "`unflattened_size` is a list of sizes")
    size = tensor.shape.at(dim)
    known = Shape(tuple(p for p in parts if p != -1)).numel
    text = f"`Unflatten` makes {Shape(parts)} of size {dim}, which is {show(size)}"
    if parts.count(-1) > 1:
        raise c.bad("unflattened_size", "only one size can be -1")
    for part in parts:
        if part != -1 and isinstance(part, int) and part < 1:
            raise c.bad("unflattened_size", f"a size is at least 1, not {part}")
    if -1 in parts:
        c.equal(size % known, 0, text)
        parts = tuple(size // known if p == -1 else p for p in parts)
    else:
        c.equal(known, size, text)
    head, star, tail = tensor.shape.head, tensor.shape.star, tensor.shape.tail
    if star is not None and dim < 0:
        at = dim % len(tail)
        tail = (*tail[:at], *parts, *tail[at + 1 :])
        return tensor.with_shape(Shape(head, star, tail))
    at = dim % len(head)
    return tensor.with_shape(Shape((*head[:at], *parts, *head[at + 1 :]), star, tail))


# -- patches -------------------------------------------------------------------


def _blocks(c: Call, sizes: tuple[Size, ...]) -> Size:
    c.at_least("kernel_size", "stride", "dilation")
    c.at_least("padding", least=0)
    steps = [c.known(a) for a in ("kernel_size", "stride", "padding", "dilation")]
    counts = (windows(c, *each) for each in zip(sizes, *steps, strict=True))
    return Shape(tuple(counts)).numel


def _unfold(c: Call) -> Tensor:
    tensor: Tensor = c.input
    c.floating(tensor)
    c.rank(tensor, 3, 4)
    *batch, channels, height, width = tensor.shape.sizes
    count = _blocks(c, (height, width))
    area = Shape(c.known("kernel_size")).numel
    return tensor.with_shape(Shape((*batch, channels * area, count)))


def _fold(c: Call) -> Tensor:
    tensor: Tensor = c.input
    c.floating(tensor)
    c.rank(tensor, 2, 3)
    c.at_least("output_size")
    *batch, rows, columns = tensor.shape.sizes
    out = c.known("output_size")
    count = _blocks(c, out)
    area = Shape(c.known("kernel_size")).numel
    c.equal(
        rows % area,
        0,
        f"`Fold` reads blocks of {show(area)} values, and {tensor} has {show(rows)}",
    )
    c.equal(
        columns,
        count,
        f"`Fold` places {show(count)} blocks on {Shape(out)}, and {tensor} has"
        f" {show(columns)}",
    )
    return tensor.with_shape(Shape((*batch, rows // area, *out)))


# -- channels and pixels -------------------------------------------------------


def _at_least_3(c: Call, tensor: Tensor) -> None:
    if tensor.shape.rank is not None and tensor.shape.rank < 3:
        raise c.refuse(
            f"`{c.declaration.name}` wants its input to have 3 sizes or more,"
            f" and {tensor} has {tensor.shape.rank}"
        )


def _pixel_shuffle(c: Call) -> Tensor:
    tensor: Tensor = c.input
    _at_least_3(c, tensor)
    c.at_least("upscale_factor")
    factor, shape = c.known("upscale_factor"), tensor.shape
    channels, height, width = (shape.at(i) for i in (-3, -2, -1))
    c.equal(
        channels % (factor * factor),
        0,
        f"`PixelShuffle` makes pixels of {show(factor * factor)} channels each,"
        f" and {tensor} flows in",
    )
    for i, size in enumerate((channels // (factor * factor), height * factor)):
        shape = shape.replace(i - 3, size)
    return tensor.with_shape(shape.replace(-1, width * factor))


def _pixel_unshuffle(c: Call) -> Tensor:
    tensor: Tensor = c.input
    _at_least_3(c, tensor)
    c.at_least("downscale_factor")
    factor, shape = c.known("downscale_factor"), tensor.shape
    channels = shape.at(-3)
    for i in (-2, -1):
        size = shape.at(i)
        c.equal(
            size % factor,
            0,
            f"`PixelUnshuffle` divides an image by {show(factor)}, and gets {tensor}",
        )
        shape = shape.replace(i, size // factor)
    return tensor.with_shape(shape.replace(-3, channels * factor * factor))


def _channel_shuffle(c: Call) -> Tensor:
    tensor: Tensor = c.input
    _at_least_3(c, tensor)
    c.at_least("groups")
    channels = tensor.shape.at(1)
    c.equal(
        channels % c.groups,
        0,
        f"`ChannelShuffle` makes {show(c.groups)} groups, and {tensor} has"
        f" {show(channels)} channels",
    )
    return tensor


# -- other sizes ---------------------------------------------------------------

_MODE_RANKS = {
    "linear": (3,),
    "bilinear": (4,),
    "bicubic": (4,),
    "trilinear": (5,),
}


def scaled(size: Size, scale: Value, name: str = "scale_factor") -> Size:
    """The whole part of a size times a number, as torch computes it."""
    if isinstance(scale, int | Dim):
        return size * scale
    if isinstance(size, int):
        return int(size * scale)
    from fractions import Fraction

    exact = Fraction(scale)
    if exact.denominator > 1024:
        # Such a product is rounded; only with a number do we know how.
        raise Undecided(name)
    return size * exact.numerator // exact.denominator


def resized(c: Call, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
    """Spatial sizes by `size` or `scale_factor`, either one value or one for each."""
    size, scale = c.known("size"), c.known("scale_factor")
    name = "scale_factor" if size is None else "size"
    if (size is None) == (scale is None):
        raise c.bad(name, f"`{c.declaration.name}` takes `size` or `scale_factor`")
    value = scale if size is None else size
    values = value if isinstance(value, tuple) else (value,) * len(sizes)
    if len(values) != len(sizes):
        raise c.bad(
            name, f"`{name}` has {len(values)} values, and {c.input} {len(sizes)} axes"
        )
    out = values if name == "size" else tuple(map(scaled, sizes, values))
    for size in out:
        c.require(
            Comparison(">=", size, 1), f"`{c.declaration.name}` leaves {show(size)}"
        )
    return out


def _resized(c: Call, *ranks: int) -> Tensor:
    tensor: Tensor = c.input
    if tensor.dtype != "uint8":
        c.floating(tensor)
    c.rank(tensor, *ranks)
    sizes = tensor.shape.sizes
    return tensor.with_shape(Shape((*sizes[:2], *resized(c, sizes[2:]))))


def _upsample(c: Call) -> Tensor:
    mode = c.mode
    smooth = mode in _MODE_RANKS
    if isinstance(mode, str) and not smooth and isinstance(c.align_corners, bool):
        raise c.bad("align_corners", f'`align_corners` means nothing for mode "{mode}"')
    if c.recompute_scale_factor is True and c.known("size") is not None:
        raise c.bad("recompute_scale_factor", "there is no scale to compute again")
    return _resized(c, *(_MODE_RANKS[mode] if smooth else (3, 4, 5)))


def _image(c: Call) -> Tensor:
    return _resized(c, 4)


_SIZES: dict[str, tuple[Rule, str]] = {
    "Upsample(size: ints? = None, scale_factor: floats? = None,"
    ' mode: "nearest" "linear" "bilinear" "bicubic" "trilinear" "area"'
    ' "nearest-exact" = "nearest", align_corners: bool? = None,'
    " recompute_scale_factor: bool? = None)": (
        _upsample,
        "Another size for sequences, images or volumes, by repeating or blending.",
    ),
    "UpsamplingNearest2d(size: int2? = None, scale_factor: floats? = None)": (
        _image,
        "Another size for images, by repeating.",
    ),
    "UpsamplingBilinear2d(size: int2? = None, scale_factor: floats? = None)": (
        _image,
        "Another size for images, by blending, corners kept.",
    ),
}
_GRIDS: dict[str, tuple[Rule, str]] = {
    "Flatten(start_dim: int = 1, end_dim: int = -1)": (
        _flatten,
        "Joins sizes into one, all but the first unless told.",
    ),
    "Unflatten(dim: int, unflattened_size: ints)": (
        _unflatten,
        "Splits one size into several; one of them may be -1.",
    ),
    "Unfold(kernel_size: int2, dilation: int2 = 1, padding: int2 = 0,"
    " stride: int2 = 1)": (
        _unfold,
        "The patches of an image as columns.",
    ),
    "Fold(output_size: int2, kernel_size: int2, dilation: int2 = 1,"
    " padding: int2 = 0, stride: int2 = 1)": (
        _fold,
        "Adds columns up as patches of an image.",
    ),
    "PixelShuffle(upscale_factor: int)": (
        _pixel_shuffle,
        "Channels become pixels: `[C * r * r, H, W]` to `[C, H * r, W * r]`.",
    ),
    "PixelUnshuffle(downscale_factor: int)": (
        _pixel_unshuffle,
        "Pixels become channels: `[C, H * r, W * r]` to `[C * r * r, H, W]`.",
    ),
    "ChannelShuffle(groups: int)": (
        _channel_shuffle,
        "Mixes groups of channels, as cards are shuffled.",
    ),
}

for _declaration, (_rule, _doc) in (_GRIDS | _SIZES).items():
    layer(_declaration, _rule, _doc)
