from collections.abc import Sequence

from torch import Tensor, nn


class Stage(nn.Module):
    def __init__(
        self, in_channels: int, height: int, x_width: int, width: int, reshape: bool
    ) -> None:
        super().__init__()
        self.reshape = reshape
        self.conv = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)
        self.norm = nn.LayerNorm(width)
        self.out_channels = width if reshape else (height - 1) // 2 + 1
        self.out_size_2 = (height - 1) // 2 + 1 if reshape else (x_width - 1) // 2 + 1
        self.out_features = (x_width - 1) // 2 + 1 if reshape else width

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, in_channels, height, x_width]
        -> [N, width if reshape else (height - 1) // 2 + 1,
            (height - 1) // 2 + 1 if reshape else (x_width - 1) // 2 + 1,
            (x_width - 1) // 2 + 1 if reshape else width]
        """
        y: Tensor = self.norm(self.conv(x).permute(0, 2, 3, 1))
        if self.reshape:
            y = y.permute(0, 3, 1, 2)
        return y


class A(nn.Module):
    def __init__(self, height: int, width: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        channels = 3
        stage_height = height
        stage_width = width
        for w in widths:
            self.stages.append(Stage(channels, stage_height, stage_width, w, True))
            channels = w
            stage_height = (stage_height - 1) // 2 + 1
            stage_width = (stage_width - 1) // 2 + 1

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, height, width] -> [N, widths[-1], height_out, width_out]"""
        x: Tensor = self.stages(image)
        return x


class A2(nn.Module):
    def __init__(
        self, height: int, width: int, widths: Sequence[int], flag: bool
    ) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        channels = 3
        stage_height = height
        stage_width = width
        for w in widths:
            stage = Stage(channels, stage_height, stage_width, w, flag or w < 100)
            self.stages.append(stage)
            channels = stage.out_channels
            stage_height = stage.out_size_2
            stage_width = stage.out_features

    def forward(self, image: Tensor) -> Tensor:
        """image: [N, 3, height, width] -> [N, out_channels, height_out, width_out]"""
        x: Tensor = self.stages(image)
        return x
