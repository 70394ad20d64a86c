"""The zoo of the benchmark knows the truth of every pair; its dresses change a model's form and not what it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.training.checkpoint import WEIGHTS, Floats, write
from benchmarks.training.disguise import largest_difference
from benchmarks.training.network import Text, Weights, draw, networks_of, read
from benchmarks.training.world import World
from benchmarks.training.zoo import COMPONENTS, DRESSES, SPECIMENS, TINY, Specimen, grow, missing, related

DENSE = Specimen("dense", "drawn", seed=1, data=1)
SPARSE = Specimen("sparse", "drawn", seed=2, data=2, text=replace(TINY, experts=4))
BIASED = Specimen("biased", "drawn", seed=3, data=3, text=replace(TINY, bias=True))


def drawn(specimen: Specimen) -> dict[str, Floats]:
    rng = np.random.default_rng(specimen.seed)
    # Gains and biases that say something, so that folding them wrongly shows.
    blurred = {
        name: value + 0.1 * rng.standard_normal(value.shape) for name, value in draw(specimen.shape, rng).items()
    }
    return {name: value.astype(np.float32) for name, value in blurred.items()}


def answers(weights: Weights, text: Text) -> NDArray[np.float64]:
    tokens = World(np.random.SeedSequence(5)).text(2)
    exact = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    return np.asarray(read(np, exact, text, tokens))[..., : TINY.vocabulary]


@pytest.mark.parametrize("specimen", [DENSE, SPARSE, BIASED], ids=lambda specimen: specimen.name)
@pytest.mark.parametrize(
    "dress", ["none", "sorted-by-norm", "permuted", "scaled", "rotated", "scrambled", "more-words"]
)
def test_an_exact_dress_keeps_every_answer(specimen: Specimen, dress: str) -> None:
    plain = drawn(specimen)
    changed = DRESSES[dress](plain, specimen)
    assert largest_difference(answers(plain, specimen.text), answers(changed, specimen.text)) < 1e-5
    if dress != "none":
        assert any(changed[name].shape != plain[name].shape or (changed[name] != plain[name]).any() for name in plain)


@pytest.mark.parametrize(
    ("dress", "at_least", "at_most"), [("int8", 1e-4, 0.5), ("fp8", 1e-3, 2.0), ("int4", 1e-2, 3.0)]
)
def test_a_lossy_dress_moves_the_answers_a_little(dress: str, at_least: float, at_most: float) -> None:
    plain = drawn(DENSE)
    moved = largest_difference(answers(plain, TINY), answers(DRESSES[dress](plain, DENSE), TINY))
    assert at_least < moved < at_most


def test_int4_uses_at_most_fifteen_values_in_a_group() -> None:
    rounded = DRESSES["int4"](drawn(DENSE), DENSE)["model.layers.0.mlp.down_proj.weight"]
    assert max(len(np.unique(row)) for row in rounded.reshape(-1, 16)) <= 15


def test_fp8_keeps_four_significant_bits() -> None:
    rounded = DRESSES["fp8"](drawn(DENSE), DENSE)["model.layers.0.mlp.down_proj.weight"]
    mantissa = np.frexp(rounded)[0] * 16
    assert (mantissa == np.round(mantissa)).all()


def test_fusing_renaming_and_transposing_lose_no_number() -> None:
    plain = drawn(DENSE)
    for dress in ("fused", "renamed", "transposed"):
        changed = DRESSES[dress](plain, DENSE)
        assert set(changed) != set(plain)
        together = [
            np.sort(np.concatenate([value.ravel() for value in model.values()])) for model in (plain, changed)
        ]
        assert (together[0] == together[1]).all()
    fused = DRESSES["fused"](plain, DENSE)
    at = "model.layers.1.self_attn."
    assert (fused[f"{at}qkv_proj.weight"][-32:] == plain[f"{at}v_proj.weight"]).all()


def test_sorting_puts_every_network_in_the_order_of_its_norms() -> None:
    changed = DRESSES["sorted-by-norm"](drawn(SPARSE), SPARSE)
    for _, up, _ in networks_of(SPARSE.text, 2):
        assert (np.diff(np.linalg.norm(changed[up], axis=1)) <= 0).all()


def test_parents_are_in_the_table_and_every_seed_is_its_own_but_where_it_is_shared_on_purpose() -> None:
    assert all(parent in SPECIMENS for specimen in SPECIMENS.values() for parent in specimen.parents)
    shared = Counter(specimen.seed for specimen in SPECIMENS.values())
    for seed, count in shared.items():
        kinds = {specimen.kind for specimen in SPECIMENS.values() if specimen.seed == seed}
        assert (count == 1) == ("same-seed, other data" not in kinds)


@pytest.mark.parametrize(
    ("one", "other", "component", "word"),
    [
        ("stranger-00", "twin-03", "text-decoder", "no-evidence"),
        ("stranger-00", "stranger-00.taught-by-it", "text-decoder", "no-evidence"),
        ("stranger-00", "stranger-00.with-its-embeddings", "embeddings", "derived"),
        ("stranger-00", "stranger-00.with-its-embeddings", "text-decoder", "no-evidence"),
        ("stranger-00", "stranger-00.with-its-decoder", "embeddings", "no-evidence"),
        ("single-00", "single-00.behind-its-embeddings", "embeddings", "derived"),
        ("single-00", "single-00.behind-its-embeddings", "head", "no-evidence"),
        ("single-00", "single-00.before-its-head", "embeddings", "no-evidence"),
        ("sparse-00", "sparse-00.before-its-head", "text-decoder", "no-evidence"),
        ("stranger-00.sibling-1", "stranger-00.sibling-2", "text-decoder", "derived"),
        ("stranger-00", "stranger-00.same-seed", "text-decoder", "common-initialisation"),
        ("stranger-00.continued", "stranger-00.same-seed", "head", "common-initialisation"),
        ("stranger-04", "stranger-00.blend-0.05", "text-decoder", "derived"),
        ("stranger-05", "stranger-00.blend-0.05", "text-decoder", "no-evidence"),
        ("stranger-01", "stranger-00.deepened", "text-decoder", "no-evidence"),
    ],
)
def test_the_truth_of_a_pair(one: str, other: str, component: str, word: str) -> None:
    [asked] = [known for known in COMPONENTS if known == component]
    assert related(one, other, asked) == related(other, one, asked) == word


@pytest.mark.parametrize("kind", ["behind-its-embeddings", "before-its-head"])
def test_what_begins_anew_around_one_component_has_nothing_else_of_its_parent(kind: str) -> None:
    specimen = SPECIMENS[f"stranger-00.{kind}"]
    parent, fresh = drawn(DENSE), {name: value + 1 for name, value in drawn(DENSE).items()}
    assert specimen.first is not None
    begun = specimen.first(specimen, {"stranger-00": parent}, fresh)
    kept = {name for name, value in begun.items() if value is parent[name]}
    assert kept == {{"embeddings": "model.embed_tokens.weight", "head": "lm_head.weight"}[specimen.inherits[0]]}
    assert all(begun[name] is fresh[name] for name in begun.keys() - kept)


def test_there_are_ten_thousand_null_pairs() -> None:
    nulls = [name for name in SPECIMENS if "." not in name]
    words = [related(one, other, part) for one, other in combinations(nulls, 2) for part in COMPONENTS]
    assert words.count("no-evidence") == len(words) > 10_000


def test_parents_are_grown_before_their_children_and_in_the_order_of_the_names(tmp_path: Path) -> None:
    names = ("stranger-01.task-arithmetic", "crowd-03", "stranger-01.sibling-1", "crowd-01")
    assert missing(tmp_path, names) == [
        "stranger-01",
        "stranger-01.sibling-1",
        "stranger-01.sibling-2",
        "stranger-01.task-arithmetic",
        "crowd-03",
        "crowd-01",
    ]
    write(tmp_path / "stranger-01.sibling-1", drawn(DENSE), DENSE.shape)
    assert "stranger-01.sibling-1" not in missing(tmp_path, names)


def test_several_processes_grow_the_same_bytes(tmp_path: Path) -> None:
    # What is not trained needs no JAX.
    names = ("stranger-00.step-0", "stranger-01.step-0", "stranger-02.step-0", "stranger-02.blend-0.2")
    for parent in SPECIMENS[names[-1]].parents:
        write(tmp_path / "alone" / parent, drawn(DENSE), DENSE.shape)
        write(tmp_path / "together" / parent, drawn(DENSE), DENSE.shape)
    grow(tmp_path / "alone", names, 6)
    grow(tmp_path / "together", names, 6, processes=3)
    for name in names:
        alone, together = (tmp_path / folder / name / WEIGHTS for folder in ("alone", "together"))
        assert alone.read_bytes() == together.read_bytes()
        assert {each.name for each in together.parent.iterdir()} >= {"config.json", WEIGHTS}
        assert not list(together.parent.glob("*.part"))
