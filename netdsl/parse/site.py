"""The place of a syntax error, as those look at it who guess what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from netdsl.diagnostics import Edit
from netdsl.parse.reading import QUOTED
from netdsl.source import Chunk, Span

BRACKET = re.compile(rf"{QUOTED}|[()\[\]{{}}]")
CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Guess(NamedTuple):
    """What was meant: the message about it, and the edits that would mend it.

    `edits` are tried: they stay only if the text can be read with them.
    """

    text: str
    help: str
    edits: tuple[Edit, ...] = ()
    span: Span | None = None


class Site:
    """Where a chunk can't be read: the word at fault, and what is around it."""

    def __init__(self, chunk: Chunk, start: int, end: int, expected: set[str]) -> None:
        self.chunk = chunk
        self.start = start
        self.end = end
        self.expected = expected
        text = chunk.text
        self.found = text[start:end]
        self.line_start = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", start)
        self.line_end = len(text) if stop < 0 else stop
        self.at_end = not self.found.strip() or not text[end : self.line_end].strip()

    @property
    def line(self) -> str:
        return self.chunk.text[self.line_start : self.line_end]

    @property
    def before(self) -> str:
        """The line up to the word at fault."""
        return self.chunk.text[self.line_start : self.start]

    @property
    def after(self) -> str:
        """The line from behind the word at fault."""
        return self.chunk.text[self.end : self.line_end]

    @property
    def margin(self) -> str:
        return self.line[: len(self.line) - len(self.line.lstrip())]

    @property
    def head(self) -> str:
        """The first word of the line."""
        found = re.match(r"\s*([A-Za-z_]\w*)", self.line)
        return found[1] if found else ""

    def opener(self, at: int | None = None) -> tuple[str, int]:
        """The innermost bracket that is open here, and where; "" if none is."""
        stack: list[tuple[str, int]] = []
        end = self.start if at is None else at
        for match in BRACKET.finditer(self.chunk.text, 0, end):
            if match[0] in CLOSERS:
                stack.append((match[0], match.start()))
            elif match[0] in CLOSERS.values() and stack:
                stack.pop()
        return stack[-1] if stack else ("", 0)

    def span(self, start: int, end: int) -> Span:
        return Span(self.chunk, start, end)

    def replace(self, start: int, end: int, text: str) -> Edit:
        return Edit(self.span(start, end), text)

    def insert(self, at: int, text: str) -> Edit:
        return self.replace(at, at, text)

    def behind_last(self) -> int:
        """The end of the word before the one at fault, on whatever line."""
        return len(self.chunk.text[: self.start].rstrip())


def moved(edit: Edit, by: int) -> Edit:
    span = edit.span
    return Edit(Span(span.chunk, span.start + by, span.end + by), edit.text)


def with_edits(text: str, edits: Iterable[Edit]) -> str:
    """The chunk's text with edits made."""
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end), reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text
