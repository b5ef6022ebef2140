"""Uses of functions, continued: special functions, bits, statistics."""

from __future__ import annotations

from typing import Any

from function_cases import (
    ANY,
    CASES,
    DTYPE,
    FLOAT,
    FLOAT_DTYPE,
    NUMBERS,
    SAME,
    Case,
    Draw,
    case,
    dim,
    each,
    everything,
    flag,
    maybe,
    of,
    options,
    pair,
    sizes,
    sizes_of,
    spoiled,
    tensors,
    with_dim,
)
from hypothesis import strategies as st

# -- one tensor ----------------------------------------------------------------

WITH_COMPLEX = (*ANY, "complex64", "complex128")
BITS = ("int64",) * 4 + ("int32", "bool", "float")
each("angle real conj sgn isreal", case(tensors(dtypes=WITH_COMPLEX)))
CASES["imag"] = case(tensors(dtypes=("complex64", "complex128", "float")))
CASES["bitwise_not"] = case(tensors(dtypes=BITS))
each("positive signbit isposinf isneginf rad2deg digamma i0", everything)
each(
    "special.bessel_j0 special.bessel_j1 special.entr special.erfcx special.i0e"
    " special.i1 special.i1e special.log_ndtr special.ndtr special.ndtri",
    case(tensors(dtypes=(*ANY, *NUMBERS, "complex64"))),
)
CASES["polygamma"] = case(st.sampled_from((1, 0, 2, -1)), tensors())
CASES["mvlgamma"] = case(
    tensors(dtypes=("float", "float64")), st.sampled_from((1, 1, 0))
)
CASES["nan_to_num"] = case(tensors(dtypes=WITH_COMPLEX), nan=st.just(0.5))

# -- two tensors ---------------------------------------------------------------

each("xlogy special.xlog1py special.zeta", pair("both"))
each("igamma igammac", pair("", FLOAT))
each("fmax fmin ldexp", pair())
each("hypot logaddexp logaddexp2 nextafter", pair("", FLOAT))
each("gcd lcm", pair("", BITS))
CASES["copysign"] = pair("right")
each("bitwise_and bitwise_or bitwise_xor", pair("", BITS))
each("bitwise_left_shift bitwise_right_shift", pair("", BITS))
CASES["heaviside"] = pair("", SAME)
CASES["float_power"] = pair("both")
CASES["isclose"] = pair("", SAME)

# -- statistics ----------------------------------------------------------------

CASES["mode"] = maybe(with_dim(keepdim=flag))


@st.composite
def ranked(draw: Draw) -> Case:
    (tensor, place), more = draw(with_dim(keepdim=flag))
    return (tensor, draw(st.integers(0, 3)), place), more


CASES["kthvalue"] = ranked()
CASES["nansum"] = maybe(with_dim(several=True, keepdim=flag, dtype=DTYPE))
CASES["nanmean"] = maybe(with_dim(FLOAT, several=True, keepdim=flag, dtype=FLOAT_DTYPE))
CASES["nanmedian"] = maybe(with_dim(keepdim=flag))


@st.composite
def parts(draw: Draw) -> Case:
    (tensor, place), more = draw(with_dim(FLOAT, keepdim=flag))
    q = draw(st.sampled_from((0.5, 1, 1.5, of(3), of(), of(2, 2))))
    return (tensor, q), {**more, **draw(options(dim=st.just(place)))}


each("quantile nanquantile", parts())


def named(cases: Any) -> Any:
    """`dim` by keyword."""
    return cases.map(lambda use: (use[0][:1], {"dim": use[0][1], **use[1]}))


each(
    "std_mean var_mean",
    named(with_dim(FLOAT, several=True, keepdim=flag, correction=st.just(0))),
)
CASES["aminmax"] = named(with_dim(keepdim=flag))
CASES["count_nonzero"] = maybe(with_dim(several=True))
each("cummax cummin", with_dim())
CASES["logcumsumexp"] = with_dim(FLOAT)


@st.composite
def differences(draw: Draw) -> Case:
    (tensor, place), _ = draw(with_dim(NUMBERS))
    shape = list(sizes_of(tensor))
    if -len(shape) <= place < len(shape):
        shape[place] = draw(sizes)
    more = of(*spoiled(draw, tuple(shape)))
    n = draw(st.sampled_from((1, 1, 0, 2, -1)))
    given = options(prepend=st.just(more), append=st.just(more))
    return (tensor, n, place), draw(given)


CASES["diff"] = differences()
CASES["dist"] = pair("", FLOAT)
each("cov corrcoef", case(tensors(0, 3, NUMBERS)))
CASES["histc"] = case(tensors(dtypes=FLOAT), bins=st.sampled_from((5, 1, 0)))


@st.composite
def areas(draw: Draw) -> Case:
    tensor = draw(tensors(1, 3, ANY))
    shape = sizes_of(tensor)
    place = dim(draw, shape)
    length = shape[place] if -len(shape) <= place < len(shape) else 2
    x = of(*spoiled(draw, (length,)))
    return (tensor,), {"dim": place, **draw(options(x=st.just(x)))}


CASES["trapezoid"] = areas()

# -- new tensors and dtypes ----------------------------------------------------

CASES["logspace"] = case(
    st.sampled_from((0, 1.5)), st.sampled_from((1, 2)), st.integers(-1, 4)
)
CASES["randperm"] = case(st.integers(-1, 4), dtype=st.sampled_from(("int64", "int32")))
CASES["randint_like"] = case(
    tensors(), st.sampled_from((3, 1, 0)), high=st.sampled_from((2, 5))
)
CASES["poisson"] = case(tensors())
CASES["complex"] = pair("", SAME)
each("short char byte", everything)
