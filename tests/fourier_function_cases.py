"""Uses of functions, continued: Fourier transforms and windows."""

from __future__ import annotations

from typing import Any

from function_cases import (
    ANY,
    CASES,
    FLOAT_DTYPE,
    Case,
    Draw,
    case,
    each,
    flag,
    of,
    options,
    seldom,
    sizes_of,
    spoiled,
    tensors,
    with_dim,
)
from hypothesis import strategies as st

SIGNALS = (*ANY, "float", "complex64", "complex128", "float16")
NORM = st.sampled_from(("ortho", "forward", "backward", "none"))


@st.composite
def transformed(draw: Draw) -> Case:
    (tensor, place), more = draw(with_dim(SIGNALS, norm=NORM))
    given = options(n=st.sampled_from((4, 3, 1, 0)), dim=st.just(place))
    return (tensor,), {**more, **draw(given)}


@st.composite
def transformed_along(draw: Draw) -> Case:
    tensor = draw(tensors(0, 4, SIGNALS))
    rank = len(sizes_of(tensor))
    count = draw(st.integers(1, 2))
    places = tuple(draw(st.permutations(range(-rank, 0)))[:count]) if rank else (-1,)
    wanted = [draw(st.sampled_from((4, 3, 1, -1))) for _ in range(count)]
    given = options(s=st.just(wanted), dim=st.just(places), norm=NORM)
    return (tensor,), draw(given)


for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    CASES[f"fft.{name}"] = transformed()
    each(f"fft.{name}2 fft.{name}n", transformed_along())
each("fft.fftshift fft.ifftshift", with_dim(several=True))
each(
    "fft.fftfreq fft.rfftfreq",
    case(st.sampled_from((4, 5, 1, 0)), d=st.just(0.5), dtype=FLOAT_DTYPE),
)


def frames(draw: Draw, **given: Any) -> dict[str, Any]:
    more: dict[str, Any] = draw(
        options(
            hop_length=st.sampled_from((1, 2, 3)),
            win_length=st.sampled_from((4, 3, 9)),
            center=flag,
            onesided=flag,
            **given,
        )
    )
    if seldom(draw, 3):
        more["window"] = of(*spoiled(draw, (more.get("win_length", 8),)))
    return more


@st.composite
def short_time(draw: Draw) -> Case:
    lead = (2,) if draw(flag) else ()
    length = draw(st.sampled_from((16, 12, 5, 3)))
    more = frames(draw, pad_mode=st.sampled_from(("constant", "reflect")))
    more["return_complex"] = not seldom(draw)
    return (of(*spoiled(draw, (*lead, length))), 8), more


@st.composite
def back(draw: Draw) -> Case:
    lead = (2,) if draw(flag) else ()
    more = {"hop_length": draw(st.sampled_from((1, 2))), "window": of(8)}
    if seldom(draw):
        more["onesided"] = False
    bins = 8 if "onesided" in more else 5
    shape = spoiled(draw, (*lead, bins, draw(st.sampled_from((9, 12)))))
    dtype = "float" if seldom(draw) else "complex64"
    given = options(length=st.sampled_from((4, 6)))
    return (of(*shape, dtype=dtype), 8), {**more, **draw(given)}


CASES["stft"] = short_time()
CASES["istft"] = back()
each(
    "hann_window hamming_window blackman_window bartlett_window kaiser_window",
    case(
        st.sampled_from((4, 5, 1, 0, -1)),
        flag,
        dtype=st.sampled_from(("float32", "float64", "int64")),
    ),
)
