"""A long item parsed again after an edit: only the statements that changed.

The body of a net or function is cut where a statement begins at its own level.
A statement whose text an earlier tree of the item has is taken from there, with
its spans moved; the others are parsed one by one.  Where that does not work out,
the item is parsed as a whole, so a mistake is told as if nothing were known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from netdsl import syntax
from netdsl.parse.reading import QUOTED
from netdsl.source import Chunk, Span

_HEAD = "net _:\n"
# Shorter items are parsed as a whole.
_LEAST = 6
_ON = re.compile(r"->|\||elif\b|else\b")


class Pieces(NamedTuple):
    """Where the statements of a body begin; the head stands in front of the first."""

    starts: tuple[int, ...]
    texts: tuple[str, ...]
    head: str


class Earlier(NamedTuple):
    """A tree of the item, of before an edit."""

    item: syntax.Net | syntax.Fn
    text: str


def cut(text: str) -> Pieces | None:
    """The statements of an item with a body; None where that can't be told."""
    masked = re.sub(QUOTED, _mask, text)
    starts: list[int] = []
    depth, at, base = 0, 0, -1
    for line in masked.split("\n"):
        body = line.lstrip(" ")
        if body and depth == 0 and not _ON.match(body):
            margin = len(line) - len(body)
            if not starts and base < 0 and margin == 0:
                base = 0  # the head
            elif base == 0 and margin > 0:
                base = margin
                starts.append(at)
            elif base <= 0 or margin < base:
                return None
            elif margin == base:
                starts.append(at)
        depth += sum(map(body.count, "([{")) - sum(map(body.count, ")]}"))
        at += len(line) + 1
    if len(starts) < _LEAST:
        return None
    ends = [*starts[1:], len(text)]
    texts = tuple(text[a:b] for a, b in zip(starts, ends, strict=True))
    return Pieces(tuple(starts), texts, text[: starts[0]])


def _mask(found: re.Match[str]) -> str:
    text = found[0]
    return " " * len(text) if text[0] == "#" else '"' * len(text)


def shortened(text: str, reads: Callable[[str], bool]) -> str:
    """The text of an item that can't be read, with what can in front of the mistake
    made blank: it is found sooner, at the same place.

    One statement stays there: behind it something else may follow than at the start
    of a body.
    """
    pieces = cut(text)
    if pieces is None:
        return text
    for i, piece in enumerate(pieces.texts):
        if not reads(_HEAD + piece):
            if i < 2:
                return text
            start, end = pieces.starts[0], pieces.starts[i - 1]
            blank = re.sub(r"[^\n]", " ", text[start:end])
            return text[:start] + blank + text[end:]
    return text


def reparse(
    chunk: Chunk, earlier: Earlier, run: Callable[[Chunk], Any]
) -> syntax.Net | syntax.Fn | None:
    """The tree of an item that has changed in places; `run` parses, and may raise."""
    now, then = cut(chunk.text), cut(earlier.text)
    old = earlier.item
    # A docstring is a statement of the text and none of the tree.
    if now is None or then is None or old.doc is not None:
        return _with_doc(chunk, earlier, run) if old.doc is not None else None
    return _assemble(chunk, now, then, old, run)


def _with_doc(
    chunk: Chunk, earlier: Earlier, run: Callable[[Chunk], Any]
) -> syntax.Net | syntax.Fn | None:
    """The docstring goes with the head."""
    now, then = cut(chunk.text), cut(earlier.text)
    if now is None or then is None or now.texts[0] != then.texts[0]:
        return None
    return _assemble(chunk, _behind(now), _behind(then), earlier.item, run)


def _behind(pieces: Pieces) -> Pieces:
    head = pieces.head + pieces.texts[0]
    return Pieces(pieces.starts[1:], pieces.texts[1:], head)


def _assemble(
    chunk: Chunk,
    now: Pieces,
    then: Pieces,
    old: syntax.Net | syntax.Fn,
    run: Callable[[Chunk], Any],
) -> syntax.Net | syntax.Fn | None:
    if now.head != then.head or len(then.texts) != len(old.body):
        return None
    placed = zip(then.starts, old.body, strict=True)
    known = dict(zip(then.texts, placed, strict=True))
    body: list[syntax.Statement] = []
    for start, text in zip(now.starts, now.texts, strict=True):
        if text in known:
            before, statement = known[text]
            body.append(moved(statement, chunk, start - before))
            continue
        piece = Chunk(chunk.source, chunk.start, _HEAD + text)
        made = run(piece).body
        if len(made) != 1 or not isinstance(made[0], syntax.Statement):
            return None
        body.append(moved(made[0], chunk, start - len(_HEAD)))
    parts = {f: moved(getattr(old, f), chunk, 0) for f in old.fields}
    parts["span"] = Span(chunk, old.span.start, body[-1].span.end)
    parts["body"] = tuple(body)
    return type(old)(*(parts[f] for f in old.fields))


def moved(node: Any, chunk: Chunk, by: int) -> Any:
    """The same tree with its spans in another chunk, further down."""
    if isinstance(node, Span):
        return Span(chunk, node.start + by, node.end + by)
    if isinstance(node, tuple):
        return tuple([moved(n, chunk, by) for n in node]) if node else node
    if isinstance(node, syntax.Node):
        kind = type(node)
        made = kind.__new__(kind)
        for field, put in zip(kind.fields, kind.setters, strict=True):
            value = getattr(node, field)
            if isinstance(value, tuple | syntax.Node):
                value = moved(value, chunk, by)
            put(made, value)
        return made
    return node
