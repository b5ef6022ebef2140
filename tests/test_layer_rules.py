"""Every layer's rule against torch itself, over sizes and arguments of all kinds."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from netdsl.layers import LAYERS
from netdsl.layers.spec import REQUIRED, Unknown
from netdsl.shapes import Shape, Undecided
from tests.layer_uses import USES
from tests.loss_cases import STRICTER as LOSSES_STRICTER
from tests.rules import (
    Use,
    apply_rule,
    check,
    layer_use,
    our_answer,
    tensor,
    torch_module,
)


def numbers(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


# Where we differ from torch, and why.
EXCEPTIONS: tuple[tuple[str, Callable[[Use], bool]], ...] = (
    (
        "torch looks at nothing where it drops nothing or all",
        lambda use: (
            "Dropout" in use.declaration.name and use.arguments.get("p") in (0.0, 1.0)
        ),
    ),
    (
        "only some of torch's CPU kernels pool integers, and none on other devices",
        lambda use: (
            ("Pool" in use.declaration.name or use.declaration.name[:5] == "Local")
            and use.inputs[0].dtype != "float"
        ),
    ),
    (
        "torch's UpsamplingNearest2d also takes what is no image",
        lambda use: (
            use.declaration.name == "UpsamplingNearest2d"
            and use.inputs[0].shape.rank in (3, 5)
        ),
    ),
    (
        "torch makes a mean over the last two sizes of it, which any rank has",
        lambda use: (
            use.declaration.name == "AdaptiveAvgPool2d"
            and use.arguments["output_size"] in (1, (1, 1))
            and use.inputs[0].shape.rank not in (3, 4)
        ),
    ),
    (
        "torch folds bools as well",
        lambda use: (
            use.declaration.name in ("Fold", "Unfold")
            and use.inputs[0].dtype != "float"
        ),
    ),
    (
        "torch overlooks a dilation of 0 in some transposed convolutions",
        lambda use: (
            "Transpose" in use.declaration.name
            and 0 in numbers(use.arguments.get("dilation", 1))
        ),
    ),
    (
        "torch trips over its own views where it crops and pads at once",
        lambda use: (
            "Circular" in use.declaration.name
            and min(numbers(use.arguments["padding"])) < 0
        ),
    ),
    (
        "the reasons that stand in loss_cases.py",
        lambda use: any(
            words in our_answer(use).refusal
            for words, _ in LOSSES_STRICTER.get(use.declaration.name, ())
        ),
    ),
    (
        "torch takes a target of one element for a single example",
        lambda use: (
            use.declaration.name in ("CrossEntropyLoss", "NLLLoss")
            and use.inputs[0].shape.rank == 1
            and use.inputs[1].shape == Shape((1,))
        ),
    ),
)


def excepted(use: Use) -> bool:
    return any(holds(use) for _, holds in EXCEPTIONS)


@pytest.mark.parametrize("name", LAYERS)
def test_rule_is_torchs(name: str) -> None:
    answers: Counter[bool] = Counter()

    @settings(
        derandomize=True,
        max_examples=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(USES[name])
    def agree(use: Use) -> None:
        assume(not excepted(use))
        answers[check(use)] += 1

    agree()
    assert answers[True], "no use was a right one"


# What a result's shape depends on, so that a rule may insist on its value.
DECISIVE = {
    *("padding", "kernel_size", "stride", "dilation", "output_padding", "output_size"),
    *("ceil_mode", "return_indices", "keepdim", "reduction", "dim", "start_dim"),
    *("end_dim", "unflattened_size", "upscale_factor", "downscale_factor", "size"),
    *("scale_factor", "batch_first", "bidirectional", "include_last_offset"),
    *("add_bias_kv", "add_zero_attn", "kdim", "vdim", "output_ratio"),
    *("out_features", "cutoffs", "ignore_index"),
}
_TYPES = {"float": "float", "floats": "float", "bool": "bool", "?": "None"}


def _unknown(kinds: tuple[str, ...]) -> Unknown:
    types = {_TYPES.get(k, "str" if k[0] == '"' else "int") for k in kinds}
    return Unknown(" | ".join(sorted(types)))


@pytest.mark.parametrize("name", LAYERS)
def test_rule_needs_few_values(name: str) -> None:
    """A value of which only the type is known costs the shape only where it must."""

    @settings(
        derandomize=True,
        max_examples=10,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(USES[name])
    def same(use: Use) -> None:
        answer = our_answer(use)
        assume(not answer.refusal)
        for parameter in LAYERS[name].signature.parameters:
            if parameter.inferred is not None or parameter.kinds == ("int",):
                continue
            arguments = {**use.arguments, parameter.name: _unknown(parameter.kinds)}
            again = Use(use.declaration, use.inputs, arguments, use.keywords)
            try:
                assert our_answer(again).result == answer.result, again
            except Undecided as undecided:
                assert str(undecided) in DECISIVE, again

    same()


# Arguments of torch that a `.net` file can't write.
NOT_OURS = {
    *("device", "dtype", "self", "args", "kwargs", "_weight", "_freeze"),
    *("_random_samples", "process_group", "custom_encoder", "custom_decoder"),
    "options",
    # Deprecated by torch, or a tensor at build time.
    *("size_average", "reduce", "min_value", "max_value", "weight", "pos_weight"),
}
# torch passes these on as *args and **kwargs.
HIDDEN = ("RNN", "GRU", "LSTM")


@pytest.mark.parametrize("name", LAYERS)
def test_signature_is_torchs(name: str) -> None:
    made = getattr(nn, name)
    if name in HIDDEN:
        theirs = list(inspect.signature(nn.RNNBase.__init__).parameters.values())
        only_in = {"LSTM": {"proj_size"}, "RNN": {"nonlinearity"}}.get(name, set())
        ours = [
            p for p in LAYERS[name].signature.parameters if p.name != "nonlinearity"
        ]
        theirs = [p for p in theirs if p.name not in {"mode", "proj_size"} - only_in]
    else:
        theirs = list(inspect.signature(made.__init__).parameters.values())
        ours = list(LAYERS[name].signature.parameters)
    theirs = [p for p in theirs if p.name not in NOT_OURS]
    assert [p.name for p in ours] == [p.name for p in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        expected = other.default
        if expected is inspect.Parameter.empty:
            expected = REQUIRED
        if callable(expected) and expected is not REQUIRED:
            expected = expected.__name__
        if mine.inferred is None:
            assert mine.default == expected, mine.name


@pytest.mark.parametrize("name", LAYERS)
def test_positions_are_torchs(name: str) -> None:
    """What may be given by position has its place in torch's order."""
    if LAYERS[name].infers or name in HIDDEN:
        # By position only what is required, after the sizes that are inferred.
        return
    theirs = list(inspect.signature(getattr(nn, name).__init__).parameters)[1:]
    ours = [p.name for p in LAYERS[name].signature.parameters if not p.keyword]
    assert ours == [] or theirs[: len(ours)] == ours


