"""Language models of no library, written by hand as their authors describe them.

nanoGPT and the LSTM are their authors' code, less what trains and samples.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from originals import Original
from torch import Tensor, nn

# -- nanoGPT, https://github.com/karpathy/nanoGPT/blob/master/model.py -----------------


class Norm(nn.Module):
    """LayerNorm with an optional bias."""

    def __init__(self, width: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.weight.shape, self.weight, self.bias, 1e-5)


class CausalSelfAttention(nn.Module):
    def __init__(self, n_embd: int, n_head: int, dropout: float, bias: bool) -> None:
        super().__init__()
        assert n_embd % n_head == 0
        # key, query, value projections for all heads, but in a batch
        self.c_attn = nn.Linear(n_embd, 3 * n_embd, bias=bias)
        # output projection
        self.c_proj = nn.Linear(n_embd, n_embd, bias=bias)
        # regularization
        self.attn_dropout = nn.Dropout(dropout)
        self.resid_dropout = nn.Dropout(dropout)
        self.n_head = n_head
        self.n_embd = n_embd
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        y = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=None,
            dropout_p=self.dropout if self.training else 0,
            is_causal=True,
        )
        # re-assemble all head outputs side by side
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        output: Tensor = self.resid_dropout(self.c_proj(y))
        return output


class MLP(nn.Module):
    def __init__(self, n_embd: int, dropout: float, bias: bool) -> None:
        super().__init__()
        self.c_fc = nn.Linear(n_embd, 4 * n_embd, bias=bias)
        self.gelu = nn.GELU()
        self.c_proj = nn.Linear(4 * n_embd, n_embd, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c_fc(x)
        x = self.gelu(x)
        x = self.c_proj(x)
        x = self.dropout(x)
        return x


class Block(nn.Module):
    def __init__(self, n_embd: int, n_head: int, dropout: float, bias: bool) -> None:
        super().__init__()
        self.ln_1 = Norm(n_embd, bias)
        self.attn = CausalSelfAttention(n_embd, n_head, dropout, bias)
        self.ln_2 = Norm(n_embd, bias)
        self.mlp = MLP(n_embd, dropout, bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT(nn.Module):
    def __init__(
        self,
        block_size: int = 1024,
        vocab_size: int = 50304,
        n_layer: int = 12,
        n_head: int = 12,
        n_embd: int = 768,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.block_size = block_size
        self.n_layer = n_layer
        blocks = [Block(n_embd, n_head, dropout, bias) for _ in range(n_layer)]
        self.transformer = nn.ModuleDict(
            dict(
                wte=nn.Embedding(vocab_size, n_embd),
                wpe=nn.Embedding(block_size, n_embd),
                drop=nn.Dropout(dropout),
                h=nn.ModuleList(blocks),
                ln_f=Norm(n_embd, bias=bias),
            )
        )
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight
        # init all weights
        self.apply(self._init_weights)
        # apply special scaled init to the residual projections, per GPT-2 paper
        for pn, p in self.named_parameters():
            if pn.endswith("c_proj.weight"):
                nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * n_layer))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> Any:
        device = idx.device
        _, t = idx.size()
        assert t <= self.block_size
        pos = torch.arange(0, t, dtype=torch.long, device=device)
        # forward the GPT model itself
        tok_emb = self.transformer["wte"](idx)
        pos_emb = self.transformer["wpe"](pos)
        x = self.transformer["drop"](tok_emb + pos_emb)
        for block in self.get_submodule("transformer.h").children():
            x = block(x)
        x = self.transformer["ln_f"](x)
        if targets is not None:
            # if we are given some desired targets also calculate the loss
            logits = self.lm_head(x)
            loss = F.cross_entropy(
                logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1
            )
        else:
            # only forward the lm_head on the very last position
            logits = self.lm_head(x[:, [-1], :])
            loss = None
        return logits, loss


# -- pytorch/examples, word_language_model/model.py ------------------------------------


class RNNModel(nn.Module):
    """Container module with an encoder, a recurrent module, and a decoder."""

    def __init__(
        self,
        ntoken: int,
        ninp: int,
        nhid: int,
        nlayers: int,
        dropout: float = 0.5,
        tie_weights: bool = False,
    ) -> None:
        super().__init__()
        self.ntoken = ntoken
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        if tie_weights:
            if nhid != ninp:
                raise ValueError(
                    "When using the tied flag, nhid must be equal to emsize"
                )
            self.decoder.weight = self.encoder.weight
        self.init_weights()
        self.nhid = nhid
        self.nlayers = nlayers

    def init_weights(self) -> None:
        initrange = 0.1
        nn.init.uniform_(self.encoder.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -initrange, initrange)

    def forward(self, input: Tensor, hidden: tuple[Tensor, Tensor]) -> Any:
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        output = self.drop(output)
        decoded = self.decoder(output)
        decoded = decoded.view(-1, self.ntoken)
        return F.log_softmax(decoded, dim=1), hidden


def with_state(module: nn.Module, tokens: Tensor, h: Tensor, c: Tensor) -> Any:
    return module(tokens, (h, c))


# -- The Transformer of 2017, https://arxiv.org/abs/1706.03762 -------------------------


class MultiHeadAttention(nn.Module):
    """Section 3.2: the keys and values may come from elsewhere."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.size = width // heads
        self.w_q = nn.Linear(width, width, bias=False)
        self.w_k = nn.Linear(width, width, bias=False)
        self.w_v = nn.Linear(width, width, bias=False)
        self.w_o = nn.Linear(width, width, bias=False)
        for layer in (self.w_q, self.w_k, self.w_v, self.w_o):
            nn.init.xavier_uniform_(layer.weight)

    def split(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        return x.view(batch, length, self.heads, self.size).transpose(1, 2)

    def forward(self, query: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        q = self.split(self.w_q(query))
        k = self.split(self.w_k(memory))
        v = self.split(self.w_v(memory))
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(self.size)
        scores = scores.masked_fill(mask == 0, -math.inf)
        x = torch.matmul(F.softmax(scores, dim=-1), v)
        x = x.transpose(1, 2).contiguous().view(query.shape)
        output: Tensor = self.w_o(x)
        return output


class FeedForward(nn.Module):
    """Section 3.3."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w_1 = nn.Linear(width, hidden)
        self.w_2 = nn.Linear(hidden, width)
        for layer in (self.w_1, self.w_2):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.w_2(F.relu(self.w_1(x)))
        return output


class EncoderLayer(nn.Module):
    """Section 3.1: `LayerNorm(x + Sublayer(x))`."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = MultiHeadAttention(width, heads)
        self.feed_forward = FeedForward(width, hidden)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.norm1(x + self.dropout(self.self_attn(x, x, mask)))
        x = self.norm2(x + self.dropout(self.feed_forward(x)))
        return x


class DecoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = MultiHeadAttention(width, heads)
        self.cross_attn = MultiHeadAttention(width, heads)
        self.feed_forward = FeedForward(width, hidden)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor
    ) -> Tensor:
        x = self.norm1(x + self.dropout(self.self_attn(x, x, mask)))
        x = self.norm2(x + self.dropout(self.cross_attn(x, memory, memory_mask)))
        x = self.norm3(x + self.dropout(self.feed_forward(x)))
        return x


class PositionalEncoding(nn.Module):
    """Section 3.5."""

    pe: Tensor

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        pe = torch.zeros(length, width)
        position = torch.arange(length).unsqueeze(1)
        angle = position / 10000 ** (torch.arange(0, width, 2) / width)
        pe[:, 0::2] = torch.sin(angle)
        pe[:, 1::2] = torch.cos(angle)
        self.register_buffer("pe", pe, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pe[: x.shape[1]]


class Transformer(nn.Module):
    """Section 3.4: both embeddings and the last projection share one matrix."""

    def __init__(
        self,
        vocab: int = 37000,
        width: int = 512,
        depth: int = 6,
        heads: int = 8,
        hidden: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.embed = nn.Embedding(vocab, width)
        self.position = PositionalEncoding(width, 5000)
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, heads, hidden, dropout) for _ in range(depth)
        )
        self.decoder = nn.ModuleList(
            DecoderLayer(width, heads, hidden, dropout) for _ in range(depth)
        )
        self.generator = nn.Linear(width, vocab, bias=False)
        self.generator.weight = self.embed.weight
        nn.init.normal_(self.embed.weight, std=width**-0.5)

    def embedded(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) * math.sqrt(self.width)
        output: Tensor = self.dropout(self.position(x))
        return output

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        length = target.shape[1]
        source_mask = (source != 0)[:, None, None, :]
        target_mask = (target != 0)[:, None, None, :]
        later = torch.triu(torch.ones(length, length), diagonal=1)
        target_mask = target_mask & (later == 0)
        memory = self.embedded(source)
        for layer in self.encoder:
            memory = layer(memory, source_mask)
        x = self.embedded(target)
        for layer in self.decoder:
            x = layer(x, memory, target_mask, source_mask)
        output: Tensor = self.generator(x)
        return output


# --------------------------------------------------------------------------------------


def tokens(vocabulary: int, *size: int) -> Tensor:
    return torch.randint(1, vocabulary, size)


def sentences() -> tuple[Tensor, Tensor]:
    """A source and a target; the second of each ends in padding."""
    source, target = tokens(90, 2, 9), tokens(90, 2, 7)
    source[1, 6:] = 0
    target[1, 5:] = 0
    return source, target


def lstm(tied: bool) -> Original:
    sizes = {"vocab": 60, "width": 24, "depth": 2} | ({} if tied else {"hidden": 24})
    state = torch.zeros(2, 3, 24)
    return Original(
        "LSTM LM, tied" if tied else "LSTM LM", "zoo/lstm_lm",
        "rnn_tied" if tied else "RNNModel",
        lambda: RNNModel(60, 24, 24, 2, 0.2, tied),
        lambda: (tokens(60, 7, 3), state, state + 1.0),
        hyper=sizes, full=lambda: RNNModel(10000, 200, 200, 2, 0.2, tied),
        call=with_state, code=[RNNModel],
        parameters=2_653_200 if tied else 4_653_200, keys=11, digest="6238756ad9",
    )  # fmt: skip


GPT_SMALL = {"vocab": 97, "context": 16, "depth": 2, "heads": 4, "width": 24}
BASE_SMALL = {"vocab": 90, "width": 32, "depth": 2, "heads": 4, "hidden": 64}

ORIGINALS = [
    Original(
        "nanoGPT", "zoo/nanogpt", "GPT",
        lambda: GPT(16, 97, 2, 4, 24, 0.1), lambda: (tokens(97, 2, 9),),
        hyper={**GPT_SMALL, "dropout": 0.1}, full=GPT,
        code=[Norm, CausalSelfAttention, MLP, Block, GPT],
        parameters=124_475_904, keys=149, digest="e12cf61614",
        starts="nanoGPT draws the tied weight and each `c_proj` twice, a rule once",
    ),
    Original(
        "nanoGPT, training", "zoo/nanogpt", "GPT",
        lambda: GPT(16, 97, 2, 4, 24, 0.1, False),
        lambda: (tokens(97, 2, 9), tokens(97, 2, 9)),
        hyper={**GPT_SMALL, "dropout": 0.1, "bias": False}, full=GPT, code=[GPT],
        starts="nanoGPT draws the tied weight and each `c_proj` twice, a rule once",
    ),
    lstm(tied=False),
    lstm(tied=True),
    Original(
        "Transformer (2017)", "zoo/transformer", "Transformer",
        lambda: Transformer(**BASE_SMALL), sentences, hyper=BASE_SMALL,
        full=Transformer,
        code=[
            MultiHeadAttention, FeedForward, EncoderLayer, DecoderLayer,
            PositionalEncoding, Transformer,
        ],
    ),
]  # fmt: skip
