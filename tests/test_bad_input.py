"""Whatever is read ends in messages: no traceback, no hang, nothing half written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netdsl import compiler
from netdsl.cli import cli
from netdsl.codes import CODES
from netdsl.compiler import Outcome
from netdsl.limits import ImportRefused, Limits
from netdsl.render import render_github, render_json, render_short, render_text

SECONDS = 120  # tells a hang, whatever else the machine is doing
"""How long any of these may take; they take a fraction of one."""

GOOD = """\
net Small(width: int = 4):
    input x: [N, 8]
    x -> fc: Linear(width) -> relu
"""
EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.net"))
CORPUS = sorted((Path(__file__).parent / "corpus" / "errors").glob("*/*.net"))


def no_files(importer: str, path: str) -> tuple[str, bytes]:
    raise ImportRefused(f'there is no file "{path}"')


def compiled(data: str | bytes, limits: Limits | None = None) -> Outcome:
    """Compiles, and renders every message in every form."""
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    start = time.perf_counter()
    outcome = compiler.compile("a.net", data, reader=no_files, limits=limits)
    for d in outcome.diagnostics:
        assert d.code in CODES and d.code != "internal"
        for render in (render_text, render_short, render_json, render_github):
            shown = render(d)
            assert shown.replace("\n", "").isprintable()
    assert time.perf_counter() - start < SECONDS
    assert outcome.text is None or not any(
        d.level == "error" for d in outcome.diagnostics
    )
    return outcome


def codes(data: str | bytes, limits: Limits | None = None) -> list[str]:
    return [d.code for d in compiled(data, limits).diagnostics]


# -- bytes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-net"),
        (b"\n\n   \n", "no-net"),
        (b"# nothing\n", "no-net"),
        (b"\xff\xfe\x00n\x00e\x00t", "bad-encoding"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(256)), "bad-encoding"),
        (b"\x80\x04\x95PK\x03\x04", "bad-encoding"),
        (bytes(1000), "bad-character"),
        (b"net A:\0\n    input x: [N]\n    x\n", "bad-character"),
        (b"net A:\r    input x: [N]\r    x\r", "bad-character"),
        (b"net A:\x0b\n    input x: [N]\n    x\n", "bad-character"),
        ("net A:\n    input x: [N]  # \u202e\n    x\n".encode(), "bad-character"),
        ("net A:\n    '''\u2066'''\n".encode(), "bad-character"),
        ("net A:\u2028    x\n".encode(), "bad-character"),
        ("net Größe:\n    input x: [N]\n    x\n".encode(), "bad-character"),
        ("net A:\n    input х: [N]\n    х\n".encode(), "bad-character"),
        (
            "net A:\n    input x: [N]\n    x -> fc: Linear(٣)\n".encode(),
            "bad-character",
        ),
        ("net A:\n    input x: [N]\n    x -> ﬁ: ReLU\n".encode(), "bad-character"),
        (b"a" * (2**20 + 1), "too-large"),
        (b"[" * 2**20, "syntax-error"),
        (b"net A = " + b"[" * (2**20 - 8), "too-deep"),
        (b"net A = " + b"[" * 2**19 + b"]" * 2**19, "too-large"),
        (b"net A = " + b"[" * 500_000 + b"]" * 500_000, "too-deep"),
        (b"net A = " + b"(" * 60 + b"Linear(4)" + b")" * 60 + b"}", "unclosed-bracket"),
        (b'"""' * 300_000, "syntax-error"),
        (b"'" * 1_000_000, "syntax-error"),
        (b"net A:\n" * 100_000, "syntax-error"),
        (b"\t" * 1_000_000 + b"x", "syntax-error"),
        (b"let a = " + b"-" * 20_000 + b"1", "too-deep"),
        (b"let a = " + b"not " * 20_000 + b"1", "too-deep"),
        (b"let a = " + b"2 ** " * 20_000 + b"1", "too-deep"),
        (b"let a = " + b"1 if 1 else " * 5_000 + b"1", "too-deep"),
    ],
    ids=lambda value: ascii(value)[:32],
)
def test_bytes(data: bytes, code: str) -> None:
    assert code in codes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.rstrip("\n").encode(),
        ("\n" * 1000 + GOOD).encode(),
        ("# " + "é" * 1000 + "\n" + GOOD).encode(),
        GOOD.replace("\n", "   \n").encode(),
    ],
)
def test_bytes_that_are_fine(data: bytes) -> None:
    assert codes(data) == []


