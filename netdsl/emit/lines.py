"""Lines of Python with their indentation and the place they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from netdsl.source import Span


class Line(NamedTuple):
    depth: int
    text: str
    span: Span | None


class Lines:
    """A block of Python under construction."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.depth = 0

    def add(self, text: str, span: Span | None = None) -> None:
        self.lines.append(Line(self.depth if text else 0, text, span))

    @contextmanager
    def indented(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def extend(self, other: Lines) -> None:
        for line in other.lines:
            depth = line.depth + self.depth if line.text else 0
            self.lines.append(line._replace(depth=depth))

    def __len__(self) -> int:
        return len(self.lines)
