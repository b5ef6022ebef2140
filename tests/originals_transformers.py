"""The models of transformers: small ones for the bits, full ones for the keys."""

from __future__ import annotations

from typing import Any

import torch
from originals import Original
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.models.bert import modeling_bert as bert
from transformers.models.gpt2 import modeling_gpt2 as gpt2
from transformers.models.llama import modeling_llama as llama
from transformers.pytorch_utils import Conv1D

GPT2_SMALL = {
    "vocab_size": 101, "n_positions": 32, "n_embd": 24, "n_layer": 3, "n_head": 4,
}  # fmt: skip


def tokens(vocabulary: int) -> tuple[Tensor]:
    return (torch.randint(0, vocabulary, (2, 7)),)


def logits(module: nn.Module, *inputs: Tensor) -> Any:
    return module(*inputs).logits


def hidden_and_pooled(module: nn.Module, *inputs: Tensor) -> Any:
    tokens, kinds = inputs
    output = module(tokens, token_type_ids=kinds)
    return output.last_hidden_state, output.pooler_output


def make_gpt2(**sizes: Any) -> nn.Module:
    return GPT2LMHeadModel(
        GPT2Config(**sizes, attn_implementation="sdpa", use_cache=False)
    )


def small_llama() -> nn.Module:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
            use_cache=False,
        )
    )  # fmt: skip


def small_bert() -> nn.Module:
    return BertModel(
        BertConfig(
            vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
            num_attention_heads=4, max_position_embeddings=64,
        )
    )  # fmt: skip


ORIGINALS = [
    Original(
        "GPT2LMHeadModel", "gpt2", "GPT2LMHeadModel",
        lambda: make_gpt2(**GPT2_SMALL), lambda: tokens(101),
        hyper=GPT2_SMALL, full=make_gpt2, call=logits,
        code=[
            Conv1D, gpt2.eager_attention_forward, gpt2.GPT2Attention, gpt2.GPT2MLP,
            gpt2.GPT2Block, gpt2.GPT2Model, gpt2.GPT2LMHeadModel,
        ],
        parameters=124_439_808, keys=149, digest="28cddd96c6",
        starts="transformers draws each `c_proj` twice, a rule once",
    ),
    Original(
        "LlamaForCausalLM", "zoo/llama", "Llama", small_llama, lambda: tokens(100),
        hyper={
            "vocab": 100, "width": 32, "depth": 3, "heads": 4, "kv_heads": 2,
            "hidden": 48,
        },
        full=lambda: LlamaForCausalLM(LlamaConfig()), call=logits,
        code=[
            llama.LlamaRMSNorm, llama.LlamaRotaryEmbedding, llama.rotate_half,
            llama.apply_rotary_pos_emb, llama.LlamaMLP, llama.repeat_kv,
            llama.eager_attention_forward, llama.LlamaAttention,
            llama.LlamaDecoderLayer, llama.LlamaModel, llama.LlamaForCausalLM,
        ],
        parameters=6_738_415_616, keys=291, digest="9386f14039",
        starts="not written yet",
    ),
    Original(
        "BertModel", "zoo/bert", "Bert", small_bert,
        lambda: (*tokens(100), torch.randint(0, 2, (2, 7))),
        hyper={
            "vocab": 100, "width": 32, "depth": 3, "heads": 4, "hidden": 48,
            "context": 64,
        },
        full=lambda: BertModel(BertConfig()),
        call=hidden_and_pooled,
        code=[
            bert.BertEmbeddings, bert.eager_attention_forward, bert.BertSelfAttention,
            bert.BertSelfOutput, bert.BertAttention, bert.BertIntermediate,
            bert.BertOutput, bert.BertLayer, bert.BertEncoder, bert.BertPooler,
            bert.BertModel,
        ],
        parameters=109_482_240, keys=199, digest="a96adcdede",
        starts="not written yet",
    ),
]  # fmt: skip
