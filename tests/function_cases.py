"""Uses of every function, valid and invalid, as Hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from netdsl.shapes import Tensor, fixed

Case = tuple[tuple[Any, ...], dict[str, Any]]
Cases = SearchStrategy[Case]
Draw = st.DrawFn

NUMBERS = ("float", "float64", "int64")
ANY = (*NUMBERS, "bool")
FLOAT = ("float",) * 6 + ("float64", "int64")
# For functions of one dtype: `float` stands for any floating type.
SAME = ("float",) * 8 + ("int64",)
sizes = st.sampled_from((2, 3, 4, 6, 1))
flag = st.booleans()
scalars = st.sampled_from((2, 0.5, 1, -1, True))


def shapes(least: int = 0, most: int = 4) -> SearchStrategy[tuple[int, ...]]:
    return st.lists(sizes, min_size=least, max_size=most).map(tuple)


@st.composite
def tensors(
    draw: Draw, least: int = 0, most: int = 4, dtypes: tuple[str, ...] = ANY
) -> Tensor:
    return Tensor(fixed(*draw(shapes(least, most))), draw(st.sampled_from(dtypes)))


def of(*sizes: int, dtype: str = "float") -> Tensor:
    return Tensor(fixed(*sizes), dtype)


def sizes_of(tensor: Tensor) -> tuple[int, ...]:
    return tuple(size for size in tensor.shape.sizes if isinstance(size, int))


def seldom(draw: Draw, chance: int = 6) -> bool:
    """One time in so many: where a case is made invalid."""
    return bool(draw(st.integers(0, chance - 1)) == 0)


def spoiled(draw: Draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape; seldom another one."""
    if not seldom(draw):
        return shape
    others = (
        st.just((*shape, 2)),
        st.just(shape[1:]),
        st.permutations(shape).map(tuple),
    )
    other: tuple[int, ...] = draw(st.one_of(shapes(), *others))
    return other


def options(**given: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=given)


def case(*args: SearchStrategy[Any], **keywords: SearchStrategy[Any]) -> Cases:
    return st.tuples(st.tuples(*args), options(**keywords))


def dim(draw: Draw, shape: tuple[int, ...], extra: int = 0) -> int:
    rank = len(shape) + extra
    if seldom(draw, 8) or not rank:
        return draw(st.integers(-rank - 2, rank + 1))
    return draw(st.integers(-rank, rank - 1))


def dims(draw: Draw, shape: tuple[int, ...]) -> Any:
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return dim(draw, shape)
    return tuple(dim(draw, shape) for _ in range(kind))


@st.composite
def with_dim(
    draw: Draw,
    /,
    dtypes: tuple[str, ...] = ANY,
    several: bool = False,
    extra: int = 0,
    after: tuple[SearchStrategy[Any], ...] = (),
    **keywords: SearchStrategy[Any],
) -> Case:
    """A tensor, one of its dimensions (or some), and what else is given."""
    tensor = draw(tensors(1, 4, dtypes))
    shape = sizes_of(tensor)
    place = dims(draw, shape) if several else dim(draw, shape, extra)
    return (tensor, place, *(draw(a) for a in after)), draw(options(**keywords))


# -- element by element --------------------------------------------------------


