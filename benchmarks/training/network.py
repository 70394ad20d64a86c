"""The networks, written once for JAX and for NumPy: a Llama-style decoder, a ViT-style eye and a Whisper-style ear.

Weights are a flat mapping from the names that checkpoints use to arrays. Every function takes the array module first,
so that what is trained with `jax.numpy` is checked with `numpy`, which the tests have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from benchmarks.training.world import BANDS, COLOURS, FRAMES, MOTIONS, PICTURE, PITCHES, SHAPES, VOCABULARY

Module: TypeAlias = Any
"""`numpy` or `jax.numpy`."""
Array: TypeAlias = Any
"""An array of that module."""
Weights: TypeAlias = Mapping[str, Any]

EYE = "vision_tower.vision_model."
EAR = "audio_tower."
BRIDGES = {"vision": "multi_modal_projector.", "audio": "audio_projector."}
SCAFFOLD = "scaffold."
"""Tensors that only help to train: they are not in the checkpoint."""

_RMS_EPSILON = 1e-5
_ROPE_BASE = 10_000.0


@dataclass(frozen=True)
class Text:
    """A decoder in the manner of Llama (Qwen2 where `bias` is set, Mixtral where there are experts)."""

    width: int = 96
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    key_heads: int = 2
    bias: bool = False
    vocabulary: int = VOCABULARY
    experts: int = 0

    @property
    def head(self) -> int:
        """Channels of one head."""
        return self.width // self.heads


@dataclass(frozen=True)
class Encoder:
    """An encoder of pictures or sounds with learned layer norms and a GELU network."""

    width: int = 64
    hidden: int = 256
    layers: int = 3
    heads: int = 4
    patch: int = 4


@dataclass(frozen=True)
class Shape:
    """Which parts a model has and how large they are."""

    text: Text | None = None
    vision: Encoder | None = None
    audio: Encoder | None = None


OMNI = Shape(Text(), Encoder(), Encoder())


def draw(
    shape: Shape, rng: np.random.Generator, deviation: float | None = None
) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Truly random weights: normal, gains one, biases zero, Whisper's fixed positions.

    Their standard deviation is what is given, or else 1/√(fan-in), and a half for what is looked up.
    """
    sizes = sizes_of(shape)
    weights = {}
    for name, size in sizes.items():
        if name == f"{EAR}embed_positions.weight":
            weights[name] = _sinusoids(*size)
        elif name.endswith(".bias"):
            weights[name] = np.zeros(size, np.float32)
        elif len(size) == 1:
            weights[name] = np.ones(size, np.float32)
        else:
            lookup = "embed_tokens" in name or "position_embedding" in name
            spread = deviation or (0.5 if lookup else float(np.prod(size[1:])) ** -0.5)
            weights[name] = (spread * rng.standard_normal(size)).astype(np.float32)
    return weights


