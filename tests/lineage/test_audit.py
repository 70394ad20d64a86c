"""The audit against known truth: five teams, real checkpoints with labels, and models that are made on the spot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from benchmarks.training.checkpoint import Floats, write, write_tensors
from benchmarks.training.network import Shape, Text, networks_of, sizes_of
from dokja.lineage import Audit, Finding, Reference, audit, open_checkpoint, reference
from dokja.lineage.findings import DEPENDENT
from dokja.lineage.statistics import holm
from dokja.lineage.statistics.units import Labels
from dokja.lineage.telling import to_json

ROOT = Path(__file__).parents[2]
TEAMS = ROOT / "examples" / "five-teams"
LINEAGE: Mapping[str, Mapping[str, Any]] = YAML(typ="safe").load((TEAMS / "LINEAGE.yaml").read_text(encoding="utf-8"))
LIBRARY = sorted(path.name for path in (TEAMS / "references").iterdir())
WEIGHTS = ROOT.parent / "shared" / "weights"
LABELLED: list[dict[str, Any]] = (
    json.loads((WEIGHTS / "pairs.json").read_text(encoding="utf-8"))["pairs"]
    if (WEIGHTS / "pairs.json").is_file()
    else []
)
KEY = 7

TINY = Text(width=32, hidden=64, layers=3, heads=4, key_heads=2)
WIDE = replace(TINY, width=64, hidden=160)


@contextmanager
def opened(*paths: Path) -> Iterator[list[Reference]]:
    with ExitStack() as stack:
        held = [stack.enter_context(open_checkpoint(path)) for path in paths]
        yield [reference(path.name, each, KEY) for path, each in zip(paths, held, strict=True)]


def said(one: Path, *others: Path, step0: Path | None = None) -> Audit:
    with opened(one, *others, *([step0] if step0 else [])) as (mine, *rest):
        begun = rest.pop() if step0 else None
        return audit(mine, rest, key=KEY, step0=begun)


def words(found: Audit) -> dict[tuple[str, str], str]:
    return {(each.reference, each.component): each.word for each in found.findings}


# -- five teams


@cache
def team(name: str) -> Audit:
    return said(TEAMS / "entrants" / name, *(TEAMS / "references" / each for each in LIBRARY))


@pytest.mark.parametrize("name", LINEAGE)
def test_of_every_team_exactly_the_true_origins_are_told(name: str) -> None:
    true = {(each["from"], part): each["word"] for part, each in LINEAGE[name].items()}
    convicted = {(each.reference, each.component) for each in team(name).findings if each.dependent}
    assert convicted == {pair for pair, word in true.items() if word != "rearranged"}
    pointed = {(each.reference, each.component) for each in team(name).findings if each.word == "rearranged"}
    assert pointed <= {pair for pair, word in true.items() if word == "rearranged"}


def test_the_deepened_decoder_is_told_with_its_layers() -> None:
    true = LINEAGE["team-d"]["text-decoder"]
    [found] = [
        each for each in team("team-d").findings if (each.reference, each.component) == (true["from"], "text-decoder")
    ]
    assert found.word == "deepened"
    assert [row.from_layer for row in found.layer_map] == true["layers"]


def test_the_rearranged_decoder_is_for_a_panel_and_convicts_nobody() -> None:
    assert words(team("team-e"))["elm", "text-decoder"] == "rearranged"
    assert not any(each.dependent for each in team("team-e").findings)


def test_an_encoder_alone_is_named_as_shared_only_where_it_is_alone() -> None:
    assert team("team-a").shared == team("team-c").shared == ()
    assert team("team-b").shared == ()  # Two of its components come from there.


def test_holm_is_paid_over_everything_that_was_asked() -> None:
    found = team("team-b")
    tests = [test.log10_p for each in found.findings for test in each.tests if test.groups]
    assert len(tests) > 80
    assert min(holm(tests)) == pytest.approx(min(each.log10_p for each in found.findings if each.log10_p is not None))
    alone = said(TEAMS / "entrants" / "team-b", TEAMS / "references" / "alder")
    for each in alone.findings:
        with_others = next(
            other for other in found.findings if (other.reference, other.component) == ("alder", each.component)
        )
        assert each.log10_p is None or (
            with_others.log10_p is not None and with_others.log10_p >= each.log10_p - 1e-9
        )


def test_the_same_key_gives_the_same_bytes() -> None:
    again = said(TEAMS / "entrants" / "team-d", *(TEAMS / "references" / each for each in LIBRARY))
    assert to_json(again) == to_json(team("team-d"))


# -- real checkpoints


def told(pair: Mapping[str, Any]) -> tuple[Audit, Audit]:
    one, other = WEIGHTS / pair["a"], WEIGHTS / pair["b"]
    return said(other, one), said(one, other)


@pytest.mark.skipif(not LABELLED, reason="no checkpoints of known lineage in ../shared/weights")
@pytest.mark.parametrize("pair", LABELLED, ids=lambda pair: f"{pair['id']}-{pair['label']}")
def test_real_pairs_bear_their_labels(pair: Mapping[str, Any]) -> None:
    forth, back = told(pair)
    found = [each for each in forth.findings if each.word != "not-assessed"]
    dependent = [each for each in found if each.dependent and each.parameters >= 10_000]
    assert found
    if pair["label"] == "derived":
        assert dependent
    elif pair["label"] == "same-init":
        assert {each.word for each in found} <= {"common-initialisation", "no-evidence"}
        assert dependent
    else:
        assert not any(each.dependent for each in found)
    both = {each.component for each in forth.findings} & {each.component for each in back.findings}
    forwards, backwards = (
        {each.component: each.word for each in side.findings if each.component in both} for side in (forth, back)
    )
    assert forwards == backwards


# -- models made on the spot


Weights = dict[str, Floats]


def made(seed: int, text: Text = WIDE) -> Weights:
    """Random weights with some structure: every matrix is noise and a little of low rank, as training leaves it."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, size in sizes_of(Shape(text=text)).items():
        if len(size) == 1:
            weights[name] = (1 + 0.1 * rng.standard_normal(size)).astype(np.float32)
        else:
            low = rng.standard_normal((size[0], 4)) @ rng.standard_normal((4, size[1]))
            weights[name] = (0.05 * (rng.standard_normal(size) + 0.3 * low)).astype(np.float32)
    return weights


