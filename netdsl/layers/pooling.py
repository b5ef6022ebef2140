"""Pooling: a window becomes one value."""

from __future__ import annotations

from collections.abc import Iterable

from netdsl.dims import Size, minimum, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.convolution import split_batch
from netdsl.layers.resampling import scaled
from netdsl.layers.spec import Result, Rule, layer
from netdsl.shapes import Shape, Tensor

AXES = ("a line", "an image", "a volume")


def pooled(
    c: Call,
    size: Size,
    kernel: Size,
    stride: Size,
    padding: Size = 0,
    dilation: Size = 1,
) -> Size:
    """How many windows there are; with `ceil_mode` the last may hang over."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if c.known("ceil_mode"):
        # It still has to start inside the input or the left padding.
        span = minimum(span + stride - 1, size + padding - 1)
    c.require(
        Comparison(">=", span, 0),
        f"the window of `{c.declaration.name}` is wider than its input:"
        f" {show(dilation * (kernel - 1) + 1)} on {show(size)}",
    )
    return span // stride + 1


def _padding(c: Call, padding: Size, width: Size) -> None:
    c.require(
        Comparison("<=", 2 * padding, width),
        f"`padding` of `{c.declaration.name}` is at most half of its window:"
        f" {show(padding)} for {show(width)}",
    )


def _result(
    c: Call, batch: tuple[Size, ...], channels: Size, out: Iterable[Size]
) -> Tensor:
    return Tensor(Shape((*batch, channels, *out)), c.input.dtype)


def _with_indices(c: Call, result: Tensor) -> Result:
    if c.known("return_indices"):
        return result, Tensor(result.shape, "int64")
    return result


def _whole_window(c: Call, n: int, size: Size, kernel: Size) -> None:
    # In a volume torch wants one window that needs no padding.
    if n == 3:
        c.require(
            Comparison(">=", size, kernel),
            f"the window of `{c.declaration.name}` is wider than its input:"
            f" {show(kernel)} on {show(size)}",
        )


def max_pool(n: int) -> Rule:
    def rule(c: Call) -> Result:
        batch, channels, sizes = split_batch(c, n)
        c.floating(c.input)
        c.at_least("kernel_size", "stride", "dilation")
        c.at_least("padding", least=0)
        kernel = c.known("kernel_size")
        stride = kernel if c.stride is None else c.known("stride")
        out = []
        for size, k, s, p, d in zip(
            sizes, kernel, stride, c.known("padding"), c.known("dilation"), strict=True
        ):
            # torch leaves the dilation out of this.
            _padding(c, p, k)
            out.append(pooled(c, size, k, s, p, d))
        return _with_indices(c, _result(c, batch, channels, out))

    return rule


def avg_pool(n: int) -> Rule:
    def rule(c: Call) -> Result:
        batch, channels, sizes = split_batch(c, n)
        c.floating(c.input)
        c.at_least("kernel_size", "stride")
        c.at_least("padding", least=0)
        kernel = c.known("kernel_size")
        stride = kernel if c.stride is None else c.known("stride")
        out = []
        for size, k, s, p in zip(
            sizes, kernel, stride, c.known("padding"), strict=True
        ):
            _padding(c, p, k)
            _whole_window(c, n, size, k)
            out.append(pooled(c, size, k, s, p))
        if n > 1 and c.divisor_override == 0:
            raise c.bad("divisor_override", "`divisor_override` can't be 0")
        return _result(c, batch, channels, out)

    return rule


def lp_pool(n: int) -> Rule:
    def rule(c: Call) -> Result:
        batch, channels, sizes = split_batch(c, n)
        c.floating(c.input)
        c.at_least("kernel_size", "stride")
        kernel = c.known("kernel_size")
        stride = kernel if c.stride is None else c.known("stride")
        out = []
        for size, k, s in zip(sizes, kernel, stride, strict=True):
            _whole_window(c, n, size, k)
            out.append(pooled(c, size, k, s))
        return _result(c, batch, channels, out)

    return rule


def adaptive_pool(n: int, indices: bool) -> Rule:
    def rule(c: Call) -> Result:
        batch, channels, sizes = split_batch(c, n)
        c.floating(c.input)
        c.at_least("output_size")
        wanted = c.known("output_size")
        if not isinstance(wanted, tuple):
            wanted = (wanted,) * n
        if len(wanted) != n:
            raise c.bad(
                "output_size",
                f"`output_size` of `{c.declaration.name}` has {n} sizes,"
                f" not {len(wanted)}",
                help="write None for a size that stays",
            )
        out = [s if w is None else w for s, w in zip(sizes, wanted, strict=True)]
        result = _result(c, batch, channels, out)
        return _with_indices(c, result) if indices else result

    return rule


def fractional_max_pool(n: int) -> Rule:
    def rule(c: Call) -> Result:
        batch, channels, sizes = split_batch(c, n)
        c.floating(c.input)
        c.at_least("kernel_size", "output_size")
        if (c.known("output_size") is None) == (c.known("output_ratio") is None):
            raise c.bad(
                "output_size",
                f"`{c.declaration.name}` takes either `output_size` or `output_ratio`",
            )
        if c.output_size is not None:
            out = c.output_size
        else:
            out = tuple(
                _part(c, s, r) for s, r in zip(sizes, _ratios(c, n), strict=True)
            )
        for size, k, o in zip(sizes, c.known("kernel_size"), out, strict=True):
            # torch wants one more in a volume.
            c.require(
                Comparison("<=", o + k - 1 if n == 2 else o + k, size),
                f"`{c.declaration.name}` can't place {show(o)} windows of {show(k)}"
                f" on {show(size)}",
            )
        return _with_indices(c, _result(c, batch, channels, out))

    return rule


def _ratios(c: Call, n: int) -> tuple[float, ...]:
    ratio = c.known("output_ratio")
    ratios = ratio if isinstance(ratio, tuple) else (ratio,) * n
    if len(ratios) != n or not all(0 < r < 1 for r in ratios):
        raise c.bad(
            "output_ratio", "`output_ratio` is between 0 and 1, one for each axis"
        )
    return ratios


def _part(c: Call, size: Size, ratio: float) -> Size:
    part = scaled(size, ratio, "output_ratio")
    c.require(Comparison(">=", part, 1), f"{ratio} of {show(size)} is less than 1")
    return part


def max_unpool(n: int) -> Rule:
    def rule(c: Call) -> Result:
        batch, channels, sizes = split_batch(c, n)
        c.floating(c.input)
        indices: Tensor = c.indices
        text = f"`indices` of `{c.declaration.name}` has the shape of its input"
        if indices.dtype not in ("int64", "any"):
            raise c.refuse(
                f"`indices` of `{c.declaration.name}` is int64, not {indices}"
            )
        c.rank(indices, len(c.input.shape.sizes), name="`indices`")
        for a, b in zip(c.input.shape.sizes, indices.shape.sizes, strict=True):
            c.equal(a, b, f"{text}, and they are {c.input} and {indices}")
        kernel = c.known("kernel_size")
        stride = kernel if c.stride is None else c.known("stride")
        least = tuple(
            (size - 1) * s - 2 * p + k
            for size, k, s, p in zip(
                sizes, kernel, stride, c.known("padding"), strict=True
            )
        )
        out = least if c.output_size is None else _unpooled(c, n, least, stride)
        for size in out:
            c.require(Comparison(">=", size, 1), f"{show(size)} would be left")
        return _result(c, batch, channels, out)

    return rule


def _unpooled(
    c: Call, n: int, usual: tuple[Size, ...], stride: tuple[Size, ...]
) -> tuple[Size, ...]:
    wanted = c.known("output_size")
    if not isinstance(wanted, tuple) or len(wanted) not in (n, n + 2):
        raise c.bad("output_size", f"`output_size` is a list of {n} sizes here")
    wanted = wanted[-n:]
    for size, normal, s in zip(wanted, usual, stride, strict=True):
        text = f"`{c.declaration.name}` gives {show(normal)}, or less than a stride off"
        c.require(Comparison("<", size, normal + s), text)
        c.require(Comparison(">", size, normal - s), text)
    return wanted


def _declare(n: int) -> None:
    k, what = f"int{n}", AXES[n - 1]
    divisor = ", divisor_override: int? = None" if n > 1 else ""
    # torch's LPPool1d can't take a list.
    plain = "int1" if n == 1 else k
    layer(
        f"MaxPool{n}d(kernel_size: {k}, stride: {k}? = None, padding: {k} = 0,"
        f" dilation: {k} = 1, return_indices: bool = False, ceil_mode: bool = False)",
        max_pool(n),
        f"The largest value of each window of {what}.",
    )
    layer(
        f"AvgPool{n}d(kernel_size: {k}, stride: {k}? = None, padding: {k} = 0,"
        f" ceil_mode: bool = False, count_include_pad: bool = True{divisor})",
        avg_pool(n),
        f"The mean of each window of {what}.",
    )
    layer(
        f"LPPool{n}d(norm_type: float, kernel_size: {plain}, stride: {plain}? = None,"
        " ceil_mode: bool = False)",
        lp_pool(n),
        f"The power mean (without the division) of each window of {what}.",
    )
    # None stands for a size only inside a list, and not in one dimension.
    sizes = "int1" if n == 1 else "ints"
    layer(
        f"AdaptiveAvgPool{n}d(output_size: {sizes})",
        adaptive_pool(n, indices=False),
        f"Means over {what}, as many as asked for.",
    )
    layer(
        f"AdaptiveMaxPool{n}d(output_size: {sizes}, return_indices: bool = False)",
        adaptive_pool(n, indices=True),
        f"Maxima over {what}, as many as asked for.",
    )
    layer(
        f"MaxUnpool{n}d(kernel_size: {k}, stride: {k}? = None, padding: {k} = 0)",
        max_unpool(n),
        f"Puts the values that `MaxPool{n}d` took back in their places, among zeros.",
        call="input: tensor, indices: tensor, output_size: ints? = None",
    )
    if n > 1:
        layer(
            f"FractionalMaxPool{n}d(kernel_size: {k}, output_size: {k}? = None,"
            " output_ratio: floats? = None, return_indices: bool = False)",
            fractional_max_pool(n),
            f"Maxima over {what}, of windows at random places.",
        )


for _n in (1, 2, 3):
    _declare(_n)
