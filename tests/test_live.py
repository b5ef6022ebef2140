"""The live class: what Python and torch can do with it."""

from __future__ import annotations

import copy
import inspect
import io
import multiprocessing
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import torch
from live_nets import IMAGE, OWN, pyramid
from torch import Tensor, nn

import netdsl


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.net").write_text(OWN)
    return tmp_path


# -- the live class --------------------------------------------------------------------


def test_getsource_shows_the_class() -> None:
    source = inspect.getsource(type(pyramid()))
    assert source.startswith("class Pyramid(nn.Module):")
    assert "self.stem = nn.Conv2d(3, 4, 3, padding=1)" in source
    assert source.rstrip().splitlines()[-1].strip().startswith("return")
    assert (
        inspect.getsource(type(pyramid()).forward)
        .lstrip()
        .startswith("def forward(self")
    )


def test_pickle_and_deepcopy_and_torch_save() -> None:
    model = pyramid()
    wanted = model(IMAGE)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    copies = [
        copy.deepcopy(model),
        copy.copy(model),
        *(pickle.loads(pickle.dumps(model, protocol)) for protocol in range(6)),
        torch.load(file, weights_only=False),
    ]
    for twin in copies:
        assert type(twin) is type(model)
        assert torch.equal(twin(IMAGE), wanted)


def _run_there(data: bytes, queue: Any) -> None:
    model = pickle.loads(data)
    queue.put(
        (type(model).__name__, inspect.getsource(type(model)), model(IMAGE).tolist())
    )


def test_pickle_in_a_spawned_process() -> None:
    model = pyramid()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_run_there, args=(pickle.dumps(model), queue))
    process.start()
    name, source, result = queue.get(timeout=120)
    process.join()
    assert name == "Pyramid"
    assert source == inspect.getsource(type(model))
    assert result == model(IMAGE).tolist()


def test_a_state_dict_needs_no_code() -> None:
    file = io.BytesIO()
    torch.save(pyramid().state_dict(), file)
    file.seek(0)
    pyramid().load_state_dict(torch.load(file, weights_only=True), strict=True)


def test_a_class_derived_from_ours_is_pickled_as_itself() -> None:
    model = Derived(4)
    twin = pickle.loads(pickle.dumps(model))
    assert type(twin) is Derived
    assert torch.equal(twin(torch.ones(1, 8)), model(torch.ones(1, 8)))


def _own_class() -> Any:
    return type(netdsl.loads(OWN))


class Derived(_own_class()):  # type: ignore[misc]
    pass


def test_compile_in_one_graph() -> None:
    model = pyramid()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    assert torch.equal(compiled(IMAGE), model(IMAGE))


def test_compile_ahead_of_time() -> None:
    model = netdsl.loads(OWN)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = torch.linspace(-1, 1, 16).view(2, 8)
    assert torch.allclose(compiled(x), model(x))
    compiled(x).sum().backward()
    assert model.scale.grad is not None


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("text", ["pyramid", "own"])
def test_export_with_a_dynamic_batch(strict: bool, text: str) -> None:
    model = pyramid() if text == "pyramid" else netdsl.loads(OWN).eval()
    x = IMAGE if text == "pyramid" else torch.linspace(-1, 1, 16).view(2, 8)
    dynamic = {"x": {0: torch.export.Dim("N", min=2, max=64)}}
    program = torch.export.export(model, (x,), dynamic_shapes=dynamic, strict=strict)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    again = torch.export.load(file).module()
    for batch in (x, torch.cat([x, x, x])):
        assert torch.equal(again(batch), model(batch))


def test_symbolic_trace() -> None:
    for model, x in ((pyramid(), IMAGE), (netdsl.loads(OWN).eval(), torch.ones(2, 8))):
        assert torch.equal(torch.fx.symbolic_trace(model)(x), model(x))


def test_train_and_eval_reach_forward() -> None:
    model = netdsl.loads("net A:\n    input x: [N, 2]\n    x -> dropout(0.5)\n")
    x = torch.ones(64, 2)
    assert torch.equal(model.eval()(x), x)
    assert not torch.equal(model.train()(x), x)


# -- meta initialisation ---------------------------------------------------------------


def test_a_module_made_on_meta_gets_its_starting_values() -> None:
    with torch.device("meta"):
        model = netdsl.loads(OWN)
    assert all(t.is_meta for t in (*model.parameters(), *model.buffers()))
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    assert torch.equal(model.scale, torch.ones(8))
    assert torch.equal(model.steps, torch.arange(8) / 8)
    assert torch.equal(model.scratch, torch.full((8,), 2.0))
    assert model.offset.min() >= -1 and model.offset.max() <= 1
    assert model.offset.unique().numel() > 1
    assert [n for n, _ in model.named_parameters()] == [
        "scale",
        "offset",
        "fc.weight",
        "fc.bias",
    ]
    assert list(model.state_dict()) == [
        "scale",
        "offset",
        "steps",
        "fc.weight",
        "fc.bias",
    ]


# -- messages at run time --------------------------------------------------------------


def _traceback(model: nn.Module, *inputs: Tensor) -> str:
    try:
        model(*inputs)
    except Exception:
        return traceback.format_exc()
    raise AssertionError("it runs")


def test_a_run_time_error_names_the_line_of_the_net(folder: Path) -> None:
    text = _traceback(netdsl.load("own.net"), torch.zeros(2, 7))
    line = 1 + OWN.splitlines().index(
        "    x * scale + offset + steps * scratch -> fc: Linear(width)"
    )
    assert f"# own.net:{line}" in text
    assert "self.scale" in text


def test_a_script_that_ends_in_an_error_shows_the_line_of_the_net(
    folder: Path,
) -> None:
    script = "import netdsl, torch\nnetdsl.load('own.net')(torch.zeros(2, 7))\n"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 1
    assert "# own.net:7" in run.stderr and "self.scale" in run.stderr


def test_a_run_time_error_in_an_imported_net_names_that_file(folder: Path) -> None:
    (folder / "main.net").write_text(
        '\n\nfrom "own.net" import Own\n\n'
        "net Main:\n    input x: [N, 8]\n    x -> own: Own\n"
    )
    text = _traceback(netdsl.load("main.net"), torch.zeros(2, 7))
    assert "# main.net:7" in text and "# own.net:7" in text
