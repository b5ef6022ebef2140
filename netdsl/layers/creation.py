"""New tensors: constants, ranges, random ones.

Where a dtype is not given, `float` stands for torch's default floating type.
"""

from __future__ import annotations

from math import ceil

from netdsl.dims import Dim, Size, floordiv, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep, not_bool
from netdsl.layers.spec import Rule, Unknown, function
from netdsl.shapes import Refusal, Shape, Tensor, Undecided, fixed


def _sizes(c: Call, name: str = "size") -> Shape:
    sizes = c.known(name)
    if not isinstance(sizes, tuple):
        raise c.bad(
            name,
            f"`{name}` of `{c.declaration.name}` is a list of sizes here",
            f"write `[{show(sizes)}]`",
        )
    for size in sizes:
        if c.facts.decide(Comparison(">=", size, 0)) is False:
            raise c.bad(name, f"{show(size)} is no size for `{c.declaration.name}`")
    return fixed(*sizes)


def _dtype(c: Call, default: str) -> str:
    return c.known("dtype") or default


def _constant(c: Call) -> Tensor:
    return Tensor(_sizes(c), _dtype(c, "float"))


def _floats(c: Call) -> Tensor:
    return Tensor(_sizes(c), _floating_dtype(c, "float"))


def _floating_dtype(c: Call, default: str) -> str:
    return c.gives_floats(_dtype(c, default))


