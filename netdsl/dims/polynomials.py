"""Symbolic sizes: integer expressions in a normal form, and what is known of them.

A size is a plain `int` or a `Dim`, a polynomial with integer coefficients over
atoms: names, and the quotients, remainders, minima, maxima and choices that do
not come out even.  Equal normal forms are equal sizes; `netdsl.facts` compares
the others.

The rules of the normal form (all with Python's floor division):
- terms that the divisor divides leave a quotient: `(4*h + 2) // 2 = 2*h + 1`;
- what stays has its constant in `(-d, 0]`: `(h + 1) // 2 = (h - 1) // 2 + 1`;
- `(a // b) // c = a // (b*c)`.

That `b * (a // b)` is `a - a % b` is used where sizes are compared (`forms.expand`),
not where they are kept, so that they read as they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import gcd, lcm
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


class _Compound(Atom):
    __slots__ = ("_parts",)

    def __init__(self, key: str, lo: Bound, hi: Bound, *parts: Size) -> None:
        super().__init__(key, lo, hi)
        self._parts = parts

    def parts(self) -> tuple[Size, ...]:
        return self._parts


class FloorDiv(_Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return floordiv(parts[0], parts[1])

    def __str__(self) -> str:
        from netdsl.dims.forms import wrapped

        return f"{wrapped(self._parts[0], 2)} // {wrapped(self._parts[1], 3)}"


class Mod(_Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return modulo(parts[0], parts[1])

    def __str__(self) -> str:
        from netdsl.dims.forms import wrapped

        return f"{wrapped(self._parts[0], 2)} % {wrapped(self._parts[1], 3)}"


class Min(_Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return minimum(*parts)

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return f"min({', '.join(show(p) for p in self._parts)})"


class Max(_Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return maximum(*parts)

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return f"max({', '.join(show(p) for p in self._parts)})"


class Power(_Compound):
    """A power whose exponent is not a number."""

    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return power(parts[0], parts[1])

    def __str__(self) -> str:
        from netdsl.dims.forms import wrapped

        return f"{wrapped(self._parts[0], 4)} ** {wrapped(self._parts[1], 3)}"


class Element(_Compound):
    """`list[index]` of a list of ints that is not known; `origin` is its expression.

    Of lists in a list it is `list[index][index]`.
    """

    __slots__ = ("list", "origin")

    def __init__(self, list: str, origin: object, *indices: Size) -> None:
        key = "".join(f"[{_key(index)}]" for index in indices)
        super().__init__(f"{list}{key}", None, None, *indices)
        self.list = list
        self.origin = origin

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return of(Element(self.list, self.origin, *parts))

    def __str__(self) -> str:
        from netdsl.dims.forms import show

        return self.list + "".join(f"[{show(p)}]" for p in self._parts)


class Choose(_Compound):
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
        key = f"({_key(then)} if {shown} else {_key(other)})"
        key += "".join(f"[{_key(r)}]" for r in rounds)
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


Factor: TypeAlias = tuple[Atom, int]
Monomial: TypeAlias = tuple[Factor, ...]
_MOST_TERMS = 2_000
ONE: Monomial = ()


class _Unasked:
    """Of a size whose bounds nobody has worked out as yet."""


_UNASKED = _Unasked()


class Dim:
    """A polynomial that is not a constant.  Immutable; make it by arithmetic."""

    __slots__ = ("_hash", "high", "low", "terms")

    terms: tuple[tuple[Monomial, int], ...]
    low: Bound | _Unasked
    high: Bound | _Unasked

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
        return floordiv(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return floordiv(other, self)

    def __mod__(self, other: Size) -> Size:
        return modulo(self, other)

    def __rmod__(self, other: Size) -> Size:
        return modulo(other, self)

    def __pow__(self, other: Size) -> Size:
        return power(self, other)

    def __rpow__(self, other: Size) -> Size:
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
        left.sort(key=_monomial_order)
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
    for m1, c1 in terms_of(a):
        for m2, c2 in terms_of(b):
            monomial = _join(m1, m2)
            terms[monomial] = terms.get(monomial, 0) + c1 * c2
    if len(terms) > _MOST_TERMS:
        raise OverflowError("this size has too many terms")
    return build(terms)


def _join(m1: Monomial, m2: Monomial) -> Monomial:
    if not m1 or not m2:
        return m1 or m2
    powers: dict[Atom, int] = dict(m1)
    for atom, power in m2:
        powers[atom] = powers.get(atom, 0) + power
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


def floordiv(a: Size, b: Size) -> Size:
    """`a // b`.  A divisor that is zero is the caller's to refuse."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    if a == b:
        return 1
    if isinstance(b, int):
        if b < 0:
            return floordiv(-a, -b)
        return _divide_by_number(a, b)
    smaller = cancel(a, b)
    if smaller != (a, b):
        return floordiv(*smaller)
    quotient: Size = 0
    rest = a
    if len(b.terms) == 1:
        part, scale = b.terms[0]
        for monomial, coefficient in terms_of(a):
            shorter = without(monomial, part)
            if shorter is not None and coefficient % scale == 0:
                quotient = quotient + build({shorter: coefficient // scale})
                rest = rest - build({monomial: coefficient})
    else:
        # A divisor of several terms: the one case people write is a multiple of it.
        lead = _lead_multiple(a, b)
        if lead:
            quotient, rest = lead, a - lead * b
    return quotient + _quotient_atom(rest, b)


def _lead_multiple(a: Size, b: Dim) -> int:
    for monomial, coefficient in terms_of(a):
        if monomial == b.terms[0][0] and coefficient % b.terms[0][1] == 0:
            factor = coefficient // b.terms[0][1]
            if not isinstance(a - factor * b, Dim):
                return factor
    return 0


def _divide_by_number(a: Size, b: int) -> Size:
    if b == 1:
        return a
    quotient: dict[Monomial, int] = {}
    rest: dict[Monomial, int] = {}
    for monomial, coefficient in terms_of(a):
        if monomial == ONE:
            # The constant of what stays lies in (-b, 0].
            up = -(-coefficient // b)
            quotient[ONE], rest[ONE] = up, coefficient - up * b
        elif coefficient % b == 0:
            quotient[monomial] = coefficient // b
        else:
            rest[monomial] = coefficient
    body = build(rest)
    if not isinstance(body, Dim):
        return build(quotient) + body // b
    common = b
    for monomial, coefficient in body.terms:
        if monomial != ONE:
            common = gcd(common, coefficient)
    if common > 1:
        smaller = build({m: c // common for m, c in body.terms})
        return build(quotient) + floordiv(smaller, b // common)
    return build(quotient) + _quotient_atom(body, b)


def _quotient_atom(a: Size, b: Size) -> Size:
    if isinstance(a, int) and (a == 0 or isinstance(b, int)):
        return a // b if isinstance(b, int) else 0
    low = lowest(a)
    if low is not None and low >= 0 and _below(highest(a), lowest(b)):
        return 0
    if isinstance(a, Dim) and isinstance(b, int):
        nested = _nested_quotient(a)
        if nested is not None:
            inner, constant = nested
            numerator, denominator = inner.parts()
            if isinstance(denominator, int) and denominator > 0:
                return floordiv(numerator + constant * denominator, denominator * b)
    lo, hi = _quotient_bounds(a, b)
    return of(FloorDiv(quotient_key(a, b), lo, hi, a, b))


def _below(high: Bound, limit: Bound) -> bool:
    return high is not None and limit is not None and high < limit


def _nested_quotient(a: Dim) -> tuple[FloorDiv, int] | None:
    """The parts of `x // y + constant`."""
    constant = 0
    found: FloorDiv | None = None
    for monomial, coefficient in a.terms:
        if monomial == ONE:
            constant = coefficient
        elif (
            coefficient == 1
            and len(monomial) == 1
            and monomial[0][1] == 1
            and isinstance(monomial[0][0], FloorDiv)
            and found is None
        ):
            found = monomial[0][0]
        else:
            return None
    return (found, constant) if found is not None else None


def modulo(a: Size, b: Size) -> Size:
    """`a % b`."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b
    rest: Size = a
    if isinstance(b, int):
        if abs(b) == 1:
            return 0
        rest = build({m: c % abs(b) for m, c in terms_of(a)}) if b > 0 else a
    else:
        smaller = cancel(a, b)
        if smaller != (a, b):
            part, number = _shared(a, b)
            return build({part: number}) * modulo(*smaller)
        quotient = floordiv(a, b)
        # Strip what divides; the rest of the quotient is an atom over `rest`.
        rest = a
        if len(b.terms) == 1:
            lead, scale = b.terms[0]
            for monomial, coefficient in terms_of(a):
                if without(monomial, lead) is not None and coefficient % scale == 0:
                    rest = rest - build({monomial: coefficient})
        elif not any(isinstance(x, FloorDiv) for x in atoms(quotient)):
            rest = a - quotient * b
    if isinstance(rest, int) and (rest == 0 or isinstance(b, int)):
        return rest % b if isinstance(b, int) else 0
    low, high = bounds(rest)
    limit = bounds(b)[0]
    if low is not None and low >= 0 and _below(high, limit):
        return rest
    top = b - 1 if isinstance(b, int) and b > 0 else None
    return of(Mod(f"({_key(rest)}%{_key(b)})", 0, top, rest, b))


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
    kept.sort(key=_key)
    lows = [bounds(s)[0] for s in kept]
    highs = [bounds(s)[1] for s in kept]
    name = kind.__name__.lower()
    key = f"{name}({','.join(_key(s) for s in kept)})"
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
    return of(Power(f"({_key(a)}**{_key(b)})", lo, None, a, b))


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


# -- bounds --------------------------------------------------------------------


def bounds(size: Size) -> tuple[Bound, Bound]:
    """The least and the greatest value that the size can have, where known."""
    return lowest(size), highest(size)


def lowest(size: Size) -> Bound:
    """The least value that the size can have, where known."""
    if not isinstance(size, Dim):
        return size
    if isinstance(size.low, _Unasked):
        low = _sum_low(size, 1)
        size.low = _floorless_low(size) if low is None else low
    return size.low


def highest(size: Size) -> Bound:
    """The greatest value that the size can have, where known."""
    if not isinstance(size, Dim):
        return size
    if isinstance(size.high, _Unasked):
        least = _sum_low(size, -1)
        if least is None:
            least = _floorless_low(-size)
        size.high = None if least is None else -least
    return size.high


def _sum_low(size: Dim, sign: int) -> Bound:
    """The least value of `sign * size` by the bounds of its terms."""
    low = 0
    for monomial, coefficient in size.terms:
        if not monomial:
            low += sign * coefficient
            continue
        lo, hi = _monomial_bounds(monomial)
        bound = lo if sign * coefficient > 0 else hi
        if bound is None:
            return None
        low += sign * coefficient * bound
    return low


def _floorless_low(size: Size) -> Bound:
    """A bound from `a - n < n * (a // n) <= a`, such as `D - D // 2 >= 1`."""
    if not any(c > 0 and m for m, c in terms_of(size)):
        return None  # nothing makes up for what is taken away
    quotients: dict[Monomial, FloorDiv] = {}
    for monomial, _ in terms_of(size):
        atom = monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None
        if isinstance(atom, FloorDiv) and isinstance(atom.parts()[1], int):
            quotients[monomial] = atom
    if not quotients:
        return None
    divisors = [q.parts()[1] for q in quotients.values()]
    scale = lcm(*(d for d in divisors if isinstance(d, int)))
    total: Size = 0
    for monomial, coefficient in terms_of(size):
        if monomial in quotients:
            numerator, divisor = quotients[monomial].parts()
            assert isinstance(divisor, int)
            most = numerator if coefficient < 0 else numerator - (divisor - 1)
            total = total + coefficient * (scale // divisor) * most
        else:
            total = total + build({monomial: coefficient * scale})
    low = lowest(total)
    return None if low is None else -(-low // scale)


def _monomial_bounds(monomial: Monomial) -> tuple[Bound, Bound]:
    low: Bound = 1
    high: Bound = 1
    for atom, exponent in monomial:
        lo, hi = atom.lo, atom.hi
        if lo is None or lo < 0 or low is None:
            return None, None
        low *= lo**exponent
        high = None if high is None or hi is None else high * hi**exponent
    return low, high


def _quotient_bounds(a: Size, b: Size) -> tuple[Bound, Bound]:
    low, high = bounds(a)
    if isinstance(b, int) and b > 0:
        return (
            None if low is None else low // b,
            None if high is None else high // b,
        )
    least = bounds(b)[0]
    if least is not None and least >= 1 and low is not None and low >= 0:
        return 0, None if high is None else high // least
    return None, None


def quotient_key(a: Size, b: Size) -> str:
    """The key of the atom `a // b`."""
    return f"({_key(a)}//{_key(b)})"


def _key(size: Size) -> str:
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
