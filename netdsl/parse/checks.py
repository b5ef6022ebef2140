"""What is wrong with an item before the grammar sees it: brackets, strings, tabs."""

from __future__ import annotations

import re

from netdsl.diagnostics import Diagnostic, Label
from netdsl.limits import Limits
from netdsl.parse.habits import TOP
from netdsl.parse.reading import ITEM_LINE, QUOTED
from netdsl.parse.site import BRACKET
from netdsl.parse.trouble import short
from netdsl.source import Chunk, Span

_CLOSES = {")": "(", "]": "[", "}": "{"}
_CLOSERS = {opener: closer for closer, opener in _CLOSES.items()}


def check_brackets(chunk: Chunk, limits: Limits) -> Diagnostic | None:
    """Finds brackets that don't match, and nesting that is too deep."""
    open_: list[tuple[str, int]] = []
    for match in BRACKET.finditer(chunk.text):
        char, at = match[0], match.start()
        if char in "([{":
            open_.append((char, at))
            if len(open_) > limits.nesting:
                return Diagnostic(
                    "error",
                    "too-deep",
                    f"brackets are nested more than {limits.nesting} deep",
                    Span(chunk, at, at + 1),
                    help="make a net of the inner part",
                )
        elif char in _CLOSES:
            if not open_ or open_[-1][0] != _CLOSES[char]:
                return _unmatched(chunk, char, at, open_)
            open_.pop()
    if open_:
        char, at = open_[-1]
        return Diagnostic(
            "error",
            "unclosed-bracket",
            f"`{char}` is never closed",
            Span(chunk, at, at + 1),
            note="opened here",
            help=f"write `{_CLOSERS[char]}` where it ends",
        )
    return None


def _unmatched(
    chunk: Chunk, char: str, at: int, open_: list[tuple[str, int]]
) -> Diagnostic:
    if not open_:
        text = f"`{char}` closes nothing"
        labels: tuple[Label, ...] = ()
    else:
        opener, start = open_[-1]
        text = f"`{char}` can't close `{opener}`"
        labels = (Label(Span(chunk, start, start + 1), "opened here"),)
    return Diagnostic(
        "error", "unclosed-bracket", text, Span(chunk, at, at + 1), labels=labels
    )


def check_start(chunk: Chunk) -> Diagnostic | None:
    found = re.match(r"(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)(\S+)", chunk.text)
    if found is None or (ITEM_LINE.match(found[2]) and not found[1]):
        return None
    span = Span(chunk, found.start(2), found.end(2))
    word = found[2]
    help_ = "who builds the net does that" if word.startswith("@") else TOP.get(word)
    return Diagnostic(
        "error",
        "syntax-error",
        f"`{short(word)}` can't start a line at the top of a file",
        span,
        help=help_
        or "the top of a file holds `net`, `fn`, `let`, `expect`, `extern` and `from`"
        + (", and starts at the left edge" if found[1] else ""),
    )


_TOKEN = rf"{QUOTED}|\w+|[^\w\s]"


def check_length(chunk: Chunk, limits: Limits) -> Diagnostic | None:
    """Finds an item that would take long to read, whatever it says."""
    if len(chunk.text) <= limits.tokens:
        return None
    found = re.finditer(_TOKEN, chunk.text)
    count = sum(1 for match in found if not match[0].startswith("#"))
    if count <= limits.tokens:
        return None
    head = re.match(r"\s*", chunk.text)
    at = head.end() if head else 0
    return Diagnostic(
        "error",
        "too-large",
        f"this item has {count:,} words and signs; the limit is {limits.tokens:,}",
        Span(chunk, at, at + 1),
        help="split it, or raise the limit `tokens`",
    )


_STRINGISH = re.compile(
    rf"{QUOTED}|" r"(?P<open>\"\"\"|\"|')|(?P<odd>[^\x00-\x7f]|[$?!;`\\&^](?!=))"
)


def check_strings(chunk: Chunk) -> Diagnostic | None:
    """Unclosed strings, and characters that no token has."""
    for match in _STRINGISH.finditer(chunk.text):
        span = Span(chunk, match.start(), match.end())
        if match["open"]:
            return Diagnostic(
                "error",
                "syntax-error",
                "this string is never closed",
                span,
                help=f"end it with `{match[0]}`"
                + ("" if len(match[0]) == 3 else " on the same line"),
            )
        odd = match["odd"]
        if odd:
            return Diagnostic(
                "error",
                "bad-character",
                (
                    f"`{odd}` means nothing here"
                    if odd.isascii()
                    else f"names and operators are ASCII; this is U+{ord(odd):04X}"
                ),
                span,
                help="" if odd.isascii() else "only strings and comments may hold it",
            )
    return None


def check_indents(chunk: Chunk, limits: Limits) -> Diagnostic | None:
    offset = 0
    for line in chunk.text.split("\n"):
        body = line.lstrip(" \t")
        margin = line[: len(line) - len(body)]
        if "\t" in margin and body and not body.startswith("#"):
            at = offset + margin.index("\t")
            return Diagnostic(
                "error",
                "bad-indentation",
                "a tab indents this line",
                Span(chunk, at, at + 1),
                help="indent with four spaces",
            )
        offset += len(line) + 1
    return None
