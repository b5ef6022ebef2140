"""Refuses names that the emitted file could not have."""

from __future__ import annotations

from typing import Any

from netdsl.diagnostics import Advice, Edit
from netdsl.elaborate.walk import Walk
from netdsl.reserved import (
    FILE,
    LONGEST,
    MODULE,
    PYTHON,
    hides_member,
    why_reserved,
)
from netdsl.source import Span


def check_label(walk: Walk, path: tuple[Any, ...], span: Span, quoted: bool) -> None:
    """Refuses names that would break or vanish in Python."""
    for i, part in enumerate(path):
        if not isinstance(part, str):
            continue
        if len(part) > LONGEST:
            raise walk.stop("reserved-name", "this name is too long", span)
        if quoted and part and not set(part) & set(".\0") and part not in MODULE:
            continue
        if not part or "." in part:
            raise walk.stop(
                "reserved-name", "a layer's name is not empty and has no dot", span
            )
        if part == "self" and i == 0 and len(path) > 1:
            cut = Span(span.chunk, span.start, span.start + len("self."))
            raise walk.stop(
                "reserved-name",
                "`self.` is not written in a `.net` file",
                span,
                help=Advice(f"write `{span.text[5:]}`", (Edit(cut, ""),)),
            )
        reason = why_reserved(part, in_namespace=i > 0 or len(path) > 1)
        if reason:
            raise walk.stop(
                "reserved-name",
                f"`{part}` can't name a layer: it is {reason}",
                span,
                help=f"write `{part}_`"
                + (f', or quoted, `"{part}"`' if part not in MODULE else ""),
            )


def check_member(walk: Walk, label: Any, span: Span) -> None:
    """Refuses names that a list of layers can't have for a member."""
    name = ".".join(label) if isinstance(label, tuple) else label
    if not isinstance(name, str):
        return
    if not name or set(name) & set(".\0") or len(name) > LONGEST:
        raise walk.stop(
            "reserved-name", "a layer's name is not empty and has no dot", span
        )
    reason = why_reserved(name, in_list=True)
    # What is quoted, or made by an f-string, is a key and no name of Python.
    if reason and (hides_member(name) or span.text[:1] not in "\"'f"):
        raise walk.stop(
            "reserved-name",
            f"`{name}` can't name a layer: it is {reason}",
            span,
            help=f"write `{name}_`",
        )


def check_name(walk: Walk, name: str, span: Span) -> None:
    """Refuses names of hyperparameters, inputs and values that Python can't have."""
    if name in PYTHON or name in FILE or name.startswith("__") or len(name) > LONGEST:
        raise walk.stop(
            "reserved-name",
            f"`{name[:40]}` can't be used as a name in Python",
            span,
            help=f"write `{name[:40]}_`",
        )
