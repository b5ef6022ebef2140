"""An editor asks again after each key: only what changed is parsed and walked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from edits import edits
from long_file import long_file

from netdsl import syntax
from netdsl.compiler import Session
from netdsl.diagnostics import Diagnostic, Report
from netdsl.limits import Limits
from netdsl.parse import Parser
from netdsl.source import Chunk, Source, Span

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


# -- what an editor sends ----------------------------------------------------------


@pytest.mark.parametrize("name", ["tutorial.net", "resnet.net", "gpt2.net"])
def test_any_edit_leaves_what_a_fresh_run_says(name: str) -> None:
    """Random edits in one session; `NETDSL_EDITS` says how many."""
    original = (EXAMPLES[0].parent / name).read_text(encoding="utf-8")
    session = Session(observes=True)
    told(session, original)
    for text in edits(3, original, int(os.environ.get("NETDSL_EDITS", "15"))):
        assert told(session, text) == told(Session(), text), text


def flat(node: object) -> object:
    """A tree with its places, to be compared."""
    if isinstance(node, Span):
        return node.start, node.end, node.text
    if isinstance(node, tuple):
        return [flat(n) for n in node]
    if isinstance(node, syntax.Node):
        return type(node).__name__, [flat(getattr(node, f)) for f in node.fields]
    return node


def test_an_edited_item_has_the_tree_of_a_fresh_one() -> None:
    original = long_file(150, 120)
    parser = Parser()
    for text in (original, *edits(5, original, 40)):
        trees, reports = [], []
        for each in (parser, Parser()):
            report = Report()
            source = Source("a.net", text)
            trees.append(flat(each.parse(source, report, Limits()).items))
            reports.append([_flat(d) for d in report])
        assert trees[0] == trees[1]
        assert reports[0] == reports[1]


def test_statements_that_did_not_change_are_not_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = long_file(150, 120)
    session = Session()
    told(session, text)
    counter = Counter(monkeypatch)
    edited = text.replace("dropout(p)", "dropout(0.2)", 1)
    assert told(session, edited) == told(Session(), edited)
    assert counter.parsed[0] == "net _"
    assert counter.parsed.count("net _") == 1


def test_the_edited_item_comes_first() -> None:
    text = TEXT.replace("bais", "bias").replace("nonsense", "relu")
    text = text.replace("params == 10", "params == 9")
    session = Session()
    assert told(session, text) == []
    edited = text.replace("Linear(width)", "Linear(width, 3)")
    steps = list(session.analysing("a.net", edited.encode()))
    assert [d.code for d in steps[0].diagnostics] == ["too-many-arguments"]
    assert len(steps) > 1
    assert [_flat(d) for d in steps[-1].diagnostics] == told(Session(), edited)


def test_a_run_that_is_left_loses_nothing() -> None:
    session = Session()
    told(session, TEXT)
    for word in ("Body(3)", "Body(width=4)", "Body(5, 6)"):
        edited = TEXT.replace("Body(32)", word)
        next(session.analysing("a.net", edited.encode()))
        moved = edited.replace("fc: Linear(width)", "fc: Linear(2 * width)")
        steps = session.analysing("a.net", moved.encode())
        next(steps)
        del steps
        assert told(session, moved) == told(Session(), moved)


def test_classes_are_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    from netdsl.elaborate.defining import Definitions

    text = long_file(200, 60)
    session = Session()
    assert {line[0] for line in told(session, text)} <= {"warning"}
    walked: list[str] = []
    walk = Definitions.walk_definition

    def noted(self: Definitions, net: syntax.Net, *rest: object) -> object:
        walked.append(net.name)
        return walk(self, net, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Definitions, "walk_definition", noted)
    told(session, text.replace("dropout(p)", "dropout(0.2)", 1))
    changed = set(walked)
    assert changed < {f"Block{i}" for i in range(9)} | {"Model", "ConvNorm"}
    assert len([n for n in changed if n.startswith("Block")]) == 1
