"""Whether two trees say the same."""

from __future__ import annotations

from typing import Any

from netdsl import syntax


def same(one: Any, other: Any) -> bool:
    """Equality of trees, spans apart, however deep they are."""
    stack = [(one, other)]
    while stack:
        a, b = stack.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, syntax.Node):
            stack.extend(
                (getattr(a, f), getattr(b, f)) for f in a.fields if "span" not in f
            )
        elif isinstance(a, tuple):
            if len(a) != len(b):
                return False
            stack.extend(zip(a, b, strict=True))
        # Not `0.0 == -0.0`: what is written is what counts.
        elif repr(a) != repr(b):
            return False
    return True
