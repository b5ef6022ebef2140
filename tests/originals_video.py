"""The models of torchvision for video."""

from __future__ import annotations

from typing import Any

import torch
from originals import Original
from torch import Tensor
from torchvision.models.video import resnet

CODE = [
    resnet.Conv3DSimple, resnet.Conv2Plus1D, resnet.Conv3DNoTemporal,
    resnet.BasicBlock, resnet.BasicStem, resnet.R2Plus1dStem, resnet.VideoResNet,
]  # fmt: skip


def video() -> tuple[Tensor]:
    return (torch.randn(2, 3, 5, 48, 40),)


def video_resnet(name: str, **facts: Any) -> Original:
    make = getattr(resnet, name)
    return Original(name, "zoo/video_resnet", name, make, video, CODE, **facts)


ORIGINALS = [
    video_resnet("r3d_18", parameters=33_371_472, keys=122, digest="6052f7bd19"),
    video_resnet("mc3_18", parameters=11_695_440, keys=122, digest="a7f331388b"),
    video_resnet("r2plus1d_18", parameters=31_505_325, keys=224, digest="5f7e8255c3"),
]
