"""Refuses names that the emitted file could not have."""

from __future__ import annotations

from typing import Any

from netdsl.elaborate.walk import Walk
from netdsl.reserved import FILE, LONGEST, MODULE, PYTHON, why_reserved
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
        reason = why_reserved(part, in_namespace=i > 0 or len(path) > 1)
        if reason:
            raise walk.stop(
                "reserved-name",
                f"`{part}` can't name a layer: it is {reason}",
                span,
                help=f"write `{part}_`"
                + (f', or quoted, `"{part}"`' if part not in MODULE else ""),
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
