"""A file read and resolved, and not walked: enough to find names in it."""

from __future__ import annotations

from netdsl.answers.page import Page
from netdsl.compiler import Analysis, Session
from netdsl.diagnostics import Report
from netdsl.elaborate.program import Program
from netdsl.parse import decode
from netdsl.resolve import Reader, resolve


def read(name: str, data: bytes, reader: Reader) -> Page:
    """The page of a file that no editor has open."""
    session = Session()
    report = Report()
    text = data.decode("utf-8-sig", "replace")
    source = decode(name, data, report, session.limits)
    if source is None:
        return Page(name, text, Analysis((), None, None), session, None, reader)
    tree = session.parser.parse(source, report, session.limits)
    files = resolve(tree, session.parser, reader, report, session.limits)
    program = Program(files, report, session.limits)
    return Page(name, text, Analysis((), program, tree), session, None, reader)