@pytest.mark.parametrize("name", LAYERS)
def test_call_is_torchs(name: str) -> None:
    theirs = inspect.signature(getattr(nn, name).forward).parameters
    ours = LAYERS[name].call.parameters
    assert [p.name for p in ours] == [n for n in theirs if n != "self"]
    for parameter in ours:
        default = theirs[parameter.name].default
        if default is inspect.Parameter.empty:
            default = REQUIRED
        assert parameter.default == default


IMAGE = tensor(2, 4, 9, 9)
SEQUENCE = tensor(5, 2, 6)


@pytest.mark.parametrize(
    "use",
    [
        layer_use("Linear", tensor(2, 3, 4), out_features=5),
        layer_use("Conv1d", tensor(2, 4, 9), out_channels=6, kernel_size=3),
        layer_use("Conv2d", IMAGE, out_channels=6, kernel_size=3, stride=2, groups=2),
        layer_use("Conv2d", IMAGE, out_channels=6, kernel_size=3, padding="same"),
        layer_use("Conv3d", tensor(1, 2, 4, 5, 6), out_channels=3, kernel_size=2),
        layer_use("ConvTranspose2d", IMAGE, out_channels=6, kernel_size=3, stride=2),
        layer_use("ConvTranspose1d", tensor(2, 4, 9), out_channels=6, kernel_size=3),
        layer_use("MultiheadAttention", *[SEQUENCE] * 3, num_heads=2),
        layer_use(
            "MultiheadAttention",
            *(SEQUENCE, tensor(7, 2, 3), tensor(7, 2, 4)),
            num_heads=2,
            add_zero_attn=True,
        ),
        layer_use("TransformerEncoderLayer", SEQUENCE, nhead=2, dim_feedforward=7),
        layer_use(
            "TransformerDecoderLayer",
            *(SEQUENCE, tensor(3, 2, 6)),
            nhead=2,
            dim_feedforward=7,
        ),
        layer_use(
            "Transformer",
            *(SEQUENCE, tensor(3, 2, 6)),
            nhead=2,
            num_encoder_layers=2,
            num_decoder_layers=3,
            dim_feedforward=7,
        ),
    ],
    ids=str,
)
def test_flops_are_torchs(use: Use) -> None:
    module = torch_module(use)
    counter = FlopCounterMode(display=False)
    # Only the plain formula of attention is counted on a CPU.
    with counter, sdpa_kernel(SDPBackend.MATH):
        module(*(torch.rand(i.shape.sizes) for i in use.inputs))
    call, _ = apply_rule(use)
    assert use.declaration.flops is not None
    assert use.declaration.flops(call) == counter.get_total_flops()


