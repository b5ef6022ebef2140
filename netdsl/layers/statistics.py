"""Reductions that describe what is there: quantiles, counts, extremes, differences."""

from __future__ import annotations

from netdsl.dims import Size, maximum, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.pointwise import keep, not_bool
from netdsl.layers.reduction import reduced
from netdsl.layers.spec import Result, function
from netdsl.shapes import COMPLEX, FLOATS, Refusal, Shape, Tensor, fixed, result_dtype


def _pair(c: Call) -> Result:
    """Values and their indices, along `dim`."""
    shape = reduced(c, _number_as_vector(c))
    return Tensor(shape, c.input.dtype), Tensor(shape, "int64")


def _number_as_vector(c: Call) -> Tensor:
    """As in torch, `dim=-1` of a single number is itself."""
    tensor = keep(c)
    if tensor.shape.rank == 0 and c.number("dim") in (0, -1):
        return tensor.with_shape(fixed(1))
    return tensor


def _mode(c: Call) -> Result:
    if c.input.shape.rank == 0:
        return c.input, Tensor(c.input.shape, "int64")
    return _pair(c)


def _kthvalue(c: Call) -> Result:
    not_bool(c)
    tensor = _number_as_vector(c)
    size, k = tensor.shape.at(c.axis(tensor)), c.known("k")
    text = f"`kthvalue` takes the {show(k)}th of {show(size)} along size {c.dim}"
    c.require(Comparison(">=", k, 1), f"{text} of {c.input}")
    c.require(Comparison("<=", k, size), f"{text} of {c.input}")
    if c.input.shape.rank == 0:
        return c.input, Tensor(c.input.shape, "int64")
    return _pair(c)


def _nanmean(c: Call) -> Tensor:
    c.floating(c.input)
    return Tensor(reduced(c, c.input), c.known("dtype") or c.input.dtype)


def _nansum(c: Call) -> Tensor:
    dtype = c.input.dtype
    if c.known("dtype") is not None:
        dtype = c.dtype
    elif dtype not in FLOATS | {"any"}:
        dtype = "int64"
    return Tensor(reduced(c, c.input), dtype)


def _nanmedian(c: Call) -> Result:
    not_bool(c)
    if c.known("dim") is None:
        return Tensor(Shape(()), c.input.dtype)
    return _pair(c)


def _quantile(c: Call) -> Tensor:
    tensor = keep(c)
    if tensor.dtype not in ("float", "float32", "float64", "any"):
        raise Refusal(
            "wrong-dtype",
            f"`{c.declaration.name}` takes float32 or float64, and {tensor} is"
            f" {tensor.dtype}",
            f"{tensor} flows in",
        )
    shape = reduced(c, tensor)
    if not isinstance(c.q, Tensor):
        if isinstance(c.q, int | float) and not 0 <= c.q <= 1:
            raise c.bad("q", f"`q` of `{c.declaration.name}` is from 0 to 1, not {c.q}")
        return tensor.with_shape(shape)
    c.same_dtype(tensor, c.q)
    c.rank(c.q, 0, 1, name="`q`")
    return tensor.with_shape(Shape((*c.q.shape.sizes, *shape.sizes)))


def _std_mean(c: Call) -> Result:
    c.floating(c.input)
    one = Tensor(reduced(c, c.input), c.input.dtype)
    return one, one


def _aminmax(c: Call) -> Result:
    one = Tensor(reduced(c, c.input), c.input.dtype)
    return one, one


def _count_nonzero(c: Call) -> Tensor:
    c.values["keepdim"] = False
    return Tensor(reduced(c, c.input), "int64")


def _running_best(c: Call) -> Result:
    c.axis(_number_as_vector(c))
    return keep(c), Tensor(c.input.shape, "int64")


def _running_logsumexp(c: Call) -> Tensor:
    c.floating(c.input)
    c.axis(_number_as_vector(c))
    return keep(c)


def _diff(c: Call) -> Tensor:
    tensor = keep(c)
    place = c.axis(tensor)
    c.at_least("n", least=0)
    size: Size = tensor.shape.at(place)
    dtype = tensor.dtype
    for name in ("prepend", "append"):
        more: Tensor | None = c.values[name]
        if more is None:
            continue
        length = more.shape.at(place) if more.shape.sizes else 1
        wanted = tensor.shape.replace(place, length)
        text = f"`{name}` of `diff` is {more}, for {tensor}"
        if more.shape.sizes:
            c.rank(more, len(wanted.sizes), name=f"`{name}`")
            for a, b in zip(more.shape.sizes, wanted.sizes, strict=True):
                c.equal(a, b, text)
        size = size + length
        dtype = result_dtype(Tensor(fixed(1), dtype), Tensor(fixed(1), more.dtype))
    left = maximum(size - c.known("n"), 0)
    return Tensor(tensor.shape.replace(place, left), dtype)


def _dist(c: Call) -> Tensor:
    both = c.broadcast(c.input, c.other)
    c.floating(both, "its tensors")
    return Tensor(Shape(()), both.dtype)


