"""Demand runs backwards: which sizes of its inputs a net's constructor needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netdsl import dims, graph
from netdsl.dims import Dim, Size
from netdsl.elaborate.trees import OutOf
from netdsl.elaborate.values import Val
from netdsl.elaborate.walk import Walk
from netdsl.graph import Symbol

RUN = "run"
_TRAINING = Symbol("training", RUN)
"""Stands for what only a run knows and no name of the net says."""


def registered(statements: list[Any]) -> Iterator[graph.Register]:
    """The layers of a class, those under conditions too."""
    for statement in statements:
        if isinstance(statement, graph.Register):
            yield statement
        elif isinstance(statement, graph.Branch):
            yield from registered(statement.then)
            yield from registered(statement.other)


def static_sizes(program: Any, walk: Walk) -> frozenset[str]:
    """The names of the sizes that the class of this walk takes, closed over lets."""
    return frozenset(s.name for s in needed_sizes(program, walk))


def needed_sizes(program: Any, walk: Walk) -> list[Symbol]:
    """The size symbols that `__init__` needs, in the order of the inputs."""
    found: dict[str, Symbol] = {}
    asked = -1
    while asked != (asked := program.sizes_kept()):
        # What a layer is asked to keep, its class may need more sizes for.
        for symbol in _symbols(program, walk):
            if symbol.kind == "size":
                found.setdefault(symbol.name, symbol)
    order = {name: i for i, name in enumerate(walk.sizes)}
    return sorted(found.values(), key=lambda s: order.get(s.name, len(order)))


def _symbols(program: Any, walk: Walk) -> Iterator[Symbol]:
    seen: set[int] = set()
    stack: list[Any] = [*walk.init, *walk.rules]
    if walk.root is not None:
        stack.append(walk.root)
    while stack:
        part = stack.pop(0)
        for symbol in reached(program, part):
            if id(symbol) in seen:
                continue
            seen.add(id(symbol))
            if symbol.kind == "let" and symbol.value is not None:
                stack.append(symbol.value)
            yield symbol


def reached(program: Any, part: Any) -> Iterator[Symbol]:
    """The symbols that a piece of `__init__` is made of."""
    match part:
        case graph.Register():
            yield from reached(program, part.module)
        case graph.BindLet():
            return  # only what uses it counts
        case graph.OwnTensor():
            for size in part.sizes:
                yield from in_expr(program, size)
            yield from in_expr(program, _starting(part.value))
        case graph.Branch():
            yield from in_expr(program, part.test)
            for inner in (*part.then, *part.other):
                yield from reached(program, inner)
        case graph.InitRule():
            yield from in_expr(program, (part.when, _starting(part.value)))
        case graph.InitPart():
            parts = (part.target, part.when, _starting(part.value))
            yield from in_expr(program, parts)
        case graph.Module():
            yield from in_module(program, part)
        case _:
            yield from in_expr(program, part)


def _starting(value: Any) -> Any:
    if isinstance(value, Val):
        return value.expr
    return (*value.arguments, *(e for _, e in value.keywords))


def in_module(program: Any, module: graph.Module) -> Iterator[Symbol]:
    match module:
        case graph.LayerModule():
            yield from _arguments(program, module)
            for size in module.inferred.values():
                yield from in_expr(program, size)
        case graph.NetModule():
            yield from _arguments(program, module)
            for size in net_sizes(program, module):
                yield from in_expr(program, size)
        case graph.ExternModule():
            yield from _arguments(program, module)
        case graph.ParameterModule():
            if module.symbol.kind == "lookup":
                yield from in_expr(program, module.symbol.value)
            else:
                yield module.symbol
            yield from _arguments(program, module)
            for size in parameter_sizes(program, module):
                yield from in_expr(program, size)
        case graph.ChainModule():
            for member in module.members:
                yield from in_expr(program, member.label)
                yield from in_module(program, member.module)
        case graph.RepeatModule():
            for loop in module.loops:
                yield from in_expr(program, loop.iterable)
                yield from in_expr(program, loop.tests)
            for member in module.members:
                yield from in_expr(program, member.label)
                yield from in_module(program, member.module)
            for _, before, after in running(program, module):
                yield from in_expr(program, before)
                yield from in_expr(program, after)
        case graph.ChoiceModule():
            yield from in_expr(program, module.test)
            yield from in_module(program, module.then)
            yield from in_module(program, module.other)


def running(program: Any, repeat: graph.RepeatModule) -> list[Any]:
    """The running ints that the layers of a building loop really take."""
    needed = {
        id(s) for m in repeat.members for s in in_module(program, m.module)
    }  # fmt: skip
    chosen: list[Any] = []
    grown = True
    while grown:
        grown = False
        for entry in repeat.carried:
            if id(entry[0]) in needed and entry not in chosen:
                chosen.append(entry)
                needed |= {id(s) for s in in_expr(program, entry[2])}
                grown = True
    return [e for e in repeat.carried if e in chosen]


def _arguments(program: Any, module: Any) -> Iterator[Symbol]:
    for argument in (*module.positional, *module.keywords.values()):
        yield from in_expr(program, argument.expr)


def in_expr(program: Any, node: Any) -> Iterator[Symbol]:
    """The symbols in expressions and sizes."""
    if isinstance(node, Dim):
        yield from in_size(program, node)
        return
    if isinstance(node, tuple | list):
        for part in node:
            yield from in_expr(program, part)
        return
    if isinstance(node, Symbol):
        yield node
        return
    if not isinstance(node, graph.Expr | graph.Loop):
        return
    for part in graph.every(node):
        if isinstance(part, Symbol):
            yield part
        elif isinstance(part, graph.Training):
            yield _TRAINING
        elif isinstance(part, Dim):
            yield from in_size(program, part)


def in_size(program: Any, size: Size) -> Iterator[Symbol]:
    for atom in dims.atoms(size):
        if isinstance(atom, dims.Choose):
            test = atom.test
            if isinstance(test, Val):
                yield from in_expr(program, test.expr)
            continue
        origin = getattr(atom, "origin", None)
        if isinstance(origin, OutOf):
            keep(program, origin)
        elif isinstance(origin, Symbol):
            yield origin
        elif isinstance(origin, graph.Expr):
            yield from in_expr(program, origin)


# -- what a class keeps --------------------------------------------------------


def keep(program: Any, out: OutOf) -> None:
    """Marks the nets behind a layer: their classes keep the size that is asked."""
    for net in nets_behind(program, out.module):
        program.keeps.setdefault(id(net), {})[out.attribute] = out.place


def nets_behind(program: Any, module: graph.Module) -> Iterator[Any]:
    match module:
        case graph.NetModule():
            yield program.innermost(module.net)
        case graph.ParameterModule():
            for trial in module.trials:
                yield from nets_behind(program, trial)
        case graph.ChoiceModule():
            yield from nets_behind(program, module.then)
            yield from nets_behind(program, module.other)


# -- sizes that a call passes on -----------------------------------------------


def net_sizes(program: Any, module: graph.NetModule) -> list[Any]:
    """The sizes that the net's class takes, as this use has them."""
    names = [s.name for s in program.class_sizes(module.net)]
    return [module.sizes.get(n, _given(module, n)) for n in names]


def _given(module: graph.NetModule, name: str) -> Any:
    argument = module.given.get(name)
    return argument.value if argument is not None else None


def parameter_sizes(program: Any, module: graph.ParameterModule) -> list[Any]:
    """The sizes that whatever a net parameter stands for takes."""
    best: list[Any] = []
    for trial in module.trials:
        sizes = trial_sizes(program, trial)
        if len(sizes) > len(best):
            best = sizes
    return best


def trial_sizes(program: Any, trial: graph.Module) -> list[Any]:
    """The sizes that one of the nets behind a parameter takes."""
    if isinstance(trial, graph.LayerModule):
        return list(trial.inferred.values())
    if isinstance(trial, graph.NetModule):
        return net_sizes(program, trial)
    return []
