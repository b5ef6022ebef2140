"""How many parameters a net has: with its defaults, or in terms of its own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.dims import Size
from netdsl.elaborate.demand import registered
from netdsl.elaborate.expects import use_concrete
from netdsl.elaborate.making import bound
from netdsl.elaborate.program import Program
from netdsl.elaborate.types import open_hyperparameter
from netdsl.elaborate.values import Blur
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.graph import Argument
from netdsl.layers import Call
from netdsl.shapes import Refusal, Undecided


def parameter_count(
    program: Program,
    net: syntax.Net,
    known: Walk,
    arguments: Mapping[str, Argument] | None = None,
) -> Size | None:
    """The number of a net's parameters; None where it can't be said.

    Hyperparameters that are not given have their defaults; those without one stay
    names, and so do the sizes of inputs.
    """
    given = dict(arguments or {})
    for parameter in net.parameters:
        symbol = known.hypers.get(parameter.name)
        is_open = parameter.default is None and parameter.name not in given
        if is_open and symbol is not None:
            if "net" in symbol.type:
                return None
            value = open_hyperparameter(symbol, symbol.type)
            given[parameter.name] = Argument(value, graph.Ref(symbol), None)
    program.start()
    walk = Walk(program, net, defining=False, training=False)
    try:
        with program.report.muted():
            used = use_concrete(walk, net, [], given, {}, False, net.name_span, "")
    except (Stop, TooMuch, Refusal):
        return None
    if isinstance(used.result, Blur) or _is_open(used.init):
        return None
    return used.count if _is_said(used.count) else None


def weights(module: graph.Module, walk: Walk) -> Size | None:
    """How many parameters a layer of torch has; None if that can't be said."""
    if not isinstance(module, graph.LayerModule):
        return None
    declaration = module.declaration
    if declaration.parameters is None:
        return 0
    try:
        values = {**bound(module), **module.inferred}
        shapes = declaration.parameters(Call(declaration, values, walk.facts))
    except (Undecided, Refusal, AttributeError):
        return None
    total: Size = 0
    for sizes in shapes.values():
        count: Size = 1
        for size in sizes:
            count = count * size
        total = total + count
    return total


def module_count(program: Program, walk: Walk, module: graph.Module) -> Size | None:
    """The number of parameters of a layer, as its net uses it."""
    match module:
        case graph.LayerModule():
            return weights(module, walk)
        case graph.SkipModule():
            return 0
        case graph.ChainModule() | graph.RepeatModule():
            counts = [module_count(program, walk, m.module) for m in module.members]
            return _total(counts, getattr(module, "count", 1))
        case graph.NetModule():
            inner = program.known_class(module.net)
            if inner is None:
                return None
            sizes = {
                k: Argument(v, graph.SizeOf(v), None) for k, v in module.sizes.items()
            }
            return parameter_count(
                program, module.net, inner, {**sizes, **module.given}
            )
    return None


def _total(counts: Iterable[Size | None], times: Size) -> Size | None:
    total: Size = 0
    for count in counts:
        if count is None:
            return None
        total = total + count
    return total * times if _is_said(total) else None


def _is_open(statements: Iterable[Any]) -> bool:
    """Whether it isn't known which layers there are."""
    branches = (s for s in statements if isinstance(s, graph.Branch))
    return any(True for b in branches for _ in registered([*b.then, *b.other]))


def _is_said(count: Size) -> bool:
    """Whether a count is in terms of names that the user knows."""
    names = (a.key for a in dims.atoms(count) if isinstance(a, dims.Name))
    return not any("#" in key or key == "?" for key in names)
