"""A second look at an edited file walks what changed, and says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from netdsl import compiler
from netdsl.compiler import Session

TEXT = Path(__file__).parents[1].joinpath("examples", "resnet.net").read_text()
SMALL = """
net A(width: int = 4):
    input x: [N, 8]
    x -> fc: Linear(width)

net B():
    input x: [N, 8]
    x -> a: A(3) -> out: Linear(2)

net C():
    input x: [N, 8]
    x -> fc: Linear(5)

expect B params == 35
expect C([N, 8]) == [N, 5]
"""

EDITS = [
    ("", "", ""),
    ("a line above", "net A", "# one more line\n\nnet A"),
    ("a mistake", "Linear(width)", "Linear(widht)"),
    ("another number", "A(3)", "A(4)"),
    ("a net gone", "net C", "net D"),
    ("a bracket open", "Linear(5)", "Linear(5"),
]


def said(session: Session, text: str) -> list[tuple[str, int, str]]:
    found = session.analyse("model.net", text.encode()).diagnostics
    return [(d.code, d.span.line, d.text) for d in found]


@pytest.mark.parametrize(("what", "old", "new"), EDITS, ids=[e[0] for e in EDITS])
def test_an_edit_gives_the_messages_of_a_fresh_run(what, old, new):
    session = Session()
    said(session, SMALL)
    edited = SMALL.replace(old, new)
    assert said(session, edited) == said(Session(), edited)
    assert said(session, SMALL) == said(Session(), SMALL)


def test_only_what_an_edit_reaches_is_walked_again(monkeypatch):
    session = Session()
    said(session, SMALL)
    walked = []
    real = compiler.walk_item

    def noted(program, item):
        walked.append(item.span.text.split("\n")[0])
        real(program, item)

    monkeypatch.setattr(compiler, "walk_item", noted)
    said(session, "# above\n" + SMALL)
    assert walked == []
    said(session, SMALL.replace("Linear(5)", "Linear(6)"))
    assert walked == ["net C():", "expect C([N, 8]) == [N, 5]"]
    said(session, SMALL)
    walked.clear()
    said(session, SMALL.replace("int = 4", "int = 6"))
    assert [w.split("(")[0] for w in walked] == [
        "net A", "net B", "expect B params == 35"
    ]  # fmt: skip


def test_a_file_with_net_parameters_says_the_same():
    session = Session()
    broken = TEXT.replace("[2, 2, 2, 2]", '[2, 2, 2, "a"]', 1)
    for text in (TEXT, broken, TEXT):
        assert said(session, text) == said(Session(), text)
