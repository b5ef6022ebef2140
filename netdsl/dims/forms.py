"""Other forms of a size: as it is compared, as a product, as text."""

from __future__ import annotations

from math import gcd

from netdsl.dims.choices import (
    Power,
)
from netdsl.dims.quotients import (
    FloorDiv,
    Mod,
    modulo,
    quotient_key,
)
from netdsl.dims.sums import (
    Atom,
    Dim,
    Monomial,
    Name,
    Size,
    build,
    of,
    product,
    single,
    terms_of,
    total,
    without,
)


def expand(size: Size) -> Size:
    """The size with each `b * (a // b)` written as `a - a % b`.

    Two forms of one size agree after this; before it, they read better.
    """
    if not isinstance(size, Dim):
        return size
    terms = dict(size.terms)
    for monomial, coefficient in size.terms:
        for atom, _ in monomial:
            if not isinstance(atom, FloorDiv):
                continue
            replaced = _unfloored(monomial, coefficient, atom)
            if replaced is not None:
                del terms[monomial]
                return expand(total(((build(terms), 1), (replaced, 1))))
    return size


def _unfloored(monomial: Monomial, coefficient: int, atom: FloorDiv) -> Size | None:
    """A term with one quotient in it undone, if its divisor is a factor."""
    numerator, denominator = atom.parts()
    rest = without(monomial, ((atom, 1),))
    assert rest is not None
    if isinstance(denominator, int):
        if coefficient % denominator:
            return None
        factor = coefficient // denominator
    else:
        if len(denominator.terms) != 1:
            return None
        part, scale = denominator.terms[0]
        shorter = without(rest, part)
        if shorter is None or coefficient % scale:
            return None
        rest, factor = shorter, coefficient // scale
    whole = total(((numerator, 1), (modulo(numerator, denominator), -1)))
    return product(whole, build({rest: factor}))


def factors(size: Size) -> list[Size]:
    """The size as a product, `8 * (h // 2 + 1) * (w // 2 + 1)`; at least itself."""
    out: list[Size] = []
    rest = size
    while isinstance(rest, Dim) and len(rest.terms) > 1:
        found = _factor(rest, bool(out))
        if found is None:
            break
        factor, rest = found
        out.append(factor)
    if not out:
        return [size]
    number = gcd(*(c for _, c in terms_of(rest)))
    if isinstance(rest, Dim) and len(rest.terms) > 1 and number > 1:
        out.append(build({m: c // number for m, c in rest.terms}))
        rest = number
    return [rest, *out] if rest != 1 else out


def _factor(size: Dim, short: bool) -> tuple[Size, Size] | None:
    """`a + c` and what it leaves, for an atom whose terms come in such pairs; of
    two terms, `4 * a + 4`, only if `short`."""
    for atom in dict.fromkeys(a for m, _ in size.terms for a, _ in m):
        with_: dict[Monomial, int] = {}
        others: dict[Monomial, int] = {}
        for monomial, coefficient in size.terms:
            powers = dict(monomial)
            if powers.get(atom, 0) > 1:
                break
            if atom in powers:
                rest = without(monomial, ((atom, 1),))
                assert rest is not None
                with_[rest] = coefficient
            else:
                others[monomial] = coefficient
        else:
            high, low = build(with_), build(others)
            if low == 0 and len(with_) > 1:
                return of(atom), high
            if short or len(with_) + len(others) > 2:
                constant = _multiple(low, high)
                if constant is not None:
                    return _moved(atom, constant), high
    return None


def _multiple(size: Size, of: Size) -> int | None:
    """The number that makes one size of another, if there is one."""
    if not isinstance(size, Dim) or not isinstance(of, Dim):
        both = isinstance(size, int) and isinstance(of, int)
        return size // of if both and size % of == 0 else None  # type: ignore
    number = size.terms[0][1] // of.terms[0][1]
    return number if size == number * of else None


def _moved(atom: Atom, by: int) -> Size:
    """An atom plus a number; in a quotient, for text, the number goes inside."""
    if isinstance(atom, FloorDiv):
        numerator, divisor = atom.parts()
        if isinstance(divisor, int):
            whole = numerator + by * divisor
            key = quotient_key(whole, divisor)
            return of(FloorDiv(key, None, None, whole, divisor))
    return of(atom) + by


# -- text ----------------------------------------------------------------------


def _precedence(size: Size) -> int:
    """1 sum, 2 product, 3 power, 4 atom: how tightly the shown text binds."""
    if not isinstance(size, Dim):
        return 4 if size >= 0 else 1
    if len(size.terms) > 1:
        return 2 if len(factors(size)) > 1 else 1
    _, coefficient = size.terms[0]
    if coefficient < 0:
        return 1
    atom = single(size)
    if atom is None:
        return 2
    if isinstance(atom, FloorDiv | Mod):
        return 2
    return 3 if isinstance(atom, Power) else 4


def wrapped(size: Size, least: int) -> str:
    text = show(size)
    return text if _precedence(size) >= least else f"({text})"


def show(size: Size) -> str:
    """The size as people write it: `(H - 1) // 2 + 1`."""
    if not isinstance(size, Dim):
        return str(size)
    parts = factors(size)
    if len(parts) > 1:
        return " * ".join(wrapped(p, 3) for p in parts)
    text = ""
    positive_first = sorted(size.terms, key=lambda term: term[1] < 0 and bool(term[0]))
    constant = [term for term in positive_first if not term[0]]
    for monomial, coefficient in [t for t in positive_first if t[0]] + constant:
        term = _show_term(monomial, abs(coefficient))
        if not text:
            text = f"-{term}" if coefficient < 0 else term
        else:
            text += f" - {term}" if coefficient < 0 else f" + {term}"
    return text


def _show_term(monomial: Monomial, coefficient: int) -> str:
    if not monomial:
        return str(coefficient)
    factors = [str(coefficient)] if coefficient != 1 else []
    several = coefficient != 1 or len(monomial) > 1
    for atom, exponent in sorted(monomial, key=lambda f: not isinstance(f[0], Name)):
        text = str(atom)
        if exponent > 1:
            tight = not isinstance(atom, FloorDiv | Mod | Power)
            text = f"{text if tight else f'({text})'} ** {exponent}"
        elif several and isinstance(atom, FloorDiv | Mod):
            text = f"({text})"
        factors.append(text)
    return " * ".join(factors)
