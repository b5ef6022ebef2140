"""Exact repairs made: the edits that messages are sure of, and no file made worse."""

from __future__ import annotations

import codecs
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from netdsl.diagnostics import Diagnostic, Edit

ROUNDS = 10
"""How often a file is read again: one mistake may hide behind another."""
SINGLY = 100
"""Repairs that are tried one by one where all together make a file worse."""
_READING = frozenset(
    ("syntax-error", "unclosed-bracket", "bad-indentation", "bad-character")
)

Check = Callable[[bytes], Sequence[Diagnostic]]


class Fixed(NamedTuple):
    """The file as it is now, and how many of its messages were mended."""

    data: bytes
    mended: int


class Repair(NamedTuple):
    """The edits of one message: (start, end, text), in characters of the source."""

    edits: tuple[tuple[int, int, str], ...]


def fix(name: str, data: bytes, check: Check) -> Fixed:
    """The file with all that is surely meant; checked again after each round."""
    diagnostics = check(data)
    count = 0
    seen = {data}
    for _ in range(ROUNDS):
        for group in _tries(_repairs(name, diagnostics)):
            fixed = _applied(data, group)
            if fixed in seen:
                continue
            seen.add(fixed)
            after = check(fixed)
            if _rank(after) <= _rank(diagnostics):
                data, diagnostics, count = fixed, after, count + len(group)
                break
        else:
            break
    return Fixed(data, count)


def _tries(repairs: Sequence[Repair]) -> Iterable[Sequence[Repair]]:
    """All of them; failing that, each alone."""
    if repairs:
        yield repairs
    if len(repairs) > 1:
        yield from ([repair] for repair in repairs[:SINGLY])


def _repairs(name: str, diagnostics: Iterable[Diagnostic]) -> list[Repair]:
    """Those of this file that don't overlap, the first ones first."""
    chosen: list[Repair] = []
    taken: list[tuple[int, int]] = []
    for diagnostic in diagnostics:
        edits = diagnostic.edits
        if not edits or any(e.span.source.name != name for e in edits):
            continue
        repair = Repair(tuple(map(_place, edits)))
        places = [(start, end) for start, end, _ in repair.edits]
        if not any(_overlap(a, b) for a in places for b in taken):
            chosen.append(repair)
            taken += places
    return chosen


def _place(edit: Edit) -> tuple[int, int, str]:
    start = edit.span.offset
    return start, start + edit.span.end - edit.span.start, edit.text


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    # Two texts put in at one place have no order.
    return a == b or (a[0] < b[1] and b[0] < a[1])


def _rank(diagnostics: Iterable[Diagnostic]) -> tuple[int, int]:
    """How bad a file is: an item that can't be read hides all its other mistakes."""
    errors = [d for d in diagnostics if d.level == "error"]
    return sum(d.code in _READING for d in errors), len(errors)


def _applied(data: bytes, repairs: Iterable[Repair]) -> bytes:
    """The bytes with the edits made; line ends and a byte order mark stay."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    text = data[len(mark) :].decode("utf-8")
    pairs = [i for i in range(len(text)) if text.startswith("\r\n", i)]
    # Spans count the two characters of such a line end as one.
    ends = [at - before for before, at in enumerate(pairs)]

    def place(at: int) -> int:
        return at + bisect_left(ends, at)

    edits = [edit for repair in repairs for edit in repair.edits]
    for start, end, new in sorted(edits, reverse=True):
        text = text[: place(start)] + new + text[place(end) :]
    return mark + text.encode("utf-8")
