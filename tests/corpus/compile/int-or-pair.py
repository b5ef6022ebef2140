import torch.nn.functional as F
from torch import Tensor, nn


class BasicConv2d(nn.Module):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            bias=False,
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, H, W] -> [N, out_channels, H_out, W_out]"""
        x = self.conv(x)
        x = F.max_pool2d(F.relu(self.bn(x), inplace=True), self.kernel_size)
        return x


class A(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = BasicConv2d(3, 4, 3)
        self.b = BasicConv2d(4, 5, (1, 7), padding=(0, 3))

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, 3, H, W] -> [N, 5, (H - 2) // 3, (W - 2) // 21]"""
        x = self.b(self.a(x))
        return x


class Flat(nn.Module):
    def __init__(self, in_channels: int, kernel_size: int | tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 8, kernel_size)
        self.fc = nn.Linear(
            8
            * ((kernel_size if isinstance(kernel_size, int) else kernel_size[0]) - 29)
            * ((kernel_size if isinstance(kernel_size, int) else kernel_size[1]) - 29),
            3,
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, 28, 28] -> [N, 3]"""
        x = self.fc(self.conv(x).flatten(1))
        return x
