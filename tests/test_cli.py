"""The command line: what goes where, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

import netdsl
from netdsl import cli, files
from netdsl.codes import CODES
from netdsl.diagnostics import Diagnostic, Level
from netdsl.limits import ImportRefused
from netdsl.source import Chunk, Source, Span

GOOD = """\
net Small(width: int = 4):
    input x: [N, 8]
    x -> fc: Linear(width)
"""
BAD = GOOD.replace("Linear", "Liner")

# Variables that change what is printed belong to each test alone.
SWITCHES = ("NO_COLOR", "FORCE_COLOR", "NETDSL_DEBUG")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for switch in SWITCHES:
        monkeypatch.delenv(switch, raising=False)
    monkeypatch.chdir(tmp_path)
    # No pyproject.toml above the test's own folder has a say.
    Path("pyproject.toml").touch()
    yield tmp_path


def run(*arguments: str, input: str = "") -> Result:
    return CliRunner().invoke(cli.cli, arguments, input=input)


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


# -- with a compiler that says what the test wants ------------------------------


class Outcome(NamedTuple):
    diagnostics: tuple[Diagnostic, ...]
    text: str | None


class UsageError(Exception):
    pass


class Fake:
    """A compiler whose messages are the words `error` and `warning` of the text."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.options: dict[str, Any] = {}

    def check(self, name: str, data: bytes, **options: Any) -> Outcome:
        return self.run("check", name, data, options)

    def compile(self, name: str, data: bytes, **options: Any) -> Outcome:
        return self.run("compile", name, data, options)

    def run(
        self, verb: str, name: str, data: bytes, options: Mapping[str, Any]
    ) -> Outcome:
        self.calls.append((verb, name))
        self.options = dict(options)
        text = data.decode()
        if "bug" in text:
            raise KeyError("a\x1b[31m")
        if "usage" in text:
            raise UsageError("there is no net `Smal`; did you mean `Small`?")
        found = tuple(_messages(Source(name, text)))
        failed = verb == "check" or any(d.level == "error" for d in found)
        return Outcome(found, None if failed else f"# {text.strip()}\n")


def _messages(source: Source) -> Iterator[Diagnostic]:
    chunk = Chunk(source, 0, source.text)
    levels: tuple[Level, ...] = ("error", "warning")
    for level in levels:
        at = source.text.find(level)
        if at >= 0:
            span = Span(chunk, at, at + len(level))
            yield Diagnostic(level, "wrong-type", f"an {level}", span, help="mend it")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    compiler = Fake()
    module: Any = ModuleType("netdsl.compiler")
    module.check, module.compile = compiler.check, compiler.compile
    module.UsageError, module.Outcome = UsageError, Outcome
    monkeypatch.setitem(sys.modules, "netdsl.compiler", module)
    monkeypatch.setattr(netdsl, "compiler", module, raising=False)
    return compiler


def test_writes_beside_the_source(fake: Fake) -> None:
    put("models/a.net", "fine")
    result = run("compile", "models/a.net")
    assert result.exit_code == 0 and result.stdout == ""
    assert result.stderr == "wrote models/a.py\n"
    written = Path("models/a.py").read_text()
    assert written == "# fine\n\n\n# netdsl: made from a.net\n"
    assert run("compile", "models/a.net").stderr == ""


def test_output_to_a_file_a_folder_and_the_screen(fake: Fake) -> None:
    put("a.net", "fine")
    put("b.net", "fine too")
    Path("there").mkdir()
    for arguments, product in (
        (["-o", "c.py"], "c.py"),
        (["-o", "there"], "there/a.py"),
        (["-o", "new/"], "new/a.py"),
        (["b.net", "-o", "both"], "both/b.py"),
    ):
        assert run("compile", "a.net", *arguments).exit_code == 0
        assert files.is_ours(Path(product).read_text())
    screen = run("compile", "a.net", "-o", "-")
    assert screen.stdout == Path("c.py").read_text()
    assert not Path("a.py").exists() and not Path("-").exists()


