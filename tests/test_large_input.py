"""Much of one thing costs as much more as there is more of it, or ends at a limit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import pytest
from test_bad_input import codes, compiled, no_files

from netdsl import compiler
from netdsl.diagnostics import Advice
from netdsl.elaborate import walk
from netdsl.emit.file import emit
from netdsl.limits import Limits

NET = "net A:\n    input x: [N, 8]\n"


def calls(text: str) -> int:
    """How many calls of Python functions checking a text takes."""
    return counted(lambda: compiler.check("a.net", text.encode(), reader=no_files))


def writing(text: str) -> int:
    """How many calls writing the Python of a text takes, once it is checked."""
    analysis = compiler.Session().analyse("a.net", text.encode())
    assert analysis.program is not None and not analysis.failed
    program = analysis.program
    return counted(lambda: emit(program, {}).text())


def counted(work: Callable[[], object]) -> int:
    count = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def many(head: str, unit: str, tail: str = "", joint: str = "") -> Callable[[int], str]:
    """A text of so many units; `{0}` is the number of one, `{1}` of the next."""
    return lambda n: head + joint.join(unit.format(i, i + 1) for i in range(n)) + tail


MUCH = {
    "lets": many("let a = 1\n", "let a{0} = a\n"),
    "lets, each of the one before": many("let a0 = 1\n", "let a{1} = a{0} + 1\n"),
    "lets, each of the next": many("", "let a{0} = a{1} + 1\n", "let z = 1\n"),
    "lets in a net": many(
        NET + "    let a0 = N\n", "    let a{1} = a{0} + 1\n", "    x\n"
    ),
    "numbers": many("let a = [", "{0},", "]\n"),
    "keys": many("let a = {", '"a{0}": 1,', "}\n"),
    "holes of a string": many("let a = f'", "{{1}}", "'\n"),
    "keys of layers": many(
        NET + "    fs: [", 'f"a{{1}}b{0}": Linear(8),', "]\n    x -> fs\n"
    ),
    "stages": many(NET + "    x", " -> relu", "\n"),
    "layers": many(NET + "    x", "\n    -> f{0}: Linear(8)", "\n"),
    "lines": many(NET + "    y0 = x\n", "    y{1} = y{0} + 1\n"),
    "names of a tuple": many(NET + "    ", "a{0}, ", "b = x\n"),
    "arms of a branch": many(NET + "    x -> {", "relu", "} -> cat(dim=1)\n", "|"),
    "sums of sizes": many(
        "net A:\n    input x: [M, N]\n    let a0 = N\n",
        "    let a{1} = (a{0} + M) // 2 * 2\n",
    ),
    "powers of a size": many(
        NET + "    let a0 = N\n", "    let a{1} = a{0} * (N + 1)\n"
    ),
    "sizes": many("net A:\n    input x: [", "N{0}, ", "M]\n    x -> flatten(0)\n"),
    "halves": many(
        "net A:\n    input x: [N, C, H, W]\n    x", "\n    -> max_pool2d(2)", "\n"
    ),
    "tests of a size": many(NET, "    if N > {0}:\n        x = x -> relu\n", "    x\n"),
    "loops": many(NET, "    for i in range(3):\n        x = x -> relu\n", "    x\n"),
    "hyperparameters": many("net A(", "a{0}: int, ", "):\n    input x: [N]\n    x\n"),
    "inputs": many("net A:\n", "    input x{0}: [N, 8]\n", "    x0\n"),
    "parameters of a function": many("fn f(", "a{0}, ", "b) = 1\n"),
    "arguments": many(NET + "    x -> relu(", "a{0}=1, ", "b=1)\n"),
    "nets": many("", "net A{0}:\n    input x: [N]\n    x\n\n"),
    "nets, each of the one before": many(
        "net A0:\n    input x: [N, 8]\n    x -> f: Linear(8)\n\n",
        "net A{1}:\n    input x: [N, 8]\n    x -> f: A{0}\n\n",
    ),
    "nets that use one": many(
        NET + "    x -> f: Linear(8)\n\n",
        "net B{0}:\n    input x: [N, 8]\n    x -> f: A\n\n",
    ),
    "variants of variants": many(NET + "    x\n\nnet V0 = A\n", "net V{1} = V{0}\n"),
    "functions, each of the one before": many(
        "fn f0(a: int) = a\n", "fn f{1}(a: int) = f{0}(a)\n"
    ),
    "expectations": many(
        NET + "    x -> f: Linear(8)\n", "expect A([{1}, 8]) -> [{1}, 8]\n"
    ),
    "wrong names": many(NET, "    y{0} = xx{0} -> Liner(8)\n", "    x\n"),
    "wrong nets": many("", "net A{0} = Liner(8)\n"),
    "imports": many("", 'from "a{0}.net" import A{0}\n'),
}


@pytest.mark.parametrize("kind", MUCH)
def test_twice_as_much_takes_twice_as_long(kind: str) -> None:
    make = MUCH[kind]
    calls(make(150))
    once, twice = calls(make(150)), calls(make(300))
    assert twice < 2.4 * once


WRITTEN = [
    *("lets in a net", "stages", "layers", "arms of a branch", "loops"),
    *("tests of a size", "inputs", "nets", "nets that use one"),
    *("variants of variants", "hyperparameters", "keys of layers"),
]


@pytest.mark.parametrize("kind", WRITTEN)
def test_twice_as_much_is_written_in_twice_the_time(kind: str) -> None:
    make = MUCH[kind]
    writing(make(60))
    once, twice = writing(make(60)), writing(make(120))
    assert twice < 2.4 * once


FEW = Limits(steps=2_000)


@pytest.mark.parametrize(
    "text",
    [
        # In one item, and in all together.
        many("fn f(n) = n + 1\nlet a = [", "f({0}), ", "]\n")(600),
        many("", "let a{0} = [i for i in range(1_999)]\n")(4),
        many("", "let a{0} = list(range(2_000))\n")(100),
        many("", "let a{0} = [0] * 2_000\n")(100),
        many("", NET.replace("A", "A{0}") + "    for _ in range(1_900):\n"
             "        x = x -> relu\n    x\n\n")(3),
        # Nets that use two of the one before, each with other numbers.
        "net A0(n: int):\n    input x: [N, 8]\n    x -> f: Linear(8)\n\n"
        + many("", "net A{1}(n: int):\n    input x: [N, 8]\n"
               "    x -> f: A{0}(2 * n) -> g: A{0}(2 * n + 1)\n\n")(20)
        + "net B = A20(1)\n",
        # Paths that know more and more of one size.
        NET + "    if N == 1:\n        y = x\n"
        + many("", "    elif N == {1}:\n        y = x\n")(150)
        + "    else:\n        y = x\n    y\n",
        # Lists in lists.
        many("let a0 = [1, 2]\n", "let a{1} = list(zip(a{0}, a{0}))\n")(40),
        many("let a0 = [1, 2]\n", "let a{1} = [[a{0}]] * 2\n")(40),
        many("let a0 = [1, 2]\n", "let a{1} = [a{0}]\n")(100),
        many("let a0 = 1\n", 'let a{1} = {{"a": a{0}, "b": a{0}}}\n')(40),
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_steps_end(text: str) -> None:
    told = codes(text, FEW)
    assert "too-many-steps" in told
    assert compiled(text, FEW).text is None


@pytest.mark.parametrize(
    "step",
    [
        "a{0} * (N + M + 1)",
        "(a{0} // 2) * (a{0} // 3)",
        "min(a{0}, M) * max(a{0}, N)",
        "a{0} if a{0} > 3 else a{0} // 2",
    ],
)
def test_sizes_that_grow(step: str) -> None:
    lets = many("    let a0 = N\n", f"    let a{{1}} = {step}\n")(60)
    text = f"net A:\n    input x: [N, M]\n{lets}    x -> view(a60)\n"
    assert codes(text)[:1] == ["wrong-value"]


@pytest.mark.parametrize(
    "text",
    [
        many("", "let a{0} = a{1}\n", "let a200 = 1\n")(200),
        NET + "    x -> {" + "skip|" * 5_000 + "skip} -> add\n",
        "let a = [1 " + "for i in [1] " * 12_000 + "]\n",
    ],
    ids=["lets", "branches", "clauses"],
)
def test_nesting_ends(text: str) -> None:
    assert "too-deep" in codes(text)


def test_a_word_is_searched_for_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def search(word: str, known: Iterable[str], span: object = None) -> Advice:
        searched.append(word)
        return Advice()

    monkeypatch.setattr(walk, "did_you_mean", search)
    most = Limits().diagnostics
    text = many(NET, "    y{0} = rellu{0}(x)\n", "    x\n")(20 * most)
    assert codes(text) == ["unknown-function"] * most
    assert most <= len(searched) < 3 * most


def test_a_large_network_is_no_bad_input() -> None:
    """10,000 layers in one flow, in one list, and of a net with other numbers each."""
    flow = "\n".join(f"      -> f{i}: Linear(8)" for i in range(9_999))
    for body in (
        f"    x\n{flow}\n",
        "    x -> layers: [Linear(8) for _ in range(9_999)]\n",
        "    x -> layers: [Wide(i + 1) for i in range(9_999)]\n",
    ):
        wide = "net Wide(n: int):\n    input x: [N, W]\n    x -> fc: Linear(n)\n\n"
        data = (wide + NET + body).encode()
        assert compiler.check("a.net", data).diagnostics == ()


def test_an_item_of_a_million_signs() -> None:
    for text in (
        "let a = [" + "1," * 500_000 + "1]\n",
        NET + "    x" + " -> relu" * 120_000,
    ):
        assert codes(text) == ["too-large"]


def test_a_warning_hides_no_error() -> None:
    warned = many("", "net A{0}(a: int):\n    input x: [N]\n    x\n\n")(150)
    told = codes(f"{warned}net B:\n    input x: [N]\n    x -> rellu\n")
    assert len(told) == Limits().diagnostics
    assert "unknown-function" in told
