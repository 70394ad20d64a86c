"""Tensor names and shapes of well-known models, one layer of each, as their authors publish them, made small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Known(NamedTuple):
    """A model: the family that it belongs to, its config, and a tensor a line."""

    family: str
    config: Mapping[str, Any]
    tensors: str


LLAMA_LAYER = """
model.layers.0.input_layernorm.weight 32
model.layers.0.post_attention_layernorm.weight 32
model.layers.0.self_attn.q_proj.weight 64 32
model.layers.0.self_attn.k_proj.weight 16 32
model.layers.0.self_attn.v_proj.weight 16 32
model.layers.0.self_attn.o_proj.weight 32 64
model.norm.weight 32
model.embed_tokens.weight 100 32
lm_head.weight 100 32
"""
GATED = """
model.layers.0.mlp.gate_proj.weight 48 32
model.layers.0.mlp.up_proj.weight 48 32
model.layers.0.mlp.down_proj.weight 32 48
"""
HEADS: Mapping[str, Any] = {"num_attention_heads": 8, "num_key_value_heads": 2}
QK_NORMS = "model.layers.0.self_attn.q_norm.weight 8\nmodel.layers.0.self_attn.k_norm.weight 8\n"
AROUND = "model.layers.0.pre_feedforward_layernorm.weight 32\nmodel.layers.0.post_feedforward_layernorm.weight 32\n"

CLIP_LAYER = """
{0}encoder.layers.0.layer_norm1.weight 24
{0}encoder.layers.0.layer_norm1.bias 24
{0}encoder.layers.0.layer_norm2.weight 24
{0}encoder.layers.0.layer_norm2.bias 24
{0}encoder.layers.0.self_attn.q_proj.weight 24 24
{0}encoder.layers.0.self_attn.q_proj.bias 24
{0}encoder.layers.0.self_attn.k_proj.weight 24 24
{0}encoder.layers.0.self_attn.k_proj.bias 24
{0}encoder.layers.0.self_attn.v_proj.weight 24 24
{0}encoder.layers.0.self_attn.v_proj.bias 24
{0}encoder.layers.0.self_attn.out_proj.weight 24 24
{0}encoder.layers.0.self_attn.out_proj.bias 24
{0}encoder.layers.0.mlp.fc1.weight 40 24
{0}encoder.layers.0.mlp.fc1.bias 40
{0}encoder.layers.0.mlp.fc2.weight 24 40
{0}encoder.layers.0.mlp.fc2.bias 24
"""
SIGLIP = (
    CLIP_LAYER.format("vision_tower.vision_model.")
    + """
