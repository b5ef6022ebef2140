"""Bytes to text, and text to the pieces that hold one top-level item each."""

from __future__ import annotations

import re

from netdsl.diagnostics import Report
from netdsl.limits import Limits
from netdsl.source import Chunk, Source, Span

ITEM_LINE = re.compile(r"(?m)^(?:net|fn|let|expect|extern|from)\b|^\"\"\"|^\"")
# A string or a comment, in which no sign means anything else.
QUOTED = (
    r'"""(?:[^\\]|\\[\s\S])*?"""|#[^\n]*|"(?:[^"\\\n]|\\.)*"|' r"'(?:[^'\\\n]|\\.)*'"
)
_LONG = re.compile(r'"""(?:[^\\]|\\[\s\S])*?"""|#[^\n]*|"(?:[^"\\\n]|\\.)*"')
# Controls, line separators that only some programs see, and bidirectional marks.
_FORBIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c"
    "\u202a-\u202e\u2066-\u2069\ufeff\ue000-\uf8ff]"
)


def decode(name: str, data: bytes, report: Report, limits: Limits) -> Source | None:
    """The text of a file: UTF-8, a byte order mark and CRLF line ends allowed."""
    empty = Source(name, "")
    at_start = Span(Chunk(empty, 0, ""), 0, 0)
    if len(data) > limits.source_bytes:
        report.error(
            "too-large",
            f"the file has {len(data):,} bytes; the limit is {limits.source_bytes:,}",
            at_start,
            help="split it, or raise the limit `source_bytes`",
        )
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.error(
            "bad-encoding",
            f"the file is not UTF-8 text: byte {error.start} can't be read",
            at_start,
            help="save it as UTF-8; is it a `.net` file of another program?",
        )
        return None
    source = Source(name, text.replace("\r\n", "\n"))
    # To make the pattern takes longer than to read a file without such characters.
    if source.text.translate({0x9: None, 0xA: None}).isprintable():
        return source
    chunk = Chunk(source, 0, source.text)
    forbidden = False
    for found in re.finditer(_FORBIDDEN, source.text):
        forbidden = True
        report.error(
            "bad-character",
            f"the character U+{ord(found[0]):04X} is not allowed in a `.net` file",
            Span(chunk, found.start(), found.end()),
            help="delete it" if found[0] != "\r" else "end lines with \\n or \\r\\n",
        )
        if len(report) >= limits.diagnostics:
            break
    return None if forbidden else source


def split(source: Source) -> list[Chunk]:
    """The pieces of the text that hold one top-level item each.

    A new one begins where a line starts with the word of an item, so that an
    unclosed bracket in one item does not reach the next.
    """
    text = source.text
    quoted = [m.span() for m in _LONG.finditer(text) if m[0].startswith('"""')]
    starts: list[int] = []
    k = 0
    for match in ITEM_LINE.finditer(text):
        at = match.start()
        while k < len(quoted) and quoted[k][1] <= at:
            k += 1
        if k < len(quoted) and quoted[k][0] < at:
            continue
        starts.append(at)
    if not starts or _has_code(text[: starts[0]]):
        starts.insert(0, 0)
    ends = [*starts[1:], len(text)]
    return [
        Chunk(source, start, text[start:end])
        for start, end in zip(starts, ends, strict=True)
        if _has_code(text[start:end])
    ]


def _has_code(text: str) -> bool:
    return any(
        line.strip() and not line.lstrip().startswith("#") for line in text.split("\n")
    )
