"""Running ints: those that a round of a building loop changes in two steps, and what
they are called.

What flows out of a round may be said in terms of what was there midway: DenseNet's
blocks add channels, and a transition behind them halves the sum.  Then the running
int is changed midway, too, and what follows reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from netdsl import dims, graph
from netdsl.dims import Dim, Size
from netdsl.elaborate.trees import OutOf, inferred_sizes
from netdsl.emit.lines import Lines
from netdsl.graph import RepeatModule, Symbol


class Step(NamedTuple):
    """Ahead of the member `at`, `symbol` grows by `by`; `before` is the atom that
    stands for it up to there, and `then` what that is in terms of the new value."""

    at: int
    symbol: Symbol
    by: Size
    before: dims.Atom
    then: Size


def early_step(repeat: RepeatModule, carried: list[Any]) -> Step | None:
    """A change of a running int midway that makes all that follows shorter."""
    later = [inferred_sizes(member.module) for member in repeat.members]
    for symbol, _, after in carried:
        atom = _atom_of(symbol, after)
        if atom is None:
            continue
        for by in dict.fromkeys(_added(after, atom)):
            now = Symbol(symbol.name, "carried", place=symbol)
            name = dims.Name(f"{atom.key}+", atom.lo, None, now, str(atom))
            step = Step(0, symbol, by, atom, dims.of(name) - by)
            afters = [value for _, _, value in carried]
            if not _all_shorter(afters, step):
                continue
            at = len(later)
            while at > 0 and _all_shorter(later[at - 1], step):
                at -= 1
            readers = (
                i
                for i in range(at, len(later))
                if any(_reads(s, atom) for s in later[i])
            )
            first = next(readers, None)
            if first is not None:
                return step._replace(at=first)
    return None


def grown(size: Size, symbols: list[Symbol]) -> Size | None:
    """What a size adds to a running int, if it does no more than that."""
    for atom in dict.fromkeys(dims.atoms(size)):
        if isinstance(atom, dims.Name) and any(atom.origin is s for s in symbols):
            rest = size - dims.of(atom)
            return None if _reads(rest, atom) else rest
    return None


def _atom_of(symbol: Symbol, size: Size) -> dims.Atom | None:
    for atom in dims.atoms(size):
        if isinstance(atom, dims.Name) and atom.origin is symbol:
            return atom
    return None


def _added(size: Size, atom: dims.Atom) -> Iterator[Size]:
    """Each `d` of which the size holds `atom + d` as a whole part."""
    for part in _parts(size):
        rest = part - dims.of(atom)
        if isinstance(rest, Dim) and not _reads(rest, atom) and not _is_made(rest):
            yield rest


def _parts(size: Size) -> Iterator[Size]:
    for atom in dims.atoms(size):
        yield from atom.parts()


def _is_made(size: Size) -> bool:
    """Whether a layer of the same round tells the size."""
    return any(
        isinstance(a, dims.Name) and isinstance(a.origin, OutOf | graph.Expr)
        for a in dims.atoms(size)
    )


def _reads(size: Size, atom: dims.Atom) -> bool:
    return any(a == atom for a in dims.atoms(size))


def _all_shorter(sizes: list[Size], step: Step) -> bool:
    """Whether each size that reads the running int is shorter by its new value."""
    values = {step.before: step.then}
    return all(
        len(dims.show(dims.substitute(size, values))) < len(dims.show(size))
        for size in sizes
        if _reads(size, step.before)
    )


class Mentions:
    """Where the lines of an `__init__` mention each running int."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.places: dict[Symbol, list[int]] = {}

    def note(self, symbol: Symbol) -> None:
        self.places.setdefault(symbol, []).append(len(self.lines))

    def shared(self, names: Mapping[int, str]) -> dict[int, str]:
        """The names anew: a running int goes on under the name of one that nobody
        reads any more, as people write loops one after another."""
        loops = list(self._loops())
        last: dict[tuple[str, str], int] = {}
        out = dict(names)
        for symbol, places in sorted(self.places.items(), key=lambda p: p[1][0]):
            first, key = places[0], id(symbol)
            if key not in names:
                continue
            alike = {n: end for (what, n), end in last.items() if what == symbol.name}
            free = (n for n, end in alike.items() if end <= first)
            out[key] = next(free, names[key])
            end = max(self._needed(p, first, loops) for p in places)
            last[symbol.name, out[key]] = end
        return out

    @staticmethod
    def _needed(place: int, first: int, loops: list[tuple[int, int]]) -> int:
        """How far a value is needed: one from ahead of a loop, to its end."""
        ends = [end for start, end in loops if first <= start < place <= end]
        return max(ends, default=place)

    def _loops(self) -> Iterator[tuple[int, int]]:
        """The first and the last line of each loop."""
        lines = self.lines.lines
        for start, line in enumerate(lines):
            if line.text.startswith("for ") and line.text.endswith(":"):
                end = start
                while end + 1 < len(lines) and lines[end + 1].depth > line.depth:
                    end += 1
                yield start, end
