"""The library's doors: which net is meant, what may be given, what is remembered."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
from live_nets import BASICS, IMAGE, OWN, PYRAMID
from torch import Tensor, nn

import netdsl


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "head.net").write_text(BASICS)
    (tmp_path / "pyramid.net").write_text(PYRAMID)
    (tmp_path / "own.net").write_text(OWN)
    return tmp_path


# -- which net -------------------------------------------------------------------------


def test_the_only_net_that_no_other_uses_is_the_default() -> None:
    text = PYRAMID[: PYRAMID.index("net wide")]
    assert type(netdsl.loads(text)).__name__ == "Pyramid"


def test_several_nets_that_could_be_meant_are_listed() -> None:
    with pytest.raises(ValueError, match="wide, narrow"):
        netdsl.loads(PYRAMID)


def test_an_unknown_net_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"did you mean Pyramid.*Block, Pyramid, wide"):
        netdsl.loads(PYRAMID, "Pyramids")


def test_a_variant_is_loaded_by_its_name() -> None:
    model = netdsl.loads(PYRAMID, "narrow", classes=7)
    assert type(model).__name__ == "Pyramid"
    assert model.get_parameter("fc.weight").shape == (7, 4)


def test_a_path_may_be_a_path(folder: Path) -> None:
    assert netdsl.load(folder / "own.net").get_parameter("fc.weight").shape == (4, 8)


def test_load_class_gives_the_class_or_the_function_of_a_variant(folder: Path) -> None:
    block = netdsl.load_class("pyramid.net", "Block")
    assert isinstance(block, type) and issubclass(block, nn.Module)
    assert block(4, 8, stride=2)(torch.zeros(1, 4, 8, 8)).shape == (1, 8, 4, 4)
    wide = netdsl.load_class("pyramid.net", "wide")
    assert not isinstance(wide, type)
    assert isinstance(wide(), netdsl.load_class("pyramid.net", "Pyramid"))


# -- hyperparameters -------------------------------------------------------------------


def test_hyperparameters_go_by_name(folder: Path) -> None:
    model = netdsl.load("pyramid.net", "Pyramid", widths=[2, 2, 2], classes=5)
    assert len(model.layers) == 3
    assert model(IMAGE).shape == (2, 5)


def test_a_tuple_is_taken_for_a_list() -> None:
    assert len(netdsl.loads(PYRAMID, "Pyramid", widths=(2, 2, 2)).layers) == 3


def test_sizes_that_no_tensor_tells_go_by_their_names() -> None:
    model = netdsl.loads(BASICS, C=1, H=28, W=28)
    assert model.body[0].in_features == 784
    assert model(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_a_missing_size_is_asked_for() -> None:
    with pytest.raises(TypeError, match=r"Head needs sizes.*H=\.\.\., W=\.\.\."):
        netdsl.loads(BASICS, C=1)


def test_a_size_that_the_class_has_no_use_for_is_checked_and_dropped() -> None:
    assert netdsl.loads(BASICS, C=1, H=2, W=2, N=7)(torch.zeros(3, 1, 2, 2)).shape == (
        3,
        10,
    )


@pytest.mark.parametrize("value", [0, -3, 2.5, "three", True])
def test_a_size_is_an_int_of_at_least_one(value: object) -> None:
    with pytest.raises(netdsl.CompileError, match="C"):
        netdsl.loads(BASICS, C=value, H=28, W=28)


def test_a_misspelt_hyperparameter_is_answered_with_the_right_one() -> None:
    with pytest.raises(netdsl.CompileError) as caught:
        netdsl.loads(PYRAMID, "wide", clases=10)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "unknown-argument"
    assert "did you mean `classes`?" in str(caught.value)


def test_a_missing_hyperparameter_is_named() -> None:
    with pytest.raises(netdsl.CompileError, match="`Block` needs `width`"):
        netdsl.loads(PYRAMID, "Block", C=3)


def test_a_hyperparameter_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(netdsl.CompileError, match="`classes` of `wide` is of type int"):
        netdsl.loads(PYRAMID, "wide", classes="ten")


def test_a_value_that_no_hyperparameter_can_have_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"classes=.*object can't be a hyperparameter"):
        netdsl.loads(PYRAMID, "wide", classes=object())


def test_a_use_that_breaks_a_condition_names_both_places() -> None:
    text = """\
