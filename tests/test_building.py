"""What nets are made of: tensors of their own, functions, nets as parameters."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import IMAGE, SEQUENCE, X, same

# -- tensors of its own ----------------------------------------------------------------


class Owner(nn.Module):
    steps: Tensor
    hidden: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.frozen = nn.Parameter(torch.full((6,), 0.5), requires_grad=False)
        self.token = nn.Parameter(torch.empty(1, 6))
        self.register_buffer("steps", torch.arange(6) / 6)
        self.register_buffer("hidden", torch.full((6,), 3.0), persistent=False)
        nn.init.normal_(self.token, std=0.02)
        self.fc = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(
            (x + self.token) * self.scale * self.frozen + self.steps - self.hidden
        )


def test_params_and_buffers() -> None:
    text = """\
net A:
    input x: [N, 6]
    param scale: [6] = ones
    param frozen: [6] = 0.5, requires_grad=False
    param token: [1, 6] = normal(std=0.02)
    buffer steps: [6] = arange(6) / 6
    buffer hidden: [6] = 3.0, persistent=False
    (x + token) * scale * frozen + steps - hidden -> fc: Linear(2)
"""
    model = same(text.replace("[N, C]", "[N, 6]"), Owner, X)
    assert not model.frozen.requires_grad and model.scale.requires_grad
    assert "hidden" not in model.state_dict()


def test_a_param_is_drawn_in_its_place() -> None:
    class Order(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(6, 6)
            self.token = nn.Parameter(torch.randn(6))
            self.last = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x) + self.token)

    text = """\
net A:
    input x: [N, 6]
    x = x -> first: Linear(6)
    param token: [6] = randn(6)
    x + token -> last: Linear(6)
"""
    same(text, Order, X)
    text = text.replace("randn(6)", "normal")
    same(text, Order, X)


def test_a_param_of_an_inferred_size() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gamma = nn.Parameter(torch.empty(6))
            bound = 1 / 6**0.5
            nn.init.uniform_(self.gamma, -bound, bound)

        def forward(self, x: Tensor) -> Tensor:
            return x * self.gamma

    text = """\
net Scale:
    input x: [*, C]
    param gamma: [C] = uniform(-1 / sqrt(C), 1 / sqrt(C))
    x * gamma
"""
    same(text, Scale, X, hyper={"C": 6})


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.fc = nn.Linear(8, 8)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.embed.weight
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.fc(self.embed(x)))


def test_ties_and_starting_values() -> None:
    text = """\
net A:
    input x: int64[B, T]
    x -> embed: Embedding(11, 8) -> fc: Linear(8) -> head: Linear(11, bias=False)
    tie head.weight = embed.weight
    init Linear.weight = normal(std=0.02)
    init Linear.bias = zeros
    init Embedding.weight = normal(std=0.5)
"""
    model = same(text, Tied, torch.arange(6).view(2, 3))
    assert model.head.weight is model.embed.weight
    assert len(list(model.parameters())) == 3


class ByPath(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *[nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6)) for _ in range(2)]
        )
        self.head = nn.Linear(6, 2)
        for name, module in self.named_modules():
            if fnmatch.fnmatchcase(name, "blocks.*.1"):
                nn.init.zeros_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(x))


def test_starting_values_by_path_the_last_line_wins() -> None:
    text = """\
net A:
    input x: [N, 6]
    x -> blocks: [[Linear(6), Linear(6)] for _ in range(2)] -> head: Linear(2)
    init Linear.weight = normal(std=0.1)
    init "blocks.*.1.weight" = zeros
"""
    same(text, ByPath, X)


def test_fan_in_is_a_name_in_starting_values() -> None:
    class Fan(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.normal_(module.weight, std=(2 / 27) ** 0.5)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x)

    text = """\
net A:
    input x: [N, 3, H, W]
    x -> conv: Conv2d(4, 3)
    init Conv2d.weight = normal(std=sqrt(2 / fan_in))
