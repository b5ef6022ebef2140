"""What is known of sizes on a path, and the three answers that it allows.

Two sizes are equal, different, or undecided (`None`): different only if they
differ for all sizes of at least 1 under the facts, so that no alarm is false.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from typing import NamedTuple

from netdsl.dims import (
    ONE,
    Atom,
    Dim,
    Mod,
    Size,
    atoms,
    expand,
    highest,
    lowest,
    of,
    show,
    substitute,
)


class Comparison(NamedTuple):
    """`left op right`, for one of `== != < <= > >=`."""

    op: str
    left: Size
    right: Size

    def negated(self) -> Comparison:
        return Comparison(_NEGATED[self.op], self.left, self.right)

    def __str__(self) -> str:
        return f"{show(self.left)} {self.op} {show(self.right)}"


_MOST = 1_000
"""Of comparisons that are kept: each costs as much as there are."""
_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Facts:
    """What a path knows of sizes: equations, and bounds of names.

    Immutable; `assume` gives the facts of a path that goes on from here.
    """

    __slots__ = ("_apart", "_noted", "_told", "_values", "comparisons")

    def __init__(
        self,
        values: Mapping[Atom, Size] | None = None,
        comparisons: tuple[Comparison, ...] = (),
    ) -> None:
        self._values = dict(values or {})
        self.comparisons = comparisons
        self._told: dict[Size, bool] = {}
        """Differences of which it is known whether they are at least 1."""
        self._apart: set[Size] = set()
        """Differences that are not 0."""
        self._noted = 0
        """So many comparisons are in these two: all of them once somebody asks."""

    def _note_all(self) -> None:
        for comparison in self.comparisons[self._noted :]:
            self._note(comparison)
        self._noted = len(self.comparisons)

    def _note(self, comparison: Comparison) -> None:
        op, left, right = comparison
        gap = expand(self.normal(right - left))
        if op in ("<", ">="):
            self._told.setdefault(gap, op == "<")
        elif op in (">", "<="):
            self._told.setdefault(-gap, op == ">")
        if op in ("!=", "<", ">"):
            self._apart |= {gap, -gap}

    def _and(self, comparison: Comparison) -> Facts:
        """These facts and one more, which solves nothing."""
        self._note_all()
        made = Facts(self._values, (*self.comparisons, comparison))
        made._told = dict(self._told)
        made._apart = set(self._apart)
        made._noted = self._noted
        return made

    def normal(self, size: Size) -> Size:
        """The size under the equations that hold here."""
        return substitute(expand(size), self._values) if self._values else size

    def assume(self, comparison: Comparison) -> Facts:
        if self.decide(comparison) is not None or len(self.comparisons) >= _MOST:
            return self
        if comparison.op != "==":
            return self._and(comparison)
        difference = expand(self.normal(comparison.left - comparison.right))
        solved = _solve(difference)
        if solved is None:
            return self._and(comparison)
        atom, value = solved
        values = {a: substitute(v, {atom: value}) for a, v in self._values.items()}
        values[atom] = value
        return Facts(values, (*self.comparisons, comparison))

    def equal(self, a: Size, b: Size) -> bool | None:
        """Whether two sizes are equal here: yes, no, or undecided."""
        if a == b:
            return True
        difference = expand(self.normal(a - b))
        if not isinstance(difference, Dim):
            return difference == 0
        low = lowest(difference)
        if low is not None and low > 0:
            return False
        high = highest(difference)
        if high is not None and high < 0:
            return False
        constant = 0
        common = 0
        for monomial, coefficient in difference.terms:
            if monomial == ONE:
                constant = coefficient
            else:
                common = gcd(common, coefficient)
        if common and constant % common:
            return False
        self._note_all()
        return False if difference in self._apart else None

    def decide(self, comparison: Comparison) -> bool | None:
        """Whether a comparison holds here: yes, no, or undecided."""
        op, left, right = comparison
        if op in ("==", "!="):
            equal = self.equal(left, right)
            return equal if equal is None or op == "==" else not equal
        if op in ("<", ">="):
            less = self._less(left, right)
            return less if less is None or op == "<" else not less
        more = self._less(right, left)
        return more if more is None or op == ">" else not more

    def _less(self, a: Size, b: Size) -> bool | None:
        if isinstance(a, int) and isinstance(b, int):
            return a < b
        difference = expand(self.normal(b - a))  # a < b where this is at least 1
        low = lowest(difference)
        if low is not None and low >= 1:
            return True
        high = highest(difference)
        if high is not None and high <= 0:
            return False
        self._note_all()
        return self._told.get(difference)


def _solve(difference: Size) -> tuple[Atom, Size] | None:
    """An atom that the equation `difference == 0` determines, and its value."""
    if not isinstance(difference, Dim):
        return None
    best: tuple[int, Atom, Size] | None = None
    for monomial, coefficient in difference.terms:
        if abs(coefficient) != 1 or len(monomial) != 1 or monomial[0][1] != 1:
            continue
        atom = monomial[0][0]
        rest = difference - coefficient * of(atom)
        if any(a == atom for a in atoms(rest)):
            continue
        # Remainders first (`C % heads == 0`), then sizes of tensors, then the rest.
        rank = 0 if isinstance(atom, Mod) else 1 if atom.lo == 1 else 2
        if best is None or rank < best[0]:
            best = (rank, atom, -coefficient * rest)
    return None if best is None else (best[1], best[2])
