"""What stands in brackets: on one line, on one line between them, or in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netdsl.formatting.documents import (
    NOTHING,
    Doc,
    Fill,
    Group,
    HardLine,
    Indented,
    Line,
    Row,
    Text,
    joined,
    row,
)
from netdsl.formatting.tokens import above, behind, comma, last_comma
from netdsl.parse.concrete import Branch, Concrete, Leaf, first_leaf, leaves

COMMAS = ("COMMA", "TRAILING_COMMA")


class Element(NamedTuple):
    """What stands between two commas, and the comma behind it."""

    doc: Doc
    node: Concrete
    comma: Leaf | None


def elements(
    children: Sequence[Concrete], docs: Sequence[Doc], separators: Sequence[str]
) -> list[Element]:
    """The parts of a list, each with the separator behind it."""
    made: list[Element] = []
    for node, doc in zip(children, docs, strict=True):
        if isinstance(node, Leaf) and node.kind in separators:
            made[-1] = made[-1]._replace(comma=node)
        else:
            made.append(Element(doc, node, None))
    return made


def rows_of(found: Sequence[Element]) -> list[list[Element]]:
    """The elements as the author put them into lines."""
    made: list[list[Element]] = []
    new_line = True
    for element in found:
        if new_line or first_leaf(element.node).new_line:
            made.append([])
        made[-1].append(element)
        new_line = element.comma is not None and _ends_line(element.comma)
    return made


def _ends_line(leaf: Leaf) -> bool:
    return leaf.new_line or bool(leaf.trailing)


def bracketed(
    opening: Leaf,
    found: Sequence[Element],
    closing: Leaf,
    *,
    keeps_rows: bool = False,
    fills_rows: bool = False,
    adds_comma: bool = True,
) -> Doc:
    """Brackets and the elements in them.

    A list whose author began a new line between two elements keeps its rows.  One
    that fills them does so only if it takes several, and then it makes them, too.
    """
    inside = [*above(closing.leading)]
    if not found:
        body: Doc = Row(inside)
        if not body.closes and not opening.trailing:
            return row(opening_token(opening), closing.text, behind(closing))
    else:
        rows = rows_of(found) if keeps_rows or fills_rows else [list(found)]
        if fills_rows:
            contents = _filled(rows, _is_commented(opening, found, closing))
        elif len(rows) > 1:
            contents = _in_rows(rows, adds_comma)
        else:
            contents = _in_one(
                found, adds_comma, _is_commented(opening, found, closing)
            )
        body = Row([contents, *inside])
    group = Group(
        row(
            opening_token(opening),
            Indented(4, row(Line(""), body), bracketed=True),
            Line(""),
            closing.text,
        )
    )
    return Row([group, behind(closing)])


def opening_token(leaf: Leaf) -> Doc:
    return Row([*above(leaf.leading), Text(leaf.text), behind(leaf)])


def _in_one(found: Sequence[Element], adds_comma: bool, commented: bool) -> Doc:
    parts: list[Doc] = []
    for element in found[:-1]:
        assert element.comma is not None
        parts += [element.doc, comma(element.comma), Line(" ")]
    last = found[-1]
    parts += [last.doc, _end(last, adds_comma)]
    return Group(Row(parts), broken=commented)


def _filled(rows: Sequence[Sequence[Element]], commented: bool) -> Doc:
    """Between the brackets on one line, or in rows, each as full as may be."""
    made: Fill | None = None
    for line in reversed(rows):
        for element in reversed(line):
            if made is None:
                end = last_comma(element.comma)
            else:
                assert element.comma is not None
                end = comma(element.comma)
            made = Fill(
                row(element.doc, end),
                made,
                begins_row=element is line[0],
                is_first=element is rows[0][0],
            )
    assert made is not None
    return Group(made, broken=commented)


def _in_rows(rows: Sequence[Sequence[Element]], adds_comma: bool) -> Doc:
    made: list[Doc] = []
    for line in rows:
        parts: list[Doc] = []
        for element in line:
            if parts:
                parts.append(Line(" "))
            ends = element is rows[-1][-1]
            parts.append(element.doc)
            if not ends:
                assert element.comma is not None
                parts.append(comma(element.comma))
            elif element.comma is not None and adds_comma:
                parts.append(comma(element.comma))
            else:
                parts.append(Text(",", glue=True) if adds_comma else NOTHING)
        made.append(Group(Row(parts)))
    return joined(HardLine(), made)


def _end(last: Element, adds_comma: bool) -> Doc:
    if adds_comma:
        return last_comma(last.comma)
    return NOTHING if last.comma is None else comma(last.comma)


def _is_commented(opening: Leaf, found: Sequence[Element], closing: Leaf) -> bool:
    if opening.trailing or closing.leading:
        return True
    return any(
        leaf.leading or leaf.trailing
        for element in found
        for leaf in (*leaves(element.node), *([element.comma] if element.comma else []))
    )


def is_hugged(node: Concrete) -> bool:
    """Whether brackets around this one alone add no lines of their own."""
    return isinstance(node, Branch) and node.rule in ("list", "branches")
