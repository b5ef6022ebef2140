"""Messages as people, editors, programs and GitHub see them."""

from __future__ import annotations

import json

import pytest

from netdsl import render
from netdsl.codes import CODES, explain
from netdsl.diagnostics import Diagnostic, Edit, Label
from netdsl.source import Chunk, Source, Span


def span(source: Source, found: str, *, length: int | None = None) -> Span:
    start = source.text.index(found)
    chunk = Chunk(source, 0, source.text)
    return Span(chunk, start, start + (len(found) if length is None else length))


def message(line: str, found: str, /, **more: object) -> Diagnostic:
    fields = {"level": "error", "code": "wrong-type", "text": "no"}
    source = Source("a.net", line)
    return Diagnostic(**fields | {"span": span(source, found)} | more)  # type: ignore[arg-type]


RESIDUAL = Source(
    "residual.net",
    """\
net Residual:
    input x: [N, 64, 64, 32]

    # a block
    # of two
  x -> { main: Conv2d(128, 3, bias=True)
         -> relu
       | skip
       } -> add
""",
)


def residual() -> Diagnostic:
    return Diagnostic(
        "error",
        "branch-mismatch",
        "`add` joins branches of different shape",
        span(RESIDUAL, "add"),
        "size 1 is 128 and 64",
        (
            Label(span(RESIDUAL, "skip"), "[N, 64, 64, 32]"),
            Label(span(RESIDUAL, "main"), "[N, 128, 64, 32]"),
        ),
        "project the other branch: `| down: Conv2d(128, 1)`",
    )


def test_labels_stand_in_order_of_position() -> None:
    assert render.render_text(residual()) == ("""\
error[branch-mismatch]: `add` joins branches of different shape
  --> residual.net:9:13
 6 |   x -> { main: Conv2d(128, 3, bias=True)
   |          ---- [N, 128, 64, 32]
 8 |        | skip
   |          ---- [N, 64, 64, 32]
 9 |        } -> add
   |             ^^^ size 1 is 128 and 64
   = help: project the other branch: `| down: Conv2d(128, 1)`
""")


def test_distant_lines_and_other_files() -> None:
    other = Source("blocks.net", "\n" * 9 + "net Block:\n")
    labels = (
        Label(span(other, "Block"), "declared here"),
        Label(span(RESIDUAL, "x"), "comes in here"),
    )
    d = residual()._replace(labels=labels, help="")
    assert render.render_text(d) == ("""\
error[branch-mismatch]: `add` joins branches of different shape
   --> residual.net:9:13
  2 |     input x: [N, 64, 64, 32]
    |           - comes in here
...
  9 |        } -> add
    |             ^^^ size 1 is 128 and 64
   ::: blocks.net:10:5
 10 | net Block:
    |     ----- declared here
""")


def test_two_marks_on_one_line() -> None:
    d = message("x -> fc -> act", "act", note="here")
    d = d._replace(labels=(Label(span(d.span.source, "fc"), "[N, 4]"),))
    assert render.render_text(d).split("\n")[2:5] == [
        " 1 | x -> fc -> act",
        "   |      -- [N, 4]",
        "   |            ^^^ here",
    ]


@pytest.mark.parametrize(
    ("text", "found", "line", "pointer"),
    [
        ("\tx -> no", "no", "    x -> no", "         ^^"),
        ("ab\tno", "no", "ab  no", "    ^^"),
        ('f("层") -> no', "no", 'f("层") -> no', "           ^^"),
        ('"e\u0301" no', "no", '"e\u0301" no', "    ^^"),
        ('"한" "\u1112\u1161\u11ab" no', "no", None, "          ^^"),
        ("\x1b[31m no", "no", "\\x1b[31m no", "         ^^"),
        ("a\u202eb no", "no", "a\\u202eb no", "         ^^"),
        ("a\xa0no", "no", "a\\xa0no", "     ^^"),
        ("no", "no", "no", "^^"),
    ],
)
def test_columns(text: str, found: str, line: str | None, pointer: str) -> None:
    lines = render.render_text(message(text, found)).split("\n")
    assert lines[2] == f" 1 | {text if line is None else line}"
    assert lines[3] == f"   | {pointer}"


