"""Symbolic sizes: integer expressions in a normal form.

A size is a plain `int` or a `Dim`, a polynomial with integer coefficients over
atoms: names, and the quotients (`quotients.py`), minima, maxima and choices
(`choices.py`) that do not come out even.  Equal normal forms are equal sizes;
`netdsl.facts` compares the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import gcd
from typing import TypeAlias

Bound: TypeAlias = "int | None"


class Atom:
    """What a polynomial is made of.  `key` is its text: it orders and identifies."""

    __slots__ = ("hi", "key", "lo")

    def __init__(self, key: str, lo: Bound = None, hi: Bound = None) -> None:
        self.key = key
        self.lo = lo
        self.hi = hi

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key})"

    def parts(self) -> tuple[Size, ...]:
        """The sizes inside a compound atom."""
        return ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        """This atom over other parts, normalised anew."""
        return of(self)


class Name(Atom):
    """A size with a name.

    `origin` is whatever the elaborator needs to write the name in Python; the
    key must tell two origins apart, `shown` is what a message says.
    """

    __slots__ = ("origin", "shown")

    def __init__(
        self,
        key: str,
        lo: Bound = 1,
        hi: Bound = None,
        origin: object = None,
        shown: str | None = None,
    ) -> None:
        super().__init__(key, lo, hi)
        self.origin = origin
        self.shown = shown if shown is not None else key

    def __str__(self) -> str:
        return self.shown


class Compound(Atom):
    __slots__ = ("_parts",)

    def __init__(self, key: str, lo: Bound, hi: Bound, *parts: Size) -> None:
        if len(key) > _LONGEST:
            raise TooBig
        super().__init__(key, lo, hi)
        self._parts = parts

    def parts(self) -> tuple[Size, ...]:
        return self._parts


Factor: TypeAlias = tuple[Atom, int]
Monomial: TypeAlias = tuple[Factor, ...]
ONE: Monomial = ()
# What no size of a network comes near: each operation costs as much as it is long.
_MOST_TERMS = 200
_MOST_FACTORS = 50
LARGEST = 2**63
_LONGEST = 5_000
"""Of the text of an atom, which holds that of its parts."""


class TooBig(OverflowError):
    """A size has too many terms, or too large a number."""


class Unasked:
    """Of a size whose bounds nobody has worked out as yet."""


_UNASKED = Unasked()


class Dim:
    """A polynomial that is not a constant.  Immutable; make it by arithmetic."""

    __slots__ = ("_hash", "high", "low", "terms")

    terms: tuple[tuple[Monomial, int], ...]
    low: Bound | Unasked
    high: Bound | Unasked

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._hash = 0
        self.low = self.high = _UNASKED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self) -> int:
        # Most are steps of a sum, and never asked.
        if not self._hash:
            self._hash = hash(self.terms)
        return self._hash

    def __add__(self, other: Size) -> Size:
        if isinstance(other, int):
            return _shifted(self, other)
        return total(((self, 1), (other, 1)))

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        if isinstance(other, int):
            return _shifted(self, -other)
        return total(((self, 1), (other, -1)))

    def __rsub__(self, other: Size) -> Size:
        return total(((other, 1), (self, -1)))

    def __neg__(self) -> Size:
        return total(((self, -1),))

    def __mul__(self, other: Size) -> Size:
        return product(self, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        from netdsl.dims.quotients import floordiv

        return floordiv(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        from netdsl.dims.quotients import floordiv

        return floordiv(other, self)

    def __mod__(self, other: Size) -> Size:
        from netdsl.dims.quotients import modulo

        return modulo(self, other)

    def __rmod__(self, other: Size) -> Size:
        from netdsl.dims.quotients import modulo

        return modulo(other, self)

    def __pow__(self, other: Size) -> Size:
        from netdsl.dims.choices import power

        return power(self, other)

    def __rpow__(self, other: Size) -> Size:
        from netdsl.dims.choices import power

        return power(other, self)

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return show(self)

    def __repr__(self) -> str:
        from netdsl.dims.forms import show

        return f"Dim({show(self)})"


Size: TypeAlias = "int | Dim"


def of(atom: Atom) -> Dim:
    """The size that is just this atom."""
    return Dim(((((atom, 1),), 1),))


def symbol(name: str, lo: Bound = 1, hi: Bound = None, origin: object = None) -> Dim:
    """A size known only by its name; sizes are at least 1 unless told."""
    return of(Name(name, lo, hi, origin))


def single(size: Size) -> Atom | None:
    """The atom that the size consists of, if it is just one."""
    if isinstance(size, Dim) and len(size.terms) == 1:
        monomial, factor = size.terms[0]
        if factor == 1 and len(monomial) == 1 and monomial[0][1] == 1:
            return monomial[0][0]
    return None


def atoms(size: Size) -> Iterator[Atom]:
    """Every atom in the size, those inside compound atoms too, from left to right."""
    if isinstance(size, Dim):
        for monomial, _ in size.terms:
            for atom, _ in monomial:
                yield atom
                for part in atom.parts():
                    yield from atoms(part)


# -- building the normal form --------------------------------------------------


def terms_of(size: Size) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(size, Dim):
        return size.terms
    return ((ONE, size),) if size else ()


def _monomial_order(item: tuple[Monomial, int]) -> tuple[int, list[tuple[str, int]]]:
    monomial = item[0]
    # Constants last, then by degree falling, then by text: as people write.
    return (
        -sum(power for _, power in monomial),
        [(atom.key, power) for atom, power in monomial],
    )


def build(terms: Mapping[Monomial, int]) -> Size:
    """The sum of these terms, as they are."""
    left = [(m, c) for m, c in terms.items() if c]
    if not left:
        return 0
    if len(left) == 1 and left[0][0] == ONE:
        return left[0][1]
    if len(left) > 1:
        if len(left) > _MOST_TERMS:
            raise TooBig
        left.sort(key=_monomial_order)
    for _, coefficient in left:
        if not -LARGEST < coefficient < LARGEST:
            raise TooBig
    return Dim(tuple(left))


def _shifted(size: Dim, number: int) -> Size:
    """The size and a number: only the constant changes, which is the last term."""
    if not number:
        return size
    terms = size.terms
    if terms[-1][0] == ONE:
        number += terms[-1][1]
        terms = terms[:-1]
    return Dim((*terms, (ONE, number)) if number else terms)


def total(parts: Iterable[tuple[Size, int]]) -> Size:
    terms: dict[Monomial, int] = {}
    for size, factor in parts:
        for monomial, coefficient in terms_of(size):
            terms[monomial] = terms.get(monomial, 0) + factor * coefficient
    return build(terms)


def product(a: Size, b: Size) -> Size:
    terms: dict[Monomial, int] = {}
    if len(terms_of(a)) * len(terms_of(b)) > 10 * _MOST_TERMS:
        raise TooBig
    for m1, c1 in terms_of(a):
        for m2, c2 in terms_of(b):
            monomial = _join(m1, m2)
            terms[monomial] = terms.get(monomial, 0) + c1 * c2
    return build(terms)


def _join(m1: Monomial, m2: Monomial) -> Monomial:
    if not m1 or not m2:
        return m1 or m2
    powers: dict[Atom, int] = dict(m1)
    for atom, power in m2:
        powers[atom] = powers.get(atom, 0) + power
    if len(powers) > _MOST_FACTORS:
        raise TooBig
    return tuple(sorted(powers.items(), key=lambda f: f[0].key))


def without(monomial: Monomial, part: Monomial) -> Monomial | None:
    """The monomial divided by a part of it, if it holds that part."""
    powers = dict(monomial)
    for atom, power in part:
        if powers.get(atom, 0) < power:
            return None
        powers[atom] -= power
    return tuple((a, powers[a]) for a, _ in monomial if powers[a]) if part else monomial


def cancel(a: Size, b: Size) -> tuple[Size, Size]:
    """Both sizes divided by the number and the positive names that they share."""
    part, number = _shared(a, b)
    if number == 1 and not part:
        return a, b
    return _exact(a, part, number), _exact(b, part, number)


def _shared(a: Size, b: Size) -> tuple[Monomial, int]:
    terms = (*terms_of(a), *terms_of(b))
    if not terms:
        return ONE, 1
    shared = {x: p for x, p in terms[0][0] if x.lo is not None and x.lo >= 1}
    for monomial, _ in terms[1:]:
        powers = dict(monomial)
        shared = {x: min(p, powers[x]) for x, p in shared.items() if x in powers}
    part = tuple(sorted(shared.items(), key=lambda f: f[0].key))
    return part, gcd(*(c for _, c in terms))


def _exact(size: Size, part: Monomial, number: int) -> Size:
    terms: dict[Monomial, int] = {}
    for monomial, coefficient in terms_of(size):
        shorter = without(monomial, part)
        assert shorter is not None
        terms[shorter] = coefficient // number
    return build(terms)


def key_of(size: Size) -> str:
    if not isinstance(size, Dim):
        return str(size)
    return "+".join(
        "*".join(
            [
                *([str(c)] if c != 1 or not m else []),
                *(a.key if p == 1 else f"{a.key}^{p}" for a, p in m),
            ]
        )
        for m, c in size.terms
    )


# -- substitution --------------------------------------------------------------


def substitute(size: Size, values: Mapping[Atom, Size]) -> Size:
    """The size with atoms replaced, normalised anew."""
    if not isinstance(size, Dim) or not values:
        return size
    if not any(atom in values for atom in atoms(size)):
        return size
    result: Size = 0
    for monomial, coefficient in size.terms:
        term: Size = coefficient
        for atom, exponent in monomial:
            value = values.get(atom)
            if value is None:
                parts = atom.parts()
                if parts:
                    value = atom.rebuild(tuple(substitute(p, values) for p in parts))
                    again = single(value)
                    if again is not None and again in values:
                        value = values[again]
                else:
                    value = of(atom)
            for _ in range(exponent):
                term = term * value
        result = result + term
    return result