"""
    same(text, Fan, IMAGE)


# -- functions -------------------------------------------------------------------------


def test_functions_of_tensors_and_of_sizes() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 8)
            self.out = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            a, b = self.fc(x).chunk(2, dim=-1)
            x = a * torch.sigmoid(b)
            x = x * 2 if x.shape[-1] > 3 else x
            return self.out(x)

    text = """\
fn double(n: int) = 2 * n

fn glu2(x):
    a, b = x -> chunk(2, dim=-1)
    return a * sigmoid(b)

fn grow(x: [*, D], k: float = 2.0) = x * k if D > 3 else x

net A:
    input x: [N, 6]
    x -> fc: Linear(double(4)) -> glu2 -> grow(2) -> out: Linear(3)
"""
    same(text, Gated, X)


def test_a_function_called_with_two_shapes() -> None:
    class Both(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = (x / x.norm(dim=-1, keepdim=True)).unsqueeze(1)
            return y / y.norm(dim=-1, keepdim=True)

    text = """\
fn unit(x) = x / norm(x, dim=-1, keepdim=True)

net A:
    input x: [N, 6]
    x -> unit -> unsqueeze(1) -> unit
"""
    same(text, Both, X)


# -- layers with several inputs and results --------------------------------------------


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(8, 4, num_layers=2, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor, state: Any = None) -> Any:
        y, (h, c) = self.rnn(x)
        y, (h, c) = self.rnn(x, (h, c))
        return self.head(y), (h, c)


def test_a_recurrent_layer_with_states() -> None:
    text = """\
net A:
    input x: [B, T, 8]
    y, (h, c) = x -> rnn: LSTM(4, num_layers=2, batch_first=True)
    y, (h, c) = (x, (h, c)) -> rnn
    return y -> head: Linear(3), (h, c)
"""
    same(text, Recurrent, SEQUENCE)


class Attend(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Any:
        y, _ = self.attn(x, memory, memory, key_padding_mask=mask, need_weights=False)
        z, weights = self.attn(y, y, y)
        return z, weights


def test_attention_with_keyword_inputs() -> None:
    text = """\
net A:
    input x: [B, T, C]
    input memory: [B, S, C]
    input mask: bool[B, S]
    attn: MultiheadAttention(2, batch_first=True)
    y, _ = attn(x, memory, memory, key_padding_mask=mask, need_weights=False)
    return (y, y, y) -> attn
"""
    memory = torch.linspace(-1, 1, 2 * 3 * 8).view(2, 3, 8)
    mask = torch.tensor([[False, False, True], [False, True, True]])
    same(text, Attend, SEQUENCE, memory, mask, hyper={"C": 8})


def test_a_layer_is_shared_by_its_name() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 6)
            self.act = nn.Tanh()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.fc(self.act(self.fc(x))))

    text = """\
net A:
    input x: [N, 6]
    x -> fc: Linear(6) -> act: Tanh -> fc -> act
"""
    same(text, Shared, X)


def test_a_siamese_net() -> None:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 3)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return (self.fc(a) - self.fc(b)).abs()

    text = """\
net A:
    input a, b: [N, 6]
    a = a -> fc: Linear(3)
    b = b -> fc
    abs(a - b)
"""
    same(text, Siamese, X, X + 1)


# -- nets as parameters ----------------------------------------------------------------


class ConvNorm(nn.Module):
    def __init__(self, make: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = make(4)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


NORMS = """\
net ConvNorm(Norm: net = BatchNorm2d(eps=0.001)):
    input x: [N, C, H, W]
    x -> conv: Conv2d(4, 3) -> norm: Norm -> act: ReLU

net plain:
    input x: [N, 3, H, W]
    x -> m: ConvNorm

net grouped:
    input x: [N, 3, H, W]
    x -> m: ConvNorm(GroupNorm(2))

net bare:
    input x: [N, 3, H, W]
    x -> m: ConvNorm(skip)
