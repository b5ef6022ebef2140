"""Bytes to canonical text, checked to mean what it meant."""

from __future__ import annotations

from typing import NamedTuple

from netdsl.diagnostics import Diagnostic, Report
from netdsl.formatting.layout import laid_out
from netdsl.formatting.sameness import same
from netdsl.formatting.tokens import shown
from netdsl.limits import Limits
from netdsl.parse import Parser, decode
from netdsl.parse.concrete import COMMENT_OR_STRING, ConcreteParser
from netdsl.source import Source
from netdsl.syntax import Program


class Formatted(NamedTuple):
    """Messages of a file that can't be read; else its canonical text."""

    diagnostics: tuple[Diagnostic, ...]
    text: str | None


class MeaningChanged(Exception):
    """The formatter made a mistake: what it gives says something else."""


class Formatter:
    """Formats files, one after the other."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._parser = Parser()
        self._tokens = ConcreteParser()

    def canonical(self, name: str, data: bytes) -> Formatted:
        """The canonical form of a file, with the line ends of its first line.

        Raises MeaningChanged if that would say anything else: a mistake of ours.
        """
        report = Report()
        source = decode(name, data, report, self._limits)
        if source is None:
            return Formatted(tuple(report), None)
        program = self._parser.parse(source, report, self._limits)
        if report.failed:
            return Formatted(tuple(report), None)
        text = laid_out(self._tokens.read(source), source.text)
        if text != source.text:
            after = Source(name, text)
            _check(program, self._parser.parse(after, report, self._limits), report)
            if _comments(source.text) != _comments(text):
                raise MeaningChanged("the formatted text would lack a comment")
        crlf = data.partition(b"\n")[0].endswith(b"\r")
        return Formatted(tuple(report), text.replace("\n", "\r\n") if crlf else text)


def _check(before: Program, after: Program, report: Report) -> None:
    """Raises MeaningChanged if two trees differ, or if one could not be made."""
    if report.failed or not same(before.items, after.items):
        raise MeaningChanged("the formatted text would mean something else")


def _comments(text: str) -> list[str]:
    """All comments, in the order of the text."""
    found = (m[0].rstrip() for m in COMMENT_OR_STRING.finditer(text))
    return [shown(comment) for comment in found if comment.startswith("#")]
