"""GoogLeNet (Szegedy et al., 2014), https://arxiv.org/abs/1409.4842"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
    def __init__(
        self, in_channels: int, width: int, kernel: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            width,
            kernel,
            stride=stride,
            padding=(kernel - 1) // 2,
            bias=False,
        )
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W]
        -> [N, width, (H + 2 * ((kernel - 1) // 2) - kernel) // stride + 1,
            (W + 2 * ((kernel - 1) // 2) - kernel) // stride + 1]
        """
        x = self.conv(x)
        x = F.relu(self.bn(x), inplace=True)
        return x


class Inception(nn.Module):
    """The branch for windows of 5 has windows of 3, as in the published weights."""

    def __init__(
        self,
        in_channels: int,
        one: int,
        reduce_three: int,
        three: int,
        reduce_five: int,
        five: int,
        pool: int,
    ) -> None:
        super().__init__()
        self.branch1 = Conv(in_channels, one, 1)
        self.branch2 = nn.Sequential(
            Conv(in_channels, reduce_three, 1), Conv(reduce_three, three, 3)
        )
        self.branch3 = nn.Sequential(
            Conv(in_channels, reduce_five, 1), Conv(reduce_five, five, 3)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
            Conv(in_channels, pool, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, five + one + pool + three, H, W]"""
        x = torch.cat(
            (self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)), dim=1
        )
        return x


class InceptionAux(nn.Module):
    def __init__(self, in_channels: int, classes: int, p: float) -> None:
        super().__init__()
        self.conv = Conv(in_channels, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.dropout = nn.Dropout(p)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, classes]"""
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        x = self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))
        return x


class GoogLeNet(nn.Module):
    """Logits; in training with `aux_logits` those of both auxiliary heads, too."""

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        self.transform_input = transform_input
        self.aux_logits = aux_logits
        self.conv1 = Conv(3, 64, 7, stride=2)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = Conv(64, 64, 1)
        self.conv3 = Conv(64, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        if aux_logits:
            self.aux1 = InceptionAux(512, num_classes, dropout_aux)
            self.aux2 = InceptionAux(528, num_classes, dropout_aux)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.01, a=-2, b=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor] | Tensor:
        """x: [N, 3, H, W]
        -> ([N, num_classes], [N, num_classes], [N, num_classes]) or [N, num_classes]
        """
        if self.transform_input:
            x = torch.cat(
                (
                    x[:, 0:1] * (0.229 / 0.5) + (0.485 - 0.5) / 0.5,
                    x[:, 1:2] * (0.224 / 0.5) + (0.456 - 0.5) / 0.5,
                    x[:, 2:3] * (0.225 / 0.5) + (0.406 - 0.5) / 0.5,
                ),
                dim=1,
            )
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.inception3a(x)
        x = self.maxpool3(self.inception3b(x))
        x = self.inception4a(x)
        y = self.inception4b(x)
        y = self.inception4c(y)
        y = self.inception4d(y)
        z = self.inception4e(y)
        z = self.maxpool4(z)
        z = self.inception5a(z)
        logits: Tensor = self.inception5b(z)
        if self.aux_logits and self.training:
            first = self.aux1(x)
            second = self.aux2(y)
        logits = self.avgpool(logits).flatten(1)
        logits = self.dropout(logits)
        logits = self.fc(logits)
        if self.aux_logits and self.training:
            return logits, second, first
        return logits


def googlenet(num_classes: int = 1000) -> GoogLeNet:
    return GoogLeNet(num_classes, aux_logits=False, transform_input=True)


# netdsl: made from googlenet.net
