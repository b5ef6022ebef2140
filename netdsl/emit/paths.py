"""Layers by their paths: `self.features[0]`, `self.transformer["wte"]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netdsl import graph
from netdsl.emit.literals import quoted
from netdsl.reserved import is_attribute

if TYPE_CHECKING:
    from netdsl.emit.spelling import Speller


def path_text(speller: Speller, path: Sequence[Any]) -> str:
    """A layer of the class, by its path."""
    done, text = _from_namespace(path)
    for i, part in enumerate(path[done:], done):
        if isinstance(part, str):
            if i == 0 and is_attribute(part):
                text += f".{part}"
            elif i == 1:
                text += f"[{quoted(part)}]"
            else:
                text += f".get_submodule({quoted(part)})"
        elif isinstance(part, graph.SliceOf) or i > 0:
            text += f"[{speller.text(part)}]"
        else:
            text += f".get_submodule({speller.text(part)})"
    return text


def _from_namespace(path: Sequence[Any]) -> tuple[int, str]:
    """How many parts lead to a layer two dots deep or more, and the call that finds
    it: Python knows no class of what a ModuleDict holds."""
    if len(path) < 3 or not isinstance(path[1], str):
        return 0, "self"
    parts: list[str] = []
    for part in path:
        word = _dotted(part)
        if word is None:
            break
        parts.append(word)
    name = quoted(".".join(parts))
    start = "f" if "{" in name else ""
    done = len(parts)
    return (done, f"self.get_submodule({start}{name})") if done > 2 else (0, "self")


def _dotted(part: Any) -> str | None:
    """A part of a path as it stands between dots, if it can."""
    if isinstance(part, str):
        return None if "{" in part or "}" in part else part
    if (
        isinstance(part, graph.Const)
        and isinstance(part.value, int)
        and part.value >= 0
    ):
        return str(part.value)
    if isinstance(part, graph.Ref) and part.symbol.kind in ("item", "loop"):
        return f"{{{part.symbol.name}}}"
    return None
