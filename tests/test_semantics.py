"""The rules that settle doubts, and what the parts of a net are called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import IMAGE, SEQUENCE, X, same

import netdsl


def refused(text: str, code: str, net: str | None = None, **hyper: Any) -> str:
    """The one message that the text gives."""
    with pytest.raises(netdsl.CompileError) as caught:
        netdsl.loads(text, net, **hyper)
    assert [d.code for d in caught.value.diagnostics] == [code], str(caught.value)
    return str(caught.value)


# -- the rules that settle doubts ------------------------------------------------------


def test_a_layer_may_be_named_like_a_hyperparameter() -> None:
    class Inception(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout(0.5)
            self.fc = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.dropout(x))

    text = """\
net A(dropout: float = 0.5):
    input x: [N, 6]
    x -> dropout: Dropout(dropout) -> fc: Linear(2)
"""
    same(text, Inception, X)


def test_a_layers_name_hides_a_function_in_the_whole_net() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.LeakyReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.relu(x))

    text = "net A:\n    input x: [N, 6]\n    x -> relu: LeakyReLU -> relu\n"
    same(text, Hidden, X)


def test_right_of_a_label_a_layer_is_meant_never_the_name_itself() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.LayerNorm = nn.LayerNorm(6, eps=1e-12)

        def forward(self, x: Tensor) -> Tensor:
            return self.LayerNorm(x)

    text = "net A:\n    input x: [N, 6]\n    x -> LayerNorm: LayerNorm(eps=1e-12)\n"
    same(text, Inner, X)


def test_branches_run_left_to_right_and_add_folds_so() -> None:
    class Order(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(6, 6)
            self.b = nn.Dropout(0.5)
            self.c = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            a = self.a(x)
            b = self.b(x)
            c = self.c(self.b(x))
            return a + b + c + x

    text = """\
net A:
    input x: [N, 6]
    x -> { a: Linear(6) | b: Dropout(0.5) | b -> c: Linear(6) | skip } -> add
"""
    same(text, Order, X)


def test_in_place_layers_stand_where_they_are_written() -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 6)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            y = self.fc(x)
            return y + self.relu(y)

    text = """\
net A:
    input x: [N, 6]
    y = x -> fc: Linear(6)
    y -> { skip | relu: ReLU(inplace=True) } -> add
"""
    same(text, InPlace, X)


def test_layers_are_registered_where_they_first_stand() -> None:
    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(6, 2)
            self.first = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x))

    text = """\
net A:
    input x: [N, 6]
    last: Linear(2)
    x -> first: Linear(6) -> last
"""
    same(text, First, X)


def test_a_bare_condition_chooses_the_stage() -> None:
    class Chosen(nn.Module):
        def __init__(self, smooth: bool) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 6)
            self.smooth = smooth

        def forward(self, x: Tensor) -> Tensor:
            x = self.fc(x)
            return torch.tanh(x) if self.smooth else torch.relu(x)

    text = """\
net A(smooth: bool):
    input x: [N, 6]
    x -> fc: Linear(6) -> tanh if smooth else relu
"""
    for smooth in (True, False):
        same(text, lambda smooth=smooth: Chosen(smooth), X, hyper={"smooth": smooth})


def test_a_tensor_as_an_arm_of_a_stage_is_an_error_with_help() -> None:
    text = "net A(a: bool):\n    input x: [N, 6]\n    x -> relu if a else x\n"
    with pytest.raises(netdsl.CompileError, match="help"):
        netdsl.loads(text, a=True)


def test_the_function_dropout_follows_training() -> None:
    class Drop(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.dropout(x, 0.5, training=self.training)

    same("net A:\n    input x: [N, 6]\n    x -> dropout(0.5)\n", Drop, X)


def test_one_word_for_numbers_and_tensors() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Tensor:
            return torch.log(torch.sqrt(torch.abs(self.fc(x)))) * 2

    text = """\
net A:
    input x: [N, 6]
    let width = min(4, 9)
    log(sqrt(abs(x -> fc: Linear(width)))) * round(2.2)
"""
    same(text, Words, X)


@pytest.mark.parametrize(
    "layer, shape",
    [
        ("Linear(784, 10)", "[N, 784]"),
        ("Conv2d(3, 64, 7)", "[N, 3, H, W]"),
        ("BatchNorm2d(64)", "[N, 64, H, W]"),
        ("MultiheadAttention(512, 8)", "[N, T, 512]"),
    ],
)
def test_torchs_habit_of_saying_the_inputs_size_is_an_error(
    layer: str, shape: str
) -> None:
    text = f"net A:\n    input x: {shape}\n    x -> a: {layer}\n"
    with pytest.raises(netdsl.CompileError, match="help"):
        netdsl.loads(text)


def test_a_files_own_names_win_over_torchs() -> None:
    class Bilinear(nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 2 * n)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.fc(x)) + 1

    class A(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.m = Bilinear(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.m(x)

    text = """\
fn relu6(x) = (x -> relu) + 1

