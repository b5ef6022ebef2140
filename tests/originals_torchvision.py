"""The image models of torchvision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from originals import Original
from torch import Tensor
from torchvision import models
from torchvision.models import (
    densenet,
    mobilenetv2,
    resnet,
    squeezenet,
    vgg,
    vision_transformer,
)


def image(size: int, batch: int = 2) -> Callable[[], tuple[Tensor]]:
    return lambda: (torch.randn(batch, 3, size, size),)


def torchvision(name: str, file: str, net: str, size: int, **facts: Any) -> Original:
    """A model that torchvision builds by the name, for images of the size."""
    return Original(name, file, net, getattr(models, name), image(size), **facts)


RESNET = (
    resnet.conv3x3, resnet.conv1x1, resnet.BasicBlock, resnet.Bottleneck, resnet.ResNet,
)  # fmt: skip
VGG = (vgg.VGG, vgg.make_layers)
DENSENET = (
    densenet._DenseLayer, densenet._DenseBlock, densenet._Transition, densenet.DenseNet,
)  # fmt: skip
SQUEEZENET = (squeezenet.Fire, squeezenet.SqueezeNet)

ORIGINALS = [
    torchvision(
        "alexnet", "zoo/alexnet", "AlexNet", 64, code=[models.AlexNet],
        parameters=61_100_840, keys=16, digest="23c3b8d4a3",
    ),
    torchvision(
        "vgg16", "zoo/vgg", "vgg16", 32, code=VGG,
        parameters=138_357_544, keys=32, digest="8a41c838ca",
    ),
    torchvision(
        "vgg16_bn", "zoo/vgg", "vgg16_bn", 32, code=VGG,
        parameters=138_365_992, keys=97, digest="ae5d7d87f5",
    ),
    torchvision(
        "resnet18", "resnet", "resnet18", 64, code=RESNET,
        parameters=11_689_512, keys=122, digest="66b04efc1d",
    ),
    torchvision(
        "resnet50", "resnet", "resnet50", 64, code=RESNET,
        parameters=25_557_032, keys=320, digest="614cd53ddf",
    ),
    torchvision(
        "resnext50_32x4d", "resnet", "resnext50_32x4d", 64, code=RESNET,
        parameters=25_028_904, keys=320, digest="5157aafec2",
    ),
    torchvision(
        "wide_resnet50_2", "resnet", "wide_resnet50_2", 64, code=RESNET,
        parameters=68_883_240, keys=320, digest="bf71ae35ce",
    ),
    torchvision(
        "densenet121", "zoo/densenet", "DenseNet", 64, code=DENSENET,
        parameters=7_978_856, keys=727, digest="08ed4bd108",
    ),
    torchvision(
        "squeezenet1_0", "zoo/squeezenet", "squeezenet1_0", 64, code=SQUEEZENET,
        parameters=1_248_424, keys=52, digest="57fdd044bb",
    ),
    torchvision(
        "squeezenet1_1", "zoo/squeezenet", "squeezenet1_1", 64, code=SQUEEZENET,
        parameters=1_235_496,
    ),
    torchvision(
        "mobilenet_v2", "zoo/mobilenet_v2", "MobileNetV2", 64,
        code=[
            mobilenetv2._make_divisible, mobilenetv2.InvertedResidual,
            mobilenetv2.MobileNetV2,
        ],
        parameters=3_504_872, keys=314, digest="a18c560d82",
    ),
    torchvision(
        "vit_b_16", "zoo/vit", "VisionTransformer", 224,
        code=[
            vision_transformer.MLPBlock, vision_transformer.EncoderBlock,
            vision_transformer.Encoder, vision_transformer.VisionTransformer,
        ],
        parameters=86_567_656, keys=152, digest="a83b288843",
    ),
]  # fmt: skip
