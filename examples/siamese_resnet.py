"""A siamese ResNet-18 that tells whether two digits are the same, after FaceNet
(Schroff et al., 2015), https://arxiv.org/abs/1503.03832
"""

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, width, 3, stride=stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, width, (H - 1) // stride + 1, (W - 1) // stride + 1]"""
        y = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(y)) + self.downsample(x))
        return x


class Stage(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        Block: type[BasicBlock],
        width: int,
        depth: int,
        stride: int = 1,
    ) -> None:
        super().__init__()
        channels = in_channels
        for i in range(depth):
            self.append(Block(channels, width, stride=stride if i == 0 else 1))
            channels = width


class SiameseNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.resnet = nn.Sequential(
            nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            Stage(64, BasicBlock, 64, 2),
            Stage(64, BasicBlock, 128, 2, stride=2),
            Stage(128, BasicBlock, 256, 2, stride=2),
            Stage(256, BasicBlock, 512, 2, stride=2),
            nn.AdaptiveAvgPool2d(1),
        )
        self.fc = nn.Sequential(
            nn.Linear(1024, 256), nn.ReLU(inplace=True), nn.Linear(256, 1)
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.constant_(module.bias, 0.01)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """left: [N, 1, H, W], right: [N, 1, H, W] -> [N, 1]"""
        x = torch.cat(
            (self.resnet(left).flatten(1), self.resnet(right).flatten(1)), dim=1
        )
        x = torch.sigmoid(self.fc(x))
        return x


# netdsl: made from siamese_resnet.net