def test_a_long_sum_is_no_nesting() -> None:
    assert codes("let a = " + "1 + " * 20_000 + "1\n" + GOOD) in ([], ["too-deep"])


# -- values that grow ------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "let a = range(10 ** 12)",
        "let a = list(range(10 ** 12))",
        "let a = sum(range(10 ** 12))",
        "let a = len(range(10 ** 12))",
        "let a = [0] * 10 ** 12",
        "let a = 'x' * 10 ** 12",
        "let a = (1, 2) * 10 ** 9 * 10 ** 9",
        "let a = 9 ** 9 ** 9",
        "let a = 9 ** 9 ** 9 ** 9",
        "let a = 2 ** 10 ** 10",
        "let a = (-2) ** 10 ** 10",
        "let a = 10.0 ** 400",
        "let a = 1e999",
        "let a = " + "9" * 10_000,
        "let a = 0.1 ** -400",
        "let a = int(1e300)",
        "let a = round(1e300)",
        "let a = [i * j for i in range(10_000) for j in range(10_000)]",
        "let a = [x for x in zip(range(10 ** 9), range(10 ** 9))]",
        "let a = f'{9 ** 9 ** 9}'",
        "let a = enumerate(range(10 ** 12))",
        "let a = max(range(10 ** 12))",
        "let a = 1 // 0",
        "let a = 1 % 0",
        "let a = 1 / 0.0",
        "let a = 0 ** -1",
        "let a = sqrt(-1)",
        "let a = log(0)",
        "let a = (-8) ** 0.5",
        "let a = min([])",
        "let a = [1][5]",
        "let a = {'a': 1}['b']",
        "let a = {[1]: 2}",
        "let a = a",
        "let a = len(5)",
        "let a = 'abc'[0:10 ** 30]",
        "let a = [1, 2][::0]",
        "let a = range(0, 10, 0)",
        "let a = int('x')",
        "let a = 3(4)",
        "let a = Linear",
        "let a = relu",
        "let a = zeros(10 ** 9, 10 ** 9)",
        "let a = [lambda: 1]",
        "fn f(n) = f(n)\nlet a = f(1)",
        "fn f(n) = g(n)\nfn g(n) = f(n)\nlet a = f(1)",
        "fn f(n):\n    for i in range(n):\n        n = n + f(n)\n    return n\n"
        "let a = f(5)",
    ],
)
def test_values(text: str) -> None:
    outcome = compiled(
        f"{text}\n\nnet Small:\n    input x: [N, 8]\n    x -> fc: Linear(a)\n"
    )
    assert any(d.level == "error" for d in outcome.diagnostics)


def doubling(step: str, count: int) -> str:
    lines = ["let a0 = [1, 2]" if "*" not in step else "let a0 = 3"]
    lines += [f"let a{i + 1} = {step.format(i=i)}" for i in range(count)]
    use = f"\n\nnet Small:\n    input x: [N, 8]\n    x -> fc: Linear(len([a{count}]))\n"
    return "\n".join(lines) + use


