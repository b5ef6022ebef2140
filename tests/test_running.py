"""What nets do when they run: conditions, optional inputs, loops."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import SEQUENCE, X, same

import netdsl

# -- conditions and optional inputs ----------------------------------------------------


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 4)
        self.aux = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        x = self.fc(x)
        if self.training:
            x = x + 0.1 * torch.randn_like(x)
        return x, self.aux(x)


def test_a_statement_under_training() -> None:
    text = """\
net Noisy:
    input x: [N, 6]
    x = x -> fc: Linear(4)
    if training:
        x = x + 0.1 * randn_like(x)
    return x, x -> aux: Linear(2)
"""
    same(text, Noisy, X)


class TrainOnly(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 4)
        self.extra = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x)
        if self.training:
            x = self.extra(x)
        return x


def test_a_layer_under_a_dynamic_condition_is_always_registered() -> None:
    text = """\
net TrainOnly:
    input x: [N, 6]
    x = x -> fc: Linear(4)
    extra: Linear(4)
    if training:
        x = x -> extra
    return x
"""
    same(text, TrainOnly, X)


class Early(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return self.fc(x)


def test_an_early_return() -> None:
    text = """\
net Early:
    input x: [N, 6]
    if not training:
        return x
    return x -> fc: Linear(6)
"""
    same(text, Early, X)


class OnValues(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x)
        if x.sum() > 0:
            return x * 2
        return -x


def test_a_one_element_tensor_may_be_a_condition() -> None:
    text = """\
net OnValues:
    input x: [N, 6]
    x = x -> fc: Linear(6)
    return x * 2 if sum(x) > 0 else -x
"""
    for sign in (1, -1):
        same(text, OnValues, sign * X)
    text = """\
net OnValues:
    input x: [N, 6]
    x = x -> fc: Linear(6)
    if sum(x) > 0:
        return x * 2
    return -x
"""
    for sign in (1, -1):
        same(text, OnValues, sign * X)


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.fc(x)
        if mask is not None:
            x = x.masked_fill(~mask[..., None], 0.0)
        return x


MASKED = """\
net Masked:
    input x: [B, T, 8]
    input mask: bool[B, T] | None = None
    x = x -> fc: Linear(4)
    if mask is not None:
        x = x -> masked_fill(~mask[..., None], 0.0)
    return x
"""


def test_an_optional_input() -> None:
    mask = torch.arange(10).view(2, 5) % 3 > 0
    same(MASKED, Masked, SEQUENCE)
    same(MASKED, Masked, SEQUENCE, mask)
    same(MASKED, Masked, SEQUENCE, mask=mask)


def test_an_optional_input_is_handed_on() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = Masked()
            self.two = nn.Linear(4, 2)

        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return self.two(self.one(x, mask))

    text = f"""{MASKED}
net Outer:
    input x: [B, T, 8]
    input mask: bool[B, T] | None = None
    (x, mask) -> one: Masked -> two: Linear(2)
"""
    same(text, Outer, SEQUENCE, torch.ones(2, 5, dtype=torch.bool))
    same(text, Outer, SEQUENCE)
    flow = "(x, mask) -> one: Masked -> two: Linear(2)"
    assert flow in text
    keyword = text.replace(flow, "one: Masked\n    one(x, mask=mask) -> two: Linear(2)")
    same(keyword, Outer, SEQUENCE, torch.ones(2, 5, dtype=torch.bool))


def test_an_optional_input_must_be_narrowed() -> None:
    text = """\
net A:
    input x: [N, 4]
    input y: [N, 4] | None = None
    x + y
"""
    with pytest.raises(netdsl.CompileError, match="None"):
        netdsl.loads(text)


def test_an_input_may_be_a_plain_value() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 2)

        def forward(self, x: Tensor, t: int) -> Tensor:
            return self.fc(x * t)

    text = "net A:\n    input x: [N, 6]\n    input t: int\n    x * t -> fc: Linear(2)\n"
    same(text, Scaled, X, 3)


# -- results ---------------------------------------------------------------------------


class Dictionary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 3)
        self.aux = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Any:
        return {"out": self.fc(x), "aux": self.aux(x)}


def test_results_of_several_tensors() -> None:
    text = """\
net A:
    input x: [N, 6]
    fc: Linear(3), aux: Linear(2)
    return {"out": (x -> fc), "aux": (x -> aux)}
"""
    same(text, Dictionary, X)


class Consumer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Dictionary()
        self.head = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        both = self.inner(x)
        return self.head(torch.cat([both["out"], both["aux"]], dim=1))


def test_a_dict_result_is_read_by_key() -> None:
    text = """\
net Inner:
    input x: [N, 6]
    fc: Linear(3), aux: Linear(2)
    return {"out": (x -> fc), "aux": (x -> aux)}

net Outer:
    input x: [N, 6]
    both = x -> inner: Inner
    (both["out"], both["aux"]) -> cat(dim=1) -> head: Linear(1)
"""
    same(text, Consumer, X)


def test_results_in_tuples_of_tuples() -> None:
    class Nested(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Any:
            y = self.fc(x)
            return x, (y, y + 1)

    text = """\
net A:
    input x: [N, 6]
    y = x -> fc: Linear(6)
    return x, (y, y + 1)