def moved(weights: Weights, seed: int, by: float) -> Weights:
    """Weights after more training: noise of so many of their own deviations."""
    rng = np.random.default_rng(seed)
    return {
        name: (value + by * value.std() * rng.standard_normal(value.shape)).astype(np.float32)
        for name, value in weights.items()
    }


def saved(folder: Path, weights: Weights, text: Text = WIDE) -> Path:
    write(folder, weights, Shape(text=text))
    return folder


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("models") / "parent", made(1))


def by_component(found: Audit) -> dict[str, Finding]:
    return {each.component: each for each in found.findings}


def test_no_two_references_bear_one_name(parent: Path) -> None:
    with open_checkpoint(parent) as checkpoint:
        one = reference("one", checkpoint, 7)
        with pytest.raises(ValueError, match="one name"):
            audit(one, [one, one], key=7)


def test_a_copy_is_identical_and_a_stranger_is_nothing(parent: Path, tmp_path: Path) -> None:
    copy = by_component(said(saved(tmp_path / "copy", made(1)), parent))
    assert {each.word for each in copy.values()} == {"identical"}
    stranger = by_component(said(saved(tmp_path / "stranger", made(2)), parent))
    assert {each.word for each in stranger.values()} == {"no-evidence"}
    assert all(each.power is not None and each.power.needed > 0 for each in stranger.values())


