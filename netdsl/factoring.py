"""Sizes as people write them: products that the normal form multiplied out.

The normal form turns `64 * (h // 2) * (w // 2)` into sixteen times sums with
remainders.  Here the quotients come back, and what is a product of them is
written as one.  The parts are for text only: they are not normalised.
"""

from __future__ import annotations

from collections.abc import Iterator

from netdsl import dims
from netdsl.dims import Atom, Dim, FloorDiv, Mod, Monomial, Name, Size

_MOST_TERMS = 64


class _Quotient(Name):
    """Stands for `numerator // divisor`, as a name that nothing rewrites."""

    __slots__ = ("divisor", "numerator")

    def __init__(self, numerator: Size, divisor: int) -> None:
        super().__init__(f"({dims.show(numerator)})//{divisor}", None)
        self.numerator = numerator
        self.divisor = divisor

    def shifted(self, by: int) -> Atom:
        """The quotient plus a number, as a quotient."""
        numerator = self.numerator + by * self.divisor
        return FloorDiv(f"{self.key}+{by}", None, None, numerator, self.divisor)


def factored(size: Size) -> tuple[Size, ...]:
    """Sizes whose product this is: just itself, unless several read better."""
    if not isinstance(size, Dim) or not _worth_it(size):
        return (size,)
    rest, quotients = _with_quotients(size)
    factors: list[Size] = []
    left: dict[Atom, Atom] = {}
    for quotient in quotients:
        parts = _linear(rest, quotient)
        shift = None if parts is None else _multiple(parts[1], parts[0])
        if parts is not None and shift is not None:
            factors.append(dims.of(quotient.shifted(shift)))
            rest = parts[0]
        else:
            left[quotient] = quotient.shifted(0)
    if rest != 1 or not factors:
        factors.insert(0, _renamed(rest, left))
    return tuple(factors) if _terms(*factors) < len(size.terms) else (size,)


def _worth_it(size: Dim) -> bool:
    """Whether sums of remainders or of products of quotients stand in it."""
    found = [
        len(monomial) > 1 or isinstance(atom, Mod)
        for monomial, _ in size.terms
        for atom, _ in monomial
        if isinstance(atom, FloorDiv | Mod) and isinstance(atom.parts()[1], int)
    ]
    return 1 < len(size.terms) <= _MOST_TERMS and any(found)


def _with_quotients(size: Dim) -> tuple[Size, list[_Quotient]]:
    """The size with a name for each quotient, and those names."""
    names: dict[tuple[Size, int], _Quotient] = {}
    values: dict[Atom, Size] = {}
    for atom in _outer(size):
        numerator, divisor = atom.parts()
        if not isinstance(divisor, int):
            continue
        base = numerator
        shift = 0
        if isinstance(atom, FloorDiv) and isinstance(numerator, Dim):
            # `(h - 1) // 2` and `(h + 1) % 2` share a quotient.
            constant = dict(numerator.terms).get(dims.ONE, 0)
            shift = constant // divisor
            base = numerator - shift * divisor
        name = names.setdefault((base, divisor), _Quotient(base, divisor))
        quotient = dims.of(name)
        values[atom] = (
            quotient + shift
            if isinstance(atom, FloorDiv)
            else numerator - divisor * quotient
        )
    return dims.substitute(size, values), list(names.values())


def _outer(size: Dim) -> Iterator[Atom]:
    for monomial, _ in size.terms:
        for atom, _ in monomial:
            if isinstance(atom, FloorDiv | Mod):
                yield atom


def _linear(size: Size, atom: Atom) -> tuple[Size, Size] | None:
    """`a` and `b` of `a * atom + b`, if the size is of that form."""
    if not isinstance(size, Dim):
        return None
    slope: dict[Monomial, int] = {}
    rest: dict[Monomial, int] = {}
    for monomial, coefficient in size.terms:
        power = dict(monomial).get(atom, 0)
        if power == 0:
            rest[monomial] = coefficient
        elif power == 1:
            slope[tuple(f for f in monomial if f[0] != atom)] = coefficient
        else:
            return None
    return (dims.build(slope), dims.build(rest)) if slope else None


def _multiple(size: Size, of: Size) -> int | None:
    """The number that makes one size of the other."""
    if size == 0:
        return 0
    if isinstance(size, int) or isinstance(of, int):
        both = isinstance(size, int) and isinstance(of, int) and size % of == 0
        return int(size // of) if both else None  # type: ignore[arg-type]
    number = size.terms[0][1] // of.terms[0][1]
    return number if size == number * of else None


def _renamed(size: Size, names: dict[Atom, Atom]) -> Size:
    if not isinstance(size, Dim):
        return size
    return dims.build(
        {
            tuple((names.get(a, a), power) for a, power in monomial): coefficient
            for monomial, coefficient in size.terms
        }
    )


def _terms(*sizes: Size) -> int:
    return sum(len(s.terms) if isinstance(s, Dim) else 1 for s in sizes)
