"""The import hook: `.net` files as modules, where and as long as it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import netdsl
from netdsl.hook import Hook

HOME = Path(__file__).parent.parent
TEXT = '''"""Two nets and a variant."""

fn twice(x: [*S]):
    x * 2

net Block(width: int):
    input x: [N, C]
    x -> fc: Linear(width) -> twice

net small(classes: int = 3) = Head(classes)

net Head(classes: int):
    input x: [N, 4]
    x -> block: Block(8) -> out: Linear(classes)
'''
BAD = "net Bad:\n    input x: [N, 3]\n    x -> fc: Liner(3)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python looks for modules in; what is found there is forgotten."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before, finders = set(sys.modules), list(sys.meta_path)
    yield tmp_path
    assert sys.meta_path == finders, "a hook was left behind"
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)) or name.startswith("pack"):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    importlib.invalidate_caches()


# -- what a module is --------------------------------------------------------------


def test_module_holds_the_nets_of_the_file(folder: Path) -> None:
    write(folder, "hooked.net", TEXT)
    with netdsl.install_hook(packages=["hooked"]):
        import hooked  # type: ignore[import-not-found]
    path = str(folder / "hooked.net")
    assert hooked.__file__ == path == hooked.__spec__.origin
    assert hooked.__doc__ == "Two nets and a variant."
    assert hooked.__all__ == ["Block", "small", "Head"]
    assert hooked.Head is netdsl.load_class(path, "Head")
    assert hooked.small is netdsl.load_class(path, "small")
    assert hooked.twice(torch.ones(2)).tolist() == [2, 2]
    assert hooked.small()(torch.zeros(2, 4)).shape == (2, 3)
    assert "self.fc = nn.Linear(in_features, width)" in inspect.getsource(hooked.Block)
    assert inspect.getsource(hooked) == TEXT
    assert sorted(p.name for p in folder.iterdir()) == ["hooked.net"]


def test_star_import_gives_the_nets(folder: Path) -> None:
    write(folder, "starred.net", TEXT)
    space: dict[str, object] = {}
    with netdsl.install_hook("starred"):
        exec("from starred import *", space)
    assert space.keys() - {"__builtins__"} == {"Block", "small", "Head"}


def test_reload_reads_the_file_again(folder: Path) -> None:
    write(folder, "again.net", "net A = [Linear(2)]\n")
    with netdsl.install_hook("again"):
        import again  # type: ignore[import-not-found]

        old = again.A
        write(folder, "again.net", "net A = [Linear(2), ReLU]\nnet B = [Tanh]\n")
        assert again.A is old
        assert importlib.reload(again) is again
    assert len(again.A(3)) == 2
    assert again.__all__ == ["A", "B"]
    # What was made before the file changed can still be pickled.
    assert len(pickle.loads(pickle.dumps(old(3)))) == 1


def test_pickles_load_in_a_process_without_the_hook(folder: Path) -> None:
    write(folder, "pickled.net", TEXT)
    with netdsl.install_hook("pickled"):
        import pickled  # type: ignore[import-not-found]
    module = pickled.small()
    (folder / "it.pkl").write_bytes(pickle.dumps(module))
    (folder / "pickled.net").unlink()
    code = (
        "import pickle, torch; m = pickle.load(open('it.pkl', 'rb'));"
        "print(m(torch.ones(1, 4)).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(HOME), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(module(torch.ones(1, 4)).tolist())


# -- where it looks ----------------------------------------------------------------


def test_only_named_modules_are_found(folder: Path) -> None:
    write(folder, "one.net", TEXT)
    write(folder, "onemore.net", TEXT)
    with netdsl.install_hook(["one"]):
        assert importlib.util.find_spec("one") is not None
        assert importlib.util.find_spec("onemore") is None
    assert importlib.util.find_spec("one") is None


def test_a_real_module_wins(folder: Path) -> None:
    write(folder, "real.net", TEXT)
    write(folder, "real.py", "origin = 'Python'\n")
    with netdsl.install_hook("real"):
        import real  # type: ignore[import-not-found]
    assert real.origin == "Python"


def test_a_real_folder_wins(folder: Path) -> None:
    write(folder, "realfolder.net", TEXT)
    write(folder, "realfolder/part.py", "")
    with netdsl.install_hook("realfolder"):
        spec = importlib.util.find_spec("realfolder")
    assert spec is not None
    assert spec.origin is None


def test_a_net_of_the_same_name_in_another_file(folder: Path) -> None:
    write(folder, "inner.net", "net A(n: int) = [Linear(n)]\nnet B = [A(3), A(4)]\n")
    write(folder, "same.net", 'from "inner.net" import B\nnet A = [B, ReLU]\n')
    with netdsl.install_hook("same"):
        module = importlib.import_module("same")
    assert module.__all__ == ["A"]
    assert len(module.A(2)) == 2
    assert len(netdsl.load(folder / "same.net", "A", in_features=2)) == 2


@pytest.mark.parametrize("init", [True, False], ids=["package", "namespace"])
def test_modules_of_packages(folder: Path, init: bool) -> None:
    top = "packed" if init else "packspace"
    if init:
        write(folder, f"{top}/__init__.py", "")
        write(folder, f"{top}/deep/__init__.py", "")
    write(folder, f"{top}/deep/layers.net", "net Block(n: int) = [Linear(n), ReLU]\n")
    write(
        folder, f"{top}/model.net",
        'from "deep/layers.net" import Block\nnet Two = [Block(3), Block(4)]\n',
    )  # fmt: skip
    write(folder, "model.net", "net Other = [Linear(1)]\n")
    with netdsl.install_hook([top]):
        model = importlib.import_module(f"{top}.model")
        layers = importlib.import_module(f"{top}.deep.layers")
        assert importlib.util.find_spec("model") is None
    assert model.__all__ == ["Two"]
    assert model.__package__ == top
    assert model.Two(2)(torch.zeros(1, 2)).shape == (1, 4)
    assert isinstance(layers.Block(2, 3), nn.Sequential)
    assert sys.modules[top].model is model


def test_relative_import(folder: Path) -> None:
    write(folder, "packrel/__init__.py", "from .net_a import A\nfrom . import net_a\n")
    write(folder, "packrel/net_a.net", "net A = [Linear(2)]\n")
    with netdsl.install_hook("packrel"):
        import packrel  # type: ignore[import-not-found]
    assert packrel.A is packrel.net_a.A


def test_the_name_is_spelled_as_on_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "Model.net", TEXT)
    # A disk that takes small letters for capitals.
    monkeypatch.setattr("os.path.isfile", lambda path: True)
    with netdsl.install_hook(["model", "Model"]):
        assert importlib.util.find_spec("model") is None
        assert importlib.util.find_spec("Model") is not None


def test_folders_and_archives_are_no_modules(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "folder.net").mkdir()
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("zipped.net", TEXT)
    monkeypatch.syspath_prepend(str(folder / "archive.zip"))
    with netdsl.install_hook(["folder", "zipped"]):
        for name in ("folder", "zipped"):
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(name)


@pytest.mark.parametrize("names", [[], ["a b"], [""], ["a."], [1]])
def test_names_that_are_none(names: list[str]) -> None:
    with pytest.raises(ValueError, match="name"):
        netdsl.install_hook(names)


# -- mistakes ----------------------------------------------------------------------


def test_a_file_with_mistakes(folder: Path) -> None:
    write(folder, "wrong.net", BAD)
    with netdsl.install_hook("wrong"):
        with pytest.raises(netdsl.CompileError) as caught:
            importlib.import_module("wrong")
        assert "did you mean `Linear`?" in str(caught.value)
        assert "wrong.net:3:14" in str(caught.value)
        assert "wrong" not in sys.modules
        write(folder, "wrong.net", BAD.replace("Liner", "Linear"))
        assert importlib.import_module("wrong").__all__ == ["Bad"]


def test_externs_come_from_the_caller(folder: Path) -> None:
    text = "extern Mine(n: int): [*S] -> [*S]\nnet A:\n    input x: [N]\n"
    write(folder, "outer.net", f"{text}    x -> mine: Mine(3)\n")
    with netdsl.install_hook("outer"):
        with pytest.raises(netdsl.CompileError, match="Mine"):
            importlib.import_module("outer")
    with netdsl.install_hook("outer", externs={"Mine": nn.Identity}):
        assert isinstance(importlib.import_module("outer").A().mine, nn.Identity)


def test_limits_hold(folder: Path) -> None:
    write(folder, "long.net", "# " + "x" * 200 + "\n" + TEXT)
    with netdsl.install_hook("long", limits=netdsl.Limits(source_bytes=100)):
        with pytest.raises(netdsl.CompileError):
            importlib.import_module("long")


# -- installing --------------------------------------------------------------------


def test_uninstalling(folder: Path) -> None:
    write(folder, "there.net", TEXT)
    hook = netdsl.install_hook("there")
    other = netdsl.install_hook("there")
    assert isinstance(hook, Hook)
    assert repr(hook) == "<netdsl hook for there, installed>"
    hook.uninstall()
    hook.uninstall()
    assert importlib.util.find_spec("there") is not None
    other.uninstall()
    assert importlib.util.find_spec("there") is None
    hook.install()
    hook.install()
    module = importlib.import_module("there")
    hook.uninstall()
    assert importlib.import_module("there") is module
    assert "not installed" in repr(hook)


def together(number: int, work: object) -> list[BaseException]:
    """Runs the work in threads that start at once; what went wrong."""
    start, wrong = threading.Barrier(number), []

    def run(index: int) -> None:
        start.wait()
        try:
            work(index)  # type: ignore[operator]
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(t.is_alive() for t in threads)
    return wrong


def test_threads_that_import_at_once(folder: Path) -> None:
    names = [f"threaded{i}" for i in range(4)]
    for name in names:
        write(folder, f"{name}.net", TEXT.replace("Two nets", name))
    found: list[object] = []

    def work(index: int) -> None:
        module = importlib.import_module(names[index % 4])
        found.append((index % 4, module, module.Head))
        module.small()(torch.zeros(1, 4))

    with netdsl.install_hook(names):
        assert together(16, work) == []
    assert len(found) == 16
    assert len(set(found)) == 4


def test_installing_and_uninstalling_at_once(folder: Path) -> None:
    for index in range(6):
        write(folder, f"raced{index}.net", f"net A = [Linear({index + 1})]\n")
    before = list(sys.meta_path)

    def work(index: int) -> None:
        name = f"raced{index}"
        for _ in range(30):
            with netdsl.install_hook(name):
                sys.modules.pop(name, None)
                assert importlib.import_module(name).A(2)[0].out_features == index + 1

    assert together(6, work) == []
    assert sys.meta_path == before
