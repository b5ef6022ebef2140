"""Perceptual losses for real-time style transfer (Johnson et al., 2016), https://arxiv.org/abs/1603.08155"""

import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
    def __init__(
        self, in_channels: int, width: int, kernel: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(in_channels, width, kernel, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * (kernel // 2) - kernel) // stride + 1,
            (W + 2 * (kernel // 2) - kernel) // stride + 1]
        """
        x = self.conv2d(self.reflection_pad(x))
        return x


class Residual(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = Conv(in_channels, in_channels, 3)
        self.in1 = nn.InstanceNorm2d(in_channels, affine=True)
        self.conv2 = Conv(in_channels, in_channels, 3)
        self.in2 = nn.InstanceNorm2d(in_channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, in_channels, H, W]"""
        y: Tensor = F.relu(self.in1(self.conv1(x)))
        y = self.in2(self.conv2(y))
        y = y + x
        return y


class Upsampled(nn.Module):
    def __init__(self, in_channels: int, width: int, kernel: int) -> None:
        super().__init__()
        self.upsample_layer = nn.Upsample(scale_factor=2, mode="nearest")
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(in_channels, width, kernel)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, 2 * (kernel // 2) + 2 * H - kernel + 1,
            2 * (kernel // 2) + 2 * W - kernel + 1]
        """
        x = self.upsample_layer(x)
        x = self.reflection_pad(x)
        x = self.conv2d(x)
        return x


class TransformerNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Conv(3, 32, 9)
        self.in1 = nn.InstanceNorm2d(32, affine=True)
        self.conv2 = Conv(32, 64, 3, stride=2)
        self.in2 = nn.InstanceNorm2d(64, affine=True)
        self.conv3 = Conv(64, 128, 3, stride=2)
        self.in3 = nn.InstanceNorm2d(128, affine=True)
        self.res1 = Residual(128)
        self.res2 = Residual(128)
        self.res3 = Residual(128)
        self.res4 = Residual(128)
        self.res5 = Residual(128)
        self.deconv1 = Upsampled(128, 64, 3)
        self.in4 = nn.InstanceNorm2d(64, affine=True)
        self.deconv2 = Upsampled(64, 32, 3)
        self.in5 = nn.InstanceNorm2d(32, affine=True)
        self.deconv3 = Conv(32, 3, 9)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 3, 4 * ((H - 1) // 4) + 4, 4 * ((W - 1) // 4) + 4]"""
        x = F.relu(self.in1(self.conv1(x)))
        x = F.relu(self.in2(self.conv2(x)))
        x = F.relu(self.in3(self.conv3(x)))
        x = self.res5(self.res4(self.res3(self.res2(self.res1(x)))))
        x = F.relu(self.in4(self.deconv1(x)))
        x = F.relu(self.in5(self.deconv2(x)))
        x = self.deconv3(x)
        return x


# netdsl: made from style_transfer.net
