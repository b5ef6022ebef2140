"""The layers inside a layer, and what was inferred for them."""

from __future__ import annotations

from typing import Any

from netdsl import graph
from netdsl.dims import Size
from netdsl.graph import (
    ChainModule,
    ChoiceModule,
    LayerModule,
    Module,
    NetModule,
    ParameterModule,
    RepeatModule,
)


def reset(module: Module) -> None:
    """Forgets what was inferred."""
    module.applied = None
    if isinstance(module, LayerModule):
        module.inferred = {}
    elif isinstance(module, NetModule):
        module.sizes = {}
    elif isinstance(module, ParameterModule):
        module.sizes = None


def every_module(module: Module) -> list[Module]:
    """The module and all inside it."""
    out = [module]
    match module:
        case ChainModule() | RepeatModule():
            for member in module.members:
                out += every_module(member.module)
        case ChoiceModule():
            out += every_module(module.then) + every_module(module.other)
        case ParameterModule():
            for trial in module.trials:
                out += every_module(trial)
    return out


def is_inferred(module: Module) -> bool:
    """Whether something flowed in that told its sizes."""
    if isinstance(module, LayerModule):
        return bool(module.inferred)
    if isinstance(module, NetModule | ParameterModule):
        return bool(module.sizes)
    return False


def inferred_sizes(module: Module, program: Any = None) -> list[Size]:
    """The sizes that its constructor needs, and those of all inside it; of a net all
    that are known, where there is no program to say which of them its class takes."""
    out: list[Size] = []
    for part in every_module(module):
        if isinstance(part, LayerModule):
            out += part.inferred.values()
        elif isinstance(part, NetModule):
            taken = program.class_sizes(part.net) if program is not None else None
            out += [
                size
                for name, size in part.sizes.items()
                if taken is None or any(s.name == name for s in taken)
            ]
        elif isinstance(part, ParameterModule) and part.sizes:
            out += part.sizes
        elif isinstance(part, RepeatModule):
            # A loop within takes up what this one carries.
            for _, before, after in _running(part, program):
                out += [before, after]
    return out


def _running(repeat: RepeatModule, program: Any) -> list[Any]:
    from netdsl.elaborate.demand import running

    return repeat.carried if program is None else running(program, repeat)


class OutOf(graph.Expr):
    """A size of a layer's result, which the layer keeps: `block.out_channels`.

    `place` leads to the size: through tuples and dicts, then the index in a shape.
    """

    module: Any
    attribute: str
    place: tuple[Any, ...]

    def _values(self) -> tuple[Any, ...]:
        return id(self.module), self.attribute
