"""The syntax file and the settings, in Vim and in Neovim."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from token_kinds import FILES, HOME, Text, differences, read_text

HERE = Path(__file__).parent
EDITORS = {
    "vim": ("vim", "-u", "NONE", "-N", "-es", "--not-a-term"),
    "nvim": ("nvim", "-u", "NONE", "--headless", "-es"),
}
KINDS = {
    "netComment": "comment",
    "netString": "string",
    "netEscape": "string",
    "netBraces": "string",
    "netHoleBrace": "hole",
    "netNumber": "number",
    "netHead": "keyword",
    "netControl": "keyword",
    "netConstant": "keyword",
    "netWordOperator": "keyword",
    "netOwn": "keyword",
    "netOperator": "operator",
    "netType": "type",
    "netLayer": "layer",
    "netFunction": "function",
}


def run(editor: str, script: Path, *files: Path, **env: str) -> None:
    done = subprocess.run(
        [
            *EDITORS[editor],
            *("--cmd", f"set runtimepath^={HOME}/grammar/vim"),
            *("--cmd", "filetype plugin indent on | syntax on"),
            *("-S", str(script), *map(str, files)),
        ],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stderr == ""


@pytest.fixture(scope="module", params=EDITORS)
def groups(request: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The syntax group of each byte of each file."""
    out = tmp_path_factory.mktemp("groups") / "groups.json"
    run(request.param, HERE / "groups.vim", *FILES, GROUPS=str(out))
    made = json.loads(out.read_text(encoding="utf-8"))
    assert made["error"] == ""
    found: list[Any] = made["files"]
    return found


def kinds(text: Text, lines: list[list[str]]) -> list[str | None]:
    """The kinds of characters, of the groups of bytes."""
    found: list[str | None] = []
    for line, names in zip(text.text.split("\n"), lines, strict=False):
        at = 0
        for character in line:
            found.append(KINDS.get(names[at], "name"))
            at += len(character.encode())
        found.append(None)
    return found


def test_editor_sees_what_the_parser_sees(groups: list[Any]) -> None:
    for path, seen in zip(FILES, groups, strict=True):
        text = read_text(path)
        assert seen["filetype"] == "net"
        assert differences(text, kinds(text, seen["lines"])) == []


@pytest.mark.parametrize("editor", EDITORS)
def test_settings(editor: str, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"FOLDER": str(tmp_path), "RESULT": str(result), "PATH": path}
    run(editor, HERE / "settings.vim", **settings)
    made = json.loads(result.read_text(encoding="utf-8"))
    assert made["error"] == ""
    assert made["comment"] == "# why"
    assert made["width"] == [1, 4, 4]
    assert made["format"] == "netdsl fmt -"
    assert made["typed"] == [
        "net A(width: int):",
        "    input x: [N, C]",
        "    x -> fc: Linear(3)",
        "      -> relu",
        "    if C > 3:",
        "        x = x -> b: Linear(4)",
        "    else:",
        "        x = x + 1",
    ]
    ((line, column, kind, text),) = made["found"]
    assert (line, column, kind) == (3, 10, "e")
    assert "there is no layer or net called `Liner`" in text
