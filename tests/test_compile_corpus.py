"""`corpus/compile/NAME.net` becomes `NAME.py`, which is clean.

The first line of each case is a comment that says what it shows.
`pytest tests/test_compile_corpus.py --update` rewrites the Python, for review.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from netdsl import compiler
from netdsl.compiler import Outcome
from netdsl.files import directory_reader
from netdsl.render import render_text

CORPUS = Path(__file__).parent / "corpus" / "compile"
CASES = sorted(CORPUS.glob("*.net"))
EXTERNS = {"StochasticDepth": "torchvision.ops"}


def compiled(path: Path) -> Outcome:
    return compiler.compile(
        path.name,
        path.read_bytes(),
        reader=directory_reader(path.parent),
        externs=EXTERNS,
    )


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_case_becomes_the_python_beside_it(path: Path, update: bool) -> None:
    outcome = compiled(path)
    assert outcome.text is not None, "\n".join(
        render_text(d) for d in outcome.diagnostics
    )
    assert not outcome.diagnostics
    expected = path.with_suffix(".py")
    if update:
        expected.write_text(outcome.text, encoding="utf-8")
    assert outcome.text == expected.read_text(encoding="utf-8")


def test_the_corpus_says_what_it_shows() -> None:
    for path in CASES:
        assert path.read_text(encoding="utf-8").startswith("# "), path.name
    assert {p.stem for p in CORPUS.glob("*.py")} == {p.stem for p in CASES}


def test_the_python_is_clean() -> None:
    tools = (
        [
            "ruff",
            "check",
            "--isolated",
            "--select",
            "E,F,I,UP,B",
            "--line-length",
            "120",
        ],
        ["mypy", "--strict", "--follow-imports=silent"],
    )
    for tool in tools:
        command = [sys.executable, "-m", *tool, str(CORPUS)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout
