"""Checkpoints as the public ones are: bf16 safetensors under the usual names, config.json and tokenizer.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.training.network import SCAFFOLD, Encoder, Shape, Text
from benchmarks.training.world import BANDS, FRAMES, PICTURE, words

Floats: TypeAlias = NDArray[np.float32]

WEIGHTS = "model.safetensors"


def rounded(values: ArrayLike) -> NDArray[np.uint16]:
    """The bits of the nearest bf16, ties to even."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def widened(bits: NDArray[np.uint16]) -> Floats:
    """The float32 values of bf16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def kept(weights: Mapping[str, Any]) -> dict[str, Floats]:
    """What a checkpoint keeps of the weights: no scaffold, and bf16."""
    return {name: widened(rounded(value)) for name, value in weights.items() if not name.startswith(SCAFFOLD)}


def write(
    folder: Path,
    weights: Mapping[str, Any],
    shape: Shape,
    figures: Mapping[str, Any] | None = None,
    spoken: Sequence[str] | None = None,
) -> None:
    """Write a model into a folder that is made where it does not exist; the weights last, and whole or not at all.

    spoken: the word of each row, where they do not stand as the language has them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "config.json", config_of(shape))
    if shape.text:
        vocabulary = {word: number for number, word in enumerate(words() if spoken is None else spoken)}
        model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<pad>"}
        _write_json(folder / "tokenizer.json", {"version": "1.0", "model": model})
    if figures:
        _write_json(folder / "training.json", figures)
    unfinished = folder / f"{WEIGHTS}.{os.getpid()}.part"
    write_tensors(unfinished, weights)
    unfinished.replace(folder / WEIGHTS)


def write_tensors(path: Path, weights: Mapping[str, Any]) -> None:
    """One safetensors file, header padded to eight bytes as the format asks."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    pieces, at = [], 0
    for name in sorted(name for name in weights if not name.startswith(SCAFFOLD)):
        piece = rounded(weights[name]).astype("<u2").tobytes()
        header[name] = {"dtype": "BF16", "shape": list(weights[name].shape), "data_offsets": [at, at + len(piece)]}
        pieces.append(piece)
        at += len(piece)
    said = json.dumps(header, separators=(",", ":")).encode()
    said += b" " * (-len(said) % 8)
    path.write_bytes(len(said).to_bytes(8, "little") + said + b"".join(pieces))


def read(folder: Path) -> dict[str, Floats]:
    """The weights of a folder that `write` made."""
    return read_tensors(folder / WEIGHTS)


def read_tensors(path: Path) -> dict[str, Floats]:
    """The weights of a file that `write_tensors` made."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    weights = {}
    for name, about in header.items():
        if name != "__metadata__":
            first, last = (8 + length + offset for offset in about["data_offsets"])
            weights[name] = widened(np.frombuffer(data[first:last], dtype="<u2")).reshape(about["shape"])
    return weights


def config_of(shape: Shape) -> dict[str, Any]:
    """A configuration as such models publish it: the decoder's fields outside, a section for each encoder."""
    config: dict[str, Any] = _text_config(shape.text) if shape.text else {"model_type": "encoders"}
    if shape.vision:
        sizes = {"image_size": PICTURE, "patch_size": shape.vision.patch, "num_channels": 3}
        config["vision_config"] = {"model_type": "siglip_vision_model", **_encoder_config(shape.vision), **sizes}
    if shape.audio:
        audio = shape.audio
        config["audio_config"] = {
            "model_type": "whisper",
            "d_model": audio.width,
            "encoder_ffn_dim": audio.hidden,
            "encoder_layers": audio.layers,
            "encoder_attention_heads": audio.heads,
            "activation_function": "gelu_pytorch_tanh",
            "num_mel_bins": BANDS,
            "max_source_positions": FRAMES // 2,
        }
    return config


def _text_config(text: Text) -> dict[str, Any]:
    family, architecture = ("qwen2", "Qwen2") if text.bias else ("llama", "Llama")
    sparse: dict[str, Any] = {}
    if text.experts:
        family, architecture = "mixtral", "Mixtral"
        sparse = {"num_local_experts": text.experts, "num_experts_per_tok": 2}
    return {
        "architectures": [f"{architecture}ForCausalLM"],
        "model_type": family,
        **sparse,
        "hidden_size": text.width,
        "intermediate_size": text.hidden,
        "num_hidden_layers": text.layers,
        "num_attention_heads": text.heads,
        "num_key_value_heads": text.key_heads,
        "head_dim": text.head,
        "vocab_size": text.vocabulary,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }


def _encoder_config(encoder: Encoder) -> dict[str, Any]:
    return {
        "hidden_size": encoder.width,
        "intermediate_size": encoder.hidden,
        "num_hidden_layers": encoder.layers,
        "num_attention_heads": encoder.heads,
        "hidden_act": "gelu_pytorch_tanh",
        "layer_norm_eps": 1e-5,
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