vision_tower.vision_model.embeddings.patch_embedding.weight 24 3 14 14
vision_tower.vision_model.embeddings.patch_embedding.bias 24
vision_tower.vision_model.embeddings.position_embedding.weight 16 24
vision_tower.vision_model.post_layernorm.weight 24
vision_tower.vision_model.post_layernorm.bias 24
"""
)
WHISPER_ENCODER = """
{0}conv1.weight 24 16 3
{0}conv1.bias 24
{0}conv2.weight 24 24 3
{0}conv2.bias 24
{0}embed_positions.weight 50 24
{0}layers.0.self_attn.q_proj.weight 24 24
{0}layers.0.self_attn.q_proj.bias 24
{0}layers.0.self_attn.k_proj.weight 24 24
{0}layers.0.self_attn.v_proj.weight 24 24
{0}layers.0.self_attn.v_proj.bias 24
{0}layers.0.self_attn.out_proj.weight 24 24
{0}layers.0.self_attn.out_proj.bias 24
{0}layers.0.self_attn_layer_norm.weight 24
{0}layers.0.self_attn_layer_norm.bias 24
{0}layers.0.fc1.weight 96 24
{0}layers.0.fc1.bias 96
{0}layers.0.fc2.weight 24 96
{0}layers.0.fc2.bias 24
{0}layers.0.final_layer_norm.weight 24
{0}layers.0.final_layer_norm.bias 24
{0}layer_norm.weight 24
{0}layer_norm.bias 24
"""


def inside(prefix: str, tensors: str) -> str:
    """The same tensors with a prefix."""
    return "".join(f"{prefix}{line}\n" for line in tensors.split("\n") if line)


MODELS: Mapping[str, Known] = {
    "llama": Known("llama", HEADS, LLAMA_LAYER + GATED),
    "qwen2": Known("llama", HEADS, LLAMA_LAYER + GATED + "model.layers.0.self_attn.q_proj.bias 64\n"),
    "qwen3": Known("llama", HEADS, LLAMA_LAYER + GATED + QK_NORMS),
    "gemma2": Known("llama", HEADS, LLAMA_LAYER + GATED + AROUND),
    "exaone4": Known("llama", HEADS, LLAMA_LAYER + GATED + QK_NORMS + AROUND.split("\n", 1)[1]),
    "qwen3-moe": Known(
        "llama-moe",
        HEADS,
        LLAMA_LAYER
        + QK_NORMS
        + "model.layers.0.mlp.gate.weight 2 32\n"
        + GATED.replace("mlp.", "mlp.experts.0.")
        + GATED.replace("mlp.", "mlp.experts.1."),
    ),
    "glm4-moe": Known(
        "llama-moe",
        HEADS,
        LLAMA_LAYER
        + "model.layers.0.mlp.gate.weight 2 32\nmodel.layers.0.mlp.gate.e_score_correction_bias 2\n"
        + GATED.replace("mlp.", "mlp.shared_experts.")
        + GATED.replace("mlp.", "mlp.experts.1.")
        + "model.layers.1.eh_proj.weight 32 64\nmodel.layers.1.enorm.weight 32\nmodel.layers.1.hnorm.weight 32\n"
        + "model.layers.1.shared_head.norm.weight 32\nmodel.layers.1.shared_head.head.weight 100 32\n",
    ),
    "mixtral": Known(
        "mixtral",
        HEADS,
        LLAMA_LAYER
        + """
model.layers.0.block_sparse_moe.gate.weight 2 32
model.layers.0.block_sparse_moe.experts.1.w1.weight 48 32
model.layers.0.block_sparse_moe.experts.1.w2.weight 32 48
model.layers.0.block_sparse_moe.experts.1.w3.weight 48 32
""",
    ),
    "deepseek-v3": Known(
        "deepseek",
        {"num_attention_heads": 4, "num_key_value_heads": 4, "kv_lora_rank": 12, "qk_rope_head_dim": 4},
        """
model.embed_tokens.weight 100 32
lm_head.weight 100 32
model.norm.weight 32
model.layers.0.input_layernorm.weight 32
model.layers.0.post_attention_layernorm.weight 32
model.layers.0.self_attn.q_a_proj.weight 20 32
model.layers.0.self_attn.q_a_layernorm.weight 20
model.layers.0.self_attn.q_b_proj.weight 48 20
model.layers.0.self_attn.kv_a_proj_with_mqa.weight 16 32
model.layers.0.self_attn.kv_a_layernorm.weight 12
model.layers.0.self_attn.kv_b_proj.weight 64 12
model.layers.0.self_attn.o_proj.weight 32 32
"""
        + "model.layers.0.mlp.gate.weight 2 32\nmodel.layers.0.mlp.gate.e_score_correction_bias 2\n"
        + GATED.replace("mlp.", "mlp.shared_experts.")
        + GATED.replace("mlp.", "mlp.experts.1."),
    ),
    "phi3": Known(
        "phi3",
        HEADS,
        """
model.embed_tokens.weight 100 32
lm_head.weight 100 32
model.norm.weight 32
model.layers.0.input_layernorm.weight 32
model.layers.0.post_attention_layernorm.weight 32
model.layers.0.self_attn.qkv_proj.weight 96 32
model.layers.0.self_attn.o_proj.weight 32 64
model.layers.0.mlp.gate_up_proj.weight 96 32
model.layers.0.mlp.down_proj.weight 32 48
""",
    ),
    "glm4": Known(
        "glm4",
        HEADS,
        LLAMA_LAYER
        + """