net Attend(heads: int, width: int = 12):
    input tokens: int64[B, T]
    x = tokens -> embed: Embedding(100, width)
    x -> view(B, T, heads, width // heads) -> flatten(2)
"""
    with pytest.raises(netdsl.CompileError, match="heads"):
        netdsl.loads(text, heads=5)
    assert netdsl.loads(text, heads=4)


def test_each_load_makes_new_weights() -> None:
    one, two = netdsl.loads(OWN), netdsl.loads(OWN)
    assert not torch.equal(one.fc.weight, two.fc.weight)


# -- nets as hyperparameters -----------------------------------------------------------

OPEN = """\
net Small(width: int):
    input x: [N, C]
    x -> fc: Linear(width) -> relu: ReLU

net Large(width: int):
    input x: [N, C]
    x -> fc1: Linear(2 * width) -> relu: ReLU -> fc2: Linear(width)

net Tower(Block: net = Small, Act: net = ReLU, depth: int = 2):
    input x: [N, 6]
    x -> blocks: [Block(6) for _ in range(depth)] -> act: Act -> head: Linear(3)
"""


def test_a_net_parameter_is_given_as_in_a_net_file() -> None:
    for block in ("Small", "Large"):
        model = netdsl.loads(OPEN, "Tower", Block=block, depth=3)
        assert [type(b).__name__ for b in model.blocks] == [block] * 3
        assert model(torch.zeros(2, 6)).shape == (2, 3)
    model = netdsl.loads(OPEN, "Tower", Block="Linear", Act="LeakyReLU(0.3)")
    assert model.act.negative_slope == 0.3
    assert isinstance(netdsl.loads(OPEN, "Tower", Block="skip").blocks[0], nn.Identity)


def test_a_net_parameter_is_given_as_a_class(folder: Path) -> None:
    (folder / "open.net").write_text(OPEN)
    large = netdsl.load_class("open.net", "Large")
    model = netdsl.load(
        "open.net", "Tower", Block=large, Act=partial(nn.ELU, alpha=0.5)
    )
    assert type(model.blocks[0]).__name__ == "Large"
    assert model.act.alpha == 0.5


def test_a_net_parameter_without_a_default_is_given_by_the_caller() -> None:
    text = OPEN.replace("Block: net = Small", "Block: net")
    assert netdsl.loads(text, "Tower", Block="Large")
    with pytest.raises(netdsl.CompileError, match="which net `Block` of `Tower`"):
        netdsl.loads(text, "Tower")


def test_a_net_parameter_that_is_no_layer_is_refused() -> None:
    with pytest.raises(netdsl.CompileError, match="Smal"):
        netdsl.loads(OPEN, "Tower", Block="Smal")
    with pytest.raises(TypeError, match="is no layer of torch"):
        netdsl.loads(OPEN, "Tower", Block=dict)


# -- externs ---------------------------------------------------------------------------

EXTERN = """\
extern StochasticDepth(p: float, mode: str): [*S] -> [*S]

net Drop(rate: float = 0.5):
    input x: [N, 4]
    x -> fc: Linear(4) -> drop: StochasticDepth(rate, "row")
"""


class Double(nn.Module):
    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


class Negate(Double):
    def forward(self, x: Tensor) -> Tensor:
        return -x


def test_externs_come_from_the_caller() -> None:
    ops = pytest.importorskip("torchvision.ops")
    model = netdsl.loads(EXTERN, externs={"StochasticDepth": ops.StochasticDepth})
    assert isinstance(model.drop, ops.StochasticDepth)
    assert (model.drop.p, model.drop.mode) == (0.5, "row")
    torch.manual_seed(1)
    got = model(torch.ones(8, 4))
    torch.manual_seed(1)
    assert torch.equal(got, model.drop(model.fc(torch.ones(8, 4))))


def test_a_missing_extern_is_told() -> None:
    with pytest.raises(netdsl.CompileError) as caught:
        netdsl.loads(EXTERN)
    assert [d.code for d in caught.value.diagnostics] == ["undefined-extern"]


def test_each_caller_has_its_own_externs() -> None:
    double = netdsl.loads(EXTERN, externs={"StochasticDepth": Double})
    negate = netdsl.loads(EXTERN, externs={"StochasticDepth": Negate})
    made = netdsl.loads(
        EXTERN, externs={"StochasticDepth": lambda p, mode: nn.Identity()}
    )
    assert isinstance(double.drop, Double) and isinstance(negate.drop, Negate)
    assert isinstance(made.drop, nn.Identity)
    assert type(copy.deepcopy(negate).drop) is Negate
    again = pickle.loads(pickle.dumps(negate))
    assert type(again) is type(negate) and type(again.drop) is Negate


# -- files -----------------------------------------------------------------------------


def test_mistakes_come_as_one_error_with_all_messages(folder: Path) -> None:
    (folder / "bad.net").write_text(
        "net A:\n    input x: [N, 2]\n    x -> fc: Liner(3)\n\n"
        "net B:\n    input x: [N, 2]\n    x -> fc: Linear(3, bias=False, bia=1)\n"
    )
    with pytest.raises(netdsl.CompileError) as caught:
        netdsl.load("bad.net", "A")
    assert [d.code for d in caught.value.diagnostics] == [
        "unknown-layer",
        "unknown-argument",
    ]
    assert "bad.net:3" in str(caught.value)


def test_no_such_file(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"did you mean `pyramid\.net`"):
        netdsl.load("pyramids.net")
    with pytest.raises(OSError, match="is a folder"):
        netdsl.load(folder)


def test_limits_are_the_callers() -> None:
    text = "net Deep:\n    input x: [N, 4]\n    x -> [Linear(4) for _ in range(20)]\n"
    assert netdsl.loads(text)
    with pytest.raises(netdsl.CompileError, match="more than 10 layers"):
        netdsl.loads(text, limits=netdsl.Limits(layers=10))
    with pytest.raises(netdsl.CompileError, match="parameters"):
        netdsl.loads(
            "net Big(n: int):\n    input x: [N, 4]\n    x -> fc: Linear(n)\n", n=10**15
        )


def test_imports_are_found_beside_the_file(folder: Path) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / "blocks.net").write_text(PYRAMID)
    (folder / "main.net").write_text(
        'from "lib/blocks.net" import Block\n\n'
        "net Main:\n    input x: [N, 3, H, W]\n    x -> block: Block(4)\n"
    )
    assert netdsl.load("main.net")(IMAGE).shape == (2, 4, 16, 16)


def test_a_text_can_not_import() -> None:
    with pytest.raises(netdsl.CompileError):
        netdsl.loads(
            'from "a.net" import A\n\nnet B:\n    input x: [N, 3]\n    x -> a: A\n'
        )


def test_the_second_load_of_a_file_is_remembered(folder: Path) -> None:
    assert type(netdsl.load("own.net")) is type(netdsl.load("own.net", width=9))


def test_two_files_of_one_name_do_not_clash(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "own.net").write_text(OWN.replace("fc:", "out:"))
    one, two = netdsl.load("own.net"), netdsl.load("other/own.net")
    assert "fc.weight" in one.state_dict() and "out.weight" in two.state_dict()
    assert type(one) is not type(two)
    assert "self.fc" in inspect.getsource(type(one))
    assert "self.out" in inspect.getsource(type(two))


def test_an_edited_file_gives_a_new_class_and_old_objects_live_on(folder: Path) -> None:
    old = netdsl.load("own.net")
    (folder / "own.net").write_text(OWN.replace("fc:", "out:"))
    new = netdsl.load("own.net")
    assert "out.weight" in new.state_dict() and "fc.weight" in old.state_dict()
    assert old(torch.ones(1, 8)).shape == new(torch.ones(1, 8)).shape == (1, 4)
    assert type(copy.deepcopy(old)) is type(old)
    assert type(pickle.loads(pickle.dumps(old))) is type(old)
    assert "self.fc" in inspect.getsource(type(old))


def test_an_edited_import_gives_a_new_class(folder: Path) -> None:
    (folder / "main.net").write_text(
        'from "own.net" import Own\n\n'
        "net Main:\n    input x: [N, 8]\n    x -> own: Own\n"
    )
    one = netdsl.load("main.net")
    assert type(netdsl.load("main.net")) is type(one)
    (folder / "own.net").write_text(OWN.replace("fc:", "out:"))
    assert "own.out.weight" in netdsl.load("main.net").state_dict()


def test_threads_may_load_at_the_same_time(folder: Path) -> None:
    models: list[nn.Module] = []
    mistakes: list[BaseException] = []

    def work(classes: int) -> None:
        try:
            for name in ("wide", "narrow"):
                models.append(netdsl.load("pyramid.net", name, classes=classes))
        except BaseException as mistake:
            mistakes.append(mistake)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not mistakes
    assert len(models) == 16 and len({type(m) for m in models}) == 1


# -- what is not imported --------------------------------------------------------------


def _fresh(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_load_runs_no_black(folder: Path) -> None:
    code = "import netdsl, sys; netdsl.load('own.net'); print('black' in sys.modules)"
    assert _fresh(code, folder) == "False"


def test_the_package_is_light(folder: Path) -> None:
    code = (
        "import sys, netdsl; dir(netdsl);"
        "print([m for m in ('torch', 'black', 'lark', 'click') if m in sys.modules])"
    )
    assert _fresh(code, folder) == "[]"


def test_check_imports_no_torch(folder: Path) -> None:
    code = (
        "import sys, netdsl; print(netdsl.check('own.net'),"
        "[m for m in ('torch', 'black') if m in sys.modules])"
    )
    assert _fresh(code, folder) == "() []"


# -- for programs ----------------------------------------------------------------------


def test_compile_gives_the_text(folder: Path) -> None:
    text = netdsl.compile("pyramid.net", "Block")
    assert "class Block(nn.Module):" in text and "Pyramid" not in text


def test_compile_takes_the_homes_of_externs(folder: Path) -> None:
    (folder / "drop.net").write_text(EXTERN)
    text = netdsl.compile("drop.net", layers={"StochasticDepth": "torchvision.ops"})
    assert "from torchvision.ops import StochasticDepth" in text
    with pytest.raises(netdsl.CompileError):
        netdsl.compile("drop.net")


def test_compile_changes_defaults(folder: Path) -> None:
    assert "width: int = 6" in netdsl.compile("own.net", "Own", define={"width": "6"})


def test_check_gives_messages(folder: Path) -> None:
    assert netdsl.check("own.net") == ()
    (folder / "bad.net").write_text(
        "net A:\n    input x: [N, 2]\n    x -> fc: Liner(3)\n"
    )
    (diagnostic,) = netdsl.check("bad.net")
    assert diagnostic.code == "unknown-layer"


def test_there_is_nothing_else_in_the_package() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        netdsl.lod  # noqa: B018
    assert set(netdsl.__all__) <= set(dir(netdsl))
