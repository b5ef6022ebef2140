"""What a reviewer would run over generated Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

each_tool = pytest.mark.parametrize(
    "command",
    [
        ["black", "--check", "--quiet"],
        ["ruff", "check", "--isolated", "--no-cache", "--select", "E,F,I,UP,B",
         "--line-length", "120", "--target-version", "py311"],
        ["mypy", "--strict", "--config-file="],
    ],
    ids=["black", "ruff", "mypy"],
)  # fmt: skip


def assert_silent(command: list[str], sources: Iterable[Path]) -> None:
    """The tool has nothing to say of the Python beside `.net` files."""
    files = [str(source.with_suffix(".py")) for source in sources]
    run = subprocess.run(
        [sys.executable, "-m", *command, *files], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
