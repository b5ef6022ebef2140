"""Python's signs of bits, which are functions here: `a & b` is `bitwise_and(a, b)`."""

from __future__ import annotations

import re

from netdsl.parse.site import Guess, Site

_FUNCTIONS = {"&": "bitwise_and", "^": "bitwise_xor", "|": "bitwise_or"}
_BRACKETS = r"\((?:[^()\n]|\([^()\n]*\))*\)|\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]"
_OPERAND = rf"(?:~ *)?(?:[A-Za-z_][\w.]*|\d+|{_BRACKETS})(?:{_BRACKETS})*"
# What binds looser than the signs of bits, or encloses them.
_AHEAD = re.compile(r"(?:[=,(\[:]|\b(?:return|if|and|or|not|in|else))\s*$|^\s*$")
_BEHIND = re.compile(r"\s*(?:[,)\]:=]|->|(?:if|and|or|else|for)\b|#|$)")
_MOST = 20
"""Of operands: each stands in a call of its own."""
_COMPARED = re.compile(r"[<>=!]=\s*$|^\s*[=!]=")


def sign_of_bits(site: Site) -> Guess | None:
    """`a & b`, `a ^ b`; `a | b` where no branches are meant."""
    sign = site.found[:1]
    if sign not in _FUNCTIONS or site.chunk.text.startswith(sign * 2, site.start):
        return None
    if sign == "|" and (site.opener()[0] not in ("", "(") or "->" in site.line):
        return None
    name = _FUNCTIONS[sign]
    text = f"of tensors, `{sign}` is written as a function"
    found = _operation(site, sign)
    if found is None or len(found[2]) > _MOST:
        return Guess(text, f"write `{name}(a, b)`")
    start, end, operands = found
    call = operands[0]
    for operand in operands[1:]:
        call = f"{name}({call}, {operand})"
    return Guess(text, f"write `{call}`", (site.replace(start, end, call),))


def _operation(site: Site, sign: str) -> tuple[int, int, list[str]] | None:
    """The operands that the sign joins, and where they stand; None if what stands
    around them may bind tighter."""
    line, at = site.line, site.start - site.line_start
    joined = re.compile(rf"{_OPERAND}(?: *{re.escape(sign)} *{_OPERAND})+")
    for found in joined.finditer(line):
        if not found.start() < at < found.end():
            continue
        ahead, behind = line[: found.start()], line[found.end() :]
        if not _AHEAD.search(ahead) or not _BEHIND.match(behind):
            return None
        if _COMPARED.search(ahead) or _COMPARED.search(behind):
            return None
        operands = [_bare(o) for o in re.findall(_OPERAND, found[0])]
        start = site.line_start
        return start + found.start(), start + found.end(), operands
    return None


def _bare(operand: str) -> str:
    """`x > 0` of `(x > 0)`"""
    inner = re.fullmatch(r"\(([^(),]*)\)", operand)
    return inner[1] if inner else operand
