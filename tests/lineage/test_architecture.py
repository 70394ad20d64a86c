"""Every tensor has its place; and what is called a symmetry leaves what the network computes as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dokja.lineage.architecture import (
    BY_SHAPE,
    Assignment,
    Axis,
    Part,
    assign,
    assigned,
    families,
    part_matrix,
    part_rows,
    part_shape,
)
from dokja.lineage.checkpoint import TensorInfo, open_checkpoint
from dokja.lineage.inspection import inspect
from tests.lineage.models import MODELS
from tests.lineage.saved import save

SHARED = Path(__file__).parents[2].parent / "shared"
INDEXES = sorted((SHARED / "architectures").glob("*/model.safetensors.index.json"))
WEIGHTS = sorted((SHARED / "weights").glob("*/*.safetensors"))

Array = NDArray[np.float32]
Tensors = dict[str, Array]


def infos(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, TensorInfo]:
    return {name: TensorInfo(name, "F32", shape, 4 * prod(shape), "x") for name, shape in shapes.items()}


def shapes_of(text: str) -> dict[str, tuple[int, ...]]:
    lines = (line.split() for line in text.splitlines() if line)
    return {name: tuple(int(extent) for extent in extents) for name, *extents in lines}


def parts_of(assignment: Assignment, tensor: str) -> list[Part]:
    return [part for part in assignment.parts if part.tensor == tensor]


# -- coverage


@pytest.mark.parametrize("name", MODELS)
def test_a_known_model_is_known_whole(name: str) -> None:
    known = MODELS[name]
    shapes = shapes_of(known.tensors)
    found = assigned(infos(shapes), known.config)
    assert found.family == known.family
    assert found.unassigned == ()
    assert found.contradictions == ()
    covered: dict[str, int] = {}
    for part in found.parts:
        rows, columns = _shape(shapes[part.tensor], part)
        assert rows % (part.rows.block * part.rows.repeats) == 0
        assert columns % (part.columns.block * part.columns.repeats) == 0
        covered[part.tensor] = covered.get(part.tensor, 0) + rows * columns
    assert covered == {tensor: prod(shape) for tensor, shape in shapes.items()}


@pytest.mark.parametrize("name", MODELS)
def test_units_of_a_group_are_as_many_on_every_axis(name: str) -> None:
    shapes = shapes_of(MODELS[name].tensors)
    units: dict[str, set[int]] = {}
    for part in assigned(infos(shapes), MODELS[name].config).parts:
        for axis, extent in zip((part.rows, part.columns), _shape(shapes[part.tensor], part), strict=True):
            if axis.space in ("residual", "hidden", "heads", "kv-heads", "experts"):
                units.setdefault(axis.group, set()).add(extent // (axis.block * axis.repeats))
    assert all(len(found) == 1 for found in units.values()), units


def _shape(tensor: tuple[int, ...], part: Part) -> tuple[int, int]:
    shape = tensor[1:] if part.index is not None else tensor
    rows, columns = (shape[0] if shape else 1), prod(shape[1:])
    if part.transposed:
        rows, columns = shape[-1], prod(shape[:-1])
    return (part.take[1] - part.take[0] if part.take else rows), columns


EXPECTED_FAMILIES = {
    "Devstral-Small-2507": "llama",
    "Llama-3.1-8B-Instruct": "llama",
    "Mixtral-8x22B-WizardLM-2": "mixtral",
    "Phi-3-mini": "phi3",
    "Qwen2.5-VL-7B-Instruct": "qwen-vl",
    "Qwen3.5-MoE-REAP": "llama-moe",
    "granite-3.1-1b-a400m-instruct": "granite-moe",
    "openPangu": "llama",
}
NAMED = {
    "visual.blocks.": "vision-encoder",
    "visual.patch_embed.": "vision-encoder",
    "visual.merger.": "projector",
    "lm_head.": "head",
    "model.embed_tokens.": "embeddings",
    "model.layers.0.self_attn.": "text-decoder",
}
"""What the beginnings of names say beyond doubt."""

COMPANIONS = (".SCB", ".weight_format")
STACKED = re.compile(r"(?:input|output)_linear")


@pytest.mark.skipif(not INDEXES, reason="no tensor indexes in ../shared/architectures")
@pytest.mark.parametrize("index", INDEXES, ids=lambda path: path.parent.name)
def test_every_tensor_of_a_published_index_has_its_place(index: Path) -> None:
    """Indexes have names, not shapes; what has more than one axis is told by its name."""
    names = [name for name in json.loads(index.read_text())["weight_map"] if not name.endswith(COMPANIONS)]
    config = json.loads((index.parent / "config.json").read_text())
    found = assigned(infos({name: _likely_shape(name) for name in names}), config)
    assert found.family == EXPECTED_FAMILIES[index.parent.name]
    assert found.unassigned == ()
    assert {part.tensor for part in found.parts} == set(names)
    for part in found.parts:
        seen = next((component for beginning, component in NAMED.items() if part.tensor.startswith(beginning)), None)
        assert seen is None or part.component == seen, part.tensor


def _likely_shape(name: str) -> tuple[int, ...]:
    if re.search(r"norm|bias|inv_freq|A_log|ln_q", name):
        return (64,)
    return (2, 64, 64) if STACKED.search(name) else (64, 64)


CONFIGS = sorted((SHARED / "architectures").glob("configs/*_config.json")) + sorted(
    (SHARED / "architectures").glob("*/config.json")
)
NOT_ASKED = {"deepseek_ref", "nemotron_h"}
"""Their layers are not those of a Llama in other sizes; `MODELS` has them, by the names that are known of them."""


def _sized(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The tensors of one layer of a decoder of these sizes, as its authors name them."""
    text = config.get("text_config") or config
    width, heads = text["hidden_size"], text["num_attention_heads"]
    groups = text.get("num_key_value_heads") or heads
    each = text.get("head_dim") or width // heads
    at = "model.layers.0."
    found = {"model.embed_tokens.weight": (500, width), "lm_head.weight": (500, width), "model.norm.weight": (width,)}
    found |= {f"{at}{name}_layernorm.weight": (width,) for name in ("input", "post_attention")}
    if text.get("kv_lora_rank"):
        latent, rotary, wide = text["kv_lora_rank"], text["qk_rope_head_dim"], text["q_lora_rank"]
        plain, value = text["qk_nope_head_dim"], text["v_head_dim"]
        found |= {
            f"{at}self_attn.q_a_proj.weight": (wide, width),
            f"{at}self_attn.q_a_layernorm.weight": (wide,),
            f"{at}self_attn.q_b_proj.weight": (heads * (plain + rotary), wide),
            f"{at}self_attn.kv_a_proj_with_mqa.weight": (latent + rotary, width),
            f"{at}self_attn.kv_a_layernorm.weight": (latent,),
            f"{at}self_attn.kv_b_proj.weight": (heads * (plain + value), latent),
            f"{at}self_attn.o_proj.weight": (width, heads * value),
        }
    else:
        counts = {"q": heads, "k": groups, "v": groups}
        found |= {f"{at}self_attn.{name}_proj.weight": (count * each, width) for name, count in counts.items()}
        found[f"{at}self_attn.o_proj.weight"] = (width, heads * each)
    hidden = text.get("moe_intermediate_size") or text.get("intermediate_size")
    experts = next(
        (text[key] for key in ("num_experts", "n_routed_experts", "num_local_experts") if text.get(key)), 0
    )
    for network in ("mlp.experts.0.", "mlp.experts.1.") if experts else ("mlp.",):
        found |= {f"{at}{network}{name}_proj.weight": (hidden, width) for name in ("gate", "up")}
        found[f"{at}{network}down_proj.weight"] = (width, hidden)
    return found | ({f"{at}mlp.gate.weight": (experts, width)} if experts else {})


