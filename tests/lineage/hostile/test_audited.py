"""Checkpoints that can be read and mean harm to the audit: it ends with its findings, whoever is the submission."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dokja.language import Voice
from dokja.lineage import Audit, Reference, audit, open_checkpoint, reference
from dokja.lineage.library import build, open_library
from dokja.lineage.page.writing import render
from dokja.lineage.telling import lines, to_json
from tests.lineage.saved import save

WIDTH, HIDDEN, LAYERS, VOCABULARY, HEADS = 32, 96, 2, 128, 4
KEY = 5

Tensors = dict[str, NDArray[np.float32]]
CONFIG: Mapping[str, Any] = {"model_type": "llama", "hidden_size": WIDTH, "num_attention_heads": HEADS}
WORDS: Mapping[str, Any] = {"model": {"vocab": {f"word-{number}": number for number in range(VOCABULARY)}}}


def llama(seed: int) -> Tensors:
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape).astype(np.float32)

    tensors = {"model.embed_tokens.weight": matrix(VOCABULARY, WIDTH), "lm_head.weight": matrix(VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        block = f"model.layers.{layer}."
        tensors |= {f"{block}self_attn.{each}_proj.weight": matrix(WIDTH, WIDTH) for each in "qkvo"}
        tensors |= {f"{block}mlp.{each}_proj.weight": matrix(HIDDEN, WIDTH) for each in ("gate", "up")}
        tensors[f"{block}mlp.down_proj.weight"] = matrix(WIDTH, HIDDEN)
        tensors[f"{block}post_attention_layernorm.weight"] = np.ones(WIDTH, np.float32)
    return tensors


def written(folder: Path, tensors: Tensors, config: object = CONFIG, words: object = WORDS) -> Path:
    folder.mkdir()
    save(folder / "model.safetensors", tensors)
    for name, value in (("config.json", config), ("tokenizer.json", words)):
        if value is not None:
            (folder / name).write_text(json.dumps(value))
    return folder


def audited(mine: Path, other: Path) -> Audit:
    with open_checkpoint(mine) as one, open_checkpoint(other) as two:
        found = audit(reference("mine", one, KEY), [reference("other", two, KEY)], key=KEY)
    for language in ("ko", "en"):
        assert list(lines(found, Voice(language)))
        assert render(found, "dokja audit", language)
    json.loads(to_json(found), parse_constant=lambda name: pytest.fail(f"{name} is no number"))
    return found


def words_of(found: Audit) -> Mapping[str, str]:
    return {each.component: each.word for each in found.findings}


def changed(name: str, change: Callable[[NDArray[np.float32]], NDArray[Any]]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {**tensors, name: change(tensors[name])}


UP = "model.layers.0.mlp.up_proj.weight"
Q = "model.layers.1.self_attn.q_proj.weight"
EMBEDDINGS = "model.embed_tokens.weight"

WEIGHTS: Mapping[str, Callable[[Tensors], Tensors]] = {
    "all NaN": lambda tensors: {name: np.full_like(value, np.nan) for name, value in tensors.items()},
    "all zero": lambda tensors: {name: np.zeros_like(value) for name, value in tensors.items()},
    "constants": lambda tensors: {name: np.full_like(value, 3) for name, value in tensors.items()},
    "as large as numbers are": lambda tensors: {name: value * np.float32(1e37) for name, value in tensors.items()},
    "an infinity": changed(UP, lambda value: np.where(value == value.max(), np.inf, value).astype(np.float32)),
    "no neurons": changed(UP, lambda value: value[:0]),
    "no queries": changed(Q, lambda value: value[:0]),
    "one query": changed(Q, lambda value: value[:1]),
    "queries as a vector": changed(Q, np.ravel),
    "embeddings as a vector": changed(EMBEDDINGS, np.ravel),
    "embeddings of fewer channels": changed(EMBEDDINGS, lambda value: value[:, :16]),
    "embeddings of no words": changed(EMBEDDINGS, lambda value: value[:0]),
    "embeddings of one word": changed(EMBEDDINGS, lambda value: value[:1]),
    "embeddings with places": changed(EMBEDDINGS, lambda value: value.reshape(VOCABULARY, 8, 2, 2)),
    "neurons of zeros and ones": changed(UP, lambda value: (value > 0).astype(np.uint8)),
    "one channel": lambda tensors: {name: value[..., :1] for name, value in tensors.items()},
    "a tensor alone": lambda tensors: {UP: tensors[UP]},
    "names of another family": lambda tensors: {
        name.replace("model.layers", "transformer.h"): value for name, value in tensors.items()
    },
    "half of a quantised layer": lambda tensors: {
        name.replace("weight", "qweight") if name == UP else name: value for name, value in tensors.items()
    },
}


@pytest.mark.parametrize("case", WEIGHTS)
@pytest.mark.filterwarnings("error")
def test_hostile_weights_are_audited_and_accuse_no_stranger(case: str, tmp_path: Path) -> None:
    hostile = written(
        tmp_path / "hostile", {name: np.ascontiguousarray(v) for name, v in WEIGHTS[case](llama(1)).items()}
    )
    stranger = written(tmp_path / "stranger", llama(2))
    for found in (audited(hostile, stranger), audited(stranger, hostile)):
        assert set(words_of(found).values()) <= {"no-evidence", "not-assessed"}


CONFIGS: Mapping[str, object] = {
    "none": None,
    "nothing in it": {},
    "no heads": {"model_type": "llama"},
    "other heads": {**CONFIG, "num_attention_heads": 8},
    "heads of one row": {**CONFIG, "num_attention_heads": WIDTH},
    "heads that do not divide": {**CONFIG, "num_attention_heads": 5},
    "heads without end": {**CONFIG, "num_attention_heads": 10**30},
    "heads as a text": {**CONFIG, "num_attention_heads": "4"},
    "negative heads": {**CONFIG, "num_attention_heads": -4},
    "half a head": {**CONFIG, "num_attention_heads": 4.5},
    "more heads for keys than for queries": {**CONFIG, "num_key_value_heads": 16},
    "no heads for keys": {**CONFIG, "num_key_value_heads": 0},
    "heads in another place": {**CONFIG, "text_config": {"num_attention_heads": False, "head_dim": 8}},
    "a list for a place": {**CONFIG, "text_config": [1, 2], "vision_config": "x"},
    "another type": {**CONFIG, "model_type": ["gemma2"]},
    "gains from one": {**CONFIG, "model_type": "gemma2"},
    "ALiBi": {**CONFIG, "position_embedding_type": "alibi", "alibi": [None]},
    "quantised, it says": {**CONFIG, "quantization_config": {"quant_method": "gptq", "bits": -1, "group_size": 0}},
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_hostile_config_hides_no_copy_and_makes_none(case: str, tmp_path: Path) -> None:
    copy = written(tmp_path / "copy", llama(1), CONFIGS[case])
    original, stranger = written(tmp_path / "original", llama(1)), written(tmp_path / "stranger", llama(2))
    for found in (audited(copy, original), audited(original, copy)):
        assert set(words_of(found).values()) == {"identical"}
    for found in (audited(copy, stranger), audited(stranger, copy)):
        assert set(words_of(found).values()) <= {"no-evidence", "not-assessed"}


TOKENIZERS: Mapping[str, object] = {
    "none": None,
    "a list": [],
    "no words": {"model": {"vocab": {}}},
    "words in a list": {"model": {"vocab": ["a", 3, None]}},
    "rows behind the end": {"model": {"vocab": {f"word-{number}": number + 100 for number in range(VOCABULARY)}}},
    "rows of 2^70": {"model": {"vocab": {f"word-{number}": number + (1 << 70) for number in range(VOCABULARY)}}},
    "negative rows": {"model": {"vocab": {f"word-{number}": -number for number in range(VOCABULARY)}}},
    "one row for all": {"model": {"vocab": {f"word-{number}": 7 for number in range(VOCABULARY)}}},
    "broken rows": {"model": {"vocab": {"word-1": 1.5, "word-2": True}}},
    "half a surrogate": {"model": {"vocab": {"\ud800": 1, "word-2": 2}}},
}


@pytest.mark.parametrize("case", TOKENIZERS)
def test_a_hostile_tokenizer_hides_no_copy_and_makes_none(case: str, tmp_path: Path) -> None:
    copy = written(tmp_path / "copy", llama(1), words=TOKENIZERS[case])
    original, stranger = written(tmp_path / "original", llama(1)), written(tmp_path / "stranger", llama(2))
    for found in (audited(copy, original), audited(original, copy)):
        assert words_of(found)["text-decoder"] == "identical"
    for found in (audited(copy, stranger), audited(stranger, copy)):
        assert set(words_of(found).values()) <= {"no-evidence", "not-assessed"}
    build(tmp_path / "library", {"copy": copy}, key=KEY, units=64, workers=1)
    with open_checkpoint(original) as mine, open_library(tmp_path / "library").pack("copy") as pack:
        found = audit(reference("mine", mine, KEY), [Reference("copy", pack)], key=KEY)
    assert words_of(found)["text-decoder"] == "identical"