@pytest.mark.parametrize(
    ("use", "count"),
    [
        # Gates times (input + hidden), twice, for each step and example.
        (layer_use("RNN", SEQUENCE, hidden_size=3), 10 * 2 * 3 * (6 + 3)),
        (layer_use("GRU", SEQUENCE, hidden_size=3), 10 * 2 * 9 * (6 + 3)),
        (layer_use("LSTM", SEQUENCE, hidden_size=3), 10 * 2 * 12 * (6 + 3)),
        (layer_use("LSTMCell", tensor(2, 6), hidden_size=3), 2 * 2 * 12 * (6 + 3)),
        (layer_use("Bilinear", tensor(2, 3), tensor(2, 4), out_features=5), 2 * 2 * 60),
    ],
    ids=str,
)
def test_flops_that_torch_does_not_count(use: Use, count: int) -> None:
    call, _ = apply_rule(use)
    assert use.declaration.flops is not None
    assert use.declaration.flops(call) == count


@pytest.mark.parametrize(
    ("use", "refusal"),
    [
        (
            layer_use("Conv2d", tensor(8, 64), out_channels=8, kernel_size=3),
            "shape-mismatch: `Conv2d` wants its input to have 3 or 4 sizes,"
            " and [8, 64] has 2",
        ),
        (
            layer_use("Linear", tensor(8, 64), in_features=32, out_features=8),
            "shape-mismatch: `Linear` reads 32 features, and [8, 64] flows in",
        ),
        (
            layer_use("Embedding", tensor(8, 64), num_embeddings=9, embedding_dim=8),
            "wrong-dtype: `Embedding` looks up numbers: its input is int64 or int32,"
            " not [8, 64] of float",
        ),
        (
            layer_use("MultiheadAttention", *[tensor(5, 2, 6)] * 3, num_heads=4),
            "shape-mismatch: `num_heads` of `MultiheadAttention` divides its size:"
            " 6 into 4 heads",
        ),
        (
            layer_use("MaxPool2d", tensor(1, 3, 4, 4), kernel_size=5),
            "shape-mismatch: the window of `MaxPool2d` is wider than its input: 5 on 4",
        ),
    ],
    ids=str,
)
def test_message(use: Use, refusal: str) -> None:
    assert our_answer(use).refusal == refusal


def test_a_star_may_stand_ahead() -> None:
    """Rules ask for no more of a shape than they need."""
    names = ("Linear", "LayerNorm", "RMSNorm", "Softmax", "Embedding", "GLU", "ReLU")
    for name in names:
        dtype = "int64" if name == "Embedding" else "float"
        input = tensor(1, dtype=dtype).with_shape(Shape((), "S", (4,)))
        more: dict[str, Any] = {
            "Linear": {"out_features": 4},
            "Softmax": {"dim": -1},
            "Embedding": {"num_embeddings": 5, "embedding_dim": 3},
        }.get(name, {})
        assert not our_answer(layer_use(name, input, **more)).refusal, name


@pytest.mark.parametrize("name", LAYERS)
def test_doc_is_one_line(name: str) -> None:
    doc = LAYERS[name].doc
    assert doc.endswith(".") and "\n" not in doc and len(doc) < 88
