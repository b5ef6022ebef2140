"""The wheel: built, installed elsewhere, and used there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent


def run(*command: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
        *("--outdir", str(folder), str(HOME)),
        cwd=folder,
    )
    (found,) = folder.glob("*.whl")
    return found


def test_wheel_holds_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "netdsl/grammar/net.lark",
        "netdsl/grammar/net.tmLanguage.json",
        "netdsl/grammar/vim/syntax/net.vim",
        "netdsl/net.table.json",
        "netdsl/py.typed",
    } <= names
    strays = {n for n in names if n.split("/")[0] not in ("netdsl",)}
    assert all(".dist-info/" in n for n in strays), strays
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_wheel_compiles_elsewhere(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
        *("--no-index", "--target", str(target), str(wheel)),
        cwd=tmp_path,
    )
    (tmp_path / "net").mkdir()
    source = tmp_path / "net" / "resnet.net"
    source.write_bytes((HOME / "examples" / "resnet.net").read_bytes())
    code = "import netdsl.parse.table as t; print(t.__file__, t.grammar_path())"
    found = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(target))
    module, grammar = map(Path, found.split())
    assert module.is_relative_to(target)
    assert grammar == target / "netdsl" / "grammar" / "net.lark"
    command = (sys.executable, "-m", "netdsl", "compile", "net/resnet.net")
    run(*command, cwd=tmp_path, PYTHONPATH=str(target))
    made = (tmp_path / "net" / "resnet.py").read_text("utf-8")
    assert made == (HOME / "examples" / "resnet.py").read_text("utf-8")
    version = (sys.executable, "-m", "netdsl", "--version")
    assert run(*version, cwd=tmp_path, PYTHONPATH=str(target)).startswith("netdsl ")
