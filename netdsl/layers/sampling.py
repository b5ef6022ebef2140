"""Functions over grids: pools, padding, patches, other resolutions."""

from __future__ import annotations

from netdsl.dims import Size, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.functional import as_layer
from netdsl.layers.pointwise import keep, not_bool
from netdsl.layers.resampling import resized
from netdsl.layers.spec import Result, Rule, function
from netdsl.shapes import Shape, Tensor, fixed


def _fractional(n: int) -> Rule:
    layer_rule = as_layer(f"FractionalMaxPool{n}d")

    def rule(c: Call) -> Result:
        if n == 2 and isinstance(c.output_ratio, float | int):
            # The layer of an image spreads it, and so do those of volumes.
            ratio = c.output_ratio
            raise c.bad(
                "output_ratio",
                f"`output_ratio` of `{c.declaration.name}` is a pair of numbers",
                f"write `({ratio}, {ratio})`",
            )
        return layer_rule(c)

    return rule


def _unpool(n: int) -> Rule:
    layer_rule = as_layer(f"MaxUnpool{n}d")

    def rule(c: Call) -> Result:
        for name in ("kernel_size", "stride", "padding"):
            value = c.known(name)
            if value is not None and not isinstance(value, tuple):
                # torch's types have no int here, though it takes one.
                if name == "padding" and value == 0:
                    c.values[name] = (0,) * n
                    continue
                words = ", ".join([show(value)] * n)
                raise c.bad(
                    name,
                    f"`{name}` of `{c.declaration.name}` is a list here",
                    f"write `[{words}]`",
                )
        return layer_rule(c)

    return rule


def _declare_pools(n: int) -> None:
    k = f"int{n}"
    window = f"input: tensor, kernel_size: {k}, stride: {k}? = None"
    divisor = ", divisor_override: int? = None" if n > 1 else ""
    function(
        f"max_pool{n}d({window}, padding: {k} = 0, dilation: {k} = 1,"
        " ceil_mode: bool = False, return_indices: bool = False)",
        f"F.max_pool{n}d",
        as_layer(f"MaxPool{n}d"),
        "The greatest of each window.",
    )
    function(
        f"avg_pool{n}d({window}, padding: {k} = 0, ceil_mode: bool = False,"
        f" count_include_pad: bool = True{divisor})",
        f"F.avg_pool{n}d",
        as_layer(f"AvgPool{n}d"),
        "The mean of each window.",
    )
    # torch's lp_pool1d can't take a list.
    plain = "int1" if n == 1 else k
    function(
        f"lp_pool{n}d(input: tensor, norm_type: float, kernel_size: {plain},"
        f" stride: {plain}? = None, ceil_mode: bool = False)",
        f"F.lp_pool{n}d",
        as_layer(f"LPPool{n}d"),
        "The power mean (without the division) of each window.",
    )
    function(
        f"adaptive_avg_pool{n}d(input: tensor, output_size: ints)",
        f"F.adaptive_avg_pool{n}d",
        as_layer(f"AdaptiveAvgPool{n}d"),
        "The mean of windows that give the sizes asked for.",
    )
    function(
        f"adaptive_max_pool{n}d(input: tensor, output_size: ints,"
        " return_indices: bool = False)",
        f"F.adaptive_max_pool{n}d",
        as_layer(f"AdaptiveMaxPool{n}d"),
        "The greatest of windows that give the sizes asked for.",
    )
    function(
        f"max_unpool{n}d(input: tensor, indices: tensor, kernel_size: ints,"
        " stride: ints? = None, padding: ints = 0,"
        " output_size: ints? = None)",
        f"F.max_unpool{n}d",
        _unpool(n),
        f"Puts what max_pool{n}d took back in its places, among zeros.",
    )
    if n > 1:
        function(
            f"fractional_max_pool{n}d(input: tensor, kernel_size: {k},"
            f" output_size: {k}? = None, output_ratio: floats? = None,"
            " return_indices: bool = False)",
            f"F.fractional_max_pool{n}d",
            _fractional(n),
            "The greatest of windows at random places.",
        )


for _n in (1, 2, 3):
    _declare_pools(_n)

_PATCHES = "kernel_size: int2, dilation: int2 = 1, padding: int2 = 0, stride: int2 = 1"
function(
    f"unfold(input: tensor, {_PATCHES})",
    "F.unfold",
    as_layer("Unfold"),
    "The patches of an image, each a column.",
)
function(
    f"fold(input: tensor, output_size: int2, {_PATCHES})",
    "F.fold",
    as_layer("Fold"),
    "Patches added up to an image: the reverse of unfold.",
)

# -- padding -------------------------------------------------------------------


def _pad(c: Call) -> Tensor:
    tensor = keep(c)
    amounts = c.known("pad")
    mode = c.known("mode")
    if not isinstance(amounts, tuple) or len(amounts) % 2:
        raise c.bad(
            "pad",
            "`pad` is a list of pairs: before and after the last size, then the one"
            " ahead of it",
        )
    if mode != "constant":
        _check_mode(c, tensor, len(amounts) // 2)
    shape = tensor.shape
    if shape.rank is not None and shape.rank < len(amounts) // 2:
        raise c.refuse(
            f"`pad` has {len(amounts) // 2} pairs, and {tensor} has {shape.rank} sizes",
            f"{tensor} flows in",
        )
    for i in range(len(amounts) // 2):
        before, after = amounts[2 * i : 2 * i + 2]
        shape = shape.replace(-1 - i, _padded(c, shape.at(-1 - i), before, after, mode))
    return tensor.with_shape(shape)


def _check_mode(c: Call, tensor: Tensor, pairs: int) -> None:
    if c.value is not None and c.value != 0:
        raise c.bad("value", f'`value` goes with `mode="constant"`, not "{c.mode}"')
    if not 1 <= pairs <= 3:
        raise c.bad("pad", f'`mode="{c.mode}"` pads the last one, two or three sizes')
    c.rank(tensor, pairs + 1, pairs + 2)
    if c.mode != "circular":
        not_bool(c)


def _padded(c: Call, size: Size, before: Size, after: Size, mode: str) -> Size:
    text = f"`pad` takes {show(size)} of {c.input}, {show(before)} and {show(after)}"
    if mode in ("reflect", "circular"):
        most = size - 1 if mode == "reflect" else size
        for amount in (before, after):
            c.require(Comparison("<=", amount, most), f'{text}: too much for "{mode}"')
    result = size + before + after
    c.require(Comparison(">=", result, 1), f"{text}: {show(result)} are left")
    return result


function(
    'pad(input: tensor, pad: ints, mode: "constant" "reflect" "replicate" "circular"'
    ' = "constant", value: float? = None)',
    "F.pad",
    _pad,
    "Adds to the ends of sizes, from the last inward; negative amounts cut.",
)

# -- other resolutions ---------------------------------------------------------

_RANKS = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}


def _interpolate(c: Call) -> Tensor:
    tensor = keep(c)
    mode = c.known("mode")
    if tensor.dtype != "uint8":
        c.floating(tensor)
    c.rank(tensor, *_RANKS.get(mode, (3, 4, 5)))
    if mode not in _RANKS and c.align_corners is not None:
        raise c.bad("align_corners", f'`align_corners` means nothing for mode "{mode}"')
    if c.antialias is True and mode not in ("bilinear", "bicubic"):
        raise c.bad("antialias", '`antialias` goes with mode "bilinear" or "bicubic"')
    if c.recompute_scale_factor is True and c.size is not None:
        raise c.bad("recompute_scale_factor", "there is no scale to compute again")
    sizes = tensor.shape.sizes
    return tensor.with_shape(Shape((*sizes[:2], *resized(c, sizes[2:]))))


def _grid_sample(c: Call) -> Tensor:
    tensor, grid = keep(c), c.grid
    c.floating(tensor)
    c.rank(tensor, 4, 5)
    sizes = tensor.shape.sizes
    c.rank(grid, len(sizes), name="its grid")
    c.same_dtype(tensor, grid)
    text = f"`grid_sample` reads {tensor} at {grid}"
    c.equal(sizes[0], grid.shape.at(0), f"{text}: the batches differ")
    axes = len(sizes) - 2
    c.equal(grid.shape.at(-1), axes, f"{text}: the last size of the grid is {axes}")
    if c.known("mode") == "bicubic" and axes == 3:
        raise c.bad("mode", '`mode="bicubic"` goes with [N, C, H, W]')
    return tensor.with_shape(Shape((*sizes[:2], *grid.shape.sizes[1:-1])))


def _affine_grid(c: Call) -> Tensor:
    theta: Tensor = c.theta
    c.floating(theta, "`theta`")
    size = c.known("size")
    if not isinstance(size, tuple) or len(size) not in (4, 5):
        raise c.bad(
            "size", "`size` of `affine_grid` is that of the image, [N, C, H, W]"
        )
    axes = len(size) - 2
    c.rank(theta, 3, name="`theta`")
    c.at_least("size")
    wanted = fixed(size[0], axes, axes + 1)
    for a, b in zip(theta.shape.sizes, wanted.sizes, strict=True):
        c.equal(a, b, f"`theta` of `affine_grid` is {theta}, not {wanted}")
    return Tensor(fixed(size[0], *size[2:], axes), theta.dtype)


function(
    "interpolate(input: tensor, size: ints? = None, scale_factor: floats? = None,"
    ' mode: "nearest" "linear" "bilinear" "bicubic" "trilinear" "area"'
    ' "nearest-exact" = "nearest", align_corners: bool? = None,'
    " recompute_scale_factor: bool? = None, antialias: bool = False)",
    "F.interpolate",
    _interpolate,
    "The image in another resolution, by `size` or by `scale_factor`.",
)
function(
    'grid_sample(input: tensor, grid: tensor, mode: "bilinear" "nearest" "bicubic"'
    ' = "bilinear", padding_mode: "zeros" "border" "reflection" = "zeros",'
    " align_corners: bool? = None)",
    "F.grid_sample",
    _grid_sample,
    "The image read at the places that a grid names.",
)
function(
    "affine_grid(theta: tensor, size: ints, align_corners: bool? = None)",
    "F.affine_grid",
    _affine_grid,
    "The grid of an affine map, for grid_sample.",
)
