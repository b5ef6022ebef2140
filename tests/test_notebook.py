"""`%%net` in notebooks: IPython's own shell, and a notebook that is executed."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

import netdsl
from netdsl.notebook import CellError

CLASSIFIER = """
net Block(width: int, stride: int = 1):
    input x: [N, C, H, W]
    x -> conv: Conv2d(width, 3, stride=stride, padding=1) -> relu

net small(classes: int = 3) = Classifier(classes)

net Classifier(classes: int, widths: list[int] = [8, 16]):
    input image: [N, 3, H, W]
    image -> blocks: [Block(w, stride=2) for w in widths] -> mean(dim=(2, 3))
      -> head: Linear(classes)
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.run_cell("%load_ext netdsl", store_history=True)
    yield shell
    InteractiveShell.clear_instance()


def run(shell: Any, text: str, head: str = "%%net") -> Any:
    return shell.run_cell(f"{head}\n{text.lstrip()}", store_history=True)


# -- what a cell defines ---------------------------------------------------------------


def test_cell_defines_its_nets(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, CLASSIFIER).raise_error()
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines() == [
        "Block(in_channels, width, stride=1)  x: [N, in_channels, H, W] ->"
        " [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]",
        "small(classes=3)",
        "Classifier(classes, widths=(8, 16))  image: [N, 3, H, W] -> [N, classes]",
    ]
    names = shell.user_ns
    assert issubclass(names["Block"], nn.Module)
    module = names["small"]()
    assert isinstance(module, names["Classifier"])
    assert module(torch.zeros(2, 3, 8, 8)).shape == (2, 3)
    assert "nn.Conv2d(in_channels, width, 3" in inspect.getsource(names["Block"])
    assert isinstance(pickle.loads(pickle.dumps(module)), names["Classifier"])


def test_only_the_nets_that_are_named(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, CLASSIFIER, "%%net small Block -q").raise_error()
    assert capsys.readouterr().out == ""
    assert {"small", "Block"} <= shell.user_ns.keys()
    assert "Classifier" not in shell.user_ns
    done = run(shell, CLASSIFIER, "%%net Smal")
    assert type(done.error_in_exec).__name__ == "UsageError"
    shown = capsys.readouterr()
    assert "it has: Block, small, Classifier" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


def test_python_is_shown(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, CLASSIFIER, "%%net --show Block").raise_error()
    text = capsys.readouterr().out
    assert text.startswith("import torch.nn.functional as F\n")
    assert "class Block(nn.Module):" in text
    assert "Classifier" not in text
    assert "Block" in shell.user_ns


def test_nothing_that_is_wrong_is_bound(shell: Any) -> None:
    assert not run(shell, "net A = [Linear(3)]\nexpect A([2, 2]) == [2, 4]\n").success
    assert "A" not in shell.user_ns
    assert not run(shell, "net B = [A]\n").success


# -- earlier cells ---------------------------------------------------------------------


def test_cells_see_earlier_cells(shell: Any) -> None:
    run(shell, "let base = 8\n\nfn twice(x: [*S]):\n    x * 2\n").raise_error()
    run(shell, CLASSIFIER, "%%net -q").raise_error()
    text = """
net Two(base: int = base):
    input x: [N, 3, H, W]
    x -> first: Block(base) -> second: Block(2 * base) -> twice

net Wide = Two(64)

expect Two([N, 3, 8, 8]) == [N, 16, 8, 8]
"""
    run(shell, text).raise_error()
    assert shell.user_ns["Two"]()(torch.zeros(1, 3, 4, 4)).shape == (1, 16, 4, 4)
    assert shell.user_ns["Wide"]().second.conv.out_channels == 128
    assert set(shell.user_ns) >= {"Block", "Classifier", "Two", "Wide"}


def test_a_net_is_defined_again(shell: Any) -> None:
    run(shell, "net A = [Linear(3)]\n").raise_error()
    run(shell, "net B = [A, ReLU]\n").raise_error()
    old = shell.user_ns["B"]
    run(shell, "net A = [Linear(5)]\n").raise_error()
    assert shell.user_ns["B"] is old
    assert old(2)[0][0].out_features == 3
    run(shell, "net B = [A, ReLU]\n").raise_error()
    assert shell.user_ns["B"](2)[0][0].out_features == 5
    # A net of a cell may be made of an earlier one of another name, and so on.
    for index in range(30):
        before = f"C{index - 1}" if index else "A"
        run(shell, f"net C{index} = [{before}, ReLU]\n", "%%net -q").raise_error()
    assert len(list(shell.user_ns["C29"](2).modules())) == 62


