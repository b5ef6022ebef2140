"""The language server under a real editor: headless Neovim and its own client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HOME = HERE.parent.parent.parent

TEXT = """\
# Wide: 🎉 and é.
net Body(width: int):
    input x: [N, C]
    x -> fc: Linear(width) -> rellu

net Model(classes: int = 10):
    input x: [N, 20]
    x -> body:   Body(32) -> head: Linear(classes)
"""


def test_neovim_is_a_client(tmp_path: Path) -> None:
    editor = shutil.which("nvim")
    assert editor is not None, "this test needs Neovim: apt-get install neovim"
    (tmp_path / "a.net").write_text(TEXT, encoding="utf-8")
    out = tmp_path / "got.json"
    done = subprocess.run(
        [editor, "--headless", "-u", "NONE", "a.net", "-c",
         f"luafile {HERE / 'session.lua'}"],
        cwd=tmp_path,
        env={
            **os.environ,
            "NETDSL_PYTHON": sys.executable,
            "NETDSL_OUT": str(out),
            "PYTHONPATH": str(HOME),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    got = json.loads(out.read_text(encoding="utf-8"))
    first = got["first"]
    assert first["code"] == "unknown-function"
    assert (first["lnum"], first["col"]) == (3, 30)
    assert "`[N, C]` → `[N, width]`" in got["hover"]["contents"]["value"]
    assert got["completion"] > 100
    assert [s["name"] for s in got["symbols"]] == ["Body", "Model"]
    assert got["definition"][0]["range"]["start"] == {"line": 1, "character": 4}
    assert "body: Body(32)" in got["formatting"][0]["newText"]
