"""The TextMate grammar in VS Code's own engine, held to the parser."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from token_kinds import FILES, HOME, differences, read_text

HERE = Path(__file__).parent
GRAMMAR = HOME / "grammar" / "net.tmLanguage.json"
# The first that a scope begins with says what kind it is.
KINDS = (
    ("comment", "comment"),
    ("punctuation.section.embedded", "hole"),
    ("meta.embedded", "punctuation"),
    ("string", "string"),
    ("storage.type.string", "string"),
    ("constant.character.escape", "string"),
    ("constant.numeric", "number"),
    ("constant.language.ellipsis", "operator"),
    ("constant.language", "keyword"),
    ("keyword.operator.word", "keyword"),
    ("keyword.operator", "operator"),
    ("keyword", "keyword"),
    ("variable.language", "keyword"),
    ("support.class.layer", "layer"),
    ("support.function", "function"),
    ("support.type", "type"),
    ("entity.name", "name"),
    ("variable", "name"),
)
HOSTILE = ("a.", "a ", "a:", "(", "f'{", "\\", "input x, ", "-> ", "1.", "{ |", "[a")


def kind_of(scopes: Sequence[str]) -> str:
    """The kind that the innermost scope with a kind says."""
    for scope in reversed(scopes):
        for start, kind in KINDS:
            if scope.startswith(f"{start}."):
                return kind
    return "punctuation"


def scopes_of(texts: Sequence[str]) -> list[list[tuple[int, int, list[str]]]]:
    done = subprocess.run(
        ["node", str(HERE / "textmate.mjs"), str(GRAMMAR)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[tuple[int, int, list[str]]]] = json.loads(done.stdout)
    return found


@cache
def kinds() -> dict[Path, list[str | None]]:
    """The kind of each character of each file."""
    texts = [read_text(p).text for p in FILES]
    made = {}
    for path, text, found in zip(FILES, texts, scopes_of(texts), strict=True):
        made[path] = [None] * len(text)
        for start, end, scopes in found:
            made[path][start:end] = [kind_of(scopes)] * (end - start)
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_engine_sees_what_the_parser_sees(path: Path) -> None:
    assert differences(read_text(path), kinds()[path]) == []


def test_mistakes_stay_in_their_line() -> None:
    text = 'net A:\n    x -> f"{a -> b\n    x -> fc: Linear(3)\n'
    (found,) = scopes_of([text])
    at = text.index("Linear")
    (scopes,) = [s for start, end, s in found if start <= at < end]
    assert kind_of(scopes) == "layer"
    assert not any("string" in s for s in scopes)


@pytest.mark.parametrize("part", HOSTILE)
def test_no_line_is_slow(part: str) -> None:
    # An editor stops at lines of 20,000 characters.
    start = time.monotonic()
    scopes_of([part * (20_000 // len(part))])
    assert time.monotonic() - start < 30
