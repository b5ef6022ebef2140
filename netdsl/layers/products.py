"""Products of matrices, and attention."""

from __future__ import annotations

from netdsl.dims import Size, floordiv, modulo, show
from netdsl.layers.call import Call
from netdsl.layers.reshaping import expanded
from netdsl.layers.spec import function
from netdsl.shapes import Refusal, Shape, Tensor, fixed, result_dtype


def product_dtype(c: Call, *tensors: Tensor) -> str:
    """The one dtype of tensors that are multiplied; it holds numbers."""
    for tensor in tensors:
        if tensor.dtype == "bool":
            raise Refusal(
                "wrong-dtype",
                f"`{c.declaration.name}` wants numbers, and {tensor} holds bools",
                f"{tensor} flows in",
            )
    return c.same_dtype(*tensors)


def same_inner(c: Call, a: Tensor, b: Tensor, left: Size, right: Size) -> None:
    c.equal(
        left,
        right,
        f"`{c.declaration.name}` multiplies {a} by {b}: the inner sizes are"
        f" {show(left)} and {show(right)}",
    )


# -- matrices ------------------------------------------------------------------


def _product(c: Call, a: Tensor, b: Tensor) -> Tensor:
    dtype = product_dtype(c, a, b)
    for side in (a, b):
        if side.shape.rank == 0:
            raise c.refuse(
                f"`{c.declaration.name}` wants vectors or matrices, not {a} and {b}",
                f"{side} is a single number",
                "use `*`",
            )
    return Tensor(_product_shape(c, a, b), dtype)


def _product_shape(c: Call, a: Tensor, b: Tensor) -> Shape:
    if b.shape.rank == 1:
        same_inner(c, a, b, a.shape.at(-1), b.shape.at(0))
        return a.shape.without(-1)
    same_inner(c, a, b, a.shape.at(-1), b.shape.at(-2))
    if b.shape.rank == 2:
        return a.shape.replace(-1, b.shape.at(-1))
    if a.shape.rank == 1:
        return b.shape.without(-2)
    batch = c.broadcast_shapes(_batch(a.shape), _batch(b.shape))
    return batch.append(a.shape.at(-2), b.shape.at(-1))


def _batch(shape: Shape) -> Shape:
    return shape.without(-1).without(-1)


def _operator(c: Call) -> Tensor:
    for side in (c.input, c.other):
        if not isinstance(side, Tensor):
            raise Refusal(
                "wrong-type", "`@` multiplies two tensors", "not a tensor", "use `*`"
            )
    return _product(c, c.input, c.other)


def _matmul(c: Call) -> Tensor:
    return _product(c, c.input, c.other)


def _mm(c: Call) -> Tensor:
    c.rank(c.input, 2)
    c.rank(c.mat2, 2, name="`mat2`")
    return _product(c, c.input, c.mat2)


def _bmm(c: Call) -> Tensor:
    return _batched(c, c.input, c.mat2)


def _batched(c: Call, a: Tensor, b: Tensor) -> Tensor:
    c.rank(a, 3)
    c.rank(b, 3, name="its second matrix")
    one, two = a.shape.at(0), b.shape.at(0)
    name = c.declaration.name
    c.equal(one, two, f"`{name}` multiplies {a} by {b}: the batches differ")
    same_inner(c, a, b, a.shape.at(2), b.shape.at(1))
    return Tensor(fixed(one, a.shape.at(1), b.shape.at(2)), product_dtype(c, a, b))


def _mv(c: Call) -> Tensor:
    c.rank(c.input, 2)
    c.rank(c.vec, 1, name="`vec`")
    return _product(c, c.input, c.vec)


def _dot(c: Call) -> Tensor:
    c.rank(c.input, 1)
    c.rank(c.other, 1, name="`other`")
    return _product(c, c.input, c.other)


def _outer(c: Call) -> Tensor:
    c.rank(c.input, 1)
    c.rank(c.vec2, 1, name="`vec2`")
    shape = fixed(c.input.shape.at(0), c.vec2.shape.at(0))
    return Tensor(shape, result_dtype(c.input, c.vec2))


def onto(c: Call, product: Tensor) -> Tensor:
    """A product to which the input is added, stretched to its shape."""
    if len(c.input.shape.sizes) > len(product.shape.sizes):
        raise c.refuse(
            f"`{c.declaration.name}` adds {c.input} to {product}",
            f"{c.input} has more sizes",
        )
    expanded(c, c.input, product.shape.sizes)
    return Tensor(product.shape, product_dtype(c, c.input, product))


def _addmm(c: Call) -> Tensor:
    c.rank(c.mat1, 2, name="`mat1`")
    c.rank(c.mat2, 2, name="`mat2`")
    return onto(c, _product(c, c.mat1, c.mat2))


def _baddbmm(c: Call) -> Tensor:
    return onto(c, _batched(c, c.batch1, c.batch2))


# -- attention -----------------------------------------------------------------