@pytest.mark.skipif(not CONFIGS, reason="no configs in ../shared/architectures")
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name[:20] + path.name[:30])
def test_every_published_config_gives_the_sizes_of_its_layers(path: Path) -> None:
    """Components, roles and units of a decoder whose tensors are as large as the config says."""
    config = json.loads(path.read_text())
    if config.get("model_type") in NOT_ASKED:
        pytest.skip(f"{config['model_type']}: see MODELS")
    shapes = _sized(config) | {"nobody.knows": (3, 5)}
    text = config.get("text_config") or config
    found = assigned(infos(shapes), config)
    assert found.unassigned == ("nobody.knows",)
    assert found.contradictions == ()
    assert found.family in ("llama", "llama-moe", "deepseek", "mixtral", "granite-moe")
    groups = text.get("num_key_value_heads") or text["num_attention_heads"]
    for part in found.parts:
        if part.role in ("q", "k", "v", "q-b", "kv-b"):
            extent = part_extent(shapes, part)
            assert extent // part.rows.block == groups, part.tensor
    # What all heads share of a latent key has no unit that may be relabelled.
    assert {part.role for part in found.parts if part.rows.space == "unknown"} <= {"k-rotary"}
    components = {part.component for part in found.parts}
    experts = any("experts" in name for name in shapes)
    assert components == {"embeddings", "head", "text-decoder"} | ({"experts", "router"} if experts else set())


