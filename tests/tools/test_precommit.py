"""The hooks for pre-commit, run on a small repository by pre-commit itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from token_kinds import HOME

from netdsl import compile, files

GOOD = """net Small(classes: int):
    input x: [N, 8]
    x -> fc: Linear(classes)
"""
HOOKS = ("netdsl-check", "netdsl-fmt", "netdsl-compile")
# The hooks run the netdsl of the environment in which a user commits.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *IDENTITY, *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def repository(folder: Path) -> None:
    """Makes a folder a repository with all that is in it."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all", "--no-verify")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the checkout, as the repository that a user names."""
    folder = tmp_path_factory.mktemp("hooks")
    wanted = git(HOME, "ls-files", "--cached", "--others", "--exclude-standard")
    for name in wanted.splitlines():
        if (HOME / name).is_file() and not name.startswith(("tests/", "examples/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HOME / name, folder / name)
    repository(folder)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where pre-commit keeps the environments that it makes."""
    return str(tmp_path_factory.mktemp("store"))


def run(user: Path, store: str, hook: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pre_commit", "run", hook),
            *("--all-files", "--color", "never"),
        ],
        cwd=user,
        env={**os.environ, "PRE_COMMIT_HOME": store, "PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def user(tmp_path: Path, hooks: Path) -> Path:
    """A user's repository, in which all is well."""
    source = tmp_path / "small.net"
    source.write_text(GOOD, encoding="utf-8")
    made = files.with_footer(compile(source), "small.net")
    (tmp_path / "small.py").write_text(made, encoding="utf-8")
    (tmp_path / "readme.txt").write_text("net is no net\n", encoding="utf-8")
    ids = "".join(f"      - id: {hook}\n" for hook in HOOKS)
    version = git(hooks, "rev-parse", "HEAD").strip()
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks}\n    rev: {version}\n    hooks:\n{ids}",
        encoding="utf-8",
    )
    repository(tmp_path)
    return tmp_path


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_lets_pass(user: Path, store: str, hook: str) -> None:
    code, told = run(user, store, hook)
    assert code == 0, told
    assert "Passed" in told
    assert git(user, "status", "--porcelain") == ""


def change(user: Path, old: str, new: str) -> None:
    path = user / "small.net"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    git(user, "commit", "--quiet", "--all", "--message", "more")


def test_check_stops_a_mistake(user: Path, store: str) -> None:
    change(user, "Linear", "Liner")
    code, told = run(user, store, "netdsl-check")
    assert code == 1
    assert "error[unknown-layer]" in told


def test_fmt_formats(user: Path, store: str) -> None:
    change(user, "x -> fc: ", "x->fc:")
    code, told = run(user, store, "netdsl-fmt")
    assert code == 1
    assert "files were modified by this hook" in told
    assert (user / "small.net").read_text("utf-8") == GOOD


def test_compile_stops_stale_python(user: Path, store: str) -> None:
    change(user, "fc:", "head:")
    code, told = run(user, store, "netdsl-compile")
    assert code == 1
    assert "small.py would change" in told
