"""The image models of torchvision."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from originals import Original
from torch import Tensor, nn
from torchvision import models
from torchvision.models import (
    densenet,
    efficientnet,
    mnasnet,
    mobilenetv2,
    mobilenetv3,
    resnet,
    segmentation,
    squeezenet,
    swin_transformer,
    vgg,
    vision_transformer,
)
from torchvision.models._utils import IntermediateLayerGetter, _make_divisible
from torchvision.ops import misc, stochastic_depth

# `models.googlenet` is the function of the same name.
inception = import_module("torchvision.models.googlenet")
inception_v3 = import_module("torchvision.models.inception")


def image(size: int, batch: int = 2) -> Callable[[], tuple[Tensor]]:
    return lambda: (torch.randn(batch, 3, size, size),)


def torchvision(name: str, file: str, net: str, size: int, **facts: Any) -> Original:
    """A model that torchvision builds by the name, for images of the size."""
    return Original(name, file, net, getattr(models, name), image(size), **facts)


def segmenting(name: str, make: Any, aux: bool = True, **facts: Any) -> Original:
    """A model that gives a class for each pixel, from torchvision's function."""

    def build(aux: bool) -> nn.Module:
        built: nn.Module = make(weights=None, weights_backbone=None, aux_loss=aux)
        return built

    return Original(
        name, "segmentation", make.__name__, lambda: build(aux), image(65),
        SEGMENTATION, {"aux": aux}, full=lambda: build(True), starts=DROPPED, **facts,
    )  # fmt: skip


DROPPED = "it draws the head of a ResNet and drops it, and `aux_classifier` first"

RESNET = (
    resnet.conv3x3, resnet.conv1x1, resnet.BasicBlock, resnet.Bottleneck, resnet.ResNet,
)  # fmt: skip
VGG = (
    vgg.VGG, vgg.make_layers, vgg._vgg, vgg.vgg11, vgg.vgg11_bn, vgg.vgg13,
    vgg.vgg13_bn, vgg.vgg16, vgg.vgg16_bn, vgg.vgg19, vgg.vgg19_bn,
)  # fmt: skip
DENSENET = (
    densenet._DenseLayer, densenet._DenseBlock, densenet._Transition, densenet.DenseNet,
)  # fmt: skip
SQUEEZENET = (squeezenet.Fire, squeezenet.SqueezeNet)
BLOCKS = (_make_divisible, misc.ConvNormActivation, misc.SqueezeExcitation)
MOBILENET_V3 = (
    *BLOCKS, mobilenetv3.InvertedResidualConfig, mobilenetv3.InvertedResidual,
    mobilenetv3.MobileNetV3, mobilenetv3._mobilenet_v3_conf,
)  # fmt: skip
MNASNET = (
    mnasnet._InvertedResidual, mnasnet._stack, mnasnet._round_to_multiple_of,
    mnasnet._get_depths, mnasnet.MNASNet.__init__, mnasnet.MNASNet.forward,
    mnasnet._mnasnet, mnasnet.mnasnet0_5, mnasnet.mnasnet0_75, mnasnet.mnasnet1_0,
    mnasnet.mnasnet1_3,
)  # fmt: skip
EFFICIENTNET = (
    *BLOCKS, stochastic_depth, efficientnet.MBConvConfig, efficientnet.MBConv,
    efficientnet.EfficientNet, efficientnet._efficientnet_conf,
)  # fmt: skip
SWIN = (
    swin_transformer._patch_merging_pad, swin_transformer._get_relative_position_bias,
    swin_transformer.PatchMerging, swin_transformer.shifted_window_attention,
    swin_transformer.ShiftedWindowAttention, swin_transformer.SwinTransformerBlock,
    swin_transformer.SwinTransformer, stochastic_depth, misc.MLP, misc.Permute,
)  # fmt: skip
SEGMENTATION = (
    IntermediateLayerGetter, segmentation._utils._SimpleSegmentationModel,
    segmentation.fcn.FCNHead, segmentation.fcn._fcn_resnet, segmentation.deeplabv3.ASPP,
    segmentation.deeplabv3.ASPPConv, segmentation.deeplabv3.ASPPPooling,
    segmentation.deeplabv3.DeepLabHead, segmentation.deeplabv3._deeplabv3_resnet,
)  # fmt: skip
GOOGLENET = (
    inception.BasicConv2d, inception.Inception, inception.InceptionAux,
    models.GoogLeNet,
)  # fmt: skip
INCEPTION = (
    inception_v3.BasicConv2d, inception_v3.InceptionA, inception_v3.InceptionB,
    inception_v3.InceptionC, inception_v3.InceptionD, inception_v3.InceptionE,
    inception_v3.InceptionAux, inception_v3.Inception3,
)  # fmt: skip

