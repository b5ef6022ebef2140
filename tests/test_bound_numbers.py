"""Numbers that a body binds by `=`: a layer made with one has that number, or the file
is refused; and the Python has no name that isn't there or that nobody reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import netdsl
from netdsl import compiler

REFUSED = None
# Statements above the layers, the layers, and the sizes that they have by hand with
# `width=3, widths=[2, 5], deep=True` and an input [7, 4]; or that it is refused.
CASES: dict[str, tuple[str, str, list[tuple[int, ...]] | None]] = {
    "once": ("k = 3", "x -> f: Linear(k)", [(4, 3)]),
    "size": ("k = C // 2", "x -> f: Linear(k)", [(4, 2)]),
    "shape": ("_, c = x.shape", "x -> f: Linear(3 * c)", [(4, 12)]),
    "same size": ("N, C = x.shape", "x -> f: Linear(C)", [(4, 4)]),
    "hyper": ("k = 2 * width", "x -> f: Linear(k)", [(4, 6)]),
    "chain": (
        "k = width\nm = k + 1",
        "x -> f: Linear(m) -> g: Linear(k)",
        [(4, 4), (4, 3)],
    ),
    "let": ("k = width\nlet m = 2 * k", "x -> f: Linear(m)", [(4, 6)]),
    "float": ("r = 2.5\nk = int(r * 2)", "x -> f: Linear(k)", [(4, 5)]),
    "list": (
        "ks = [width, 9]",
        "x -> f: Linear(ks[1]) -> g: Linear(ks[0])",
        [(4, 9), (9, 3)],
    ),
    "tuple": ("a, b = 2, width", "x -> f: Linear(a) -> g: Linear(b)", [(4, 2), (2, 3)]),
    "fn": ("k = total(widths)", "x -> f: Linear(k)", [(4, 7)]),
    "fn within": ("", "x -> f: Linear(total([1, width]))", [(4, 4)]),
    "net": ("k = width", "x -> f: Inner(k)", [(4, 3)]),
    "comprehension": (
        "k = 6",
        "x -> f: [Linear(k) for _ in range(2)]",
        [(4, 6), (6, 6)],
    ),
    "rounds": ("k = 2", "x -> f: [Linear(9) for _ in range(k)]", [(4, 9), (9, 9)]),
    "round": ("k = 2", "x -> f: [Linear(w * k) for w in widths]", [(4, 4), (4, 10)]),
    "test": ("k = 3", "x -> f: [Linear(w) for w in widths if w > k]", [(4, 5)]),
    "variable": (
        "k = 2",
        "x -> f: [Linear(k) for k in widths] -> g: Linear(k)",
        [(4, 2), (2, 5), (5, 2)],
    ),
    "variable is hyper": (
        "",
        "x -> f: [Linear(width) for width in widths] -> g: Linear(width)",
        [(4, 2), (2, 5), (5, 3)],
    ),
    "variable is let": (
        "let m = 6",
        "x -> f: [Linear(m) for m in widths] -> g: Linear(m)",
        [(4, 2), (2, 5), (5, 6)],
    ),
    "variable is carried": (
        "",
        "x -> f: [Linear(channels) for channels in widths]",
        [(4, 2), (2, 5)],
    ),
    "let is carried": (
        "let channels = 6",
        "x -> f: [Linear(w) for w in widths] -> g: Linear(channels)",
        [(4, 2), (2, 5), (5, 6)],
    ),
    "let is size": (
        "let in_features = 6",
        "x -> f: Linear(in_features) -> g: Linear(C)",
        [(4, 6), (6, 4)],
    ),
    "layer chosen": (
        "wide = width > 2",
        "x -> f: (Linear(8) if wide else skip) -> g: Linear(2)",
        [(4, 8), (8, 2)],
    ),
    "layer chosen by name": (
        "wide = width > 2",
        "f: Linear(8) if wide else Linear(9)\nx -> f -> g: Linear(2)",
        [(4, 8), (8, 2)],
    ),
    "param": ("k = C", "param s: [k] = 0.5\nx * s -> f: Linear(2)", [(4,), (4, 2)]),
    "param value": (
        "k = 0.5",
        "param s: [4] = k\nx * s -> f: Linear(2)",
        [(4,), (4, 2)],
    ),
    "param drawn": (
        "k = 0.5",
        "param s: [4] = normal(std=k)\nx * s -> f: Linear(2)",
        [(4,), (4, 2)],
    ),
    "init": ("k = 0.5", "x -> f: Linear(2)\ninit f.weight = normal(std=k)", [(4, 2)]),
    "again": ("k = 3\nk = 5", "x -> f: Linear(k)", REFUSED),
    "again by itself": ("k = 3\nk = k + 1", "x -> f: Linear(k)", REFUSED),
    "augmented": ("k = 3\nk += 1", "x -> f: Linear(k)", REFUSED),
    "condition": ("k = 3\nif deep:\n    k = 5", "x -> f: Linear(k)", REFUSED),
    "condition alone": ("if deep:\n    k = 5", "x -> f: Linear(k)", REFUSED),
    "training": ("k = 3 if training else 5", "x -> f: Linear(k)", REFUSED),
    "training let": ("let k = 3 if training else 5", "x -> f: Linear(k)", REFUSED),
    "tensor": ("k = 3 if mean(x) > 0 else 5", "x -> f: Linear(k)", REFUSED),
    "loop": ("n = 0\nfor w in widths:\n    n += w", "x -> f: Linear(n)", REFUSED),
    "known loop": (
        "n = 0\nfor i in range(4):\n    n = n + 1",
        "x -> f: Linear(n)",
        REFUSED,
    ),
    "bound in a loop": ("for i in range(4):\n    n = 5", "x -> f: Linear(n)", REFUSED),
    "variable of a loop": (
        "for i in range(4):\n    x = x + i",
        "x -> f: Linear(i)",
        REFUSED,
    ),
    "by a let": ("k = 3\nk = 5\nlet m = 2 * k", "x -> f: Linear(m)", REFUSED),
    "of a net": ("k = 3\nk = 5", "x -> f: Inner(k)", REFUSED),
    "of a fn": ("k = 3\nk = 5", "x -> f: Linear(total([k]))", REFUSED),
    "in rounds": ("k = 3\nk = 5", "x -> f: [Linear(k) for _ in range(2)]", REFUSED),
    "number of rounds": (
        "k = 3\nk = 5",
        "x -> f: [Linear(4) for _ in range(k)]",
        REFUSED,
    ),
    "in a test": (
        "k = 3\nk = 5",
        "x -> f: [Linear(w) for w in widths if w < k]",
        REFUSED,
    ),
    "key": ("k = 3\nk = 5", 'x -> f: [f"l{k}": Linear(4)]', REFUSED),
    "shape of a param": (
        "k = 4\nif deep:\n    k = C",
        "param s: [k] = ones\nx * s -> f: Linear(2)",
        REFUSED,
    ),
    "value of a param": (
        "k = 4\nif deep:\n    k = C",
        "param s: [4] = k\nx * s -> f: Linear(2)",
        REFUSED,
    ),
    "value of an init": (
        "k = 4\nk += C",
        "x -> f: Linear(2)\ninit f.weight = normal(std=k)",
        REFUSED,
    ),
    "let again": ("let k = 3\nk = 5", "x -> f: Linear(k)", REFUSED),
    "let augmented": ("let k = 3\nk += 5", "x -> f: Linear(k)", REFUSED),
    "hyper again": ("width = 5", "x -> f: Linear(width)", REFUSED),
    "hyper in a loop": (
        "for width in widths:\n    x = x + width",
        "x -> f: Linear(width)",
        REFUSED,
    ),
    "size again": ("C = C // 2", "x -> f: Linear(C)", REFUSED),
    "constant again": ("K = 5", "x -> f: Linear(K)", REFUSED),
    "constant augmented": ("K += 5", "x -> f: Linear(K)", REFUSED),
    "inferred": (
        "n = 0\nfor w in widths:\n    n += w",
        "zeros(N, n) -> f: Linear(2)",
        REFUSED,
    ),
    "inferred of a known loop": (
        "n = 0\nfor i in range(4):\n    n = n + 1",
        "zeros(N, n) -> f: Linear(2)",
        [(4, 2)],
    ),
    "inferred of a variable": (
        "for i in range(4):\n    x = x + i",
        "zeros(N, 1 + i) -> f: Linear(2)",
        REFUSED,
    ),
    "inferred of training": (
        "n = 3 if training else 5",
        "zeros(N, n) -> f: Linear(2)",
        REFUSED,
    ),
    "inferred of a condition": (
        "wide = width > 2\nn = 3 if wide else 5",
        "zeros(N, n) -> f: Linear(2)",
        REFUSED,
    ),
    "inferred of hyper": (
        "n = 3 if deep else 5",
        "zeros(N, n) -> f: Linear(2)",
        [(3, 2)],
    ),
    "inferred of an if": (
        "n = 3\nif deep:\n    n = 6",
        "zeros(N, n) -> f: Linear(2)",
        [(6, 2)],
    ),
    "inferred of steps": (
        "n = 3\nn = n + 1\nn *= 2",
        "zeros(N, n) -> f: Linear(2)",
        [(8, 2)],
    ),
    "loop of tensors": (
        "n = 0\nfor t in [x, x]:\n    n = n + 1",
        "zeros(N, n) -> f: Linear(2)",
        [(2, 2)],
    ),
}
HEAD = """\
let K = 7

