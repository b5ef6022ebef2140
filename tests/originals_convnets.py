"""Later convolutional models of torchvision: their sizes come from rules."""

from __future__ import annotations

import torch
from originals import Original
from originals_torchvision import image, torchvision
from torch import nn
from torchvision.models import convnext, regnet, shufflenetv2
from torchvision.models._utils import _make_divisible
from torchvision.ops import misc, stochastic_depth

SHUFFLENET = (
    shufflenetv2.channel_shuffle, shufflenetv2.InvertedResidual,
    shufflenetv2.ShuffleNetV2,
)  # fmt: skip
CONVNEXT = (
    convnext.LayerNorm2d, convnext.CNBlock, convnext.CNBlockConfig, convnext.ConvNeXt,
    misc.ConvNormActivation, misc.Permute, stochastic_depth,
)  # fmt: skip
REGNET = (
    _make_divisible, misc.ConvNormActivation, misc.SqueezeExcitation,
    regnet.SimpleStemIN, regnet.BottleneckTransform, regnet.ResBottleneckBlock,
    regnet.AnyStage, regnet.BlockParams, regnet.RegNet,
)  # fmt: skip


def a_regnet(name: str, parameters: int) -> Original:
    """A RegNet, whose widths torchvision works out with tensors: they need a device."""

    def make() -> nn.Module:
        with torch.device("cpu"):
            made: nn.Module = getattr(regnet, name)()
        return made

    return Original(
        name, "zoo/regnet", name, make, image(64), code=REGNET, parameters=parameters
    )


ORIGINALS: list[Original] = [
    torchvision(
        "shufflenet_v2_x0_5", "zoo/shufflenet_v2", "shufflenet_v2_x0_5", 64,
        code=SHUFFLENET, parameters=1_366_792,
    ),
    torchvision(
        "shufflenet_v2_x1_0", "zoo/shufflenet_v2", "shufflenet_v2_x1_0", 64,
        code=SHUFFLENET, parameters=2_278_604,
    ),
    torchvision(
        "convnext_tiny", "zoo/convnext", "convnext_tiny", 64, code=CONVNEXT,
        parameters=28_589_128,
    ),
    a_regnet("regnet_x_400mf", 5_495_976),
    a_regnet("regnet_y_400mf", 4_344_144),
]  # fmt: skip
