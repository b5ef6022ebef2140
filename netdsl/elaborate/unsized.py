"""Sizes that a class would have to write in its `__init__`, and that nothing tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netdsl import dims, graph
from netdsl.diagnostics import Label
from netdsl.dims import Dim
from netdsl.elaborate.demand import net_sizes, parameter_sizes, registered, running
from netdsl.elaborate.walk import Walk
from netdsl.source import Span


def refuse_unsized(walk: Walk) -> None:
    """Refuses layers for which `__init__` has no size to give: a net of which an
    inner layer alone is used, say."""
    roots = [(s.module, s.span) for s in registered(walk.init)]
    if walk.root is not None:
        roots.append((walk.root, walk.owner.name_span))
    for root, span in roots:
        if root.used or root is walk.root:
            for module in _taking_sizes(root):
                _refuse(walk, module, module.span or span)


def _taking_sizes(module: graph.Module) -> Iterator[graph.Module]:
    """The layers of a tree that are made of sizes; of what a net parameter stands
    for, the call alone."""
    match module:
        case graph.ChainModule() | graph.RepeatModule():
            yield module
            for member in module.members:
                yield from _taking_sizes(member.module)
        case graph.ChoiceModule():
            yield from _taking_sizes(module.then)
            yield from _taking_sizes(module.other)
        case _:
            yield module


def _refuse(walk: Walk, module: graph.Module, span: Span) -> None:
    program = walk.program
    if isinstance(module, graph.NetModule):
        sizes = net_sizes(program, module)
        if None in sizes:
            name = program.class_sizes(module.net)[sizes.index(None)].name
            ran = module.applied is not None
            if ran and module.lost is None:
                return  # a mistake that was told has left it unknown
            walk.error(
                "size-not-inferred",
                f"nothing tells the size `{name}` of `{module.net.name}`",
                span,
                note=(
                    "a layer inside it is used, and no tensor flows through it"
                    if not ran
                    else ""
                ),
                labels=(
                    [Label(module.lost, "the size gets lost here")]
                    if module.lost is not None
                    else []
                ),
                help=("" if ran else "send the tensor through it, or ")
                + f"write the size: `{module.net.name}({name}=8)`",
            )
            return
    elif isinstance(module, graph.ParameterModule):
        sizes = parameter_sizes(program, module)
        if None in sizes:
            walk.error(
                "size-not-inferred",
                f"nothing tells the sizes of the net that `{module.symbol.name}`"
                " stands for",
                span,
                help="send a tensor through it",
            )
            return
    elif isinstance(module, graph.LayerModule):
        sizes = list(module.inferred.values())
    else:
        sizes = []
        if isinstance(module, graph.RepeatModule):
            sizes = [s for entry in running(program, module) for s in entry[2:3]]
    if any(_of_a_filled_list(size) for size in sizes):
        walk.error(
            "size-not-inferred",
            "the size of what flows in comes from a list that a loop fills, and"
            " `__init__` has no such list",
            span,
            help="write the size by name, or fill the list behind the layer whose"
            " size changes",
        )


def _of_a_filled_list(size: Any) -> bool:
    """Whether only the rounds of a loop over tensors say a size."""
    return isinstance(size, Dim) and any(
        isinstance(atom, dims.Appended) for atom in dims.atoms(size)
    )