def part_extent(shapes: Mapping[str, tuple[int, ...]], part: Part) -> int:
    return _shape(shapes[part.tensor], part)[0]


@pytest.mark.skipif(not WEIGHTS, reason="no checkpoints in ../shared/weights")
@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: f"{path.parent.name}-{path.stem[-20:]}")
def test_a_real_checkpoint_is_cut_into_parts_without_a_rest(path: Path) -> None:
    with open_checkpoint(path) as checkpoint:
        assignment = assign(checkpoint)
        assert all(name.endswith(":dequant") for name in assignment.unassigned)
        total = 0
        for part in assignment.parts:
            matrix = part_matrix(checkpoint, part)
            assert matrix.shape == part_shape(checkpoint, part)
            if matrix.shape[0] > 2:
                np.testing.assert_array_equal(part_rows(checkpoint, part, np.array([2, 0])), matrix[[2, 0]])
            total += matrix.size
        assert (
            total + sum(checkpoint.tensors[name].elements for name in assignment.unassigned) == checkpoint.parameters
        )


@pytest.mark.skipif(not WEIGHTS, reason="no checkpoints in ../shared/weights")
@pytest.mark.parametrize(
    ("path", "tensor", "gates"),
    [
        ("silero-vad/src_silero_vad_data_silero_vad_2025-08-25_cb605195", "decoder.rnn.weight_ih", 4),
        ("textgenrnn/weights_hacker_news", "rnn_1/rnn_1/kernel:0", 4),
        ("gtcrn/checkpoints_model_trained_on_dns3", "dpgrnn1.inter_rnn.rnn1.weight_ih_l0", 3),
    ],
)
def test_gates_of_real_recurrent_layers(path: str, tensor: str, gates: int) -> None:
    with open_checkpoint(SHARED / "weights" / f"{path}.safetensors") as checkpoint:
        found = [part for part in assign(checkpoint).parts if part.tensor.endswith(tensor)]
    assert found
    # Or nothing is permuted at all: where channels may be grouped, no length of theirs is.
    assert {(part.rows.space, part.rows.repeats) for part in found} <= {("hidden", gates), ("fixed", 1)}


# -- symmetries: the function of the network stays as it is


