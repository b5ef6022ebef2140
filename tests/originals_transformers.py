"""The models of transformers: small ones for the bits, full ones for the keys."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from originals import Original
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertForPreTraining,
    BertModel,
    CLIPConfig,
    CLIPModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MobileViTConfig,
    MobileViTForImageClassification,
    SegformerConfig,
    SegformerForImageClassification,
    T5Config,
    T5EncoderModel,
    ViTConfig,
    ViTForImageClassification,
)
from transformers.models.albert import modeling_albert as albert
from transformers.models.bert import modeling_bert as bert
from transformers.models.clip import modeling_clip as clip
from transformers.models.gpt2 import modeling_gpt2 as gpt2
from transformers.models.llama import modeling_llama as llama
from transformers.models.mistral import modeling_mistral as mistral
from transformers.models.mobilevit import modeling_mobilevit as mobilevit
from transformers.models.qwen2 import modeling_qwen2 as qwen2
from transformers.models.segformer import modeling_segformer as segformer
from transformers.models.t5 import modeling_t5 as t5
from transformers.models.vit import modeling_vit as vit
from transformers.pytorch_utils import Conv1D

GPT2_SMALL = {
    "vocab_size": 101, "n_positions": 32, "n_embd": 24, "n_layer": 3, "n_head": 4,
}  # fmt: skip
LLAMA_SMALL = {
    "vocab": 100, "width": 32, "depth": 3, "heads": 4, "kv_heads": 2, "hidden": 48,
}  # fmt: skip
QWEN2_SMALL = {
    "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "rope_theta": 1e6,
}  # fmt: skip
QWEN2 = {
    "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
}  # fmt: skip
ALBERT_SMALL = {
    "vocab": 100, "embedding_width": 16, "width": 32, "depth": 6, "groups": 2,
    "group_depth": 2, "heads": 4, "hidden": 48, "context": 64, "dropout": 0.1,
    "attention_dropout": 0.2,
}  # fmt: skip
ALBERT = (
    albert.AlbertEmbeddings, albert.eager_attention_forward, albert.AlbertAttention,
    albert.AlbertLayer, albert.AlbertLayerGroup, albert.AlbertTransformer,
    albert.AlbertPreTrainedModel, albert.AlbertModel,
)  # fmt: skip
BERT_SMALL = {
    "vocab": 100, "width": 32, "depth": 3, "heads": 4, "hidden": 48, "context": 64,
}  # fmt: skip
BERT = (
    bert.BertEmbeddings, bert.eager_attention_forward, bert.BertSelfAttention,
    bert.BertSelfOutput, bert.BertAttention, bert.BertIntermediate, bert.BertOutput,
    bert.BertLayer, bert.BertEncoder, bert.BertPooler, bert.BertPreTrainedModel,
    bert.BertModel,
)  # fmt: skip


def tokens(vocabulary: int) -> tuple[Tensor]:
    return (torch.randint(0, vocabulary, (2, 7)),)


def logits(module: nn.Module, *inputs: Tensor) -> Any:
    return module(*inputs).logits


def padded(vocabulary: int) -> tuple[Tensor, Tensor]:
    """Sentences and a mask: the second is shorter than the first."""
    mask = torch.ones(2, 7, dtype=torch.int64)
    mask[1, 5:] = 0
    return *tokens(vocabulary), mask


def with_segments(vocabulary: int) -> tuple[Tensor, ...]:
    return *padded(vocabulary), torch.randint(0, 2, (2, 7))


def hidden_and_pooled(module: nn.Module, *inputs: Tensor) -> Any:
    output = module(*inputs)
    return output.last_hidden_state, output.pooler_output


def words_and_next(module: nn.Module, *inputs: Tensor) -> Any:
    output = module(*inputs)
    return output.prediction_logits, output.seq_relationship_logits


def make_gpt2(**sizes: Any) -> nn.Module:
    return GPT2LMHeadModel(
        GPT2Config(**sizes, attn_implementation="sdpa", use_cache=False)
    )


def decoder(kind: str, **sizes: Any) -> nn.Module:
    """A decoder that is built like Llama; a small one if no sizes are given."""
    small = {
        "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 64, "use_cache": False,
    }  # fmt: skip
    config = getattr(transformers, f"{kind}Config")
    model = getattr(transformers, f"{kind}ForCausalLM")
    made: nn.Module = model(config(**(sizes or small)))
    return made


def decoder_code(module: Any, kind: str) -> list[Any]:
    classes = (
        "RMSNorm", "RotaryEmbedding", "MLP", "Attention", "DecoderLayer", "Model",
        "ForCausalLM",
    )  # fmt: skip
    functions = (
        "rotate_half", "apply_rotary_pos_emb", "repeat_kv", "eager_attention_forward",
    )  # fmt: skip
    names = [*(kind + name for name in classes), *functions]
    return [getattr(module, name) for name in names]


def small_albert(**more: Any) -> nn.Module:
    return AlbertModel(
        AlbertConfig(
            vocab_size=100, embedding_size=16, hidden_size=32, num_hidden_layers=6,
            num_hidden_groups=2, inner_group_num=2, num_attention_heads=4,
            intermediate_size=48, max_position_embeddings=64, hidden_dropout_prob=0.1,
            attention_probs_dropout_prob=0.2, **more,
        )
    )  # fmt: skip


def small_vit() -> nn.Module:
    return ViTForImageClassification(
        ViTConfig(
            num_labels=10, image_size=32, patch_size=8, hidden_size=32,
            intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        )
    )  # fmt: skip


def small_segformer() -> nn.Module:
    config = SegformerConfig(
        num_encoder_blocks=3, depths=[2, 1, 1], hidden_sizes=[16, 24, 32],
        patch_sizes=[7, 3, 3], strides=[4, 2, 2], num_attention_heads=[1, 3, 4],
        sr_ratios=[4, 2, 1], mlp_ratios=[2, 3, 4], num_labels=10, drop_path_rate=0.3,
        hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.2,
    )  # fmt: skip
    return SegformerForImageClassification(config)


def mobilevit_small() -> nn.Module:
    return MobileViTForImageClassification(MobileViTConfig(num_labels=1000))


def mobilevit_xx_small() -> nn.Module:
    config = MobileViTConfig(
        num_labels=1000, neck_hidden_sizes=[16, 16, 24, 48, 64, 80, 320],
        hidden_sizes=[64, 80, 96], expand_ratio=2.0, hidden_dropout_prob=0.05,
    )  # fmt: skip
    return MobileViTForImageClassification(config)


def small_clip() -> nn.Module:
    return CLIPModel(
        CLIPConfig(
            projection_dim=16,
            text_config={
                "vocab_size": 100, "hidden_size": 24, "intermediate_size": 96,
                "num_hidden_layers": 2, "num_attention_heads": 4, "eos_token_id": 99,
                "max_position_embeddings": 8,
            },
            vision_config={
                "hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2,
                "num_attention_heads": 4, "image_size": 16, "patch_size": 8,
            },
        )
    )  # fmt: skip


def small_t5() -> nn.Module:
    return T5EncoderModel(
        T5Config(
            vocab_size=100, d_model=32, d_kv=6, d_ff=48, num_layers=3, num_heads=4,
        )
    )  # fmt: skip


def hidden(module: nn.Module, *inputs: Tensor) -> Any:
    return module(*inputs).last_hidden_state


def texts_and_images() -> tuple[Tensor, Tensor]:
    """Two texts, of five and of eight tokens, and three images."""
    tokens = torch.randint(0, 99, (2, 8))
    tokens[0, 4:] = 99
    tokens[1, 7] = 99
    return tokens, torch.randn(3, 3, 16, 16)


def per_image(module: nn.Module, *inputs: Tensor) -> Any:
    return module(*inputs).logits_per_image


def small_bert() -> BertConfig:
    return BertConfig(
        vocab_size=100, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, max_position_embeddings=64,
    )  # fmt: skip


MOBILEVIT = [
    mobilevit.MobileViTConvLayer, mobilevit.MobileViTInvertedResidual,
    mobilevit.MobileViTMobileNetLayer, mobilevit.MobileViTSelfAttention,
    mobilevit.MobileViTSelfOutput, mobilevit.MobileViTAttention,
    mobilevit.MobileViTIntermediate, mobilevit.MobileViTOutput,
    mobilevit.MobileViTTransformerLayer, mobilevit.MobileViTTransformer,
    mobilevit.MobileViTLayer, mobilevit.MobileViTEncoder,
    mobilevit.MobileViTPreTrainedModel, mobilevit.MobileViTModel,
    mobilevit.MobileViTForImageClassification,
]  # fmt: skip

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
        "LlamaForCausalLM", "zoo/llama", "Llama", lambda: decoder("Llama"),
        lambda: padded(100), hyper=LLAMA_SMALL,
        full=lambda: LlamaForCausalLM(LlamaConfig()), call=logits,
        code=decoder_code(llama, "Llama"),
        parameters=6_738_415_616, keys=291, digest="9386f14039",
    ),
    Original(
        "Mistral 7B", "zoo/llama", "mistral_7b", lambda: decoder("Mistral"),
        lambda: tokens(100), hyper=LLAMA_SMALL,
        full=lambda: MistralForCausalLM(MistralConfig()), call=logits,
        code=decoder_code(mistral, "Mistral"), parameters=7_241_732_096,
    ),
    Original(
        "Qwen2 7B", "zoo/llama", "qwen2_7b",
        lambda: decoder("Qwen2", **QWEN2_SMALL), lambda: padded(100), hyper=LLAMA_SMALL,
        full=lambda: decoder("Qwen2", **QWEN2), call=logits,
        code=decoder_code(qwen2, "Qwen2"), parameters=7_615_616_512,
    ),
    Original(
        "BertModel", "zoo/bert", "BertModel", lambda: BertModel(small_bert()),
        lambda: with_segments(100), hyper=BERT_SMALL,
        full=lambda: BertModel(BertConfig()), call=hidden_and_pooled, code=BERT,
        parameters=109_482_240, keys=199, digest="a96adcdede",
    ),
    Original(
        "AlbertModel", "zoo/albert", "AlbertModel", small_albert,
        lambda: with_segments(100), hyper=ALBERT_SMALL,
        full=lambda: AlbertModel(AlbertConfig()), call=hidden_and_pooled, code=ALBERT,
        parameters=222_595_584,
    ),
    Original(
        "AlbertModel, no padding", "zoo/albert", "AlbertModel",
        lambda: small_albert(pad_token_id=None), lambda: tokens(100),
        hyper=ALBERT_SMALL | {"pad": None}, full=lambda: AlbertModel(AlbertConfig()),
        call=hidden_and_pooled, code=ALBERT,
    ),
    Original(
        "BertForPreTraining", "zoo/bert", "BertForPreTraining",
        lambda: BertForPreTraining(small_bert()), lambda: tokens(100),
        hyper=BERT_SMALL, full=lambda: BertForPreTraining(BertConfig()),
        call=words_and_next,
        code=[
            bert.BertPredictionHeadTransform, bert.BertLMPredictionHead,
            bert.BertPreTrainingHeads, bert.BertForPreTraining,
        ],
        parameters=110_106_428, keys=208, digest="ae75679201",
    ),
    Original(
        "ViTForImageClassification", "zoo/vit_transformers",
        "ViTForImageClassification", small_vit, lambda: (torch.randn(2, 3, 32, 32),),
        hyper={
            "classes": 10, "size": 32, "patch": 8, "width": 32, "depth": 3, "heads": 4,
            "hidden": 48,
        },
        full=lambda: ViTForImageClassification(ViTConfig(num_labels=1000)), call=logits,
        code=[
            vit.ViTPatchEmbeddings, vit.ViTEmbeddings, vit.eager_attention_forward,
            vit.ViTAttention, vit.ViTMLP, vit.ViTLayer, vit.ViTPreTrainedModel,
            vit.ViTModel, vit.ViTForImageClassification,
        ],
        parameters=86_567_656, keys=200, digest="c451eac73d",
        starts="transformers draws the position embeddings ahead of the class token,"
        " which is registered first, and both behind the patches",
    ),
    Original(
        "SegformerForImageClassification", "zoo/segformer",
        "SegformerForImageClassification", small_segformer,
        lambda: (torch.randn(2, 3, 64, 96),),
        hyper={
            "classes": 10, "drop": 0.3, "dropout": 0.1, "attention_dropout": 0.2,
            "stages": [
                (2, 16, 7, 4, 1, 4, 2), (1, 24, 3, 2, 3, 2, 3), (1, 32, 3, 2, 4, 1, 4),
            ],
        },
        full=lambda: SegformerForImageClassification(SegformerConfig()), call=logits,
        code=[
            segformer.SegformerOverlapPatchEmbeddings,
            segformer.SegformerSequenceReduction, segformer.eager_attention_forward,
            segformer.SegformerAttention, segformer.SegformerDepthWiseConv,
            segformer.SegformerMixMLP, segformer.SegformerDropPath,
            segformer.SegformerLayer, segformer.SegformerStage,
            segformer.SegformerPreTrainedModel, segformer.SegformerModel,
            segformer.SegformerForImageClassification,
        ],
        parameters=3_319_906, keys=194, digest="5ddfedd0b8",
    ),
    Original(
        "mobilevit_small", "zoo/mobilevit", "mobilevit_small", mobilevit_small,
        lambda: (torch.randn(2, 3, 64, 96),), code=MOBILEVIT, call=logits,
        parameters=5_578_632, keys=347, digest="5f54d15f00",
    ),
    Original(
        "mobilevit_xx_small, no whole patches", "zoo/mobilevit", "mobilevit_xx_small",
        mobilevit_xx_small, lambda: (torch.randn(2, 3, 104, 72),), code=MOBILEVIT,
        call=logits, parameters=1_272_024, keys=347, digest="4924c7f443",
    ),
    Original(
        "CLIPModel", "zoo/clip", "CLIPModel", small_clip, texts_and_images,
        hyper={
            "dim": 16, "vocab": 100, "context": 8, "end": 99, "text_width": 24,
            "text_depth": 2, "text_heads": 4, "size": 16, "patch": 8, "width": 32,
            "depth": 2, "heads": 4,
        },
        full=lambda: CLIPModel(CLIPConfig()), call=per_image,
        code=[
            clip._get_vector_norm, clip.CLIPVisionEmbeddings, clip.CLIPTextEmbeddings,
            clip.eager_attention_forward, clip.CLIPAttention, clip.CLIPMLP,
            clip.CLIPEncoderLayer, clip.CLIPEncoder, clip.CLIPTextModel,
            clip.CLIPVisionModel, clip.CLIPModel,
        ],
        parameters=151_277_313,
        starts="transformers draws each weight twice, a rule once",
    ),
    Original(
        "T5EncoderModel", "zoo/t5", "T5EncoderModel", small_t5,
        lambda: (torch.randint(0, 100, (2, 150)),),
        hyper={
            "vocab": 100, "width": 32, "depth": 3, "heads": 4, "size": 6, "hidden": 48,
        },
        full=lambda: T5EncoderModel(T5Config()), call=hidden,
        code=[
            t5.T5LayerNorm, t5.T5DenseActDense, t5.T5LayerFF,
            t5.eager_attention_forward, t5.T5Attention, t5.T5LayerSelfAttention,
            t5.T5Block, t5.T5PreTrainedModel, t5.T5Stack, t5.T5EncoderModel,
        ],
        parameters=35_330_816,
        starts="transformers draws each weight twice, a rule once",
    ),
]  # fmt: skip
