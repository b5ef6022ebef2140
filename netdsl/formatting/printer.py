"""Documents to lines: what fits stays on one line."""

from __future__ import annotations

from typing import NamedTuple

from netdsl.formatting.documents import (
    Aligned,
    Doc,
    Fill,
    Group,
    HardLine,
    Indented,
    Line,
    Remark,
    Row,
    Spine,
    Text,
    Trailing,
    Wrapped,
    in_parentheses,
)

WIDTH = 120
SPINE = 16
"""How far from the left edge of a flow its arrows stand below the first one."""


class _Job(NamedTuple):
    """A document to be printed, where, and whether its lines end."""

    doc: Doc
    indent: int
    broken: bool
    bracketed: bool


class _Page:
    """The lines that are done, and the one being written."""

    def __init__(self, indent: int) -> None:
        self.lines: list[str] = []
        self.parts = [" " * indent]
        self.column = indent
        self.is_fresh = True
        self.trailing = ""
        self.is_owed = False
        """Whether a comment stands at the end of the line."""

    def end_line(self, indent: int) -> None:
        if not self.is_fresh:
            text = "".join(self.parts).rstrip(" ")
            self.lines.append(f"{text}  {self.trailing}" if self.trailing else text)
        self.parts = [" " * indent]
        self.column = indent
        self.is_fresh = True
        self.trailing = ""
        self.is_owed = False

    def write(self, text: str, indent: int, *, glue: bool = False) -> None:
        if (self.is_owed or self.is_fresh) and not text.strip(" "):
            return
        if self.is_owed and not (glue and self.trailing):
            self.end_line(indent)
        self.parts.append(text)
        self.column = _column_behind(self.column, text)
        self.is_fresh = False

    def comment(self, text: str, indent: int, *, own: bool) -> None:
        if own or self.is_owed or self.is_fresh:
            self.end_line(indent)
            self.parts.append(text)
            self.is_fresh = False
        else:
            self.trailing = text
        self.is_owed = True


def _column_behind(column: int, text: str) -> int:
    end = text.rfind("\n")
    return column + len(text) if end < 0 else len(text) - end - 1


def print_lines(doc: Doc, indent: int) -> list[str]:
    """The lines of a document, the first of them indented."""
    page = _Page(indent)
    jobs = [_Job(doc, indent, True, False)]
    while jobs:
        _step(page, jobs)
    page.end_line(0)
    return page.lines


def _step(page: _Page, jobs: list[_Job]) -> None:
    job = jobs.pop()
    doc, indent, broken, _ = job
    match doc:
        case Text():
            page.write(doc.text, indent, glue=doc.glue)
        case Remark():
            page.comment(doc.text, indent, own=doc.own)
        case Trailing():
            if broken:
                page.write(doc.text, indent, glue=True)
        case HardLine():
            page.end_line(indent)
        case Line():
            if broken:
                page.end_line(indent)
            elif not page.is_owed:
                page.write(doc.flat, indent)
        case Row():
            jobs.extend(job._replace(doc=part) for part in reversed(doc.parts))
        case Group() | Wrapped():
            jobs.append(_chosen(page, jobs, job))
        case Fill():
            _fill(page, jobs, job, doc)
        case Spine():
            near = not page.is_owed and _is_near(doc, page.column, indent)
            jobs.append(job._replace(doc=doc.aligned if near else doc.hung))
        case Indented():
            jobs.append(_inside(job, doc, indent + doc.by))
        case Aligned():
            jobs.append(_inside(job, doc, indent if page.is_owed else page.column))


def _inside(job: _Job, doc: Indented | Aligned, indent: int) -> _Job:
    bracketed = job.bracketed or doc.bracketed
    return job._replace(doc=doc.part, indent=indent, bracketed=bracketed)


def _is_near(doc: Spine, column: int, indent: int) -> bool:
    return column + 1 - indent <= SPINE and not doc.hung.opens


def _chosen(page: _Page, jobs: list[_Job], job: _Job) -> _Job:
    """What a group is printed as: on one line or on several."""
    doc = job.doc
    assert isinstance(doc, Group | Wrapped)
    must_break = doc.must_break if isinstance(doc, Group) else doc.is_broken
    flat = job._replace(doc=doc.part, broken=False)
    if not must_break and _fits(page, jobs, flat):
        return flat
    if isinstance(doc, Wrapped) and not job.bracketed:
        return job._replace(doc=in_parentheses(doc.part), broken=True)
    return flat._replace(broken=True)


def _fill(page: _Page, jobs: list[_Job], job: _Job, doc: Fill) -> None:
    """One more piece on this line or, if it doesn't fit, on the next."""
    first = job._replace(doc=doc.first)
    flat = first._replace(broken=False)
    behind = len(jobs)
    if doc.rest is not None:
        jobs.append(job._replace(doc=doc.rest))
    if not doc.is_first:
        page.write(" ", job.indent)
        if job.broken and (doc.begins_row or not _fits(page, jobs, flat)):
            page.end_line(job.indent)
    if job.broken and (doc.first.is_broken or not _fits(page, [], flat)):
        jobs.insert(behind + 1, job._replace(doc=HardLine()))
    jobs.append(first)


def _fits(page: _Page, after: list[_Job], job: _Job) -> bool:
    """Whether all up to the next end of a line that may be fits on this one."""
    column = job.indent if page.is_owed else page.column
    start = column
    jobs = [job]
    rest = len(after)
    while True:
        if not jobs:
            if rest == 0:
                return True
            rest -= 1
            jobs.append(after[rest])
        doc, indent, broken, bracketed = job = jobs.pop()
        match doc:
            case Text() | Trailing():
                if isinstance(doc, Trailing) and not broken:
                    continue
                first, line_end, _ = doc.text.partition("\n")
                column += len(first)
                if column > WIDTH or line_end:
                    return column <= WIDTH
            case Line():
                if broken:
                    return True
                column += len(doc.flat)
            case HardLine():
                return True
            case Remark():
                if not doc.own or column > start:
                    return True
                column = start = indent
            case Row():
                jobs.extend(job._replace(doc=part) for part in reversed(doc.parts))
            case Fill():
                if broken and not doc.is_first:
                    return True
                column += not doc.is_first
                if doc.rest is not None:
                    jobs.append(job._replace(doc=doc.rest))
                jobs.append(job._replace(doc=doc.first))
            case Group():
                jobs.append(job._replace(doc=doc.part, broken=broken or doc.must_break))
            case Wrapped() if broken and not bracketed:
                return column < WIDTH
            case Wrapped():
                jobs.append(job._replace(doc=doc.part))
            case Spine():
                near = not broken or _is_near(doc, column, indent)
                jobs.append(job._replace(doc=doc.aligned if near else doc.hung))
            case Indented() | Aligned():
                jobs.append(_inside(job, doc, indent))
