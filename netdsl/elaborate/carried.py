"""Loops whose rounds are not known: walked once, with the sizes that they carry from
round to round left open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from netdsl import dims, graph
from netdsl.diagnostics import Diagnostic
from netdsl.dims import Dim, Size
from netdsl.elaborate.values import Blur, symbols_of
from netdsl.elaborate.walk import Stop, Walk
from netdsl.elaborate.words import size_word
from netdsl.graph import Symbol
from netdsl.shapes import Shape, Tensor

State = dict[str, Any]


class Carried:
    """What goes round a loop whose rounds are not known.

    `running` are the sizes that come back changed and not by a constant:
    symbol, atom, value before the first round, value after a round.  `opened` are
    the places of all sizes that change: those `likely` to are tried first.
    """

    def __init__(self, index: Dim, count: Size, likely: Sequence[Place] = ()) -> None:
        self.index = index
        self.count = count
        self.running: list[tuple[Symbol, dims.Atom, Size, Size]] = []
        self.opened = tuple(likely)


# A size of what a loop carries: the name it is carried under, and which it is.
Place: TypeAlias = "tuple[str, int]"
_Opened: TypeAlias = "dict[Place, tuple[Symbol, dims.Atom, Size]]"


def go_round(
    walk: Walk,
    loop: Carried,
    state: State,
    body: Callable[[State], State],
    rollback: Callable[[], Callable[[], None]],
) -> State:
    """Walks the body of an open loop until what it carries is understood.

    `body` maps the state before a round to the state after; it is walked up to
    four times, and once more if the sizes that were likely to change don't.
    `rollback()` gives what undoes a walk.  Returns the state after the last round.
    """
    tried = _settle(walk, loop, state, body, rollback)
    start, opened, after = tried.start, tried.opened, tried.after
    sizes = {place: _size_at(after.get(place[0]), place[1]) for place in opened}
    closed = _closed_forms(loop, opened, sizes)
    if tried.settled and not closed:
        # The last walk was the real one: only its messages are missing.
        walk.report.extend(tried.said)
    else:
        if tried.settled:
            tried.undo()
        after = body(_with(start, opened, closed))
    exits = _exits(loop, opened, sizes, closed, after)
    result = dict(after)
    for name in start:
        if isinstance(start[name], Tensor) and isinstance(after.get(name), Tensor):
            own = {at: size for (key, at), size in exits.items() if key == name}
            result[name] = _replace(after[name], own)
    return result


class _Tried(NamedTuple):
    """The last walk of a body: what it began with, the sizes that it left open, what
    came out, its messages, what undoes it, and whether it is understood."""

    start: State
    opened: _Opened
    after: State
    said: tuple[Diagnostic, ...]
    undo: Callable[[], None]
    settled: bool


def _settle(
    walk: Walk,
    loop: Carried,
    start: State,
    body: Callable[[State], State],
    rollback: Callable[[], Callable[[], None]],
) -> _Tried:
    """Walks a body with more and more sizes open, until no other comes back changed."""
    opened: _Opened = {}
    likely = [p for p in loop.opened if _size_at(start.get(p[0]), p[1])]
    _open(walk, opened, start, likely)
    guessed = bool(opened)
    settled = False
    for _ in range(5 if guessed else 4):
        undo = rollback()
        try:
            with walk.report.muted(), walk.report.recorded() as said:
                after = body(_with(start, opened))
        except Stop:
            # No other round will say what ended this one.
            walk.report.extend(said.values())
            raise
        lost = _lost(walk, start, after)
        if lost:
            undo()
            start, opened = start | lost, {}
            continue
        if guessed and not _borne_out(walk, opened, after):
            undo()
            opened, guessed = {}, False
            continue
        guessed = False
        changed = _changed(walk, _with(start, opened), after)
        if not changed - set(opened):
            settled = True
            break
        undo()
        _open(walk, opened, start, sorted(changed - set(opened)))
    loop.opened = tuple(opened)
    return _Tried(start, opened, after, tuple(said.values()), undo, settled)


def _closed_forms(
    loop: Carried, opened: _Opened, sizes: Mapping[Place, Size]
) -> dict[dims.Atom, Size]:
    """What the sizes are in each round that grow by a constant."""
    changing = {atom for _, atom, _ in opened.values()} | {_own(loop)}
    closed: dict[dims.Atom, Size] = {}
    for place, (_, atom, before) in opened.items():
        step = sizes[place] - dims.of(atom)
        if changing.isdisjoint(dims.atoms(step)) and not _depends_on_round(step):
            closed[atom] = before + loop.index * step
    return closed


def _exits(
    loop: Carried,
    opened: _Opened,
    sizes: Mapping[Place, Size],
    closed: Mapping[dims.Atom, Size],
    after: State,
) -> dict[Place, Size]:
    """What the sizes that a round changes are behind the last; notes those that run."""
    exits: dict[Place, Size] = {}
    atoms = {atom for _, atom, _ in opened.values()}
    unrolled = _unrolled(loop, opened, sizes)
    for place, (symbol, atom, before) in opened.items():
        if atom in closed:
            step = dims.substitute(sizes[place] - dims.of(atom), closed)
            exits[place] = before + loop.count * step
            continue
        value = _size_at(after.get(place[0]), place[1])
        loop.running.append((symbol, atom, before, value))
        last = dims.substitute(value, {_own(loop): loop.count - 1})
        if atoms.isdisjoint(dims.atoms(last)):
            symbol.value = last
        exits[place] = unrolled.get(place, dims.of(atom))
    return exits


def _lost(walk: Walk, before: State, after: State) -> State:
    """The tensors of which a round loses the shape: the next one has no more."""
    if not walk.defining:
        return {}
    return {
        name: after[name]
        for name, value in before.items()
        if isinstance(value, Tensor)
        and isinstance(after.get(name), Blur)
        and after[name].reason is not None
    }


def _open(walk: Walk, opened: _Opened, start: State, places: Iterable[Place]) -> None:
    """Gives each size at these places a name of its own."""
    for place in places:
        key, at = place
        taken = {s.name for k, (s, _, _) in opened.items() if k[0] == key}
        taken.update(walk.scope)
        name = size_word(start[key].shape, at, taken)
        symbol, size = walk.fresh(name, "carried", low=1)
        atom = dims.single(size)
        assert atom is not None
        opened[place] = symbol, atom, _size_at(start[key], at)


def _borne_out(walk: Walk, opened: _Opened, after: State) -> bool:
    """Whether a round changes all sizes that were likely to change, as it does if
    they are what they are before the first."""
    first = {atom: before for _, atom, before in opened.values()}
    for place, (_, atom, before) in opened.items():
        size = _size_at(after.get(place[0]), place[1])
        if walk.facts.equal(dims.of(atom), size) is True:
            return False
        if walk.facts.equal(before, dims.substitute(size, first)) is True:
            return False
    return True


def _own(loop: Carried) -> dims.Atom:
    own = dims.single(loop.index)
    assert own is not None
    return own


def _unrolled(
    loop: Carried,
    opened: Mapping[tuple[str, int], tuple[Symbol, dims.Atom, Size]],
    after: Mapping[tuple[str, int], Size],
) -> dict[tuple[str, int], Size]:
    """What comes out of a few rounds, of the sizes that each round treats alike."""
    if not isinstance(loop.count, int) or loop.count > _FEW_ROUNDS:
        return {}
    plain = dict(opened)
    while loop.count:
        known = {atom for _, atom, _ in plain.values()}
        told = {
            key
            for key in plain
            if not all(a in known or _stays(a) for a in dims.atoms(after[key]))
        }
        if not told:
            break
        plain = {k: v for k, v in plain.items() if k not in told}
    sizes = {key: before for key, (_, _, before) in plain.items()}
    for _ in range(loop.count):
        now = {plain[key][1]: size for key, size in sizes.items()}
        sizes = {key: dims.substitute(after[key], now) for key in sizes}
    return sizes


_FEW_ROUNDS = 16


def _stays(atom: dims.Atom) -> bool:
    """Whether an atom is the same in every round."""
    if isinstance(atom, dims.Name):
        kinds = ("hyper", "size", "constant")
        return isinstance(atom.origin, Symbol) and atom.origin.kind in kinds
    return not isinstance(atom, dims.Element)


def _depends_on_round(size: Size) -> bool:
    """Whether a size may be another in each round: an element of a list, or what
    only Python can work out of a loop's variables."""
    return any(
        isinstance(a, dims.Element)
        or (
            isinstance(a, dims.Name)
            and isinstance(a.origin, graph.CallOf)
            and any(s.kind == "loop" for s in symbols_of(dims.of(a)))
        )
        for a in dims.atoms(size)
    )


