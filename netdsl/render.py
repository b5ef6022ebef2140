"""Messages as text: for people, for editors' lists, for programs, for GitHub.

Whatever comes out of a user's file is made printable on its way: no character
of it can move the cursor, colour the terminal or end the line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netdsl.diagnostics import Diagnostic
from netdsl.source import Source, Span

TAB = 4
LINE = 200
"""Columns of a source line that are shown at most."""
MESSAGE = 1000
"""Characters of a text or note that are shown at most."""

_BOLD, _BLUE = "1", "1;34"
_LEVELS = {"error": "1;31", "warning": "1;33", "hint": "1;36"}
_COMMANDS = {"error": "error", "warning": "warning", "hint": "notice"}


class Mark(NamedTuple):
    """A stretch of one line with something to say, in columns from 0."""

    line: int
    start: int
    end: int
    text: str
    main: bool


class View(NamedTuple):
    """The part of a line that is shown, and a mark's place below it."""

    text: str
    start: int
    width: int
    cut: bool


def printable(text: str, *, ascii: bool = False) -> str:
    """The text with all that isn't seen as itself written as an escape."""
    if text.isprintable() and (text.isascii() or not ascii):
        return text
    return "".join(_shown(c, ascii) for c in text)


def _shown(char: str, ascii: bool = False) -> str:
    if char.isprintable() and (char.isascii() or not ascii):
        return char
    return char.encode("unicode_escape").decode("ascii")


