"""Text to syntax tree, one top-level item at a time.

lark's tokens never leave this package.  An item that fails to parse gives one
message and leaves the others alone; an item whose text was seen before keeps
its tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from netdsl import syntax
from netdsl.diagnostics import Diagnostic, Report
from netdsl.limits import Limits
from netdsl.parse.building import Builder
from netdsl.parse.checks import (
    check_brackets,
    check_indents,
    check_start,
    check_strings,
)
from netdsl.parse.lalr import Loop, Unreadable
from netdsl.parse.loop_table import make_loop
from netdsl.parse.reading import split
from netdsl.parse.table import make_parser
from netdsl.parse.trouble import Mistake, bad_dedent, syntax_error
from netdsl.source import Chunk, Source, Span

if TYPE_CHECKING:
    from lark import Lark


class Parsed(NamedTuple):
    """What one chunk became."""

    item: syntax.Item | None
    diagnostics: tuple[Diagnostic, ...]


class Parser:
    """Parses sources, remembering the items that it has seen.

    `parse` of an edited source costs what changed: a chunk with the text of an
    earlier one takes over its tree, and the tree's spans follow the chunk.
    """

    def __init__(self) -> None:
        self._lark: Lark | None = None
        self._loop: Loop | None = None
        self._seen: dict[tuple[str, str], list[tuple[Chunk, Parsed]]] = {}

    def parse(self, source: Source, report: Report, limits: Limits) -> syntax.Program:
        chunks, items = [], []
        before = self._seen
        now: dict[tuple[str, str], list[tuple[Chunk, Parsed]]] = {}
        for chunk in split(source):
            key = (source.name, chunk.text)
            known = before.get(key)
            if known:
                kept, parsed = known.pop(0)
                kept.source, kept.start = source, chunk.start
                chunk = kept
            elif len(report) < limits.diagnostics:
                parsed = self._item(chunk, limits)
            else:
                # Enough is told: the rest is as broken as what was read.
                parsed = Parsed(None, ())
            now.setdefault(key, []).append((chunk, parsed))
            report.extend(parsed.diagnostics)
            chunks.append(chunk)
            if parsed.item is not None:
                items.append(parsed.item)
        self._seen = {k: v for k, v in before.items() if k[0] != source.name} | now
        span = Span(Chunk(source, 0, source.text), 0, 0)
        return syntax.Program(span, tuple(items), tuple(chunks))

    def expression(self, text: str, report: Report, limits: Limits) -> Any:
        """One expression, as `-D name=value` gives it; None with messages if wrong."""
        chunk = Chunk(Source("<value>", text), 0, text)
        problem = check_brackets(chunk, limits) or check_strings(chunk)
        if problem is None:
            try:
                return self.run(chunk, "test", limits)
            except Mistake as mistake:
                problem = mistake.diagnostic
        report.add(problem)
        return None

    def _item(self, chunk: Chunk, limits: Limits) -> Parsed:
        problem = check_start(chunk) or check_brackets(chunk, limits)
        problem = problem or check_strings(chunk) or check_indents(chunk, limits)
        if problem is not None:
            return Parsed(None, (problem,))
        try:
            return Parsed(self.run(chunk, "item", limits), ())
        except Mistake as mistake:
            return Parsed(None, (mistake.diagnostic,))

    def run(self, chunk: Chunk, start: str, limits: Limits) -> Any:
        """The tree of a chunk, from a start rule; raises Mistake."""
        builder = Builder(chunk, self.run, limits)
        text = chunk.text if start == "test" else chunk.text.rstrip() + "\n"
        if self._loop is None:
            self._loop = make_loop()
        if self._loop is not None:
            try:
                return self._loop.parse(text, start, builder.make)
            except (Unreadable, Mistake):
                pass  # lark says what is wrong, and where
        return self._by_lark(text, start, builder)

    def _by_lark(self, text: str, start: str, builder: Builder) -> Any:
        from lark.exceptions import UnexpectedInput
        from lark.indenter import DedentError

        if self._lark is None:
            self._lark = make_parser()
        chunk = builder.chunk
        try:
            tree = self._lark.parse(text, start=start)
        except UnexpectedInput as error:
            raise Mistake(syntax_error(chunk, error)) from None
        except DedentError:
            raise Mistake(bad_dedent(chunk)) from None
        if not hasattr(tree, "iter_subtrees"):  # `?rule` may leave a lone token
            raise AssertionError(tree)
        return builder.build(tree)