def _with(
    state: State,
    opened: Mapping[tuple[str, int], tuple[Symbol, dims.Atom, Size]],
    closed: Mapping[dims.Atom, Size] | None = None,
) -> State:
    out = dict(state)
    for (name, at), (_, atom, _before) in opened.items():
        value = closed[atom] if closed and atom in closed else dims.of(atom)
        if isinstance(out[name], Tensor):
            out[name] = _replace(out[name], {at: value})
    return out


def _replace(tensor: Tensor, sizes: Mapping[int, Size]) -> Tensor:
    head = list(tensor.shape.head)
    tail = list(tensor.shape.tail)
    for at, size in sizes.items():
        if at < len(head):
            head[at] = size
        else:
            tail[at - len(head)] = size
    return Tensor(Shape(tuple(head), tensor.shape.star, tuple(tail)), tensor.dtype)


def _size_at(value: Any, at: int) -> Size:
    if not isinstance(value, Tensor):
        return 0
    sizes = (*value.shape.head, *value.shape.tail)
    return sizes[at] if at < len(sizes) else 0


def _changed(walk: Walk, before: State, after: State) -> set[tuple[str, int]]:
    out = set()
    for name, value in before.items():
        other = after.get(name)
        if not isinstance(value, Tensor) or not isinstance(other, Tensor):
            continue
        ours = (*value.shape.head, *value.shape.tail)
        theirs = (*other.shape.head, *other.shape.tail)
        if len(ours) != len(theirs) or value.shape.star != other.shape.star:
            continue
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if walk.facts.equal(a, b) is not True:
                out.add((name, i))
    return out
