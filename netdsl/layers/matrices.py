"""Products of another kind, and what matrices have: inverses, norms, factors."""

from __future__ import annotations

from itertools import pairwise

from netdsl.dims import Size, minimum
from netdsl.layers.call import Call
from netdsl.layers.pointwise import complex_of, keep, real_of
from netdsl.layers.products import onto, product_dtype, same_inner
from netdsl.layers.spec import Result, function
from netdsl.shapes import (
    COMPLEX,
    Refusal,
    Shape,
    Tensor,
    Undecided,
    fixed,
    result_dtype,
)

PRECISE = frozenset({"float", "float32", "float64", "any"}) | COMPLEX


def exact(c: Call, *tensors: Tensor) -> None:
    """States that tensors are of the dtypes that equations are solved in."""
    for tensor in tensors:
        if tensor.dtype not in PRECISE:
            raise Refusal(
                "wrong-dtype",
                f"`{c.declaration.name}` takes float32, float64 or complex numbers,"
                f" and {tensor} is {tensor.dtype}",
                f"{tensor} flows in",
            )


def _matrix(c: Call, tensor: Tensor) -> tuple[Size, Size]:
    """The rows and columns of a matrix, or of a batch of them."""
    exact(c, tensor)
    if tensor.shape.least_rank < 2:
        tensor.shape.sizes  # noqa: B018  refuses a star
        raise c.refuse(
            f"`{c.declaration.name}` wants [*, rows, columns], not {tensor}",
            f"{tensor} flows in",
        )
    return tensor.shape.at(-2), tensor.shape.at(-1)


def _square(c: Call, tensor: Tensor) -> Size:
    rows, columns = _matrix(c, tensor)
    text = f"`{c.declaration.name}` wants square matrices, not {tensor}"
    c.equal(rows, columns, text)
    return rows


def _first(c: Call) -> Tensor:
    tensor: Tensor = c.values[c.declaration.signature.parameters[0].name]
    return tensor


def _lead(tensor: Tensor) -> Shape:
    return tensor.shape.without(-1).without(-1)


# -- products ------------------------------------------------------------------


def _addbmm(c: Call) -> Tensor:
    one, two = c.batch1, c.batch2
    c.rank(one, 3, name="`batch1`")
    c.rank(two, 3, name="`batch2`")
    c.equal(
        one.shape.at(0),
        two.shape.at(0),
        f"`addbmm` multiplies {one} by {two}: the batches differ",
    )
    same_inner(c, one, two, one.shape.at(2), two.shape.at(1))
    shape = fixed(one.shape.at(1), two.shape.at(2))
    return onto(c, Tensor(shape, product_dtype(c, one, two)))


def _addmv(c: Call) -> Tensor:
    c.rank(c.mat, 2, name="`mat`")
    c.rank(c.vec, 1, name="`vec`")
    same_inner(c, c.mat, c.vec, c.mat.shape.at(1), c.vec.shape.at(0))
    return onto(c, Tensor(c.mat.shape.without(1), product_dtype(c, c.mat, c.vec)))


def _addr(c: Call) -> Tensor:
    c.rank(c.vec1, 1, name="`vec1`")
    c.rank(c.vec2, 1, name="`vec2`")
    shape = fixed(c.vec1.shape.at(0), c.vec2.shape.at(0))
    return onto(c, Tensor(shape, product_dtype(c, c.vec1, c.vec2)))


def _inner(c: Call) -> Tensor:
    a, b = c.input, c.other
    if a.shape.rank == 0 or b.shape.rank == 0:
        return Tensor(c.broadcast(a, b).shape, c.same_dtype(a, b))
    same_inner(c, a, b, a.shape.at(-1), b.shape.at(-1))
    left, right = a.shape.without(-1), b.shape.without(-1)
    return Tensor(left.append(*right.sizes), product_dtype(c, a, b))


def _vdot(c: Call) -> Tensor:
    c.rank(c.input, 1)
    c.rank(c.other, 1, name="`other`")
    same_inner(c, c.input, c.other, c.input.shape.at(0), c.other.shape.at(0))
    return Tensor(fixed(), product_dtype(c, c.input, c.other))


