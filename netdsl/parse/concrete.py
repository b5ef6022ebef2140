"""Text to tokens in the shape of the grammar, nothing left out: for the formatter.

The syntax tree forgets brackets, commas and comments; here they are.  Comments and
line ends belong to the token behind them, but a comment on a token's own line
belongs to that token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from netdsl.parse.lalr import Loop, Token
from netdsl.parse.loop_table import make_loop
from netdsl.parse.reading import QUOTED, split
from netdsl.source import Chunk, Source

COMMENT_OR_STRING = re.compile(QUOTED)
_COMMENT = re.compile(r"#[^\n]*")
# What the indenter and the ends of lines are made of: the shape says as much.
_SHAPE_ONLY = ("_NL", "_INDENT", "_DEDENT")


class Comment(NamedTuple):
    """A comment on a line of its own."""

    text: str
    column: int
    after_blank: bool


class Leaf:
    """A token, with what stands between it and the one before."""

    __slots__ = (
        "after_blank", "kind", "leading", "new_line", "start", "text", "trailing",
    )  # fmt: skip

    def __init__(self, kind: str, text: str, start: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.leading: tuple[Comment, ...] = ()
        self.trailing = ""
        """The comment behind it on its line."""
        self.new_line = False
        """Whether a line ends between the token before and this one."""
        self.after_blank = False
        """Whether a blank line stands right above."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Branch:
    """What a rule of the grammar matched; `rule` is the rule's name or alias."""

    __slots__ = ("children", "rule")

    def __init__(self, rule: str, children: tuple[Concrete, ...]) -> None:
        self.rule = rule
        self.children = children


Concrete: TypeAlias = Branch | Leaf


class ConcreteFile(NamedTuple):
    """All items of a file; `end` holds the comments behind the last of them."""

    items: tuple[Branch, ...]
    end: Leaf

    def leaves(self) -> Iterator[Leaf]:
        for item in self.items:
            yield from leaves(item)
        yield self.end


class ConcreteParser:
    """Reads files that have a syntax tree; other text is no business of its own."""

    @cached_property
    def loop(self) -> Loop:
        return make_loop()

    def read(self, source: Source) -> ConcreteFile:
        """The tokens of a file, each with the comments around it."""
        items = tuple(_item(self.loop, chunk) for chunk in split(source))
        made = ConcreteFile(items, Leaf("END", "", len(source.text)))
        _attach(source.text, list(made.leaves()))
        return made


def _item(loop: Loop, chunk: Chunk) -> Branch:
    """One item."""

    def leaf(token: Token) -> Leaf | None:
        if token.type in _SHAPE_ONLY:
            return None
        return Leaf(token.type, str(token), chunk.start + token.start_pos)

    def make(rule: str, start: int, end: int, parts: list[Any], depth: int) -> Concrete:
        children = (leaf(p) if isinstance(p, Token) else p for p in parts)
        kept = tuple(c for c in children if c is not None)
        # A statement is its line and the line's end; the end is gone.
        wraps = rule in ("statement", "item") and len(kept) == 1
        return kept[0] if wraps else Branch(rule, kept)

    text = chunk.text.rstrip() + "\n"
    found = loop.parse(text, "item", make, whole=True)
    assert isinstance(found, Branch)
    return found


def leaves(node: Concrete) -> Iterator[Leaf]:
    """The tokens of a node, in the order of the text."""
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Leaf):
            yield node
        else:
            stack.extend(reversed(node.children))


def first_leaf(node: Concrete) -> Leaf:
    return next(leaves(node))


def _attach(text: str, found: list[Leaf]) -> None:
    """Gives each token the comments and line ends around it."""
    before: Leaf | None = None
    at = 0
    for leaf in found:
        # The last line of a file may lack its end.
        gap = text[at : leaf.start] + ("\n" if leaf is found[-1] else "")
        _between(gap, before, leaf)
        before, at = leaf, leaf.end


def _between(gap: str, before: Leaf | None, leaf: Leaf) -> None:
    head, line_end, rest = gap.partition("\n")
    if before is None:
        head, line_end, rest = "", "\n", gap
    elif comment := _COMMENT.search(head):
        before.trailing = comment[0].rstrip()
    leaf.new_line = bool(line_end)
    comments = []
    blank = False
    *lines, _ = rest.split("\n")
    for line in lines:
        body = line.strip()
        if body:
            margin = line[: len(line) - len(line.lstrip())].expandtabs()
            comments.append(Comment(body, len(margin), blank))
        blank = not body
    leaf.leading = tuple(comments)
    leaf.after_blank = blank
