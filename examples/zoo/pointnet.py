"""PointNet (Qi et al., 2016), https://arxiv.org/abs/1612.00593"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Transform(nn.Module):
    """A matrix for each cloud, to turn its points or their features."""

    def __init__(self, in_channels: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.conv1 = nn.Conv1d(in_channels, 64, 1)
        self.conv2 = nn.Conv1d(64, 128, 1)
        self.conv3 = nn.Conv1d(128, 1024, 1)
        self.fc1 = nn.Linear(1024, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, size**2)
        self.bn1 = nn.BatchNorm1d(64)
        self.bn2 = nn.BatchNorm1d(128)
        self.bn3 = nn.BatchNorm1d(1024)
        self.bn4 = nn.BatchNorm1d(512)
        self.bn5 = nn.BatchNorm1d(256)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, P] -> [N, size, size]"""
        N = x.shape[0]
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x))).amax(dim=2)
        x = F.relu(self.bn4(self.fc1(x)))
        x = F.relu(self.bn5(self.fc2(x)))
        x = self.fc3(x).view(N, self.size, self.size)
        x = x + torch.eye(self.size, device=x.device)
        return x


class PointNetFeatures(nn.Module):
    """What describes a cloud as a whole."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.stn = Transform(in_channels, in_channels)
        self.conv1 = nn.Conv1d(in_channels, 64, 1)
        self.conv2 = nn.Conv1d(64, 128, 1)
        self.conv3 = nn.Conv1d(128, 1024, 1)
        self.bn1 = nn.BatchNorm1d(64)
        self.bn2 = nn.BatchNorm1d(128)
        self.bn3 = nn.BatchNorm1d(1024)
        self.fstn = Transform(64, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: [N, in_channels, P] -> ([N, 1024], [N, in_channels, in_channels], [N, 64, 64])"""
        turn = self.stn(x)
        x = F.relu(self.bn1(self.conv1((x.transpose(1, 2) @ turn).transpose(1, 2))))
        feature_turn = self.fstn(x)
        x = F.relu(
            self.bn2(self.conv2((x.transpose(1, 2) @ feature_turn).transpose(1, 2)))
        )
        x = self.bn3(self.conv3(x))
        return x.amax(dim=2), turn, feature_turn


class PointNet(nn.Module):
    """Scores of the classes, and both matrices, for the loss to keep them near to orthogonal."""

    def __init__(self, classes: int = 40, dropout: float = 0.3) -> None:
        super().__init__()
        self.feat = PointNetFeatures(3)
        self.fc1 = nn.Linear(1024, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, classes)
        self.dropout = nn.Dropout(dropout)
        self.bn1 = nn.BatchNorm1d(512)
        self.bn2 = nn.BatchNorm1d(256)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """points: [N, 3, P] -> ([N, classes], [N, 3, 3], [N, 64, 64])"""
        x, turn, feature_turn = self.feat(points)
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.relu(self.bn2(self.dropout(self.fc2(x))))
        x = self.fc3(x).log_softmax(dim=1)
        return x, turn, feature_turn


# netdsl: made from pointnet.net