def broadcastable(draw: Draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    kept = shape[draw(st.integers(0, len(shape))) :] if seldom(draw, 3) else shape
    return spoiled(draw, tuple(1 if seldom(draw, 4) else s for s in kept))


@st.composite
def pair(draw: Draw, numbers: str = "", dtypes: tuple[str, ...] = ANY) -> Case:
    """Two tensors; `numbers` says where a plain number may stand."""
    shape = draw(shapes())
    a = Tensor(fixed(*shape), draw(st.sampled_from(dtypes)))
    b: Any = Tensor(fixed(*broadcastable(draw, shape)), draw(st.sampled_from(dtypes)))
    if numbers and seldom(draw, 3):
        b = draw(scalars)
        if numbers == "both" and draw(st.booleans()):
            return (b, a), {}
    elif draw(st.booleans()):
        a, b = b, a
    return (a, b), {}


@st.composite
def folded(draw: Draw) -> Case:
    shape = draw(shapes())
    count = draw(st.integers(1, 4))
    values: list[Any] = [
        Tensor(fixed(*broadcastable(draw, shape)), draw(st.sampled_from(NUMBERS)))
        for _ in range(count)
    ]
    if seldom(draw):
        values.insert(1, draw(scalars))
    return tuple(values), {}


@st.composite
def three(
    draw: Draw, first: tuple[str, ...], others: tuple[str, ...], number: int
) -> Case:
    """A tensor and two more that broadcast; `number` of them may be plain numbers."""
    shape = draw(shapes())
    out: list[Any] = [
        Tensor(fixed(*broadcastable(draw, shape)), draw(st.sampled_from(dtypes)))
        for dtypes in (first, others, others)
    ]
    for i in range(3 - number, 3):
        if seldom(draw, 3):
            out[i] = draw(st.sampled_from((2, 0.5)))
    return tuple(out), {}


@st.composite
def clamped(draw: Draw) -> Case:
    shape = draw(shapes())
    tensor = Tensor(fixed(*shape), draw(st.sampled_from(NUMBERS)))
    limit = st.one_of(
        st.sampled_from((0, 1, 0.5, None)),
        st.just(Tensor(fixed(*broadcastable(draw, shape)), "float")),
    )
    return (tensor,), draw(options(min=limit, max=limit))


DTYPE = st.sampled_from(("float32", "float64", "int64"))
FLOAT_DTYPE = st.sampled_from(("float32", "float64"))
factor = st.sampled_from((0.5, 1.0, 2))

CASES: dict[str, Cases] = {}


def each(names: str, cases: Cases) -> None:
    CASES.update(dict.fromkeys(names.split(), cases))


any_tensor = case(tensors())
each(
    "silu mish selu hardswish hardsigmoid relu relu6",
    case(tensors(), inplace=st.just(False)),
)
each(
    "logsigmoid softsign tanhshrink sigmoid tanh exp exp2 expm1 log log1p log2 log10"
    " sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc erfinv sqrt rsqrt"
    " reciprocal sinc deg2rad lgamma floor ceil trunc neg abs frac sign square isnan"
    " isinf isfinite logical_not contiguous detach clone float double half bfloat16"
    " long int bool",
    any_tensor,
)
CASES["gelu"] = case(tensors(), approximate=st.sampled_from(("none", "tanh", "x")))
CASES["softplus"] = case(tensors(), beta=factor, threshold=factor)
each("elu celu", case(tensors(), alpha=factor))
CASES["leaky_relu"] = case(tensors(), negative_slope=factor)
each("hardshrink softshrink", case(tensors(), lambd=factor))
CASES["rrelu"] = case(tensors(), training=flag)
CASES["hardtanh"] = case(tensors(), min_val=st.just(-2), max_val=st.just(3))
CASES["threshold"] = case(tensors(), factor, factor)
CASES["logit"] = case(tensors(), eps=st.just(0.1))
CASES["round"] = case(tensors())
DROPOUT = {"p": st.sampled_from((0.5, 0.0, 1, 1.5, -0.1)), "training": flag}
each("dropout alpha_dropout feature_alpha_dropout", case(tensors(2), **DROPOUT))
each("dropout1d", case(tensors(1, 4, FLOAT), **DROPOUT))
each("dropout2d", case(tensors(3, 4, FLOAT), **DROPOUT))
each("dropout3d", case(tensors(4, 5, FLOAT), **DROPOUT))
each("+ - * / // % ** == != < <= > >=", pair("both"))
each("add mul", folded())
each("eq ne lt le gt ge floor_divide remainder fmod", pair("right"))
CASES["sub"] = pair("right")
CASES["div"] = st.builds(
    lambda use, more: (use[0], more),
    pair("right"),
    options(rounding_mode=st.sampled_from(("floor", "trunc", None))),
)
CASES["pow"] = pair("both")
each("maximum minimum atan2 logical_and logical_or logical_xor", pair())
each("clamp clip", clamped())
each("clamp_min clamp_max", pair("right", NUMBERS))
CASES["where"] = three(("bool", "bool", "int64"), ANY, 2)
CASES["lerp"] = three(SAME, SAME, 1)
each("addcmul addcdiv", three(ANY, ANY, 0))


@st.composite
def filled(draw: Draw) -> Case:
    shape = draw(shapes())
    mask = Tensor(
        fixed(*broadcastable(draw, shape)), draw(st.sampled_from(("bool",) * 5 + ANY))
    )
    tensor = Tensor(fixed(*shape), draw(st.sampled_from(ANY)))
    values = (0, 0.5, float("-inf"), of(), of(1), True)
    return (tensor, mask, draw(st.sampled_from(values))), {}


CASES["masked_fill"] = filled()
CASES["type_as"] = pair()
CASES["to"] = case(tensors(), st.one_of(DTYPE, tensors()))
CASES["view_as_complex"] = case(
    st.builds(lambda t, n: t.with_shape(t.shape.append(n)), tensors(0, 3, FLOAT), sizes)
)
CASES["view_as_real"] = case(tensors(0, 3, ("complex64", "float")))
CASES["polar"] = pair("", SAME)

# -- reductions ----------------------------------------------------------------

everything = case(tensors())


def maybe(cases: Cases) -> Cases:
    return st.one_of(cases, cases, cases, everything)


each(
    "sum mean",
    maybe(with_dim(several=True, keepdim=flag, dtype=DTYPE)),
)
CASES["prod"] = maybe(with_dim(keepdim=flag, dtype=DTYPE))
each("amax amin any all", maybe(with_dim(several=True, keepdim=flag)))
each("argmax argmin median", maybe(with_dim(keepdim=flag)))
each("max min", st.one_of(maybe(with_dim(keepdim=flag)), pair()))
each(
    "std var",
    maybe(with_dim(FLOAT, several=True, keepdim=flag, correction=st.just(0))),
)
CASES["norm"] = st.one_of(
    case(tensors(dtypes=FLOAT), p=st.sampled_from((1, 2.0, "fro"))),
    with_dim(FLOAT, several=True, keepdim=flag).map(
        lambda use: (use[0][:1], {"dim": use[0][1], **use[1]})
    ),
)
CASES["logsumexp"] = with_dim(several=True, keepdim=flag)
each("cumsum cumprod", with_dim(dtype=DTYPE))
each("softmax log_softmax softmin", with_dim(dtype=FLOAT_DTYPE))
CASES["gumbel_softmax"] = with_dim(FLOAT).map(
    lambda use: (use[0][:1], {"dim": use[0][1]})
)
each("sort argsort", with_dim(descending=flag))

# -- joining and parting -------------------------------------------------------


@st.composite
def joined(draw: Draw, along: bool) -> Case:
    shape = draw(shapes(1 if along else 0))
    place = dim(draw, shape, 0 if along else 1)
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        part = list(shape)
        if along and -len(part) <= place < len(part):
            part[place] = draw(sizes)
        dtype = draw(st.sampled_from(("float", "float", "int64")))
        parts.append(Tensor(fixed(*spoiled(draw, tuple(part))), dtype))
    return (parts,), draw(options(dim=st.just(place)))


@st.composite
def parted(draw: Draw, kind: str) -> Case:
    tensor = draw(tensors(1, 4, ("float",)))
    place = dim(draw, sizes_of(tensor))
    inside = -len(sizes_of(tensor)) <= place < len(sizes_of(tensor))
    size = sizes_of(tensor)[place] if inside else 4
    count: Any = draw(st.integers(0 if seldom(draw) else 1, 7))
    if kind != "chunk" and draw(st.booleans()):
        cut = draw(st.integers(-1 if seldom(draw) else 0, size))
        count = [cut, size - cut + seldom(draw)]
    return (tensor, count, place), {}


each("cat", joined(along=True))
each("stack", joined(along=False))
CASES["split"] = parted("split")
CASES["tensor_split"] = parted("tensor_split")
CASES["chunk"] = parted("chunk")
CASES["unbind"] = with_dim()
CASES["meshgrid"] = st.builds(
    lambda ts, more: (tuple(ts), more),
    st.lists(tensors(0, 1, ("float",)), min_size=1, max_size=3),
    st.fixed_dictionaries({"indexing": st.sampled_from(("ij", "xy"))}),
)

# -- reshaping -----------------------------------------------------------------


@st.composite
def regrouped(draw: Draw, shape: tuple[int, ...], hole: bool = True) -> tuple[int, ...]:
    """Sizes with as many elements: factors put together anew."""
    primes = [p for s in shape for p in {4: (2, 2), 6: (2, 3)}.get(s, (s,))]
    out = [1] * draw(st.integers(1, 4))
    for prime in primes:
        out[draw(st.integers(0, len(out) - 1))] *= prime
    if hole and draw(st.booleans()):
        out[draw(st.integers(0, len(out) - 1))] = -1
    return spoiled(draw, tuple(out))


@st.composite
def viewed(draw: Draw) -> Case:
    tensor = draw(tensors())
    wanted = draw(regrouped(sizes_of(tensor)))
    plain = bool(wanted) and bool(draw(flag))
    return ((tensor, *wanted) if plain else (tensor, list(wanted))), {}


@st.composite
def viewed_as(draw: Draw) -> Case:
    tensor = draw(tensors())
    wanted = draw(regrouped(sizes_of(tensor), hole=False))
    return (tensor, of(*(abs(w) for w in wanted))), {}


@st.composite
def flattened(draw: Draw) -> Case:
    tensor = draw(tensors())
    shape = sizes_of(tensor)
    return (tensor, dim(draw, shape)), (
        {} if seldom(draw, 2) else {"end_dim": dim(draw, shape)}
    )


@st.composite
def unflattened(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    place = dim(draw, sizes_of(tensor))
    inside = -len(sizes_of(tensor)) <= place < len(sizes_of(tensor))
    return (
        tensor,
        place,
        draw(regrouped(sizes_of(tensor)[place : place + 1 or None] if inside else ())),
    ), {}


@st.composite
def stretched(draw: Draw, as_list: bool = False) -> Case:
    tensor = draw(tensors())
    wanted = [
        draw(st.sampled_from((-1, s))) if s > 1 else draw(sizes)
        for s in sizes_of(tensor)
    ]
    new = draw(st.lists(sizes, max_size=2))
    sizes_ = spoiled(draw, (*new, *wanted))
    return ((tensor, sizes_) if as_list or not sizes_ else (tensor, *sizes_)), {}


@st.composite
def repeated(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    width = len(sizes_of(tensor)) + draw(st.integers(-1, 1))
    times = draw(st.lists(st.integers(0, 3), min_size=width, max_size=width))
    return ((tensor, *times) if times else (tensor, times)), {}


@st.composite
def interleaved(draw: Draw) -> Case:
    tensor = draw(tensors(1))
    place = dim(draw, sizes_of(tensor))
    return (tensor, draw(st.integers(0, 3))), draw(options(dim=st.just(place)))


each("view reshape", viewed())
each("view_as reshape_as", viewed_as())
CASES["flatten"] = flattened()
CASES["unflatten"] = unflattened()
CASES["squeeze"] = st.one_of(with_dim(several=True), everything)
CASES["unsqueeze"] = with_dim(extra=1)
CASES["expand"] = stretched()
CASES["broadcast_to"] = stretched(as_list=True)
CASES["expand_as"] = pair()
each("repeat tile", repeated())
CASES["repeat_interleave"] = interleaved()
