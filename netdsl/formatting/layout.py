"""A file's items and blocks as lines: indentation, blank lines, comments between.

A block is indented by four spaces.  One blank line stands around an item with a
body; elsewhere the author groups lines, with at most one blank line in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from netdsl.formatting.docstrings import indented
from netdsl.formatting.expressions import unwrapped
from netdsl.formatting.printer import print_lines
from netdsl.formatting.statements import head, statement
from netdsl.formatting.tokens import shown
from netdsl.parse.concrete import (
    Branch,
    Comment,
    Concrete,
    ConcreteFile,
    Leaf,
    first_leaf,
)

INDENT = 4


def laid_out(file: ConcreteFile, text: str) -> str:
    """The canonical text of a file."""
    writer = _Writer(text)
    before: Branch | None = None
    for item in file.items:
        apart = before is not None and _stand_apart(before, item)
        writer.statement(item, 0, apart=apart)
        before = item
    writer.between(file.end, 0, apart=before is not None and _has_body(before))
    return "\n".join([*writer.lines, ""]) if writer.lines else ""


def _stand_apart(before: Branch, item: Branch) -> bool:
    ends_imports = before.rule == "imports" and item.rule != "imports"
    return _has_body(before) or _has_body(item) or ends_imports


def _has_body(item: Branch) -> bool:
    return item.rule in ("net", "fn", "docstring")


class _Writer:
    """The lines so far, and the columns at which the open blocks stood."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: list[str] = []
        self.columns: list[int] = []
        self.starts_block = True
        """Whether this is the top of the file or of a block: no blank line here."""

    def statement(self, node: Concrete, level: int, *, apart: bool = False) -> None:
        """A line, or a head with its block, behind the comments above it."""
        self.between(first_leaf(node), level, apart=apart)
        if not isinstance(node, Branch):
            self._print(node, level)
        elif any(_is_suite(c) for c in node.children):
            self._compound(node, level)
        elif not self._docstring(node, level):
            self._print(node, level)

    def between(self, leaf: Leaf, level: int, *, apart: bool = False) -> None:
        """The comments above a token, each in the block that it stood in."""
        comments, leaf.leading = leaf.leading, ()
        deepest = max(len(self.columns) - 1, level)
        for comment in comments:
            deepest = self._level(comment, level, deepest)
            due = apart and deepest == level
            apart = apart and not due
            self._blank(due or comment.after_blank)
            self._add([" " * (INDENT * deepest) + shown(comment.text)])
        if leaf.kind != "END":
            self._blank(apart or leaf.after_blank)
        line_start = self.text.rfind("\n", 0, leaf.start) + 1
        self.columns[level:] = [leaf.start - line_start]

    def _level(self, comment: Comment, level: int, deepest: int) -> int:
        while deepest > level and (
            deepest >= len(self.columns) or self.columns[deepest] > comment.column
        ):
            deepest -= 1
        return deepest

    def _compound(self, node: Branch, level: int) -> None:
        parts: list[Concrete] = []
        for child in node.children:
            if isinstance(child, Branch) and _is_suite(child):
                self._add(print_lines(head(parts), INDENT * level))
                self.starts_block = True
                for inner in child.children:
                    self.statement(inner, level + 1)
                parts = []
                continue
            if isinstance(child, Branch) and child.rule == "elif_part":
                self._continue(child, level)
                self._compound(child, level)
                continue
            if isinstance(child, Leaf) and child.kind == "_ELSE":
                self._continue(child, level)
            parts.append(child)

    def _continue(self, node: Concrete, level: int) -> None:
        """`elif` and `else`, with no blank line above."""
        leaf = first_leaf(node)
        leaf.after_blank = False
        self.between(leaf, level)

    def _docstring(self, node: Branch, level: int) -> bool:
        """A docstring; False if the line is none."""
        if node.rule == "docstring":
            found: Concrete = node.children[0]
        elif node.rule == "expression_statement" and self.starts_block and level == 1:
            found = unwrapped(node.children[0])
        else:
            return False
        if not isinstance(found, Branch) or found.rule != "string":
            return False
        leaf = found.children[0]
        assert isinstance(leaf, Leaf)
        if leaf.kind == "LONG_STRING":
            leaf.text = indented(leaf.text, INDENT * level)
        self._print(found, level)
        return True

    def _print(self, node: Concrete, level: int) -> None:
        self._add(print_lines(statement(node), INDENT * level))

    def _add(self, lines: Sequence[str]) -> None:
        self.lines += lines
        self.starts_block = False

    def _blank(self, wanted: bool) -> None:
        if wanted and not self.starts_block:
            self.lines.append("")


def _is_suite(node: Concrete) -> bool:
    return isinstance(node, Branch) and node.rule == "suite"
