"""What nets mean: each beside the `nn.Module` that somebody would write by hand.

Same keys in the same order, same starting values from the same seed, a strict
load, and equal bits while training and not.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import netdsl


def same(
    text: str,
    make: Callable[[], nn.Module],
    *inputs: Any,
    net: str | None = None,
    hyper: dict[str, Any] | None = None,
    **keywords: Any,
) -> nn.Module:
    """Loads the net, compares it with its twin, and gives it."""
    torch.manual_seed(0)
    ours = netdsl.loads(text, net, **(hyper or {}))
    torch.manual_seed(0)
    theirs = make()
    mine, wanted = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(wanted)
    assert [n for n, _ in ours.named_parameters()] == [
        n for n, _ in theirs.named_parameters()
    ]
    for name, tensor in wanted.items():
        assert mine[name].dtype == tensor.dtype, name
        assert torch.equal(mine[name], tensor), name
    ours.load_state_dict(wanted, strict=True)
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        torch.manual_seed(1)
        got = ours(*inputs, **keywords)
        torch.manual_seed(1)
        equal(got, theirs(*inputs, **keywords))
    return ours


def equal(got: Any, wanted: Any) -> None:
    assert type(got) is type(wanted)
    if isinstance(wanted, Tensor):
        assert got.dtype == wanted.dtype and torch.equal(got, wanted)
    elif isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for key, value in wanted.items():
            equal(got[key], value)
    elif isinstance(wanted, tuple | list):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            equal(one, other)
    else:
        assert got == wanted


def refused(text: str, code: str, net: str | None = None, **hyper: Any) -> str:
    """The one message that the text gives."""
    with pytest.raises(netdsl.CompileError) as caught:
        netdsl.loads(text, net, **hyper)
    assert [d.code for d in caught.value.diagnostics] == [code], str(caught.value)
    return str(caught.value)


X = torch.linspace(-2, 2, 24).view(4, 6)
SEQUENCE = torch.linspace(-2, 2, 2 * 5 * 8).view(2, 5, 8)
IMAGE = torch.linspace(-1, 1, 2 * 3 * 8 * 8).view(2, 3, 8, 8)


# -- conditions and optional inputs --------------------------------------------------------


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
    keyword = text.replace("(x, mask) -> one: Masked ->", "x -> one: Masked(mask=mask) ->")
    assert keyword != text


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


# -- results ---------------------------------------------------------------------------------


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

    text = "net A:\n    input x: [N, 6]\n    y = x -> fc: Linear(6)\n    return x, (y, y + 1)\n"
    same(text, Nested, X)


# -- loops and lists ----------------------------------------------------------------------------


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


# -- conditions that are checked ---------------------------------------------------------------------


def test_a_where_of_run_time_sizes_is_checked_in_forward() -> None:
    text = "net A:\n    input x: [N, T]  where T % 4 == 0\n    x -> view(N, 4, T // 4)\n"
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


# -- tensors of its own --------------------------------------------------------------------------------


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
        return self.fc((x + self.token) * self.scale * self.frozen + self.steps - self.hidden)


def test_params_and_buffers() -> None:
    text = """\
net A:
    input x: [N, C]
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
        self.blocks = nn.Sequential(*[nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6)) for _ in range(2)])
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


# -- functions ------------------------------------------------------------------------------------------


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


# -- layers with several inputs and results ---------------------------------------------------------------


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

    text = "net A:\n    input x: [N, 6]\n    x -> fc: Linear(6) -> act: Tanh -> fc -> act\n"
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


# -- nets as parameters ---------------------------------------------------------------------------------


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
    for name, norm in {
        "plain": lambda n: nn.BatchNorm2d(n, eps=0.001),
        "bare": lambda n: nn.Identity(),
    }.items():
        model = same(NORMS, lambda norm=norm: Holder(ConvNorm(norm)), IMAGE, net=name)
    del model


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


# -- conditions on layers ------------------------------------------------------------------------------


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
    x -> fc: Linear(6) -> norm: LayerNorm if deep else skip
      -> body: [Linear(4), ReLU if deep else skip, Linear(2)]
"""
    text = text.replace("norm: LayerNorm if deep else skip", "(norm: LayerNorm if deep else skip)")
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


# -- lists and names -----------------------------------------------------------------------------------


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
            self.convs = nn.ModuleList([nn.Conv2d(3, 2, k, padding=k // 2) for k in (1, 3)])

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
    same(text.replace("*[f", "f").replace("range(2)], norm", "range(2), norm"), Named, X) if False else same(text, Named, X)


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
    x -> layers: [Cell for _ in range(2)](shift)
"""
    text = text.replace(
        "    x -> layers: [Cell for _ in range(2)](shift)\n",
        "    layers: [Cell for _ in range(2)]\n    x -> layers(shift)\n",
    )
    same(text, Stack, SEQUENCE, SEQUENCE[:, :1])


# -- the rules that settle doubts ------------------------------------------------------------------------


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
    log(sqrt(abs(x -> fc: Linear(width)))) * sqrt(4)
"""
    same(text.replace("sqrt(4)", "round(2.2)"), Words, X)


@pytest.mark.parametrize(
    "layer, shape",
    [
        ("Linear(784, 10)", "[N, 784]"),
        ("Conv2d(3, 64, 7)", "[N, 3, H, W]"),
        ("BatchNorm2d(64)", "[N, 64, H, W]"),
        ("MultiheadAttention(512, 8)", "[N, T, 512]"),
    ],
)
def test_torchs_habit_of_saying_the_inputs_size_is_an_error(layer: str, shape: str) -> None:
    text = f"net A:\n    input x: {shape}\n    x -> a: {layer}\n"
    with pytest.raises(netdsl.CompileError, match="help"):
        netdsl.loads(text)


def test_a_files_own_names_win_over_torchs() -> None:
    class Linear(nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 2 * n)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.fc(x)) + 1

    class A(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.m = Double(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.m(x)

    Double = Linear
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
    text = "net A:\n    input x: [N, C]\n    input y: [N, C]\n    x + y -> fc: Linear(2)\n"
    model = netdsl.loads(text, C=6)
    assert model(X, X).shape == (4, 2)
    with pytest.raises(RuntimeError):
        model(X, X[:, :5])


# -- chains and variants -------------------------------------------------------------------------------


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


# -- imports -------------------------------------------------------------------------------------------


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
