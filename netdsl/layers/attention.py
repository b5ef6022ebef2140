"""Attention, and the transformer's layers made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netdsl.dims import Size, show
from netdsl.layers.call import Call
from netdsl.layers.spec import Value, layer
from netdsl.shapes import Refusal, Shape, Tensor, Undecided

Sizes = Mapping[str, tuple[Size, ...]]


class _Sequence(NamedTuple):
    """A sequence of vectors: its batch (empty if there is none) and its length."""

    batch: tuple[Size, ...]
    length: Size
    features: Size


def _sequence(c: Call, name: str) -> _Sequence:
    tensor: Tensor = c.values[name]
    c.rank(tensor, 2, 3, name=f"`{name}`")
    c.floating(tensor, f"`{name}`")
    sizes = tensor.shape.sizes
    if len(sizes) == 2:
        return _Sequence((), *sizes)
    batch, length = (0, 1) if c.known("batch_first") else (1, 0)
    return _Sequence((sizes[batch],), sizes[length], sizes[2])


def _heads(c: Call, width: str, heads: str) -> None:
    c.at_least(width, heads)
    c.equal(
        c.values[width] % c.values[heads],
        0,
        f"`{heads}` of `{c.declaration.name}` divides its size:"
        f" {show(c.values[width])} into {show(c.values[heads])} heads",
    )


def _features(c: Call, name: str, given: Size, wanted: Size) -> None:
    c.equal(
        given,
        wanted,
        f"`{c.declaration.name}` reads {show(wanted)} features of `{name}`,"
        f" and {c.values[name]} flows in",
    )


def _same(c: Call, one: str, a: Size, other: str, b: Size, what: str) -> None:
    c.equal(
        a,
        b,
        f"`{one}` and `{other}` of `{c.declaration.name}` have the same {what}, and"
        f" they are {c.values[one]} and {c.values[other]}",
    )


def _mask(c: Call, name: str, *shapes: tuple[Size, ...]) -> None:
    """States that a mask, if there is one, has one of these shapes."""
    mask: Tensor | None = c.values[name]
    if mask is None:
        return
    if not mask.is_float and mask.dtype != "bool":
        raise Refusal(
            "wrong-dtype",
            f"`{name}` of `{c.declaration.name}` is bool or floating point,"
            f" not {mask} of {mask.dtype}",
        )
    c.rank(mask, *(len(s) for s in shapes), name=f"`{name}`")
    wanted = next(s for s in shapes if len(s) == mask.shape.rank)
    for given, size in zip(mask.shape.sizes, wanted, strict=True):
        c.equal(
            given,
            size,
            f"`{name}` of `{c.declaration.name}` is {Shape(wanted)} here, not {mask}",
        )


def _masks(
    c: Call,
    mask: str,
    padding: str,
    heads: Size,
    target: _Sequence,
    source: _Sequence,
    causal: str = "",
) -> None:
    """The mask of pairs, and that of keys."""
    count = target.batch[0] * heads if target.batch else heads
    pairs = (target.length, source.length)
    _mask(c, mask, pairs, (count, *pairs))
    _mask(c, padding, (*target.batch, source.length))
    if causal and c.values[causal] is True and c.values[mask] is None:
        raise c.refuse(
            f"`{causal}` of `{c.declaration.name}` only says what `{mask}` is",
            help=f"give `{mask}` too",
        )


# -- MultiheadAttention --------------------------------------------------------


def _other_features(c: Call) -> Mapping[str, Value]:
    """`kdim` and `vdim`, where the sizes of key and value are not that of query."""
    found = {}
    for name, tensor in (("kdim", c.key), ("vdim", c.value)):
        if c.values[name] is None and tensor.shape.at(-1) != c.embed_dim:
            found[name] = tensor.shape.at(-1)
    return found


def _key_features(c: Call) -> tuple[Size, Size]:
    kdim = c.embed_dim if c.kdim is None else c.known("kdim")
    vdim = c.embed_dim if c.vdim is None else c.known("vdim")
    return kdim, vdim


def _multihead(c: Call) -> tuple[Tensor, Tensor | None]:
    query, key, value = (_sequence(c, name) for name in ("query", "key", "value"))
    kdim, vdim = _key_features(c)
    _features(c, "query", query.features, c.embed_dim)
    _features(c, "key", key.features, kdim)
    _features(c, "value", value.features, vdim)
    _heads(c, "embed_dim", "num_heads")
    for name, other in (("key", key), ("value", value)):
        if len(other.batch) != len(query.batch):
            raise c.refuse(
                f"`query` and `{name}` of `{c.declaration.name}` have equally many"
                f" sizes, and they are {c.query} and {c.values[name]}"
            )
        for a, b in zip(query.batch, other.batch, strict=True):
            _same(c, "query", a, name, b, "batch")
    _same(c, "key", key.length, "value", value.length, "length")
    _masks(c, "attn_mask", "key_padding_mask", c.num_heads, query, key, "is_causal")
    return c.query, _attention_weights(c, query, key)


def _attention_weights(c: Call, query: _Sequence, key: _Sequence) -> Tensor | None:
    if not c.known("need_weights"):
        return None
    heads = () if c.known("average_attn_weights") else (c.num_heads,)
    sizes = (*query.batch, *heads, query.length, _source_length(c, key))
    return Tensor(Shape(sizes), c.query.dtype)


def _source_length(c: Call, key: _Sequence) -> Size:
    return key.length + int(c.known("add_bias_kv")) + int(c.known("add_zero_attn"))


def _multihead_weights(c: Call) -> Sizes:
    width, (kdim, vdim) = c.embed_dim, _key_features(c)
    same = [c.facts.equal(width, kdim), c.facts.equal(width, vdim)]
    if None in same and False not in same:
        raise Undecided("kdim")
    return _attention_sizes(
        "",
        width,
        c.known("bias"),
        () if False not in same else (width, kdim, vdim),
        c.known("add_bias_kv"),
    )


def _attention_sizes(
    prefix: str,
    width: Size,
    bias: bool,
    unlike: tuple[Size, ...] = (),
    bias_kv: bool = False,
) -> Sizes:
    sizes: dict[str, tuple[Size, ...]] = {}
    for name, features in zip("qkv", unlike, strict=False):
        sizes[f"{name}_proj_weight"] = (width, features)
    if not unlike:
        sizes["in_proj_weight"] = (3 * width, width)
    if bias:
        sizes["in_proj_bias"] = (3 * width,)
    if bias_kv:
        sizes |= {"bias_k": (1, 1, width), "bias_v": (1, 1, width)}
    sizes["out_proj.weight"] = (width, width)
    if bias:
        sizes["out_proj.bias"] = (width,)
    return {prefix + name: shape for name, shape in sizes.items()}


def _multihead_flops(c: Call) -> Size:
    query, key = _sequence(c, "query"), _sequence(c, "key")
    kdim, vdim = _key_features(c)
    source = _source_length(c, key)
    each = _attention_flops(c.embed_dim, query.length, key.length, source, kdim + vdim)
    return Shape(query.batch).numel * each


def _attention_flops(
    width: Size, target: Size, keys: Size, source: Size, features: Size
) -> Size:
    """The projections of query, keys and values, and result; then both products."""
    projections = 2 * target * width * width + keys * features * width
    return 2 * (projections + 2 * target * source * width)


layer(
    "MultiheadAttention(embed_dim: size[-1], num_heads: int, dropout: float = 0.0,"
    " bias: bool = True, add_bias_kv: bool = False, add_zero_attn: bool = False,"
    " kdim: int? = None, vdim: int? = None, batch_first: bool = False)",
    _multihead,
    "Attention of queries to keys in several heads: the values found, and the weights.",
    call="query: tensor, key: tensor, value: tensor, key_padding_mask: tensor? = None,"
    " need_weights: bool = True, attn_mask: tensor? = None,"
    " average_attn_weights: bool = True, is_causal: bool = False",
    infer=_other_features,
    parameters=_multihead_weights,
    flops=_multihead_flops,
)


# -- transformer layers --------------------------------------------------------


def _block(c: Call, name: str) -> _Sequence:
    sequence = _sequence(c, name)
    _features(c, name, sequence.features, c.d_model)
    _heads(c, "d_model", "nhead")
    c.at_least("dim_feedforward")
    if isinstance(c.dropout, int | float) and not 0 <= c.dropout <= 1:
        raise c.bad("dropout", f"`dropout` is between 0 and 1, not {c.dropout}")
    return sequence


def _encoder_layer(c: Call) -> Tensor:
    src = _block(c, "src")
    _masks(c, "src_mask", "src_key_padding_mask", c.nhead, src, src, "is_causal")
    result: Tensor = c.src
    return result


def _decoder_layer(c: Call) -> Tensor:
    return _decoded(c, "memory", "tgt_is_causal", "memory_is_causal")


def _decoded(c: Call, memory_name: str, *causal: str) -> Tensor:
    tgt, memory = _block(c, "tgt"), _sequence(c, memory_name)
    _features(c, memory_name, memory.features, c.d_model)
    if len(tgt.batch) != len(memory.batch):
        raise c.refuse(
            f"`tgt` and `{memory_name}` have equally many sizes, and they are"
            f" {c.tgt} and {c.values[memory_name]}"
        )
    for a, b in zip(tgt.batch, memory.batch, strict=True):
        _same(c, "tgt", a, memory_name, b, "batch")
    ours, theirs = causal or ("", "")
    _masks(c, "tgt_mask", "tgt_key_padding_mask", c.nhead, tgt, tgt, ours)
    _masks(c, "memory_mask", "memory_key_padding_mask", c.nhead, tgt, memory, theirs)
    result: Tensor = c.tgt
    return result


def _transformer(c: Call) -> Tensor:
    c.at_least("num_encoder_layers", "num_decoder_layers")
    src = _block(c, "src")
    _masks(c, "src_mask", "src_key_padding_mask", c.nhead, src, src)
    return _decoded(c, "src")


def _rest_sizes(c: Call, prefix: str, norms: int) -> Sizes:
    """The two linear maps and the norms of a layer."""
    width, inner = c.d_model, c.dim_feedforward
    bias = c.known("bias")
    sizes: dict[str, tuple[Size, ...]] = {}
    for name, out, read in (("linear1", inner, width), ("linear2", width, inner)):
        sizes[f"{prefix}{name}.weight"] = (out, read)
        if bias:
            sizes[f"{prefix}{name}.bias"] = (out,)
    for i in range(norms):
        sizes |= _norm_sizes(c, f"{prefix}norm{i + 1}.")
    return sizes


def _norm_sizes(c: Call, prefix: str) -> Sizes:
    names = ("weight", "bias") if c.known("bias") else ("weight",)
    return {prefix + name: (c.d_model,) for name in names}


def _encoder_sizes(c: Call, prefix: str = "") -> Sizes:
    attention = _attention_sizes(f"{prefix}self_attn.", c.d_model, c.known("bias"))
    return {**attention, **_rest_sizes(c, prefix, 2)}


def _decoder_sizes(c: Call, prefix: str = "") -> Sizes:
    width, bias = c.d_model, c.known("bias")
    return {
        **_attention_sizes(f"{prefix}self_attn.", width, bias),
        **_attention_sizes(f"{prefix}multihead_attn.", width, bias),
        **_rest_sizes(c, prefix, 3),
    }


def _transformer_sizes(c: Call) -> Sizes:
    sizes: dict[str, tuple[Size, ...]] = {}
    for i in range(c.number("num_encoder_layers")):
        sizes |= _encoder_sizes(c, f"encoder.layers.{i}.")
    sizes |= _norm_sizes(c, "encoder.norm.")
    for i in range(c.number("num_decoder_layers")):
        sizes |= _decoder_sizes(c, f"decoder.layers.{i}.")
    return {**sizes, **_norm_sizes(c, "decoder.norm.")}


def _self_flops(c: Call, of: _Sequence) -> Size:
    """Self-attention and the two linear maps."""
    width, length = c.d_model, of.length
    attention = _attention_flops(width, length, length, length, 2 * width)
    maps: Size = 4 * length * width * c.dim_feedforward
    return Shape(of.batch).numel * (attention + maps)


def _cross_flops(c: Call, target: _Sequence, source: _Sequence) -> Size:
    width, keys = c.d_model, source.length
    each = _attention_flops(width, target.length, keys, keys, 2 * width)
    return Shape(target.batch).numel * each


def _encoder_flops(c: Call) -> Size:
    return _self_flops(c, _sequence(c, "src"))


def _decoder_flops(c: Call) -> Size:
    tgt = _sequence(c, "tgt")
    return _self_flops(c, tgt) + _cross_flops(c, tgt, _sequence(c, "memory"))


def _transformer_flops(c: Call) -> Size:
    src, tgt = _sequence(c, "src"), _sequence(c, "tgt")
    decoder = _self_flops(c, tgt) + _cross_flops(c, tgt, src)
    encoders = c.num_encoder_layers * _self_flops(c, src)
    flops: Size = encoders + c.num_decoder_layers * decoder
    return flops


_REST = (
    'dim_feedforward: int = 2048, dropout: float = 0.1, activation: "relu" "gelu"'
    ' = "relu", layer_norm_eps: float = 1e-05, batch_first: bool = False,'
    " norm_first: bool = False, bias: bool = True)"
)

layer(
    f"TransformerEncoderLayer(d_model: size[-1], nhead: int, {_REST}",
    _encoder_layer,
    "Self-attention and two linear maps, each with a residual and a norm.",
    call="src: tensor, src_mask: tensor? = None, src_key_padding_mask: tensor? = None,"
    " is_causal: bool = False",
    parameters=_encoder_sizes,
    flops=_encoder_flops,
)
layer(
    f"TransformerDecoderLayer(d_model: size[-1], nhead: int, {_REST}",
    _decoder_layer,
    "Self-attention, attention to a memory and two linear maps, with residuals.",
    call="tgt: tensor, memory: tensor, tgt_mask: tensor? = None,"
    " memory_mask: tensor? = None, tgt_key_padding_mask: tensor? = None,"
    " memory_key_padding_mask: tensor? = None, tgt_is_causal: bool = False,"
    " memory_is_causal: bool = False",
    parameters=_decoder_sizes,
    flops=_decoder_flops,
)
layer(
    "Transformer(d_model: size[-1], nhead: int = 8, num_encoder_layers: int = 6,"
    f" num_decoder_layers: int = 6, {_REST}",
    _transformer,
    "The encoder and decoder of Attention Is All You Need, without embeddings.",
    call="src: tensor, tgt: tensor, src_mask: tensor? = None, tgt_mask: tensor? = None,"
    " memory_mask: tensor? = None, src_key_padding_mask: tensor? = None,"
    " tgt_key_padding_mask: tensor? = None, memory_key_padding_mask: tensor? = None,"
    " src_is_causal: bool? = None, tgt_is_causal: bool? = None,"
    " memory_is_causal: bool = False",
    parameters=_transformer_sizes,
    flops=_transformer_flops,
)