ORIGINALS = [
    torchvision(
        "alexnet", "zoo/alexnet", "AlexNet", 64, code=[models.AlexNet],
        parameters=61_100_840, keys=16, digest="23c3b8d4a3",
    ),
    torchvision(
        "vgg11", "zoo/vgg", "vgg11", 32, code=VGG, parameters=132_863_336,
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
        "densenet121", "zoo/densenet", "densenet121", 64, code=DENSENET,
        parameters=7_978_856, keys=727, digest="08ed4bd108",
    ),
    torchvision(
        "densenet161", "zoo/densenet", "densenet161", 64, code=DENSENET,
        parameters=28_681_000,
    ),
    Original(
        "googlenet", "zoo/googlenet", "GoogLeNet",
        lambda: models.GoogLeNet(init_weights=True), image(64), code=GOOGLENET,
        parameters=13_004_888, keys=364, digest="e4f1217523",
    ),
    Original(
        "googlenet, no aux", "zoo/googlenet", "googlenet",
        lambda: models.GoogLeNet(
            aux_logits=False, transform_input=True, init_weights=True
        ),
        image(64), code=GOOGLENET,
        parameters=6_624_904, keys=344, digest="3cf031916e",
    ),
    Original(
        "inception_v3", "zoo/inception", "Inception3",
        lambda: models.Inception3(init_weights=True), image(299), code=INCEPTION,
        parameters=27_161_264,
    ),
    Original(
        "inception_v3, no aux", "zoo/inception", "Inception3",
        lambda: models.Inception3(
            num_classes=10, aux_logits=False, transform_input=True, init_weights=False
        ),
        image(96), code=INCEPTION,
        hyper={
            "num_classes": 10, "aux_logits": False, "transform_input": True,
            "init_weights": False,
        },
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
        "mobilenet_v3_small", "zoo/mobilenet_v3", "mobilenet_v3_small", 64,
        code=MOBILENET_V3, parameters=2_542_856, keys=244, digest="cb48f2feab",
    ),
    torchvision(
        "mobilenet_v3_large", "zoo/mobilenet_v3", "mobilenet_v3_large", 64,
        code=MOBILENET_V3, parameters=5_483_032, keys=312, digest="a56c886e8c",
    ),
    torchvision(
        "mnasnet0_5", "zoo/mnasnet", "mnasnet0_5", 64, code=MNASNET,
        parameters=2_218_512, keys=314, digest="baa5bf7bfd",
    ),
    torchvision(
        "mnasnet1_0", "zoo/mnasnet", "mnasnet1_0", 64, code=MNASNET,
        parameters=4_383_312, keys=314, digest="2687cef04a",
    ),
    torchvision(
        "efficientnet_b0", "zoo/efficientnet", "efficientnet_b0", 64,
        code=EFFICIENTNET, parameters=5_288_548, keys=360, digest="9da4cc5e2b",
    ),
    torchvision(
        "efficientnet_b7", "zoo/efficientnet", "efficientnet_b7", 64,
        code=EFFICIENTNET, parameters=66_347_960, keys=1200, digest="0342411b57",
    ),
    torchvision(
        "vit_b_16", "zoo/vit", "VisionTransformer", 224,
        code=[
            vision_transformer.MLPBlock, vision_transformer.EncoderBlock,
            vision_transformer.Encoder, vision_transformer.VisionTransformer,
        ],
        parameters=86_567_656, keys=152, digest="a83b288843",
    ),
    torchvision(
        "swin_t", "zoo/swin", "swin_t", 230, code=SWIN,
        parameters=28_288_354, keys=185, digest="7a6ed035a2",
    ),
    Original(
        "swin_t, one window", "zoo/swin", "swin_t", models.swin_t, image(64), SWIN
    ),
    segmenting(
        "fcn_resnet50", segmentation.fcn_resnet50,
        parameters=35_322_218, keys=334, digest="bce8f9fdb1",
    ),
    segmenting("fcn_resnet50, no aux", segmentation.fcn_resnet50, aux=False),
    segmenting(
        "deeplabv3_resnet50", segmentation.deeplabv3_resnet50, parameters=42_004_074
    ),
]  # fmt: skip

# Further sizes of the same nets, of which the keys are compared.
VARIANTS = [
    *(("zoo/vgg", f"vgg{n}{bn}") for n in (11, 13, 16, 19) for bn in ("", "_bn")),
    *(("zoo/densenet", f"densenet{n}") for n in (169, 201)),
    *(("zoo/efficientnet", f"efficientnet_b{n}") for n in range(1, 7)),
    ("zoo/mnasnet", "mnasnet0_75"),
    ("zoo/mnasnet", "mnasnet1_3"),
    ("zoo/swin", "swin_s"),
    ("zoo/swin", "swin_b"),
]
