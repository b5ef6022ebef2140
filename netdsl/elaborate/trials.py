"""Which of the nets that a parameter stands for need a walk of their own.

`Bottleneck`, `Bottleneck(groups=32)` and `Bottleneck(width_per_group=128)` give
tensors of the same shape: the class that is handed one of them is walked with one.
Each binding is walked with its numbers where the class is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import dims, syntax
from netdsl.elaborate.values import SKIP, Factory, NetParameter, freeze
from netdsl.elaborate.walk import Stop, TooMuch
from netdsl.graph import Symbol
from netdsl.layers.spec import Declaration
from netdsl.shapes import Refusal, Tensor


def representatives(program: Any, bindings: Sequence[Factory]) -> list[Factory]:
    """One binding for each result that a call can have."""
    if len(bindings) < 2:
        return list(bindings)
    chosen: dict[Any, Factory] = {}
    for binding in bindings:
        chosen.setdefault(_kind(program, binding), binding)
    return list(chosen.values())


def _kind(program: Any, binding: Factory) -> Any:
    """What a result follows from: the net, and the arguments that shape it."""
    net = binding.target
    arguments = (*binding.positional, *(a for _, a in binding.keywords))
    plain = not any(isinstance(a.value, Factory | NetParameter) for a in arguments)
    if isinstance(net, syntax.Net) and net.layer is None and plain:
        shaping = _shaping(program, net)
        if shaping is not None:
            names = [p.name for p in net.parameters]
            given = {
                **dict(zip(names, binding.positional, strict=False)),
                **dict(binding.keywords),
            }
            own = tuple((n, freeze(given[n].value)) for n in shaping if n in given)
            return id(net), len(binding.positional), own
    return freeze(binding)


def places_left(factory: Factory, given: int = 0) -> tuple[str, ...] | None:
    """The names of what a net or layer still takes by position, behind the `given`
    next ones; None if the nets behind a parameter name it differently."""
    target, given = factory.target, given + len(factory.positional)
    if isinstance(target, NetParameter):
        found = {places_left(b, given) for b in target.bindings if b.target != SKIP}
        return found.pop() if len(found) == 1 else None
    if isinstance(target, Declaration):
        parameters = target.signature.parameters
        names = [
            p.name
            for p in parameters
            if p.inferred is None and (p.required or not target.infers)
        ]
    else:
        names = [p.name for p in getattr(target, "parameters", ())]
    return tuple(names[given:])


def go_by_name(factory: Factory) -> bool:
    """Whether the arguments that it has by position will stand behind others in
    Python: the sizes of the input come first."""
    target, count = factory.target, len(factory.positional)
    if isinstance(target, NetParameter):
        more = [
            Factory(b.target, (*b.positional, *factory.positional), (), b.span)
            for b in target.bindings
        ]
        return any(map(go_by_name, more))
    if isinstance(target, syntax.Net):
        return count > 0
    if not isinstance(target, Declaration) or not target.infers:
        return False
    parameters = target.signature.parameters
    places = [p for p in parameters if p.inferred is None and p.required][:count]
    first = next((p for p in parameters if p.inferred is not None), None)
    if not places or first is None:
        return False
    return parameters.index(first) < parameters.index(places[-1])


def names_given(factory: Factory) -> tuple[str, ...] | None:
    """The names of the arguments that it has by position; none if they may stay
    there, None if the nets behind a parameter name them differently."""
    if not go_by_name(factory):
        return ()
    names = places_left(Factory(factory.target, (), (), factory.span))
    return None if names is None else names[: len(factory.positional)]


def argument_names(bindings: Sequence[Factory], count: int) -> tuple[str, ...] | None:
    """The names by which a call of a net parameter hands its arguments on; none if
    it hands them on by position, None if the bindings ask for different names."""
    nets = [b for b in bindings if b.target != SKIP]
    if not any(map(go_by_name, nets)):
        return ()
    found = {(places_left(b) or ())[:count] for b in nets}
    names = found.pop() if len(found) == 1 else None
    if names is not None and len(names) < count:
        return ()  # too many of them, as each binding will say
    return names


def _shaping(program: Any, net: syntax.Net) -> list[str] | None:
    """The hyperparameters that the shape of a net's result follows from; None if
    more than its hyperparameters and the sizes of its inputs shape it."""
    known: dict[int, list[str] | None] = program.shaping
    if id(net) not in known:
        known[id(net)] = None
        with program.report.muted():
            try:
                walk = program.define(net)
            except (Stop, TooMuch, Refusal):
                return None
        if not walk.failed and isinstance(walk.result, Tensor):
            shape = walk.result.shape
            known[id(net)] = _hypers((*shape.head, *shape.tail))
    return known[id(net)]


def _hypers(sizes: Sequence[dims.Size]) -> list[str] | None:
    names: dict[str, None] = {}
    for size in sizes:
        for atom in dims.atoms(size):
            if not isinstance(atom, dims.Name):
                continue
            if not isinstance(atom.origin, Symbol):
                return None
            if atom.origin.kind == "hyper":
                names[atom.origin.name] = None
            elif atom.origin.kind != "size":
                return None
    return list(names)
