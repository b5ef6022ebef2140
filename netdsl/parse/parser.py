"""Text to syntax tree, one top-level item at a time.

lark's tokens never leave this package.  An item that fails to parse gives one
message and leaves the others alone; an item whose text was seen before keeps
its tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from netdsl import syntax
from netdsl.diagnostics import Diagnostic, Report
from netdsl.limits import Limits
from netdsl.parse.building import Builder
from netdsl.parse.checks import (
    check_brackets,
    check_indents,
    check_length,
    check_start,
    check_strings,
)
from netdsl.parse.lalr import Loop, Unreadable
from netdsl.parse.loop_table import make_loop
from netdsl.parse.pieces import Earlier, reparse, shortened
from netdsl.parse.reading import split
from netdsl.parse.table import make_parser
from netdsl.parse.trouble import Mistake, bad_dedent, syntax_error
from netdsl.source import Chunk, Source, Span

if TYPE_CHECKING:
    from lark import Lark


class Parsed(NamedTuple):
    """What one chunk became; of a chunk with mistakes, what it was before them."""

    item: syntax.Item | None
    diagnostics: tuple[Diagnostic, ...]
    earlier: Earlier | None


class _Gone:
    """The items of a source that an edit changed, as they were before it."""

    def __init__(
        self,
        seen: Mapping[tuple[str, str], Sequence[tuple[Chunk, Parsed]]],
        name: str,
        chunks: Sequence[Chunk],
    ) -> None:
        texts = {c.text for c in chunks}
        self.items: dict[str, Earlier] = {}
        """By the first line of their text."""
        for (source, text), known in seen.items():
            if source != name or text in texts:
                continue
            for _, parsed in known:
                earlier = parsed.earlier
                if isinstance(parsed.item, syntax.Net | syntax.Fn):
                    earlier = Earlier(parsed.item, text)
                if earlier is not None:
                    self.items[_head(text)] = earlier

    def like(self, chunk: Chunk) -> Earlier | None:
        """What an item that stands in a chunk was: it begins with the same line,
        or it is the only one that changed."""
        if len(self.items) == 1:
            return next(iter(self.items.values()))
        return self.items.get(_head(chunk.text))


def _head(text: str) -> str:
    return text.partition("\n")[0]


class Parser:
    """Parses sources, remembering the items that it has seen.

    `parse` of an edited source costs what changed: a chunk with the text of an
    earlier one takes over its tree, and the tree's spans follow the chunk.
    """

    def __init__(self) -> None:
        self._lark: Lark | None = None
        self._seen: dict[tuple[str, str], list[tuple[Chunk, Parsed]]] = {}

    def parse(self, source: Source, report: Report, limits: Limits) -> syntax.Program:
        chunks, items = [], []
        before = self._seen
        now: dict[tuple[str, str], list[tuple[Chunk, Parsed]]] = {}
        pieces = split(source)
        gone = _Gone(before, source.name, pieces)
        for chunk in pieces:
            key = (source.name, chunk.text)
            known = before.get(key)
            if known:
                kept, parsed = known.pop(0)
                kept.source, kept.start = source, chunk.start
                chunk = kept
            elif len(report) < limits.diagnostics:
                parsed = self._item(chunk, limits, gone.like(chunk))
            else:
                # Enough is told: the rest is as broken as what was read.
                parsed = Parsed(None, (), gone.like(chunk))
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

    def earlier(self, chunk: Chunk) -> Earlier | None:
        """What an item with mistakes was before them."""
        for known, parsed in self._seen.get((chunk.source.name, chunk.text), ()):
            if known is chunk:
                return parsed.earlier
        return None

    def _item(self, chunk: Chunk, limits: Limits, earlier: Earlier | None) -> Parsed:
        try:
            return Parsed(self._read(chunk, limits, earlier), (), None)
        except Mistake as mistake:
            from netdsl.parse.guessing import explained

            def next_problem(text: str) -> int | None:
                return self._next_problem(text, limits)

            told = explained(chunk, mistake, next_problem)
            return Parsed(None, (told,), earlier)

    def _next_problem(self, text: str, limits: Limits) -> int | None:
        """Where a text can't be read; None if all of it can."""
        for chunk in split(Source("", text)):
            try:
                self._read(chunk, limits, None)
            except Mistake as mistake:
                return chunk.start + mistake.diagnostic.span.start
        return None

    def _read(
        self, chunk: Chunk, limits: Limits, earlier: Earlier | None
    ) -> syntax.Item:
        """The item of a chunk; raises Mistake."""
        problem = check_start(chunk) or check_brackets(chunk, limits)
        problem = problem or check_strings(chunk) or check_indents(chunk, limits)
        problem = problem or check_length(chunk, limits)
        if problem is not None:
            raise Mistake(problem)
        if earlier is not None:
            try:
                made = reparse(chunk, earlier, lambda c: self.run(c, "item", limits))
            except Mistake:
                made = None
            if made is not None:
                return made
        item: syntax.Item = self.run(chunk, "item", limits)
        return item

    def run(self, chunk: Chunk, start: str, limits: Limits) -> Any:
        """The tree of a chunk, from a start rule; raises Mistake."""
        builder = Builder(chunk, self.run, limits)
        text = chunk.text if start == "test" else chunk.text.rstrip() + "\n"
        try:
            return self.loop.parse(text, start, builder.make)
        except (Unreadable, Mistake) as problem:
            if isinstance(problem, Mistake) and problem.diagnostic.code == "too-deep":
                raise  # a text so long that lark would take its time, to say the same
            # lark says what is wrong, and where.
            if start == "item":
                text = shortened(text, lambda t: self._reads(t, limits))
        return self._by_lark(text, start, builder)

    @cached_property
    def loop(self) -> Loop:
        return make_loop()

    def _reads(self, text: str, limits: Limits) -> bool:
        """Whether a text is an item, without a word about what is wrong with it."""
        builder = Builder(Chunk(Source("", text), 0, text), self.run, limits)
        try:
            self.loop.parse(text.rstrip() + "\n", "item", builder.make)
        except (Unreadable, Mistake):
            return False
        return True

    def _by_lark(self, text: str, start: str, builder: Builder) -> Any:
        from lark.exceptions import UnexpectedInput
        from lark.indenter import DedentError

        if self._lark is None:
            self._lark = make_parser()
        chunk = builder.chunk
        try:
            tree = self._lark.parse(text, start=start)
        except UnexpectedInput as error:
            expected = getattr(error, "expected", None) or getattr(
                error, "allowed", None
            )
            raise Mistake(syntax_error(chunk, error), expected or ()) from None
        except DedentError:
            raise Mistake(bad_dedent(chunk)) from None
        if not hasattr(tree, "iter_subtrees"):  # `?rule` may leave a lone token
            raise AssertionError(tree)
        return builder.build(tree)
