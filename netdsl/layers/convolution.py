"""Convolutions, and the transposed ones."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.dims import Size, maximum, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, layer
from netdsl.shapes import Shape, Tensor


def windows(
    c: Call,
    size: Size,
    kernel: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> Size:
    """How many windows fit: `(n + 2*p - d*(k - 1) - 1) // s + 1`.

    `padding` is that of one side.
    """
    span = size + (2 * padding - dilation * (kernel - 1) - 1)

    def too_wide() -> str:
        padded = f" padded by {show(padding)}" if padding != 0 else ""
        return (
            f"the kernel of `{c.declaration.name}` is wider than its input:"
            f" {show(dilation * (kernel - 1) + 1)} on {show(size)}{padded}"
        )

    c.require(Comparison(">=", span, 0), too_wide)
    return span // stride + 1


def split_batch(c: Call, n: int) -> tuple[tuple[Size, ...], Size, tuple[Size, ...]]:
    """The sizes ahead of the channels (one, or none), the channels, and the rest."""
    tensor: Tensor = c.input
    c.rank(tensor, n + 1, n + 2)
    sizes = tensor.shape.sizes
    return sizes[: -n - 1], sizes[-n - 1], sizes[-n:]


def _check(c: Call, channels: Size) -> None:
    c.floating(c.input)
    c.equal(
        channels,
        c.in_channels,
        lambda: f"`{c.declaration.name}` reads {show(c.in_channels)} channels,"
        f" and {c.input} flows in",
    )
    c.at_least("out_channels", "kernel_size", "stride", "dilation", "groups")
    c.at_least("padding", least=0)
    for name in ("in_channels", "out_channels"):
        count = c.values[name]
        if c.groups == 1:
            break
        c.equal(
            count % c.groups,
            0,
            f"`groups` of `{c.declaration.name}` divides `{name}`, and"
            f" {show(c.groups)} does not divide {show(count)}",
        )


def _conv(n: int) -> Rule:
    def rule(c: Call) -> Tensor:
        batch, channels, sizes = split_batch(c, n)
        _check(c, channels)
        padding = c.known("padding")
        out: tuple[Size, ...]
        if padding == "same":
            _same_padding(c, sizes)
            out = sizes
        else:
            steps = c.known("kernel_size"), c.known("stride"), c.known("dilation")
            paddings = (0,) * n if padding == "valid" else padding
            for size, amount in zip(sizes, paddings, strict=True):
                _padding_mode(c, size, amount)
            out = tuple(
                windows(c, size, k, s, p, d)
                for size, k, s, d, p in zip(sizes, *steps, paddings, strict=True)
            )
        return Tensor(Shape((*batch, c.out_channels, *out)), c.input.dtype)

    return rule


def _same_padding(c: Call, sizes: tuple[Size, ...]) -> None:
    for stride in c.known("stride"):
        if c.facts.equal(stride, 1) is False:
            raise c.bad(
                "padding",
                f'`padding="same"` goes with a stride of 1, not {show(stride)}',
            )
    if c.padding_mode in ("reflect", "circular"):
        steps = zip(sizes, c.known("kernel_size"), c.known("dilation"), strict=True)
        for size, k, d in steps:
            # torch pads the right side by one more where the sum is odd.
            _padding_mode(c, size, (d * (k - 1) + 1) // 2)


def _padding_mode(c: Call, size: Size, padding: Size) -> None:
    mode = c.padding_mode
    if mode == "reflect":
        most = size - 1
    elif mode == "circular":
        most = size
    else:
        return
    c.require(
        Comparison("<=", padding, most),
        f'`padding_mode="{mode}"` of `{c.declaration.name}` has only {show(size)}'
        f" to take {show(padding)} from",
    )


def _conv_weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    bias = {"bias": (c.out_channels,)} if c.known("bias") else {}
    kernel = c.known("kernel_size")
    return {"weight": (c.out_channels, c.in_channels // c.groups, *kernel), **bias}


def _transposed_weights(c: Call) -> Mapping[str, tuple[Size, ...]]:
    bias = {"bias": (c.out_channels,)} if c.known("bias") else {}
    kernel = c.known("kernel_size")
    return {"weight": (c.in_channels, c.out_channels // c.groups, *kernel), **bias}


def _conv_flops(c: Call) -> Size:
    result = c.declaration.rule(c)
    assert isinstance(result, Tensor)
    count: Size = 2 * result.shape.numel * (c.in_channels // c.groups)
    for size in c.known("kernel_size"):
        count = count * size
    return count


def _transposed_flops(c: Call) -> Size:
    count: Size = 2 * c.input.shape.numel * (c.out_channels // c.groups)
    for size in c.known("kernel_size"):
        count = count * size
    return count


def _transposed(n: int) -> Rule:
    def rule(c: Call) -> Tensor:
        batch, channels, sizes = split_batch(c, n)
        _check(c, channels)
        wanted = _wanted_sizes(c, n, len(batch) + 1)
        steps = [c.known(a) for a in ("kernel_size", "stride", "dilation", "padding")]
        out = []
        for i, (size, k, s, d, p) in enumerate(zip(sizes, *steps, strict=True)):
            least = (size - 1) * s - 2 * p + d * (k - 1) + 1
            extra = (
                c.known("output_padding")[i] if wanted is None else wanted[i] - least
            )
            out.append(_grown(c, least, extra, s, d, wanted is not None))
        return Tensor(Shape((*batch, c.out_channels, *out)), c.input.dtype)

    return rule


def _wanted_sizes(c: Call, n: int, others: int) -> tuple[Size, ...] | None:
    """The spatial sizes of `output_size`, which may have the other sizes ahead."""
    if c.output_size is None:
        c.at_least("output_padding", least=0)
        return None
    wanted = c.known("output_size")
    if not isinstance(wanted, tuple) or len(wanted) not in (n, n + others):
        raise c.bad(
            "output_size",
            f"`output_size` of `{c.declaration.name}` is a list of {n} sizes here",
        )
    return wanted[-n:]


def _grown(c: Call, least: Size, extra: Size, s: Size, d: Size, asked: bool) -> Size:
    name = c.declaration.name
    if asked:
        text = f"`{name}` can't give {show(least + extra)}: it gives {show(least)}"
        c.require(Comparison(">=", extra, 0), f"{text} or more")
        c.require(Comparison("<", extra, s), f"{text} to {show(least + s - 1)}")
    c.require(
        Comparison("<", extra, maximum(s, d)),
        f"`output_padding` of `{name}` is less than its stride or dilation,"
        f" not {show(extra)}",
    )
    c.require(
        Comparison(">=", least + extra, 1),
        f"`{name}` cuts off more than there is: {show(least + extra)} are left",
    )
    return least + extra


def _declare(n: int) -> None:
    what = ("a line", "an image", "a volume")[n - 1]
    layer(
        f"Conv{n}d(in_channels: size[{-n - 1}], out_channels: int,"
        f" kernel_size: int{n}, stride: int{n} = 1,"
        f' padding: int{n} | "same" "valid" = 0,'
        f" dilation: int{n} = 1, groups: int = 1, bias: bool = True,"
        ' padding_mode: "zeros" "reflect" "replicate" "circular" = "zeros")',
        _conv(n),
        f"Slides learned windows over {what}: one output channel for each.",
        parameters=_conv_weights,
        flops=_conv_flops,
    )
    layer(
        f"ConvTranspose{n}d(in_channels: size[{-n - 1}], out_channels: int,"
        f" kernel_size: int{n}, stride: int{n} = 1, padding: int{n} = 0,"
        f" output_padding: int{n} = 0, groups: int = 1, bias: bool = True,"
        f' dilation: int{n} = 1, padding_mode: "zeros" = "zeros")',
        _transposed(n),
        f"The reverse of `Conv{n}d` in sizes: each input value lays down a window.",
        call="input: tensor, output_size: ints? = None",
        parameters=_transposed_weights,
        flops=_transposed_flops,
    )


for _n in (1, 2, 3):
    _declare(_n)