model.layers.0.post_mlp_layernorm.weight 32
model.layers.0.post_self_attn_layernorm.weight 32
model.layers.0.mlp.gate_up_proj.weight 96 32
model.layers.0.mlp.down_proj.weight 32 48
""",
    ),
    "chatglm": Known(
        "chatglm",
        {"num_attention_heads": 8, "multi_query_group_num": 2},
        """
transformer.embedding.word_embeddings.weight 100 32
transformer.rotary_pos_emb.inv_freq 4
transformer.output_layer.weight 100 32
transformer.encoder.final_layernorm.weight 32
transformer.encoder.layers.0.input_layernorm.weight 32
transformer.encoder.layers.0.post_attention_layernorm.weight 32
transformer.encoder.layers.0.self_attention.query_key_value.weight 96 32
transformer.encoder.layers.0.self_attention.query_key_value.bias 96
transformer.encoder.layers.0.self_attention.dense.weight 32 64
transformer.encoder.layers.0.mlp.dense_h_to_4h.weight 96 32
transformer.encoder.layers.0.mlp.dense_4h_to_h.weight 32 48
""",
    ),
    "exaone3": Known(
        "exaone3",
        HEADS,
        """
transformer.wte.weight 100 32
lm_head.weight 100 32
transformer.ln_f.weight 32
transformer.h.0.ln_1.weight 32
transformer.h.0.ln_2.weight 32
transformer.h.0.attn.attention.q_proj.weight 64 32
transformer.h.0.attn.attention.k_proj.weight 16 32
transformer.h.0.attn.attention.v_proj.weight 16 32
transformer.h.0.attn.attention.out_proj.weight 32 64
transformer.h.0.mlp.c_fc_0.weight 48 32
transformer.h.0.mlp.c_fc_1.weight 48 32
transformer.h.0.mlp.c_proj.weight 32 48
""",
    ),
    "gpt2": Known(
        "gpt2",
        {"n_head": 4},
        """
wte.weight 100 32
wpe.weight 16 32
ln_f.weight 32
ln_f.bias 32
h.0.ln_1.weight 32
h.0.ln_1.bias 32
h.0.ln_2.weight 32
h.0.ln_2.bias 32
h.0.attn.bias 1 1 16 16
h.0.attn.c_attn.weight 32 96
h.0.attn.c_attn.bias 96
h.0.attn.c_proj.weight 32 32
h.0.attn.c_proj.bias 32
h.0.mlp.c_fc.weight 32 128
h.0.mlp.c_fc.bias 128
h.0.mlp.c_proj.weight 128 32
h.0.mlp.c_proj.bias 32
""",
    ),
    "gpt-neox": Known(
        "gpt-neox",
        {"num_attention_heads": 4},
        """
gpt_neox.embed_in.weight 100 32
embed_out.weight 100 32
gpt_neox.final_layer_norm.weight 32
gpt_neox.layers.0.input_layernorm.weight 32
gpt_neox.layers.0.post_attention_layernorm.bias 32
gpt_neox.layers.0.attention.query_key_value.weight 96 32
gpt_neox.layers.0.attention.query_key_value.bias 96
gpt_neox.layers.0.attention.dense.weight 32 32
gpt_neox.layers.0.attention.rotary_emb.inv_freq 4
gpt_neox.layers.0.mlp.dense_h_to_4h.weight 128 32
gpt_neox.layers.0.mlp.dense_4h_to_h.weight 32 128
""",
    ),
    "gpt-oss": Known(
        "gpt-oss",
        HEADS,
        LLAMA_LAYER
        + """
