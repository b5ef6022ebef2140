"""How tightly Python binds: what is looser stands in parentheses."""

from __future__ import annotations

CHOICE, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, POWER, ATOM = range(1, 11)

LEVELS = {
    "or": OR, "and": AND, "not": NOT,
    "==": COMPARE, "!=": COMPARE, "<": COMPARE, "<=": COMPARE, ">": COMPARE,
    ">=": COMPARE, "is": COMPARE, "is not": COMPARE, "in": COMPARE, "not in": COMPARE,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT,
    "@": PRODUCT, "**": POWER, "~": UNARY,
}  # fmt: skip
