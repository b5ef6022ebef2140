"""What each token of a `.net` file is, as the parser and the resolver see it: what
the syntax files of editors are held to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.page import Page
from netdsl.answers.reading import read
from netdsl.answers.scopes import CONTAINERS
from netdsl.elaborate.arithmetic import STATIC_FUNCTIONS
from netdsl.elaborate.starting import INITIALISERS
from netdsl.files import directory_reader
from netdsl.highlight import keywords
from netdsl.layers import FUNCTIONS
from netdsl.parse.concrete import ConcreteParser
from netdsl.parse.table import grammar_path
from netdsl.shapes import DTYPES
from netdsl.source import Source, Span

HOME = Path(__file__).parent.parent
FILES = sorted(
    path
    for pattern in (
        *("examples/*.net", "examples/zoo/*.net", "tests/corpus/compile/*.net"),
        "tests/corpus/errors/*/*.ok.net",
    )
    for path in HOME.glob(pattern)
)
COMMENT = re.compile(r"#[^\n]*")
HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
PARSER = ConcreteParser()
GRAMMAR = grammar_path().read_text(encoding="utf-8")
WORDS = frozenset(w for w in keywords(GRAMMAR) if len(w) > 1)
TORCH_KINDS = {"torch_layer": "layer", "torch_function": "function"}
OPERATORS = re.compile(r"->|[-+*/%@~|=<>!.]+")


class Text(NamedTuple):
    """A file, its tokens in order, and the words that it gives a meaning of its own."""

    name: str
    text: str
    tokens: list[Token]
    own: set[str]


class Token(NamedTuple):
    """A stretch of text.  Kinds: comment, string, hole (a brace in an f-string),
    number, keyword, operator, punctuation; layer and function (torch's), type, and
    name (of what the file itself defines or refers to)."""

    start: int
    end: int
    kind: str


@cache
def read_text(path: Path) -> Text:
    """All tokens of a file; blanks are none."""
    page = read(str(path), path.read_bytes(), directory_reader(str(path.parent)))
    assert not page.diagnostics, page.diagnostics
    text = page.source.text
    meant, own = _meant(page)
    found: list[Token] = []
    at = 0
    for leaf in PARSER.read(page.source).leaves():
        found += _comments(text, at, leaf.start)
        found += _of(leaf.kind, leaf.text, leaf.start, meant)
        at = leaf.end
    return Text(path.relative_to(HOME).as_posix(), text, found, own)


def differences(text: Text, kinds: Sequence[str | None]) -> list[str]:
    """Where the kinds that an editor sees, one for each character, aren't those of
    the tokens.

    Colours go by spelling.  So a word that a file gives a meaning of its own, and
    that torch has too, may look like torch's: `-> relu` behind `relu: ReLU`.
    Brackets and commas may have any colour of names.
    """
    found = []
    for start, end, kind in text.tokens:
        word = text.text[start:end]
        seen = {kinds[i] for i in range(start, end) if text.text[i] != "\n"}
        wanted = {kind} if kind != "punctuation" else {"punctuation", "name"}
        if kind == "name" and word in text.own:
            wanted |= {"layer", "function"}
        if not seen <= wanted:
            line = text.text.count("\n", 0, start) + 1
            found.append(f"{text.name}:{line}: {word!r} is {kind}, not {seen}")
    return found


def _comments(text: str, start: int, end: int) -> Iterator[Token]:
    for match in COMMENT.finditer(text, start, end):
        yield Token(*match.span(), "comment")


def _of(kind: str, text: str, start: int, meant: dict[int, str]) -> Iterator[Token]:
    end = start + len(text)
    if kind == "F_STRING":
        yield from _f_string(text, start, meant)
    elif "STRING" in kind:
        yield Token(start, end, "string")
    elif kind in ("INT", "FLOAT"):
        yield Token(start, end, "number")
    elif kind == "NAME":
        yield Token(start, end, meant.get(start, "name"))
    elif text in WORDS:
        yield Token(start, end, "keyword")
    elif text == ".":
        # The dot of `linalg.norm` is of the name.
        yield Token(start, end, meant.get(start, "punctuation"))
    elif OPERATORS.fullmatch(text):
        yield Token(start, end, "operator")
    elif text:
        yield Token(start, end, "punctuation")


def _f_string(text: str, start: int, meant: dict[int, str]) -> Iterator[Token]:
    at = 0
    for match in HOLE.finditer(text, 2, len(text) - 1):
        if match[1] is None:
            continue
        yield Token(start + at, start + match.start(), "string")
        yield Token(start + match.start(), start + match.start(1), "hole")
        place = start + match.start(1)
        # No parser reads an expression alone, so this one gets a statement around it.
        head = "let _ = "
        whole = Source(text, f"{head}{match[1]}\n")
        for leaf in PARSER.read(whole).leaves():
            if leaf.start >= len(head):
                yield from _of(
                    leaf.kind, leaf.text, place + leaf.start - len(head), meant
                )
        yield Token(start + match.end(1), start + match.end(), "hole")
        at = match.end()
    yield Token(start + at, start + len(text), "string")


# -- what names mean -------------------------------------------------------------


def _meant(page: Page) -> tuple[dict[int, str], set[str]]:
    """The kinds of the names that aren't the file's own, by the places of the words;
    and the words of those that are."""
    found: dict[int, str] = {}
    assert page.tree is not None
    own: set[int] = set()
    words: set[str] = set()
    for section, place in page.all_places():
        start = section.chunk.start + place.span.start
        kind = TORCH_KINDS.get(place.thing.kind)
        if kind is None:
            own.add(start)
            words.update(re.findall(r"\w+", place.span.text))
            continue
        for match in re.finditer(r"\w+|\.", place.span.text):
            found[start + match.start()] = kind
    for item in page.tree.items:
        for node in syntax.walk(item):
            for name, kind in _kinds(node):
                at = item.span.chunk.start + name.start
                if at not in own:
                    found[at] = kind
    return found, words


def _kinds(node: syntax.Node) -> Iterator[tuple[Span, str]]:
    """The names in a node that no definition of the file explains."""
    match node:
        case syntax.TypeName():
            yield node.span, "keyword" if node.name == "None" else "type"
        case syntax.TypeOf():
            yield node.span, "type"
            if node.name in CONTAINERS:
                yield from ((n.span, "type") for n in _names(node.items))
        case syntax.Keyword(name="dtype", value=syntax.Name() as name):
            yield name.span, "type"
        case syntax.Call(function=syntax.Name() as name) if name.id in STATIC_FUNCTIONS:
            yield name.span, "function"
        case syntax.Init(value=value) | syntax.Own(value=value):
            name = value.function if isinstance(value, syntax.Call) else value
            if isinstance(name, syntax.Name) and name.id in INITIALISERS:
                yield name.span, "function"
        case syntax.Name(id="skip" | "training"):
            yield node.span, "keyword"
        case syntax.Name(id=word) if word in DTYPES and word not in FUNCTIONS:
            yield node.span, "type"


def _names(node: syntax.Node) -> Iterator[syntax.Name]:
    return (n for n in syntax.walk(node) if isinstance(n, syntax.Name))