model.layers.0.self_attn.sinks 8
model.layers.0.mlp.router.weight 2 32
model.layers.0.mlp.router.bias 2
model.layers.0.mlp.experts.gate_up_proj 2 96 32
model.layers.0.mlp.experts.gate_up_proj_bias 2 96
model.layers.0.mlp.experts.down_proj 2 32 48
model.layers.0.mlp.experts.down_proj_bias 2 32
""",
    ),
    "bert": Known(
        "bert",
        {"num_attention_heads": 4},
        """
bert.embeddings.word_embeddings.weight 100 32
bert.embeddings.position_embeddings.weight 16 32
bert.embeddings.token_type_embeddings.weight 2 32
bert.embeddings.LayerNorm.gamma 32
bert.embeddings.LayerNorm.beta 32
bert.encoder.layer.0.attention.self.query.weight 32 32
bert.encoder.layer.0.attention.self.query.bias 32
bert.encoder.layer.0.attention.self.key.weight 32 32
bert.encoder.layer.0.attention.self.value.weight 32 32
bert.encoder.layer.0.attention.output.dense.weight 32 32
bert.encoder.layer.0.attention.output.LayerNorm.weight 32
bert.encoder.layer.0.intermediate.dense.weight 128 32
bert.encoder.layer.0.output.dense.weight 32 128
bert.encoder.layer.0.output.LayerNorm.weight 32
bert.pooler.dense.weight 32 32
cls.predictions.transform.dense.weight 32 32
cls.predictions.transform.LayerNorm.weight 32
cls.predictions.decoder.weight 100 32
cls.predictions.bias 100
""",
    ),
    "vit": Known(
        "vit",
        {"num_attention_heads": 4},
        """
vit.embeddings.cls_token 1 1 32
vit.embeddings.position_embeddings 1 17 32
vit.embeddings.patch_embeddings.projection.weight 32 3 14 14
vit.encoder.layer.0.attention.attention.query.weight 32 32
vit.encoder.layer.0.attention.attention.key.weight 32 32
vit.encoder.layer.0.attention.attention.value.weight 32 32
vit.encoder.layer.0.attention.output.dense.weight 32 32
vit.encoder.layer.0.intermediate.dense.weight 128 32
vit.encoder.layer.0.output.dense.weight 32 128
vit.encoder.layer.0.layernorm_before.weight 32
vit.encoder.layer.0.layernorm_after.weight 32
vit.layernorm.weight 32
classifier.weight 10 32
""",
    ),
    "timm-vit": Known(
        "timm-vit",
        {"num_heads": 4},
        """
cls_token 1 1 32
pos_embed 1 17 32
patch_embed.proj.weight 32 3 14 14
blocks.0.norm1.weight 32
blocks.0.attn.qkv.weight 96 32
blocks.0.attn.proj.weight 32 32
blocks.0.norm2.weight 32
blocks.0.mlp.fc1.weight 128 32
blocks.0.mlp.fc2.weight 32 128
norm.weight 32
head.weight 10 32
""",
    ),
    "clip": Known(
        "clip",
        {"vision_config": {"num_attention_heads": 4}, "text_config": {"num_attention_heads": 4}},
        CLIP_LAYER.format("vision_model.")
        + CLIP_LAYER.format("text_model.")
        + """
vision_model.embeddings.class_embedding 24
vision_model.embeddings.patch_embedding.weight 24 3 14 14
vision_model.embeddings.position_embedding.weight 17 24
vision_model.pre_layrnorm.weight 24
vision_model.post_layernorm.weight 24
text_model.embeddings.token_embedding.weight 100 24
text_model.embeddings.position_embedding.weight 16 24
text_model.final_layer_norm.weight 24
text_projection.weight 20 24
visual_projection.weight 20 24
logit_scale
""",
    ),
    "whisper": Known(
        "whisper",
        {"encoder_attention_heads": 4, "decoder_attention_heads": 4},
        WHISPER_ENCODER.format("model.encoder.")
        + """
