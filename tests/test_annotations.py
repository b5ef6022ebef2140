"""What a layer gives has no type for mypy; what is returned says it is a Tensor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import netdsl

NETS = {
    "another_name": """
net Net:
    input image: [N, 3]
    image -> fc: Linear(4) -> relu -> out: Linear(5)
""",
    "part_of_a_tuple": """
net Net:
    input x: [B, T, 4]
    y, _ = x -> rnn: LSTM(8, batch_first=True)
    y[:, -1] -> fc: Linear(3)
""",
    "one_of_two": """
net Net:
    input x: [B, 4]
    mu, logvar = x -> { a: Linear(3) | b: Linear(3) }
    return mu - logvar
""",
    "either_side": """
net Net:
    input image: [B, 4]
    if training:
        y = image -> a: Linear(3)
    else:
        y = image -> b: Linear(3)
    return y
""",
    "optional_inputs": """
net Net:
    input x: [B, T, 4]
    input h, c: [1, B, 8] | None = None
    if h is None or c is None:
        h = zeros(1, B, 8)
        c = zeros(1, B, 8)
    y, (h, c) = (x, (h, c)) -> rnn: LSTM(8, batch_first=True)
    return y, h, c
""",
}


def test_mypy_knows_every_result(tmp_path: Path) -> None:
    files = []
    for name, text in NETS.items():
        source = tmp_path / f"{name}.net"
        source.write_text(text)
        files.append(tmp_path / f"{name}.py")
        files[-1].write_text(netdsl.compile(source))
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, files)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("another_name", "x: Tensor = self.out(F.relu(self.fc(image)))"),
        ("part_of_a_tuple", "y: Tensor"),
    ],
)
def test_the_first_binding_is_annotated(tmp_path: Path, name: str, line: str) -> None:
    source = tmp_path / "one.net"
    source.write_text(NETS[name])
    lines = [text.strip() for text in netdsl.compile(source).splitlines()]
    assert line in lines
