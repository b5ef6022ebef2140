"""An editor asks again after each key: only what changed is parsed and walked."""

from __future__ import annotations

from pathlib import Path

import pytest

from netdsl.compiler import Session
from netdsl.diagnostics import Diagnostic
from netdsl.parse import Parser
from netdsl.source import Chunk

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.net"))

TEXT = """\
net Body(width: int):
    input x: [N, C]
    x -> fc: Linear(width) -> relu

net Head(classes: int):
    input x: [N, C]
    x -> fc: Linear(classes, bais=False)

net Model(classes: int = 10):
    input x: [N, 20]
    x -> body: Body(32) -> head: Head(classes)

net Other:
    input x: [N, 20]
    x -> fc: Linear(5) -> nonsense

expect Body(width=3, C=2) params == 10
"""


class Counter:
    """Which chunks a session's parser really parses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.parsed: list[str] = []
        run = Parser.run

        def counted(parser: Parser, chunk: Chunk, start: str, limits: object) -> object:
            if start == "item":
                self.parsed.append(chunk.text.split("(")[0].split(":")[0].strip())
            return run(parser, chunk, start, limits)  # type: ignore[arg-type]

        monkeypatch.setattr(Parser, "run", counted)

    def taken(self) -> list[str]:
        parsed, self.parsed = self.parsed, []
        return parsed


def told(session: Session, text: str) -> list[tuple[object, ...]]:
    """All that a message says, its places as offsets in the whole text."""
    return [_flat(d) for d in session.analyse("a.net", text.encode()).diagnostics]


def _flat(d: Diagnostic) -> tuple[object, ...]:
    labels = [
        (x.text, x.span.offset, x.span.text, x.span.source.name) for x in d.labels
    ]
    place = (d.span.offset, d.span.line, d.span.text)
    return (d.level, d.code, d.text, d.note, d.help, place, labels)


EDITS = {
    "a line ahead": ("net Body", "# a comment\n\nnet Body"),
    "a line inside": ("x -> body: Body(32)", "y = x + 1\n    y -> body: Body(32)"),
    "a mistake mended": ("bais", "bias"),
    "a mistake made": ("Body(32)", "Bod(32)"),
    "a syntax error": ("Linear(width)", "Linear(width"),
    "an item gone": ("net Other:\n    input x: [N, 20]\n", "net Some:\n"),
    "a need changed": ("[N, C]\n    x -> fc: Linear(width)", "[N, 7]\n    x -> relu"),
    "a parameter more": ("Head(classes: int)", "Head(classes: int, extra: int)"),
    "an expectation": ("params == 10", "params == 9"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("edit", EDITS)
def test_second_run_says_what_a_fresh_one_says(edit: str) -> None:
    session = Session()
    first = told(session, TEXT)
    assert first == told(Session(), TEXT)
    edited = TEXT.replace(*EDITS[edit], 1)
    assert told(session, edited) == told(Session(), edited)
    # And back again.
    assert told(session, TEXT) == first


def test_only_the_edited_item_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter(monkeypatch)
    session = Session()
    told(session, TEXT)
    assert counter.taken() == [
        *("net Body", "net Head", "net Model", "net Other", "expect Body")
    ]
    told(session, TEXT)
    assert counter.taken() == []
    told(session, TEXT.replace("Linear(5)", "Linear(6)"))
    assert counter.taken() == ["net Other"]
    told(session, "# moved\n\n" + TEXT.replace("Linear(5)", "Linear(6)"))
    assert counter.taken() in ([], ["net Body"])


def test_equal_items_keep_places_of_their_own() -> None:
    twice = "net A:\n    input x: [N, 3]\n    x -> nonsense\n\n" * 2
    session = Session()
    told(session, twice)
    assert told(session, "\n" + twice) == told(Session(), "\n" + twice)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_line_of_an_example_can_go(path: Path) -> None:
    """Each line away in turn, in one session: the messages are those of a fresh one."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    session = Session()
    # One in seven: each costs a fresh run to compare with.
    for i in range(0, len(lines), max(7, len(lines) // 6)):
        text = "".join(lines[:i] + lines[i + 1 :])
        assert told(session, text) == told(Session(), text), lines[i]
