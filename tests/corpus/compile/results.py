from torch import Tensor, nn


class CharRNN(nn.Module):
    def __init__(self, vocab: int, hidden: int = 128, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        self.rnn = nn.LSTM(hidden, hidden, num_layers=layers, batch_first=True)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, tokens: Tensor) -> dict[str, Tensor | tuple[Tensor, Tensor]]:
        """tokens: int64[B, T]
        -> {logits: [B, T, vocab], state: ([layers, B, hidden], [layers, B, hidden])}
        """
        y, (h, c) = self.rnn(self.embed(tokens))
        logits = self.head(y)
        return {"logits": logits, "state": (h, c)}
