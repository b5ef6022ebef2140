"""Messages, as people see them: `corpus/errors/CODE/NAME.net` gets `NAME.txt`.

Where the messages are sure of a repair, `NAME.fixed` is what `--fix` makes of the
file.  A near miss, `NAME.ok.net`, gets no message at all.  The first line of each
case is a comment that says what it shows.  Folders below a code's hold files to import.
`pytest tests/test_error_corpus.py --update` rewrites the texts, for review.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from netdsl import compiler
from netdsl.codes import CODES
from netdsl.compiler import Outcome
from netdsl.diagnostics import Diagnostic
from netdsl.files import directory_reader
from netdsl.fixing import fix
from netdsl.limits import Limits
from netdsl.render import render_text

PACKAGE = Path(compiler.__file__).parent
CORPUS = Path(__file__).parent / "corpus" / "errors"
NEAR_MISSES = sorted(CORPUS.glob("*/*.ok.net"))
CASES = sorted(set(CORPUS.glob("*/*.net")) - set(NEAR_MISSES))

# Codes that no file can get.
BUGS = {"internal"}
# Cases that would be long files under the usual limits.
LIMITS = {"too-large": Limits(source_bytes=200)}
EXTERNS = {"Known": "torch.nn"}


def case_id(path: Path) -> str:
    return path.relative_to(CORPUS).as_posix()


def compiled(path: Path) -> Outcome:
    """What checking says, and what only compiling finds after it."""
    limits = LIMITS.get(path.parent.name)
    reader = directory_reader("")
    name, data = path.name, path.read_bytes()
    outcome = compiler.check(name, data, reader=reader, limits=limits)
    if any(d.level == "error" for d in outcome.diagnostics):
        return outcome
    return compiler.compile(name, data, reader=reader, externs=EXTERNS, limits=limits)


@pytest.fixture(autouse=True)
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are named as who stands in their folder names them."""
    if "path" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("path").parent)


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_messages(path: Path, update: bool) -> None:
    found = compiled(path).diagnostics
    text = "\n".join(render_text(d) for d in found)
    expected = path.with_suffix(".txt")
    if update:
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert path.parent.name in {d.code for d in found}
    assert not any(d.code in BUGS for d in found)
    offsets = [d.span.offset for d in found if d.span.source.name == path.name]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_messages_hold_words_alone(path: Path) -> None:
    """No object of Python's shows itself in a message."""
    for d in compiled(path).diagnostics:
        for text in (d.text, d.note, d.help, *(label.text for label in d.labels)):
            assert "netdsl." not in text and " at 0x" not in text
            assert "#" not in text.replace("`#`", "")
            assert text.count("`") % 2 == 0
            assert "\n" not in text and text == text.strip()
        assert not d.text.endswith(".")


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_repairs(path: Path, update: bool) -> None:
    """What `--fix` makes of a case, and that it makes it no worse."""
    reader, limits = directory_reader(""), LIMITS.get(path.parent.name)

    def check(data: bytes) -> tuple[Diagnostic, ...]:
        return compiler.check(path.name, data, reader=reader, limits=limits).diagnostics

    data = path.read_bytes()
    fixed = fix(path.name, data, check)
    expected = path.with_suffix(".fixed")
    if update:
        expected.unlink(missing_ok=True)
        if fixed.mended:
            expected.write_bytes(fixed.data)
    if not fixed.mended:
        assert fixed.data == data and not expected.exists()
        return
    assert fixed.data == expected.read_bytes()
    left = [d for d in check(fixed.data) if d.level == "error"]
    before = [d for d in check(data) if d.level == "error"]
    assert len(left) <= len(before)
    assert fix(path.name, fixed.data, check).mended == 0


@pytest.mark.parametrize("path", NEAR_MISSES, ids=case_id)
def test_near_misses(path: Path) -> None:
    outcome = compiled(path)
    assert [render_text(d) for d in outcome.diagnostics] == []
    assert outcome.text


@pytest.mark.parametrize("path", [*CASES, *NEAR_MISSES], ids=case_id)
def test_the_first_line_says_what_it_shows(path: Path) -> None:
    first = path.read_bytes().split(b"\n", 1)[0]
    assert first.startswith((b"# ", b"\xef\xbb\xbf# ")) and len(first) > 10


@pytest.mark.parametrize("code", sorted(set(CODES) - BUGS))
def test_each_code_has_a_case_and_a_near_miss(code: str) -> None:
    assert any(path.parent.name == code for path in CASES)
    assert any(path.parent.name == code for path in NEAR_MISSES)


def test_nothing_lies_about() -> None:
    folders = {path.name for path in CORPUS.iterdir()}
    assert folders <= set(CODES)
    texts = set(CORPUS.glob("*/*.txt"))
    assert texts == {path.with_suffix(".txt") for path in CASES}
    fixed = {path.with_suffix(".net") for path in CORPUS.glob("*/*.fixed")}
    assert fixed <= set(CASES)


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 300
    assert len(set(CORPUS.glob("*/*.fixed"))) >= 100


# -- the codes in the code -------------------------------------------------------

# Where a call has the code of a message, counted from 0.
_PLACES = {
    "error": 0,
    "warning": 0,
    "stop": 0,
    "Refusal": 0,
    "Diagnostic": 1,
}


def words(node: ast.expr) -> Iterator[str]:
    """The strings that an expression may be."""
    if isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def codes_used() -> set[str]:
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = (
                    node.targets if isinstance(node, ast.Assign) else [node.target]
                )
                if any(isinstance(t, ast.Name) and t.id == "code" for t in targets):
                    found.update(words(node.value))
            if isinstance(node, ast.arg | ast.keyword) and node.arg == "code":
                if isinstance(node, ast.keyword):
                    found.update(words(node.value))
            if isinstance(node, ast.FunctionDef):
                defaults = dict(
                    zip(
                        reversed(node.args.args),
                        reversed(node.args.defaults),
                        strict=False,
                    )
                )
                for argument, default in defaults.items():
                    if argument.arg == "code":
                        found.update(words(default))
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                place = _PLACES.get(name)
                if place is not None and len(node.args) > place:
                    found.update(words(node.args[place]))
                elif name == "ImportRefused" and len(node.args) > 2:
                    found.update(words(node.args[2]))
    return found


def test_the_table_has_the_codes_that_are_used() -> None:
    used = {word for word in codes_used() if "-" in word or word in CODES}
    assert used - set(CODES) == set()
    assert set(CODES) - used - BUGS == set()
