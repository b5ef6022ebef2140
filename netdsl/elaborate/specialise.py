"""A class for each binding, where one class can't serve them all.

A net parameter is called in one way.  Where the nets that it stands for take
different sizes of their inputs, or one of them doesn't keep a size of its result
that is asked of it, the net that holds it becomes one class for each of them,
named after it: `Trunk(Block: net)` becomes `TrunkBasic` and
`TrunkDense`.  So does every net that only hands such a parameter on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.elaborate.demand import parameter_sizes, registered, trial_sizes
from netdsl.elaborate.trees import OutOf, every_module
from netdsl.elaborate.trials import names_given
from netdsl.elaborate.values import Factory, NetParameter, freeze
from netdsl.elaborate.walk import Walk
from netdsl.graph import Argument, NetModule, ParameterModule


def find_specials(program: Any, walks: Sequence[Walk]) -> dict[int, set[str]]:
    """The parameters of each net for which it needs a class per binding.

    `walks` are those over the nets that have net parameters.
    """
    found: dict[int, set[str]] = {}
    for walk in walks:
        asked = asked_sizes(program, walk)
        for module in _modules(walk):
            if isinstance(module, ParameterModule) and (
                module.unlike or _differ(program, module) or not _keep(module, asked)
            ):
                name = module.symbol.name
                if walk.hypers.get(name) is module.symbol:
                    found.setdefault(id(walk.owner), set()).add(name)
            elif isinstance(module, NetModule):
                found.setdefault(id(walk.owner), set()).update(_unlike(walk, module))
    grown = bool(found)
    while grown:
        grown = False
        for walk in walks:
            for name in _handed_on(walk, found):
                if name not in found.setdefault(id(walk.owner), set()):
                    found[id(walk.owner)].add(name)
                    grown = True
    return {k: v for k, v in found.items() if v}


def _modules(walk: Walk) -> Iterator[graph.Module]:
    roots = [s.module for s in registered(walk.init)]
    if walk.root is not None:
        roots.append(walk.root)
    for root in roots:
        yield from every_module(root)


def asked_sizes(program: Any, walk: Walk) -> list[OutOf]:
    """The sizes that layers of a net ask of others for theirs."""
    sizes: list[Any] = []
    for module in _modules(walk):
        if isinstance(module, ParameterModule):
            sizes += parameter_sizes(program, module)
        else:
            sizes += trial_sizes(program, module)
    origins = [getattr(a, "origin", None) for s in sizes for a in dims.atoms(s)]
    return [o for o in origins if isinstance(o, OutOf)]


def _keep(module: ParameterModule, asked: Sequence[OutOf]) -> bool:
    """Whether all that a parameter stands for keep what is asked of it."""
    names = {out.attribute for out in asked if out.module is module}
    for trial in module.trials if names else ():
        if isinstance(trial, graph.SkipModule):
            return False
        if isinstance(trial, graph.LayerModule):
            known = {p.name for p in trial.declaration.signature.parameters}
            if not names <= known:
                return False
    return True


def _differ(program: Any, module: ParameterModule) -> bool:
    trials = [t for t in module.trials if not isinstance(t, graph.SkipModule)]
    if len(trials) < 2:
        return False
    return len({len(trial_sizes(program, t)) for t in trials}) > 1


def _unlike(walk: Walk, module: NetModule) -> Iterator[str]:
    """The net parameters that a net hands on with arguments which their nets name
    differently."""
    for argument in module.given.values():
        value = argument.value
        if isinstance(value, Factory) and isinstance(value.target, NetParameter):
            if names_given(value) is None and value.target.name in walk.hypers:
                yield value.target.name


def _handed_on(walk: Walk, found: dict[int, set[str]]) -> Iterator[str]:
    """The net parameters that a net hands to one that needs a class per binding."""
    for module in _modules(walk):
        if not isinstance(module, NetModule):
            continue
        for name in found.get(id(module.net), ()):
            argument = module.given.get(name)
            value = argument.value if argument is not None else None
            if isinstance(value, Factory):
                value = value.target
            if isinstance(value, NetParameter):
                yield value.name


def specialised(program: Any, module: NetModule) -> NetModule:
    """The layer as one of its net's class for what its parameters stand for."""
    names = program.specials.get(id(module.net))
    if not names:
        return module
    chosen: dict[str, Factory] = {}
    for parameter in module.net.parameters:
        if parameter.name in names:
            value = _value(program, module, parameter)
            if not isinstance(value, Factory) or isinstance(value.target, NetParameter):
                return module
            chosen[parameter.name] = value
    clone = _clone(program, module.net, chosen)
    places = [p.name for p in module.net.parameters]
    positional = tuple(
        a
        for name, a in zip(places, module.positional, strict=False)
        if name not in chosen
    )
    keywords = {k: a for k, a in module.keywords.items() if k not in chosen}
    made = NetModule(module.span, clone, positional, keywords)
    made.given = {k: a for k, a in module.given.items() if k not in chosen}
    made.handed = module.handed
    return made


def _value(program: Any, module: NetModule, parameter: syntax.Parameter) -> Any:
    argument: Argument | None = module.given.get(parameter.name)
    if argument is not None:
        return argument.value
    if parameter.default is None:
        return None
    return Walk(program, module.net, defining=False).evaluate(parameter.default).value


def _clone(program: Any, net: syntax.Net, chosen: dict[str, Factory]) -> syntax.Net:
    """The net with some of its net parameters settled; one for each choice."""
    key = (id(net), tuple((k, freeze(v)) for k, v in chosen.items()))
    known: syntax.Net | None = program.clones.get(key)
    if known is None:
        suffix = "".join(f.name[:1].upper() + f.name[1:] for f in chosen.values())
        known = syntax.Net(
            net.span,
            _free_name(program, net, f"{net.name}{suffix}"),
            net.name_span,
            tuple(p for p in net.parameters if p.name not in chosen),
            net.layer,
            net.doc,
            net.body,
        )
        program.clones[key] = known
        program.settled[id(known)] = chosen
        program.files.adopt(known, net)
    return known


def _free_name(program: Any, net: syntax.Net, name: str) -> str:
    """The name, with a number where another class has it."""
    taken = {clone.name for clone in program.clones.values()}
    taken.update(program.names(net))
    free = name
    for number in range(2, len(taken) + 3):
        if free not in taken:
            break
        free = f"{name}{number}"
    return free
