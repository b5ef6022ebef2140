"""What each word of a file is, for an editor that colours by meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from netdsl.answers.page import Page
from netdsl.highlight import keywords
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.parse.table import grammar_path
from netdsl.shapes import DTYPES

TYPES = (
    *("comment", "string", "number", "keyword", "operator", "class", "function"),
    *("parameter", "variable", "property", "typeParameter", "type"),
)
MODIFIERS = ("declaration", "defaultLibrary", "readonly")


class Token(NamedTuple):
    """A stretch of one line."""

    start: int
    end: int
    type: str
    modifiers: tuple[str, ...] = ()


_KINDS = {
    "net": "class",
    "extern": "class",
    "torch_layer": "class",
    "fn": "function",
    "torch_function": "function",
    "constant": "variable",
    "hyperparameter": "parameter",
    "input": "parameter",
    "size": "typeParameter",
    "layer": "property",
    "member": "property",
    "own": "property",
}
_LIBRARY = ("torch_layer", "torch_function")
_STATIC = ("constant", "hyperparameter", "let", "size", "bound")
_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>f?"""(?:[^\\]|\\[\s\S])*?"""'
    r"|f?\"(?:[^\"\\\n]|\\.)*\"|f?'(?:[^'\\\n]|\\.)*')"
    r"|(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<operator>->|[-+*/%@~|=<>!]+)"
)


class Colours:
    """Words by their meaning, of one grammar."""

    def __init__(self) -> None:
        words = keywords(grammar_path().read_text(encoding="utf-8"))
        self.everywhere = {w for w, p in words.items() if "(?=" not in p and len(w) > 1}
        self.heads = {w: re.compile(p) for w, p in words.items() if "(?=" in p}

    def tokens(self, page: Page) -> list[Token]:
        """The tokens of a file, in order; none reaches over the end of a line."""
        meant = dict(_meant(page))
        found: list[Token] = []
        text = page.source.text
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            start, end = match.span()
            if kind == "word":
                token = meant.get(start) or self._word(text, start, match[0])
                if token is not None:
                    found.append(token)
            else:
                found += _lines(text, start, end, kind)
        return found

    def _word(self, text: str, start: int, word: str) -> Token | None:
        """A word that stands for nothing in the file: by its spelling."""
        end = start + len(word)
        line = text[text.rfind("\n", 0, start) + 1 : start]
        head = self.heads.get(word)
        at_start = not line.strip() or word in ("where", "params", "import", "as")
        if word in self.everywhere or (
            head is not None and at_start and head.match(text, start)
        ):
            return Token(start, end, "keyword")
        if word in LAYERS:
            return Token(start, end, "class", ("defaultLibrary",))
        if word in DTYPES or word in ("int", "str", "net"):
            return Token(start, end, "type", ("defaultLibrary",))
        if word in FUNCTIONS and text[end : end + 1] != "=":
            return Token(start, end, "function", ("defaultLibrary",))
        if word in ("skip", "training"):
            return Token(start, end, "keyword")
        return None


def _meant(page: Page) -> Iterator[tuple[int, Token]]:
    """The names of a file, by their places."""
    for section, place in page.all_places():
        shown = section.outside(place.span)
        if shown is None or "\n" in place.span.text:
            continue
        if not place.span.text[:1].isidentifier():
            continue
        thing = place.thing
        modifiers = []
        if place.role == "definition":
            modifiers.append("declaration")
        if thing.kind in _LIBRARY:
            modifiers.append("defaultLibrary")
        if thing.kind in _STATIC:
            modifiers.append("readonly")
        kind = _KINDS.get(thing.kind, "variable")
        for start, end in _words(place.span.text, shown[0]):
            yield start, Token(start, end, kind, tuple(modifiers))


def _words(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The words of a dotted name."""
    for match in re.finditer(r"\w+", text):
        yield start + match.start(), start + match.end()


def _lines(text: str, start: int, end: int, kind: str) -> Iterator[Token]:
    at = start
    for line in text[start:end].split("\n"):
        if line:
            yield Token(at, at + len(line), kind)
        at += len(line) + 1