@pytest.mark.parametrize("matrix", [0, 1, 2], ids=["gate", "up", "down"])
def test_dead_units_of_one_matrix_stop_no_audit_and_hide_nothing(parent: Path, tmp_path: Path, matrix: int) -> None:
    weights = moved(made(1), 3, 0.3)
    for layer in range(WIDE.layers):
        [names] = networks_of(WIDE, layer)
        by_unit = weights[names[matrix]].T if matrix == 2 else weights[names[matrix]]
        by_unit[3 + layer : 9 + layer] = 0
    child = saved(tmp_path / "child", weights)
    assert by_component(said(child, parent))["text-decoder"].dependent
    assert by_component(said(parent, child))["text-decoder"].dependent
    stranger = saved(tmp_path / "stranger", made(2))
    assert not any(each.dependent for each in said(child, stranger).findings)


def test_strangers_whose_units_are_sorted_by_norm_are_silent(parent: Path, tmp_path: Path) -> None:
    def ordered(weights: Weights) -> Weights:
        new = dict(weights)
        for layer in range(WIDE.layers):
            for gate, up, down in networks_of(WIDE, layer):
                order = np.argsort(-np.linalg.norm(new[up], axis=1))
                new |= {gate: new[gate][order], up: new[up][order], down: new[down][:, order]}
        return new

    one, other = (saved(tmp_path / str(seed), ordered(made(seed))) for seed in (1, 2))
    assert not any(each.dependent for each in said(one, other).findings)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), by=st.sampled_from([0.3, 1.0, 3.0, 30.0]), kin=st.booleans())