def places(axis: Axis, extent: int, permutation: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of an axis after its units are permuted."""
    grid = np.arange(extent).reshape(axis.repeats, -1, axis.block)
    return grid[:, permutation, :].reshape(-1)


def relabelled(folder: Path, tensors: Tensors, config: Mapping[str, Any], seed: int) -> tuple[Tensors, set[str]]:
    """Every group of a model permuted by a permutation of its own, and the groups.

    A checkpoint of the numbers 0, 1, 2 … shows where each number of a part stands in its tensor.
    """
    random, permutations = np.random.default_rng(seed), dict[str, NDArray[np.int64]]()
    numbered = {name: np.arange(array.size, dtype=np.float32).reshape(array.shape) for name, array in tensors.items()}
    (folder / "config.json").write_text(json.dumps(config))
    changed = {name: array.copy() for name, array in tensors.items()}

    def order(axis: Axis, extent: int) -> NDArray[np.int64]:
        if axis.space not in ("residual", "hidden", "heads", "kv-heads"):
            return np.arange(extent)
        units = extent // (axis.block * axis.repeats)
        permutation = permutations.setdefault(axis.group, random.permutation(units))
        return places(axis, extent, permutation)

    with open_checkpoint(save(folder / "model.safetensors", numbered)) as checkpoint:
        for part in assign(checkpoint).parts:
            stands = part_matrix(checkpoint, part).astype(np.int64)
            moved = stands[order(part.rows, stands.shape[0])][:, order(part.columns, stands.shape[1])]
            changed[part.tensor].reshape(-1)[stands] = tensors[part.tensor].reshape(-1)[moved]
    return changed, set(permutations)


def rms(x: Array, gain: Array) -> Array:
    return np.asarray(x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * gain)


def layer_norm(x: Array, gain: Array, bias: Array) -> Array:
    return np.asarray((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * gain + bias)


def attend(q: Array, k: Array, v: Array, heads: int, kv: int) -> Array:
    """Causal attention of [words, heads × width]; heads share keys and values in groups."""
    words = len(q)
    split = [x.reshape(words, count, -1).transpose(1, 0, 2) for x, count in ((q, heads), (k, kv), (v, kv))]
    q, k, v = split[0], np.repeat(split[1], heads // kv, axis=0), np.repeat(split[2], heads // kv, axis=0)
    scores = q @ k.transpose(0, 2, 1) + np.triu(np.full((words, words), -1e9), 1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = weights / weights.sum(-1, keepdims=True) @ v
    return np.asarray(mixed.transpose(1, 0, 2).reshape(words, -1))


def turned(x: Array, heads: int) -> Array:
    """Rotary positions."""
    words = len(x)
    halves = x.reshape(words, heads, 2, -1)
    angle = np.arange(words)[:, None] / 100.0 ** (np.arange(halves.shape[-1]) / halves.shape[-1])
    sin, cos = np.sin(angle)[:, None], np.cos(angle)[:, None]
    left, right = halves[:, :, 0], halves[:, :, 1]
    return np.stack([left * cos - right * sin, right * cos + left * sin], axis=2).reshape(words, -1)


def llama(t: Tensors) -> Array:
    x = t["model.embed_tokens.weight"][[3, 14, 15, 9]]
    name = "model.layers.0."
    y = rms(x, t[name + "input_layernorm.weight"])
    q, k, v = (y @ t[f"{name}self_attn.{p}_proj.weight"].T for p in "qkv")
    x = x + attend(turned(q, 8), turned(k, 2), v, 8, 2) @ t[name + "self_attn.o_proj.weight"].T
    y = rms(x, t[name + "post_attention_layernorm.weight"])
    gate, up = y @ t[name + "mlp.gate_proj.weight"].T, y @ t[name + "mlp.up_proj.weight"].T
    x = x + (gate / (1 + np.exp(-gate)) * up) @ t[name + "mlp.down_proj.weight"].T
    return np.asarray(rms(x, t["model.norm.weight"]) @ t["lm_head.weight"].T)


def gemma2(t: Tensors) -> Array:
    """Gains count from one, and there are norms behind attention and network, too."""
    name = "model.layers.0."

    def norm(x: Array, which: str) -> Array:
        return rms(x, 1 + t[f"{which}.weight"])

    x = t["model.embed_tokens.weight"][[3, 14, 15, 9]] * 32**0.5
    y = norm(x, f"{name}input_layernorm")
    q, k, v = (y @ t[f"{name}self_attn.{p}_proj.weight"].T for p in "qkv")
    said = attend(turned(q, 8), turned(k, 2), v, 8, 2) @ t[name + "self_attn.o_proj.weight"].T
    x = x + norm(said, f"{name}post_attention_layernorm")
    y = norm(x, f"{name}pre_feedforward_layernorm")
    gate, up = y @ t[name + "mlp.gate_proj.weight"].T, y @ t[name + "mlp.up_proj.weight"].T
    said = (0.5 * gate * (1 + np.tanh(0.798 * (gate + 0.0447 * gate**3))) * up) @ t[name + "mlp.down_proj.weight"].T
    x = x + norm(said, f"{name}post_feedforward_layernorm")
    return np.asarray(norm(x, "model.norm") @ t["lm_head.weight"].T)


def phi3(t: Tensors) -> Array:
    x = t["model.embed_tokens.weight"][[3, 14, 15, 9]]
    name = "model.layers.0."
    q, k, v = np.split(
        rms(x, t[name + "input_layernorm.weight"]) @ t[name + "self_attn.qkv_proj.weight"].T, [64, 80], -1
    )
    x = x + attend(turned(q, 8), turned(k, 2), v, 8, 2) @ t[name + "self_attn.o_proj.weight"].T
    y = rms(x, t[name + "post_attention_layernorm.weight"])
    gate, up = np.split(y @ t[name + "mlp.gate_up_proj.weight"].T, 2, -1)
    x = x + (np.tanh(gate) * up) @ t[name + "mlp.down_proj.weight"].T
    return np.asarray(rms(x, t["model.norm.weight"]) @ t["lm_head.weight"].T)


def gpt2(t: Tensors) -> Array:
    x = t["wte.weight"][[3, 14, 15, 9]] + t["wpe.weight"][:4]
    y = layer_norm(x, t["h.0.ln_1.weight"], t["h.0.ln_1.bias"])
    q, k, v = np.split(y @ t["h.0.attn.c_attn.weight"] + t["h.0.attn.c_attn.bias"], 3, -1)
    x = x + attend(q, k, v, 4, 4) @ t["h.0.attn.c_proj.weight"] + t["h.0.attn.c_proj.bias"]
    y = layer_norm(x, t["h.0.ln_2.weight"], t["h.0.ln_2.bias"])
    x = x + np.tanh(y @ t["h.0.mlp.c_fc.weight"] + t["h.0.mlp.c_fc.bias"]) @ t["h.0.mlp.c_proj.weight"]
    return np.asarray(layer_norm(x + t["h.0.mlp.c_proj.bias"], t["ln_f.weight"], t["ln_f.bias"]) @ t["wte.weight"].T)


def neox(t: Tensors) -> Array:
    """Queries, keys and values of one head stand together."""
    x = t["gpt_neox.embed_in.weight"][[3, 14, 15, 9]]
    name = "gpt_neox.layers.0."
    y = layer_norm(x, t[name + "input_layernorm.weight"], np.zeros(1, np.float32))
    fused = y @ t[name + "attention.query_key_value.weight"].T + t[name + "attention.query_key_value.bias"]
    q, k, v = (part.reshape(4, -1) for part in np.split(fused.reshape(4, 4, 24), 3, -1))
    x = x + attend(q, k, v, 4, 4) @ t[name + "attention.dense.weight"].T
    y = layer_norm(x, np.ones(1, np.float32), t[name + "post_attention_layernorm.bias"])
    x = x + np.tanh(y @ t[name + "mlp.dense_h_to_4h.weight"].T) @ t[name + "mlp.dense_4h_to_h.weight"].T
    gain = t["gpt_neox.final_layer_norm.weight"]
    return np.asarray(layer_norm(x, gain, np.zeros(1, np.float32)) @ t["embed_out.weight"].T)


PATCHES = np.random.default_rng(7).normal(size=(4, 3, 14, 14)).astype(np.float32)


def timm(t: Tensors) -> Array:
    """Tokens that no table moves are left out; everything else is as in a vision transformer."""
    x = np.einsum("pchw,dchw->pd", PATCHES, t["patch_embed.proj.weight"])
    zero = np.zeros(1, np.float32)
    q, k, v = np.split(layer_norm(x, t["blocks.0.norm1.weight"], zero) @ t["blocks.0.attn.qkv.weight"].T, 3, -1)
    x = x + attend(q, k, v, 4, 4) @ t["blocks.0.attn.proj.weight"].T
    y = np.tanh(layer_norm(x, t["blocks.0.norm2.weight"], zero) @ t["blocks.0.mlp.fc1.weight"].T)
    x = x + y @ t["blocks.0.mlp.fc2.weight"].T
    return np.asarray(layer_norm(x, t["norm.weight"], zero) @ t["head.weight"].T)


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


LSTM = """
embedding.weight 20 10
rnn.weight_ih_l0 64 10
rnn.weight_hh_l0 64 16
rnn.bias_ih_l0 64
rnn.bias_hh_l0 64
head.weight 5 16
head.bias 5
"""


def lstm(t: Tensors) -> Array:
    state = memory = np.zeros(16, np.float32)
    for word in (3, 14, 15, 9):
        gates = t["embedding.weight"][word] @ t["rnn.weight_ih_l0"].T + t["rnn.bias_ih_l0"] + t["rnn.bias_hh_l0"]
        i, f, g, o = np.split(gates + state @ t["rnn.weight_hh_l0"].T, 4)
        memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
        state = sigmoid(o) * np.tanh(memory)
    return np.asarray(t["head.weight"] @ state + t["head.bias"])


KERAS = """
rnn/kernel:0 10 64
rnn/recurrent_kernel:0 16 64
rnn/bias:0 64
embedding/embeddings:0 20 10
output/kernel:0 16 5
"""


def keras_lstm(t: Tensors) -> Array:
    return lstm(
        {
            "embedding.weight": t["embedding/embeddings:0"],
            "rnn.weight_ih_l0": t["rnn/kernel:0"].T,
            "rnn.weight_hh_l0": t["rnn/recurrent_kernel:0"].T,
            "rnn.bias_ih_l0": t["rnn/bias:0"],
            "rnn.bias_hh_l0": np.zeros(1, np.float32),
            "head.weight": t["output/kernel:0"].T,
            "head.bias": np.zeros(1, np.float32),
        }
    )


CONVOLUTIONS = """
stem.weight 8 3 3 3
depth.weight 8 1 3 3
wide.weight 12 8 3 3
wide.bias 12
head.0.weight 30 12
head.0.bias 30
head.2.weight 5 30
"""
IMAGE = np.random.default_rng(8).normal(size=(3, 9, 9)).astype(np.float32)


def windows(x: Array) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))


def convolutions(t: Tensors) -> Array:
    x = np.tanh(np.einsum("chwij,ocij->ohw", windows(IMAGE), t["stem.weight"]))
    x = np.tanh(np.einsum("chwij,cij->chw", windows(x), t["depth.weight"][:, 0]))
    x = np.tanh(np.einsum("chwij,ocij->ohw", windows(x), t["wide.weight"]) + t["wide.bias"][:, None, None])
    x = np.tanh(t["head.0.weight"] @ x.mean((1, 2)) + t["head.0.bias"])
    return np.asarray(t["head.2.weight"] @ x)


@pytest.mark.parametrize(
    ("text", "config", "forward", "groups"),
    [
        (MODELS["llama"].tensors, HEADS := MODELS["llama"].config, llama, 3),
        (MODELS["gemma2"].tensors, HEADS, gemma2, 3),
        (MODELS["phi3"].tensors, HEADS, phi3, 3),
        (MODELS["gpt2"].tensors, MODELS["gpt2"].config, gpt2, 3),
        (MODELS["gpt-neox"].tensors, MODELS["gpt-neox"].config, neox, 3),
        (MODELS["timm-vit"].tensors, MODELS["timm-vit"].config, timm, 3),
        (LSTM, {}, lstm, 2),
        (KERAS, {}, keras_lstm, 2),
        (CONVOLUTIONS, {}, convolutions, 3),
    ],
    ids=["llama", "gemma2", "phi3", "gpt2", "neox", "vit", "lstm", "keras lstm", "convolutions"],
)
@pytest.mark.parametrize("seed", range(3))
def test_relabelling_leaves_the_function(
    tmp_path: Path, text: str, config: Mapping[str, Any], forward: Callable[[Tensors], Array], groups: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    tensors = {
        name: (random.normal(size=shape) / max(1, shape[-1] if shape else 1) ** 0.5).astype(np.float32)
        for name, shape in shapes_of(text).items()
    }
    changed, permuted = relabelled(tmp_path, tensors, config, seed)
    assert len(permuted) == groups, permuted
    assert any(not np.array_equal(changed[name], tensors[name]) for name in tensors)
    np.testing.assert_allclose(forward(changed), forward(tensors), rtol=1e-3, atol=1e-5)
    # A relabelling of one tensor alone is none: the test would see a wrong group.
    broken = tensors | {name: changed[name] for name in list(tensors)[-3:-2]}
    if not np.array_equal(broken[list(tensors)[-3]], tensors[list(tensors)[-3]]):
        assert not np.allclose(forward(broken), forward(tensors), rtol=1e-3, atol=1e-5)


# -- single rules


def test_fused_stacked_and_transposed_tensors_are_cut_where_they_should(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    tensors = {n: random.normal(size=s).astype(np.float32) for n, s in shapes_of(MODELS["gpt-oss"].tensors).items()}
    (tmp_path / "config.json").write_text(json.dumps(MODELS["gpt-oss"].config))
    name = "model.layers.0.mlp.experts.gate_up_proj"
    with open_checkpoint(save(tmp_path / "model.safetensors", tensors)) as checkpoint:
        parts = parts_of(assign(checkpoint), name)
        assert [part.expert for part in parts] == [0, 1]
        for part in parts:
            np.testing.assert_array_equal(part_matrix(checkpoint, part), tensors[name][part.index])
            assert (part.rows.block, part.rows.group) == (2, f"text/hidden/0/{part.expert}")
            np.testing.assert_array_equal(
                part_rows(checkpoint, part, np.array([5, 1])), tensors[name][part.index, [5, 1]]
            )


def test_kv_groups_are_the_units_of_grouped_attention() -> None:
    found = assigned(infos(shapes_of(MODELS["llama"].tensors)), MODELS["llama"].config)
    q, k, o = (parts_of(found, f"model.layers.0.self_attn.{p}_proj.weight")[0] for p in "qko")
    assert (q.rows.space, q.rows.block) == ("kv-heads", 32)
    assert (k.rows.space, k.rows.block) == ("kv-heads", 8)
    assert q.rows.group == k.rows.group == o.columns.group


def test_merged_patches_repeat_the_channels() -> None:
    found = assigned(infos(shapes_of(MODELS["qwen3-vl"].tensors)), MODELS["qwen3-vl"].config)
    (part,) = parts_of(found, "model.visual.merger.linear_fc1.weight")
    assert part.columns == Axis("residual", "vision/residual", repeats=4)
    assert part.component == "projector"


@pytest.mark.parametrize(
    ("config", "said"),
    [({"num_attention_heads": 7}, "7"), ({"num_attention_heads": 8, "num_key_value_heads": 3}, "3")],
)
def test_a_config_that_lies_about_heads_is_told_and_not_believed(
    tmp_path: Path, config: Mapping[str, Any], said: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    tensors = {n: np.ones(s, np.float32) for n, s in shapes_of(MODELS["llama"].tensors).items()}
    with open_checkpoint(save(tmp_path / "model.safetensors", tensors)) as checkpoint:
        found = inspect(checkpoint)
        q = parts_of(assign(checkpoint), "model.layers.0.self_attn.q_proj.weight")[0]
    assert q.rows.space == "unknown"
    assert {(each.code, each.values["said"]) for each in found.problems} == {("checkpoint-config-lies", said)}


@pytest.mark.parametrize("config", [{}, {"model_type": "gpt2"}, {"model_type": ["x"], "text_config": 3}])
def test_the_config_does_not_choose_the_family(config: Mapping[str, Any]) -> None:
    assert assigned(infos(shapes_of(MODELS["llama"].tensors)), config).family == "llama"


def test_without_a_config_heads_are_unknown_and_the_rest_is_known() -> None:
    found = assigned(infos(shapes_of(MODELS["llama"].tensors)), {})
    assert parts_of(found, "model.layers.0.self_attn.q_proj.weight")[0].rows.space == "unknown"
    assert parts_of(found, "model.layers.0.mlp.up_proj.weight")[0].rows.space == "hidden"


def test_grouped_convolutions_are_not_permuted() -> None:
    """Nor is anything else of their length: the groups tie it."""
    found = assigned(infos({"a.weight": (32, 3, 3, 3), "b.weight": (32, 8, 3, 3), "c.weight": (10, 32)}), {})
    assert found.family == BY_SHAPE
    assert {part.rows.space for part in found.parts} | {part.columns.space for part in found.parts} == {
        "unknown",
        "fixed",
        "patch",
    }


def test_an_inspection_adds_up(tmp_path: Path) -> None:
    known = MODELS["qwen2-audio"]
    (tmp_path / "config.json").write_text(json.dumps(known.config))
    tensors = {n: np.ones(s, np.float32) for n, s in shapes_of(known.tensors).items()}
    tensors["nobody.knows"] = np.ones((3, 5), np.float32)
    with open_checkpoint(save(tmp_path / "model.safetensors", tensors)) as checkpoint:
        found = inspect(checkpoint)
    assert found.family == "qwen-audio"
    assert found.parameters == sum(array.size for array in tensors.values())
    assert found.assigned == found.parameters - 15
    assert [info.name for info in found.unassigned] == ["nobody.knows"]
    assert found.components["audio-encoder"] == sum(a.size for n, a in tensors.items() if n.startswith("audio_tower"))
    assert found.components["projector"] == 24 * 32 + 32
    assert list(found.components) == sorted(found.components, key=lambda each: -found.components[each])
    assert found.types == {"F32": 4 * found.parameters}


def test_tables_are_sound() -> None:
    """Each table loads, titles differ, and no line of a table is hidden whole by an earlier one of its own name."""
    assert len(families()) >= 20
    assert len({family.title for family in families()}) == len(families())
    for family in families():
        assert family.rules
