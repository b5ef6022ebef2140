"""Exact repairs: `netdsl check --fix`, and the same edits as SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netdsl import compiler
from netdsl.cli import cli
from netdsl.diagnostics import Diagnostic, Edit
from netdsl.fixing import fix
from netdsl.sarif import SCHEMA, Problem, render_log
from netdsl.source import Chunk, Source, Span
from netdsl.suggestions import did_you_mean, is_sure, nearest

WRONG = """\
net Small:
    input x: [N, 784]
    x -> fc1: nn.Linear(784, 128) -> rleu -> fc2 Linear(128, 10)
"""
RIGHT = """\
net Small:
    input x: [N, 784]
    x -> fc1: Linear(128) -> relu -> fc2: Linear(10)
"""


def check(data: bytes) -> tuple[Diagnostic, ...]:
    return compiler.check("a.net", data).diagnostics


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# -- what is made of a text ------------------------------------------------------


def test_mistakes_behind_mistakes_are_mended_round_by_round() -> None:
    fixed = fix("a.net", WRONG.encode(), check)
    assert fixed.data.decode() == RIGHT
    assert fixed.mended == 5


def test_line_ends_and_the_mark_of_the_file_stay() -> None:
    text = "\ufeff" + WRONG.replace("\n", "\r\n")
    fixed = fix("a.net", text.encode(), check)
    assert fixed.data.decode() == "\ufeff" + RIGHT.replace("\n", "\r\n")


def test_a_file_without_mistakes_is_left_alone() -> None:
    assert fix("a.net", RIGHT.encode(), check) == (RIGHT.encode(), 0)


def test_a_size_that_differs_is_the_writers_to_decide() -> None:
    text = "net A:\n    input x: [N, 8]\n    x -> fc: Linear(16, 4)\n"
    assert fix("a.net", text.encode(), check).mended == 0
    (message,) = check(text.encode())
    assert message.note == "16 is written, and 8 flows in"
    assert message.help == "if 8 is right, write `Linear(4)`"


def message(text: str, *edits: tuple[int, int, str]) -> Diagnostic:
    chunk = Chunk(Source("a.net", text), 0, text)
    made = tuple(Edit(Span(chunk, a, b), new) for a, b, new in edits)
    return Diagnostic("error", "wrong-type", "no", Span(chunk, 0, 1), edits=made)


def test_a_repair_that_makes_it_worse_is_not_made() -> None:
    """Of two, one that helps and one that doesn't, the first alone is made."""

    def judge(data: bytes) -> list[Diagnostic]:
        text = data.decode()
        wrong = [message(text, (0, 1, "A"))] if text[0] == "a" else []
        more = 3 if "B" in text else 1
        return wrong + [message(text, (1, 2, "B"))] * more

    fixed = fix("a.net", b"ab", judge)
    assert fixed == (b"Ab", 1)


def test_edits_that_overlap_are_not_made_together() -> None:
    def judge(data: bytes) -> list[Diagnostic]:
        text = data.decode()
        if text != "abcd":
            return []
        return [message(text, (0, 2, "X")), message(text, (1, 3, "Y"))]

    assert fix("a.net", b"abcd", judge) == (b"Xcd", 1)


def test_repairs_that_undo_each_other_end() -> None:
    def judge(data: bytes) -> list[Diagnostic]:
        text = data.decode()
        return [message(text, (0, 1, "b" if text == "a" else "a"))]

    assert fix("a.net", b"a", judge) == (b"b", 1)


def test_edits_of_other_files_are_not_made() -> None:
    other = message("net", (0, 3, "x"))
    assert fix("b.net", b"net", lambda data: [other]).mended == 0


# -- the command -----------------------------------------------------------------


def test_check_fix() -> None:
    Path("a.net").write_text(WRONG)
    Path("fine.net").write_text(RIGHT)
    Path("fine.net").chmod(0o444)
    result = run("check", "--fix", "a.net", "fine.net")
    assert result.exit_code == 0
    assert "a.net: 5 mistakes mended" in result.stderr
    assert "2 files checked: all fine" in result.stderr
    assert Path("a.net").read_text() == RIGHT