"""


class Holder(nn.Module):
    def __init__(self, m: nn.Module) -> None:
        super().__init__()
        self.m = m

    def forward(self, x: Tensor) -> Tensor:
        return self.m(x)


def test_a_net_parameter_takes_layers_partial_layers_and_skip() -> None:
    norms: dict[str, Callable[[int], nn.Module]] = {
        "plain": lambda n: nn.BatchNorm2d(n, eps=0.001),
        "bare": lambda n: nn.Identity(),
    }
    for name, norm in norms.items():
        same(NORMS, lambda norm=norm: Holder(ConvNorm(norm)), IMAGE, net=name)


def test_a_net_parameter_with_required_arguments() -> None:
    make = lambda: Holder(ConvNorm(lambda n: nn.GroupNorm(2, n)))  # noqa: E731
    same(NORMS, make, IMAGE, net="grouped")


def test_each_use_of_a_net_parameter_makes_a_new_layer() -> None:
    class Acts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.PReLU()
            self.b = nn.PReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x))

    text = """\
net Acts(Act: net = PReLU):
    input x: [N, 6]
    x -> a: Act -> b: Act
"""
    same(text, Acts, X)


# -- further ways to make layers -------------------------------------------------------


class Gained(nn.Module):
    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 12)
        if deep:
            self.gain = nn.Parameter(torch.empty(1, 12))
            nn.init.normal_(self.gain, std=0.5)
        self.head = nn.Linear(6, 2)
        self.deep = deep

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x)
        x = x * self.gain if self.deep else x * 2.0
        return self.head(x.view(-1, 2, 6).sum(1))


@pytest.mark.parametrize("deep", [True, False])
def test_a_param_under_a_static_condition(deep: bool) -> None:
    text = """\
net A(deep: bool):
    input x: [N, 6]
    let k = 2
    x = x -> fc: Linear(k * 6)
    if deep:
        param gain: [1, k * 6] = normal(std=0.5)
        x = x * gain
    else:
        x = x * 2.0
    x -> view(N, k, 6) -> sum(1) -> head: Linear(2)
"""
    model = same(text, lambda: Gained(deep), X, hyper={"deep": deep})
    model.reset_parameters()


class Small(nn.Module):
    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(size, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


class Big(nn.Module):
    def __init__(self, size: int, width: int, extra: int = 2) -> None:
        super().__init__()
        self.fc1 = nn.Linear(size, extra * width)
        self.fc2 = nn.Linear(extra * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x))


class Tower(nn.Module):
    def __init__(self, first: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(first, nn.ReLU(), Big(5, 3, 4), Big(3, 4, 3))
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


@pytest.mark.parametrize("kind", ["small", "big"])
def test_tables_of_nets_and_nets_with_arguments_as_defaults(kind: str) -> None:
    text = """\
net Small(width: int):
    input x: [N, C]
    x -> fc: Linear(width)

net Big(width: int, extra: int = 2):
    input x: [N, C]
    x -> fc1: Linear(extra * width) -> fc2: Linear(width)

let KINDS = {"small": Small, "big": Big(extra=3)}

net Tower(Block: net = Big(extra=4), kind: str = "small"):
    input x: [N, 6]
    x -> body: [KINDS[kind](5), ReLU, Block(3), KINDS["big"](4)] -> head: Linear(2)
"""

    def make() -> nn.Module:
        return Tower(Small(6, 5) if kind == "small" else Big(6, 5, 3))

    same(text, make, X, net="Tower", hyper={"kind": kind})


class Scale(nn.Module):
    def __init__(self, by: float = 2.0) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


def test_an_extern_stands_among_the_layers() -> None:
    class Stack(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(6, 6), Scale(3.0), Scale())

        def forward(self, x: Tensor) -> Tensor:
            return x + self.body(x)

    text = """\
extern Scale(by: float = 2.0): [*S] -> [*S]

net Stack(by: float = 3.0):
    input x: [N, 6]
    x -> { skip | body: [Linear(6), Scale(by), Scale] } -> add
"""
    same(text, Stack, X, externs={"Scale": Scale})