fn total(xs: list[int]):
    t = 0
    for w in xs:
        t += w
    return t

net Inner(width: int):
    input x: [N, C]
    x -> fc: Linear(width)

net A(width: int = 3, widths: list[int] = [2, 5], deep: bool = True):
    input x: [N, C]
"""


def written(*parts: str) -> str:
    lines = "\n".join(parts).splitlines()
    return HEAD + "".join(f"    {line}\n" for line in lines if line)


def errors(text: str) -> list[str]:
    found = compiler.check("a.net", text.encode()).diagnostics
    return [d.code for d in found if d.level == "error"]


def assert_clean(python: str) -> None:
    """No name is missing, and none is there for nothing."""
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select",
         "F,PLE", "--stdin-filename", "a.py", "-"],
        input=python, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + python


def sizes(module: nn.Module) -> list[tuple[int, ...]]:
    """Of all parameters but biases; of a weight what a Linear is made with."""
    shapes = {n: tuple(p.shape) for n, p in module.named_parameters()}
    return [s[::-1] for n, s in shapes.items() if not n.endswith("bias")]


@pytest.mark.parametrize("name", CASES)
def test_a_layer_has_the_number_or_the_file_is_refused(name: str) -> None:
    before, layers, expected = CASES[name]
    text = written(before, layers)
    found = errors(text)
    if expected is REFUSED:
        told = {"not-a-value", "duplicate-name", "wrong-value", "unknown-name"}
        assert found and told.issuperset(found), text
        return
    assert not found, (text, found)
    module = netdsl.loads(text, "A", C=4)
    assert sizes(module) == expected
    for training in (True, False):
        assert module.train(training)(torch.ones(7, 4)).shape[0] == 7
    python = compiler.compile("a.net", text.encode()).text
    assert python is not None
    assert_clean(python)


# -- bodies that are drawn, beside what Python makes of them ---------------------

NAMES = ("a", "b", "c")
SUMS = st.recursive(
    st.sampled_from(["1", "2", "width", "C", "len(widths)", *NAMES]),
    lambda inner: st.tuples(inner, st.sampled_from("+*"), inner).map(" ".join),
    max_leaves=3,
)


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines that bind numbers; each name has a value before it is read or changed."""
    kinds = ["="] * 4 + ["+=", "*="] + ["if", "for"] * (depth < 2)
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(kinds))
        if kind in ("if", "for"):
            heads = {
                "if": ["if deep:", "if training:", "if width > 2:", "if a > 2:"],
                "for": ["for w in widths:", "for i in range(width):"],
            }
            lines.append(draw(st.sampled_from(heads[kind])))
            lines += [f"    {line}" for line in draw(statements(depth + 1))]
        else:
            lines.append(f"{draw(st.sampled_from(NAMES))} {kind} {draw(SUMS)}")
    return lines