def test_places_without_a_character() -> None:
    source = Source("a.net", "ab\n\ncd")
    chunk = Chunk(source, 0, source.text)
    for at, place, shown, pointer in (
        (2, "1:3", " 1 | ab", "   |   ^"),
        (3, "2:1", " 2 |", "   | ^"),
        (6, "3:3", " 3 | cd", "   |   ^"),
    ):
        d = message("no", "no")._replace(span=Span(chunk, at, at))
        lines = render.render_text(d).split("\n")
        assert lines[1:4] == [f"  --> a.net:{place}", shown, pointer]


def test_a_span_of_several_lines_shows_its_first_and_its_last() -> None:
    d = message("x -> {  \n  a\n  | b } -> c", "{  \n  a\n  | b }", note="these")
    assert render.render_text(d).split("\n")[1:] == [
        "  --> a.net:1:6",
        " 1 | x -> {",
        "   |      ^",
        " 3 |   | b } -> c",
        "   |   ^^^^^ these",
        "",
    ]


def test_a_long_span_leaves_out_what_is_between() -> None:
    d = message("{\n" + "a\n" * 20 + "}", "{\n" + "a\n" * 20 + "}", note="all")
    assert render.render_text(d).split("\n")[2:] == [
        *("  1 | {", "    | ^", "...", " 22 | }", "    | ^ all", ""),
    ]


def test_a_span_that_ends_before_a_line_has_text_shows_its_first() -> None:
    d = message("ab\n  cd", "ab\n  ", note="open")
    assert render.render_text(d).endswith(" 1 | ab\n   | ^^ open\n")


def test_emoji_and_combining_marks_take_their_columns() -> None:
    for text, lead in (("\U0001f600 no", 3), ("e\u0301\u0302 no", 2), ("\u00e9 no", 2)):
        *_, pointer, _ = render.render_text(message(text, "no")).split("\n")
        assert pointer == "   | " + " " * lead + "^^"


def test_edits_are_part_of_json() -> None:
    d = message("x -> rleu", "rleu")
    d = d._replace(edits=(Edit(d.span, "relu"),))
    (edit,) = json.loads(render.render_json(d))["edits"]
    assert edit["text"] == "relu"
    assert [edit[k] for k in ("line", "column", "end_column")] == [1, 6, 10]


def test_a_file_without_text() -> None:
    source = Source("a.net", "")
    d = message("no", "no", note="byte 3", help="save it")
    d = d._replace(span=Span(Chunk(source, 0, ""), 0, 0))
    assert render.render_text(d) == (
        "error[wrong-type]: no\n  --> a.net:1:1\n"
        "   = note: byte 3\n   = help: save it\n"
    )


def test_long_lines_are_cut_around_the_span() -> None:
    text = "[" + "1, " * 300_000 + "oops" + ", 2" * 300_000 + "]"
    d = message(text, "oops", note="here")
    d = d._replace(labels=(Label(span(d.span.source, "["), "opened"),))
    shown = render.render_text(d)
    lines = shown.split("\n")
    assert max(map(len, lines)) <= render.LINE + len(" 1 | ")
    assert lines[2].startswith(" 1 | [1, 1") and lines[2].endswith("...")
    assert lines[3] == "   | - opened"
    assert lines[4].startswith(" 1 | ...") and lines[4].endswith("...")
    at = lines[5].index("^")
    assert lines[4][at : at + 4] == "oops" and lines[5][at:] == "^^^^ here"


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("before", [0, 1, 50, 100, 500])
@pytest.mark.parametrize("after", [0, 1, 50, 500])
@pytest.mark.parametrize("filler", ["-", "层", "\t"])
def test_a_cut_line_always_shows_the_span(
    width: int, before: int, after: int, filler: str
) -> None:
    d = message(filler * before + "oops" + filler * after, "oops")
    *_, line, pointer, _ = render.render_text(d, width=width).split("\n")
    assert render.columns(line) <= width + len(" 1 | ")
    ahead = line[: line.index("oops")]
    assert pointer == "   |" + " " * (render.columns(ahead) - 4) + "^^^^"


