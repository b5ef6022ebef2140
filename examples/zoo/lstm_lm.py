"""The LSTM language model of PyTorch's examples,
https://github.com/pytorch/examples/tree/main/word_language_model
"""

from torch import Tensor, nn


class RNNModel(nn.Module):
    """Gives the logarithms of the probabilities of each next word, and the state behind the last."""

    def __init__(
        self,
        vocab: int = 10000,
        width: int = 200,
        hidden: int = 200,
        depth: int = 2,
        dropout: float = 0.2,
        tied: bool = False,
    ) -> None:
        super().__init__()
        if tied and hidden != width:
            raise ValueError("not tied or hidden == width is needed")
        self.vocab = vocab
        self.encoder = nn.Embedding(vocab, width)
        self.drop = nn.Dropout(dropout)
        self.rnn = nn.LSTM(width, hidden, num_layers=depth, dropout=dropout)
        self.decoder = nn.Linear(hidden, vocab)
        if tied:
            self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(
        self, tokens: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """tokens: int64[T, B], h: [depth, B, hidden], c: [depth, B, hidden]
        -> ([T * B, vocab], ([depth, B, hidden], [depth, B, hidden]))
        """
        x = self.drop(self.encoder(tokens))
        x, (h, c) = self.rnn(x, (h, c))
        scores = self.decoder(self.drop(x)).view(-1, self.vocab).log_softmax(dim=1)
        return scores, (h, c)


def rnn_tied(vocab: int = 10000, width: int = 200, depth: int = 2) -> RNNModel:
    return RNNModel(vocab, width, width, depth, tied=True)


# netdsl: made from lstm_lm.net
