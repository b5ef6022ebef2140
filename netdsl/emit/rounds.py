"""Loops that build layers: what their variables and members are called."""

from __future__ import annotations

from typing import Any

from netdsl import dims, graph
from netdsl.elaborate.demand import running
from netdsl.elaborate.making import SPREAD
from netdsl.elaborate.trees import OutOf, every_module, inferred_sizes
from netdsl.emit.spelling import COUNTERS, Speller
from netdsl.graph import (
    ChainModule,
    Member,
    Module,
    NetModule,
    ParameterModule,
    RepeatModule,
    Symbol,
)
from netdsl.reserved import FILE, is_attribute


def target_names(target: Any) -> list[str]:
    if isinstance(target, tuple):
        return [n for t in target for n in target_names(t)]
    return [target.name] if isinstance(target, Symbol) else []


def join_inner(repeat: RepeatModule, symbol: Symbol, after: Any) -> None:
    """A running int that a loop within takes up and hands back keeps its name."""
    names = list(size_symbols(after))
    if dims.single(after) is None or len(names) != 1:
        return
    for inner in every_module(repeat):
        if inner is not repeat and isinstance(inner, RepeatModule):
            for own, before, _ in inner.carried:
                taken_up = dims.single(before) is not None
                if own is names[0] and taken_up and size_symbols(before) == [symbol]:
                    own.place = symbol


def member_word(owner: str) -> str:
    """`up` for a list at `self.ups`"""
    word = owner.rpartition(".")[2]
    return word.removesuffix("s") if is_attribute(word) and word not in FILE else ""


def local_name(module: Module) -> str:
    if isinstance(module, ParameterModule):
        return module.symbol.name.lower()
    if isinstance(module, NetModule):
        return str(module.net.name).lower()
    return "layer"


def has_names(chain: ChainModule) -> bool:
    """Whether any member of a list has a name."""
    return any(m.label not in (None, SPREAD) for m in _all_members(chain))


def asked_within(program: Any, chain: ChainModule) -> set[int]:
    """The layers in a list whose sizes others in it ask for."""
    inside = {id(m) for m in every_module(chain)}
    return inside & {
        id(a.origin.module)
        for m in chain.members
        for a in atoms(program, m.module)
        if isinstance(a, dims.Name) and isinstance(a.origin, OutOf)
    }


def _all_members(chain: ChainModule) -> list[Member]:
    out: list[Member] = []
    for member in chain.members:
        if isinstance(member.module, RepeatModule):
            out += member.module.members
        else:
            out.append(member)
    return out


def atoms(program: Any, module: Module) -> list[dims.Atom]:
    """What stands in the sizes that a constructor is given."""
    return [a for s in inferred_sizes(module, program) for a in dims.atoms(s)]


def label_symbols(label: Any) -> list[Symbol]:
    if isinstance(label, graph.Expr):
        return [p for p in graph.every(label) if isinstance(p, Symbol)]
    return []


def size_symbols(size: Any) -> list[Symbol]:
    from netdsl.elaborate.values import size_names

    return list(size_names(size))


def element_names(
    program: Any,
    speller: Speller,
    loop: graph.Loop,
    repeat: RepeatModule,
    taken: set[str],
) -> None:
    """Maps what a round's targets hold to their names: in terms of the loop's
    round, `widths[i]` is `w`."""
    used = {a for m in repeat.members for a in atoms(program, m.module)}
    used |= {a for _, _, after in repeat.carried for a in dims.atoms(after)}
    if isinstance(loop.target, Symbol) and loop.target.name == "_":
        if dims.single(repeat.index) in used:
            loop.target.name = next(n for n in COUNTERS if n not in taken)
    for atom, name in target_atoms(loop):
        speller.elements.append((atom, name))
    if isinstance(loop.target, Symbol) and isinstance(loop.target.value, dims.Dim):
        speller.known.append((loop.target.value, loop.target.name))


def count_rounds(program: Any, repeat: RepeatModule, taken: set[str]) -> None:
    """Gives a loop a number for its rounds if a size asks for it: what flows in comes
    from another list's member of the same round, `widths[i]`."""
    index = dims.single(repeat.index)
    if len(repeat.loops) != 1 or index is None:
        return
    (loop,) = repeat.loops
    told = dict.fromkeys((atom for atom, _ in target_atoms(loop)), 1)
    sizes = [s for m in repeat.members for s in inferred_sizes(m.module, program)]
    sizes += [after for _, _, after in running(program, repeat)]
    if not any(index in dims.atoms(dims.substitute(s, told)) for s in sizes):
        return
    if isinstance(loop.target, Symbol) and loop.target.name == "_":
        return  # a range, whose variable gets the name
    used = taken | set(target_names(loop.target))
    number = Symbol(next(n for n in COUNTERS if n not in used), "loop", "int")
    number.value = repeat.index
    counted = graph.CallOf("enumerate", (loop.iterable,))
    repeat.loops = (graph.Loop((number, loop.target), counted, loop.tests),)


def target_atoms(loop: graph.Loop) -> list[tuple[dims.Atom, str]]:
    """The sizes that a loop's targets stand for, by their values of a round."""
    out: list[tuple[dims.Atom, str]] = []

    def visit(target: Any) -> None:
        if isinstance(target, tuple):
            for part in target:
                visit(part)
        elif isinstance(target, Symbol) and isinstance(target.value, tuple):
            for k, part in enumerate(target.value):
                atom = dims.single(part) if isinstance(part, dims.Dim) else None
                if atom is not None:
                    out.append((atom, f"{target.name}[{k}]"))
        elif isinstance(target, Symbol) and isinstance(target.value, dims.Dim):
            atom = dims.single(target.value)
            if atom is not None:
                out.append((atom, target.name))
                return
            # `for k in range(1, n)`: the round is `k - 1`.
            for monomial, factor in target.value.terms:
                if len(monomial) == 1 and monomial[0][1] == 1:
                    atom = monomial[0][0]
                    rest = target.value - factor * dims.of(atom)
                    if isinstance(rest, int):
                        out.append((atom, _round_text(target.name, rest, factor)))

    visit(loop.target)
    return out


def _round_text(name: str, start: int, step: int) -> str:
    """The number of a round, by a variable that starts there and takes such steps."""
    text = name
    if start:
        text = f"{name} {'-' if start > 0 else '+'} {abs(start)}"
    if step == 1:
        return text
    text = f"({text})" if start else text
    return f"{text} // {step}"
