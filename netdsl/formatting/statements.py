"""Lines of a net and heads of items as documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netdsl.formatting.documents import Doc, Row, Text, row
from netdsl.formatting.expressions import document, target, unwrapped, value
from netdsl.formatting.tokens import comma, token
from netdsl.parse.concrete import Branch, Concrete, Leaf


def statement(node: Concrete) -> Doc:
    """A line without a block, or the head of one."""
    if isinstance(node, Branch) and node.rule in _STATEMENTS:
        return _STATEMENTS[node.rule](node)
    return document(node)


def head(parts: Sequence[Concrete]) -> Doc:
    """`net NAME(parameters):`, `if test:`, `for targets in test:`, `else:`."""
    return _words(Branch("head", tuple(parts)))


def _words(node: Branch) -> Doc:
    """Pieces with a blank between, and none ahead of `,`, `:` and parameters."""
    made: list[Doc] = []
    for child in node.children:
        if isinstance(child, Branch):
            gap = "" if child.rule == "params" else " "
            doc = _piece(child)
        elif child.text == ",":
            gap, doc = "", comma(child)
        else:
            # A condition stands apart from the shape that it is about.
            gap = {":": "", "where": "  "}.get(child.text, " ")
            doc = token(child)
        made += [Text(gap if made else ""), doc]
    return Row(made)


def _piece(node: Branch) -> Doc:
    return document(node) if node.rule in _NOT_VALUES else value(node)


_NOT_VALUES = (
    "imported", "keyword", "params", "signature", "signatures", "target", "targets",
    "type", "name",
)  # fmt: skip


def _assign(node: Branch) -> Doc:
    names, equals, given = node.children
    assert isinstance(equals, Leaf)
    return row(target(names), " ", token(equals), " ", value(given))


def _items(node: Branch) -> Doc:
    """A flow, or layers that are declared."""
    return value(node.children[0]) if _is_several(node) else document(node)


def _is_several(node: Branch) -> bool:
    inner = unwrapped(node.children[0])
    return isinstance(inner, Branch) and inner.rule == "items"


_STATEMENTS: dict[str, Callable[[Branch], Doc]] = {
    **dict.fromkeys(
        ("input", "own", "init", "tie", "let", "return_statement", "net_is", "fn_is",
         "extern", "expect", "expect_params", "imports"),
        _words,
    ),
    "assign": _assign,
    "augment": _assign,
    "expression_statement": _items,
}  # fmt: skip
