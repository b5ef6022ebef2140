from collections.abc import Sequence

from torch import Tensor, nn


class Names(nn.Module):
    def __init__(
        self,
        x_channels: int,
        widths: Sequence[int],
        width: int = 2,
        in_channels: int = 4,
    ) -> None:
        super().__init__()
        m = 3
        self.a = nn.Sequential()
        a_channels = x_channels
        for channels in widths:
            self.a.append(nn.Conv1d(a_channels, channels, 1))
            a_channels = channels
        self.b = nn.Sequential()
        for width_ in widths:
            self.b.append(nn.Conv1d(a_channels, width_, 1))
            a_channels = width_
        self.c = nn.Sequential()
        for m_ in widths:
            self.c.append(nn.Conv1d(a_channels, m_, 1))
            a_channels = m_
        self.f = nn.Conv1d(a_channels, width, 1)
        self.g = nn.Conv1d(width, m, 1)
        self.h = nn.Conv1d(3, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: [N, x_channels, L] -> [N, in_channels, L]"""
        x = self.h(self.g(self.f(self.c(self.b(self.a(x))))))
        return x
