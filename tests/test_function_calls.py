"""Calls of every function as Python: clean under mypy and ruff, and of the shape that
was said."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from function_cases import CASES, Case
from hypothesis import HealthCheck, given, settings
from test_function_rules import alike, ours, real, typed

import netdsl
from netdsl.layers import FUNCTIONS
from netdsl.shapes import DTYPES, Refusal, Tensor, fixed

NAMES = sorted(n for n in FUNCTIONS if n[0].isalpha())
FILES = 8
# How many tensors these give is no part of their type in Python.
PARTS = {
    *("split", "chunk", "tensor_split", "unbind", "meshgrid"),
    *("hsplit", "vsplit", "dsplit"),
}


def uses(name: str) -> list[Case]:
    """A plain use that is right, and the one with the most arguments."""
    found: list[Case] = []

    @settings(
        max_examples=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(CASES[name])
    def collect(use: Case) -> None:
        try:
            ours(name, *use)
        except Refusal:
            return
        if is_written(use):
            found.append(use)

    collect()
    assert found, name
    longest = max(found, key=lambda use: len(use[1]))
    return [found[0]] if longest[1] == found[0][1] else [found[0], longest]


def is_written(value: Any) -> bool:
    """Whether a `.net` file can say it: sizes of at least 1, numbers that are some."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        # torch's types have no list of None, though its adaptive pools take one.
        return None not in value and all(map(is_written, value))
    if isinstance(value, Tensor):
        return 0 not in value.shape.sizes
    return not isinstance(value, float) or math.isfinite(value)


class Writer:
    """One use as a net."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []

    def text(self, value: Any) -> str:
        if isinstance(value, Tensor):
            self.inputs.append(value)
            return f"x{len(self.inputs)}"
        if isinstance(value, tuple | list):
            inner = ", ".join(map(self.text, value))
            comma = "," if len(value) == 1 else ""
            return f"[{inner}]" if isinstance(value, list) else f"({inner}{comma})"
        if isinstance(value, str):
            return value if value in DTYPES else f'"{value}"'
        return repr(value)

    def net(self, title: str, name: str, use: Case) -> str:
        words = [self.text(a) for a in use[0]]
        words += [f"{k}={self.text(v)}" for k, v in use[1].items()]
        given = self.inputs or [Tensor(fixed(1))]
        lines = [
            f"    input x{i}: {'' if t.dtype == 'float' else t.dtype}{t.shape}"
            for i, t in enumerate(given, 1)
        ]
        part = "[0]" if name in PARTS else ""
        call = f"    return {name}({', '.join(words)}){part}"
        return "\n".join([f"net {title}:", *lines, call, ""])


@pytest.mark.parametrize("part", range(FILES))
def test_calls_are_clean_and_run(part: int, tmp_path: Path) -> None:
    nets: list[tuple[str, str, Case, list[Tensor]]] = []
    texts = []
    for at, name in enumerate(NAMES[part::FILES]):
        for i, use in enumerate(uses(name)):
            writer = Writer()
            title = f"Net{at}{'AB'[i]}"
            texts.append(writer.net(title, name, use))
            nets.append((title, name, use, writer.inputs))
    source = tmp_path / "calls.net"
    source.write_text("\n".join(texts))
    made = tmp_path / "calls.py"
    made.write_text(netdsl.compile(source))
    scope: dict[str, Any] = {}
    exec(made.read_text(), scope)
    for title, name, use, inputs in nets:
        runs(scope[title], name, use, inputs)
    for command in (
        ["mypy", "--strict", "--config-file="],
        ["ruff", "check", "--isolated", "--select", "E,F,I,UP,B", "--line-length=120"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, str(made)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def runs(net: Any, name: str, use: Case, inputs: list[Tensor]) -> None:
    expected = ours(name, *use)[0]
    values = [real(t) for t in inputs] or [torch.ones(1)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = typed(net()(*values))
    except (RuntimeError, IndexError) as error:
        # Equations without a solution, indices that are not there: not of the shape.
        assert "singular" in str(error) or "positive" in str(error), f"{name}: {error}"
        return
    expected = expected[0] if name in PARTS else expected
    assert alike(expected, result), f"{name}: {expected}, not {result}"
