"""Flows and branches as documents.

Where a line of a flow ends says which stages belong together, as the end of a
sentence does, so the author's line ends ahead of `->` and `|` stay.  A line that is
too long ends ahead of each stage with a name or branches, and only if that is not
enough ahead of every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netdsl.formatting.documents import (
    NOTHING,
    Aligned,
    Doc,
    Group,
    HardLine,
    Indented,
    Line,
    Row,
    Spine,
    Text,
    joined,
    row,
)
from netdsl.formatting.tokens import above, behind, token, without_text
from netdsl.parse.concrete import Branch, Concrete, Leaf, first_leaf

HANG = 2
"""How far arrows stand in that hang below a long source."""


class _Stage(NamedTuple):
    """A stage and the arrow ahead of it; the first of a chain of layers has none."""

    arrow: Leaf | None
    node: Concrete
    doc: Doc

    @property
    def begins_line(self) -> bool:
        return self.arrow is not None and self.arrow.new_line

    @property
    def is_branches(self) -> bool:
        return isinstance(self.node, Branch) and self.node.rule == "branches"

    @property
    def leads(self) -> bool:
        """Whether it begins a step of the flow, which others may complete."""
        named = isinstance(self.node, Branch) and self.node.rule == "labelled"
        return named or self.is_branches


def flow_between(node: Branch, docs: dict[int, Doc]) -> Doc:
    """A flow that starts from a value."""
    source, stages = _stages(node, docs)
    if not stages:
        return source.doc
    if source.leads and not source.is_branches:
        return chain_of_layers(node, docs)
    first = stages[0]
    assert first.arrow is not None
    if first.begins_line:
        hung = Indented(HANG, row(HardLine(), _in_lines(stages)))
    else:
        hung = Indented(HANG, _in_lines(stages, Line(" ")))
    if first.arrow.leading:
        return row(source.doc, hung)
    if len(stages) == 1:
        # What the stage opens is closed at the left edge of the flow.
        aligned = _written(first)
    else:
        aligned = Aligned(_in_lines(stages))
    return row(source.doc, Spine(row(" ", aligned), hung))


def chain_of_layers(node: Branch, docs: dict[int, Doc]) -> Doc:
    """A flow without a source, as a branch is: arrows stand below its start."""
    first, stages = _stages(node, docs)
    return Aligned(_in_lines([first, *stages]))


def _stages(node: Branch, docs: dict[int, Doc]) -> tuple[_Stage, list[_Stage]]:
    children = node.children
    stages = []
    for arrow, stage in zip(children[1::2], children[2::2], strict=True):
        assert isinstance(arrow, Leaf)
        stages.append(_Stage(arrow, stage, docs[id(stage)]))
    return _Stage(None, children[0], docs[id(children[0])]), stages


def _in_lines(stages: Sequence[_Stage], start: Doc = NOTHING) -> Doc:
    """Stages on the lines of the author, those that are too long divided."""
    lines: list[list[_Stage]] = [[]]
    for stage in stages:
        if stage.begins_line and lines[-1]:
            lines.append([])
        lines[-1].append(stage)
    made = [_line(line, start if line is lines[0] else NOTHING) for line in lines]
    return joined(HardLine(), made)


def _line(stages: Sequence[_Stage], start: Doc) -> Doc:
    """One line: it ends ahead of steps first, then ahead of every stage."""
    has_steps = any(s.leads for s in stages)
    steps: list[list[_Stage]] = []
    for stage in stages:
        if stage.leads or not has_steps or not steps:
            steps.append([])
        steps[-1].append(stage)
    return _spread([_step(step) for step in steps], start)


def _step(stages: Sequence[_Stage]) -> Doc:
    made = [_written(s) for s in stages]
    if stages[0].is_branches:
        # What merges branches stands behind them: `} -> add`.
        return joined(Text(" "), made)
    return _spread(made, NOTHING)


def _spread(parts: Sequence[Doc], start: Doc) -> Doc:
    """Parts on one line as far as they fit, measured anew behind long ones."""
    groups: list[Doc] = []
    here: list[Doc] = [start]
    for i, part in enumerate(parts):
        here += [Line(" "), part] if i else [part]
        if part.is_broken:
            groups.append(Group(Row(here), loose=True))
            here = []
    return Row([*groups, Group(Row(here), loose=True)] if here else groups)


def _written(stage: _Stage) -> Doc:
    if stage.arrow is None:
        return stage.doc
    return row(token(stage.arrow), " ", stage.doc)


# -- branches ------------------------------------------------------------------


def branches(node: Branch, docs: dict[int, Doc]) -> Doc:
    """`{ a | b }`, or bars and braces one below the other."""
    opening, *inner, closing = node.children
    assert isinstance(opening, Leaf) and isinstance(closing, Leaf)
    lines: list[list[Doc]] = [[]]
    bar: Leaf | None = None
    for child in inner:
        if isinstance(child, Branch) and child.rule == "separator":
            bar = child.children[0]  # type: ignore[assignment]
            continue
        if bar is not None and _ends_line(bar, child):
            lines.append([])
        lines[-1].append(_arm(bar, child, docs))
        bar = None
    made = [Group(joined(Line(" "), line)) for line in lines]
    rows = made[0].part if len(made) == 1 else joined(HardLine(), made)
    last = without_text(bar) if bar is not None else NOTHING
    comments = Indented(2, Row([last, *above(closing.leading)]))
    start = Row([*above(opening.leading), Text("{"), behind(opening)])
    end = row(Line(" "), closing.text)
    group = Group(row(start, " ", rows, comments, end))
    return row(Aligned(group, bracketed=True), behind(closing))


def _ends_line(bar: Leaf, arm: Concrete) -> bool:
    return bar.new_line or first_leaf(arm).new_line


def _arm(bar: Leaf | None, arm: Concrete, docs: dict[int, Doc]) -> Doc:
    doc = docs[id(arm)]
    if isinstance(arm, Branch) and arm.rule == "flow" and len(arm.children) > 1:
        doc = chain_of_layers(arm, docs)
    doc = Indented(2, Aligned(doc))
    return doc if bar is None else row(token(bar), " ", doc)
