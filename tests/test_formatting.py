"""`netdsl fmt`: one form, every comment at its place, the meaning unchanged.

`corpus/format/NAME.net` becomes `NAME.formatted.net`; its first line says what it
shows.  `pytest tests/test_formatting.py --update` rewrites what is expected.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from net_texts import PROGRAMS, Place, noisy, places

import netdsl
from netdsl import CompileError, formatting
from netdsl.cli import cli
from netdsl.diagnostics import Report
from netdsl.formatting import Formatted, Formatter
from netdsl.formatting.printer import WIDTH
from netdsl.formatting.sameness import same
from netdsl.limits import Limits
from netdsl.parse import Parser
from netdsl.source import Source
from netdsl.syntax import Item

HOME = Path(__file__).parent
CORPUS = HOME / "corpus" / "format"
CASES = sorted(p for p in CORPUS.glob("*.net") if "formatted" not in p.name)
EXAMPLES = sorted((HOME.parent / "examples").rglob("*.net"))
OTHERS = sorted((HOME / "corpus" / "compile").glob("*.net"))
SECONDS = 120  # tells a hang, whatever else the machine is doing


FORMATTER = Formatter()
PARSER = Parser()


def canonical(data: str | bytes) -> Formatted:
    data = data.encode() if isinstance(data, str) else data
    return FORMATTER.canonical("a.net", data)


def formatted(text: str) -> str:
    done = canonical(text)
    assert done.text is not None, CompileError(done.diagnostics)
    return done.text


def tree(text: str) -> tuple[Item, ...]:
    report = Report()
    program = PARSER.parse(Source("a.net", text), report, Limits())
    assert not report.failed, text
    return program.items


def spaced(found: list[Place]) -> list[Place]:
    """Comments begin with a blank, but for those that tools read."""
    return [Place(at, re.sub(r"^#(?=[^ \t!:#'])", "# ", c)) for at, c in found]


def check(text: str) -> str:
    """What holds of every text and its canonical form, which is given back."""
    done = formatted(text)
    assert same(tree(text), tree(done))
    assert spaced(places(text)) == places(done)
    assert formatted(done) == done
    assert not done or done == done.strip("\n") + "\n"
    return done


# -- the corpus -------------------------------------------------------------------


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_case(path: Path, update: bool) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), "the first line says what it shows"
    done = check(text)
    expected = path.with_suffix(".formatted.net")
    if update:
        expected.write_text(done, encoding="utf-8")
    assert done == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert check(text) == text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_what_can_be_broken_keeps_the_width(path: Path) -> None:
    """Docstrings and lists of declarations on one line may be longer."""
    for line in path.read_text(encoding="utf-8").splitlines():
        assert len(line) <= WIDTH or '"""' in line, line


# -- properties -------------------------------------------------------------------

SLOW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(st.data())
def test_examples_with_comments_everywhere(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([*EXAMPLES, *OTHERS, *CASES]))
    items = path.read_text(encoding="utf-8").split("\n\nnet ")
    text = data.draw(st.sampled_from(items[1:] or items))
    text = text if len(items) == 1 else f"net {text}"
    check(data.draw(noisy(text)))


@SLOW
@given(st.data())
def test_drawn_programs(data: st.DataObject) -> None:
    text = data.draw(PROGRAMS)
    done = check(text)
    check(data.draw(noisy(text)))
    check(data.draw(noisy(done)))


@SLOW
@given(PROGRAMS)
def test_line_ends_and_a_missing_last_one(text: str) -> None:
    done = formatted(text)
    assert formatted(text.rstrip("\n")) == done
    crlf = canonical(text.replace("\n", "\r\n")).text
    assert crlf == done.replace("\n", "\r\n")
    assert canonical("\ufeff" + text).text == done


# -- what can go wrong ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n  \n",
        "# a comment and nothing else",
        "#" * 1_000_000,
        "let a = [" + "1, " * 5_000 + "1]\n",
        "let a = [" + "1,\n" * 5_000 + "1]\n",
        "net A:\n    x" + " -> relu" * 3_000 + "\n",
        "net A:\n    x" + "\n  -> relu" * 3_000 + "\n",
        "net A:\n    x\n" * 1_000,
        "let a = " + "[" * 64 + "1" + "]" * 64 + "\n",
        "let a = " + "f(" * 60 + "a_name_that_takes_some_width" + ", b)" * 60 + "\n",
        "net A = " + "{ a | b -> " * 50 + "relu" + " }" * 50 + "\n",
        "let a = " + "a_name + " * 60 + "1" + " if b else c\n",
        "".join(f"{'    ' * i}if x:\n" if i else "net A:\n" for i in range(60))
        + "    " * 60
        + "x\n",
        'let a = "' + "é" * 500_000 + '"\n',
        "let a = (1" + "  # one\n " * 100_000 + ")\n",
    ],
    ids=lambda text: ascii(text)[:32],
)
def test_large_and_deep_texts(text: str) -> None:
    start = time.perf_counter()
    done = canonical(text).text
    assert done is not None
    assert done.split() if text.split() else done == ""
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize(
    "data",
    [
        b"net A:\n    x ->\n",
        b"let a = " + b"(" * 65 + b"1" + b")" * 65,
        b"net A\n" + b"let b = 2\n" * 10,
        b"let a = \xff",
        b"let a = 1\0",
        b"a" * (2**20 + 1),
        b"let a = 1" + b" + 1" * 300,
    ],
    ids=lambda data: ascii(data)[:32],
)
def test_what_cannot_be_read_gets_messages(data: bytes) -> None:
    done = canonical(data)
    assert done.text is None
    assert any(d.level == "error" for d in done.diagnostics)


