"""Where text comes from: whole files, the top-level items in them, and spans.

A `Source` is one file's text.  It is cut into `Chunk`s, one for each top-level
item, and every span counts from the start of its chunk.  An item that an edit
only moved keeps its tree: its chunk is told where it now begins, and every
span in it (and in every message about it) is right again.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple


class Source:
    """The text of one file, and the lines it falls into."""

    __slots__ = ("_starts", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Offsets at which the lines begin."""
        if self._starts is None:
            self._starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                self._starts.append(at + 1)
                at = find("\n", at + 1)
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, in characters."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line counted from 1, without its end."""
        starts = self.starts
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end]


class Chunk:
    """The piece of a source that holds one top-level item.

    The only thing here that changes: `source` and `start` follow the item when
    text above it is edited.
    """

    __slots__ = ("names", "source", "start", "text")

    def __init__(self, source: Source, start: int, text: str) -> None:
        self.source = source
        self.start = start
        self.text = text
        self.names: tuple[object, frozenset[str]] | None = None
        """The names that its item reads, once they were asked for."""


class Span(NamedTuple):
    """A stretch of a chunk, from `start` to before `end`."""

    chunk: Chunk
    start: int
    end: int

    @property
    def source(self) -> Source:
        return self.chunk.source

    @property
    def offset(self) -> int:
        """Where the span begins in the whole source."""
        return self.chunk.start + self.start

    @property
    def line(self) -> int:
        return self.source.position(self.offset)[0]

    @property
    def text(self) -> str:
        return self.chunk.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from here to the end of another in the same chunk."""
        return Span(self.chunk, self.start, other.end)
