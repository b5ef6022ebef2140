"""A language model of characters, https://karpathy.github.io/2015/05/21/rnn-effectiveness/"""

import torch
from torch import Tensor, nn


class CharRNN(nn.Module):
    def __init__(
        self,
        vocab: int,
        width: int = 128,
        hidden: int = 256,
        depth: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.depth = depth
        self.hidden = hidden
        self.encoder = nn.Embedding(vocab, width)
        self.drop = nn.Dropout(dropout)
        self.rnn = nn.LSTM(
            width, hidden, num_layers=depth, dropout=dropout, batch_first=True
        )
        self.decoder = nn.Linear(hidden, vocab)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.uniform_(module.weight, -0.1, 0.1)
            elif isinstance(module, nn.Linear):
                nn.init.uniform_(module.weight, -0.1, 0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(
        self, tokens: Tensor, h: Tensor | None = None, c: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """tokens: int64[B, T], h: [depth, B, hidden] | None, c: [depth, B, hidden] | None
        -> ([B, T, vocab], ([depth, B, hidden], [depth, B, hidden]))
        """
        B = tokens.shape[0]
        if h is None or c is None:
            h = torch.zeros(self.depth, B, self.hidden, device=tokens.device)
            c = torch.zeros(self.depth, B, self.hidden, device=tokens.device)
        x = self.drop(self.encoder(tokens))
        x, (h, c) = self.rnn(x, (h, c))
        scores = self.decoder(self.drop(x))
        return scores, (h, c)


# netdsl: made from lstm.net
