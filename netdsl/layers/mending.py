"""What to type where shapes don't fit: the number to write, the dimension to name,
the tensor to project.  Asked only once a rule has refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from math import gcd
from typing import Any

from netdsl.dims import Dim, Size, atoms, cancel, floordiv, modulo, show
from netdsl.layers.spec import Declaration, Value
from netdsl.shapes import FLOATS, Refusal, Tensor

Given = Mapping[str, Value]
Words = Container[str]
Mender = Callable[[str, Given, list[Tensor], Words], str]

_MANY = 12
"""A kernel wider than this was rather meant as a number of channels."""


def way_out(
    declaration: Declaration, refusal: Refusal, given: Given, words: Words
) -> str:
    """The help for a refusal that has none; empty where nothing is known to mend it.

    `words` are those that stand in the text.
    """
    if refusal.help or refusal.code not in ("shape-mismatch", "wrong-dtype"):
        return refusal.help
    tensors = [t for value in given.values() for t in _tensors(value)]
    name = declaration.name
    if not tensors:
        return refusal.last_help
    if refusal.code == "wrong-dtype":
        return _as_float(name, tensors[0])
    for parameter in declaration.signature.parameters:
        if parameter.inferred and parameter.name in words:
            return f"leave `{parameter.name}` out: it follows from what flows in"
    family = re.sub(r"[123]d$", "", name)
    menders = [_of_other_rank, *_MENDERS.get(family, ())]
    found = (mender(name, given, tensors, words) for mender in menders)
    return next(filter(None, found), refusal.last_help)


def _tensors(value: Value) -> Sequence[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [v for v in value if isinstance(v, Tensor)]
    return []


def _as_float(name: str, tensor: Tensor) -> str:
    if tensor.dtype in FLOATS or tensor.dtype in ("float", "any"):
        return ""
    looked_up = tensor.dtype in ("int64", "int32") and name == "Linear"
    other = "; `Embedding` looks numbers up" if looked_up else ""
    return f"convert it: `-> to(float32)`{other}"


def _of_other_rank(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    found = re.search(r"([123])d$", name)
    rank = tensors[0].shape.rank
    norm = name.startswith(("BatchNorm", "InstanceNorm"))
    fine = (_usual(name), _usual(name) - (not norm)) if found else ()
    if not found or rank is None or rank in fine:
        return ""
    from netdsl.layers import FUNCTIONS, LAYERS

    other = f"{name[:-2]}{rank - 2}d"
    if other in LAYERS or other in FUNCTIONS:
        second = ", the channels second" if norm else ""
        return f"`{other}` takes tensors of {rank} sizes{second}"
    if norm and rank == 2:
        return f"`{name[:-2]}1d` takes tensors of 2 sizes"
    if rank == 2 and "2" in name:
        return "an image has 4 sizes, `[N, channels, height, width]`, until `flatten`"
    return "give it the missing size: `-> unsqueeze(1)`" if rank == 2 else ""


def _usual(name: str) -> int:
    return int(name[-2]) + 2


# -- windows ---------------------------------------------------------------------


def _channels_last(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    shape = tensors[0].shape
    sizes = shape.head
    if shape.star is not None or len(sizes) != 4 or "2" not in name:
        return ""
    wide = isinstance(sizes[1], Dim) or sizes[1] == sizes[2]
    if sizes[3] in (1, 3, 4) and wide and sizes[2] != sizes[3]:
        return (
            "channels come first: `-> permute(0, 3, 1, 2)`, or declare the input as"
            f" `[{show(sizes[0])}, {sizes[3]}, {show(sizes[1])}, {show(sizes[2])}]`"
        )
    return ""


def _kernel_meant_as_channels(
    name: str, given: Given, tensors: list[Tensor], words: Words
) -> str:
    kernel, out = _each(given.get("kernel_size")), given.get("out_channels")
    channels = given.get("in_channels")
    if kernel and out == channels and isinstance(kernel[0], int) and kernel[0] > _MANY:
        return (
            "the number of channels that flow in is not written:"
            f" `{name}({kernel[0]}, KERNEL_SIZE)`"
        )
    return ""


def _enough_padding(
    name: str, given: Given, tensors: list[Tensor], words: Words
) -> str:
    kernel = _each(given.get("kernel_size"))
    image = tensors[0].shape.head[-len(kernel) :] if kernel else ()
    padding, dilation = _each(given.get("padding")), _each(given.get("dilation"))
    if not all(isinstance(v, int) for v in (*kernel, *image)) or not image:
        return ""
    if len(image) != len(kernel):
        return ""
    needs = []
    for i, (size, width) in enumerate(zip(image, kernel, strict=True)):
        step = dilation[i] if i < len(dilation) else 1
        if isinstance(step, int):
            needs.append(step * (width - 1) + 1 - size)
    if not needs or max(needs) <= 0 or not padding:
        return ""
    most = min(width // 2 for width in kernel)
    wanted = (max(needs) + 1) // 2
    if "pool" in name.lower() and wanted > most:
        return "take a smaller window, or take out a pooling above"
    return f"write `padding={wanted}`, a smaller kernel, or take out a pooling above"


def _half_window(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    kernel, padding = _each(given.get("kernel_size")), _each(given.get("padding"))
    if not all(isinstance(v, int) for v in (*kernel, *padding)) or not kernel:
        return ""
    most = min(kernel) // 2
    return f"write `padding={most}`" if padding and max(padding) > most else ""


def _even_groups(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    groups, into, out = (
        given.get(n) for n in ("groups", "in_channels", "out_channels")
    )
    if not isinstance(groups, int) or not isinstance(into, int):
        return ""
    if not isinstance(out, int) or (into % groups == 0 and out % groups == 0):
        return ""
    found = near_divisors(gcd(into, out), groups)
    shown = " or ".join(f"`groups={d}`" for d in found)
    return f"write {shown}, which divides both {into} and {out}"


# -- sizes that divide -----------------------------------------------------------


def _group_norm(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    groups, channels = given.get("num_groups"), given.get("num_channels")
    if isinstance(groups, int) and isinstance(channels, int):
        return _even(channels, groups, "groups")
    return ""


def _even_heads(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    heads = given.get("num_heads", given.get("nhead"))
    width = given.get("embed_dim", given.get("d_model"))
    if isinstance(heads, int) and isinstance(width, int) and width % heads:
        return _even(width, heads, "heads")
    return ""


def near_divisors(whole: int, wanted: int) -> list[int]:
    """The divisors of a number that are nearest to the one that was wanted."""
    below = next((d for d in range(min(wanted, whole), 0, -1) if whole % d == 0), 1)
    above = next((d for d in range(wanted, whole + 1) if whole % d == 0), whole)
    return sorted({below, above})


def _even(whole: int, wanted: int, what: str) -> str:
    shown = " or ".join(map(str, near_divisors(whole, wanted)))
    return f"{shown} {what} come out even"


def _shuffled(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    factor = given.get("upscale_factor")
    shape = tensors[0].shape
    channels = shape.head[-3] if len(shape.head) >= 3 else None
    if not isinstance(factor, int) or not isinstance(channels, int):
        return ""
    area = factor * factor
    near = sorted({max(area, channels // area * area), -(-channels // area) * area})
    shown = " or ".join(map(str, near))
    return f"{shown} channels come out even: {area} times as many as you want"


# -- features --------------------------------------------------------------------


def _features(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    last = tensors[0].shape.tail or tensors[0].shape.head
    if not last or given.get("in_features") in (None, last[-1]):
        return ""
    out = given.get("out_features")
    return (
        f"for a layer of its own, give it another name: `fc2: Linear({_shown(out)})`"
        if isinstance(out, int | Dim)
        else "for a layer of its own, give it another name"
    )


def _transposed(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    if len(tensors) < 2 or min(len(t.shape.head) for t in tensors[:2]) < 2:
        return ""
    a, b = tensors[0].shape.head, tensors[1].shape.head
    if a[-1] == b[-1]:
        return "transpose the second: `b -> transpose(-2, -1)`, or `b.mT`"
    if a[-2] == b[-2]:
        return "transpose the first: `a -> transpose(-2, -1)`, or `a.mT`"
    return f"project the first to {show(b[-2])}: `-> Linear({show(b[-2])})`"


def _projected(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    if len(tensors) < 2:
        return ""
    one, two = tensors[0].shape.head, tensors[1].shape.head
    if len(one) == len(two):
        if len(one) == 2 and one == two[::-1] and one[0] != one[1]:
            return "transpose one of them: `x.T`"
        unlike = [
            i
            for i, (a, b) in enumerate(zip(one, two, strict=True))
            if a != b and 1 not in (a, b)
        ]
        if any(_unrelated(one[i], two[i]) for i in unlike):
            return ""
        if unlike == [len(one) - 1]:
            return f"project the second: `-> Linear({show(one[-1])})`"
        if len(one) == 4 and unlike == [1] and 1 in one[2:]:
            return f"project the first: `-> Conv2d({show(two[1])}, 1)`"
        if len(one) == 4 and unlike == [1]:
            return f"project the second: `-> Conv2d({show(one[1])}, 1)`"
        if len(one) == 4 and unlike and set(unlike) <= {2, 3}:
            return sizes_apart(one, two) or _resized(one)
        return ""
    short, long = sorted((one, two), key=len)
    if short and short == long[: len(short)]:
        more = ", ".join(["..."] + ["None"] * (len(long) - len(short)))
        return f"sizes meet from the right; for more on the right write `[{more}]`"
    return ""


def _unrelated(a: Size, b: Size) -> bool:
    """Whether two sizes are made of other names: they may well be equal."""
    ours, theirs = set(atoms(a)), set(atoms(b))
    return bool(ours and theirs) and ours.isdisjoint(theirs)


def sizes_apart(one: Sequence[Size], two: Sequence[Size], joined: bool = False) -> str:
    """Why two images may be of different size, and what brings them together; empty
    if neither padding, a stride nor, of those that are `joined`, a halving tells."""
    pairs = [(a, b) for a, b in zip(one[2:], two[2:], strict=True) if a != b]
    if not pairs:
        return ""
    numbers = all(isinstance(a, int) and isinstance(b, int) for a, b in pairs)
    ordered = [sorted(p) for p in pairs] if numbers else []  # type: ignore[type-var]
    if ordered and all(b == 2 * a for a, b in ordered):
        return (
            "one is half the other: give both the same `stride`, take both on the same"
            f" side of a pooling, or write `-> interpolate(size=({_pair(one)}))`"
        )
    if joined and ordered and all(b == a + 1 and a % 2 == 0 for a, b in ordered):
        return (
            "an odd size halved and doubled is one less: let the image be a multiple"
            f" of what it is divided by, or write `-> interpolate(size=({_pair(one)}))`"
        )
    apart = [a - b for a, b in pairs]
    if all(isinstance(d, int) and abs(d) <= _WIDE for d in apart):
        odd = any(d % 2 for d in apart if isinstance(d, int))
        more = " and an odd kernel" if odd else ": 1 for a kernel of 3"
        return f"a convolution keeps the size of the image with `padding`{more}"
    return ""


_WIDE = 80
"""More pixels than this are rarely lost for want of padding."""


def _pair(sizes: Sequence[Size]) -> str:
    return f"{show(sizes[2])}, {show(sizes[3])}"


def _resized(sizes: Sequence[Size]) -> str:
    size = f"({_pair(sizes)})"
    return f"bring one to the size of the other: `-> interpolate(size={size})`"


def _joined(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    heads, dim = [t.shape.head for t in tensors], given.get("dim", 0)
    if len({len(h) for h in heads}) > 1:
        most = max(heads, key=len)
        least = min(heads, key=len)
        if len(least) == 2 and len(most) == 4:
            return (
                "give the small one the sizes of an image:"
                " `y[..., None, None] -> expand("
                f"{', '.join(show(s) for s in (*least, *most[2:]))})`"
            )
        return ""
    single = next((h for h in heads if 1 in h), None)
    if single is not None and name == "cat":
        wide = next(h for h in heads if h is not single)
        shown = ", ".join(
            show(b) if a == 1 and b != 1 and i != dim else "-1"
            for i, (a, b) in enumerate(zip(single, wide, strict=True))
        )
        return f"`cat` doesn't broadcast: `-> expand({shown})` of the smaller"
    other = next((h for h in heads if h[2:] != heads[0][2:]), None)
    if len(heads[0]) == 4 and other is not None:
        if any(map(_unrelated, heads[0][2:], other[2:])):
            return ""
        return sizes_apart(heads[0], other, joined=True) or _resized(heads[0])
    if name == "stack" and len(heads[0]) == 2:
        return "`cat` joins tensors of other sizes: `-> cat(dim=1)`"
    return ""


def brought_to(declared: Sequence[str], tensor: Tensor) -> str:
    """What makes of a tensor one of the declared sizes, as they are written."""
    given = tensor.shape.head
    if tensor.shape.star is not None:
        return ""
    if len(given) == 4 and len(declared) == 2:
        return "an image becomes a vector by `-> adaptive_avg_pool2d(1) -> flatten(1)`"
    if len(given) == len(declared) + 1 and len(declared) == 2:
        return "of a sequence, take the mean or one step: `-> mean(1)`, `x[:, -1]`"
    if len(given) != len(declared):
        return ""
    unlike = [
        i
        for i, word in enumerate(declared)
        if word.isdigit() and isinstance(given[i], int) and int(word) != given[i]
    ]
    if unlike == [len(given) - 1] and len(given) < 4:
        return f"project it before: `-> Linear({declared[-1]})`"
    if unlike == [1] and len(given) == 4:
        return f"project it before: `-> Conv2d({declared[1]}, 1)`"
    if len(given) == 4 and unlike and set(unlike) <= {2, 3}:
        size = f"({declared[2]}, {declared[3]})"
        return f"resize it before: `-> interpolate(size={size})`"
    return ""


# -- elements --------------------------------------------------------------------


def _fitting_view(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    shape = next((v for v in given.values() if isinstance(v, tuple)), ())
    source = tensors[0].shape
    if source.star is not None or not shape or any(s == -1 for s in shape):
        return ""
    for i in reversed(range(len(shape))):
        if not isinstance(shape[i], int) or str(shape[i]) not in words:
            continue
        rest: Size = 1
        for j, size in enumerate(shape):
            rest = rest * size if j != i else rest
        total, others = cancel(source.numel, rest)
        if modulo(total, others) != 0:
            continue
        fits = floordiv(total, others)
        if isinstance(fits, int) and fits != shape[i]:
            sizes = ", ".join(show(fits if j == i else s) for j, s in enumerate(shape))
            flat = " or `flatten(1)`" if len(shape) == 2 and i == 1 else ""
            return f"write `{name}({sizes})`{flat}"
    return ""


def _split_sizes(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    sizes, dim = given.get("split_size_or_sections"), given.get("dim", 0)
    if not isinstance(sizes, tuple) or not isinstance(dim, int):
        return ""
    whole: Any = tensors[0].shape.at(dim)
    if not all(isinstance(s, int) for s in (*sizes, whole)):
        return ""
    last = whole - sum(sizes[:-1])
    if last <= 0:
        return ""
    shown = ", ".join(map(str, (*sizes[:-1], last)))
    return f"write `split([{shown}], dim={dim})`"


def _letters(name: str, given: Given, tensors: list[Tensor], words: Words) -> str:
    return "each size has one letter; `...` stands for any number of them"


def _each(value: Value) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) if value is not None else ()


def _shown(value: Any) -> str:
    return show(value) if isinstance(value, int | Dim) else "..."


_WINDOWS: tuple[Mender, ...] = (_channels_last, _half_window, _enough_padding)
_CONVOLUTIONS: tuple[Mender, ...] = (
    _channels_last, _kernel_meant_as_channels, _even_groups, _enough_padding,
)  # fmt: skip
_MENDERS: dict[str, tuple[Mender, ...]] = {
    "Conv": _CONVOLUTIONS,
    "ConvTranspose": (_even_groups,),
    "MaxPool": _WINDOWS,
    "AvgPool": _WINDOWS,
    "max_pool": _WINDOWS,
    "avg_pool": _WINDOWS,
    "GroupNorm": (_group_norm,),
    "MultiheadAttention": (_even_heads,),
    "TransformerEncoderLayer": (_even_heads,),
    "TransformerDecoderLayer": (_even_heads,),
    "PixelShuffle": (_shuffled,),
    "Linear": (_features,),
    "matmul": (_transposed,),
    "@": (_transposed,),
    "+": (_projected,),
    "-": (_projected,),
    "*": (_projected,),
    "/": (_projected,),
    "bmm": (_transposed,),
    "mm": (_transposed,),
    "add": (_projected,),
    "sub": (_projected,),
    "mul": (_projected,),
    "div": (_projected,),
    "cat": (_joined,),
    "stack": (_joined,),
    "view": (_fitting_view,),
    "reshape": (_fitting_view,),
    "split": (_split_sizes,),
    "einsum": (_letters,),
}