def _cov(c: Call) -> Tensor:
    not_bool(c)
    c.rank(c.input, 0, 1, 2)
    sizes = c.input.shape.sizes
    # torch drops the sizes of a single row.
    several = len(sizes) == 2 and sizes[0] != 1
    shape = fixed(sizes[0], sizes[0]) if several else fixed()
    kept = c.input.dtype in FLOATS | COMPLEX | {"any"}
    return Tensor(shape, c.input.dtype if kept else "float")


def _histc(c: Call) -> Tensor:
    c.floating(c.input)
    c.at_least("bins")
    return Tensor(fixed(c.known("bins")), c.input.dtype)


def _trapezoid(c: Call) -> Tensor:
    place = c.axis(c.y)
    if c.y.dtype == "bool":
        not_bool(c, c.y)
    tensors = [c.y.with_shape(c.y.shape.without(place))]
    if c.x is not None:
        c.rank(c.x, 1, name="`x`")
        c.equal(
            c.x.shape.at(0),
            c.y.shape.at(place),
            f"`trapezoid` has a point of {c.x} for each of size {c.dim} of {c.y}",
        )
    shape, dtype = tensors[0].shape, c.y.dtype
    if c.x is not None:
        dtype = result_dtype(c.y, c.x)
    return Tensor(shape, dtype if dtype in FLOATS | {"any"} else "float")


_DIMS = "dim: ints? = None, keepdim: bool = False"
_DTYPE = "dtype: dtype? = None"
_CORRECTION = "dim: ints? = None, *, correction: float = 1, keepdim: bool = False"
_QUANTILE = (
    "input: tensor, q: float | tensor, dim: int? = None, keepdim: bool = False, *,"
    ' interpolation: "linear" "lower" "higher" "midpoint" "nearest" = "linear"'
)
for _declaration, _rule, _doc in (
    (
        "mode(input: tensor, dim: int = -1, keepdim: bool = False)",
        _mode,
        "The most frequent along `dim`: a pair of values and indices.",
    ),
    (
        "kthvalue(input: tensor, k: int, dim: int = -1, keepdim: bool = False)",
        _kthvalue,
        "The `k`-th smallest along `dim`: a pair of values and indices.",
    ),
    (
        f"nansum(input: tensor, {_DIMS}, *, {_DTYPE})",
        _nansum,
        "Sum that counts nan as 0.",
    ),
    (
        f"nanmean(input: tensor, {_DIMS}, *, {_DTYPE})",
        _nanmean,
        "Mean of all but nan.",
    ),
    (
        "nanmedian(input: tensor, dim: int? = None, keepdim: bool = False)",
        _nanmedian,
        "The middle value of all but nan; with `dim` a pair of values and indices.",
    ),
    (
        f"quantile({_QUANTILE})",
        _quantile,
        "What a part `q` of the values lies below; a vector of them gives as many.",
    ),
    (f"nanquantile({_QUANTILE})", _quantile, "quantile of all but nan."),
    (
        f"std_mean(input: tensor, {_CORRECTION})",
        _std_mean,
        "Standard deviation and mean.",
    ),
    (f"var_mean(input: tensor, {_CORRECTION})", _std_mean, "Variance and mean."),
    (
        "aminmax(input: tensor, *, dim: int? = None, keepdim: bool = False)",
        _aminmax,
        "The least and the greatest.",
    ),
    (
        "count_nonzero(input: tensor, dim: ints? = None)",
        _count_nonzero,
        "How many are not 0.",
    ),
    (
        "cummax(input: tensor, dim: int)",
        _running_best,
        "The greatest up to each place along `dim`, and its index.",
    ),
    (
        "cummin(input: tensor, dim: int)",
        _running_best,
        "The least up to each place along `dim`, and its index.",
    ),
    (
        "logcumsumexp(input: tensor, dim: int)",
        _running_logsumexp,
        "logsumexp of all up to each place along `dim`.",
    ),
    (
        "diff(input: tensor, n: int = 1, dim: int = -1, prepend: tensor? = None,"
        " append: tensor? = None)",
        _diff,
        "The differences of neighbours along `dim`, taken `n` times.",
    ),
    (
        "dist(input: tensor, other: tensor, p: float = 2)",
        _dist,
        "The `p`-norm of a difference.",
    ),
    (
        "cov(input: tensor, *, correction: int = 1)",
        _cov,
        "Covariances of the rows of a matrix.",
    ),
    ("corrcoef(input: tensor)", _cov, "Correlations of the rows of a matrix."),
    (
        "histc(input: tensor, bins: int = 100, min: float = 0, max: float = 0)",
        _histc,
        "How many values lie in each of `bins` equal parts.",
    ),
    (
        "trapezoid(y: tensor, x: tensor? = None, *, dim: int = -1)",
        _trapezoid,
        "The area below `y` along `dim`; its points lie at `x`, or 1 apart.",
    ),
):
    function(_declaration, f"torch.{_declaration.split('(')[0]}", _rule, _doc)