def columns(text: str) -> int:
    """How many columns of a terminal printable text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    # Vowels and finals of Korean syllables join the consonant before them.
    if unicodedata.category(char) in ("Mn", "Me") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def render_text(
    d: Diagnostic, *, color: bool = False, width: int | None = None, ascii: bool = False
) -> str:
    """The message with the lines it is about, for people; ends with a newline."""
    frame = _Frame(d, color, width or LINE, ascii)
    return "".join(line.rstrip() + "\n" for line in frame.lines())


class _Frame:
    """One message being drawn: the gutter, the colours, the room there is."""

    def __init__(self, d: Diagnostic, color: bool, width: int, ascii: bool) -> None:
        self.d = d
        self.color = color
        self.room = max(width, 40)
        self.ascii = ascii
        spans = [d.span, *(label.span for label in d.labels)]
        last = max(mark.line for s in spans for mark in _marks(s, "", main=False))
        self.gutter = len(str(last))

    def lines(self) -> Iterator[str]:
        d = self.d
        level = self.paint(f"{d.level}[{d.code}]", _LEVELS[d.level])
        yield level + self.paint(": " + self.say(d.text), _BOLD)
        for first, (source, marks) in enumerate(self.sources()):
            arrow = ":::" if first else "-->"
            yield f"{'':{self.gutter + 1}}{self.paint(arrow, _BLUE)} " + (
                f"{printable(source.name, ascii=self.ascii)}"
                f":{marks[0].line}:{marks[0].start + 1}"
            )
            if source.text:
                yield from self.snippet(source, sorted(marks))
        if d.note and not d.span.source.text:
            yield from self.remark("note", d.note)
        if d.help:
            yield from self.remark("help", d.help)

    def sources(self) -> Iterable[tuple[Source, list[Mark]]]:
        """The files to show, each with its marks: the main one first."""
        d = self.d
        found: dict[int, tuple[Source, list[Mark]]] = {}
        every = [(d.span, d.note), *((label.span, label.text) for label in d.labels)]
        for number, (span, text) in enumerate(every):
            source = span.source
            marks = found.setdefault(id(source), (source, []))[1]
            marks.extend(_marks(span, text, main=number == 0))
        return found.values()

    def snippet(self, source: Source, marks: list[Mark]) -> Iterator[str]:
        before = marks[0].line
        shown = 0
        for mark in marks:
            # Lines that are nearly neighbours explain themselves.
            if mark.line - before > 3:
                yield self.paint("...", _BLUE)
            view = self.view(source.line(mark.line), mark)
            # Of a long line each mark has a view of its own.
            if mark.line != shown or view.cut:
                yield self.row(str(mark.line), view.text)
            yield self.row("", self.pointer(view, mark))
            before = shown = mark.line

    def row(self, number: str, text: str) -> str:
        return self.paint(f" {number:>{self.gutter}} |", _BLUE) + f" {text}"

    def pointer(self, view: View, mark: Mark) -> str:
        sign = "^" if mark.main else "-"
        style = _LEVELS[self.d.level] if mark.main else _BLUE
        line = f"{sign * view.width} {self.say(mark.text)}".rstrip()
        return " " * view.start + self.paint(line, style)

    def view(self, line: str, mark: Mark) -> View:
        # A line may be as long as a file: only what can be seen is looked at.
        skipped = max(0, mark.start - self.room)
        part = line[skipped : mark.start + self.room]
        cells = list(self.cells(part))
        sizes = [columns(cell) for cell in cells]
        start = sum(sizes[: mark.start - skipped])
        end = sum(sizes[: max(0, mark.end - skipped)])
        if sum(sizes) <= self.room and len(part) == len(line):
            return View("".join(cells), start, max(1, end - start), cut=False)
        after = skipped + len(part) < len(line)
        return self.cut(
            list(zip(cells, sizes, strict=True)), start, end, skipped, after
        )

    def cut(
        self,
        cells: list[tuple[str, int]],
        start: int,
        end: int,
        before: int,
        after: bool,
    ) -> View:
        """The stretch of a long line around a mark, with dots where it goes on."""
        room = self.room - 2 * len("...")
        total = sum(size for _, size in cells)
        left = start - room // 3
        left = max(0, left if after else min(left, total - room))
        kept, at, first = "", 0, 0
        for cell, size in cells:
            if at >= left and at + size <= left + room:
                first = first if kept else at
                kept += cell
            at += size
        last = first + columns(kept)
        lead = "..." if before or first else ""
        tail = "..." if after or last < total else ""
        width = max(1, min(end, last) - start)
        return View(lead + kept + tail, len(lead) + start - first, width, cut=True)

    def cells(self, line: str) -> Iterator[str]:
        at = 0
        for char in line:
            cell = " " * (TAB - at % TAB) if char == "\t" else _shown(char, self.ascii)
            at += columns(cell)
            yield cell

    def remark(self, word: str, text: str) -> Iterator[str]:
        head = f"{'':{self.gutter + 2}}{self.paint('=', _BLUE)} "
        first, *rest = text.split("\n")
        yield head + self.paint(f"{word}:", _BOLD) + " " + self.say(first)
        for line in rest:
            yield f"{'':{self.gutter + 10}}{self.say(line)}"

    def say(self, text: str) -> str:
        whole = printable(text[:MESSAGE], ascii=self.ascii)
        return whole if len(text) <= MESSAGE else whole + "..."

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.color and text else text


def _marks(span: Span, text: str, *, main: bool) -> Iterator[Mark]:
    """The mark of a span; of one over several lines, its first and its last line."""
    first = _first_mark(span, text, main=main)
    end = span.offset + span.end - span.start
    last, column = span.source.position(end)
    line = span.source.line(last)
    start = len(line) - len(line.lstrip())
    if last == first.line or column - 1 <= start:
        yield first
    else:
        yield first._replace(text="")
        yield Mark(last, start, column - 1, text, main)


def _first_mark(span: Span, text: str, *, main: bool) -> Mark:
    line, column = span.source.position(span.offset)
    room = len(span.source.line(line).rstrip())
    start = column - 1
    end = min(start + span.end - span.start, max(room, start))
    return Mark(line, start, max(end, start + 1), text, main)


def render_short(d: Diagnostic) -> str:
    """One line, in the form that editors jump by."""
    line, column = d.span.source.position(d.span.offset)
    place = f"{printable(d.span.source.name)}:{line}:{column}"
    return f"{place}: {d.level}[{d.code}]: {printable(d.text)}"


def render_json(d: Diagnostic) -> str:
    """One JSON object on one line, for programs."""
    import json

    labels = [{"text": label.text, **place_of(label.span)} for label in d.labels]
    head = {"level": d.level, "code": d.code, "message": d.text, "note": d.note}
    record = head | {"help": d.help} | place_of(d.span) | {"labels": labels}
    edits = [{"text": edit.text, **place_of(edit.span)} for edit in d.edits]
    return json.dumps(record | {"edits": edits})


def place_of(span: Span) -> dict[str, str | int]:
    source = span.source
    line, column = source.position(span.offset)
    end_line, end_column = source.position(span.offset + span.end - span.start)
    return {
        "file": source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def render_github(d: Diagnostic) -> str:
    """A workflow command: GitHub shows it beside the line in a pull request."""
    place = place_of(d.span)
    note = f" ({d.note})" if d.note else ""
    text = d.text + note + (f"\nhelp: {d.help}" if d.help else "")
    fields = {"file": place["file"], "line": place["line"], "col": place["column"]}
    if place["line"] == place["end_line"]:
        fields["endColumn"] = place["end_column"]
    return workflow_command(d.level, text, fields | {"title": d.code})


def workflow_command(level: str, text: str, fields: dict[str, str | int]) -> str:
    lines = "\n".join(printable(line) for line in text.split("\n"))
    listed = ",".join(f"{k}={_property(str(v))}" for k, v in fields.items())
    return f"::{_COMMANDS[level]} {listed}::{_data(lines)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