def test_a_long_span_ends_with_the_line_shown() -> None:
    d = message("a" * 1000, "a" * 1000)
    *_, line, pointer, _ = render.render_text(d).split("\n")
    assert line.endswith("a...") and len(pointer) == len(line) - 3


def test_ascii_terminals_get_escapes() -> None:
    shown = render.render_text(message('"层" no', "no", note="层"), ascii=True)
    assert shown.isascii()
    lines = shown.split("\n")
    assert lines[2] == ' 1 | "\\u5c42" no'
    assert lines[3] == "   |          ^^ \\u5c42"


def test_no_text_of_the_user_reaches_the_terminal_raw() -> None:
    evil = "\x1b[2J\r\n\x9b31m\u202e\x00"
    source = Source(f"{evil}.net", f'x = "{evil}"')
    d = message("no", "no", text=evil, note=evil, help=evil)
    d = d._replace(span=span(source, "x"), labels=(Label(span(source, "x"), evil),))
    for shown in (render.render_text(d), render.render_short(d), render.render_json(d)):
        assert not set(shown) & set("\x1b\r\x9b\u202e\x00")
    assert "\n" not in render.render_short(d) + render.render_github(d)


def test_long_texts_are_cut() -> None:
    shown = render.render_text(message("no", "no", text="a" * 10**6))
    assert len(shown) < 2 * render.MESSAGE


def test_colours_change_nothing_but_colours() -> None:
    import re

    coloured = render.render_text(residual(), color=True)
    assert coloured != render.render_text(residual())
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert bare == render.render_text(residual())


def test_short() -> None:
    assert render.render_short(residual()) == (
        "residual.net:9:13: error[branch-mismatch]: "
        "`add` joins branches of different shape"
    )


def test_json() -> None:
    record = json.loads(render.render_json(residual()))
    assert list(record) == [
        *("level", "code", "message", "note", "help"),
        *("file", "line", "column", "end_line", "end_column", "labels", "edits"),
    ]
    place = [record[k] for k in ("line", "column", "end_line", "end_column")]
    assert place == [9, 13, 9, 16]
    assert record["labels"][1] == {
        "text": "[N, 128, 64, 32]",
        "file": "residual.net",
        "line": 6,
        "column": 10,
        "end_line": 6,
        "end_column": 14,
    }


def test_github() -> None:
    source = Source("a,b:c.net", "no")
    d = message("no", "no", text="50%\nno", level="hint", help="do\nthis")
    assert render.render_github(d._replace(span=span(source, "no"))) == (
        "::notice file=a%2Cb%3Ac.net,line=1,col=1,endColumn=3,title=wrong-type::"
        "50%25%0Ano%0Ahelp: do%0Athis"
    )


def test_every_code_is_explained() -> None:
    for code, about in CODES.items():
        page = explain(code)
        assert page.startswith(f"{code}: {about.title}\n")
        assert max(map(len, about.explanation.split("\n"))) <= 84
        assert bool(about.example) == bool(about.mended)
        assert about.example != about.mended or not about.example


def test_codes_are_found_as_people_type_them() -> None:
    assert explain(" Shape_Mismatch ") == explain("shape-mismatch")
    with pytest.raises(LookupError, match="did you mean `shape-mismatch`"):
        explain("shape-mismach")
    with pytest.raises(LookupError, match="lists them all"):
        explain("xyzzy")
