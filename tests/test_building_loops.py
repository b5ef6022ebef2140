"""Loops that build layers: what they carry, and the names in them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netdsl


def test_a_list_of_lists_of_lists_carries_its_width() -> None:
    text = """
net A(stage: int, ns: list[int], m: int):
    input x: [N, C]
    x -> body: [[[Linear(stage + i) for i in range(n)] for n in ns] for _ in range(m)]
"""
    model = netdsl.loads(text, C=3, stage=4, ns=[1, 2], m=2)
    widths = [tuple(p.shape) for n, p in model.named_parameters() if "weight" in n]
    assert widths == [(4, 3), (4, 4), (5, 4), (4, 5), (4, 4), (5, 4)]
    assert model(torch.randn(2, 3)).shape == (2, 5)


def test_tuples_of_a_list_are_told_apart() -> None:
    text = """
net A(plan: list[tuple[int, int]]):
    input x: [N, C, H, W]
    stem: Conv2d(plan[0][0], 1)
    blocks: [Conv2d(w, k, padding=k // 2) for w, k in plan]
    x = x -> stem
    for block in blocks:
        x = x -> block
    x -> mean(dim=(2, 3))
"""
    model = netdsl.loads(text, C=3, plan=[(4, 3), (8, 1)])
    assert model(torch.randn(1, 3, 8, 8)).shape == (1, 8)


def test_a_layer_under_construction_hides_no_hyperparameter() -> None:
    text = """
net P(n: int):
    input x: [N, C]
    x -> a: Linear(n)
net Q(n: int):
    input x: [N, C]
    x -> a: Linear(2 * n)
net B(Block: net, block: int, depth: int):
    input x: [N, C]
    x -> body: [Block(block + i) for i in range(depth)]
net small = B(P, 3, 4)
net large = B(Q, 3, 4)
"""
    x = torch.randn(1, 5)
    assert netdsl.loads(text, "small", C=5)(x).shape == (1, 6)
    assert netdsl.loads(text, "large", C=5)(x).shape == (1, 12)


def test_a_namespace_is_a_module_dict() -> None:
    text = """
net G(vocab: int, width: int, depth: int):
    input tokens: int64[B, T]
    tokens -> transformer.wte: Embedding(vocab, width)
      -> transformer.h: [Linear(width + i) for i in range(depth)]
      -> transformer.ln_f: LayerNorm -> lm_head: Linear(vocab, bias=False)
    init transformer.wte.weight = zeros
"""
    model = netdsl.loads(text, vocab=7, width=4, depth=2)
    keys = [k for k in model.state_dict() if k.endswith("weight")]
    assert keys == [
        "transformer.wte.weight",
        "transformer.h.0.weight",
        "transformer.h.1.weight",
        "transformer.ln_f.weight",
        "lm_head.weight",
    ]
    assert not model.transformer.wte.weight.any()
    assert model(torch.tensor([[1, 2]])).shape == (1, 2, 7)


@pytest.mark.parametrize("skips", [[0, 2], [3], []], ids=str)
def test_a_test_of_the_round_says_what_flows_into_the_next_layer(
    skips: list[int],
) -> None:
    text = """
net Skips(depth: int, skips: list[int]):
    input x: [N, C]
    layers: [Linear(5) for _ in range(depth)]
    y = x
    for i, layer in enumerate(layers):
        y = y -> layer -> relu
        if i in skips:
            y = (x, y) -> cat(dim=-1)
    y -> head: Linear(1)
"""
    model = netdsl.loads(text, C=3, depth=4, skips=skips)
    widths = [model.get_parameter(f"layers.{i}.weight").shape[1] for i in range(4)]
    widths.append(model.get_parameter("head.weight").shape[1])
    assert widths == [3, *(8 if i in skips else 5 for i in range(4))]
    assert model(torch.randn(2, 3)).shape == (2, 1)


def test_a_test_of_the_round_says_what_flows_into_this_layer() -> None:
    text = """
net Skips(depth: int, skips: list[int]):
    input x: [N, C]
    layers: [Linear(5) for _ in range(2, depth)]
    y = x
    for i, layer in enumerate(layers):
        if i in skips:
            y = (x, y) -> cat(dim=-1)
        y = y -> layer
    return y
"""
    model = netdsl.loads(text, C=3, depth=6, skips=[0, 2])
    widths = [model.get_parameter(f"layers.{i}.weight").shape[1] for i in range(4)]
    assert widths == [6, 5, 8, 5]
    assert model(torch.randn(2, 3)).shape == (2, 5)


def test_a_few_equal_rounds_are_told_to_the_end() -> None:
    text = """
net Halves:
    input x: [N, 3, 64, 64]
    x -> body: [Conv2d(m, 4, stride=2, padding=1) for m in [4, 2, 8]] -> sum(dim=1)
"""
    said = netdsl.loads(text).forward.__doc__
    assert said == "x: [N, 3, 64, 64] -> [N, 8, 8]"


def test_rules_for_layers_by_name_draw_in_the_order_of_registration() -> None:
    text = """
net A:
    input x: [N, 4]
    param start: [4] = zeros
    x + start -> a: Linear(3) -> b: [c: Linear(2), act: ReLU]
    init b.c.weight = normal
    init a.bias = normal
    init a.weight = normal
    init start = normal
    init a.bias = uniform(1, 2)
"""
    torch.manual_seed(0)
    model = netdsl.loads(text)
    torch.manual_seed(0)
    a, c = nn.Linear(4, 3), nn.Linear(3, 2)
    start = nn.init.normal_(torch.empty(4))
    nn.init.normal_(a.weight)
    nn.init.uniform_(a.bias, 1, 2)
    nn.init.normal_(c.weight)
    state = model.state_dict()
    expected = [start, a.weight, a.bias, c.weight, c.bias]
    assert all(map(torch.equal, state.values(), expected))


def test_sizes_that_only_python_works_out_are_those_of_their_round() -> None:
    text = """
fn scaled(v: int, by: float):
    let exact = v * by
    return int(exact) + 1
net Grow(width: int):
    input x: [N, C]
    (x, x -> fc: Linear(width)) -> cat(dim=1)
net A(by: float, steps: list[int]):
    input x: [N, C]
    x -> a: [Grow(int(n * by)) for n in steps]
      -> b: [Grow(scaled(n, by)) for n in steps] -> head: Linear(2)
"""
    model = netdsl.loads(text, C=3, by=1.5, steps=[1, 2, 4])
    widths = [tuple(p.shape) for n, p in model.named_parameters() if "fc.weight" in n]
    assert widths == [(1, 3), (3, 4), (6, 7), (2, 13), (4, 15), (7, 19)]
    assert model(torch.randn(2, 3)).shape == (2, 2)


def test_evenly_spaced_sizes_are_those_of_the_list() -> None:
    text = """
net A(ks: list[int]):
    input x: [N, 3, H, W]
    x -> a: [*[Conv2d(w, 1), BatchNorm2d] for w in [16, 32]]
      -> b: [*[Conv2d(w, k), BatchNorm2d] for w, k in zip([3, 2, 1], ks)]
      -> c: [*[Conv2d(w, 1), BatchNorm2d] for w in range(4, 12, 4)]
"""
    model = netdsl.loads(text, ks=[1, 1, 3])
    norms = [m.num_features for m in model.modules() if hasattr(m, "num_features")]
    assert norms == [16, 32, 3, 2, 1, 4, 8]
    assert model(torch.randn(1, 3, 4, 4)).shape == (1, 8, 2, 2)


def test_a_counter_of_a_loop_within_hides_no_other() -> None:
    text = """
net Grow(width: int):
    input x: [N, C]
    (x, x -> fc: Linear(width)) -> cat(dim=1)
net A(depths: list[int]):
    input x: [N, C]
    x -> body: [[Grow(i + 1) for _ in range(n)] for i, n in enumerate(depths)]
"""
    model = netdsl.loads(text, C=3, depths=[2, 2])
    widths = [tuple(p.shape) for n, p in model.named_parameters() if "weight" in n]
    assert widths == [(1, 3), (1, 4), (2, 5), (2, 7)]


def test_a_tuple_that_is_not_taken_apart_is_read_by_index() -> None:
    text = """
net A(plan: list[tuple[int, int, net]]):
    input x: [N, 3, H, W]
    x -> body: [*[Conv2d(p[0], p[1]), BatchNorm2d, p[2]] for p in plan]
      -> head: Conv2d(1, 1)
net a = A([(4, 3, ReLU), (8, 1, Tanh)])
"""
    model = netdsl.loads(text, "a")
    assert isinstance(model.body[5], torch.nn.Tanh)
    assert model(torch.randn(1, 3, 8, 8)).shape == (1, 1, 6, 6)


def test_a_loop_variable_is_nearer_than_a_layer_of_its_name(tmp_path):
    text = """
net Model(n: int):
    input x: [N, 4]
    fcs: [Linear(4, bias=False) for _ in range(n)]
    y = x -> fc: Linear(4, bias=False)
    outs = [x -> fc for fc in fcs]
    for fc in fcs:
        y = y -> fc
    y + outs[0] -> fc
"""
    path = tmp_path / "model.net"
    path.write_text(text)
    model = netdsl.load(path, n=2)
    x = torch.randn(3, 4)
    y = model.fc(x)
    for layer in model.fcs:
        y = layer(y)
    assert torch.equal(model(x), model.fc(y + model.fcs[0](x)))


def test_a_list_in_step_with_another_takes_its_sizes_round_by_round() -> None:
    text = """
net Stages(widths: list[int], depths: list[int]):
    input x: [N, 8]
    embeds: [Linear(width) for i, width in enumerate(widths)]
    stages: [[Linear(width, in_features=width) for _ in range(depth)]
             for width, depth in zip(widths, depths)]
    blocks: [[LayerNorm for _ in range(depth)] for depth in depths]
    for embed, stage, block in zip(embeds, stages, blocks):
        x = x -> embed -> stage -> block
    return x
"""
    model = netdsl.loads(text, widths=[4, 6, 5], depths=[1, 2, 1])
    assert [norm.normalized_shape for block in model.blocks for norm in block] == [
        (4,), (6,), (6,), (5,),
    ]  # fmt: skip
    assert model(torch.randn(2, 8)).shape == (2, 5)


def test_a_factor_that_a_net_is_given_counts_where_it_is_used() -> None:
    text = """
net Narrow(factor: float = 0.5, share: list[float] = [0.5, 0.25]):
    input x: [N, C]
    x -> fc: Linear(int(C * factor * share[1]))

net Chain(factor: float, factors: list[float]):
    input x: [N, C]
    x -> a: Narrow(share=[1.0, 1.0]) -> b: Narrow(factor, [0.5, 0.5])
      -> c: [Narrow(f, [1.0, 0.5]) for f in factors] -> head: Linear(2)
"""
    model = netdsl.loads(text, C=400, factor=0.8, factors=[0.5, 0.25])
    widths = [p.shape[1] for n, p in model.named_parameters() if "weight" in n]
    assert widths == [400, 200, 80, 20, 2]
    assert model(torch.randn(3, 400)).shape == (3, 2)


def test_a_loop_over_layers_by_their_names_runs_each_of_them() -> None:
    text = """
net A:
    input x: [N, 8]
    query: Linear(4), key: Linear(4, bias=False)
    q, k = [x -> layer -> relu for layer in [query, key]]
    q - k
    init "key.weight" = ones
"""
    model = netdsl.loads(text)
    x = torch.randn(3, 8)
    wanted = torch.relu(model.query(x)) - torch.relu(x.sum(1, keepdim=True))
    assert torch.allclose(model(x), wanted.expand(3, 4), atol=1e-6)


def test_a_member_of_a_list_starts_by_its_index() -> None:
    text = """
net A(depth: int):
    input x: [N, 8]
    x -> layers: [Linear(8) for _ in range(depth)]
      -> named: [a: Linear(8), ReLU, Linear(8)]
    init Linear.bias = zeros
    init layers[1].bias = ones
    init named[0].bias = ones
    init named[-1].weight = zeros
"""
    model = netdsl.loads(text, depth=3)
    ones = [n for n, p in model.named_parameters() if (p == 1).all()]
    zeros = [n for n, p in model.named_parameters() if not p.any()]
    assert ones == ["layers.1.bias", "named.a.bias"]
    assert zeros == ["layers.0.bias", "layers.2.bias", "named.2.weight", "named.2.bias"]


def test_sizes_by_which_a_layout_is_chosen_follow_through_a_loop() -> None:
    text = """
net Stage(width: int, first: bool):
    input x: [N, C, H, W]
    y = x -> conv: Conv2d(width, 3, stride=2, padding=1) -> permute(0, 2, 3, 1)
      -> norm: LayerNorm
    if first:
        y = y -> permute(0, 3, 1, 2)
    return y

net A(widths: list[int], first: bool):
    input image: [N, 3, H, W]
    image -> stages: [Stage(w, first) for w in widths]
"""
    model = netdsl.loads(text, widths=[6, 5], first=True, H=16, W=32)
    assert model(torch.randn(2, 3, 16, 32)).shape == (2, 5, 4, 8)
    last = netdsl.loads(text, widths=[6, 5], first=False, H=16, W=32)
    assert last(torch.randn(2, 3, 16, 32)).shape == (2, 8, 3, 5)