def _kron(c: Call) -> Tensor:
    one, two = list(c.input.shape.sizes), list(c.other.shape.sizes)
    rank = max(len(one), len(two))
    one = [1] * (rank - len(one)) + one
    two = [1] * (rank - len(two)) + two
    shape = fixed(*(a * b for a, b in zip(one, two, strict=True)))
    return Tensor(shape, result_dtype(c.input, c.other))


def _tensordot(c: Call) -> Tensor:
    a, b = c.a, c.b
    ours, theirs = _summed(c, a, b)
    for i, j in zip(ours, theirs, strict=True):
        x, y = a.shape.at(i), b.shape.at(j)
        c.equal(x, y, f"`tensordot` sums size {i} of {a} and {j} of {b}")
    left = [s for i, s in enumerate(a.shape.sizes) if i not in ours]
    right = [s for i, s in enumerate(b.shape.sizes) if i not in theirs]
    return Tensor(fixed(*left, *right), product_dtype(c, a, b))


def _summed(c: Call, a: Tensor, b: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of the sizes that are summed over, in each tensor."""
    dims = c.known("dims")
    if isinstance(dims, tuple):
        if len(dims) != 2 or not all(isinstance(d, tuple | list) for d in dims):
            raise c.bad("dims", "`dims` is an int, or two lists of sizes")
        ours = tuple(a.shape.place(d) for d in dims[0])
        theirs = tuple(b.shape.place(d) for d in dims[1])
        if len(ours) != len(theirs):
            raise c.bad("dims", "the two lists of `dims` have one length")
        if len(set(ours)) < len(ours) or len(set(theirs)) < len(theirs):
            raise c.bad("dims", "`dims` names a size twice")
        return ours, theirs
    if not isinstance(dims, int) or isinstance(dims, bool):
        raise c.bad("dims", "`dims` is an int, or two lists of sizes")
    count = c.number("dims")
    rank = len(a.shape.sizes)
    if not 0 <= count <= min(rank, len(b.shape.sizes)):
        raise c.bad("dims", f"`tensordot` can't sum {count} sizes of {a} and {b}")
    return tuple(range(rank - count, rank)), tuple(range(count))


def _cross(c: Call) -> Tensor:
    if len(c.input.shape.sizes) != len(c.other.shape.sizes):
        raise c.refuse(
            f"`{c.declaration.name}` wants equally many sizes, not {c.input} and"
            f" {c.other}"
        )
    result = c.broadcast(c.input, c.other)
    place = _first_three(c, result) if c.known("dim") is None else c.axis(c.input)
    for tensor in (c.input, c.other):
        text = f"`{c.declaration.name}` wants 3 in size {place} of {tensor}"
        c.equal(tensor.shape.at(place), 3, text)
    return result


def _first_three(c: Call, tensor: Tensor) -> int:
    for i, size in enumerate(tensor.shape.sizes):
        is_three = c.facts.equal(size, 3)
        if is_three is None:
            raise Undecided("dim")
        if is_three:
            return i
    raise c.refuse(f"`cross` wants a size of 3, and {tensor} has none")


def _vecdot(c: Call) -> Tensor:
    dtype = product_dtype(c, c.x, c.y)
    if c.x.shape.rank == c.y.shape.rank == 0 and c.number("dim") in (0, -1):
        return Tensor(fixed(), dtype)
    if c.x.shape.rank == c.y.shape.rank == 1:
        # Two vectors go to `dot`, which spreads none of them.
        same_inner(c, c.x, c.y, c.x.shape.at(0), c.y.shape.at(0))
    result = c.broadcast(c.x, c.y)
    return Tensor(result.shape.without(c.axis(result)), dtype)


def _multi_dot(c: Call) -> Tensor:
    tensors: tuple[Tensor, ...] = tuple(c.tensors)
    if len(tensors) < 2:
        raise c.refuse("`linalg.multi_dot` wants two tensors or more")
    for i, tensor in enumerate(tensors):
        ranks = (1, 2) if i in (0, len(tensors) - 1) else (2,)
        c.rank(tensor, *ranks, name="each of its matrices")
    for a, b in pairwise(tensors):
        same_inner(c, a, b, a.shape.at(-1), b.shape.at(0))
    sizes = (*tensors[0].shape.sizes[:-1], *tensors[-1].shape.sizes[1:])
    return Tensor(fixed(*sizes), product_dtype(c, *tensors))


def _grouped(c: Call) -> Tensor:
    a, b, offsets = c.mat_a, c.mat_b, c.offs
    dtype = c.same_dtype(a, b)
    c.rank(a, 2, 3, name="`mat_a`")
    c.rank(b, 2, 3, name="`mat_b`")
    same_inner(c, a, b, a.shape.at(-1), b.shape.at(-2))
    flat = 2 in (len(a.shape.sizes), len(b.shape.sizes))
    if flat != (offsets is not None):
        raise c.refuse(
            "`grouped_mm` wants `offs`, where the groups end, with a tensor of two"
            " sizes, and only then"
        )
    count: Size = a.shape.at(0) if a.shape.rank == 3 else b.shape.at(0)
    if offsets is not None:
        c.integer(offsets, "int32", name="`offs`")
        c.rank(offsets, 1, name="`offs`")
        if a.shape.rank == b.shape.rank:
            count = offsets.shape.at(0)
        c.equal(count, offsets.shape.at(0), f"`grouped_mm` has {offsets} for {a}, {b}")
    elif a.shape.rank == 3:
        c.equal(count, b.shape.at(0), f"`grouped_mm` of {a} and {b}: groups differ")
    shape = fixed(a.shape.at(-2), b.shape.at(-1))
    grouped = a.shape.rank == b.shape.rank
    if grouped:
        shape = fixed(count, *shape.sizes)
    return Tensor(shape, c.known("out_dtype") or dtype)


# -- square matrices -----------------------------------------------------------


def _like(c: Call) -> Tensor:
    _square(c, _first(c))
    return _first(c)


def _number(c: Call) -> Tensor:
    tensor = _first(c)
    _square(c, tensor)
    return tensor.with_shape(_lead(tensor))


def _slogdet(c: Call) -> Result:
    one = _number(c)
    return one, Tensor(one.shape, real_of(one.dtype))


def _cond(c: Call) -> Tensor:
    tensor = keep(c)
    _matrix(c, tensor)
    if c.known("p") not in (None, 2, -2):
        _square(c, tensor)
    return Tensor(_lead(tensor), real_of(tensor.dtype))


def _eigh(c: Call) -> Result:
    size = _square(c, c.input)
    values = Tensor(_lead(c.input).append(size), real_of(c.input.dtype))
    return (values, c.input) if c.declaration.name == "linalg.eigh" else values


def _eig(c: Call) -> Result:
    size = _square(c, c.input)
    dtype = complex_of(c.input.dtype)
    values = Tensor(_lead(c.input).append(size), dtype)
    if c.declaration.name == "linalg.eigvals":
        return values
    return values, Tensor(c.input.shape, dtype)


def _transposed(c: Call) -> Tensor:
    tensor = keep(c)
    rows, columns = _matrix(c, tensor)
    return tensor.with_shape(tensor.shape.replace(-2, columns).replace(-1, rows))


def _rank(c: Call) -> Tensor:
    _matrix(c, c.input)
    return Tensor(_lead(c.input), "int64")


# -- factors -------------------------------------------------------------------


def _qr(c: Call) -> Result:
    rows, columns = _matrix(c, c.A)
    lead, dtype = _lead(c.A), c.A.dtype
    mode = c.known("mode")
    inner = rows if mode == "complete" else minimum(rows, columns)
    q = fixed(0) if mode == "r" else lead.append(rows, inner)
    return Tensor(q, dtype), Tensor(lead.append(inner, columns), dtype)


def _svd(c: Call) -> Result:
    rows, columns = _matrix(c, c.A)
    lead, dtype = _lead(c.A), c.A.dtype
    count = minimum(rows, columns)
    full = c.known("full_matrices")
    return (
        Tensor(lead.append(rows, rows if full else count), dtype),
        Tensor(lead.append(count), real_of(dtype)),
        Tensor(lead.append(columns if full else count, columns), dtype),
    )


def _svdvals(c: Call) -> Tensor:
    rows, columns = _matrix(c, c.A)
    return Tensor(_lead(c.A).append(minimum(rows, columns)), real_of(c.A.dtype))


def _lu(c: Call) -> Result:
    rows, columns = _matrix(c, c.A)
    lead, count = _lead(c.A), minimum(rows, columns)
    sizes = ((rows, rows), (rows, count), (count, columns))
    return tuple(Tensor(lead.append(*pair), c.A.dtype) for pair in sizes)


# -- equations -----------------------------------------------------------------


def _solve(c: Call) -> Tensor:
    a, b = c.A, c.B
    size = _square(c, a)
    exact(c, b)
    dtype = c.same_dtype(a, b)
    text = f"`linalg.solve` of {a} and {b}"
    at_vector = len(b.shape.sizes) == 1 or (
        len(b.shape.sizes) == len(a.shape.sizes) - 1
        and _same(c, a.shape.without(-1), b)
    )
    if at_vector:
        if not c.known("left"):
            raise c.bad("left", "`left=False` goes with a matrix `B`, not a vector")
        c.equal(size, b.shape.at(-1), text)
        lead = c.broadcast_shapes(_lead(a), b.shape.without(-1))
        return Tensor(lead.append(size), dtype)
    return _solved(c, a, b, size, dtype, text)


def _same(c: Call, shape: Shape, tensor: Tensor) -> bool:
    """Whether the sizes are those; torch takes a batch of vectors by that alone."""
    pairs = zip(shape.sizes, tensor.shape.sizes, strict=True)
    answers = [c.facts.equal(x, y) for x, y in pairs]
    if None in answers and False not in answers:
        raise Undecided("B")
    return False not in answers


def _solved(c: Call, a: Tensor, b: Tensor, size: Size, dtype: str, text: str) -> Tensor:
    rows, columns = _matrix(c, b)
    c.equal(size, rows if c.known("left") else columns, text)
    lead = c.broadcast_shapes(_lead(a), _lead(b))
    return Tensor(lead.append(rows, columns), dtype)


def _solve_triangular(c: Call) -> Tensor:
    size = _square(c, c.input)
    exact(c, c.B)
    dtype = c.same_dtype(c.input, c.B)
    text = f"`linalg.solve_triangular` of {c.input} and {c.B}"
    return _solved(c, c.input, c.B, size, dtype, text)


_ADDED = "*, beta: float = 1, alpha: float = 1"
for _declaration, _rule, _doc in (
    (
        f"addbmm(input: tensor, batch1: tensor, batch2: tensor, {_ADDED})",
        _addbmm,
        "`beta * input + alpha * (batch1 @ batch2).sum(0)`.",
    ),
    (
        f"addmv(input: tensor, mat: tensor, vec: tensor, {_ADDED})",
        _addmv,
        "`beta * input + alpha * mat @ vec`.",
    ),
    (
        f"addr(input: tensor, vec1: tensor, vec2: tensor, {_ADDED})",
        _addr,
        "`beta * input + alpha * outer(vec1, vec2)`.",
    ),
    (
        "inner(input: tensor, other: tensor)",
        _inner,
        "Products of all vectors along the last sizes of both.",
    ),
    (
        "vdot(input: tensor, other: tensor)",
        _vdot,
        "dot, of the conjugated input.",
    ),
    (
        "kron(input: tensor, other: tensor)",
        _kron,
        "The Kronecker product: each element times the other tensor.",
    ),
    (
        "tensordot(a: tensor, b: tensor, dims: any = 2)",
        _tensordot,
        "Products summed over the last sizes of one and the first of the other.",
    ),
    (
        "cross(input: tensor, other: tensor, dim: int? = None)",
        _cross,
        "The cross product of vectors of 3.",
    ),
    ("inverse(input: tensor)", _like, "Inverse of square matrices."),
    ("det(input: tensor)", _number, "Determinant of square matrices."),
    ("logdet(input: tensor)", _number, "Logarithm of the determinant."),
    (
        "slogdet(input: tensor)",
        _slogdet,
        "Sign of the determinant, and logarithm of its size.",
    ),
    ("pinverse(input: tensor, rcond: float = 1e-15)", _transposed, "Pseudoinverse."),
    (
        "matrix_power(input: tensor, n: int)",
        _like,
        "A square matrix times itself, `n` times.",
    ),
    ("matrix_exp(input: tensor)", _like, "e to the power of a square matrix."),
    ("linalg.inv(A: tensor)", _like, "Inverse of square matrices."),
    ("linalg.det(A: tensor)", _number, "Determinant of square matrices."),
    (
        "linalg.slogdet(A: tensor)",
        _slogdet,
        "Sign of the determinant, and logarithm of its size.",
    ),
    (
        "linalg.pinv(input: tensor, *, atol: float? = None, rtol: float? = None,"
        " hermitian: bool = False)",
        _transposed,
        "Pseudoinverse.",
    ),
    (
        "linalg.matrix_power(input: tensor, n: int)",
        _like,
        "A square matrix times itself, `n` times.",
    ),
    ("linalg.matrix_exp(input: tensor)", _like, "e to the power of a square matrix."),
    (
        "linalg.matrix_rank(input: tensor, *, atol: float? = None,"
        " rtol: float? = None, hermitian: bool = False)",
        _rank,
        "How many rows are independent.",
    ),
    (
        "linalg.cond(input: tensor, p: float | str ? = None)",
        _cond,
        "How badly a small change of a matrix changes its inverse.",
    ),
    (
        "linalg.cholesky(input: tensor, *, upper: bool = False)",
        _like,
        "The triangular factor of a positive matrix.",
    ),
    (
        'linalg.qr(A: tensor, mode: "reduced" "complete" "r" = "reduced")',
        _qr,
        "An orthogonal and a triangular factor.",
    ),
    (
        "linalg.svd(A: tensor, full_matrices: bool = True)",
        _svd,
        "Singular vectors, singular values, and vectors again.",
    ),
    ("linalg.svdvals(A: tensor)", _svdvals, "Singular values."),
    (
        "linalg.lu(A: tensor, *, pivot: bool = True)",
        _lu,
        "A permutation, a lower and an upper triangular factor.",
    ),
    (
        'linalg.eigh(input: tensor, UPLO: "L" "U" = "L")',
        _eigh,
        "Eigenvalues and eigenvectors of symmetric matrices.",
    ),
    (
        'linalg.eigvalsh(input: tensor, UPLO: "L" "U" = "L")',
        _eigh,
        "Eigenvalues of symmetric matrices.",
    ),
    ("linalg.eig(input: tensor)", _eig, "Eigenvalues and eigenvectors, complex."),
    ("linalg.eigvals(input: tensor)", _eig, "Eigenvalues, complex."),
    (
        "linalg.solve(A: tensor, B: tensor, *, left: bool = True)",
        _solve,
        "The `X` of `A @ X == B`.",
    ),
    (
        "linalg.solve_triangular(input: tensor, B: tensor, *, upper: bool,"
        " left: bool = True, unitriangular: bool = False)",
        _solve_triangular,
        "The `X` of `input @ X == B`, for triangular matrices.",
    ),
    (
        "linalg.cross(input: tensor, other: tensor, *, dim: int = -1)",
        _cross,
        "The cross product of vectors of 3.",
    ),
    (
        "linalg.vecdot(x: tensor, y: tensor, *, dim: int = -1)",
        _vecdot,
        "Products of vectors along `dim`.",
    ),
    (
        "linalg.multi_dot(tensors: tensors)",
        _multi_dot,
        "Product of several matrices, in the order that is fastest.",
    ),
):
    function(_declaration, f"torch.{_declaration.split('(')[0]}", _rule, _doc)
function(
    "grouped_mm(mat_a: tensor, mat_b: tensor, *, offs: tensor? = None,"
    " out_dtype: dtype? = None)",
    "F.grouped_mm",
    _grouped,
    "Products of groups of rows, each with a matrix of its own.",
)
