"""Stubs: they say of each file what its Python does, and type checkers heed them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from stub_project import MODEL, WRONG, refused, write_project

import netdsl
from netdsl import compiler
from netdsl.cli import cli
from netdsl.files import directory_reader

HOME = Path(__file__).parent.parent
FILES = [
    *sorted((HOME / "examples").glob("*.net")),
    *sorted((HOME / "examples" / "zoo").glob("*.net")),
    *sorted((HOME / "tests" / "corpus" / "compile").glob("*.net")),
]
EXTERNS = {"StochasticDepth": "torchvision.ops"}
IDS = [f"{path.parent.name}-{path.stem}" for path in FILES]


def texts(path: Path) -> tuple[str, str]:
    """The Python of a file, and its stub."""
    data, reader = path.read_bytes(), directory_reader(path.parent)
    name, made = path.name, []
    for product in (compiler.compile, compiler.stub):
        outcome = product(name, data, reader=reader, externs=EXTERNS)
        assert outcome.text is not None
        made.append(outcome.text)
    return made[0], made[1]


# -- the stub and the Python ---------------------------------------------------------


def signature(node: ast.FunctionDef, name: str = "") -> str:
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    # A stub needs no quotes around a class that is not defined yet.
    text = f"{name or node.name}({ast.unparse(node.args)}){result}"
    return text.replace("'", "").replace('"', "")


def methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}


def declared(node: ast.ClassDef) -> dict[str, str]:
    return {
        ast.unparse(n.target): ast.unparse(n.annotation)
        for n in node.body
        if isinstance(n, ast.AnnAssign)
    }


def held(node: ast.ClassDef) -> dict[str, str]:
    """The attributes that the Python of a class gives its objects, with their types
    where a reader sees them: "" elsewhere."""
    found = declared(node)
    init = methods(node).get("__init__")
    if init is None:
        return found
    given = {a.arg: ast.unparse(a.annotation) for a in init.args.args if a.annotation}
    for part in ast.walk(init):
        match part:
            case ast.AnnAssign(ast.Attribute(ast.Name("self"), name), kind):
                found[name] = ast.unparse(kind)
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Call(made)):
                found.setdefault(name, ast.unparse(made))
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Name(value)):
                found.setdefault(name, given.get(value, ""))
            case ast.Assign([ast.Attribute(ast.Name("self"), name)]):
                found.setdefault(name, "")
            case ast.Call(
                ast.Attribute(_, "register_buffer"), [ast.Constant(name), *_]
            ):
                found.setdefault(name, "Tensor")
    for name, kind in found.items():
        # What a net parameter or an extern makes has no type that is written there.
        if kind in given or kind in EXTERNS:
            found[name] = ""
    return found


def named_members(node: ast.ClassDef) -> set[str]:
    """The names of a chain's layers: `OrderedDict([("conv", ...), ...])`."""
    return {
        part.elts[0].value
        for part in ast.walk(node)
        if isinstance(part, ast.Tuple)
        and len(part.elts) == 2
        and isinstance(part.elts[0], ast.Constant)
        and isinstance(part.elts[0].value, str)
    }


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_stub_agrees_with_the_python(path: Path) -> None:
    python, stub = map(ast.parse, texts(path))
    assert ast.get_docstring(python) == ast.get_docstring(stub)
    kinds = (ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign)
    made = [n for n in python.body if isinstance(n, kinds)]
    told = {defined(n): n for n in stub.body if isinstance(n, kinds)}
    assert {defined(n) for n in made} == told.keys()
    assert len([n for n in stub.body if isinstance(n, kinds)]) == len(told)
    for node in made:
        other = told[defined(node)]
        if isinstance(node, ast.ClassDef):
            assert isinstance(other, ast.ClassDef)
            compare_classes(node, other)
        elif isinstance(node, ast.FunctionDef):
            assert isinstance(other, ast.FunctionDef)
            assert signature(node) == signature(other)


def defined(node: ast.AST) -> str:
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            return node.name
        case ast.Assign([target]) | ast.AnnAssign(target):
            return ast.unparse(target)
    raise AssertionError(node)


