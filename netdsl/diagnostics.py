"""Messages as data: what is wrong, where, why we think so and a way out.

Passes write to a `Report`; the doors render it or raise a `CompileError`.
The table of codes is in `netdsl/codes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from netdsl.source import Span

Level = Literal["error", "warning", "hint"]


class Label(NamedTuple):
    """A span that has something to say about the main one."""

    span: Span
    text: str


class Edit(NamedTuple):
    """A piece of an exact repair: this text instead of that at the span."""

    span: Span
    text: str


class Advice(NamedTuple):
    """One action in words, and as edits where we are sure of it."""

    text: str = ""
    edits: tuple[Edit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)

    @classmethod
    def to_write(cls, meant: str, span: Span) -> Advice:
        """To write something in place of what stands there."""
        return cls(f"write `{meant}`", (Edit(span, meant),))


class Diagnostic(NamedTuple):
    """One message.  `text` is one fact in the user's words; `help` is one action.

    `edits`, made together, are that action; only where we are sure of it.
    """

    level: Level
    code: str
    text: str
    span: Span
    note: str = ""
    labels: tuple[Label, ...] = ()
    help: str = ""
    edits: tuple[Edit, ...] = ()

    @property
    def order(self) -> tuple[str, int, str]:
        return self.span.source.name, self.span.offset, self.code


def as_advice(help: str | Advice) -> Advice:
    return help if isinstance(help, Advice) else Advice(help)


class Report:
    """What the passes write their messages to.

    A mistake is told once: a second message of the same code at the same span
    is dropped, so that a net with one mistake and five uses gives one message;
    and so is one that says the same of the same cause (`_cause`).
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Span], Diagnostic] = {}
        self.errors = 0
        self._muted = 0
        self._records: list[tuple[int, dict[tuple[str, Span], Diagnostic]]] = []

    def add(self, diagnostic: Diagnostic) -> None:
        for muted, record in self._records:
            if self._muted <= muted:
                record.setdefault((diagnostic.code, diagnostic.span), diagnostic)
        key = diagnostic.code, diagnostic.span
        if not self._muted and key not in self._seen:
            self._seen[key] = diagnostic
            self.errors += diagnostic.level == "error"

    def error(
        self,
        code: str,
        text: str,
        span: Span,
        note: str = "",
        labels: Iterable[Label] = (),
        help: str | Advice = "",
    ) -> None:
        about = (note, tuple(labels), *as_advice(help))
        self.add(Diagnostic("error", code, text, span, *about))

    def warning(
        self,
        code: str,
        text: str,
        span: Span,
        note: str = "",
        help: str | Advice = "",
    ) -> None:
        about = (note, (), *as_advice(help))
        self.add(Diagnostic("warning", code, text, span, *about))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.add(diagnostic)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Messages are dropped inside: for walks that only look ahead."""
        self._muted += 1
        try:
            yield
        finally:
            self._muted -= 1

    @contextmanager
    def recorded(self) -> Iterator[dict[tuple[str, Span], Diagnostic]]:
        """What is said inside, though all of it be muted: who remembers a walk
        says it again."""
        record: dict[tuple[str, Span], Diagnostic] = {}
        self._records.append((self._muted, record))
        try:
            yield record
        finally:
            self._records.pop()

    def __iter__(self) -> Iterator[Diagnostic]:
        ordered = sorted(self._seen.values(), key=lambda d: d.order)
        first: dict[object, Diagnostic] = {}
        for diagnostic in ordered:
            first.setdefault(_cause(diagnostic) or id(diagnostic), diagnostic)
        return iter(first.values())

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def failed(self) -> bool:
        return self.errors > 0


_UNKNOWN = frozenset(("unknown-name", "unknown-layer", "unknown-function"))
USED_HERE = "is used here"
"""How a label ends that stands at a use on the way to the mistake."""


def _cause(diagnostic: Diagnostic) -> tuple[object, ...] | None:
    """What messages share that one mistake makes: a name that is unknown throughout
    a net, or a use that several of its lines can't serve.  None if it is alone."""
    code, text, labels = diagnostic.code, diagnostic.text, diagnostic.labels
    if code in _UNKNOWN and not diagnostic.edits:
        return id(diagnostic.span.chunk), code, text
    uses = tuple(label.span for label in labels if label.text.endswith(USED_HERE))
    if not uses:
        return None
    said = tuple(label.text for label in labels)
    return id(diagnostic.span.chunk), code, text, diagnostic.note, said, uses


class CompileError(Exception):
    """The file has mistakes.

    `diagnostics` holds them in the order of their positions; `str()` of the
    error is the rendered text, as the command line shows it.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        # The renderer stands on a higher floor; only who prints pays for it.
        from netdsl.render import render_text

        return "\n" + "\n".join(render_text(d) for d in self.diagnostics)