@pytest.mark.parametrize(
    "step",
    [
        "a{i} + a{i}",
        "a{i} * a{i}",
        "[*a{i}, *a{i}]",
        "[a{i}, a{i}]",
        "(a{i}, a{i})",
        "[x for x in a{i} for y in a{i}]",
        "f'{{a{i}}}{{a{i}}}'",
        "str(a{i}) + str(a{i})",
    ],
)
def test_doubling_lets(step: str) -> None:
    data = doubling(step, 60).encode()
    start = time.perf_counter()
    compiler.check("a.net", data, reader=no_files)
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize(
    "body",
    [
        "x -> fc: Linear(10 ** 15)",
        "x -> fc: Linear(10 ** 7) -> fc2: Linear(10 ** 7)",
        "x -> layers: [Linear(10 ** 6) for _ in range(1000)]",
        "param table: [10 ** 7, 10 ** 7] = zeros\n    x -> relu",
        "x -> layers: [Linear(8) for _ in range(10 ** 9)]",
        "x -> layers: [Linear(8) for _ in range(300) for _ in range(300)]",
        "for _ in range(10 ** 12):\n        x = x -> relu\n    x",
        "x -> view(10 ** 400, 8)",
        "x -> small: Small",
        "x -> " + "small: [" * 30 + "Small" + "]" * 30,
    ],
)
def test_nets(body: str) -> None:
    outcome = compiled(f"net Small:\n    input x: [N, 8]\n    {body}\n")
    assert any(d.level == "error" for d in outcome.diagnostics)


def test_doubling_nets() -> None:
    """Thirty nets, each of two of the one before: 2 ** 30 layers."""
    nets = ["net A0:\n    input x: [N, 8]\n    x -> fc: Linear(8)\n"]
    nets += [
        f"net A{i + 1}:\n    input x: [N, 8]\n    x -> a: A{i} -> b: A{i}\n"
        for i in range(30)
    ]
    assert "too-many-layers" in codes("\n".join(nets))


def test_deep_nets() -> None:
    nets = ["net A0:\n    input x: [N, 8]\n    x -> fc: Linear(8)\n"]
    nets += [
        f"net A{i + 1}:\n    input x: [N, 8]\n    x -> a: A{i}\n" for i in range(200)
    ]
    assert set(codes("\n".join(nets))) <= {"too-deep"}
    assert set(codes("\n".join(reversed(nets)))) <= {"too-deep"}


def test_a_net_that_makes_ever_larger_nets() -> None:
    text = """\
net Tree(Block: net, n: int = 3):
    input x: [N, 8]
    x -> a: Tree(Block, n + 1)

net Small = Tree(Linear(8))
"""
    assert "recursive-net" in codes(text)


def test_too_many_parameters_in_a_loop_are_told() -> None:
    text = """\
net Inner(width: int):
    input x: [N, C]
    x -> a: Linear(width) -> b: Linear(C)

net Outer:
    input x: [N, 8]
    x -> inner: [Inner(4) for _ in range(2)] -> head: Linear(3)
"""
    assert set(codes(text, Limits(parameters=10))) == {"too-many-parameters"}


@pytest.mark.parametrize("count", [1, 2, 50])
def test_many_mistakes_end_at_a_limit(count: int) -> None:
    nets = "\n".join(
        f"net A{i}:\n    input x: [N, 8]\n    x -> rellu -> fc: Liner(8)\n"
        for i in range(count * 10)
    )
    assert len(codes(nets)) == min(Limits().diagnostics, count * 20)


