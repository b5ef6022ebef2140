"""The parser's loop reads what lark reads, and nothing else."""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netdsl import syntax
from netdsl.diagnostics import Report
from netdsl.limits import Limits
from netdsl.parse import Parser, decode
from netdsl.parse.building import Builder
from netdsl.parse.loop_table import loop_path
from netdsl.parse.table import grammar_path, make_parser
from netdsl.source import Chunk, Source, Span

HOME = Path(__file__).parent.parent
FILES = sorted((HOME / "examples").rglob("*.net")) + sorted(
    (HOME / "tests" / "corpus").rglob("*.net")
)
EXAMPLES = [f.read_text() for f in FILES if "corpus" not in f.parts]


@cache
def shared_lark() -> Any:
    return make_parser()


class Ours(Parser):
    """The parser as it is, but that it doesn't make a lark of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._lark = shared_lark()


class ByLark(Ours):
    """Reads with lark alone."""

    def run(self, chunk: Chunk, start: str, limits: Limits) -> Any:
        text = chunk.text if start == "test" else chunk.text.rstrip() + "\n"
        return self._by_lark(text, start, Builder(chunk, self.run, limits))


class Counting(Ours):
    """Counts what it leaves to lark."""

    left = 0

    def _by_lark(self, text: str, start: str, builder: Builder) -> Any:
        self.left += 1
        return super()._by_lark(text, start, builder)


def plain(node: Any) -> Any:
    """A tree as tuples, with its spans, which don't count where nodes are compared."""
    if isinstance(node, Span):
        return node.start, node.end
    if isinstance(node, syntax.Node):
        return type(node).__name__, *(plain(getattr(node, f)) for f in node.fields)
    return tuple(map(plain, node)) if isinstance(node, tuple) else node


def read(parser: Parser, data: bytes) -> tuple[Any, list[Any]]:
    report, limits = Report(), Limits()
    source = decode("text.net", data, report, limits)
    items = parser.parse(source, report, limits).items if source is not None else ()
    return plain(items), [(d.code, d.text, plain(d.span), d.help) for d in report]


def test_the_table_is_of_this_grammar() -> None:
    stamp = json.loads(loop_path().read_bytes())["grammar"]
    assert stamp == zlib.crc32(
        grammar_path().read_bytes()
    ), "run `python -m netdsl.parse`"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_both_read_every_file_alike(path: Path) -> None:
    data = path.read_bytes()
    assert read(Ours(), data) == read(ByLark(), data)


@pytest.mark.parametrize("text", EXAMPLES)
def test_lark_is_not_asked_about_what_is_right(text: str) -> None:
    parser = Counting()
    read(parser, text.encode())
    assert parser.left == 0


PIECES = st.sampled_from(
    "( ) [ ] { } , : -> | = == ** * // . ... + - 1 2.5 .5 x where input net if else for"
    ' in not is None True "s" \'q\' f"{x}" """d""" # \n \t @ ~ += % < 1e5 _'.split(" ")
)
LINES = [line for text in EXAMPLES for line in text.splitlines() if line.strip()]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=6), st.data())
def test_both_judge_broken_text_alike(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(["net A:", *lines])
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(PIECES) + text[at + cut :]
    raw = text.encode()
    assert read(Ours(), raw) == read(ByLark(), raw)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_both_read_values_alike(pieces: list[str]) -> None:
    text = " ".join(p for p in pieces if p != "\n")
    results = []
    for parser in (Ours(), ByLark()):
        report = Report()
        node = parser.expression(text, report, Limits())
        results.append((plain(node), [(d.code, d.text) for d in report]))
    assert results[0] == results[1]


def test_a_long_text_is_read_in_time_that_grows_with_it() -> None:
    text = "net A:\n    input x: [N, 4]\n" + "    x = x + 1\n" * 20_000
    source = Source("long.net", text)
    program = Parser().parse(source, Report(), Limits())
    assert len(program.items) == 1