def test_a_changed_meaning_is_a_mistake_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.net"
    path.write_text("let a=1  # one\n")
    module = formatting.formatter
    for wrong in ("let a = 2  # one\n", "let a = 1\n", "let a = \n"):
        monkeypatch.setattr(module, "laid_out", lambda *_, text=wrong: text)
        result = run("fmt", str(path))
        assert result.exit_code == 3
        assert "netdsl itself failed" in result.stderr
        assert path.read_text() == "let a=1  # one\n"


# -- the verb and the door ------------------------------------------------------------

UGLY = "net A=[Linear(8),ReLU]  #chain\n"
FINE = "net A = [Linear(8), ReLU]  # chain\n"
BROKEN = "net A [Linear(8)]\n"


def run(*arguments: str, input: str | bytes = "") -> Result:
    return CliRunner().invoke(cli, arguments, input=input)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_formats_files_and_folders(folder: Path) -> None:
    Path("deep/er").mkdir(parents=True)
    for name in ("a.net", "deep/b.net", "deep/er/c.net"):
        Path(name).write_text(UGLY)
    Path("deep/fine.net").write_text(FINE)
    result = run("fmt", "deep")
    assert result.exit_code == 0 and result.stdout == ""
    assert "wrote deep/er/c.net" in result.stderr
    assert "3 files formatted: 2 changed" in result.stderr
    assert [Path(n).read_text() for n in ("a.net", "deep/b.net")] == [UGLY, FINE]
    # Without a path, all below this folder.
    assert "4 files formatted: 1 changed" in run("fmt").stderr
    assert "4 files formatted: none changed" in run("fmt").stderr


def test_check_and_diff_write_nothing(folder: Path) -> None:
    Path("a.net").write_text(UGLY)
    Path("fine.net").write_text(FINE)
    checked = run("fmt", "--check", "a.net", "fine.net")
    assert checked.exit_code == 1
    assert "a.net would change" in checked.stderr
    assert "fine.net would" not in checked.stderr
    shown = run("fmt", "--diff", "a.net", "fine.net")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-2:] == ["-" + UGLY.strip(), "+" + FINE.strip()]
    assert run("fmt", "--diff", "--check", "a.net").exit_code == 1
    assert run("fmt", "--check", "fine.net").exit_code == 0
    assert Path("a.net").read_text() == UGLY


def test_a_diff_of_a_file_without_a_last_line_end_applies(folder: Path) -> None:
    Path("a.net").write_text(UGLY.rstrip("\n"))
    assert run("fmt", "--diff", "a.net").stdout.splitlines()[-3:] == [
        "-" + UGLY.strip(),
        "\\ No newline at end of file",
        "+" + FINE.strip(),
    ]


def test_standard_input(folder: Path) -> None:
    assert run("fmt", "-", input=UGLY).stdout == FINE
    crlf = run("fmt", "-", input=UGLY.replace("\n", "\r\n").encode())
    assert crlf.stdout_bytes == FINE.replace("\n", "\r\n").encode()
    assert run("fmt", "-", "--check", input=FINE).exit_code == 0
    assert run("fmt", "-", "--check", input=UGLY).exit_code == 1
    assert "+" + FINE in run("fmt", "-", "--diff", input=UGLY).stdout
    broken = run("fmt", "-", input=BROKEN)
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "syntax-error" in broken.stderr


def test_one_broken_file_leaves_the_others_to_be_done(folder: Path) -> None:
    for name, text in {"a.net": UGLY, "b.net": BROKEN, "c.net": UGLY}.items():
        Path(name).write_text(text)
    result = run("fmt", "a.net", "b.net", "none.net", "c.net")
    assert result.exit_code == 2
    assert "b.net:1:7" in result.stderr
    assert "no file `none.net`" in result.stderr
    texts = [Path(f"{n}.net").read_text() for n in "abc"]
    assert texts == [FINE, BROKEN, FINE]
    assert run("fmt", "a.net", "b.net", "--error-format", "json").exit_code == 1


def test_a_file_is_written_whole_and_keeps_its_mode(folder: Path) -> None:
    path = folder / "a.net"
    path.write_text(UGLY)
    path.chmod(0o640)
    link = folder / "link.net"
    link.symlink_to(path)
    assert run("fmt", str(link)).exit_code == 0
    assert link.is_symlink() and path.read_text() == FINE
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(folder)) == ["a.net", "link.net"]


def test_a_wrong_shape_is_none_of_its_business() -> None:
    text = "net A:\n    input x: [N, 3]\n    x->fc:Linear(2, in_features=4)\n"
    assert netdsl.format(text).endswith("x -> fc: Linear(2, in_features=4)\n")


def test_the_door() -> None:
    assert netdsl.format(UGLY) == FINE
    with pytest.raises(CompileError) as caught:
        netdsl.format(BROKEN)
    assert caught.value.diagnostics[0].code == "syntax-error"
    code = f"import netdsl, sys; netdsl.format({UGLY!r}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "black", "netdsl.compiler", "netdsl.elaborate"}
