"""Norms whose numbers are added to one: the gain that is folded is the one by which the network multiplies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.training.checkpoint import Floats, kept, write
from benchmarks.training.disguise import disguised
from benchmarks.training.network import Shape, Text, draw, read
from dokja.lineage import Finding, audit, open_checkpoint, reference
from dokja.lineage.architecture import assigned
from dokja.lineage.library import build, open_library
from dokja.lineage.pair.answers import gain_in_front
from dokja.lineage.pair.longest import neurons
from tests.lineage.models import MODELS
from tests.lineage.test_architecture import infos, shapes_of

KEY = 7
TEXT = Text(width=48, hidden=160, layers=2, heads=4, key_heads=2)
SHAPE = Shape(text=TEXT)
FROM_ONE = ("gemma", "gemma2", "gemma3_text", "vaultgemma", "nemotron", "qwen3_next", "qwen3_5_moe_text")


def is_gain(name: str) -> bool:
    return name.endswith("norm.weight")


def as_gemma(weights: Mapping[str, Any]) -> dict[str, Floats]:
    """The same model, as one that adds its norms to one stores it; rounded as a checkpoint is."""
    return kept({name: value - 1 if is_gain(name) else value for name, value in weights.items()})


def gemma(stored: Mapping[str, Floats], tokens: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
    """What such a model answers."""
    effective = {name: 1 + value if is_gain(name) else value for name, value in stored.items()}
    return np.asarray(read(np, effective, TEXT, tokens))


def grown(seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    weights = dict(draw(SHAPE, random))
    # As in trained models gains are far from equal.
    return {
        name: np.exp(0.5 * random.standard_normal(value.shape)).astype(np.float32) if is_gain(name) else value
        for name, value in weights.items()
    }


def saved(folder: Path, weights: Mapping[str, Floats], kind: str) -> Path:
    write(folder, weights, SHAPE)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": kind}))
    return folder


def decoder(mine: Path, other: Path) -> Finding:
    with open_checkpoint(mine) as one, open_checkpoint(other) as two:
        said = audit(reference("one", one, KEY), [reference("other", two, KEY)], key=KEY)
    return next(each for each in said.findings if each.component == "text-decoder")


@pytest.fixture(scope="module")
def parent() -> dict[str, Any]:
    return grown(1)


@pytest.fixture(scope="module")
def child(parent: dict[str, Any]) -> dict[str, Any]:
    """Scrambled, with other gains everywhere."""
    return disguised(parent, SHAPE, np.random.default_rng(3))


def test_the_scrambled_model_computes_what_it_did(parent: dict[str, Any], child: dict[str, Any]) -> None:
    tokens = np.array([[3, 14, 15, 9, 2, 6]])
    one, other = (gemma(as_gemma(weights), tokens) for weights in (parent, child))
    assert np.abs(one - other).max() < 0.05 * one.std()
    wrong = read(np, as_gemma(parent), TEXT, tokens)
    assert np.abs(one - wrong).max() > one.std()


@pytest.mark.parametrize("kind", FROM_ONE)
def test_a_scrambled_copy_of_such_a_model_is_told(
    kind: str, parent: dict[str, Any], child: dict[str, Any], tmp_path: Path
) -> None:
    other = saved(tmp_path / "parent", as_gemma(parent), kind)
    assert decoder(saved(tmp_path / "child", as_gemma(child), kind), other).word == "rearranged"
    # Stored as Llama stores it it is the same model.
    assert decoder(saved(tmp_path / "llama", kept(child), "llama"), other).word == "rearranged"
    stranger = decoder(saved(tmp_path / "stranger", as_gemma(grown(2)), kind), other)
    assert stranger.word == "no-evidence"


def test_taken_as_gains_such_numbers_would_hide_it(
    parent: dict[str, Any], child: dict[str, Any], tmp_path: Path
) -> None:
    sides = [saved(tmp_path / str(turn), as_gemma(each), "llama") for turn, each in enumerate((child, parent))]
    assert decoder(*sides).word == "no-evidence"


def test_a_library_knows_how_gains_count_though_it_keeps_no_config(
    parent: dict[str, Any], child: dict[str, Any], tmp_path: Path
) -> None:
    build(
        tmp_path / "library",
        {"parent": saved(tmp_path / "parent", as_gemma(parent), "gemma")},
        key=KEY,
        units=32,
        workers=1,
    )
    pack = open_library(tmp_path / "library").reference("parent")
    for group in pack.source.model.groups["text-decoder"]:
        if members := neurons(group):
            gain = gain_in_front(pack.reader, members[0])
            name = f"model.layers.{group.layer}.post_attention_layernorm.weight"
            assert gain == pytest.approx(parent[name], rel=0.02)
    with open_checkpoint(saved(tmp_path / "child", as_gemma(child), "gemma")) as one:
        said = audit(reference("child", one, KEY), [pack], key=KEY)
    assert {each.component: each.word for each in said.findings}["text-decoder"] == "rearranged"


@pytest.mark.parametrize("size", [(), (1,), (7,), (96,), (48, 2)])
def test_a_norm_with_a_number_for_other_channels_is_none(
    size: tuple[int, ...], parent: dict[str, Any], tmp_path: Path
) -> None:
    odd = {
        name: np.ones(size, dtype=np.float32) if "post_attention_layernorm" in name else value
        for name, value in kept(parent).items()
    }
    folders = [saved(tmp_path / name, each, "gemma") for name, each in (("odd", odd), ("plain", kept(parent)))]
    for one, other in (folders, folders[::-1]):
        assert decoder(one, other).word == "derived"
    build(tmp_path / "library", {"odd": folders[0]}, key=KEY, units=32, workers=1)
    assert len(open_library(tmp_path / "library").names) == 1


def test_only_the_norms_of_the_stream_that_counts_from_one_are_added_to_one() -> None:
    known = MODELS["gemma3"]
    config = {**known.config, "model_type": "gemma3"}
    config["text_config"] = {**config["text_config"], "model_type": "gemma3_text"}
    parts = assigned(infos(shapes_of(known.tensors)), config).parts
    offsets = {part.tensor: part.offset for part in parts}
    assert {name for name, offset in offsets.items() if offset} == {
        name for name in offsets if name.endswith("layernorm.weight") and "language_model" in name
    } | {"language_model.model.norm.weight", "multi_modal_projector.mm_soft_emb_norm.weight"}
    assert not any(part.offset for part in assigned(infos(shapes_of(known.tensors)), known.config).parts)
    # The inner config alone may say it, and what is no text says nothing.
    inner = {**known.config, "text_config": {**known.config["text_config"], "model_type": "gemma3_text"}}
    assert {part.tensor for part in assigned(infos(shapes_of(known.tensors)), inner).parts if part.offset}
    odd = {**known.config, "model_type": ["gemma3"], "text_config": {"model_type": 3}}
    assert not any(part.offset for part in assigned(infos(shapes_of(known.tensors)), odd).parts)