model.decoder.embed_tokens.weight 100 24
model.decoder.embed_positions.weight 16 24
model.decoder.layers.0.self_attn.q_proj.weight 24 24
model.decoder.layers.0.self_attn.k_proj.weight 24 24
model.decoder.layers.0.self_attn.v_proj.weight 24 24
model.decoder.layers.0.self_attn.out_proj.weight 24 24
model.decoder.layers.0.encoder_attn.q_proj.weight 24 24
model.decoder.layers.0.encoder_attn.k_proj.weight 24 24
model.decoder.layers.0.encoder_attn.v_proj.weight 24 24
model.decoder.layers.0.encoder_attn.out_proj.weight 24 24
model.decoder.layers.0.encoder_attn_layer_norm.weight 24
model.decoder.layers.0.fc1.weight 96 24
model.decoder.layers.0.fc2.weight 24 96
model.decoder.layer_norm.weight 24
""",
    ),
    "qwen2-audio": Known(
        "qwen-audio",
        {"audio_config": {"encoder_attention_heads": 4}, "text_config": HEADS},
        WHISPER_ENCODER.format("audio_tower.")
        + inside("language_model.", LLAMA_LAYER + GATED)
        + "multi_modal_projector.linear.weight 32 24\nmulti_modal_projector.linear.bias 32\n",
    ),
    "gemma3": Known(
        "llava",
        {"vision_config": {"num_attention_heads": 4}, "text_config": HEADS},
        SIGLIP
        + inside("language_model.", LLAMA_LAYER + GATED + QK_NORMS + AROUND)
        + "multi_modal_projector.mm_input_projection_weight 24 32\n"
        + "multi_modal_projector.mm_soft_emb_norm.weight 24\n",
    ),
    "llava": Known(
        "llava",
        {"vision_config": {"num_attention_heads": 4}, "text_config": HEADS},
        SIGLIP
        + inside("language_model.", LLAMA_LAYER + GATED)
        + "multi_modal_projector.linear_1.weight 36 24\nmulti_modal_projector.linear_2.weight 32 36\n",
    ),
    "hyperclovax-seed-vision": Known(
        "llava",
        {"vision_config": {"num_attention_heads": 4}, "text_config": HEADS},
        SIGLIP.replace("vision_tower.", "vision_model.")
        + inside("language_model.", LLAMA_LAYER + GATED)
        + "mm_projector.net.0.b1.conv1.conv.weight 32 24 1 1\nmm_projector.readout.0.weight 32 32\n",
    ),
    "nemotron-h": Known(
        "nemotron-h",
        HEADS,
        """
backbone.embeddings.weight 100 32
lm_head.weight 100 32
backbone.norm_f.weight 32
backbone.layers.0.norm.weight 32
backbone.layers.0.mixer.in_proj.weight 148 32
backbone.layers.0.mixer.conv1d.weight 80 1 4
backbone.layers.0.mixer.conv1d.bias 80
backbone.layers.0.mixer.A_log 4
backbone.layers.0.mixer.D 4
backbone.layers.0.mixer.dt_bias 4
backbone.layers.0.mixer.norm.weight 64
backbone.layers.0.mixer.out_proj.weight 32 64
backbone.layers.1.norm.weight 32
backbone.layers.1.mixer.gate.weight 2 32
backbone.layers.1.mixer.gate.e_score_correction_bias 2
backbone.layers.1.mixer.fc1_latent_proj.weight 16 32
backbone.layers.1.mixer.fc2_latent_proj.weight 32 16
backbone.layers.1.mixer.shared_experts.up_proj.weight 40 32
backbone.layers.1.mixer.shared_experts.down_proj.weight 32 40
backbone.layers.1.mixer.experts.1.up_proj.weight 24 16
backbone.layers.1.mixer.experts.1.down_proj.weight 16 24
backbone.layers.2.norm.weight 32
backbone.layers.2.mixer.q_proj.weight 64 32
backbone.layers.2.mixer.k_proj.weight 16 32
backbone.layers.2.mixer.v_proj.weight 16 32
backbone.layers.2.mixer.o_proj.weight 32 64
mtp.layers.0.eh_proj.weight 32 64
mtp.layers.0.mixer.q_proj.weight 64 32
mtp.layers.1.final_layernorm.weight 32
""",
    ),
    "deepseek-v4": Known(
        "deepseek-v4",
        {"num_attention_heads": 4, "num_key_value_heads": 1},
        """
