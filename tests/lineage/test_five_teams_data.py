"""The checkpoints of the example are what they are said to be: really trained, and of the lineage written down."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from ruamel.yaml import YAML

from benchmarks.training.checkpoint import Floats, config_of, kept, read, rounded
from benchmarks.training.disguise import disguised, largest_difference
from benchmarks.training.five_teams import MODELS
from benchmarks.training.network import EAR, EYE, OMNI, SCAFFOLD, Weights, run, sizes_of
from benchmarks.training.world import World, words

ROOT = Path(__file__).parents[2] / "examples" / "five-teams"
LINEAGE: dict[str, dict[str, Any]] = YAML(typ="safe").load((ROOT / "LINEAGE.yaml").read_text(encoding="utf-8"))
FIXED = f"{EAR}embed_positions.weight"

Model: TypeAlias = dict[str, Floats]


@cache
def model(name: str) -> Model:
    return read(ROOT / MODELS[name].folder / name)


def correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def matrices(name: str, beginnings: tuple[str, ...] = ("",)) -> list[str]:
    return [
        each
        for each, value in model(name).items()
        if value.ndim > 1 and each.startswith(beginnings) and each != FIXED
    ]


def answers(weights: Weights, dtype: type = np.float32) -> NDArray[np.float64]:
    batch = World(np.random.SeedSequence(731)).batch(4)
    exact = {name: value.astype(dtype) for name, value in weights.items()}
    said = run(np, exact, OMNI, batch.tokens, batch.pictures.astype(dtype), batch.sounds.astype(dtype))
    return np.asarray(said["text"], np.float64)


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_has_the_tensors_of_its_shape_all_finite(name: str) -> None:
    about = MODELS[name]
    expected = {each: size for each, size in sizes_of(about.shape).items() if not each.startswith(SCAFFOLD)}
    assert {each: value.shape for each, value in model(name).items()} == expected
    assert all(np.isfinite(value).all() for value in model(name).values())
    assert all(value.std() > 0 for value in model(name).values() if value.ndim > 1)
    folder = ROOT / about.folder / name
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == config_of(about.shape)
    if about.shape.text:
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        assert tokenizer["model"]["vocab"] == {word: number for number, word in enumerate(words())}


def test_all_of_it_stays_under_thirty_megabytes() -> None:
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < 30_000_000
    for name in LINEAGE:
        assert 0.8e6 < sum(value.size for value in model(name).values()) < 1.2e6


@pytest.mark.parametrize("name", [name for name, about in MODELS.items() if about.steps])
def test_training_made_the_loss_fall(name: str) -> None:
    figures = json.loads((ROOT / MODELS[name].folder / name / "training.json").read_text(encoding="utf-8"))
    assert figures["steps"] == MODELS[name].steps
    assert figures["loss of the last steps"] < 0.6 * figures["loss of the first steps"]


@pytest.mark.parametrize("name", [name for name, about in MODELS.items() if about.shape == OMNI])
def test_a_model_predicts_what_it_was_never_shown(name: str) -> None:
    batch = World(np.random.SeedSequence(731)).batch(4)
    logits = answers(model(name))[:, :-1]
    surprise = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, batch.tokens[:, 1:, None], -1)[..., 0]
    assert surprise.mean() < 2.6 < np.log(len(words()))


def test_every_seed_is_drawn_and_no_two_models_begin_alike() -> None:
    seeds = [tuple(about.weights_seed().generate_state(4)) for about in MODELS.values()]
    assert len(set(seeds)) == len(MODELS)


def test_the_lineage_names_every_entrant_and_only_references() -> None:
    assert list(LINEAGE) == [name for name, about in MODELS.items() if about.folder == "entrants"]
    parents = {part["from"] for parts in LINEAGE.values() for part in parts.values()}
    assert parents == {"alder", "cedar", "elm"}


def test_what_nobody_took_correlates_with_nothing() -> None:
    related = {(name, part["from"]) for name, parts in LINEAGE.items() for part in parts.values()}
    for name in LINEAGE:
        for reference in (each for each, about in MODELS.items() if about.folder == "references"):
            if (name, reference) in related:
                continue
            for each in set(matrices(name)) & set(matrices(reference)):
                if model(name)[each].shape == model(reference)[each].shape:
                    # All rare words of an output matrix lie along one direction, so that two strangers' directions
                    # decide its correlation: it spreads like the cosine of two vectors, not like that of matrices.
                    limit = 4 / np.sqrt(96) if each == "lm_head.weight" else 0.1
                    assert abs(correlation(model(name)[each], model(reference)[each])) < limit, (
                        name,
                        reference,
                        each,
                    )


def test_team_b_took_both_encoders_and_tuned_them_and_has_its_own_decoder() -> None:
    for each in matrices("team-b", (EYE, EAR)):
        assert correlation(model("team-b")[each], model("alder")[each]) > 0.9, each
        assert (model("team-b")[each] != model("alder")[each]).mean() > 0.5, each
    for each in matrices("team-b", ("model.layers", "multi_modal_projector", "audio_projector")):
        assert abs(correlation(model("team-b")[each], model("alder")[each])) < 0.1, each


def test_team_c_is_independent_although_its_norm_gains_look_like_a_copy() -> None:
    assert MODELS["team-c"].data == MODELS["birch"].data
    assert MODELS["team-c"].seed != MODELS["birch"].seed
    names = [each for each in model("team-c") if each.endswith("norm.weight")]
    own, other = (np.concatenate([model(name)[each] for each in names]) for name in ("team-c", "birch"))
    assert own @ other / np.linalg.norm(own) / np.linalg.norm(other) > 0.98
    for each in matrices("team-c"):
        assert abs(correlation(model("team-c")[each], model("birch")[each])) < 0.1, each


def test_team_d_has_its_parents_layers_in_the_written_order_and_was_trained_on() -> None:
    written = LINEAGE["team-d"]["text-decoder"]["layers"]
    assert MODELS["team-d"].shape.text is not None
    assert len(written) == MODELS["team-d"].shape.text.layers
    for layer, source in enumerate(written):
        for part in ("self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"):
            own = model("team-d")[f"model.layers.{layer}.{part}.weight"]
            alike = [correlation(own, model("cedar")[f"model.layers.{at}.{part}.weight"]) for at in range(4)]
            assert int(np.argmax(alike)) == source
            assert 0.5 < alike[source] < 0.9999


def test_team_e_is_the_disguise_of_its_parent_bit_for_bit_up_to_the_last_bit() -> None:
    about = MODELS["team-e"]
    again = disguised(model("elm"), about.shape, np.random.default_rng(about.weights_seed()))
    for each, value in model("team-e").items():
        # Another library of linear algebra may round the last bit of a rotation otherwise.
        apart = np.abs(rounded(value).astype(int) - rounded(again[each].astype(np.float32)).astype(int))
        assert (apart <= 1).mean() > 0.999, each
    assert largest_difference(answers(model("elm"), np.float64), answers(again, np.float64)) < 1e-9


def test_team_e_has_the_function_of_its_parent_but_for_the_rounding_to_bf16() -> None:
    """The yardstick is rounding itself: as large a relative error, drawn at random, in every one of its weights."""
    about = MODELS["team-e"]
    truth = answers(model("elm"))
    unrounded = disguised(model("elm"), about.shape, np.random.default_rng(about.weights_seed()))
    spread = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        blurred = {each: value * (1 + rng.uniform(-1, 1, value.shape) / 256) for each, value in unrounded.items()}
        spread.append(float((answers(blurred) - truth).std()))
    stored = float((answers(model("team-e")) - truth).std())
    assert stored < 1.5 * max(spread)
    assert stored < 0.02 * truth.std()
    assert float((answers(model("birch")) - truth).std()) > 20 * stored


def test_team_e_shares_no_tensor_with_its_parent() -> None:
    for each in matrices("team-e"):
        assert abs(correlation(model("team-e")[each], model("elm")[each])) < 0.25, each


@pytest.mark.parametrize("kinds", [{"permute"}, {"scale"}, {"rotate"}, {"permute", "scale", "rotate"}])
def test_each_kind_of_disguise_alone_keeps_the_function_and_changes_weights(kinds: set[str]) -> None:
    changed = disguised(model("elm"), OMNI, np.random.default_rng(5), frozenset(kinds))
    assert largest_difference(answers(model("elm"), np.float64), answers(changed, np.float64)) < 1e-9
    gate = "model.layers.0.mlp.up_proj.weight"
    assert np.abs(changed[gate] - model("elm")[gate]).max() > 0.01


def test_rounding_goes_to_the_nearest_and_ties_to_even() -> None:
    values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -1 - 2**-9], np.float32)
    assert kept({"x": values})["x"].tolist() == [1.0, 1.0, 1 + 2**-6, 1 + 2**-7, -1.0]