net Bilinear(n: int):
    input x: [N, C]
    x -> fc: Linear(2 * n) -> relu6

net A:
    input x: [N, 6]
    x -> m: Bilinear(3)
"""
    same(text, A, X)


def test_a_tuple_that_flows_in_is_one_input_each_and_a_list_is_one_value() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bi = nn.Bilinear(6, 6, 2)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return torch.cat([self.bi(a, b), torch.stack([a, b]).sum(0)], dim=1)

    text = """\
net A:
    input a, b: [N, 6]
    one = (a, b) -> bi: Bilinear(2)
    two = [a, b] -> stack -> sum(0)
    (one, two) -> cat(dim=1)
"""
    same(text, Pair, X, X + 1)


@pytest.mark.parametrize("word", ["add", "mul", "stack", "cat(dim=1)"])
def test_joining_takes_a_tuple_or_a_list(word: str) -> None:
    results = []
    for left, right in (("(", ")"), ("[", "]")):
        text = f"net A:\n    input a, b: [N, 6]\n    {left}a, b{right} -> {word}\n"
        results.append(netdsl.loads(text)(X, X + 1))
    assert torch.equal(*results)


def test_the_result_is_the_last_flow_of_the_nets_own_level() -> None:
    class A(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 6, bias=False)
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.ones_(module.weight)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x)

    text = """\
net A:
    input x: [N, 6]
    x -> fc: Linear(6, bias=False)
    init Linear.weight = ones
"""
    same(text, A, X)
    refused(text.replace("    init", "    x -> relu\n    init"), "unused-value")


def test_a_name_given_to_two_layers_is_an_error() -> None:
    text = "net A:\n    input x: [N, 6]\n    x -> fc: Linear(6) -> fc: Linear(6)\n"
    with pytest.raises(netdsl.CompileError, match="fc"):
        netdsl.loads(text)


def test_a_size_is_bound_once() -> None:
    text = (
        "net A:\n    input x: [N, C]\n    input y: [N, C]\n    x + y -> fc: Linear(2)\n"
    )
    model = netdsl.loads(text, C=6)
    assert model(X, X).shape == (4, 2)
    with pytest.raises(RuntimeError):
        model(X, X[:, :5])


# -- conditions on layers --------------------------------------------------------------


class Maybe(nn.Module):
    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6) if deep else nn.Identity()
        layers: list[nn.Module] = [nn.Linear(6, 4)]
        if deep:
            layers.append(nn.ReLU())
        layers.append(nn.Linear(4, 2))
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.norm(self.fc(x)))


@pytest.mark.parametrize("deep", [True, False])
def test_a_skipped_layer_has_no_key_and_no_index(deep: bool) -> None:
    text = """\
net A(deep: bool):
    input x: [N, 6]
    x -> fc: Linear(6) -> (norm: LayerNorm if deep else skip)
      -> body: [Linear(4), ReLU if deep else skip, Linear(2)]
"""
    same(text, lambda: Maybe(deep), X, hyper={"deep": deep})


class Either(nn.Module):
    def __init__(self, wide: bool) -> None:
        super().__init__()
        self.out = nn.Linear(6, 8) if wide else nn.Linear(6, 2, bias=False)
        self.wide = wide

    def forward(self, x: Tensor) -> Tensor:
        x = self.out(x)
        return x * 2 if self.wide else x


@pytest.mark.parametrize("wide", [True, False])
def test_one_name_in_the_two_arms_of_a_static_condition(wide: bool) -> None:
    text = """\
net A(wide: bool):
    input x: [N, 6]
    if wide:
        x = (x -> out: Linear(8)) * 2
    else:
        x = x -> out: Linear(2, bias=False)
    return x
"""
    same(text, lambda: Either(wide), X, hyper={"wide": wide})


# -- lists and names -------------------------------------------------------------------


def test_a_list_is_indexed_and_sliced() -> None:
    class Indexed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(6, 6) for _ in range(4)])

        def forward(self, x: Tensor) -> Tensor:
            x = self.layers[0](x)
            for layer in self.layers[1:-1]:
                x = layer(x) + 1
            return self.layers[-1](x)

    text = """\
net A:
    input x: [N, 6]
    layers: [Linear(6) for _ in range(4)]
    x = x -> layers[0]
    for layer in layers[1:-1]:
        x = (x -> layer) + 1
    x -> layers[-1]
"""
    same(text, Indexed, X)


def test_branches_one_for_each_member_of_a_list() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList(
                [nn.Conv2d(3, 2, k, padding=k // 2) for k in (1, 3)]
            )

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([conv(x) for conv in self.convs], dim=1)

    text = """\