embed.weight 100 32
head.weight 100 32
norm.weight 32
hc_head_fn 4 128
hc_head_base 4
hc_head_scale 1
layers.0.hc_attn_fn 24 128
layers.0.hc_attn_base 24
layers.0.hc_attn_scale 3
layers.0.hc_ffn_fn 24 128
layers.0.hc_ffn_base 24
layers.0.hc_ffn_scale 3
layers.0.attn_norm.weight 32
layers.0.ffn_norm.weight 32
layers.0.attn.attn_sink 4
layers.0.attn.wq_a.weight 20 32
layers.0.attn.q_norm.weight 20
layers.0.attn.wq_b.weight 64 20
layers.0.attn.wkv.weight 16 32
layers.0.attn.kv_norm.weight 16
layers.0.attn.wo_a.weight 24 32
layers.0.attn.wo_b.weight 32 24
layers.0.attn.compressor.ape 4 16
layers.0.attn.compressor.wkv.weight 16 32
layers.0.attn.compressor.wgate.weight 16 32
layers.0.attn.compressor.norm.weight 16
layers.0.attn.indexer.wq_b.weight 32 20
layers.0.attn.indexer.weights_proj.weight 4 32
layers.0.attn.indexer.compressor.ape 4 8
layers.0.attn.indexer.compressor.wkv.weight 8 32
layers.0.attn.indexer.compressor.wgate.weight 8 32
layers.0.attn.indexer.compressor.norm.weight 8
layers.0.ffn.gate.weight 2 32
layers.0.ffn.gate.tid2eid 100 2
layers.0.ffn.gate.bias 2
layers.0.ffn.shared_experts.w1.weight 24 32
layers.0.ffn.shared_experts.w3.weight 24 32
layers.0.ffn.shared_experts.w2.weight 32 24
layers.0.ffn.experts.1.w1.weight 24 32
layers.0.ffn.experts.1.w3.weight 24 32
layers.0.ffn.experts.1.w2.weight 32 24
mtp.0.e_proj.weight 32 32
mtp.0.attn.wq_a.weight 20 32
""",
    ),
    "qwen3-vl": Known(
        "qwen-vl",
        {"vision_config": {"num_heads": 4}, "text_config": HEADS},
        inside(
            "model.language_",
            LLAMA_LAYER.replace("lm_head.weight", "model.embed_tokens.bias").replace(
                "model.embed_tokens.bias 100 32\n", ""
            )
            + GATED
            + QK_NORMS,
        )
        + """
lm_head.weight 100 32
model.visual.patch_embed.proj.weight 24 3 2 14 14
model.visual.patch_embed.proj.bias 24
model.visual.pos_embed.weight 16 24
model.visual.blocks.0.norm1.weight 24
model.visual.blocks.0.norm2.bias 24
model.visual.blocks.0.attn.qkv.weight 72 24
model.visual.blocks.0.attn.qkv.bias 72
model.visual.blocks.0.attn.proj.weight 24 24
model.visual.blocks.0.mlp.linear_fc1.weight 40 24
model.visual.blocks.0.mlp.linear_fc2.weight 24 40
model.visual.merger.norm.weight 24
model.visual.merger.linear_fc1.weight 96 96
model.visual.merger.linear_fc2.weight 32 96
model.visual.deepstack_merger_list.0.norm.weight 96
model.visual.deepstack_merger_list.0.linear_fc1.weight 96 96
model.visual.deepstack_merger_list.0.linear_fc2.weight 32 96
""",
    ),
}
