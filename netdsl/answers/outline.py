"""The outline of a file: its definitions, and what each of them names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.page import Page, Section
from netdsl.answers.scopes import label_name
from netdsl.answers.signing import item_text
from netdsl.source import Span


class Entry(NamedTuple):
    """A named part of a file.  Kinds: net, fn, extern, constant, expect, import;
    hyperparameter, input, own, layer."""

    name: str
    kind: str
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    inner: tuple[Entry, ...]


def outline(page: Page) -> list[Entry]:
    """The definitions of a file, in order."""
    return [e for section in page.sections for e in _of_section(section)]


def _of_section(section: Section) -> Iterator[Entry]:
    item = section.item
    match item:
        case syntax.Net() | syntax.Fn() | syntax.Extern():
            kind = type(item).__name__.lower()
            inner = tuple(_inner(section, item))
            detail = item_text(item).partition(item.name)[2]
            yield from _entry(
                section, item.name, kind, detail, item.span, item.name_span, inner
            )
        case syntax.Constant():
            for target in item.let.targets:
                detail = _short(item.let.value.span.text)
                yield from _entry(
                    section, target.id, "constant", detail, item.span, target.span
                )


def _entry(
    section: Section,
    name: str,
    kind: str,
    detail: str,
    span: Span,
    name_span: Span,
    inner: tuple[Entry, ...] = (),
) -> Iterator[Entry]:
    head = section.outside(name_span)
    if head is None:
        return
    whole = section.outside(span)
    if whole is None:
        whole = (
            section.chunk.start,
            section.chunk.start + len(section.chunk.text.rstrip()),
        )
    yield Entry(name, kind, detail, *whole, *head, inner)


def _inner(section: Section, item: syntax.Item) -> Iterator[Entry]:
    for parameter in getattr(item, "parameters", ()):
        detail = _short(parameter.type.span.text) if parameter.type else ""
        yield from _entry(
            section,
            parameter.name,
            "hyperparameter",
            detail,
            parameter.span,
            parameter.name_span,
        )
    for node in syntax.walk(item):
        match node:
            case syntax.Input():
                for name in node.names:
                    detail = _short(node.type.span.text)
                    yield from _entry(
                        section, name.id, "input", detail, node.span, name.span
                    )
            case syntax.Own():
                detail = _short(node.type.span.text)
                yield from _entry(
                    section, node.name.id, "own", detail, node.span, node.name.span
                )
            case syntax.Labelled():
                name_ = label_name(node.label)
                if name_:
                    detail = _short(node.value.span.text)
                    yield from _entry(
                        section, name_, "layer", detail, node.span, node.label.span
                    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
