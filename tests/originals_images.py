"""Networks on images that come in no library, by hand as their authors describe them.

Each class here was written from the description of the model that its docstring
names, with that model's names for its layers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from originals import Original
from torch import Tensor, nn
from torchvision.models import resnet18

# -- U-Net of https://github.com/milesial/Pytorch-UNet ---------------------------------


class DoubleConv(nn.Module):
    """Two convolutions of 3 by 3, each with batch norm and ReLU."""

    def __init__(self, channels: int, width: int, middle: int | None = None) -> None:
        super().__init__()
        middle = middle or width
        self.double_conv = nn.Sequential(
            nn.Conv2d(channels, middle, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, width, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.double_conv(x)
        return result


class Down(nn.Module):
    """Half the size, then two convolutions."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(channels, width))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.maxpool_conv(x)
        return result


class Up(nn.Module):
    """Twice the size, padded to that of the earlier image, then two convolutions."""

    def __init__(self, channels: int, width: int, bilinear: bool) -> None:
        super().__init__()
        self.up: nn.Module
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(channels, width, channels // 2)
        else:
            self.up = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
            self.conv = DoubleConv(channels, width)

    def forward(self, x: Tensor, earlier: Tensor) -> Tensor:
        x = self.up(x)
        rows = earlier.shape[2] - x.shape[2]
        columns = earlier.shape[3] - x.shape[3]
        left, top = columns // 2, rows // 2
        x = F.pad(x, (left, columns - left, top, rows - top))
        result: Tensor = self.conv(torch.cat([earlier, x], dim=1))
        return result


class OutConv(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return result


class UNet(nn.Module):
    def __init__(self, classes: int = 2, bilinear: bool = False) -> None:
        super().__init__()
        factor = 2 if bilinear else 1
        self.inc = DoubleConv(3, 64)
        self.down1 = Down(64, 128)
        self.down2 = Down(128, 256)
        self.down3 = Down(256, 512)
        self.down4 = Down(512, 1024 // factor)
        self.up1 = Up(1024, 512 // factor, bilinear)
        self.up2 = Up(512, 256 // factor, bilinear)
        self.up3 = Up(256, 128 // factor, bilinear)
        self.up4 = Up(128, 64, bilinear)
        self.outc = OutConv(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x5 = self.down4(x4)
        x = self.up1(x5, x4)
        x = self.up2(x, x3)
        x = self.up3(x, x2)
        x = self.up4(x, x1)
        result: Tensor = self.outc(x)
        return result


# -- pix2pix, the U-Net of https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix -----


class UnetSkipConnectionBlock(nn.Module):
    """A convolution down, the block inside, a convolution up; and the input beside it.

    The LeakyReLU at its start works in place: what stands beside is activated, too.
    """

    def __init__(
        self,
        outer: int,
        inner: int,
        submodule: nn.Module | None = None,
        outermost: bool = False,
        use_dropout: bool = False,
    ) -> None:
        super().__init__()
        self.outermost = outermost
        downconv = nn.Conv2d(
            outer, inner, kernel_size=4, stride=2, padding=1, bias=False
        )
        channels = inner if submodule is None else 2 * inner
        upconv = nn.ConvTranspose2d(
            channels, outer, kernel_size=4, stride=2, padding=1, bias=outermost
        )
        layers: list[nn.Module] = [downconv]
        if not outermost:
            layers = [nn.LeakyReLU(0.2, True), downconv]
            if submodule is not None:
                layers.append(nn.BatchNorm2d(inner))
        if submodule is not None:
            layers.append(submodule)
        layers += [nn.ReLU(True), upconv]
        layers.append(nn.Tanh() if outermost else nn.BatchNorm2d(outer))
        if use_dropout:
            layers.append(nn.Dropout(0.5))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        if self.outermost:
            result: Tensor = self.model(x)
            return result
        return torch.cat([x, self.model(x)], 1)


class UnetGenerator(nn.Module):
    """Blocks inside blocks, made from the inside out."""

    def __init__(self, downs: int = 8, width: int = 64, dropout: bool = False) -> None:
        super().__init__()
        block = UnetSkipConnectionBlock(8 * width, 8 * width)
        for _ in range(downs - 5):
            block = UnetSkipConnectionBlock(
                8 * width, 8 * width, block, use_dropout=dropout
            )
        block = UnetSkipConnectionBlock(4 * width, 8 * width, block)
        block = UnetSkipConnectionBlock(2 * width, 4 * width, block)
        block = UnetSkipConnectionBlock(width, 2 * width, block)
        self.model = UnetSkipConnectionBlock(3, width, block, outermost=True)
        self.apply(self.start)

    def start(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0.0)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.constant_(module.bias, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result


# -- Style transfer, fast_neural_style of https://github.com/pytorch/examples ----------


class ConvLayer(nn.Module):
    """A convolution of an image that is mirrored at its edges."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(channels, width, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv2d(self.reflection_pad(x))
        return result


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvLayer(channels, channels, kernel=3, stride=1)
        self.in1 = nn.InstanceNorm2d(channels, affine=True)
        self.conv2 = ConvLayer(channels, channels, kernel=3, stride=1)
        self.in2 = nn.InstanceNorm2d(channels, affine=True)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.in1(self.conv1(x)))
        result: Tensor = self.in2(self.conv2(y)) + x
        return result


class UpsampleConvLayer(nn.Module):
    """A convolution of an image in which each pixel was repeated."""

    def __init__(self, channels: int, width: int, kernel: int, upsample: int) -> None:
        super().__init__()
        self.upsample_layer = nn.Upsample(mode="nearest", scale_factor=upsample)
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(channels, width, kernel)

    def forward(self, x: Tensor) -> Tensor:
        x = self.upsample_layer(x)
        result: Tensor = self.conv2d(self.reflection_pad(x))
        return result


class TransformerNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvLayer(3, 32, kernel=9, stride=1)
        self.in1 = nn.InstanceNorm2d(32, affine=True)
        self.conv2 = ConvLayer(32, 64, kernel=3, stride=2)
        self.in2 = nn.InstanceNorm2d(64, affine=True)
        self.conv3 = ConvLayer(64, 128, kernel=3, stride=2)
        self.in3 = nn.InstanceNorm2d(128, affine=True)
        self.res1 = ResidualBlock(128)
        self.res2 = ResidualBlock(128)
        self.res3 = ResidualBlock(128)
        self.res4 = ResidualBlock(128)
        self.res5 = ResidualBlock(128)
        self.deconv1 = UpsampleConvLayer(128, 64, kernel=3, upsample=2)
        self.in4 = nn.InstanceNorm2d(64, affine=True)
        self.deconv2 = UpsampleConvLayer(64, 32, kernel=3, upsample=2)
        self.in5 = nn.InstanceNorm2d(32, affine=True)
        self.deconv3 = ConvLayer(32, 3, kernel=9, stride=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.in1(self.conv1(x)))
        x = self.relu(self.in2(self.conv2(x)))
        x = self.relu(self.in3(self.conv3(x)))
        for block in (self.res1, self.res2, self.res3, self.res4, self.res5):
            x = block(x)
        x = self.relu(self.in4(self.deconv1(x)))
        x = self.relu(self.in5(self.deconv2(x)))
        result: Tensor = self.deconv3(x)
        return result


# -- siamese_network of https://github.com/pytorch/examples ----------------------------


class SiameseNetwork(nn.Module):
    """A ResNet-18 of grey images without its head, and what compares two of them."""

    def __init__(self) -> None:
        super().__init__()
        resnet = resnet18(weights=None)
        resnet.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        features = resnet.fc.in_features
        self.resnet = nn.Sequential(*list(resnet.children())[:-1])
        self.fc = nn.Sequential(
            nn.Linear(2 * features, 256),
            nn.ReLU(inplace=True),
            nn.Linear(256, 1),
        )
        self.sigmoid = nn.Sigmoid()
        self.resnet.apply(self.start)
        self.fc.apply(self.start)

    def start(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.constant_(module.bias, 0.01)

    def one(self, x: Tensor) -> Tensor:
        features: Tensor = self.resnet(x)
        return features.view(features.size(0), -1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        first = self.one(left)
        second = self.one(right)
        both = torch.cat((first, second), 1)
        score = self.fc(both)
        result: Tensor = self.sigmoid(score)
        return result


def images(
    count: int, channels: int, height: int, width: int
) -> Callable[[], tuple[Tensor, ...]]:
    """So many inputs of two images each."""
    return lambda: tuple(torch.randn(2, channels, height, width) for _ in range(count))


UNET = (DoubleConv, Down, Up, OutConv, UNet)

ORIGINALS = [
    Original(
        "unet", "zoo/unet", "UNet", UNet, images(1, 3, 37, 50), UNET,
        parameters=31_037_698, keys=118, digest="8303a73746",
    ),
    Original(
        "unet_bilinear", "zoo/unet", "unet_bilinear", lambda: UNet(bilinear=True),
        images(1, 3, 37, 50), UNET,
        parameters=17_263_042, keys=110, digest="f9184e8917",
    ),
    Original(
        "pix2pix", "zoo/pix2pix", "unet_256", UnetGenerator, images(1, 3, 256, 256),
        [UnetSkipConnectionBlock, UnetGenerator],
    ),
    Original(
        "pix2pix_dropout", "zoo/pix2pix", "unet_256",
        lambda: UnetGenerator(dropout=True), images(1, 3, 256, 256),
        [UnetSkipConnectionBlock, UnetGenerator], hyper={"dropout": True},
    ),
    Original(
        "style_transfer", "zoo/style_transfer", "TransformerNet", TransformerNet,
        images(1, 3, 30, 41),
        [ConvLayer, ResidualBlock, UpsampleConvLayer, TransformerNet],
        parameters=1_679_235, keys=62, digest="933d72ae7e",
    ),
    Original(
        "siamese_resnet", "siamese_resnet", "SiameseNetwork", SiameseNetwork,
        images(2, 1, 28, 28), [SiameseNetwork],
        parameters=11_432_897, keys=124, digest="f0e31556b7",
        starts="it draws the layers of a whole ResNet-18, two of which it drops",
    ),
]  # fmt: skip
