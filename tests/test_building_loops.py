"""Loops that build layers: what they carry, and the names in them."""

from __future__ import annotations

import torch

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
