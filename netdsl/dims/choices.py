"""Minima, maxima, powers and choices of sizes, and elements of lists."""

from __future__ import annotations

from collections.abc import Callable

from netdsl.dims.quotients import (
    bounds,
)
from netdsl.dims.sums import (
    Atom,
    Bound,
    Compound,
    Size,
    TooBig,
    atoms,
    key_of,
    of,
    single,
    substitute,
)

_MOST_PARTS = 50
"""Of a minimum or maximum: each is compared with each."""


class Min(Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return minimum(*parts)

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return f"min({', '.join(show(p) for p in self._parts)})"


class Max(Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return maximum(*parts)

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return f"max({', '.join(show(p) for p in self._parts)})"


class Power(Compound):
    """A power whose exponent is not a number."""

    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return power(parts[0], parts[1])

    def __str__(self) -> str:
        from netdsl.dims.forms import wrapped

        return f"{wrapped(self._parts[0], 4)} ** {wrapped(self._parts[1], 3)}"


class Element(Compound):
    """`list[index]` of a list of ints that is not known; `origin` is its expression.

    Of lists in a list it is `list[index][index]`.
    """

    __slots__ = ("list", "origin")

    def __init__(self, list: str, origin: object, *indices: Size) -> None:
        key = "".join(f"[{key_of(index)}]" for index in indices)
        super().__init__(f"{list}{key}", None, None, *indices)
        self.list = list
        self.origin = origin

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return of(Element(self.list, self.origin, *parts))

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return self.list + "".join(f"[{show(p)}]" for p in self._parts)


class Appended(Element):
    """A size in a list that each round of a loop makes longer; what the first round
    gives is said in terms of what was ahead of the loop."""

    __slots__ = ("first",)

    def __init__(self, list: str, first: Size, index: Size) -> None:
        super().__init__(list, None, index)
        self.first = first

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return appended(self.list, self.first, *parts)


def appended(list: str, first: Size, index: Size) -> Size:
    return first if index == 0 else of(Appended(list, first, index))


class Choose(Compound):
    """One of two sizes, by a condition that is known when the module is built.

    `test` is opaque here (the elaborator's expression); its text is in the key.
    `rounds` are the rounds of loops that the test reads: they move with the size.
    """

    __slots__ = ("shown", "test")

    def __init__(
        self, test: object, shown: str, then: Size, other: Size, *rounds: Size
    ) -> None:
        los = [bounds(then)[0], bounds(other)[0]]
        lo = None if None in los else min(b for b in los if b is not None)
        key = f"({key_of(then)} if {shown} else {key_of(other)})"
        key += "".join(f"[{key_of(r)}]" for r in rounds)
        super().__init__(key, lo, None, then, other, *rounds)
        self.test = test
        self.shown = shown

    @property
    def arms(self) -> tuple[Size, Size]:
        return self._parts[0], self._parts[1]

    @property
    def rounds(self) -> tuple[Size, ...]:
        return self._parts[2:]

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        then, other, *rounds = parts
        return choose(self.test, self.shown, then, other, *rounds)

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        then, other = self.arms
        return f"({show(then)} if {self.shown} else {show(other)})"


def minimum(*sizes: Size) -> Size:
    return _extreme(sizes, Min, min, -1)


def maximum(*sizes: Size) -> Size:
    return _extreme(sizes, Max, max, 1)


def _extreme(
    sizes: tuple[Size, ...],
    kind: type[Min] | type[Max],
    numbers: Callable[[list[int]], int],
    sign: int,
) -> Size:
    flat: list[Size] = []
    for size in sizes:
        atom = single(size)
        for part in atom.parts() if isinstance(atom, kind) else (size,):
            if part not in flat:
                flat.append(part)
    if len(flat) > _MOST_PARTS:
        raise TooBig
    constants = [s for s in flat if isinstance(s, int)]
    rest: list[Size] = [s for s in flat if not isinstance(s, int)]
    if constants:
        rest.append(numbers(constants))
    kept: list[Size] = []
    for i, size in enumerate(rest):
        beaten = any(
            j != i
            and _at_least(sign * (other - size))
            and not (j > i and _at_least(sign * (size - other)))
            for j, other in enumerate(rest)
        )
        if not beaten:
            kept.append(size)
    if len(kept) == 1:
        return kept[0]
    kept.sort(key=key_of)
    lows = [bounds(s)[0] for s in kept]
    highs = [bounds(s)[1] for s in kept]
    name = kind.__name__.lower()
    key = f"{name}({','.join(key_of(s) for s in kept)})"
    known_lows = [b for b in lows if b is not None]
    known_highs = [b for b in highs if b is not None]
    lo: Bound
    hi: Bound
    if kind is Min:
        lo = min(known_lows) if len(known_lows) == len(lows) else None
        hi = min(known_highs, default=None)
    else:
        lo = max(known_lows, default=None)
        hi = max(known_highs) if len(known_highs) == len(highs) else None
    return of(kind(key, lo, hi, *kept))


def _at_least(size: Size, least: int = 0) -> bool:
    low = bounds(size)[0]
    return low is not None and low >= least


def power(a: Size, b: Size) -> Size:
    """`a ** b` for an exponent of at least 0."""
    if isinstance(b, int) and (isinstance(a, int) or 0 <= b <= 16):
        result: Size = 1
        if isinstance(a, int):
            if a not in (0, 1, -1) and b * max(a.bit_length(), 1) > 4096:
                raise OverflowError
            return int(a**b) if b >= 0 else 0
        for _ in range(b):
            result = result * a
        return result
    low = bounds(a)[0]
    lo = 1 if low is not None and low >= 1 else None
    return of(Power(f"({key_of(a)}**{key_of(b)})", lo, None, a, b))


def choose(test: object, shown: str, then: Size, other: Size, *rounds: Size) -> Size:
    """`then` if the test holds, else `other`."""
    then, other = (
        _on_side(size, side, shown, rounds) for side, size in enumerate((then, other))
    )
    if then == other:
        return then
    return of(Choose(test, shown, then, other, *rounds))


def _on_side(size: Size, side: int, shown: str, rounds: tuple[Size, ...]) -> Size:
    """One side of a choice, in which the same test has been answered."""
    answered: dict[Atom, Size] = {
        atom: atom.arms[side]
        for atom in atoms(size)
        if isinstance(atom, Choose) and (atom.shown, atom.rounds) == (shown, rounds)
    }
    return substitute(size, answered)
