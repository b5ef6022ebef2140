"""Places in a text as the protocol counts them: lines, and units in a line."""

from __future__ import annotations

from bisect import bisect_right

from lsprotocol import types

from netdsl.source import Source

UTF8 = types.PositionEncodingKind.Utf8
UTF16 = types.PositionEncodingKind.Utf16
UTF32 = types.PositionEncodingKind.Utf32


def units(text: str, encoding: str) -> int:
    """How long a text is in the units of an encoding."""
    if encoding == UTF32 or text.isascii():
        return len(text)
    if encoding == UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(c > "\uffff" for c in text)


class Positions:
    """The places of one text."""

    def __init__(self, source: Source, encoding: str) -> None:
        self.source = source
        self.encoding = encoding

    def position(self, offset: int) -> types.Position:
        starts = self.source.starts
        line = bisect_right(starts, offset) - 1
        text = self.source.text[starts[line] : offset]
        return types.Position(line, units(text, self.encoding))

    def range(self, start: int, end: int) -> types.Range:
        return types.Range(self.position(start), self.position(end))

    def offset(self, position: types.Position) -> int:
        """The offset of a position; one behind a line's end is at its end."""
        starts = self.source.starts
        if position.line >= len(starts):
            return len(self.source.text)
        text = self.source.line(position.line + 1)
        return starts[position.line] + self._column(text, position.character)

    def _column(self, text: str, wanted: int) -> int:
        if self.encoding == UTF32 or text.isascii():
            return min(wanted, len(text))
        counted = 0
        for at, char in enumerate(text):
            if counted >= wanted:
                return at
            counted += units(char, self.encoding)
        return len(text)
