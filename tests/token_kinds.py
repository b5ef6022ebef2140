"""What each token of a `.net` file is, as the parser and the resolver see it: what
the syntax files of editors are held to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lark import Token as LarkToken

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
from netdsl.parse.table import grammar_path, make_parser
from netdsl.shapes import DTYPES

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
GRAMMAR = grammar_path().read_text(encoding="utf-8")
WORDS = frozenset(f"{w}" for w in keywords(GRAMMAR) if len(w) > 1)
TORCH_KINDS = {"torch_layer": "layer", "torch_function": "function"}
OPERATORS = re.compile(r"->|[-+*/%@~|=<>!.]+")


class Token(NamedTuple):
    """A stretch of text.  Kinds: comment, string, hole (a brace in an f-string),
    number, keyword, operator, punctuation; layer and function (torch's), type, and
    name (of what the file itself defines or refers to)."""

    start: int
    end: int
    kind: str


def tokens(path: Path) -> tuple[str, list[Token]]:
    """The text of a file and all its tokens, in order; blanks are none."""
    reader = directory_reader(str(path.parent))
    page = read(str(path), path.read_bytes(), reader)
    text = page.source.text
    assert page.tree is not None
    assert not page.diagnostics, page.diagnostics
    meant = _meant(page)
    parsed = list(ConcreteParser().read(page.source).leaves())
    found: list[Token] = []
    at = 0
    for leaf in parsed:
        found += _comments(text, at, leaf.start)
        found += _of(leaf.kind, leaf.text, leaf.start, meant)
        at = leaf.end
    return text, found


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
        tree = make_parser(keep_tokens=True).parse(match[1], start="test")
        leaves = (
            [tree]
            if isinstance(tree, LarkToken)
            else tree.scan_values(lambda v: isinstance(v, LarkToken))
        )
        for leaf in leaves:
            place = start + match.start(1) + leaf.start_pos
            yield from _of(leaf.type, str(leaf), place, meant)
        yield Token(start + match.end(1), start + match.end(), "hole")
        at = match.end()
    yield Token(start + at, start + len(text), "string")


# -- what names mean -------------------------------------------------------------


def _meant(page: Page) -> dict[int, str]:
    """The kinds of the names that aren't the file's own, by the places of the words."""
    found: dict[int, str] = {}
    assert page.tree is not None
    own: set[int] = set()
    for section, place in page.all_places():
        start = section.chunk.start + place.span.start
        kind = TORCH_KINDS.get(place.thing.kind)
        if kind is None:
            own.add(start)
            continue
        for match in re.finditer(r"\w+|\.", place.span.text):
            found[start + match.start()] = kind
    for item in page.tree.items:
        for node in syntax.walk(item):
            for name, kind in _kinds(node):
                at = item.span.chunk.start + name.start
                if at not in own:
                    found[at] = kind
    return found


def _kinds(node: syntax.Node) -> Iterator[tuple[syntax.Span, str]]:
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
        case syntax.Call(function=syntax.Name() as name) if (
            name.id in STATIC_FUNCTIONS
        ):
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
