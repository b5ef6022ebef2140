"""Long lines broken as black breaks them.

black reads a file again after it has changed it.  What is written as it wants it
is formatted in half the time, and is pleasant to read where black doesn't run.
A line that isn't plainly a call is left to black.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 88
_STEP = 4
# What may stand in front of the bracket: `def f`, `x: T = a.b`, `return a`, `key=a`.
_HEAD = re.compile(
    r"def \w+|for [\w, ]+ in |(?:return |raise |yield )?"
    r"(?:[\w.]+(?:: [\w.]+)? = |[\w, ()]+ = |\w+=)?(?:super\(\)\.)?[\w.]*"
)
_TAIL = re.compile(r",?|:| -> [\w.|, \[\]]+:")
_STRING = re.compile(r"""f?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def wrapped(text: str, indent: int) -> list[tuple[int, str]]:
    """The lines of a statement, and by how much each is indented."""
    if indent + len(text) <= WIDTH or '"""' in text or "#" in text:
        return [(indent, text)]
    return _broken(text, indent) or [(indent, text)]


def _broken(text: str, indent: int) -> list[tuple[int, str]] | None:
    """None where black may know better."""
    if indent + len(text) <= WIDTH:
        return [(indent, text)]
    marks = list(_marks(text))
    pair = _pair(marks, first=text.startswith("def "))
    if pair is None:
        return None
    start, end = marks[pair[0]][0], marks[pair[1]][0]
    if not (_HEAD.fullmatch(text[:start]) and _TAIL.fullmatch(text[end + 1 :])):
        return None
    inner = text[start + 1 : end]
    body = _body(inner, start + 1, marks[pair[0] + 1 : pair[1]], indent + _STEP)
    if body is None:
        return None
    return [(indent, text[: start + 1]), *body, (indent, text[end:])]


def _pair(marks: list[tuple[int, int, str]], first: bool) -> tuple[int, int] | None:
    """The first or last brackets that stand in no others, as places in the marks."""
    opened = [i for i, (_, d, m) in enumerate(marks) if d == 1 and m in "([{"]
    closed = [i for i, (_, d, m) in enumerate(marks) if d == 0 and m in ")]}"]
    if not opened or not closed:
        return None
    return (opened[0], closed[0]) if first else (opened[-1], closed[-1])


def _body(
    inner: str, start: int, marks: list[tuple[int, int, str]], indent: int
) -> list[tuple[int, str]] | None:
    """What stands in the brackets: on one line, or each part on its own."""
    if indent + len(inner) <= WIDTH:
        return [(indent, inner)] if inner else None
    commas = [at - start for at, depth, mark in marks if mark == "," and depth == 1]
    loop = inner.find(" for ")
    ahead = inner[: max(loop, 0)]
    deep = sum(map(ahead.count, "([{")) - sum(map(ahead.count, ")]}"))
    if loop >= 0 and not deep and not any(comma < loop for comma in commas):
        # The commas of `f(x, y) for x, y in pairs` part no elements.
        parts = [ahead, inner[loop + 1 :]]
        if ahead.count('"') % 2 or " for " in parts[1] or " if " in inner:
            return None
        broken = [_broken(part, indent) for part in parts]
    elif not commas:
        return None if deep else _broken(inner, indent)
    else:
        ends = zip([0, *(c + 1 for c in commas)], [*commas, len(inner)], strict=True)
        parts = [inner[first:behind].strip() for first, behind in ends]
        if not all(parts):
            return None
        broken = [_broken(f"{part},", indent) for part in parts]
    if any(lines is None for lines in broken):
        return None
    return [line for lines in broken for line in lines or ()]


def _marks(text: str) -> Iterator[tuple[int, int, str]]:
    """The brackets and commas outside strings, each with the depth behind it."""
    depth, at = 0, 0
    while at < len(text):
        string = _STRING.match(text, at)
        if string is not None:
            at = string.end()
            continue
        char = text[at]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        if char in "([{)]}," and (depth or char != ","):
            yield at, depth, char
        at += 1
