"""The house: floors, cold starts, what may not stand in the code, same bytes."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
PACKAGE = HOME / "netdsl"
EXAMPLES = sorted((HOME / "examples").glob("*.net"))

# Each room (a file or a folder of netdsl/) and the floor it stands on.
FLOORS = {
    "records": 0,
    "limits": 0,
    "reserved": 0,
    "source": 0,
    "codes": 0,
    "diagnostics": 0,
    "suggestions": 0,
    "dims": 0,
    "facts": 0,
    "shapes": 0,
    "syntax": 1,
    "layers": 1,
    "graph": 2,
    "parse": 3,
    "resolve": 3,
    "elaborate": 3,
    "emit": 4,
    "formatting": 4,
    "render": 4,
    "sarif": 4,
    "fixing": 4,
    "highlight": 4,
    "incremental": 4,
    "reach": 4,
    "compiler": 5,
    "files": 6,
    "answers": 6,
    "live": 6,
    "loading": 6,
    "doors": 7,
    "telling": 7,
    "lsp": 7,
    "cli": 7,
    "delivery": 7,
    "hook": 7,
    "notebook": 7,
    "__main__": 7,
    "__init__": 7,
}
# An import that goes up, and why it may.
UPWARDS = {
    ("diagnostics", "render"): "str() of a CompileError is its rendered text",
    ("cli", "__init__"): "the version is written once, where packaging reads it",
}


# -- imports ---------------------------------------------------------------------


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    parts = path.relative_to(HOME).with_suffix("").parts
    return ".".join(parts)


def imported(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports, those inside functions too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("netdsl"))
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert node.level == 0, f"{path}: relative imports hide their floor"
            if module.split(".")[0] != "netdsl":
                continue
            for alias in node.names:
                inner = HOME.joinpath(*module.split("."), alias.name)
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield f"{module}.{alias.name}" if is_module else module


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(name_of(p)) for p in modules()}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_down(path: Path) -> None:
    here = room_of(name_of(path))
    for module in imported(path):
        there = room_of(module)
        if there != here and (here, there) not in UPWARDS:
            assert FLOORS[there] <= FLOORS[here], f"{here} imports {module}"


def test_rooms_do_not_import_in_circles() -> None:
    below: dict[str, set[str]] = {room: set() for room in FLOORS}
    for path in modules():
        here = room_of(name_of(path))
        for module in imported(path):
            there = room_of(module)
            if there != here and (here, there) not in UPWARDS:
                below[here].add(there)
    done: set[str] = set()
    while len(done) < len(below):
        free = {r for r in below if r not in done and below[r] <= done}
        assert free, f"a circle: {sorted(set(below) - done)}"
        done |= free


# -- what may not stand in the code ------------------------------------------------


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_nothing_runs_what_it_reads(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {a.name.split(".")[0] for a in node.names}
            names.add((getattr(node, "module", None) or "").split(".")[0])
            assert not names & {"pickle", "marshal", "shelve", "subprocess", "jinja2"}
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called not in ("eval", "__import__", "os.system"), called
        if called in ("exec", "builtins.exec"):
            assert name_of(path) == "netdsl.live", "only the loader executes"
        assert "cache" not in {k.arg for k in node.keywords}, "lark's cache is a pickle"


# -- cold starts ---------------------------------------------------------------------


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh process has after running the code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_package_imports_almost_nothing() -> None:
    assert not loaded_by("import netdsl") & {"torch", "black", "lark", "click"}


def test_hook_and_notebook_load_nothing_before_they_are_used() -> None:
    code = (
        "import netdsl, importlib.util; netdsl.load_ipython_extension;"
        "hook = netdsl.install_hook('no_such_module');"
        "assert importlib.util.find_spec('no_such_module') is None"
    )
    found = loaded_by(code)
    assert not found & {"torch", "black", "lark", "click", "IPython"}


def test_check_needs_no_torch() -> None:
    code = (
        "import sys; from netdsl.cli import cli;"
        "cli(['check', 'examples/resnet.net'], standalone_mode=False)"
    )
    found = loaded_by(code)
    assert not found & {"torch", "black", "lark", "numpy"}


def test_compile_needs_no_torch() -> None:
    code = (
        "from netdsl import compiler;"
        "data = open('examples/resnet.net', 'rb').read();"
        "assert compiler.compile('resnet.net', data).text"
    )
    found = loaded_by(code)
    assert "black" in found
    assert "torch" not in found


def test_check_loads_only_what_it_needs() -> None:
    code = (
        "from netdsl import compiler;"
        "data = open('examples/resnet.net', 'rb').read();"
        "compiler.check('resnet.net', data);"
        "import sys;"
        "assert 'netdsl.layers.convolution' in sys.modules;"
        "assert 'netdsl.layers.attention' not in sys.modules;"
        "assert 'netdsl.emit.file' not in sys.modules"
    )
    loaded_by(code)


# -- tables that are made from other files ---------------------------------------------


def automaton(text: str) -> list[object]:
    """What a table says: lark numbers its states anew each time."""
    table = json.loads(text)
    parser, memo = table["data"]["parser"], table["memo"]
    names, states = parser["parser"]["tokens"], parser["parser"]["states"]
    order = [str(s) for _, s in sorted(parser["parser"]["start_states"].items())]
    places = {state: i for i, state in enumerate(order)}
    found: list[object] = [table["grammar"]]
    terminals = parser["lexer_conf"]["terminals"]
    found.append(sorted(json.dumps(memo[str(t["@"])]) for t in terminals))
    for state in order:  # grows while it is gone through
        row = []
        for token, (kind, value) in sorted(
            states[state].items(), key=lambda entry: names[entry[0]]
        ):
            if kind == 0:
                if str(value) not in places:
                    places[str(value)] = len(order)
                    order.append(str(value))
                row.append((names[token], str(places[str(value)])))
            else:
                row.append((names[token], json.dumps(memo[str(value["@"])])))
        found.append(row)
    return found


def test_parser_table_is_of_this_grammar() -> None:
    from netdsl.parse.table import grammar_path, make_table, table_path

    grammar = grammar_path().read_text(encoding="utf-8")
    current = table_path().read_text(encoding="utf-8")
    same = automaton(current) == automaton(make_table(grammar))
    assert same, "run `python -m netdsl.parse`"


def test_editors_files_are_of_this_grammar() -> None:
    from netdsl.highlight.files import made_files

    for path, text in made_files().items():
        made = path.read_text(encoding="utf-8")
        assert made == text, "run `python -m netdsl.highlight`"


def test_editors_files_have_every_keyword() -> None:
    from netdsl.highlight import keywords
    from netdsl.highlight.files import made_files
    from netdsl.parse.reading import ITEM_LINE
    from netdsl.parse.table import grammar_path
    from netdsl.parse.trouble import KEYWORDS

    words = keywords(grammar_path().read_text(encoding="utf-8"))
    assert set(KEYWORDS) <= set(words)
    assert set(ITEM_LINE.pattern.partition("(?:")[2].partition(")")[0].split("|")) <= (
        set(words)
    )
    for path in made_files():
        made = path.read_text(encoding="utf-8")
        assert all(word in made for word in words)


def test_index_of_layers_is_whole() -> None:
    from netdsl import layers

    folder = PACKAGE / "layers"
    others = {"__init__", "families", "left_out", "spec"}
    families = {p.stem for p in folder.glob("*.py")} - others
    named: list[tuple[set[str], layers.spec.Table]] = []
    for at, table in enumerate((layers.LAYERS, layers.FUNCTIONS)):
        words = [w for pair in layers.FAMILIES.values() for w in pair[at].split()]
        assert len(words) == len(set(words))
        assert all(table[word].name == word for word in words)
        named.append((set(words), table))
    for family in sorted(families):
        importlib.import_module(f"netdsl.layers.{family}")
    for words_, table in named:
        assert words_ == set(table), "add the name to layers/families.py"


# -- same bytes ----------------------------------------------------------------------


def compiled(path: Path, folder: Path, seed: str) -> bytes:
    """The Python of an example, from another folder and under a hash seed."""
    source = os.path.relpath(path, folder)
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", "compile", source, "-o", "-"],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HOME)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_same_bytes_anywhere(path: Path, tmp_path: Path) -> None:
    first = compiled(path, HOME, "0")
    assert first
    assert compiled(path, tmp_path, "1") == first
    assert compiled(path, path.parent, "2") == first
    assert str(HOME).encode() not in first