def _attention(c: Call) -> Tensor:
    query, key, value = c.query, c.key, c.value
    for tensor, name in ((query, "query"), (key, "key"), (value, "value")):
        c.floating(tensor, f"`{name}`")
        rank = tensor.shape.rank
        if rank is not None and rank < 2:
            raise c.refuse(
                f"`{name}` of `{c.declaration.name}` is [*, length, features],"
                f" not {tensor}",
                f"{tensor} flows in",
            )
    dtype = c.same_dtype(query, key, value)
    text = f"`{c.declaration.name}` takes {query}, {key} and {value}"
    wide, keys = query.shape.at(-1), key.shape.at(-2)
    c.equal(wide, key.shape.at(-1), f"{text}: query and key differ in features")
    c.equal(keys, value.shape.at(-2), f"{text}: key and value differ in length")
    batch = _heads(c, text) if c.known("enable_gqa") else _same_heads(c)
    length = query.shape.at(-2)
    if c.attn_mask is not None:
        _mask(c, batch.append(length, keys), dtype)
    return Tensor(batch.append(length, value.shape.at(-1)), dtype)


def _same_heads(c: Call) -> Shape:
    one = c.broadcast_shapes(_batch(c.query.shape), _batch(c.key.shape))
    return c.broadcast_shapes(one, _batch(c.value.shape))


def _heads(c: Call, text: str) -> Shape:
    """Grouped queries: each head of key and value serves several of the query."""
    if any(t.shape.least_rank < 3 for t in (c.query, c.key, c.value)):
        raise c.refuse(
            f"{text}: `enable_gqa` needs heads", "[*, heads, length, features]"
        )
    heads = c.query.shape.at(-3)
    for tensor in (c.key, c.value):
        few = tensor.shape.at(-3)
        c.equal(
            modulo(heads, few),
            0,
            f"{text}: {show(heads)} heads of the query are not a multiple of"
            f" {show(few)}",
        )
    rest = [_batch(t.shape).without(-1) for t in (c.query, c.key, c.value)]
    shape = c.broadcast_shapes(c.broadcast_shapes(rest[0], rest[1]), rest[2])
    return shape.append(heads)


def _mask(c: Call, scores: Shape, dtype: str) -> None:
    mask: Tensor = c.attn_mask
    if c.is_causal is True:
        raise c.bad(
            "is_causal",
            f"`{c.declaration.name}` takes a mask or `is_causal=True`, not both",
        )
    if mask.shape.rank is not None and mask.shape.rank < 2:
        raise c.refuse(
            f"`attn_mask` of `{c.declaration.name}` is [*, length, keys], not {mask}",
            f"{mask} has fewer sizes",
        )
    if mask.dtype not in ("bool", "any"):
        c.same_dtype(mask, Tensor(scores, dtype))
    if len(mask.shape.sizes) > len(scores.sizes):
        raise c.refuse(
            f"the mask {mask} does not spread over the scores {scores}",
            f"{mask} has more sizes",
        )
    expanded(c, mask, scores.sizes)


def _attention_flops(c: Call) -> Size:
    scores: Size = 2 * c.query.shape.numel * c.key.shape.at(-2)
    width: Size = c.value.shape.at(-1)
    return scores + floordiv(scores, c.query.shape.at(-1)) * width


def _product_flops(c: Call) -> Size:
    result = c.declaration.rule(c)
    assert isinstance(result, Tensor)
    inner: Size = c.input.shape.at(-1)
    return 2 * result.shape.numel * inner


function(
    "@(input: number, other: number)",
    "@",
    _operator,
    "Product of matrices; sizes ahead of the last two broadcast.",
    flops=_product_flops,
)
function(
    "matmul(input: tensor, other: tensor)",
    "torch.matmul",
    _matmul,
    "Product of matrices; sizes ahead of the last two broadcast.",
    flops=_product_flops,
)
function(
    "mm(input: tensor, mat2: tensor)",
    "torch.mm",
    _mm,
    "Product of two matrices.",
    flops=_product_flops,
)
function(
    "bmm(input: tensor, mat2: tensor)",
    "torch.bmm",
    _bmm,
    "Product of two batches of matrices.",
    flops=_product_flops,
)
function("mv(input: tensor, vec: tensor)", "torch.mv", _mv, "Matrix times vector.")
function(
    "dot(input: tensor, other: tensor)", "torch.dot", _dot, "Product of two vectors."
)
function(
    "outer(input: tensor, vec2: tensor)",
    "torch.outer",
    _outer,
    "The matrix of all products of two vectors.",
)
function(
    "addmm(input: tensor, mat1: tensor, mat2: tensor, *, beta: float = 1,"
    " alpha: float = 1)",
    "torch.addmm",
    _addmm,
    "`beta * input + alpha * mat1 @ mat2`.",
)
function(
    "baddbmm(input: tensor, batch1: tensor, batch2: tensor, *, beta: float = 1,"
    " alpha: float = 1)",
    "torch.baddbmm",
    _baddbmm,
    "`beta * input + alpha * batch1 @ batch2`.",
)
function(
    "scaled_dot_product_attention(query: tensor, key: tensor, value: tensor,"
    " attn_mask: tensor? = None, dropout_p: float = 0.0, is_causal: bool = False, *,"
    " scale: float? = None, enable_gqa: bool = False)",
    "F.scaled_dot_product_attention",
    _attention,
    "Attention: `softmax(query @ key.T * scale + mask) @ value`.",
    flops=_attention_flops,
)
