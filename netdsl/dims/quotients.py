"""Quotients and remainders of sizes, and the bounds of a size.

The rules of the normal form (all with Python's floor division):
- terms that the divisor divides leave a quotient: `(4*h + 2) // 2 = 2*h + 1`;
- what stays has its constant in `(-d, 0]`: `(h + 1) // 2 = (h - 1) // 2 + 1`;
- `(a // b) // c = a // (b*c)`.

That `b * (a // b)` is `a - a % b` is used where sizes are compared (`forms.expand`),
not where they are kept, so that they read as they were written.
"""

from __future__ import annotations

from math import gcd, lcm

from netdsl.dims.sums import (
    LARGEST,
    ONE,
    Bound,
    Compound,
    Dim,
    Monomial,
    Size,
    TooBig,
    Unasked,
    _shared,
    atoms,
    build,
    cancel,
    key_of,
    of,
    terms_of,
    without,
)


class FloorDiv(Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return floordiv(parts[0], parts[1])

    def __str__(self) -> str:
        from netdsl.dims.forms import wrapped

        return f"{wrapped(self._parts[0], 2)} // {wrapped(self._parts[1], 3)}"


class Mod(Compound):
    __slots__ = ()

    def rebuild(self, parts: tuple[Size, ...]) -> Size:
        return modulo(parts[0], parts[1])

    def __str__(self) -> str:
        from netdsl.dims.forms import wrapped

        return f"{wrapped(self._parts[0], 2)} % {wrapped(self._parts[1], 3)}"


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
    if b >= LARGEST:
        raise TooBig
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
    return of(Mod(f"({key_of(rest)}%{key_of(b)})", 0, top, rest, b))


def quotient_key(a: Size, b: Size) -> str:
    """The key of the atom `a // b`."""
    return f"({key_of(a)}//{key_of(b)})"


# -- bounds --------------------------------------------------------------------


def bounds(size: Size) -> tuple[Bound, Bound]:
    """The least and the greatest value that the size can have, where known."""
    return lowest(size), highest(size)


def lowest(size: Size) -> Bound:
    """The least value that the size can have, where known."""
    if not isinstance(size, Dim):
        return size
    if isinstance(size.low, Unasked):
        low = _sum_low(size, 1)
        size.low = _floorless_low(size) if low is None else low
    return size.low


def highest(size: Size) -> Bound:
    """The greatest value that the size can have, where known."""
    if not isinstance(size, Dim):
        return size
    if isinstance(size.high, Unasked):
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