def test_swapping_the_sides_and_relabelling_both_alike_changes_no_word(
    tmp_path_factory: pytest.TempPathFactory, seed: int, by: float, kin: bool
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    one = made(seed, TINY)
    # Noise of the seed of `one` would be made of its very numbers: two strangers would then share an initialisation.
    other = moved(one if kin else made(seed + 1, TINY), seed + 50_000, by)
    rng = np.random.default_rng(seed)
    orders = {layer: rng.permutation(TINY.hidden) for layer in range(TINY.layers)}
    channels = rng.permutation(TINY.width)
    paths = [saved(folder / name, weights, TINY) for name, weights in (("one", one), ("other", other))]
    turned = [
        saved(folder / f"turned-{name}", relabelled(weights, orders, channels), TINY)
        for name, weights in (("one", one), ("other", other))
    ]
    plain = {part: each.word for part, each in by_component(said(*paths)).items()}
    assert plain == {part: each.word for part, each in by_component(said(*reversed(paths))).items()}
    assert plain == {part: each.word for part, each in by_component(said(*turned)).items()}
    if not kin:
        assert set(plain.values()) <= {"no-evidence"}
    elif by <= 1.0:
        assert set(plain.values()) <= set(DEPENDENT)


def relabelled(weights: Weights, orders: Mapping[int, Labels], channels: Labels) -> Weights:
    """The same function, its hidden units and channels in another order."""
    new = {}
    for name, value in weights.items():
        if value.ndim == 1:
            new[name] = value[channels]
        elif name.endswith(("o_proj.weight", "down_proj.weight")):
            new[name] = value[channels]
        else:
            new[name] = value[:, channels]
    for layer, order in orders.items():
        for gate, up, down in networks_of(TINY, layer):
            new |= {gate: new[gate][order], up: new[up][order], down: new[down][:, order]}
    return new


def test_a_narrower_child_is_pruned(parent: Path, tmp_path: Path) -> None:
    narrow = replace(WIDE, hidden=WIDE.hidden // 2)
    rng = np.random.default_rng(3)
    weights = moved(made(1), 3, 0.2)
    for layer in range(WIDE.layers):
        stay = np.sort(rng.permutation(WIDE.hidden)[: narrow.hidden])
        for gate, up, down in networks_of(WIDE, layer):
            weights |= {gate: weights[gate][stay], up: weights[up][stay], down: weights[down][:, stay]}
    found = by_component(said(saved(tmp_path / "narrow", weights, narrow), parent))
    assert found["text-decoder"].word == "pruned"


def test_experts_made_of_one_block_are_upcycled(parent: Path, tmp_path: Path) -> None:
    sparse = replace(WIDE, experts=4)
    old, weights = made(1), made(5, sparse)
    for layer in range(WIDE.layers):
        [block] = networks_of(WIDE, layer)
        for expert in networks_of(sparse, layer):
            weights |= {new: old[name] for new, name in zip(expert, block, strict=True)}
    weights = moved(weights, 6, 0.3)
    found = by_component(said(saved(tmp_path / "sparse", weights, sparse), parent))
    assert found["experts"].word == "upcycled"
    rows = found["experts"].layer_map
    assert [(row.layer, row.expert, row.from_layer) for row in rows] == [
        (layer, expert, layer) for layer in range(WIDE.layers) for expert in range(4)
    ]
    assert not found["text-decoder"].dependent


def test_only_the_embeddings_were_taken(parent: Path, tmp_path: Path) -> None:
    old, weights = made(1), made(7)
    weights["model.embed_tokens.weight"] = moved(old, 8, 0.3)["model.embed_tokens.weight"]
    report = said(saved(tmp_path / "graft", weights), parent)
    assert {part for part, each in by_component(report).items() if each.dependent} == {"embeddings"}
    assert report.shared == (("parent", "embeddings"),)


def test_shares_of_a_merge_are_fitted(tmp_path: Path) -> None:
    base = made(11)
    parents = {f"parent-{number}": moved(base, 12 + number, 0.5) for number in range(3)}
    shares = (0.5, 0.3, 0.2)
    merge = {
        name: np.tensordot(shares, [each[name] for each in parents.values()], 1).astype(np.float32) for name in base
    }
    paths = [saved(tmp_path / name, each) for name, each in parents.items()]
    for each in said(saved(tmp_path / "merge", merge), *paths).findings:
        assert each.word == "merged"
        assert dict(each.shares) == pytest.approx(dict(zip(parents, shares, strict=True)), abs=0.05)


def test_step_0_clears_what_is_alike_by_its_seed_and_keeps_a_copy(tmp_path: Path) -> None:
    start = made(21)
    one, other = (moved(start, seed, 0.2) for seed in (22, 23))
    heir = moved(one, 24, 0.02)
    begun, first, twin, child = (
        saved(tmp_path / name, each)
        for name, each in (("begun", start), ("first", one), ("twin", other), ("heir", heir))
    )
    for path, word in ((twin, "common-initialisation"), (child, "derived")):
        unknown, known = (by_component(said(path, first, step0=each)) for each in (None, begun))
        assert unknown["text-decoder"].word == "derived"  # Neither went far from the start.
        assert known["text-decoder"].word == word


def test_models_of_one_seed_that_learn_alike_are_not_convicted_by_step_0(tmp_path: Path) -> None:
    """As the zoo's do: most of what training adds is the same for both, though neither saw the other."""
    start = made(31)
    lesson = moved(start, 32, 1.0)
    paths = {"begun": start, "first": moved(lesson, 33, 0.5), "twin": moved(lesson, 34, 0.5)}
    begun, first, twin = (saved(tmp_path / name, each) for name, each in paths.items())
    for each in said(twin, first, step0=begun).findings:
        assert each.step0 is not None
        assert 0.3 < each.step0 < 0.9
        assert each.word == "common-initialisation"


def test_renaming_every_tensor_hides_nothing(parent: Path, tmp_path: Path) -> None:
    for seed, dependent in ((1, True), (2, False)):
        weights = moved(made(seed), 31, 0.5)
        folder = tmp_path / f"renamed-{seed}"
        folder.mkdir()
        write_tensors(
            folder / "model.safetensors", {f"blob.{n}": weights[name] for n, name in enumerate(sorted(weights))}
        )
        assert any(each.dependent for each in said(folder, parent).findings) == dependent