def value_dtype(value: object) -> str:
    """The dtype that torch gives to a plain value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | Dim):
        return "int64"
    if isinstance(value, Unknown) and value.type in ("int", "bool"):
        return "int64" if value.type == "int" else "bool"
    if isinstance(value, Unknown) and value.type != "float":
        return "any"
    return "float"


def _full(c: Call) -> Tensor:
    return Tensor(_sizes(c), _dtype(c, value_dtype(c.fill_value)))


def _eye(c: Call) -> Tensor:
    rows = c.known("n")
    columns = rows if c.known("m") is None else c.m
    c.at_least("n", "m", least=0)
    return Tensor(fixed(rows, columns), _dtype(c, "float"))


# -- ranges --------------------------------------------------------------------


def _arange(c: Call) -> Tensor:
    start, end = (0, c.known("start")) if c.known("end") is None else (c.start, c.end)
    step = c.known("step")
    whole = all(isinstance(v, int | Dim) for v in (start, end, step))
    dtype = _dtype(c, "int64" if whole else "float")
    return Tensor(fixed(_count(c, start, end, step, whole)), dtype)


def _count(
    c: Call, start: float | Dim, end: float | Dim, step: float | Dim, whole: bool
) -> Size:
    start, end, step = (
        c.facts.normal(v) if isinstance(v, Dim) else v for v in (start, end, step)
    )
    if step == 0:
        raise c.bad("step", "`arange` can't go in steps of 0")
    numbers = [v for v in (start, end, step) if not isinstance(v, Dim)]
    if whole:
        return _whole_count(c, start, end, step)  # type: ignore[arg-type]
    if len(numbers) < 3:
        raise Undecided("end")
    count = (numbers[1] - numbers[0]) / numbers[2]
    if count < 0:
        raise _backwards(c, start, end, step)
    return ceil(count)


def _whole_count(c: Call, start: Size, end: Size, step: Size) -> Size:
    forward = c.facts.decide(Comparison(">", step, 0))
    if forward is None:
        raise Undecided("step")
    far = Comparison(">=", end, start) if forward else Comparison("<=", end, start)
    if c.facts.decide(far) is False:
        raise _backwards(c, start, end, step)
    c.require(far, f"`arange` goes from {show(start)} to {show(end)}")
    if not forward:
        start, end, step = end, start, -step
    return floordiv(end - start + step - 1, step)


def _backwards(c: Call, start: object, end: object, step: object) -> Refusal:
    return c.bad(
        "end", f"`arange` from {start} does not come to {end} in steps of {step}"
    )


def _linspace(c: Call) -> Tensor:
    c.at_least("steps", least=0)
    return Tensor(fixed(c.known("steps")), _dtype(c, "float"))


# -- like another tensor -------------------------------------------------------


def _like(c: Call) -> Tensor:
    return Tensor(c.input.shape, _dtype(c, c.input.dtype))


def _random_like(c: Call) -> Tensor:
    return Tensor(c.input.shape, _floating_dtype(c, c.input.dtype))


def _new(c: Call) -> Tensor:
    return Tensor(_sizes(c), _dtype(c, c.input.dtype))


def _bernoulli(c: Call) -> Tensor:
    if c.p is None:
        c.floating(c.input)
    return keep(c)


def _multinomial(c: Call) -> Tensor:
    c.floating(c.input)
    c.rank(c.input, 1, 2)
    c.at_least("num_samples")
    count = c.known("num_samples")
    if c.replacement is False:
        size = c.input.shape.at(-1)
        c.require(
            Comparison("<=", count, size),
            f"`multinomial` draws {show(count)} of {show(size)} without replacement",
        )
    return Tensor(c.input.shape.replace(-1, count), "int64")


# -- of plain values -----------------------------------------------------------


def _tensor(c: Call) -> Tensor:
    shape, dtype = _data(c.data)
    return Tensor(shape, _dtype(c, dtype))


def _data(data: object) -> tuple[Shape, str]:
    if isinstance(data, Unknown) and data.type.startswith(("list", "tuple", "any")):
        raise Undecided("data")
    if not isinstance(data, tuple | list | range):
        return Shape(()), value_dtype(data)
    parts = [_data(item) for item in data]
    if not parts:
        return fixed(0), "float"
    if any(shape != parts[0][0] for shape, _ in parts):
        raise Refusal(
            "wrong-value",
            "`tensor` wants lists of equal lengths",
            "the lengths differ",
            argument="data",
        )
    order = ("bool", "int64", "any", "float")
    dtype = max((d for _, d in parts), key=order.index)
    return Shape((len(parts), *parts[0][0].head)), dtype


def _randint(c: Call) -> Tensor:
    # `randint(high, size)`, or `randint(low, high, size)`.
    short = c.known("size") is None
    low, high = (0, c.low) if short else (c.low, c.high)
    known = isinstance(high, int | Dim) and isinstance(low, int | Dim)
    if known and c.facts.decide(Comparison("<", low, high)) is False:
        raise c.bad("high", f"`randint` draws from {show(low)} to {show(high)}")
    return Tensor(_sizes(c, "high" if short else "size"), _dtype(c, "int64"))


_DTYPE = "dtype: dtype? = None"


def _declare(rule: Rule, target: str, names: dict[str, str]) -> None:
    for declaration, doc in names.items():
        name = declaration.split("(")[0]
        function(declaration, f"{target}{name}", rule, doc)


_declare(
    _constant,
    "torch.",
    {
        f"zeros(*size: int, {_DTYPE})": "Zeros.",
        f"ones(*size: int, {_DTYPE})": "Ones.",
    },
)
_declare(
    _floats,
    "torch.",
    {
        f"rand(*size: int, {_DTYPE})": "Random numbers from 0 to 1.",
        f"randn(*size: int, {_DTYPE})": "Random numbers of the normal distribution.",
    },
)
_declare(
    _like,
    "torch.",
    {
        f"zeros_like(input: tensor, *, {_DTYPE})": "Zeros in the shape of a tensor.",
        f"ones_like(input: tensor, *, {_DTYPE})": "Ones in the shape of a tensor.",
        f"full_like(input: tensor, fill_value: float | bool, *, {_DTYPE})": (
            "One value in the shape of a tensor."
        ),
    },
)
_declare(
    _random_like,
    "torch.",
    {
        f"rand_like(input: tensor, *, {_DTYPE})": (
            "Random numbers from 0 to 1 in the shape of a tensor."
        ),
        f"randn_like(input: tensor, *, {_DTYPE})": (
            "Normal random numbers in the shape of a tensor."
        ),
    },
)
_declare(
    _new,
    ".",
    {
        f"new_zeros(input: tensor, *size: int, {_DTYPE})": (
            "Zeros of the dtype of a tensor."
        ),
        f"new_ones(input: tensor, *size: int, {_DTYPE})": (
            "Ones of the dtype of a tensor."
        ),
        f"new_full(input: tensor, size: ints, fill_value: float | bool, *, {_DTYPE})": (
            "One value, of the dtype of a tensor."
        ),
    },
)
function(
    f"full(size: ints, fill_value: float | bool, *, {_DTYPE})",
    "torch.full",
    _full,
    "One value everywhere.",
)
function(
    f"eye(n: int, m: int? = None, *, {_DTYPE})",
    "torch.eye",
    _eye,
    "Ones on the diagonal of a matrix.",
)
function(
    f"arange(start: float, end: float? = None, step: float = 1, *, {_DTYPE})",
    "torch.arange",
    _arange,
    "Numbers from 0, or `start`, up to `end`, which is left out.",
)
function(
    f"linspace(start: float, end: float, steps: int, *, {_DTYPE})",
    "torch.linspace",
    _linspace,
    "`steps` numbers from `start` to `end`, both included.",
)
function(
    f"tensor(data: any, *, {_DTYPE})",
    "torch.tensor",
    _tensor,
    "A tensor of plain values.",
)
function(
    f"randint(low: int, high: ints? = None, size: ints? = None, *, {_DTYPE})",
    "torch.randint",
    _randint,
    "Random ints from 0, or `low`, up to `high`, which is left out.",
)
function(
    "bernoulli(input: tensor, p: float? = None)",
    ".bernoulli",
    _bernoulli,
    "Ones with the probability `p`, or with that of each element, else zeros.",
)
function(
    "multinomial(input: tensor, num_samples: int, replacement: bool = False)",
    "torch.multinomial",
    _multinomial,
    "Draws indices with the weights along the last size.",
)


# -- more random ones ----------------------------------------------------------


def _logspace(c: Call) -> Tensor:
    c.at_least("steps", least=0)
    return Tensor(fixed(c.known("steps")), _dtype(c, "float"))


def _randperm(c: Call) -> Tensor:
    c.at_least("n", least=0)
    return Tensor(fixed(c.known("n")), _dtype(c, "int64"))


def _randint_like(c: Call) -> Tensor:
    low, high = (0, c.low) if c.high is None else (c.low, c.high)
    if c.facts.decide(Comparison("<", low, high)) is False:
        raise c.bad("high", f"`randint_like` draws from {show(low)} to {show(high)}")
    not_bool(c)
    return Tensor(c.input.shape, _dtype(c, c.input.dtype))


def _poisson(c: Call) -> Tensor:
    c.floating(c.input)
    return keep(c)


function(
    f"logspace(start: float, end: float, steps: int, base: float = 10.0, *, {_DTYPE})",
    "torch.logspace",
    _logspace,
    "`base` to the powers that linspace gives.",
)
function(
    f"randperm(n: int, *, {_DTYPE})",
    "torch.randperm",
    _randperm,
    "The numbers from 0 up to `n`, shuffled.",
)
function(
    f"randint_like(input: tensor, low: int, high: int? = None, *, {_DTYPE})",
    "torch.randint_like",
    _randint_like,
    "randint in the shape of a tensor.",
)
function(
    "poisson(input: tensor)",
    "torch.poisson",
    _poisson,
    "Random counts of the Poisson distribution, with these means.",
)
