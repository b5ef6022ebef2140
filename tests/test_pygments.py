"""The Pygments lexer, held to the parser."""

from __future__ import annotations

import time
from importlib.metadata import entry_points

import pytest
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)
from token_kinds import FILES, Text, differences, read_text

from netdsl.highlight.lexer import NetLexer

# The first that holds a token's type says what kind it is.
KINDS = (
    (Comment, "comment"),
    (String.Interpol, "hole"),
    (String, "string"),
    (Number, "number"),
    (Operator.Word, "keyword"),
    (Keyword.Type, "type"),
    (Keyword, "keyword"),
    (Operator, "operator"),
    (Name.Builtin.Pseudo, "keyword"),
    (Name, "name"),
    (Punctuation, "punctuation"),
    (Whitespace, "blank"),
)
HOSTILE = ("a.", "a ", "a:", "(", "f'{", '"""', "\\", "input x, ", "-> ", "1.", "{ |")


def kind_of(token: object, text: str) -> str:
    if token is Name.Builtin:
        # torch's layers are capitalised, its functions are not.
        is_layer = text[:1].isupper() and "." not in text
        return "layer" if is_layer else "function"
    return next((kind for type_, kind in KINDS if token in type_), "error")


def kinds(text: Text) -> list[str]:
    found: list[str] = []
    for at, token, part in NetLexer().get_tokens_unprocessed(text.text):
        assert at == len(found)
        assert token not in Error, f"{text.name}: {part!r}"
        found += [kind_of(token, part)] * len(part)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_lexer_sees_what_the_parser_sees(path) -> None:
    text = read_text(path)
    seen = kinds(text)
    assert len(seen) == len(text.text)
    assert differences(text, seen) == []


def test_lexer_is_found() -> None:
    (entry,) = entry_points(group="pygments.lexers", name="net")
    assert entry.load() is NetLexer
    assert isinstance(get_lexer_by_name("netdsl"), NetLexer)
    assert isinstance(get_lexer_for_filename("model.net"), NetLexer)


@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_is_slow(part: str) -> None:
    text = part * (200_000 // len(part))
    start = time.process_time()
    written = "".join(t for _, _, t in NetLexer().get_tokens_unprocessed(text))
    # Linear: any backtracking would take minutes.
    assert time.process_time() - start < 20
    assert written == text
