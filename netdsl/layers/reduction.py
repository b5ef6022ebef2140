"""Functions that fold sizes away, or run along one."""

from __future__ import annotations

from netdsl.layers.call import Call
from netdsl.layers.pointwise import not_bool
from netdsl.layers.spec import Result, function
from netdsl.shapes import COMPLEX, FLOATS, Refusal, Shape, Tensor


def reduced(c: Call, tensor: Tensor) -> Shape:
    """The shape without the sizes that `dim` names; without any if it names none."""
    if c.known("dim") is None or c.dim == ():
        if not c.known("keepdim"):
            return Shape(())
        return Shape((1,) * len(tensor.shape.sizes))
    shape = tensor.shape
    places = c.axes(tensor)
    keepdim = c.known("keepdim")
    for place in outside_in(places):
        shape = shape.replace(place, 1) if keepdim else shape.without(place)
    return shape


def outside_in(places: tuple[int, ...]) -> list[int]:
    """Places in an order in which dropping one leaves the meaning of the others."""
    front = sorted((p for p in places if p >= 0), reverse=True)
    return front + sorted(p for p in places if p < 0)


def _dtype(c: Call) -> str:
    return str(c.known("dtype") or c.input.dtype)


def _mean(c: Call) -> Tensor:
    if c.known("dtype") is None:
        c.floating(c.input)
    else:
        c.gives_floats(c.dtype)
    return Tensor(reduced(c, c.input), _dtype(c))


def _floating(c: Call) -> Tensor:
    c.floating(c.input)
    return Tensor(reduced(c, c.input), c.input.dtype)


def _deviation(c: Call) -> Tensor:
    if c.correction is not None and c.unbiased is not True:
        raise Refusal(
            "wrong-type",
            f"`{c.declaration.name}` takes `correction` or `unbiased`, not both",
            "both are given",
            argument="correction",
        )
    return _floating(c)


def _norm(c: Call) -> Tensor:
    if c.known("dtype") is None:
        c.floating(c.input)
    return Tensor(reduced(c, c.input), _dtype(c))


def _summed(c: Call) -> str:
    """Sums of ints and bools are int64."""
    if c.known("dtype") is not None:
        return str(c.dtype)
    dtype: str = c.input.dtype
    return dtype if dtype in FLOATS | COMPLEX or dtype == "any" else "int64"


def _sum(c: Call) -> Tensor:
    return Tensor(reduced(c, c.input), _summed(c))


def _extreme(c: Call) -> Tensor:
    return Tensor(reduced(c, c.input), c.input.dtype)


def _truth(c: Call) -> Tensor:
    # torch keeps uint8 here, its old type for bools.
    dtype = "uint8" if c.input.dtype == "uint8" else "bool"
    return Tensor(reduced(c, c.input), dtype)


def _index(c: Call) -> Tensor:
    not_bool(c)
    return Tensor(reduced(c, c.input), "int64")


def _logsumexp(c: Call) -> Tensor:
    dtype = c.input.dtype if c.input.is_float else "float"
    return Tensor(reduced(c, c.input), dtype)


def _best(c: Call) -> Result:
    """`max()`, `max(other)`, and `max(dim)`, which gives values and indices."""
    if isinstance(c.dim, Tensor):
        return c.broadcast(c.input, c.dim)
    if c.known("dim") is None:
        if c.known("keepdim"):
            raise Refusal(
                "missing-argument",
                f"`keepdim` of `{c.declaration.name}` goes with `dim`",
                "`dim` is missing",
                argument="keepdim",
            )
        return Tensor(Shape(()), c.input.dtype)
    shape = reduced(c, c.input)
    return Tensor(shape, c.input.dtype), Tensor(shape, "int64")


def _median(c: Call) -> Result:
    not_bool(c)
    return _best(c)


def _running(c: Call) -> Tensor:
    c.axis(c.input)
    return Tensor(c.input.shape, _summed(c))


def _softmax(c: Call) -> Tensor:
    c.axis(c.input)
    if c.known("dtype") is None:
        c.floating(c.input)
    else:
        c.gives_floats(c.dtype)
    return Tensor(c.input.shape, _dtype(c))


def _softmin(c: Call) -> Tensor:
    not_bool(c)
    return _softmax(c)


def _gumbel_softmax(c: Call) -> Tensor:
    c.floating(c.logits)
    c.axis(c.logits)
    tensor: Tensor = c.logits
    return tensor


_DIMS = "dim: ints? = None, keepdim: bool = False"
for _name, _rule, _doc in (
    ("mean", _mean, "Mean over all sizes, or over `dim`."),
    ("sum", _sum, "Sum over all sizes, or over `dim`."),
):
    function(
        f"{_name}(input: tensor, {_DIMS}, *, dtype: dtype? = None)",
        f".{_name}",
        _rule,
        _doc,
    )
function(
    "prod(input: tensor, dim: int? = None, keepdim: bool = False, *,"
    " dtype: dtype? = None)",
    ".prod",
    _sum,
    "Product over all sizes, or over `dim`.",
)
for _name, _doc in (
    ("amax", "The greatest over all sizes, or over `dim`."),
    ("amin", "The least over all sizes, or over `dim`."),
):
    function(
        f"{_name}(input: tensor, dim: ints = (), keepdim: bool = False)",
        f".{_name}",
        _extreme,
        _doc,
    )
for _name, _doc in (
    ("max", "The greatest; with `dim` a pair of values and indices."),
    ("min", "The least; with `dim` a pair of values and indices."),
):
    function(
        f"{_name}(input: tensor, dim: int | tensor ? = None, keepdim: bool = False)",
        f".{_name}",
        _best,
        _doc,
    )
function(
    "median(input: tensor, dim: int? = None, keepdim: bool = False)",
    ".median",
    _median,
    "The middle value; with `dim` a pair of values and indices.",
)
for _name, _doc in (
    ("argmax", "Index of the greatest, in all or along `dim`."),
    ("argmin", "Index of the least, in all or along `dim`."),
):
    function(
        f"{_name}(input: tensor, dim: int? = None, keepdim: bool = False)",
        f".{_name}",
        _index,
        _doc,
    )
for _name, _doc in (
    ("any", "Whether one is true, of all or along `dim`."),
    ("all", "Whether all are true, or those along `dim`."),
):
    function(f"{_name}(input: tensor, {_DIMS})", f".{_name}", _truth, _doc)
for _name, _doc in (
    ("std", "Standard deviation over all sizes, or over `dim`."),
    ("var", "Variance over all sizes, or over `dim`."),
):
    function(
        f"{_name}(input: tensor, dim: ints? = None, unbiased: bool = True,"
        " keepdim: bool = False, *, correction: float? = None)",
        f".{_name}",
        _deviation,
        _doc,
    )
function(
    'norm(input: tensor, p: float | "fro" ? = "fro", dim: ints? = None,'
    " keepdim: bool = False, dtype: dtype? = None)",
    ".norm",
    _norm,
    "The `p`-norm over all sizes, or over `dim`.",
)
function(
    "logsumexp(input: tensor, dim: ints, keepdim: bool = False)",
    ".logsumexp",
    _logsumexp,
    "`log(sum(exp(x)))` over `dim`, without overflow.",
)
for _name, _doc in (
    ("cumsum", "Sum of all up to each place along `dim`."),
    ("cumprod", "Product of all up to each place along `dim`."),
):
    function(
        f"{_name}(input: tensor, dim: int, *, dtype: dtype? = None)",
        f".{_name}",
        _running,
        _doc,
    )
for _name, _target, _doc in (
    ("softmax", ".softmax", "`exp(x)`, scaled to sum to 1 along `dim`."),
    ("log_softmax", ".log_softmax", "Logarithm of softmax along `dim`."),
):
    function(
        f"{_name}(input: tensor, dim: int, dtype: dtype? = None)",
        _target,
        _softmax,
        _doc,
    )
function(
    "softmin(input: tensor, dim: int, *, dtype: dtype? = None)",
    "F.softmin",
    _softmin,
    "Softmax of `-x` along `dim`.",
)
function(
    "gumbel_softmax(logits: tensor, tau: float = 1, hard: bool = False,"
    " eps: float = 1e-10, dim: int = -1)",
    "F.gumbel_softmax",
    _gumbel_softmax,
    "A random choice along `dim`, soft enough to have a gradient.",
)