# -- the command line ------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def run(*arguments: str, given: bytes | None = None) -> Result:
    result = CliRunner().invoke(cli, arguments, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def test_paths(folder: Path) -> None:
    (folder / "inner.net").mkdir()
    (folder / "good.net").write_text(GOOD)
    for verb in ("check", "compile"):
        assert run(verb, "missing.net").exit_code == 2
        assert run(verb, "a\nb.net").exit_code == 2
        assert run(verb, "a" * 5000 + ".net").exit_code == 2
    assert run("compile", "inner.net").exit_code == 2
    assert run("check", "inner.net").exit_code == 2
    os.mkfifo(folder / "pipe.net")
    assert run("check", "pipe.net").exit_code == 2
    os.symlink("loop.net", folder / "loop.net")
    assert run("check", "loop.net").exit_code == 2


def test_outputs_that_cannot_be_written(folder: Path) -> None:
    (folder / "good.net").write_text(GOOD)
    (folder / "taken").write_text("mine")
    (folder / "out").mkdir()
    for target in ("taken/good.py", "missing/good.py", "taken", "/proc/good.py"):
        result = run("compile", "good.net", "-o", target)
        assert result.exit_code == 2 and result.stderr
    assert (folder / "taken").read_text() == "mine"
    assert sorted(os.listdir(folder)) == ["good.net", "out", "taken"]
    assert run("compile", "good.net", "-o", "out").exit_code == 0


def test_an_error_writes_nothing(folder: Path) -> None:
    (folder / "bad.net").write_text(GOOD.replace("relu", "rellu"))
    (folder / "bad.py").write_text("kept = 1\n")
    assert run("compile", "bad.net").exit_code == 1
    assert run("compile", "bad.net", "--force").exit_code == 1
    assert (folder / "bad.py").read_text() == "kept = 1\n"
    assert sorted(os.listdir(folder)) == ["bad.net", "bad.py"]


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff", b"\x1b[31mnet", b"[" * 70_000])
def test_standard_input(folder: Path, data: bytes) -> None:
    result = run("check", "-", given=data)
    assert result.exit_code == 1
    assert "\x1b" not in result.output and "\0" not in result.output


def test_a_terminal_cannot_be_moved(folder: Path) -> None:
    text = "net A:\n    input x: [N, 8]\n    x -> act: GELU(approximate='\x1b[2J')\n"
    (folder / "a.net").write_text(text)
    assert "\x1b" not in run("check", "a.net").output


# -- anything at all -------------------------------------------------------------

WORDS = """net fn let input param buffer init tie expect extern from import as if else
for in return and or not is None True False training skip where x y fc relu Linear
Conv2d add cat flatten N C H [ ] ( ) { } | -> : , = == != <= + - * ** / // % @ . ...
_ 0 1 -1 8 3.5 1e3 10**12 "a" f"{x}" \"\"\" ' # \\ ; $ é → \t int64 float32 params
Small range len""".split()

ANY = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@ANY
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    compiled(text)


@ANY
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    compiled(data)


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Lines of the language's own words, in a net."""
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8)
    lines = draw(st.lists(words, min_size=1, max_size=5))
    body = "".join(f"    {' '.join(line)}\n" for line in lines)
    return f"net Small(n: int = 3):\n    input x: [N, 8]\n{body}"


@ANY
@given(sentences())
def test_any_words(text: str) -> None:
    compiled(text)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """An example or a case of the corpus, with a few places changed."""
    path = draw(st.sampled_from([*EXAMPLES, *CORPUS]))
    text = path.read_bytes().decode("utf-8", "replace")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        cut = draw(st.integers(0, 12))
        put = draw(st.sampled_from(["", " ", "\n", *WORDS]))
        text = text[:at] + put + text[at + cut :]
    return text


@ANY
@given(mutations())
def test_any_mutation(text: str) -> None:
    compiled(text)


@st.composite
def swaps(draw: st.DrawFn) -> str:
    """An example with words in each other's places: it parses more often."""
    path = draw(st.sampled_from([*EXAMPLES, *CORPUS]))
    text = path.read_bytes().decode("utf-8", "replace")
    words = sorted({w for w in text.replace("(", " ").replace(")", " ").split() if w})
    for _ in range(draw(st.integers(1, 3))):
        old, new = draw(st.sampled_from(words)), draw(st.sampled_from(words))
        text = text.replace(old, new, draw(st.integers(1, 3)))
    return text


@ANY
@given(swaps())
def test_any_swap(text: str) -> None:
    compiled(text)