def test_cells_that_are_not_counted(shell: Any) -> None:
    for text in ("net A = [Linear(3)]\n", "net B = [A]\n", "net A = [B]\n"):
        shell.run_cell(f"%%net\n{text}").raise_error()
    assert shell.user_ns["A"](2)[0][0][0].out_features == 3


def test_files_can_be_imported(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "blocks.net").write_text("net Block(n: int) = [Linear(n), ReLU]\n")
    text = 'from "blocks.net" import Block\n\nnet Two = [Block(3), Block(4)]\n'
    run(shell, text).raise_error()
    run(shell, "net Three = [Two, Block(5)]\n").raise_error()
    assert shell.user_ns["Three"](2)(torch.zeros(1, 2)).shape == (1, 5)
    assert not run(shell, 'from "../blocks.net" import Block\n').success


def test_externs_are_names_of_the_notebook(shell: Any) -> None:
    text = "extern Mine(n: int): [*S] -> [*S]\n\nnet A:\n    input x: [N]\n"
    text += "    x -> mine: Mine(3)\n"
    assert not run(shell, text).success
    shell.user_ns["Mine"] = nn.Identity
    run(shell, text, "%%net --show").raise_error()
    assert isinstance(shell.user_ns["A"]().mine, nn.Identity)


# -- messages --------------------------------------------------------------------------


def test_mistakes_are_shown_without_a_traceback(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "net Block = [Linear(3)]\n", "%%net -q").raise_error()
    count = shell.execution_count
    done = run(shell, "net A:\n    input x: [N, 3]\n    x -> a: Blok -> Linear(\n")
    assert isinstance(done.error_in_exec, CellError)
    assert isinstance(done.error_in_exec, netdsl.CompileError)
    done = run(shell, "net A:\n    input x: [N, 3]\n    x -> a: Blok\n")
    shown = capsys.readouterr().out
    assert "Traceback" not in shown
    assert shown.split("\n\n")[-2:] == [
        "error[unknown-layer]: there is no layer or net called `Blok`\n"
        # The first line is `%%net`, as in the editor of a notebook.
        f"  --> In[{count + 1}]:4:13\n"
        " 4 |     x -> a: Blok\n"
        "   |             ^^^^\n"
        "   = help: did you mean `Block`?",
        "",
    ]


def test_warnings(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = "net A:\n    input x: [N, 3]\n    x -> Linear(4) -> Linear(5)\n"
    run(shell, text).raise_error()
    assert "warning[unnamed-weights]" in capsys.readouterr().err
    run(shell, text, "%%net -q").raise_error()
    assert capsys.readouterr().err == ""


def test_wrong_options(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(shell, "net A = [Linear(3)]\n", "%%net --shwo")
    assert type(done.error_in_exec).__name__ == "UsageError"
    assert "Traceback" not in capsys.readouterr().out


def test_unloading(shell: Any) -> None:
    shell.run_cell("%unload_ext netdsl").raise_error()
    assert not run(shell, "net A = [Linear(3)]\n").success
    assert "A" not in shell.user_ns
    shell.run_cell("%load_ext netdsl").raise_error()
    run(shell, "net A = [Linear(3)]\n").raise_error()


# -- a notebook ------------------------------------------------------------------------


def test_a_notebook(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    code = nbformat.v4.new_code_cell
    cells = [
        code("%load_ext netdsl"),
        code(f"%%net -q{CLASSIFIER}"),
        code("%%net\nnet Twice = [Block(4), Block(8)]"),
        code("import torch\nTwice(3)(torch.zeros(1, 3, 2, 2)).shape"),
        code("%%net\nnet Wrong = [Blok(4)]", metadata={"tags": ["raises-exception"]}),
        code("import inspect\nprint(inspect.getsource(Twice))"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["kernelspec"] = kernel
    client = NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert outputs[0] == outputs[1] == []
    assert outputs[2][0].text == "Twice(in_channels)\n"
    assert outputs[3][0].data["text/plain"] == "torch.Size([1, 8, 2, 2])"
    assert outputs[4][0].ename == "CellError"
    assert "did you mean `Block`?" in outputs[4][0].evalue
    assert len(outputs[4][0].traceback) == 1
    assert "site-packages" not in outputs[4][0].traceback[0]
    assert "class Twice(nn.Sequential):" in outputs[5][0].text
