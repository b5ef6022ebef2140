"""Recurrent layers and their cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netdsl.dims import Size, show
from netdsl.facts import Comparison
from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, layer
from netdsl.shapes import Shape, Tensor, Undecided

Sizes = Mapping[str, tuple[Size, ...]]
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def _features(c: Call) -> None:
    c.floating(c.input)
    c.equal(
        c.input.shape.at(-1),
        c.input_size,
        f"`{c.declaration.name}` reads {show(c.input_size)} features,"
        f" and {c.input} flows in",
    )
    c.at_least("input_size", "hidden_size")


def _state(c: Call, state: Tensor, *sizes: Size, name: str = "`hx`") -> None:
    c.floating(state, name)
    c.rank(state, len(sizes), name=name)
    for given, wanted in zip(state.shape.sizes, sizes, strict=True):
        c.equal(
            given,
            wanted,
            f"{name} of `{c.declaration.name}` is {Shape(sizes)} here, not {state}",
        )


def _pair(c: Call) -> tuple[Tensor, Tensor]:
    if len(c.hx) != 2:
        raise c.refuse(
            f"`hx` of `{c.declaration.name}` is a pair of tensors, not {len(c.hx)}"
        )
    first, second = c.hx
    return first, second


# -- whole sequences -----------------------------------------------------------


def _directions(c: Call) -> int:
    return 2 if c.known("bidirectional") else 1


def _out_size(c: Call) -> Size:
    """The size of what a direction gives: `proj_size` if there is a projection."""
    projected: Size = c.values.get("proj_size", 0)
    some = c.facts.decide(Comparison(">", projected, 0))
    if some is None:
        raise Undecided("proj_size")
    size: Size = projected if some else c.hidden_size
    return size


def _check(c: Call) -> None:
    c.rank(c.input, 2, 3)
    _features(c)
    c.at_least("num_layers")
    if isinstance(c.dropout, int | float) and not 0 <= c.dropout <= 1:
        raise c.bad("dropout", f"`dropout` is between 0 and 1, not {c.dropout}")
    if "proj_size" in c.values:
        c.at_least("proj_size", least=0)
        c.require(
            Comparison("<", c.proj_size, c.hidden_size),
            f"`proj_size` is less than `hidden_size`, not {show(c.proj_size)}"
            f" and {show(c.hidden_size)}",
        )


def _batch(c: Call) -> tuple[Size, ...]:
    sizes = c.input.shape.sizes
    if len(sizes) == 2:
        return ()
    return (sizes[0 if c.known("batch_first") else 1],)


def _sequence(c: Call) -> Tensor:
    shape = c.input.shape.replace(-1, _directions(c) * _out_size(c))
    return Tensor(shape, c.input.dtype)


def _recurrent(c: Call) -> tuple[Tensor, Tensor]:
    _check(c)
    sizes = (c.num_layers * _directions(c), *_batch(c), c.hidden_size)
    if c.hx is not None:
        _state(c, c.hx, *sizes)
    return _sequence(c), Tensor(Shape(sizes), c.input.dtype)


def _lstm(c: Call) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    _check(c)
    ahead = (c.num_layers * _directions(c), *_batch(c))
    hidden, cell = (*ahead, _out_size(c)), (*ahead, c.hidden_size)
    if c.hx is not None:
        h, s = _pair(c)
        _state(c, h, *hidden, name="the first of `hx`")
        _state(c, s, *cell, name="the second of `hx`")
    dtype = c.input.dtype
    return _sequence(c), (Tensor(Shape(hidden), dtype), Tensor(Shape(cell), dtype))


def _layers(c: Call) -> Iterator[tuple[str, Size]]:
    """The ending of the names of each layer and direction, and what it reads."""
    directions, read = _directions(c), c.input_size
    for i in range(c.number("num_layers")):
        for ending in ("", "_reverse")[:directions]:
            yield f"l{i}{ending}", read
        read = directions * _out_size(c)


def _weights(c: Call) -> Sizes:
    gates, out = GATES[c.declaration.name] * c.hidden_size, _out_size(c)
    biased, projected = c.known("bias"), out != c.hidden_size
    sizes: dict[str, tuple[Size, ...]] = {}
    for name, read in _layers(c):
        sizes[f"weight_ih_{name}"] = (gates, read)
        sizes[f"weight_hh_{name}"] = (gates, out)
        if biased:
            sizes[f"bias_ih_{name}"] = (gates,)
            sizes[f"bias_hh_{name}"] = (gates,)
        if projected:
            sizes[f"weight_hr_{name}"] = (out, c.hidden_size)
    return sizes


def _flops(c: Call) -> Size:
    """Of the matrix products of each step; the gates themselves are left out."""
    steps = Shape(c.input.shape.sizes[:-1]).numel
    return 2 * steps * _matrix_sizes(_weights(c))


def _matrix_sizes(weights: Sizes) -> Size:
    total: Size = 0
    for name, sizes in weights.items():
        if name.startswith("weight"):
            total = total + Shape(sizes).numel
    return total


# -- one step ------------------------------------------------------------------


def _step_sizes(c: Call) -> tuple[Size, ...]:
    c.rank(c.input, 1, 2)
    _features(c)
    return (*c.input.shape.sizes[:-1], c.hidden_size)


def _cell(c: Call) -> Tensor:
    sizes = _step_sizes(c)
    if c.hx is not None:
        _state(c, c.hx, *sizes)
    return Tensor(Shape(sizes), c.input.dtype)


def _lstm_cell(c: Call) -> tuple[Tensor, Tensor]:
    sizes = _step_sizes(c)
    if c.hx is not None:
        for state, which in zip(_pair(c), ("first", "second"), strict=True):
            _state(c, state, *sizes, name=f"the {which} of `hx`")
    return Tensor(Shape(sizes), c.input.dtype), Tensor(Shape(sizes), c.input.dtype)


def _cell_weights(c: Call) -> Sizes:
    gates = GATES[c.declaration.name.removesuffix("Cell")] * c.hidden_size
    sizes: dict[str, tuple[Size, ...]] = {
        "weight_ih": (gates, c.input_size),
        "weight_hh": (gates, c.hidden_size),
    }
    if c.known("bias"):
        sizes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
    return sizes


def _cell_flops(c: Call) -> Size:
    steps = Shape(c.input.shape.sizes[:-1]).numel
    return 2 * steps * _matrix_sizes(_cell_weights(c))


def _declare(name: str, rule: Rule, cell: Rule, doc: str, extra: str = "") -> None:
    call = f"input: tensor, hx: {'tensors' if name == 'LSTM' else 'tensor'}? = None"
    before = f" {extra}," if extra else ""
    after = ", proj_size: int = 0" if name == "LSTM" else ""
    layer(
        f"{name}(input_size: size[-1], hidden_size: int, num_layers: int = 1,{before}"
        " bias: bool = True, batch_first: bool = False, dropout: float = 0.0,"
        f" bidirectional: bool = False{after})",
        rule,
        f"{doc} over a sequence: its outputs, and the last states.",
        call=call,
        parameters=_weights,
        flops=_flops,
    )
    after = f", {extra}" if extra else ""
    layer(
        f"{name}Cell(input_size: size[-1], hidden_size: int, bias: bool = True{after})",
        cell,
        f"One step of `{name}`.",
        call=call,
        parameters=_cell_weights,
        flops=_cell_flops,
    )


_NONLINEARITY = 'nonlinearity: "tanh" "relu" = "tanh"'

_declare("RNN", _recurrent, _cell, "A plain recurrent network", _NONLINEARITY)
_declare("GRU", _recurrent, _cell, "Gated recurrent units")
_declare("LSTM", _lstm, _lstm_cell, "Long short-term memory")
