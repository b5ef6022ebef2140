import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(self, vocab: int, width: int, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.rnn = nn.LSTM(width, width, num_layers=layers, batch_first=True)

    def forward(self, tokens: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """tokens: int64[B, S] -> ([B, S, width], ([layers, B, width], [layers, B, width]))"""
        memory, (h, c) = self.rnn(
            F.dropout(self.embed(tokens), 0.1, training=self.training)
        )
        return memory, (h, c)


class Seq2Seq(nn.Module):
    def __init__(self, source: int, target: int, width: int = 256) -> None:
        super().__init__()
        self.width = width
        self.encoder = Encoder(source, width)
        self.embed = nn.Embedding(target, width)
        self.decoder = nn.LSTM(width, width, num_layers=2, batch_first=True)
        self.out = nn.Linear(2 * width, width)
        self.head = nn.Linear(width, target)

    def forward(
        self, tokens: Tensor, previous: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """tokens: int64[B, S], previous: int64[B, T], mask: bool[B, S] | None -> [B, T, target]"""
        memory, state = self.encoder(tokens)
        y: Tensor
        y, _ = self.decoder(self.embed(previous), state)
        scores = y @ memory.transpose(1, 2) / math.sqrt(self.width)
        if mask is not None:
            scores = scores.masked_fill(mask[:, None], -1e9)
        context = scores.softmax(dim=-1) @ memory
        y = self.head(torch.tanh(self.out(torch.cat((y, context), dim=-1))))
        return y
