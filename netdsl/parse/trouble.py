"""Messages about text that the grammar refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from netdsl.diagnostics import Diagnostic
from netdsl.source import Chunk, Span

KEYWORDS = "if elif else for in return and or not is None True False".split()


class Mistake(Exception):
    """A syntax error found while a tree is built."""

    def __init__(self, diagnostic: Diagnostic, expected: Iterable[str] = ()) -> None:
        super().__init__(diagnostic.text)
        self.diagnostic = diagnostic
        self.expected = set(expected)
        """What could stand there: terminals of the grammar."""


def short(word: str) -> str:
    return word if len(word) <= 24 else word[:24] + "..."


def bad_dedent(chunk: Chunk) -> Diagnostic:
    levels = [0]
    offset = 0
    depth = 0
    for line in chunk.text.split("\n"):
        body = line.lstrip(" ")
        margin = len(line) - len(body)
        if body and not body.startswith(("#", "->", "|")) and depth == 0:
            if margin > levels[-1]:
                levels.append(margin)
            while margin < levels[-1]:
                levels.pop()
            if margin != levels[-1]:
                return Diagnostic(
                    "error",
                    "bad-indentation",
                    "this line is indented like no line above it",
                    Span(chunk, offset + margin, offset + len(line)),
                    help="indent it like the lines above it",
                )
        depth += sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}")
        offset += len(line) + 1
    return Diagnostic(
        "error", "bad-indentation", "indentation is uneven", Span(chunk, 0, 1)
    )


_TOKENS = {
    "COLON": "`:`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "_ARROW": "`->`",
    "EQUAL": "`=`",
    "_INDENT": "an indented line",
    "_NL": "the end of the line",
    "NAME": "a name",
    "_IN": "`in`",
    "_ELSE": "`else`",
    "LSQB": "`[`",
    "LPAR": "`(`",
}


def syntax_error(chunk: Chunk, error: Any) -> Diagnostic:
    from lark.exceptions import UnexpectedCharacters

    if isinstance(error, UnexpectedCharacters):
        at: int = error.pos_in_stream or 0
        return _unexpected(chunk, at, at + 1, chunk.text[at : at + 1], error.allowed)
    token = error.token
    if token.type in ("$END", "_DEDENT") or not hasattr(token, "start_pos"):
        end = len(chunk.text.rstrip())
        return _unexpected(chunk, max(end - 1, 0), end, "", error.expected)
    start = token.start_pos if token.start_pos is not None else 0
    if token.type in ("_NL", "_INDENT"):
        return _unexpected(chunk, max(start - 1, 0), start, "", error.expected)
    return _unexpected(chunk, start, start + len(token), str(token), error.expected)


def _unexpected(
    chunk: Chunk, start: int, end: int, found: str, expected: Any
) -> Diagnostic:
    if found == ">" and chunk.text[start - 1 : start] == "-":
        # The `-` was read as a sign, where a stage was due.
        start, found = start - 1, "->"
    words = sorted(_TOKENS[name] for name in expected or () if name in _TOKENS)
    what = f"`{short(found)}`" if found.strip() else "the line's end"
    text = f"{what} is not expected here"
    help_ = _hint(chunk, start, found, set(expected or ()))
    if not help_ and 0 < len(words) <= 3:
        help_ = f"{' or '.join(words)} is expected"
    return Diagnostic(
        "error", "syntax-error", text, Span(chunk, start, end), help=help_
    )


_FORMS = {
    "net": "net NAME(HYPERPARAMETERS):",
    "fn": "fn NAME(PARAMETERS) = VALUE",
    "let": "let NAME = VALUE",
    "input": "input NAME: [SIZES]",
    "param": "param NAME: [SIZES] = VALUE",
    "buffer": "buffer NAME: [SIZES] = VALUE",
    "tie": "tie LAYER.weight = LAYER.weight",
    "init": "init LAYER.weight = VALUE",
    "for": "for NAME in VALUES:",
    "expect": "expect NET params == NUMBER",
    "extern": "extern NAME(PARAMETERS): [SIZES] -> [SIZES]",
    "from": 'from "FILE.net" import NAME',
}


def _hint(chunk: Chunk, at: int, found: str, expected: set[str]) -> str:
    line_start = chunk.text.rfind("\n", 0, at) + 1
    line = chunk.text[line_start : at + 1]
    # Where the line's end is at fault, its last character is part of it.
    before = (line if not found.strip() else line[:-1]).strip()
    if found == "->" or (not found.strip() and before.endswith("->")):
        return "a layer, a function or branches stand behind each `->`"
    if line.endswith(("- >", "=>")):
        return "an arrow is written `->`"
    if not found.strip() and before.endswith(":"):
        return "the lines that belong to it stand below, indented by four spaces"
    if at == line_start and found in ("class", "def"):
        return "a network starts with `net NAME:`, a function with `fn NAME(...)`"
    if at == line_start and line_start > 0 and found.strip():
        return "indent the lines of a net below its first, with four spaces"
    if found == "=" and before.isidentifier():
        return "call a layer `NAME: LAYER`, name a value on a line of its own"
    if found == "=" and "->" in before:
        return "name a layer with `:`, as in `-> fc: Linear(10)`"
    if found == "import" and before.startswith("from"):
        return f"write `{_FORMS['from']}`"
    if found in ("def", "class", "lambda", "import", "while", "self"):
        return f"`{found}` is Python; a `.net` file has no such thing"
    if before in ("def", "class", "lambda", "import", "while", "with", "try"):
        return f"`{before}` is Python; a `.net` file has no such thing"
    if (
        not found.strip()
        and "COLON" in expected
        and before.startswith(("net", "if", "for", "fn", "el"))
    ):
        return "end the line with `:`"
    if found in KEYWORDS:
        return f"`{found}` is a keyword"
    word = (before or found).split()[0] if (before or found).strip() else ""
    if word in _FORMS:
        return f"write `{_FORMS[word]}`"
    last = re.search(r"[A-Za-z_]\w*$", before)
    if last and last[0] not in KEYWORDS and re.match(r"[\w\"']", found):
        return f"arguments stand in brackets: `{last[0]}({short(found)})`"
    return ""
