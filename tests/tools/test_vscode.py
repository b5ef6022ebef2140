"""The extension for VS Code: packaged, and its parts held to the language."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from token_kinds import FILES, HOME, read_text

from netdsl import compiler

HERE = Path(__file__).parent
EXTENSION = HOME / "grammar" / "vscode"
# No machine answers there: whatever asks the network fails.
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def read(name: str) -> Any:
    return json.loads((EXTENSION / name).read_text(encoding="utf-8"))


def run(*command: str, **env: str) -> str:
    done = subprocess.run(
        command,
        cwd=EXTENSION,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def package(path: Path) -> bytes:
    run("node", "package.mjs", "--out", str(path), **OFFLINE)
    return path.read_bytes()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("extension") / "first.vsix"
    package(path)
    return path


# -- the package -------------------------------------------------------------------


def test_same_bytes_each_time(archive: Path, tmp_path: Path) -> None:
    assert package(tmp_path / "second.vsix") == archive.read_bytes()


def test_package_holds_what_it_needs(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = {n for n in opened.namelist() if n.startswith("extension/")}
        grammar = opened.read("extension/dist/net.tmLanguage.json")
        manifest = json.loads(opened.read("extension/package.json"))
    assert {n.removeprefix("extension/") for n in names} == {
        *("package.json", "readme.md", "LICENSE.txt", "language-configuration.json"),
        *("snippets/net.json", "dist/extension.js", "dist/licences.txt"),
        "dist/net.tmLanguage.json",
    }
    assert grammar == (HOME / "grammar" / "net.tmLanguage.json").read_bytes()
    (language,) = manifest["contributes"]["languages"]
    assert language["extensions"] == [".net"]


def test_client_starts_and_stops_the_server(archive: Path) -> None:
    run("node", "node_modules/typescript/bin/tsc", "--project", ".")
    server = Path(sys.executable).with_name("netdsl")
    made = run(
        "node", str(HERE / "extension.cjs"), str(EXTENSION / "dist"), str(server)
    )
    commands = [c["command"] for c in read("package.json")["contributes"]["commands"]]
    assert json.loads(made) == {
        "commands": commands,
        "during": [True],
        "after": [0],
        "warnings": [],
    }


# -- snippets ----------------------------------------------------------------------


def expanded(body: list[str]) -> str:
    """A snippet as it stands when nothing is typed over its placeholders."""
    text = "\n".join(body)
    while "${" in text:
        text = re.sub(r"\$\{\d+:([^${}]*(?:\{[^${}]*\})?[^${}]*)\}", r"\1", text)
    return text.replace("$0", "relu")


SNIPPETS = read("snippets/net.json")
FRAMES = {
    "Residual": "net A:\n    input x: [N, C]\n    x -> {}\n",
    "Branches": "net A:\n    input x: [N, C, H, W]\n    x -> {}\n",
    "List of layers": "net A(width: int, depth: int):\n    input x: [N, C]\n"
    "    {}\n    x -> layers\n",
    "Function": "{}(x)\n",
    "Parameter": "net A:\n    input x: [N, C]\n    {}\n    x * scale\n",
    "Starting values": "net A:\n    input x: [N, C]\n    x -> fc: Linear(3)\n    {}\n",
    "Import": "{}\n",
    "Expected number of parameters": "net Name:\n    input x: [N, C]\n"
    "    x -> relu\n\n{}\n",
    "Expected shape": "net Name:\n    input x: [N, 3, 224, 224]\n    x -> flatten(1)"
    " -> fc: Linear(1000)\n\n{}\n",
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet_is_right_as_it_comes(name: str) -> None:
    margin = re.search(r"^( *)[^\n]*\{\}", FRAMES.get(name, "{}"), re.M)
    assert margin is not None
    body = expanded(SNIPPETS[name]["body"]).replace("\n", f"\n{margin[1]}")
    text = FRAMES.get(name, "{}\n").replace("{}", body)

    def reader(importer: str, path: str) -> tuple[str, bytes]:
        block = b"net Block:\n    input x: [N, C]\n    x -> relu\n"
        return path, block

    outcome = compiler.check("snippet.net", text.encode(), reader=reader)
    assert [str(d.text) for d in outcome.diagnostics if d.level == "error"] == [], text


# -- indentation --------------------------------------------------------------------


def test_indentation_is_that_of_the_examples() -> None:
    rules = read("language-configuration.json")["indentationRules"]
    more = re.compile(rules["increaseIndentPattern"])
    less = re.compile(rules["decreaseIndentPattern"])
    blocks = 0
    for path in FILES:
        text = read_text(path).text
        lines = [line for line in text.split("\n") if line.strip()]
        for above, line in itertools.pairwise(lines):
            opens = above.split("#")[0].rstrip().endswith((":", "[", "(", "{"))
            assert bool(more.match(above)) == (opens and above.lstrip()[0] != "#")
            blocks += bool(more.match(above))
            if re.match(r"\s*(?:(?:elif|else)\b.*:$|[\])}])", line):
                assert less.match(line)
            else:
                assert not less.match(line)
    assert blocks > 300


ENTER = {
    "    x -> fc: Linear(3)": ("", None),
    "      -> fc: Linear(3)": ("none", "-> "),
    "      -> { a: Linear(3)": ("none", "-> "),
    "      ->": ("none", None),
    "         | b: Linear(3)": ("none", None),
    "      -> layers: [": ("", None),
    "      -> relu  # why": ("", None),
    "    return x": ("outdent", None),
    "    return (": ("", None),
}


@pytest.mark.parametrize("line", ENTER)
def test_enter(line: str) -> None:
    rules = read("language-configuration.json")["onEnterRules"]
    actions = [
        rule["action"]
        for rule in rules
        if re.search(rule["beforeText"], line)
        and re.search(rule.get("afterText", ""), "")
    ]
    indent, text = ENTER[line]
    first = actions[0] if actions else {}
    assert (first.get("indent", ""), first.get("appendText")) == (indent, text)


def test_version_is_the_package_s() -> None:
    import netdsl

    assert read("package.json")["version"] == netdsl.__version__
