"""Models that come in no library, written by hand as their authors describe them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from originals import Original
from torch import Tensor, nn

# -- MLP-Mixer -------------------------------------------------------------------------


class MlpBlock(nn.Module):
    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, mlp_dim)
        self.fc2 = nn.Linear(mlp_dim, dim)

    def forward(self, x: Tensor) -> Any:
        y = self.fc1(x)
        y = F.gelu(y)
        return self.fc2(y)


class MixerBlock(nn.Module):
    def __init__(
        self,
        num_patches: int,
        hidden_dim: int,
        tokens_mlp_dim: int,
        channels_mlp_dim: int,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.mlp_tokens = MlpBlock(num_patches, tokens_mlp_dim)
        self.norm2 = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.mlp_channels = MlpBlock(hidden_dim, channels_mlp_dim)

    def forward(self, x: Tensor) -> Any:
        y = self.norm1(x)
        y = y.transpose(1, 2)
        y = self.mlp_tokens(y)
        y = y.transpose(1, 2)
        x = x + y
        y = self.norm2(x)
        y = self.mlp_channels(y)
        return x + y


class MlpMixer(nn.Module):
    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 16,
        hidden_dim: int = 768,
        num_blocks: int = 12,
        tokens_mlp_dim: int = 384,
        channels_mlp_dim: int = 3072,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        num_patches = (image_size // patch_size) ** 2
        self.stem = nn.Conv2d(3, hidden_dim, kernel_size=patch_size, stride=patch_size)
        self.blocks = nn.Sequential(
            *[
                MixerBlock(num_patches, hidden_dim, tokens_mlp_dim, channels_mlp_dim)
                for _ in range(num_blocks)
            ]
        )
        self.norm = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.head = nn.Linear(hidden_dim, num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        x = x.flatten(2).transpose(1, 2)
        x = self.blocks(x)
        x = self.norm(x)
        x = x.mean(dim=1)
        return self.head(x)


# -- PointNet, with the names of the usual PyTorch version -----------------------------


class STNkd(nn.Module):
    def __init__(self, k: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(k, 64, 1)
        self.conv2 = nn.Conv1d(64, 128, 1)
        self.conv3 = nn.Conv1d(128, 1024, 1)
        self.fc1 = nn.Linear(1024, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, k * k)
        self.bn1 = nn.BatchNorm1d(64)
        self.bn2 = nn.BatchNorm1d(128)
        self.bn3 = nn.BatchNorm1d(1024)
        self.bn4 = nn.BatchNorm1d(512)
        self.bn5 = nn.BatchNorm1d(256)
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        batchsize = x.size()[0]
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x)))
        x = torch.max(x, 2, keepdim=True)[0]
        x = x.view(-1, 1024)
        x = F.relu(self.bn4(self.fc1(x)))
        x = F.relu(self.bn5(self.fc2(x)))
        x = self.fc3(x)
        iden = torch.eye(self.k).flatten().view(1, self.k * self.k)
        x = x + iden.repeat(batchsize, 1)
        return x.view(-1, self.k, self.k)


class PointNetfeat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stn = STNkd(k=3)
        self.conv1 = nn.Conv1d(3, 64, 1)
        self.conv2 = nn.Conv1d(64, 128, 1)
        self.conv3 = nn.Conv1d(128, 1024, 1)
        self.bn1 = nn.BatchNorm1d(64)
        self.bn2 = nn.BatchNorm1d(128)
        self.bn3 = nn.BatchNorm1d(1024)
        self.fstn = STNkd(k=64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        trans = self.stn(x)
        x = x.transpose(2, 1)
        x = torch.bmm(x, trans)
        x = x.transpose(2, 1)
        x = F.relu(self.bn1(self.conv1(x)))
        trans_feat = self.fstn(x)
        x = x.transpose(2, 1)
        x = torch.bmm(x, trans_feat)
        x = x.transpose(2, 1)
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        x = torch.max(x, 2, keepdim=True)[0]
        x = x.view(-1, 1024)
        return x, trans, trans_feat


class PointNetCls(nn.Module):
    def __init__(self, k: int = 40) -> None:
        super().__init__()
        self.feat = PointNetfeat()
        self.fc1 = nn.Linear(1024, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, k)
        self.dropout = nn.Dropout(p=0.3)
        self.bn1 = nn.BatchNorm1d(512)
        self.bn2 = nn.BatchNorm1d(256)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, trans, trans_feat = self.feat(x)
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.relu(self.bn2(self.dropout(self.fc2(x))))
        x = self.fc3(x)
        return F.log_softmax(x, dim=1), trans, trans_feat


# -- WaveNet ---------------------------------------------------------------------------


class CausalConv1d(nn.Module):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1
    ) -> None:
        super().__init__()
        self.left = dilation * (kernel_size - 1)
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, dilation=dilation)

    def forward(self, x: Tensor) -> Any:
        return self.conv(F.pad(x, (self.left, 0)))


class ResidualLayer(nn.Module):
    def __init__(
        self,
        residual_channels: int,
        skip_channels: int,
        kernel_size: int,
        dilation: int,
    ) -> None:
        super().__init__()
        self.dilated = CausalConv1d(
            residual_channels, 2 * residual_channels, kernel_size, dilation
        )
        self.residual = nn.Conv1d(residual_channels, residual_channels, 1)
        self.skip = nn.Conv1d(residual_channels, skip_channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        filter_, gate = torch.chunk(self.dilated(x), 2, dim=1)
        z = torch.tanh(filter_) * torch.sigmoid(gate)
        return x + self.residual(z), self.skip(z)


class WaveNet(nn.Module):
    def __init__(
        self,
        classes: int = 256,
        residual_channels: int = 32,
        skip_channels: int = 256,
        kernel_size: int = 2,
        layers: int = 10,
        blocks: int = 3,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, residual_channels)
        self.start = CausalConv1d(residual_channels, residual_channels, kernel_size)
        stack = []
        for _ in range(blocks):
            dilation = 1
            for _ in range(layers):
                stack.append(
                    ResidualLayer(
                        residual_channels, skip_channels, kernel_size, dilation
                    )
                )
                dilation *= 2
        self.layers = nn.ModuleList(stack)
        self.end_1 = nn.Conv1d(skip_channels, skip_channels, 1)
        self.end_2 = nn.Conv1d(skip_channels, classes, 1)

    def forward(self, samples: Tensor) -> Any:
        x = self.start(self.embedding(samples).transpose(1, 2))
        skips = []
        for layer in self.layers:
            x, skip = layer(x)
            skips.append(skip)
        y = F.relu(sum(skips))
        y = F.relu(self.end_1(y))
        return self.end_2(y)


ORIGINALS: list[Original] = [
    Original(
        "MLP-Mixer B/16", "zoo/mixer", "MlpMixer", lambda: MlpMixer(32, 8, 16, 3),
        lambda: (torch.randn(2, 3, 32, 32),), [MlpBlock, MixerBlock, MlpMixer],
        hyper={"size": 32, "patch": 8, "width": 16, "depth": 3}, full=MlpMixer,
        parameters=59_880_472,
    ),
    Original(
        "PointNet", "zoo/pointnet", "PointNet", PointNetCls,
        lambda: (torch.randn(4, 3, 20),), [STNkd, PointNetfeat, PointNetCls],
        parameters=3_471_473,
    ),
    Original(
        "WaveNet", "zoo/wavenet", "WaveNet", WaveNet,
        lambda: (torch.randint(0, 256, (2, 50)),),
        [CausalConv1d, ResidualLayer, WaveNet],
        parameters=551_776,
    ),
]  # fmt: skip