LAYERS = ("f: Linear({})", "f: [Linear({}) for _ in range(2)]", "f: Inner({})")


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[str], str, bool]:
    """Statements, a number, and whether the layer reads it off a tensor."""
    used = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    lines = [f"{name} = {draw(st.sampled_from(['1', 'width', 'C']))}" for name in used]
    lines += draw(st.one_of(st.just([]), statements()))
    value = draw(SUMS)
    words = {*NAMES, *used}.intersection(" ".join([*lines, value]))
    if draw(st.booleans()):
        lines.append(f"x = x * ({' + '.join(sorted(words))})")
    else:
        value = " + ".join([value, *sorted(words)])
    return lines, value, draw(st.booleans())


def by_python(lines: Sequence[str], value: str, given: Mapping[str, Any]) -> int | None:
    """What the number is if the lines are Python's; None if a name has no value."""
    scope = {"x": 1, **given}
    try:
        exec("\n".join(lines), {}, scope)
        return int(eval(value, {}, scope))
    except NameError:
        return None


SOME: list[dict[str, Any]] = [
    {"width": 3, "widths": [2, 5], "deep": True},
    {"width": 2, "widths": [4], "deep": False},
]


# The first run raises Python's limit of recursion, which Hypothesis would tell of.
errors(HEAD)


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(bodies(), st.sampled_from(LAYERS))
def test_any_body(drawn: tuple[list[str], str, bool], layer: str) -> None:
    lines, value, by_shape = drawn
    last = f"x -> {layer.format(value)}"
    if by_shape:
        last = f"zeros(N, {value}) -> f: Linear(2)"
    text = written(*lines, last)
    found = errors(text)
    assert "internal" not in found, text
    if found:
        return
    python = compiler.compile("a.net", text.encode()).text
    assert python is not None, text
    assert_clean(python)
    for arguments in SOME:
        module = netdsl.loads(text, "A", C=4, **arguments)
        first = sizes(module)[0]
        for training in (True, False):
            number = by_python(
                lines, value, {"C": 4, "training": training, **arguments}
            )
            if number is None:
                continue
            assert number == first[0 if by_shape else 1], (text, arguments)
            assert module.train(training)(torch.ones(7, 4)).shape[0] == 7


def test_sums_of_lists_of_tensors() -> None:
    text = """\
net Open(depth: int = 3):
    input x: [N, C]
    layers: [Linear(C) for _ in range(depth)]
    outs = []
    for layer in layers:
        x = x -> layer
        outs += [x]
    y = cat(outs + [2 * x], dim=1) -> sum(dim=1)
    y + sum(cat((x, *outs), dim=1), dim=1)
"""
    model = netdsl.loads(text, C=4)
    x = torch.randn(5, 4)
    outs: list[torch.Tensor] = []
    for layer in model.get_submodule("layers").children():
        outs.append(layer(outs[-1] if outs else x))
    expected = torch.cat([*outs, 2 * outs[-1], outs[-1], *outs], dim=1).sum(dim=1)
    torch.testing.assert_close(model(x), expected)
