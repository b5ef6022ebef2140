"""Numbers and strings as people write them."""

from __future__ import annotations

from typing import Any


def number(value: Any) -> str:
    """A number as people write it: `1e-6`, where Python says `1e-06`."""
    if not isinstance(value, float):
        return repr(value)
    text = repr(value).replace("e-0", "e-")
    digits = text.removesuffix(".0")
    bare = digits.rstrip("0")
    zeros = len(digits) - len(bare)
    # `-1e9` is what people write for -1000000000.0.
    return (
        f"{bare}e{zeros}" if zeros > 4 and "." not in bare and "e" not in bare else text
    )


def quoted(text: str) -> str:
    """A string literal, ASCII only, with double quotes where that is plain."""
    literal = ascii(text)
    if literal[0] == "'" and '"' not in literal:
        return f'"{literal[1:-1]}"'
    return literal