def sizes_of(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Every tensor of a model of this shape, in the order of a checkpoint."""
    sizes: dict[str, tuple[int, ...]] = {}
    if shape.vision:
        sizes |= _vision_sizes(shape.vision)
        sizes |= _head_sizes("vision", shape.vision, len(SHAPES) * len(COLOURS))
    if shape.audio:
        sizes |= _audio_sizes(shape.audio)
        sizes |= _head_sizes("audio", shape.audio, len(MOTIONS) * len(PITCHES))
    if shape.text:
        for sense, encoder in (("vision", shape.vision), ("audio", shape.audio)):
            if encoder:
                width = shape.text.width
                sizes |= _linear(f"{BRIDGES[sense]}linear_1", width, encoder.width)
                sizes |= _linear(f"{BRIDGES[sense]}linear_2", width, width)
        sizes |= _text_sizes(shape.text)
    return sizes


def _linear(name: str, out: int, into: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into)} | ({f"{name}.bias": (out,)} if bias else {})


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _head_sizes(sense: str, encoder: Encoder, classes: int) -> dict[str, tuple[int, ...]]:
    return _linear(f"{SCAFFOLD}{sense}", classes, encoder.width)


def _vision_sizes(it: Encoder) -> dict[str, tuple[int, ...]]:
    patches = (PICTURE // it.patch) ** 2
    sizes: dict[str, tuple[int, ...]] = {
        f"{EYE}embeddings.patch_embedding.weight": (it.width, 3, it.patch, it.patch),
        f"{EYE}embeddings.patch_embedding.bias": (it.width,),
        f"{EYE}embeddings.position_embedding.weight": (patches, it.width),
    }
    for layer in range(it.layers):
        at = f"{EYE}encoder.layers.{layer}."
        sizes |= _norm(f"{at}layer_norm1", it.width)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            sizes |= _linear(f"{at}self_attn.{part}", it.width, it.width)
        sizes |= _norm(f"{at}layer_norm2", it.width)
        sizes |= _linear(f"{at}mlp.fc1", it.hidden, it.width) | _linear(f"{at}mlp.fc2", it.width, it.hidden)
    return sizes | _norm(f"{EYE}post_layernorm", it.width)


def _audio_sizes(it: Encoder) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {
        f"{EAR}conv1.weight": (it.width, BANDS, 3),
        f"{EAR}conv1.bias": (it.width,),
        f"{EAR}conv2.weight": (it.width, it.width, 3),
        f"{EAR}conv2.bias": (it.width,),
        f"{EAR}embed_positions.weight": (FRAMES // 2, it.width),
    }
    for layer in range(it.layers):
        at = f"{EAR}layers.{layer}."
        sizes |= _linear(f"{at}self_attn.k_proj", it.width, it.width, bias=False)
        for part in ("v_proj", "q_proj", "out_proj"):
            sizes |= _linear(f"{at}self_attn.{part}", it.width, it.width)
        sizes |= _norm(f"{at}self_attn_layer_norm", it.width)
        sizes |= _linear(f"{at}fc1", it.hidden, it.width) | _linear(f"{at}fc2", it.width, it.hidden)
        sizes |= _norm(f"{at}final_layer_norm", it.width)
    return sizes | _norm(f"{EAR}layer_norm", it.width)


def _text_sizes(it: Text) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (it.vocabulary, it.width)}
    outs = {"q_proj": it.heads, "k_proj": it.key_heads, "v_proj": it.key_heads}
    for layer in range(it.layers):
        at = f"model.layers.{layer}."
        sizes[f"{at}input_layernorm.weight"] = (it.width,)
        for part, heads in outs.items():
            sizes |= _linear(f"{at}self_attn.{part}", heads * it.head, it.width, bias=it.bias)
        sizes[f"{at}self_attn.o_proj.weight"] = (it.width, it.width)
        sizes[f"{at}post_attention_layernorm.weight"] = (it.width,)
        if it.experts:
            sizes[f"{at}{ROUTER}.weight"] = (it.experts, it.width)
        for gate, up, down in networks_of(it, layer):
            sizes[gate] = sizes[up] = (it.hidden, it.width)
            sizes[down] = (it.width, it.hidden)
    sizes["model.norm.weight"] = (it.width,)
    sizes["lm_head.weight"] = (it.vocabulary, it.width)
    return sizes


ROUTER = "block_sparse_moe.gate"


def networks_of(it: Text, layer: int) -> list[tuple[str, str, str]]:
    """The gate, up and down matrices of a layer: one network, or Mixtral's experts."""
    at = f"model.layers.{layer}."
    if not it.experts:
        return [(f"{at}mlp.gate_proj.weight", f"{at}mlp.up_proj.weight", f"{at}mlp.down_proj.weight")]
    inside = [f"{at}block_sparse_moe.experts.{expert}." for expert in range(it.experts)]
    return [(f"{expert}w1.weight", f"{expert}w3.weight", f"{expert}w2.weight") for expert in inside]


def _sinusoids(length: int, width: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    steps = np.exp(-np.log(10_000) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(length)[:, None] * steps[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def see(xp: Module, weights: Weights, shape: Encoder, pictures: Array) -> Array:
    """[size, 3, side, side] -> [size, patches, width]."""
    size, across = len(pictures), PICTURE // shape.patch
    cut = pictures.reshape(size, 3, across, shape.patch, across, shape.patch).transpose(0, 2, 4, 1, 3, 5)
    kernel = weights[f"{EYE}embeddings.patch_embedding.weight"].reshape(shape.width, -1)
    x = cut.reshape(size, across * across, -1) @ kernel.T + weights[f"{EYE}embeddings.patch_embedding.bias"]
    x = x + weights[f"{EYE}embeddings.position_embedding.weight"]
    for layer in range(shape.layers):
        at = f"{EYE}encoder.layers.{layer}."
        x = x + _attend(xp, weights, f"{at}self_attn.", _layer_norm(xp, weights, f"{at}layer_norm1", x), shape)
        x = x + _mlp(xp, weights, f"{at}mlp.", _layer_norm(xp, weights, f"{at}layer_norm2", x))
    return _layer_norm(xp, weights, f"{EYE}post_layernorm", x)


def hear(xp: Module, weights: Weights, shape: Encoder, sounds: Array) -> Array:
    """[size, bands, frames] -> [size, frames / 2, width]."""
    x = _gelu(xp, _convolve(xp, weights, f"{EAR}conv1", sounds.transpose(0, 2, 1), 1))
    x = _gelu(xp, _convolve(xp, weights, f"{EAR}conv2", x, 2))
    x = x + weights[f"{EAR}embed_positions.weight"]
    for layer in range(shape.layers):
        at = f"{EAR}layers.{layer}."
        inside = _layer_norm(xp, weights, f"{at}self_attn_layer_norm", x)
        x = x + _attend(xp, weights, f"{at}self_attn.", inside, shape)
        x = x + _mlp(xp, weights, at, _layer_norm(xp, weights, f"{at}final_layer_norm", x))
    return _layer_norm(xp, weights, f"{EAR}layer_norm", x)


def read(xp: Module, weights: Weights, shape: Text, tokens: Array, before: tuple[Array, ...] = ()) -> Array:
    """Logits of the next token at every token; `before` holds what the encoders saw and heard, [size, n, width]."""
    x = xp.concatenate([*before, weights["model.embed_tokens.weight"][tokens]], axis=1)
    for layer in range(shape.layers):
        at = f"model.layers.{layer}."
        x = x + _attend_causally(
            xp, weights, f"{at}self_attn.", _rms_norm(xp, weights, f"{at}input_layernorm", x), shape
        )
        inside = _rms_norm(xp, weights, f"{at}post_attention_layernorm", x)
        x = x + _networks(xp, weights, shape, layer, inside)
    x = _rms_norm(xp, weights, "model.norm", x[:, x.shape[1] - tokens.shape[1] :])
    return x @ weights["lm_head.weight"].T


def _networks(xp: Module, weights: Weights, shape: Text, layer: int, x: Array) -> Array:
    said = []
    for gate, up, down in networks_of(shape, layer):
        opened = x @ weights[gate].T
        said.append((opened / (1 + xp.exp(-opened)) * (x @ weights[up].T)) @ weights[down].T)
    if not shape.experts:
        return said[0]
    # The two best experts speak, in proportion to the router's confidence in them.
    routed = x @ weights[f"model.layers.{layer}.{ROUTER}.weight"].T
    second = xp.sort(routed, axis=-1)[..., -2:-1]
    shares = _softmax(xp, xp.where(routed >= second, routed, -1e9))
    return sum(shares[..., expert : expert + 1] * word for expert, word in enumerate(said))


def bridge(xp: Module, weights: Weights, sense: str, x: Array) -> Array:
    """What an encoder says, in the decoder's own channels."""
    at = BRIDGES[sense]
    x = _gelu(xp, x @ weights[f"{at}linear_1.weight"].T + weights[f"{at}linear_1.bias"])
    return x @ weights[f"{at}linear_2.weight"].T + weights[f"{at}linear_2.bias"]


def run(
    xp: Module, weights: Weights, shape: Shape, tokens: Array, pictures: Array, sounds: Array
) -> dict[str, Array]:
    """Everything that a model answers: what it sees, what it hears and its logits."""
    said: dict[str, Array] = {}
    if shape.vision:
        said["vision"] = see(xp, weights, shape.vision, pictures)
    if shape.audio:
        said["audio"] = hear(xp, weights, shape.audio, sounds)
    if shape.text:
        before = tuple(bridge(xp, weights, sense, said[sense]) for sense in said)
        said["text"] = read(xp, weights, shape.text, tokens, before)
    return said


def _rms_norm(xp: Module, weights: Weights, name: str, x: Array) -> Array:
    return x / xp.sqrt((x * x).mean(-1, keepdims=True) + _RMS_EPSILON) * weights[f"{name}.weight"]


def _layer_norm(xp: Module, weights: Weights, name: str, x: Array) -> Array:
    x = x - x.mean(-1, keepdims=True)
    return _rms_norm(xp, weights, name, x) + weights[f"{name}.bias"]


def _gelu(xp: Module, x: Array) -> Array:
    return 0.5 * x * (1 + xp.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def _mlp(xp: Module, weights: Weights, at: str, x: Array) -> Array:
    inside = _gelu(xp, x @ weights[f"{at}fc1.weight"].T + weights[f"{at}fc1.bias"])
    return inside @ weights[f"{at}fc2.weight"].T + weights[f"{at}fc2.bias"]


def _convolve(xp: Module, weights: Weights, name: str, x: Array, stride: int) -> Array:
    """A convolution over time with a kernel of three and one frame of padding; x is [size, time, channels]."""
    kernel = weights[f"{name}.weight"]
    length = x.shape[1]
    x = xp.pad(x, ((0, 0), (1, 1), (0, 0)))
    taps = [x[:, tap : tap + length : stride] @ kernel[:, :, tap].T for tap in range(3)]
    return taps[0] + taps[1] + taps[2] + weights[f"{name}.bias"]


def _projected(weights: Weights, name: str, x: Array) -> Array:
    x = x @ weights[f"{name}.weight"].T
    return x + weights[f"{name}.bias"] if f"{name}.bias" in weights else x


def _split(x: Array, heads: int) -> Array:
    return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)


def _softmax(xp: Module, x: Array) -> Array:
    x = xp.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def _attend(xp: Module, weights: Weights, at: str, x: Array, shape: Encoder) -> Array:
    q, k, v = (_split(_projected(weights, f"{at}{part}_proj", x), shape.heads) for part in "qkv")
    seen = _softmax(xp, q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5) @ v
    return _projected(weights, f"{at}out_proj", seen.transpose(0, 2, 1, 3).reshape(x.shape))


def _attend_causally(xp: Module, weights: Weights, at: str, x: Array, shape: Text) -> Array:
    size, length = x.shape[:2]
    q = _turned(xp, _split(_projected(weights, f"{at}q_proj", x), shape.heads))
    k = _turned(xp, _split(_projected(weights, f"{at}k_proj", x), shape.key_heads))
    v = _split(_projected(weights, f"{at}v_proj", x), shape.key_heads)
    # Query heads that share a key head lie side by side, as in Llama.
    grouped = q.reshape(size, shape.key_heads, -1, length, shape.head)
    scores = grouped @ k[:, :, None].swapaxes(-1, -2) * shape.head**-0.5
    scores = xp.where(np.tril(np.ones((length, length), dtype=bool)), scores, -1e9)
    seen = (_softmax(xp, scores) @ v[:, :, None]).reshape(size, shape.heads, length, shape.head)
    return seen.transpose(0, 2, 1, 3).reshape(size, length, -1) @ weights[f"{at}o_proj.weight"].T


def _turned(xp: Module, x: Array) -> Array:
    """Rotary positions; channel i of a head is paired with channel i + half."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[2])[:, None] * _ROPE_BASE ** (-np.arange(half) / half)[None]
    cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    one, two = x[..., :half], x[..., half:]
    return xp.concatenate([one * cos - two * sin, two * cos + one * sin], axis=-1)
