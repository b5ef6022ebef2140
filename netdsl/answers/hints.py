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
            for line, values in sorted(_lines(page, section, start, end).items()):
                hint = Hint(_end_of(page, line), _shown(values))
                if hint.text and start <= hint.offset <= end:
                    found.append(hint)
    return found


def _lines(
    page: Page, section: Section, start: int, end: int
) -> dict[int, list[tuple[int, int, object]]]:
    """What ends on each line of a section: where, where it began, and its value."""
    walk = section.walk
    if walk is None or walk.seen is None or section.item is None:
        return {}
    source = page.source
    first, last = source.position(start)[0], source.position(end)[0]
    lines: dict[int, list[tuple[int, int, object]]] = {}
    for at, value in _ends(section):
        place = section.outside(section.item.span._replace(start=at[0], end=at[1]))
        if place is None:
            continue
        line, column = source.position(place[1])
        if not first <= line <= last or not is_tensors(value):
            continue
        rest = source.line(line)[column - 1 :].split("#")[0].strip()
        if not rest.strip(" )]},|") and source.line(line).strip():
            lines.setdefault(line, []).append((place[1], -place[0], value))
    return lines


def _shown(values: list[tuple[int, int, object]]) -> str:
    """Of the values that end on a line that of the last stage, which says what flows
    on; of those that end there, the one that began first holds the others."""
    for _, _, value in sorted(values, key=lambda v: v[:2], reverse=True):
        text = show(value)
        if text:
            return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return ""


def _ends(section: Section) -> Iterator[tuple[tuple[int, int], object]]:
    walk = section.walk
    assert walk is not None and walk.seen is not None and section.item is not None
    declared: set[int] = set()
    for node in syntax.walk(section.item):
        if isinstance(node, syntax.Flowing) and _declares(node.value):
            declared.update(range(node.span.start, node.span.end))
        elif isinstance(node, syntax.Assign | syntax.Flowing | syntax.Augment):
            at = node.value.span.start, node.value.span.end
            if at in walk.seen.values:
                yield at, walk.seen.values[at]
    for at, (_, after) in walk.seen.stages.items():
        if at[0] not in declared:
            yield at, after


def _declares(node: syntax.Expression) -> bool:
    """Whether a line only makes layers: what flows there is told where it does."""
    parts = node.items if isinstance(node, syntax.TupleOf) else (node,)
    return all(isinstance(part, syntax.Labelled) for part in parts)


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
