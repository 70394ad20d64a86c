"""A submission against itself, and what it has in common with a reference beside its weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.network import networks_of
from dokja.lineage import open_checkpoint, reference
from dokja.lineage.cores import ALONE
from dokja.lineage.findings import Overlap, Within
from dokja.lineage.inside import within
from dokja.lineage.library import build, open_library
from dokja.lineage.overlapping import overlap
from dokja.lineage.sides import Reader
from tests.lineage.test_audit import KEY, LIBRARY, LINEAGE, TEAMS, WIDE, Weights, made, moved, saved, team

DEEP = replace(WIDE, layers=6)
SPARSE = replace(WIDE, experts=4)


def alone(path: Path) -> dict[str, Within]:
    with open_checkpoint(path) as checkpoint:
        found = within(Reader(reference(path.name, checkpoint, KEY).source), ALONE)
    return {each.component: each for each in found}


def pairs(found: Within) -> list[tuple[int | None, int | None]]:
    return [(each.layer, each.other_layer) for each in found.kin]


def test_the_deepened_entrant_betrays_itself_and_nobody_else_does() -> None:
    for name in LINEAGE:
        kin = {each.component: pairs(each) for each in team(name).within if each.kin}
        assert kin == ({"text-decoder": [(1, 3), (2, 4)]} if name == "team-d" else {})
    for name in LIBRARY:
        found = alone(TEAMS / "references" / name)
        assert found
        assert not any(each.kin for each in found.values())


def test_every_pair_of_the_submission_is_paid_for() -> None:
    found = team("team-d").within
    asked = sum(each.pairs for each in found)
    assert {each.asked for each in found} == {asked}
    [decoder] = [each for each in found if each.component == "text-decoder"]
    assert decoder.pairs == 2 * 15  # Heads, and hidden units, of six layers.
    assert decoder.log10_p == min(kin.log10_p for kin in decoder.kin)
    fixed = max(kin.fixed for kin in decoder.kin)
    bound = -sum(np.log10(np.arange(1, fixed + 1))) + np.log10(asked)
    assert min(kin.log10_p for kin in decoder.kin) == pytest.approx(bound, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_layers_that_were_made_apart_are_silent(seed: int, tmp_path: Path) -> None:
    found = alone(saved(tmp_path / "plain", made(seed, DEEP), DEEP))
    assert found["text-decoder"].pairs
    assert not any(each.kin for each in found.values())


def test_layers_whose_units_stand_in_one_order_are_silent(tmp_path: Path) -> None:
    """Each unit's direction follows its place, by a rule that all layers share."""
    weights = made(3, DEEP)
    angle = np.linspace(0, np.pi, DEEP.hidden, dtype=np.float32)[:, None]
    rule = np.random.default_rng(4).standard_normal((2, DEEP.width)).astype(np.float32)
    placed = (0.3 * (np.cos(angle) * rule[:1] + np.sin(angle) * rule[1:])).astype(np.float32)
    for layer in range(DEEP.layers):
        for gate, up, down in networks_of(DEEP, layer):
            weights |= {gate: weights[gate] + placed, up: weights[up] + placed, down: weights[down] + placed.T}
    assert not alone(saved(tmp_path / "sorted", weights, DEEP))["text-decoder"].kin


@pytest.mark.parametrize("by", [0.0, 0.5])
def test_experts_cloned_from_one_block_are_told_with_their_map(by: float, tmp_path: Path) -> None:
    weights = made(5, SPARSE)
    first, *others = networks_of(SPARSE, 1)
    for expert in others:
        weights |= {new: weights[old] for new, old in zip(expert, first, strict=True)}
    if by:
        weights = _apart(weights, by)
    found = alone(saved(tmp_path / "sparse", weights, SPARSE))
    kin = found["experts"].kin
    assert {(each.layer, each.other_layer) for each in kin} == {(1, 1)}
    assert {each.expert for each in kin} | {each.other_expert for each in kin} == {0, 1, 2, 3}
    assert not found["text-decoder"].kin


def _apart(weights: Weights, by: float) -> Weights:
    """Every tensor trained on by itself."""
    return moved(weights, 9, by)


def told(one: Path, other: Path) -> Overlap:
    with open_checkpoint(one) as mine, open_checkpoint(other) as his:
        return overlap("other", reference("one", mine, KEY).source, reference("other", his, KEY).source)


def test_words_and_settings_are_counted_apart_from_the_weights(tmp_path: Path) -> None:
    one, other = (saved(tmp_path / name, made(seed)) for seed, name in ((1, "one"), (2, "other")))
    vocabularies = {"a": 0, "b": 1, "c": 2}, {"a": 0, "b": 2, "d": 1, "e": 3}
    configs = (
        {"width": 8, "tied": True, "text": {"layers": 3, "rope": 1}},
        {"width": 8, "tied": 1, "text": {"layers": 3}},
    )
    for path, words, config in zip((one, other), vocabularies, configs, strict=True):
        (path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": words}}), encoding="utf-8")
        (path / "config.json").write_text(json.dumps({"model_type": "llama", **config}), encoding="utf-8")
    found = told(one, other)
    assert (found.words, found.shared_words, found.same_rows) == (4, 2, 1)
    # Of model_type, width, tied, text.layers and text.rope: a true is no 1, and one side has no rope.
    assert (found.settings, found.same_settings) == (5, 3)
    back = told(other, one)
    assert (back.words, back.shared_words, back.same_rows) == (3, 2, 1)
    (other / "tokenizer.json").unlink()
    assert (told(one, other).words, told(one, other).settings) == (None, 5)


def test_a_library_says_what_it_knows_of_words_and_nothing_of_settings(tmp_path: Path) -> None:
    path = TEAMS / "references" / "alder"
    build(tmp_path / "library", {"alder": str(path)}, key=KEY, workers=1)
    with open_checkpoint(path) as mine, open_library(tmp_path / "library").pack("alder") as pack:
        found = overlap("alder", reference("mine", mine, KEY).source, pack)
    assert found.words
    assert found.words == found.shared_words == found.same_rows
    assert found.settings is found.same_settings is None
