"""Examples against the originals, beyond what `test_zoo.py` holds all models to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from originals import differing, parameters, shapes
from torch import Tensor, nn

import netdsl

torchvision = pytest.importorskip("torchvision")
transformers = pytest.importorskip("transformers")

EXAMPLES = Path(__file__).parent.parent / "examples"


pytestmark = pytest.mark.usefixtures("one_thread")


def assert_same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    assert differing(ours, theirs) == []


# -- resnet.net and torchvision --------------------------------------------------------

RESNETS = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]


@pytest.mark.parametrize("name", RESNETS)
def test_resnet_has_the_keys_of_torchvision(name: str) -> None:
    with torch.device("meta"):
        ours = netdsl.load(EXAMPLES / "resnet.net", name)
        theirs = getattr(torchvision.models, name)()
    assert shapes(ours) == shapes(theirs)
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2"]
)
def test_resnet_starts_and_runs_as_torchvision(name: str) -> None:
    torch.manual_seed(0)
    ours = netdsl.load(EXAMPLES / "resnet.net", name)
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)()
    assert_same_weights(ours, theirs)
    x = torch.randn(2, 3, 64, 64)
    for training in (True, False):
        # In training the batch norms also move their running statistics.
        assert torch.equal(ours.train(training)(x), theirs.train(training)(x))
    assert_same_weights(ours, theirs)


def test_resnet_loads_torchvisions_weights() -> None:
    theirs = torchvision.models.resnet18(num_classes=10).eval()
    ours = netdsl.load(EXAMPLES / "resnet.net", "resnet18", num_classes=10).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, 3, 65, 97)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


# -- gpt2.net and transformers ---------------------------------------------------------

SMALL = {"vocab_size": 101, "n_positions": 32, "n_embd": 24, "n_layer": 3, "n_head": 4}


def original_gpt2(**config: object) -> nn.Module:
    settings = transformers.GPT2Config(
        **config, attn_implementation="sdpa", use_cache=False
    )
    model: nn.Module = transformers.GPT2LMHeadModel(settings)
    return model


def small_gpt2s() -> tuple[nn.Module, nn.Module]:
    """Ours with the weights of the original, and the original."""
    torch.manual_seed(0)
    theirs = original_gpt2(**SMALL)
    ours = netdsl.load(EXAMPLES / "gpt2.net", "GPT2LMHeadModel", **SMALL)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("length", [1, 7, 32])
def test_gpt2_gives_the_bits_of_transformers(length: int, grad: bool) -> None:
    ours, theirs = small_gpt2s()
    tokens = torch.randint(0, 101, (2, length))
    with torch.set_grad_enabled(grad):
        assert torch.equal(ours.eval()(tokens), theirs.eval()(tokens).logits)


def test_gpt2_trains_as_transformers() -> None:
    """The dropouts draw alike, so a seed gives the same losses and gradients."""
    ours, theirs = (m.train() for m in small_gpt2s())
    tokens = torch.randint(0, 101, (2, 16))
    outputs: list[Tensor] = []
    for run in (lambda: ours(tokens), lambda: theirs(tokens).logits):
        torch.manual_seed(1)
        outputs.append(run())
    assert torch.equal(*outputs)
    for logits in outputs:
        logits.square().mean().backward()
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert torch.equal(parameter.grad, gradients[name].grad), name  # type: ignore[arg-type]


def test_gpt2_ties_its_head_to_its_embedding() -> None:
    ours, _ = small_gpt2s()
    assert ours.lm_head.weight is ours.transformer.wte.weight


def test_gpt2_starts_with_the_weights_of_transformers() -> None:
    """transformers draws each `c_proj` twice, a rule once: from the first one on
    the numbers differ, but not their spread."""
    torch.manual_seed(0)
    ours = netdsl.load(EXAMPLES / "gpt2.net", "GPT2LMHeadModel", **SMALL).state_dict()
    torch.manual_seed(0)
    theirs = original_gpt2(**SMALL).state_dict()
    for key, tensor in theirs.items():
        if key == "transformer.h.0.attn.c_proj.weight":
            break
        assert torch.equal(ours[key], tensor), key
    for key, tensor in theirs.items():
        assert torch.allclose(ours[key].std(), tensor.std(), rtol=0.15), key


def test_gpt2_refuses_too_long_a_text() -> None:
    ours, _ = small_gpt2s()
    with pytest.raises(ValueError, match="T <= n_positions"):
        ours(torch.zeros(1, 33, dtype=torch.int64))


# -- unet.net and a twin written by hand -----------------------------------------------


class DoubleConv(nn.Sequential):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """U-Net as people write it."""

    def __init__(self, channels: int, widths: list[int], classes: int) -> None:
        super().__init__()
        self.downs = nn.ModuleList()
        for width in widths:
            self.downs.append(DoubleConv(channels, width))
            channels = width
        self.bottleneck = DoubleConv(channels, 2 * channels)
        self.ups = nn.ModuleList()
        channels = 2 * channels
        for width in reversed(widths):
            self.ups.append(nn.ConvTranspose2d(channels, width, 2, stride=2))
            channels = width
        self.convs = nn.ModuleList(DoubleConv(2 * w, w) for w in reversed(widths))
        self.head = nn.Conv2d(channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for up, conv in zip(self.ups, self.convs, strict=True):
            x = conv(torch.cat([skips.pop(), up(x)], dim=1))
        return self.head(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("widths", [[8], [4, 8, 16], [16, 8, 24, 12]])
def test_unet_is_its_twin(widths: list[int]) -> None:
    torch.manual_seed(0)
    ours = netdsl.load(EXAMPLES / "unet.net", "UNet", C=3, widths=widths, classes=5)
    torch.manual_seed(0)
    theirs = UNet(3, widths, 5)
    assert shapes(ours) == shapes(theirs)
    assert_same_weights(ours, theirs)
    x = torch.randn(2, 3, 32, 48)
    for training in (True, False):
        assert torch.equal(ours.train(training)(x), theirs.train(training)(x))


def test_unet_refuses_what_it_cant_halve() -> None:
    model = netdsl.load(EXAMPLES / "unet.net", "UNet", C=1, widths=[4, 8, 16])
    with pytest.raises(ValueError, match=r"H % 2 \*\* len\(widths\)"):
        model(torch.randn(1, 1, 36, 32))