"""
    same(text, Nested, X)


# -- loops and lists -------------------------------------------------------------------


class Recording(nn.Module):
    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        size = 6
        for w in widths:
            self.layers.append(nn.Linear(size, w))
            size = w

    def forward(self, x: Tensor) -> Any:
        seen = []
        for layer in self.layers:
            x = torch.relu(layer(x))
            seen.append(x)
        last = seen.pop()
        return torch.cat(seen, dim=1), last


def test_a_loop_over_layers_with_a_list_of_tensors() -> None:
    text = """\
net A(widths: list[int] = [5, 4, 3]):
    input x: [N, 6]
    layers: [Linear(w) for w in widths]
    seen = []
    for layer in layers:
        x = x -> layer -> relu
        seen += [x]
    last = seen.pop()
    return cat(seen, dim=1), last
"""
    same(text, lambda: Recording([5, 4, 3]), X)
    same(text, lambda: Recording([2, 2]), X, hyper={"widths": [2, 2]})


class Repeated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        for i in range(3):
            x = x + (i + 1) * self.fc(x)
        return x


def test_a_loop_over_a_range_shares_its_layer() -> None:
    text = """\
net A:
    input x: [N, 6]
    fc: Linear(6)
    for i in range(3):
        x = x + (i + 1) * (x -> fc)
    return x
"""
    same(text, Repeated, X)


class Steps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        B, T, _ = x.shape
        h = torch.zeros(B, 4)
        out = []
        for t in range(T):
            h = self.cell(x[:, t], h)
            out.append(h)
        return torch.stack(out, dim=1)


def test_a_loop_over_a_run_time_size() -> None:
    text = """\
net A:
    input x: [B, T, 8]
    cell: GRUCell(4)
    h = zeros(B, 4)
    out = []
    for t in range(T):
        h = (x[:, t], h) -> cell
        out += [h]
    out -> stack(dim=1)
"""
    same(text, Steps, SEQUENCE)


class TwoLists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.ModuleList([nn.Linear(6, 6) for _ in range(2)])
        self.b = nn.ModuleList([nn.LayerNorm(6) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        for a, b in zip(self.a, self.b, strict=True):
            x = x + b(a(x))
        return x


def test_a_loop_over_two_lists() -> None:
    text = """\
net A:
    input x: [N, 6]
    a: [Linear(6) for _ in range(2)], b: [LayerNorm for _ in range(2)]
    for one, two in zip(a, b):
        x = x + (x -> one -> two)
    return x
"""
    same(text, TwoLists, X)


def test_zip_wants_equal_lengths() -> None:
    text = """\
net A:
    input x: [N, 6]
    a: [Linear(6) for _ in range(2)], b: [LayerNorm for _ in range(3)]
    for one, two in zip(a, b):
        x = x + (x -> one -> two)
    return x
"""
    with pytest.raises(netdsl.CompileError, match="zip"):
        netdsl.loads(text)


def test_a_comprehension_over_tensors_and_layers() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.ModuleList([nn.Linear(6, 3) for _ in range(2)])

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([F.relu(head(x)) for head in self.heads], dim=1)

    text = """\
net A(depth: int = 2):
    input x: [N, 6]
    heads: [Linear(3) for _ in range(depth)]
    [x -> head -> relu for head in heads] -> cat(dim=1)
"""
    same(text, Heads, X)


# -- conditions that are checked -------------------------------------------------------


def test_a_where_of_run_time_sizes_is_checked_in_forward() -> None:
    text = (
        "net A:\n    input x: [N, T]  where T % 4 == 0\n    x -> view(N, 4, T // 4)\n"
    )
    model = netdsl.loads(text)
    assert model(torch.zeros(2, 8)).shape == (2, 4, 2)
    with pytest.raises(ValueError, match="T % 4 == 0"):
        model(torch.zeros(2, 6))


def test_a_static_where_is_checked_in_init() -> None:
    text = """\
net A(heads: int):
    input x: [N, T, C]  where C % heads == 0
    x -> fc: Linear(C)
"""
    model = netdsl.loads(text, heads=2, C=8)
    with pytest.raises(ValueError, match="C % heads == 0"):
        type(model)(8, 3)
    with pytest.raises(netdsl.CompileError, match="C % heads"):
        netdsl.loads(text, heads=3, C=8)


def test_an_undecided_condition_is_a_value_error_when_built() -> None:
    text = """\
net A(heads: int, width: int = 8):
    input tokens: int64[B, T]
    x = tokens -> embed: Embedding(10, width)
    x -> view(B, T, heads, width // heads) -> flatten(2) -> head: Linear(3)
"""
    model = netdsl.loads(text, heads=2)
    with pytest.raises(ValueError, match="heads"):
        type(model)(3)


class Mixture(nn.Module):
    def __init__(self, experts: int) -> None:
        super().__init__()
        self.gate = nn.Linear(6, experts)
        self.experts = nn.ModuleList([nn.Linear(6, 4) for _ in range(experts)])

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.softmax(self.gate(x), -1)
        outs = torch.stack([expert(x) for expert in self.experts], dim=1)
        return (outs * gate[..., None]).sum(1)


@pytest.mark.parametrize("count", [1, 3])
def test_a_branch_for_each_of_any_number_of_layers(count: int) -> None:
    text = """\
net Mixture(count: int):
    input x: [N, 6]
    gate = x -> gate: Linear(count) -> softmax(-1)
    experts: [Linear(4) for _ in range(count)]
    outs = x -> { *experts } -> stack(dim=1)
    (outs * gate[..., None]) -> sum(1)
"""
    same(text, lambda: Mixture(count), X, hyper={"count": count})