def test_standard_input(fake: Fake) -> None:
    assert run("compile", "-", input="fine").stdout.startswith("# fine\n")
    assert fake.calls == [("compile", "<stdin>")]
    assert run("compile", "-", "-o", "a.py", input="fine").exit_code == 0
    assert Path("a.py").exists()
    assert run("check", "-", input="error").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["compile"],
        ["check"],
        ["compile", "a.net", "b.net", "-o", "-"],
        ["compile", "a.net", "b.net", "-o", "a.net"],
        ["compile", "a.net", "sub/a.net", "-o", "out"],
        ["compile", "a.net", "a.txt"],
        ["compile", "a.net", "-o", "./a.net"],
        ["compile", "a.py"],
        ["compile", "-", "-o", "sub/"],
        ["compile", "-", "--check"],
        ["compile", "a.net", "-o", "-", "--diff"],
        ["compile", "a.net", "-D", "width"],
        ["compile", "a.net", "-D", "width="],
        ["compile", "a.net", "-D", "w=1", "-D", "w=2"],
        ["compile", "a.net", "--layer", "Swish"],
        ["compile", "a.net", "--layer", "Swish=os; import sys"],
        ["compile", "a.net", "--layer", "Swish=.layers"],
        ["compile", "a.net", "--layer", "Sw ish=layers"],
        ["compile", "a.net", "--layer", "class=layers"],
        ["compile", "a.net", "--error-format", "xml"],
        ["compile", "a.net", "--nett", "A"],
        ["explain", "no-such-code"],
        ["no-such-command"],
    ],
)
def test_wrong_use(fake: Fake, arguments: list[str]) -> None:
    for path in ("a.net", "b.net", "sub/a.net", "a.txt", "a.py"):
        put(path, "fine")
    result = run(*arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr and not fake.calls
    assert Path("a.net").read_text() == "fine" and Path("a.py").read_text() == "fine"


def test_the_worst_code_wins_and_all_files_are_done(fake: Fake) -> None:
    for name, text in (("a", "error"), ("b", "bug"), ("c", "usage"), ("d", "fine")):
        put(f"{name}.net", text)
    for names, code in (("d", 0), ("ad", 1), ("acd", 2), ("cbad", 3)):
        Path("d.py").unlink(missing_ok=True)
        fake.calls.clear()
        result = run("compile", *(f"{n}.net" for n in names))
        assert result.exit_code == code
        assert [name[0] for _, name in fake.calls] == list(names)
        assert Path("d.py").exists() and not Path("a.py").exists()
    assert run("compile", "missing.net", "d.net").exit_code == 2


def test_warnings_are_fine(fake: Fake) -> None:
    put("a.net", "warning")
    result = run("compile", "a.net")
    assert result.exit_code == 0 and "warning[wrong-type]" in result.stderr
    assert Path("a.py").exists()


def test_options_reach_the_compiler(fake: Fake) -> None:
    put("sub/a.net", "fine")
    put("sub/b.net", "other")
    put("pyproject.toml", '[tool.netdsl.layers]\nA = "one"\nB = "two.three"\n')
    result = run(
        *("compile", "sub/a.net", "--net", "Small", "-D", "width = 2", "-D", "s=a=b"),
        *("--layer", "A=mine"),
    )
    assert result.exit_code == 0
    read = fake.options.pop("reader")
    assert read("sub/a.net", "b.net") == ("sub/b.net", b"other")
    with pytest.raises(ImportRefused):
        read("sub/a.net", "../c.net")
    assert fake.options == {
        "net": "Small",
        "define": {"width": "2", "s": "a=b"},
        "externs": {"A": "mine", "B": "two.three"},
    }


def test_the_nearest_pyproject_above_counts(
    fake: Fake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("pyproject.toml", '[tool.netdsl.layers]\nA = "far"\n')
    put("near/pyproject.toml", '[tool.netdsl.layers]\nA = "near"\n')
    put("near/deep/a.net", "fine")
    monkeypatch.chdir("near/deep")
    assert run("check", "a.net").exit_code == 0
    assert fake.options["externs"] == {"A": "near"}


@pytest.mark.parametrize(
    "text",
    [
        "[tool.netdsl.layers]\nA = 1",
        "[tool.netdsl]\nlayers = 'A'",
        "[tool.netdsl.layers]\nA = 'os; x'",
        "[tool.netdsl.layers\n",
        "# \udc80 netdsl layers",
    ],
)
def test_a_wrong_pyproject(fake: Fake, text: str) -> None:
    Path("pyproject.toml").write_bytes(text.encode(errors="surrogateescape"))
    put("a.net", "fine")
    result = run("compile", "a.net")
    assert result.exit_code == 2 and "pyproject.toml" in result.stderr


def test_check_and_diff_write_nothing(fake: Fake) -> None:
    put("a.net", "fine")
    missing = run("compile", "a.net", "--check")
    assert missing.exit_code == 1 and missing.stderr == "a.py does not exist yet\n"
    assert run("compile", "a.net").exit_code == 0
    assert run("compile", "a.net", "--check").exit_code == 0
    put("a.net", "finer")
    before = Path("a.py").read_text()
    changed = run("compile", "a.net", "--check")
    assert (changed.exit_code, changed.stdout) == (1, "")
    assert changed.stderr == "a.py would change\n"
    shown = run("compile", "a.net", "--diff")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith("--- a.py\n+++ a.py\n@@")
    assert "-# fine\n+# finer\n" in shown.stdout
    both = run("compile", "a.net", "--check", "--diff")
    assert (both.exit_code, both.stdout) == (1, shown.stdout)
    assert Path("a.py").read_text() == before


def test_a_file_of_somebody_else_is_left_alone(fake: Fake) -> None:
    put("a.net", "fine")
    put("a.py", "mine = 1\n")
    result = run("compile", "a.net")
    assert result.exit_code == 2 and "--force" in result.stderr
    assert Path("a.py").read_text() == "mine = 1\n"
    assert run("compile", "a.net", "--force").exit_code == 0
    assert files.is_ours(Path("a.py").read_text())


def test_unwritable_outputs(fake: Fake) -> None:
    put("a.net", "fine")
    Path("a.py").mkdir()
    for target in ("a.py/", "none/b.py", "a.net/b.py"):
        result = run("compile", "a.net", "-o", target)
        assert result.exit_code == (0 if target == "a.py/" else 2)
    result = run("compile", "a.net")
    assert result.exit_code == 2 and "can't be written" in result.stderr
    assert sorted(os.listdir()) == ["a.net", "a.py", "pyproject.toml"]


def test_check_looks_below_folders(fake: Fake) -> None:
    for path in ("z.net", "m/b.net", "m/a.net", "m/n/c.net", "m/x.txt", "m/.git/d.net"):
        put(path, "fine")
    result = run("check", "z.net", "m", "./z.net")
    assert result.exit_code == 0
    names = [name for _, name in fake.calls]
    assert names == ["z.net", "m/a.net", "m/b.net", "m/n/c.net"]
    assert result.stderr == "4 files checked: all fine\n"
    fake.calls.clear()
    run("check", ".")
    assert [name for _, name in fake.calls] == sorted(names)
    Path("empty").mkdir()
    for path in ("empty", "missing.net"):
        nothing = run("check", path)
        assert nothing.exit_code == 2 and "checked" not in nothing.stderr
    assert run("compile", "m").exit_code == 2


def test_check_counts(fake: Fake) -> None:
    put("a.net", "error warning")
    result = run("check", "a.net")
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.endswith("1 file checked: 1 error, 1 warning\n")


def test_the_forms_of_messages(fake: Fake) -> None:
    put("a.net", "error")
    put("c.net", "usage")
    put("d.net", "bug")
    paths = ("a.net", "b.net", "c.net", "d.net")
    text = run("check", *paths).stderr
    assert "error[wrong-type]: an error\n  --> a.net:1:1\n 1 | error\n" in text
    assert "error: there is no file `b.net`\n   = help: did you mean `" in text
    assert "did you mean `Small`?\n  --> c.net\n" in text
    short = run("check", *paths, "--error-format", "short").stderr.split("\n")
    assert short[0] == "a.net:1:1: error[wrong-type]: an error"
    assert short[1] == "b.net: error: there is no file `b.net`"
    assert short[3].startswith("d.net: error[internal]: ") and short[4:] == [""]
    lines = run("check", *paths, "--error-format", "json").stderr.splitlines()
    records = [json.loads(line) for line in lines]
    assert [r["code"] for r in records] == ["wrong-type", "", "", "internal"]
    assert len({tuple(r) for r in records}) == 1
    github = run("check", *paths, "--error-format", "github").stderr.splitlines()
    assert github[0].startswith("::error file=a.net,line=1,col=1")
    assert github[1].startswith("::error file=b.net,title=netdsl::there is no file")
    assert len(github) == 4
    log = json.loads(run("check", *paths, "--error-format", "sarif").stderr)
    (ran,) = log["runs"]
    assert [r["ruleId"] for r in ran["results"]] == ["wrong-type"]
    (invocation,) = ran["invocations"]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == 3


def test_a_bug_of_ours_asks_for_a_report(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.net", "bug")
    result = run("compile", "a.net")
    assert result.exit_code == 3 and not Path("a.py").exists()
    assert "please report it" in result.stderr and "KeyError" in result.stderr
    assert "cli.py, line " in result.stderr
    assert "Traceback" not in result.stderr and "\x1b" not in result.stderr
    monkeypatch.setenv("NETDSL_DEBUG", "1")
    assert "Traceback" in run("compile", "a.net").stderr


def test_colour_is_for_terminals_and_who_asks(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.net", "error")
    assert "\x1b[" not in run("check", "a.net").stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31merror[wrong-type]\x1b[0m" in run("check", "a.net").stderr
    assert "\x1b[" not in run("check", "a.net", "--error-format", "short").stderr
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "\x1b[" not in run("check", "a.net").stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check", "a.net").stderr


def test_explain() -> None:
    page = run("explain", "branch-mismatch")
    assert page.exit_code == 0 and page.stdout.startswith("branch-mismatch: ")
    assert "did you mean `branch-mismatch`" in run("explain", "branch-mismach").stderr
    every = run("explain").stdout.splitlines()
    assert [line.split()[0] for line in every] == list(CODES)


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("netdsl ")
    for arguments in (["--help"], ["compile", "-h"], ["check", "-h"]):
        assert run(*arguments).exit_code == 0


def in_a_fresh_process(code: str) -> list[str]:
    """What a new Python prints, a word each."""
    path = str(Path(cli.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": path}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


HEAVY = "sorted({'torch', 'black', 'lark', 'rich', 'tomllib'} & set(sys.modules))"


def test_the_door_is_cheap() -> None:
    assert in_a_fresh_process(f"import sys, netdsl.cli; print(*{HEAVY})") == []


def test_python_m_netdsl() -> None:
    command = [sys.executable, "-m", "netdsl", "explain", "no-such"]
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("Usage: netdsl explain")


# -- with the compiler itself ---------------------------------------------------


@pytest.fixture
def real() -> Callable[..., Any]:
    compiler = pytest.importorskip("netdsl.compiler")

    def run_both(name: str, data: bytes, **options: Any) -> Any:
        """What checking says, and what only compiling finds after it."""
        checked = compiler.check(name, data, **options)
        return (
            checked if checked.diagnostics else compiler.compile(name, data, **options)
        )

    return run_both


@pytest.mark.usefixtures("real")
def test_compiles_checks_and_refuses() -> None:
    put("a.net", GOOD)
    put("b.net", BAD)
    assert run("check", ".").exit_code == 1
    result = run("compile", "a.net", "b.net")
    assert result.exit_code == 1 and "error[unknown-layer]" in result.stderr
    assert "nn.Linear(8, width)" in Path("a.py").read_text()
    assert not Path("b.py").exists()
    assert run("compile", "a.net", "--check").exit_code == 0


@pytest.mark.usefixtures("real")
def test_net_and_define() -> None:
    put("a.net", GOOD)
    assert run("check", "a.net", "--net", "Small", "-D", "width=2").exit_code == 0
    assert run("check", "a.net", "--net", "Smal").exit_code == 2
    assert run("check", "a.net", "--net", "Small", "-D", "depth=2").exit_code == 2
    text = run("compile", "a.net", "--net", "Small", "-D", "width=2", "-o", "-").stdout
    assert "width: int = 2" in text


SIZED = """\
net Block(width: int, heads: int = 2):
    input x: [N, L, C]
    x -> view(N, L, heads, C // heads) -> flatten(2)
      -> fc: Linear(width) -> out: Linear(C)
"""


@pytest.mark.usefixtures("real")
def test_inferred_sizes_are_defined_too() -> None:
    put("a.net", SIZED)
    given = ("a.net", "--net", "Block", "-D", "width=3")
    assert run("check", *given, "-D", "C=8").exit_code == 0
    refused = run("check", *given, "-D", "C=9")
    assert refused.exit_code == 1 and "9 is not a multiple of 2" in refused.stderr
    text = run("compile", *given, "-D", "C=8", "-o", "-").stdout
    assert "self, in_features: int = 8, width: int = 3, heads: int = 2" in text
    for wrong in ("N=3", "C=x", "C=0"):
        assert run("check", *given, "-D", wrong).exit_code == 2
    # Python has no parameter without a default behind one that has one.
    alone = run("check", "a.net", "--net", "Block", "-D", "C=8")
    assert alone.exit_code == 2 and "needs width, too" in alone.stderr


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("output", ["x.py", "x.pyi", "there"])
def test_several_files_go_to_a_folder(output: str) -> None:
    put("a.net", GOOD)
    put("b.net", GOOD)
    Path("there").touch()
    result = run("compile", "a.net", "b.net", "-o", output)
    assert result.exit_code == 2 and "several files want a folder" in result.stderr
    assert not Path(output).is_dir()
    assert run("compile", "a.net", "b.net", "-o", "out").exit_code == 0
    assert {p.name for p in Path("out").iterdir()} == {"a.py", "b.py"}


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\0", b"[" * 2**20, b"x" * 2**21])
def test_anything_ends_in_messages(data: bytes) -> None:
    Path("a.net").write_bytes(data)
    for verb in ("check", "compile"):
        assert run(verb, "a.net").exit_code in (0, 1)


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("code", [c for c, about in CODES.items() if about.example])
def test_examples_get_their_code_and_mended_ones_do_not(
    code: str, real: Callable[..., Any]
) -> None:
    about = CODES[code]
    beside = dict(about.files)

    def read(importer: str, path: str) -> tuple[str, bytes]:
        if path.startswith("../"):
            raise ImportRefused("outside", code="import-outside")
        if path not in beside | {"example.net": ""}:
            raise ImportRefused("missing")
        return path, beside.get(path, about.example).encode()

    found = real("example.net", about.example.encode(), reader=read).diagnostics
    assert code in [d.code for d in found]
    mended = real("example.net", about.mended.encode(), reader=read).diagnostics
    assert [d.code for d in mended] == []


@pytest.mark.usefixtures("real")
def test_check_loads_neither_torch_nor_black() -> None:
    put("a.net", GOOD)
    code = f"""
import sys
from netdsl.cli import cli
cli(["check", "a.net"], standalone_mode=False)
print(*{HEAVY})
"""
    assert in_a_fresh_process(code) == []