net A:
    input x: [N, 3, H, W]
    convs: [Conv2d(2, k, padding=k // 2) for k in [1, 3]]
    x -> { *convs } -> cat(dim=1)
"""
    same(text, Branches, IMAGE)


def test_named_members_and_namespaces() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential()
            for i in range(2):
                self.features.add_module(f"block{i + 1}", nn.Linear(6, 6))
            self.features.add_module("norm", nn.LayerNorm(6))
            self.heads = nn.ModuleDict()
            self.heads["out"] = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.heads["out"](self.features(x))

    text = """\
net A:
    input x: [N, 6]
    x -> features: [*[f"block{i + 1}": Linear(6) for i in range(2)], norm: LayerNorm]
      -> heads.out: Linear(2)
"""
    same(text, Named, X)


def test_further_inputs_for_each_member_of_a_list() -> None:
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 8)

        def forward(self, x: Tensor, shift: Tensor) -> Tensor:
            return self.fc(x) + shift

    class Stack(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([Cell() for _ in range(2)])

        def forward(self, x: Tensor, shift: Tensor) -> Tensor:
            for layer in self.layers:
                x = layer(x, shift)
            return x

    text = """\
net Cell:
    input x: [B, T, C]
    input shift: [B, 1, C]
    (x -> fc: Linear(C)) + shift

net Stack:
    input x: [B, T, 8]
    input shift: [B, 1, 8]
    layers: [Cell for _ in range(2)]
    x -> layers(shift)
"""
    same(text, Stack, SEQUENCE, SEQUENCE[:, :1])


# -- chains and variants ---------------------------------------------------------------


def test_a_net_that_is_a_chain_adds_no_level_of_keys() -> None:
    class Stage(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 6))

    class A(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = Stage()
            self.two = nn.LayerNorm(6, eps=0.1)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x))

    text = """\
net Stage(n: int) = [Linear(n), ReLU, Linear(6)]
net Norm = LayerNorm(eps=0.1)

net A:
    input x: [N, 6]
    x -> one: Stage(4) -> two: Norm
"""
    model = same(text, A, X)
    assert isinstance(model.one, nn.Sequential) and type(model.two) is nn.LayerNorm


def test_a_chain_and_a_variant_are_loaded_alone() -> None:
    text = "net Stage(n: int) = [Linear(n), ReLU]\n"
    model = netdsl.loads(text, n=3, in_features=6)
    assert model(X).shape == (4, 3)


# -- imports ---------------------------------------------------------------------------


def test_private_names_of_imported_files_do_not_clash(tmp_path: Any) -> None:
    one = """\
fn shift(x) = x + 1
net Helper(n: int):
    input x: [N, C]
    x -> fc: Linear(n) -> shift
net One:
    input x: [N, C]
    x -> h: Helper(4)
"""
    two = one.replace("x + 1", "x * 2").replace("fc:", "proj:").replace("One", "Two")
    main = """\
from "one.net" import One
from "lib/two.net" import Two

net Helper(n: int):
    input x: [N, C]
    x -> out: Linear(n)

net Main:
    input x: [N, 6]
    x -> one: One -> two: Two -> h: Helper(2)
"""
    (tmp_path / "lib").mkdir()
    (tmp_path / "one.net").write_text(one)
    (tmp_path / "lib" / "two.net").write_text(two)
    (tmp_path / "main.net").write_text(main)
    model = netdsl.load(tmp_path / "main.net")
    assert list(model.state_dict()) == [
        "one.h.fc.weight", "one.h.fc.bias", "two.h.proj.weight", "two.h.proj.bias",
        "h.out.weight", "h.out.bias",
    ]  # fmt: skip
    assert type(model.h).__name__ == "Helper"
    assert type(model.one.h).__name__ == "OneHelper"
    assert type(model.two.h).__name__ == "TwoHelper"
    y = F.linear(X, model.one.h.fc.weight, model.one.h.fc.bias) + 1
    y = F.linear(y, model.two.h.proj.weight, model.two.h.proj.bias) * 2
    y = F.linear(y, model.h.out.weight, model.h.out.bias)
    assert torch.equal(model(X), y)


def test_constants_of_imported_files_do_not_clash(tmp_path: Any) -> None:
    block = (
        "let WIDTH = 4\n\nnet Block:\n    input x: [N, C]\n    x -> fc: Linear(WIDTH)\n"
    )
    (tmp_path / "blocks.net").write_text(block)
    (tmp_path / "main.net").write_text(
        'from "blocks.net" import Block\n\nlet WIDTH = 3\n\n'
        "net Main:\n    input x: [N, 6]\n    x -> b: Block -> fc: Linear(WIDTH)\n"
    )
    model = netdsl.load(tmp_path / "main.net")
    assert model.b.fc.out_features == 4 and model.fc.out_features == 3


def test_a_function_of_numbers_may_ask_whether_the_module_trains(tmp_path: Any) -> None:
    path = tmp_path / "scaled.net"
    path.write_text(
        "fn rate(p: float) = p if training else 0.0\n\n"
        "net Twice:\n    input x: [N, 8]\n    if rate(0.5) > 0:\n"
        "        return x, x\n    return x\n\n"
        "expect Twice([2, 8]) == [2, 8]\n"
        "expect Twice([2, 8], training=True) == ([2, 8], [2, 8])\n"
    )
    assert netdsl.check(path) == ()
