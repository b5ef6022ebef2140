"""Pyright, which runs on Node, heeds a stub as mypy does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stub_project import WRONG, refused, write_project


def test_pyright_knows_the_nets(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    right = pyright(project, "right.py")
    assert "0 errors" in right, right
    wrong = pyright(project, "wrong.py")
    assert refused(wrong) == WRONG, wrong


def pyright(folder: Path, name: str) -> str:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr
