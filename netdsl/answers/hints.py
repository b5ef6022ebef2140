"""What stands beside the lines of a flow: the shape at the end of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.page import Page, Section
from netdsl.answers.values import counted, is_tensors, show


class Hint(NamedTuple):
    """A few words behind the text at an offset."""

    offset: int
    text: str


_LONGEST = 60


def shape_hints(page: Page, start: int, end: int) -> list[Hint]:
    """The shapes at the ends of lines between two offsets."""
    found: list[Hint] = []
    for section in page.sections:
        if section.chunk.start < end and section.end > start:
            found += [h for h in _of_section(page, section) if start <= h.offset <= end]
    return found


def _of_section(page: Page, section: Section) -> Iterator[Hint]:
    """The last stage that ends on a line says what flows on from there."""
    walk = section.walk
    if walk is None or walk.seen is None or section.item is None:
        return
    lines: dict[int, tuple[int, int, str]] = {}
    for at, value in _ends(section):
        place = section.outside(section.item.span._replace(start=at[0], end=at[1]))
        if place is None or not is_tensors(value) or not show(value):
            continue
        line, column = page.source.position(place[1])
        rest = page.source.line(line)[column - 1 :].split("#")[0].strip()
        if rest.strip(" )]},|") or (page.source.line(line).strip() == ""):
            continue
        # Of those that end there, the one that began first holds the others.
        before = lines.get(line)
        if before is None or (place[1], -place[0]) > before[:2]:
            lines[line] = place[1], -place[0], show(value)
    for line, (_, _, text) in sorted(lines.items()):
        shown = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
        yield Hint(_end_of(page, line), shown)


def _ends(section: Section) -> Iterator[tuple[tuple[int, int], object]]:
    walk = section.walk
    assert walk is not None and walk.seen is not None and section.item is not None
    for at, (_, after) in walk.seen.stages.items():
        yield at, after
    for node in syntax.walk(section.item):
        if isinstance(node, syntax.Assign | syntax.Flowing | syntax.Augment):
            at = node.value.span.start, node.value.span.end
            if at in walk.seen.values:
                yield at, walk.seen.values[at]


def _end_of(page: Page, line: int) -> int:
    """Behind the last character of a line's code."""
    text = page.source.line(line)
    return page.source.starts[line - 1] + len(text.rstrip())


class Lens(NamedTuple):
    """What stands above a definition."""

    start: int
    end: int
    text: str


def parameter_lenses(page: Page) -> list[Lens]:
    """The number of parameters of each net."""
    found: list[Lens] = []
    for section in page.sections:
        item, walk = section.item, section.walk
        if not isinstance(item, syntax.Net) or walk is None or page.program is None:
            continue
        place = section.outside(item.name_span)
        count = page.count_of(item, walk) if place is not None else None
        if place is not None and count is not None:
            found.append(Lens(*place, counted(count)))
    return found