def test_what_is_left_is_told() -> None:
    Path("a.net").write_text(WRONG + "    y -> relu\n")
    result = run("check", "--fix", "a.net")
    assert result.exit_code == 1
    assert "there is no `y` here" in result.stderr
    assert "Linear(128) -> relu" in Path("a.net").read_text()


def test_fix_wants_files() -> None:
    result = run("check", "--fix", "-")
    assert result.exit_code == 2 and "--fix changes files" in result.stderr
    assert run("check", "--fix", "none.net").exit_code == 2


# -- SARIF -----------------------------------------------------------------------


def test_sarif_of_the_command() -> None:
    Path("a b.net").write_text(WRONG)
    result = run("check", "a b.net", "--error-format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.stderr)
    assert log["$schema"] == SCHEMA and log["version"] == "2.1.0"
    (ran,) = log["runs"]
    driver = ran["tool"]["driver"]
    assert driver["name"] == "netdsl" and driver["version"]
    for found in ran["results"]:
        rule = driver["rules"][found["ruleIndex"]]
        assert rule["id"] == found["ruleId"]
        assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"]
        assert found["level"] in ("none", "note", "warning", "error")
        assert found["message"]["text"]
        place = found["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "a%20b.net"}
        assert all(place["region"][k] >= 1 for k in ("startLine", "startColumn"))
    (change,) = ran["results"][0]["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "a%20b.net"}
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": ":"}
    region = replacement["deletedRegion"]
    assert (region["startLine"], region["startColumn"]) == (3, 49)
    assert (region["endLine"], region["endColumn"]) == (3, 49)


def test_sarif_of_a_run_that_finds_nothing() -> None:
    Path("a.net").write_text(RIGHT)
    log = json.loads(run("check", "a.net", "--error-format", "sarif").stderr)
    (ran,) = log["runs"]
    assert ran["results"] == [] and ran["tool"]["driver"]["rules"] == []
    assert ran["invocations"] == [{"executionSuccessful": True}]


def test_sarif_has_other_places_and_problems() -> None:
    text = "net A:\n    input x: [N, 8]\n    x -> a: Linear(4) -> a\n"
    found = check(text.encode())
    problem = Problem("there is no file", "b.net", "look")
    log = json.loads(render_log([*found, problem], "1.0", finished=False))
    (ran,) = log["runs"]
    (related,) = ran["results"][0]["relatedLocations"]
    assert related["message"]["text"] == "its sizes come from this use"
    (told,) = ran["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "there is no file\nhelp: look"


# -- which word was meant --------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "known", "meant", "sure"),
    [
        ("rleu", ["relu", "elu", "gelu"], "relu", True),
        ("Relu", ["relu", "ReLU"], "ReLU", True),
        ("batch_norm2d", ["BatchNorm1d", "BatchNorm2d"], "BatchNorm2d", True),
        ("conv1", ["conv2"], "conv2", False),
        ("Conv2", ["Conv1d", "Conv2d"], "Conv2d", True),
        ("dmi", ["dim", "input"], "dim", True),
        ("axis", ["dim", "input"], "dim", True),
        ("axis", ["other"], "", False),
        ("y", ["x"], "", False),
        ("weigth", ["weight", "height"], "weight", True),
        ("heigh", ["height", "weigh"], "height", False),
    ],
)
def test_nearest(word: str, known: list[str], meant: str, sure: bool) -> None:
    assert nearest(word, known) == meant
    assert is_sure(word, meant, known) is sure


def test_a_family_is_listed() -> None:
    advice = did_you_mean("Conv", ["Conv1d", "Conv2d", "Conv3d"])
    assert advice.text == "did you mean `Conv1d`, `Conv2d` or `Conv3d`?"
    assert advice.edits == ()
