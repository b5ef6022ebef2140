"""Where a name is defined, where it is used, and what renaming it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netdsl import reserved, syntax
from netdsl.answers.hover import item_of
from netdsl.answers.page import Page, Section
from netdsl.answers.scopes import scope_of
from netdsl.answers.things import Place, Thing, home_of, places
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.source import Source, Span


class Where(NamedTuple):
    """A stretch of a file."""

    source: Source
    start: int
    end: int
    text: str = ""


class Unrenamable(Exception):
    """Why a name can't be changed, or not to that."""


def definition(page: Page, offset: int) -> list[Where]:
    """Where the name at an offset is defined; of an import's path, the file."""
    found = page.place_at(offset)
    if found is None:
        return _imported_file(page, offset)
    thing = found[1].thing
    if thing.home[0] == "":
        return []
    if thing.home[1] == "":
        item = item_of(page, thing)
        if item is None:
            return []
        span = _name_span(item, thing.name)
        section = page.section_of(item)
        if section is not None:
            place = section.outside(span)
            return [Where(page.source, *place)] if place is not None else []
        return [Where(span.source, span.offset, span.offset + span.end - span.start)]
    if thing.home[0] != page.name:
        return _elsewhere(page, thing)
    return [w for w, role in _local(page, thing) if role == "definition"][:1]


def _elsewhere(page: Page, thing: Thing) -> list[Where]:
    """Where an argument's name is defined, of what another file defines."""
    file = page.files.files.get(thing.home[0]) if page.files is not None else None
    for item in file.program.items if file is not None else ():
        if page.files is not None and home_of(item) == thing.home:
            for place in places(page.files, item):
                if place.thing == thing and place.role == "definition":
                    start = place.span.offset
                    end = start + place.span.end - place.span.start
                    return [Where(place.span.source, start, end)]
    return []


def _name_span(item: syntax.Item, name: str) -> Span:
    if isinstance(item, syntax.Constant):
        return next(t.span for t in item.let.targets if t.id == name)
    assert isinstance(item, syntax.Net | syntax.Fn | syntax.Extern)
    return item.name_span


def _imported_file(page: Page, offset: int) -> list[Where]:
    section = page.section_at(offset)
    item = section.item if section is not None else None
    at = section.inside(offset) if section is not None else None
    if not isinstance(item, syntax.Import) or at is None or page.files is None:
        return []
    if item.path_span.start <= at <= item.path_span.end:
        for name in item.names:
            found = page.files.scope_of(item).get(name.alias)
            if found is not None:
                return [Where(found.span.source, 0, 0)]
    return []


def references(pages: Iterable[Page], thing: Thing) -> list[Where]:
    """All places of a thing, in all files that are known."""
    return [where for where, _ in all_places(pages, thing)]


def all_places(pages: Iterable[Page], thing: Thing) -> Iterator[tuple[Where, str]]:
    for page in pages:
        yield from _local(page, thing)


def _local(page: Page, thing: Thing) -> Iterator[tuple[Where, str]]:
    """The places of a thing in one file, each with its role."""
    for section, place in page.all_places():
        if place.thing == thing:
            found = section.outside(place.span)
            if found is not None:
                yield Where(page.source, *found, place.span.text), place.role


# -- renaming --------------------------------------------------------------------


def renamable(page: Page, offset: int) -> tuple[Section, Place]:
    """The name at an offset, if it is one of the user's own."""
    found = page.place_at(offset)
    if found is None:
        raise Unrenamable("there is no name here")
    thing = found[1].thing
    if thing.home[0] == "":
        raise Unrenamable(f"`{thing.name}` is torch's")
    return found


def rename(
    page: Page, pages: Iterable[Page], offset: int, name: str
) -> list[tuple[Where, str]]:
    """What to write where, for another name."""
    section, place = renamable(page, offset)
    thing = place.thing
    if not _is_word(thing, name):
        raise Unrenamable(f"`{name}` is no name")
    _check_free(page, section, place, name)
    old = place.span.text.strip("\"'")
    if thing.home[1] == "" and old != thing.name:
        # Another name that an import gives: it holds in its own file.
        pages = [page]
    edits = []
    for where, _ in all_places(pages, thing):
        inner = where.text.strip("\"'")
        if inner == old:
            edits.append((where, where.text.replace(old, name)))
    return edits


def _is_word(thing: Thing, name: str) -> bool:
    dotted = thing.kind == "layer" and "." in thing.name
    words = name.split(".") if dotted else [name]
    return all(w.isidentifier() and w.isascii() for w in words)


def _check_free(page: Page, section: Section, place: Place, name: str) -> None:
    """Refuses a name that means something else already."""
    thing = place.thing
    reason = reserved.is_taken(name)
    if thing.kind in ("layer", "own"):
        reason = reason or reserved.why_reserved(name)
    if reason:
        raise Unrenamable(f"`{name}` can't be a name: it is {reason}")
    if thing.home[1] == "":
        scope = page.files.main.scope if page.files is not None else {}
        if name in scope:
            raise Unrenamable(f"`{name}` is defined already")
        kinds = {"net": LAYERS, "extern": LAYERS, "fn": FUNCTIONS}
        if name in kinds.get(thing.kind, {}):
            raise Unrenamable(f"`{name}` is torch's")
        return
    item = _home_item(page, section, thing)
    own = scope_of(item) if item is not None else None
    taken = own.layers if own and thing.kind == "layer" else own.values if own else {}
    if name in taken:
        raise Unrenamable(f"`{name}` is taken in this net")


def _home_item(page: Page, section: Section, thing: Thing) -> syntax.Item | None:
    """The item that has the thing to itself: an argument's may be another."""
    for file in page.files.files.values() if page.files is not None else ():
        for item in file.program.items:
            if home_of(item) == thing.home:
                return item
    return section.item
