"""The zoo against its originals: same keys, strict load, same bits."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import torch
import torchvision.models as originals
from torch import nn

import netdsl

ZOO = Path(__file__).parents[1] / "examples" / "zoo"

# File, net, torchvision's constructor, parameters, first digits of the keys' hash,
# the smallest image that it takes, and whether its initial values follow rules.
VISION = [
    ("alexnet", "AlexNet", "alexnet", 61_100_840, "23c3b8d4a3", 64, True),
    ("vgg", "vgg16", "vgg16", 138_357_544, "8a41c838ca", 32, True),
    ("vgg", "vgg16_bn", "vgg16_bn", 138_365_992, "ae5d7d87f5", 32, True),
    ("densenet", "DenseNet", "densenet121", 7_978_856, "08ed4bd108", 64, True),
    ("squeezenet", "squeezenet1_0", "squeezenet1_0", 1_248_424, "57fdd044bb", 64, True),
    ("squeezenet", "squeezenet1_1", "squeezenet1_1", 1_235_496, None, 64, True),
    ("mobilenet_v2", "MobileNetV2", "mobilenet_v2", 3_504_872, "a18c560d82", 64, True),
    ("vit", "VisionTransformer", "vit_b_16", 86_567_656, "a83b288843", 224, True),
]


def shapes(model: nn.Module) -> list[tuple[str, list[int]]]:
    return [(k, list(v.shape)) for k, v in model.state_dict().items()]


def key_hash(model: nn.Module) -> str:
    lines = "\n".join(f"{k} {s}" for k, s in shapes(model))
    return sha256(lines.encode()).hexdigest()[:10]


@pytest.mark.parametrize(
    ("file", "net", "original", "parameters", "digits", "size", "drawn"),
    VISION,
    ids=[v[2] for v in VISION],
)
def test_vision(file, net, original, parameters, digits, size, drawn):
    torch.manual_seed(0)
    ours = netdsl.load(ZOO / f"{file}.net", net)
    torch.manual_seed(0)
    theirs = getattr(originals, original)()
    assert shapes(ours) == shapes(theirs)
    assert sum(p.numel() for p in ours.parameters()) == parameters
    assert digits is None or key_hash(ours) == digits
    if drawn:
        a, b = ours.state_dict(), theirs.state_dict()
        assert [k for k in b if not torch.equal(a[k], b[k])] == []
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, 3, size, size)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs.eval()(x))
        x = torch.randn(2, 3, size, size)
        torch.manual_seed(1)
        first = ours.train()(x)
        torch.manual_seed(1)
        assert torch.equal(first, theirs.train()(x))


def test_llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=100,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
    )
    theirs = LlamaForCausalLM(config).eval()
    ours = netdsl.load(
        ZOO / "llama.net", "Llama",
        vocab=100, width=32, depth=3, heads=4, kv_heads=2, hidden=48,
    ).eval()  # fmt: skip
    assert shapes(ours) == shapes(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    tokens = torch.randint(0, 100, (2, 7))
    with torch.no_grad():
        assert torch.equal(ours(tokens), theirs(tokens, use_cache=False).logits)


def test_llama_at_full_size_has_the_originals_keys():
    with torch.device("meta"):
        ours = netdsl.load(ZOO / "llama.net", "Llama")
    assert key_hash(ours) == "9386f14039"


def test_bert():
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=100,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=64,
    )
    theirs = BertModel(config).eval()
    ours = netdsl.load(
        ZOO / "bert.net", "Bert",
        vocab=100, width=32, depth=3, heads=4, hidden=48, context=64,
    ).eval()  # fmt: skip
    assert shapes(ours) == shapes(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    tokens = torch.randint(0, 100, (2, 7))
    with torch.no_grad():
        hidden, pooled = ours(tokens, torch.zeros_like(tokens))
        expected = theirs(tokens)
    assert torch.equal(hidden, expected.last_hidden_state)
    assert torch.equal(pooled, expected.pooler_output)


def test_bert_at_full_size_has_the_originals_keys():
    with torch.device("meta"):
        ours = netdsl.load(ZOO / "bert.net", "Bert")
    assert key_hash(ours) == "a96adcdede"


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.net")), ids=lambda p: p.stem)
def test_the_python_beside_each_net_is_what_it_compiles_to(path):
    from netdsl.files import with_footer

    expected = with_footer(netdsl.compile(path), path.name)
    assert path.with_suffix(".py").read_text() == expected
