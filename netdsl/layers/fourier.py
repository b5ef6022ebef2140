"""Fourier transforms, and the windows that are laid over signals."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.pointwise import complex_of, keep, real_of
from netdsl.layers.spec import Rule, function
from netdsl.shapes import COMPLEX, Refusal, Shape, Tensor, fixed

# -- transforms ----------------------------------------------------------------


def _dtype(c: Call, real_in: bool, real_out: bool) -> str:
    dtype = c.input.dtype
    if dtype in ("float16", "bfloat16"):
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` takes float32, float64 or complex numbers, and"
            f" {c.input} is {dtype}",
            f"{c.input} flows in",
        )
    if real_in and dtype in COMPLEX:
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` takes real numbers, and {c.input} is {dtype}",
            f"{c.input} flows in",
        )
    return real_of(complex_of(dtype)) if real_out else complex_of(dtype)


def _resized(c: Call, shape: Shape, places: list[int], kind: str) -> Shape:
    """The sizes after a transform along some places; `kind` is how the last goes."""
    given = c.values.get("n", c.values.get("s"))
    wanted = [given] if isinstance(given, int) or "n" in c.values else given
    sizes = list(wanted) if wanted is not None else [None] * len(places)
    for i, (place, size) in enumerate(zip(places, sizes, strict=True)):
        last = i == len(places) - 1
        full: Size = shape.at(place) if size is None or size == -1 else size
        if last and kind == "whole" and (size is None or size == -1):
            full = 2 * (full - 1)
        text = f"`{c.declaration.name}` of {c.input} has {show(full)} points"
        c.require(Comparison(">=", full, 1), text)
        if last and kind == "half":
            full = floordiv(full, 2) + 1
        shape = shape.replace(place, full)
    return shape


def _one(kind: str, real_in: bool, real_out: bool) -> Rule:
    def rule(c: Call) -> Tensor:
        dtype = _dtype(c, real_in, real_out)
        place = c.axis(c.input)
        c.known("n")
        return Tensor(_resized(c, c.input.shape, [place], kind), dtype)

    return rule


def _several(kind: str, real_in: bool, real_out: bool) -> Rule:
    def rule(c: Call) -> Tensor:
        dtype = _dtype(c, real_in, real_out)
        sizes = c.known("s")
        count = len(sizes) if isinstance(sizes, tuple) else None
        if c.known("dim") is not None:
            places = list(c.axes(c.input))
        else:
            rank = len(c.input.shape.sizes)
            count = rank if count is None else count
            if count > rank:
                raise c.bad("s", f"{c.input} has {rank} sizes, and `s` names {count}")
            places = list(range(rank - count, rank))
        if count is not None and count != len(places):
            raise c.bad("s", f"`s` has {count} sizes, and `dim` names {len(places)}")
        if not places:
            if kind == "":
                return Tensor(c.input.shape, dtype)
            raise c.refuse(f"`{c.declaration.name}` transforms one size at least")
        return Tensor(_resized(c, c.input.shape, places, kind), dtype)

    return rule


def _shifted(c: Call) -> Tensor:
    if c.known("dim") is not None:
        for dim in c.numbers("dim"):
            c.input.shape.place(dim)
    return keep(c)


def _frequencies(c: Call) -> Tensor:
    c.at_least("n", least=0)
    size = c.known("n")
    half = c.declaration.name == "fft.rfftfreq"
    count = floordiv(size, 2) + 1 if half else size
    return Tensor(fixed(count), c.known("dtype") or "float")


_NORM = 'norm: "forward" "backward" "ortho" ? = None'
_KINDS = {
    # name: how the last size goes, whether it takes real numbers, gives them
    "fft": ("", False, False, "The Fourier transform"),
    "ifft": ("", False, False, "The inverse of fft.fft"),
    "rfft": ("half", True, False, "The half of fft.fft that real numbers need"),
    "irfft": ("whole", False, True, "The inverse of fft.rfft"),
    "hfft": ("whole", False, True, "The transform of the half of a symmetric signal"),
    "ihfft": ("half", True, False, "The inverse of fft.hfft"),
}
for _name, (_kind, _in, _out, _doc) in _KINDS.items():
    function(
        f"fft.{_name}(input: tensor, n: int? = None, dim: int = -1, {_NORM})",
        f"torch.fft.{_name}",
        _one(_kind, _in, _out),
        f"{_doc}, along `dim`.",
    )
    function(
        f"fft.{_name}2(input: tensor, s: ints? = None, dim: ints = (-2, -1), {_NORM})",
        f"torch.fft.{_name}2",
        _several(_kind, _in, _out),
        f"{_doc}, of images.",
    )
    function(
        f"fft.{_name}n(input: tensor, s: ints? = None, dim: ints? = None, {_NORM})",
        f"torch.fft.{_name}n",
        _several(_kind, _in, _out),
        f"{_doc}, along several sizes.",
    )
for _name, _doc in (
    ("fftshift", "Puts the frequency 0 in the middle."),
    ("ifftshift", "Puts the frequency 0 in front again."),
):
    function(
        f"fft.{_name}(input: tensor, dim: ints? = None)",
        f"torch.fft.{_name}",
        _shifted,
        _doc,
    )
for _name, _doc in (
    ("fftfreq", "The frequencies of fft.fft of `n` points."),
    ("rfftfreq", "The frequencies of fft.rfft of `n` points."),
):
    function(
        f"fft.{_name}(n: int, d: float = 1.0, *, dtype: dtype? = None)",
        f"torch.fft.{_name}",
        _frequencies,
        _doc,
    )

# -- over time -----------------------------------------------------------------


def _steps(c: Call) -> tuple[Size, Size]:
    c.at_least("n_fft", "hop_length", "win_length")
    size = c.known("n_fft")
    hop = floordiv(size, 4) if c.known("hop_length") is None else c.hop_length
    width = size if c.known("win_length") is None else c.win_length
    name = c.declaration.name
    text = f"`win_length` of `{name}` is at most `n_fft`: {show(width)}, {show(size)}"
    c.require(Comparison("<=", width, size), text)
    if c.window is not None:
        c.rank(c.window, 1, name="`window`")
        text = f"`window` of `{name}` is {c.window}, not [{show(width)}]"
        c.equal(c.window.shape.at(0), width, text)
    return size, hop


def _stft(c: Call) -> Tensor:
    tensor = keep(c)
    c.floating(tensor)
    c.rank(tensor, 1, 2)
    size, hop = _steps(c)
    if c.known("return_complex") is not True:
        raise c.bad(
            "return_complex",
            "`stft` gives complex numbers",
            "write `return_complex=True`",
        )
    length = tensor.shape.at(-1)
    if c.known("center"):
        padding = floordiv(size, 2)
        if c.known("pad_mode") == "reflect":
            text = f"`stft` has only {show(length)} to take {show(padding)} from"
            c.require(Comparison("<", padding, length), text)
        length = length + 2 * padding
    text = f"`stft` has windows of {show(size)} for {show(length)} points"
    c.require(Comparison("<=", size, length), text)
    frames = floordiv(length - size, hop) + 1
    bins = size if c.known("onesided") is False else floordiv(size, 2) + 1
    shape = tensor.shape.without(-1).append(bins, frames)
    return Tensor(shape, complex_of(tensor.dtype))


def _istft(c: Call) -> Tensor:
    tensor = keep(c)
    if tensor.dtype not in COMPLEX | {"any"}:
        raise Refusal(
            "wrong-dtype",
            f"`istft` takes complex numbers, and {tensor} is {tensor.dtype}",
            f"{tensor} flows in",
        )
    c.rank(tensor, 2, 3)
    size, hop = _steps(c)
    bins = size if c.known("onesided") is False else floordiv(size, 2) + 1
    text = f"`istft` of {show(size)} points wants {show(bins)} of size -2 of {tensor}"
    c.equal(tensor.shape.at(-2), bins, text)
    total = (tensor.shape.at(-1) - 1) * hop + size
    start = floordiv(size, 2) if c.known("center") else 0
    end = total - start if c.known("center") else total
    length = end - start if c.known("length") is None else c.length
    c.require(Comparison(">=", length, 1), f"`istft` has nothing left of {tensor}")
    shape = tensor.shape.without(-1).without(-1).append(length)
    return Tensor(shape, real_of(tensor.dtype))


_FRAMES = (
    "input: tensor, n_fft: int, hop_length: int? = None, win_length: int? = None,"
    " window: tensor? = None, center: bool = True"
)
function(
    f'stft({_FRAMES}, pad_mode: "constant" "reflect" "replicate" "circular"'
    ' = "reflect", normalized: bool = False, onesided: bool? = None,'
    " return_complex: bool? = None)",
    "torch.stft",
    _stft,
    "Transforms of windows along a signal: [*, frequencies, windows].",
)
function(
    f"istft({_FRAMES}, normalized: bool = False, onesided: bool? = None,"
    " length: int? = None)",
    "torch.istft",
    _istft,
    "The inverse of stft.",
)

# -- windows -------------------------------------------------------------------


def _window(c: Call) -> Tensor:
    c.at_least("window_length", least=0)
    dtype = c.gives_floats(c.known("dtype") or "float")
    return Tensor(fixed(c.known("window_length")), dtype)


for _name, _more in (
    ("hann", ""),
    ("hamming", ", alpha: float = 0.54, beta: float = 0.46"),
    ("blackman", ""),
    ("bartlett", ""),
    ("kaiser", ", beta: float = 12.0"),
):
    function(
        f"{_name}_window(window_length: int, periodic: bool = True{_more}, *,"
        " dtype: dtype? = None)",
        f"torch.{_name}_window",
        _window,
        f"The window of {_name.capitalize()}.",
    )
