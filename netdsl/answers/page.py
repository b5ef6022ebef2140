"""One file as it stands in the editor: its text, its items, and what walks saw.

An item that can't be read answers with what it was before the mistake, as far as
its text is still the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from operator import is_
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.counts import parameter_count
from netdsl.answers.things import Place, places
from netdsl.compiler import Analysis, Session
from netdsl.diagnostics import Diagnostic
from netdsl.dims import Size
from netdsl.elaborate.program import Program
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.resolve import Files, Reader, no_imports
from netdsl.shapes import Refusal
from netdsl.source import Chunk, Source, Span


class Section:
    """A piece of the text that holds one item, and the item as it was last read."""

    def __init__(
        self, chunk: Chunk, item: syntax.Item | None, walk: Walk | None
    ) -> None:
        self.chunk = chunk
        self.item = item
        self.walk = walk
        old, new = self._texts()
        self.stale = old is not new
        self.head = _common(old, new) if self.stale else len(new)
        rest = min(len(old), len(new)) - self.head
        self.tail = _common(old[::-1], new[::-1], rest) if self.stale else 0
        self.grown = len(new) - len(old)

    def _texts(self) -> tuple[str, str]:
        own = self.chunk.text
        return (own if self.item is None else self.item.span.chunk.text), own

    @property
    def end(self) -> int:
        return self.chunk.start + len(self.chunk.text)

    def inside(self, offset: int) -> int | None:
        """Where an offset of the file lies in the item's own text, if it does."""
        at = offset - self.chunk.start
        if at <= self.head:
            return at
        if at >= len(self.chunk.text) - self.tail:
            return at - self.grown
        return None

    def outside(self, span: Span) -> tuple[int, int] | None:
        """Where a span of the item stands in the file, if it still does."""
        start, end = span.start, span.end
        if end <= self.head:
            return self.chunk.start + start, self.chunk.start + end
        if start >= len(self._texts()[0]) - self.tail:
            moved = self.chunk.start + self.grown
            return moved + start, moved + end
        return None


def _common(a: str, b: str, most: int | None = None) -> int:
    """How many characters two texts begin with alike."""
    limit = min(len(a), len(b)) if most is None else most
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Known(NamedTuple):
    """An item with the walk that defined it."""

    item: syntax.Item
    walk: Walk


class Names(NamedTuple):
    """The names of an item, and the items that they rest on."""

    read: tuple[syntax.Item | None, ...]
    places: list[Place]


def _same(then: tuple[object, ...], now: tuple[object, ...]) -> bool:
    return len(then) == len(now) and all(map(is_, then, now))


class Page:
    """One file, analysed."""

    def __init__(
        self,
        name: str,
        text: str,
        analysis: Analysis,
        session: Session,
        before: Page | None = None,
        reader: Reader = no_imports,
    ) -> None:
        self.name = name
        self.session = session
        self.reader = reader
        self.tree = analysis.tree
        self.program: Program | None = analysis.program
        self.diagnostics: tuple[Diagnostic, ...] = analysis.diagnostics
        if self.tree is None:
            self.source = Source(name, text.replace("\r\n", "\n"))
        else:
            self.source = self.tree.span.source
        self.known = self._known(before)
        earlier = before._counts if before is not None else {}
        self._counts: dict[int, tuple[Walk, Size | None]] = {
            key: count for key, count in earlier.items() if key in self.known
        }
        read = before._places if before is not None else {}
        self._places: dict[int, Names] = {
            key: names for key, names in read.items() if key in self.known
        }

    def class_of(self, net: syntax.Net) -> Walk | None:
        """The walk that defines a net of any of the files."""
        known = self.known.get(id(net))
        if known is not None or self.program is None:
            return known.walk if known is not None else None
        try:
            with self.program.report.muted():
                return self.program.define(net)
        except (Stop, TooMuch, Refusal):
            return None

    def count_of(self, net: syntax.Net, walk: Walk) -> Size | None:
        """The number of a net's parameters; counted once for each of its walks."""
        found = self._counts.get(id(net))
        if found is None or found[0] is not walk:
            if self.program is None or not self.program.files.holds(net):
                return None
            count = parameter_count(self.program, net, walk)
            found = self._counts[id(net)] = walk, count
        return found[1]

    @property
    def files(self) -> Files | None:
        return self.program.files if self.program is not None else None

    def _known(self, before: Page | None) -> Mapping[int, Known]:
        """The walks of the items, and those of items that can't be read now."""
        found: dict[int, Known] = {}
        if self.tree is None:
            return before.known if before is not None else found
        for item in self.tree.items:
            walk = self.session.memory.walk_of(item)
            old = before.known.get(id(item)) if before is not None else None
            if walk is not None and walk.blurred and old is not None:
                # What it uses can't be read now: it shows what it did before.
                found[id(item)] = old
            elif walk is not None:
                found[id(item)] = Known(item, walk)
        for chunk in self.tree.chunks:
            earlier = self.session.parser.earlier(chunk)
            known = before.known.get(id(earlier.item)) if before and earlier else None
            if known is not None:
                found[id(known.item)] = known
        return found

    @cached_property
    def sections(self) -> list[Section]:
        """The pieces of the text, in order."""
        if self.tree is None:
            return []
        items = {id(i.span.chunk): i for i in self.tree.items}
        made = []
        for chunk in self.tree.chunks:
            item = items.get(id(chunk))
            if item is None:
                earlier = self.session.parser.earlier(chunk)
                item = earlier.item if earlier is not None else None
            known = self.known.get(id(item))
            made.append(Section(chunk, item, known.walk if known else None))
        return made

    def section_of(self, item: syntax.Item) -> Section | None:
        """The section that an item of this file stands in."""
        return next((s for s in self.sections if s.item is item), None)

    def section_at(self, offset: int) -> Section | None:
        """The piece of the text around an offset."""
        starts = [s.chunk.start for s in self.sections]
        at = bisect_right(starts, offset) - 1
        return self.sections[at] if at >= 0 else None

    def places(self, section: Section) -> list[Place]:
        """The names of a section's item."""
        item = section.item
        if item is None or self.files is None:
            return []
        if not isinstance(item, syntax.Net | syntax.Fn):
            return places(self.files, item)
        scope = self.files.scope_of(item)
        read = tuple(scope.get(word) for word in sorted(syntax.names_in(item)))
        found = self._places.get(id(item))
        if found is None or not _same(found.read, read):
            found = self._places[id(item)] = Names(read, places(self.files, item))
        return found.places

    def place_at(self, offset: int) -> tuple[Section, Place] | None:
        """The name at an offset of the text."""
        section = self.section_at(offset)
        if section is None:
            return None
        at = section.inside(offset)
        if at is None:
            return None
        found = None
        for place in self.places(section):
            if place.span.start <= at <= place.span.end:
                # The narrowest; where two touch, the one that begins here.
                found = place
        return (section, found) if found is not None else None

    def all_places(self) -> Iterator[tuple[Section, Place]]:
        """All names of the file, in the order of the text."""
        for section in self.sections:
            for place in self.places(section):
                yield section, place

    def last_item(self, name: str) -> syntax.Item | None:
        """A definition of this file that can't be read now, as it last was."""
        for section in self.sections:
            if section.item is not None and name == getattr(section.item, "name", ""):
                return section.item
        return None

    def callable(self, name: str) -> syntax.Item | None:
        """The net, function or extern that a name stands for in this file."""
        scope = self.files.main.scope if self.files is not None else {}
        found = scope.get(name) or self.last_item(name)
        kinds = syntax.Net | syntax.Fn | syntax.Extern
        return found if isinstance(found, kinds) else None