def compare_classes(made: ast.ClassDef, told: ast.ClassDef) -> None:
    assert list(map(ast.unparse, made.bases)) == list(map(ast.unparse, told.bases))
    assert ast.get_docstring(made) == ast.get_docstring(told)
    python, stub = methods(made), methods(told)
    for name, method in python.items():
        assert signature(method) == signature(stub[name])
        if name == "forward":
            assert ast.get_docstring(method) == ast.get_docstring(stub[name])
    if "__init__" not in python:
        assert signature(stub["__init__"]) == "__init__(self) -> None"
    assert stub.keys() - python.keys() <= {"__init__", "__call__", "forward"}
    assert signature(stub["__call__"]) == signature(stub["forward"], "__call__")
    attributes, types = held(made), declared(told)
    if "forward" in python:
        assert types.keys() == attributes.keys()
    else:
        assert types.keys() - attributes.keys() <= named_members(made)
    for name, kind in attributes.items():
        plain = kind.replace("'", "")
        assert plain in ("", types[name]) or plain in types, (made.name, name)


def test_stubs_are_clean(tmp_path: Path) -> None:
    for path, name in zip(FILES, IDS, strict=True):
        stub = texts(path)[1]
        (tmp_path / f"{name.replace('-', '_')}.pyi").write_text(stub)
    checks = (
        ["mypy", "--strict"],
        ["ruff", "check", "--isolated", "--select", "E,F,I,UP,B"],
        ["black", "--check", "--quiet"],
    )
    for tool, *options in checks:
        if tool == "ruff":
            options += ["--line-length", "120"]
        done = run([tool, *options, "."], tmp_path)
        assert done.returncode == 0, f"{tool}: {done.stdout}{done.stderr}"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True
    )


# -- a program that uses a stub --------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"))


def test_mypy_knows_the_nets(project: Path) -> None:
    right = run(["mypy", "--strict", "right.py"], project)
    assert right.returncode == 0, right.stdout
    wrong = run(["mypy", "--strict", "wrong.py"], project)
    assert refused(wrong.stdout) == WRONG, wrong.stdout


def test_stubtest_finds_nothing(project: Path) -> None:
    """mypy's own comparison of a stub with the module when it is imported."""
    (project / "model.py").write_text(netdsl.compile(project / "model.net"))
    done = run(["mypy.stubtest", "model"], project)
    (project / "model.py").unlink()
    assert done.returncode == 0, done.stdout + done.stderr


# -- the command -----------------------------------------------------------------------


def invoke(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, ["stub", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_command_writes_beside_the_file(tmp_path: Path) -> None:
    source, product = tmp_path / "model.net", tmp_path / "model.pyi"
    source.write_text(MODEL)
    assert invoke("--check", source)[0] == 1
    assert not product.exists()
    assert invoke(source) == (0, "", f"wrote {product}\n")
    assert product.read_text().endswith("# netdsl: made from model.net\n")
    assert invoke("--check", source) == (0, "", "")
    source.write_text(MODEL.replace("stride: int = 1", "stride: int = 2"))
    code, told, _ = invoke("--diff", source)
    assert code == 0
    assert (
        "+    def __init__(self, in_channels: int, width: int, stride: int = 2)" in told
    )
    assert not (tmp_path / "model.py").exists()


def test_command_leaves_what_is_not_ours(tmp_path: Path) -> None:
    source, product = tmp_path / "model.net", tmp_path / "model.pyi"
    source.write_text(MODEL)
    product.write_text("x: int\n")
    code, _, told = invoke(source)
    assert code == 2
    assert "was not written by netdsl" in told
    assert product.read_text() == "x: int\n"
    assert invoke("--force", source)[0] == 0
    assert "class Block(nn.Module):" in product.read_text()


def test_command_for_one_net(tmp_path: Path) -> None:
    (tmp_path / "model.net").write_text(MODEL)
    code, told, _ = invoke(tmp_path / "model.net", "-o", "-", "--net", "Block")
    assert code == 0
    assert "class Block" in told
    assert "Pair" not in told


def test_command_tells_mistakes(tmp_path: Path) -> None:
    (tmp_path / "model.net").write_text(MODEL.replace("Linear", "Liner"))
    code, _, told = invoke(tmp_path / "model.net")
    assert code == 1
    assert "did you mean `Linear`?" in told
    assert not (tmp_path / "model.pyi").exists()


def test_library_gives_the_same_text(project: Path) -> None:
    text = netdsl.stub(project / "model.net")
    assert (project / "model.pyi").read_text().startswith(text)
    with pytest.raises(OSError, match=r"no file"):
        netdsl.stub(project / "no.net")
