"""`products`: attention that was mixed inside every head and rotated is told by its labels, and strangers are not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, kstest

from benchmarks.training.disguise import rotation
from dokja.lineage import Audit, Finding, Reference, audit, open_checkpoint, reference
from dokja.lineage.library import build, open_library
from dokja.lineage.pair.evidence import LabelTest
from dokja.lineage.statistics import Units, cosines, fixed_point_log10_p, mean_cosines, word_maps
from tests.lineage.saved import save

KEY = 7
WIDTH, HEAD, HEADS, GROUPS, HIDDEN, WORDS = 64, 8, 16, 8, 24, 200

Array = NDArray[np.float32]
Tensors = dict[str, Array]


def llama(seed: int, layers: int = 12, groups: int = GROUPS, heads: int = HEADS, *, words: int = WORDS) -> Tensors:
    """A decoder drawn at random; its norms have gains of one."""
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> Array:
        return random.normal(size=shape).astype(np.float32)

    tensors = {"model.embed_tokens.weight": matrix(words, WIDTH), "lm_head.weight": matrix(words, WIDTH)}
    for layer in range(layers):
        at = f"model.layers.{layer}."
        tensors |= {
            f"{at}input_layernorm.weight": np.ones(WIDTH, np.float32),
            f"{at}self_attn.q_proj.weight": matrix(heads * HEAD, WIDTH),
            f"{at}self_attn.k_proj.weight": matrix(groups * HEAD, WIDTH),
            f"{at}self_attn.v_proj.weight": matrix(groups * HEAD, WIDTH),
            f"{at}self_attn.o_proj.weight": matrix(WIDTH, heads * HEAD),
            f"{at}mlp.gate_proj.weight": matrix(HIDDEN, WIDTH),
            f"{at}mlp.up_proj.weight": matrix(HIDDEN, WIDTH),
            f"{at}mlp.down_proj.weight": matrix(WIDTH, HIDDEN),
        }
    return tensors


def mixed(tensors: Tensors, seed: int, *, groups: int = GROUPS, permute: bool = False, rope: bool = True) -> Tensors:
    """The same words and attention, other networks: rotated, heads mixed inside, and permuted in their groups."""
    random = np.random.default_rng(seed)
    turn = rotation(WIDTH, random)
    new = {name: value @ turn if len(value) == WORDS else value for name, value in tensors.items()}
    for layer in range(sum("q_proj" in name for name in tensors)):
        at = f"model.layers.{layer}.self_attn."
        q, k, v = (tensors[f"{at}{name}_proj.weight"].reshape(groups, -1, HEAD, WIDTH) for name in "qkv")
        o = tensors[f"{at}o_proj.weight"].reshape(WIDTH, groups, -1, HEAD)
        made: dict[str, list[Any]] = {name: [] for name in "qkvo"}
        for group in random.permutation(groups) if permute else range(groups):
            mix, inside = random.normal(size=(HEAD, HEAD)), random.normal(size=(HEAD, HEAD))
            if rope:
                real, imaginary = np.diag(random.normal(size=HEAD // 2)), np.diag(random.normal(size=HEAD // 2))
                inside = np.block([[real, -imaginary], [imaginary, real]])
            made["k"].append(np.linalg.inv(inside).T @ k[group, 0])
            made["v"].append(mix @ v[group, 0])
            for head in random.permutation(q.shape[1]):
                made["q"].append(inside @ q[group, head])
                made["o"].append(o[:, group, head] @ np.linalg.inv(mix))
        for name in "qkv":
            new[f"{at}{name}_proj.weight"] = np.concatenate(made[name]) @ turn
        new[f"{at}o_proj.weight"] = turn.T @ np.concatenate(made["o"], axis=1)
        for name, shape in (("gate", (HIDDEN, WIDTH)), ("up", (HIDDEN, WIDTH)), ("down", (WIDTH, HIDDEN))):
            new[f"model.layers.{layer}.mlp.{name}_proj.weight"] = random.normal(size=shape)
    return {name: value.astype(np.float32) for name, value in new.items()}


def noisy(tensors: Tensors, seed: int, correlation: float) -> Tensors:
    random = np.random.default_rng(seed)
    rest = (1 - correlation**2) ** 0.5
    return {
        name: (correlation * value + rest * value.std() * random.normal(size=value.shape)).astype(np.float32)
        if value.ndim == 2
        else value
        for name, value in tensors.items()
    }


def config(*, groups: int = GROUPS, **more: object) -> Mapping[str, object]:
    return {"model_type": "llama", "num_attention_heads": HEADS, "num_key_value_heads": groups, **more}


@contextmanager
def opened(folder: Path, *models: tuple[Tensors, Mapping[str, object]]) -> Iterator[Sequence[Reference]]:
    with ExitStack() as stack:
        held = []
        for place, (tensors, said) in enumerate(models):
            at = folder / f"{place}"
            at.mkdir(parents=True, exist_ok=True)
            (at / "config.json").write_text(json.dumps(said))
            checkpoint = stack.enter_context(open_checkpoint(save(at / "model.safetensors", tensors)))
            held.append(reference(at.name, checkpoint, KEY))
        yield held


def said(folder: Path, one: Tensors, other: Tensors, settings: Mapping[str, object] | None = None) -> Audit:
    about = config() if settings is None else settings
    with opened(folder, (one, about), (other, about)) as (mine, his):
        return audit(mine, [his], key=KEY)


def decoder(found: Audit) -> Finding:
    return next(each for each in found.findings if each.component == "text-decoder")


def products(found: Audit) -> LabelTest:
    return next(test for test in decoder(found).tests if test.name == "products")


@pytest.mark.parametrize("rope", [True, False])
def test_attention_that_was_mixed_and_rotated_is_derived_by_nothing_but_its_heads(rope: bool, tmp_path: Path) -> None:
    parent = llama(1)
    child = mixed(noisy(parent, 2, 0.9), 3, rope=rope)
    found = said(tmp_path, child, parent)
    test = products(found)
    assert test.fixed == test.units >= 40
    assert test.groups == test.units // GROUPS
    assert test.log10_p == pytest.approx(fixed_point_log10_p([(GROUPS, GROUPS, GROUPS)] * test.groups))
    assert decoder(found).word == "derived"
    assert [each.name for each in decoder(found).tests if each.groups and each.log10_p < -6] == ["products"]
    assert [(each.family, each.fixed, each.expected) for each in test.families] == [
        ("q·k", test.units, test.groups),
        ("o·v", test.units, test.groups),
    ]


def test_permuted_kv_groups_leave_nothing_that_could_be_told_exactly(tmp_path: Path) -> None:
    parent = llama(1)
    found = said(tmp_path, mixed(parent, 3, permute=True), parent)
    assert products(found).log10_p > -3
    assert not decoder(found).dependent


def test_whether_keys_have_heads_of_their_own_does_not_matter(tmp_path: Path) -> None:
    parent = llama(1, layers=3, groups=HEADS)
    found = said(tmp_path, mixed(parent, 3, groups=HEADS), parent, config(groups=HEADS))
    assert products(found).fixed == products(found).units >= 2 * HEADS


def test_of_few_heads_nothing_is_asked_and_it_is_said_why(tmp_path: Path) -> None:
    parent = llama(1, layers=3, groups=2)
    found = said(tmp_path, mixed(parent, 3, groups=2), parent, config(groups=2))
    test = products(found)
    assert test.groups == 0
    assert test.reach == pytest.approx(fixed_point_log10_p([(2, 2, 2)] * 3))
    assert test.reach is not None
    assert test.reach > -1


@pytest.mark.parametrize(
    "setting",
    [
        {"alibi": True},
        {"position_embedding_type": "alibi"},
        {"attn_config": {"alibi": True}},
        {"attn_type": "lightning"},
    ],
)
def test_heads_that_differ_by_their_number_are_not_asked(setting: Mapping[str, object], tmp_path: Path) -> None:
    parent = llama(1)
    assert products(said(tmp_path, parent, parent, {**config(), **setting})).groups == 0


def test_a_setting_that_is_off_is_no_reason(tmp_path: Path) -> None:
    parent = llama(1)
    assert products(said(tmp_path, parent, parent, config(alibi=False, attn_config={"alibi": None}))).groups


def test_heads_that_both_are_sorted_by_size_are_not_asked(tmp_path: Path) -> None:
    def sorted_by_size(tensors: Tensors) -> Tensors:
        new = dict(tensors)
        for layer in range(12):
            name = f"model.layers.{layer}.self_attn.k_proj.weight"
            larger = np.linspace(1, 3, GROUPS, dtype=np.float32)[:, None]
            new[name] = (tensors[name].reshape(GROUPS, -1) * larger).reshape(-1, WIDTH)
        return new

    one, other = llama(1), llama(2)
    assert products(said(tmp_path / "both", sorted_by_size(one), sorted_by_size(other))).groups == 0
    assert products(said(tmp_path / "one", sorted_by_size(one), other)).groups


def gated(tensors: Tensors) -> Tensors:
    """Queries that bear a gate as well: twice as many rows as outputs have columns."""
    return {name: np.concatenate([value, value]) if "q_proj" in name else value for name, value in tensors.items()}


def fewer_words(tensors: Tensors) -> Tensors:
    return {name: value[:150] if value.shape[0] == WORDS else value for name, value in tensors.items()}


def test_without_words_a_vocabulary_of_another_size_is_asked_by_the_numbers_of_its_rows(tmp_path: Path) -> None:
    parent = llama(1)
    test = products(said(tmp_path, fewer_words(parent), parent))
    assert test.fixed == test.units > 0
    assert products(said(tmp_path / "strangers", fewer_words(llama(2)), parent)).fixed < test.fixed / 2


def test_what_is_not_known_well_enough_is_not_asked(tmp_path: Path) -> None:
    parent = llama(1)
    test = products(said(tmp_path, gated(parent), gated(parent)))
    assert (test.groups, test.reach) == (0, None)


def test_latent_attention_has_no_products_of_this_kind(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    tensors: Tensors = {"model.embed_tokens.weight": random.normal(size=(WORDS, WIDTH)).astype(np.float32)}
    shapes = {
        "q_a_proj": (20, WIDTH),
        "q_b_proj": (HEADS * 12, 20),
        "kv_a_proj_with_mqa": (16, WIDTH),
        "kv_b_proj": (HEADS * 16, 12),
        "o_proj": (WIDTH, HEADS * HEAD),
    }
    for layer in range(4):
        for name, shape in shapes.items():
            at = f"model.layers.{layer}.self_attn.{name}.weight"
            tensors[at] = random.normal(size=shape).astype(np.float32)
    about = config(groups=HEADS, model_type="deepseek_v3", kv_lora_rank=12, qk_rope_head_dim=4)
    test = products(said(tmp_path, tensors, tensors, about))
    assert (test.groups, test.reach) == (0, None)


@pytest.mark.parametrize("extra", ["bias", "norm"])
def test_biases_and_norms_of_queries_and_keys_change_nothing(extra: str, tmp_path: Path) -> None:
    parent = llama(1)
    child = mixed(noisy(parent, 2, 0.9), 3)
    for tensors in (parent, child):
        for layer in range(12):
            at = f"model.layers.{layer}.self_attn."
            for name, rows in (("q", HEADS * HEAD), ("k", GROUPS * HEAD)):
                size, tensor = (
                    (rows, f"{at}{name}_proj.bias") if extra == "bias" else (HEAD, f"{at}{name}_norm.weight")
                )
                tensors[tensor] = np.random.default_rng(rows + layer).normal(size=size).astype(np.float32)
    test = products(said(tmp_path, child, parent))
    assert test.fixed == test.units > 0


def test_a_library_keeps_no_whole_heads_and_is_not_asked(tmp_path: Path) -> None:
    parent = llama(1)
    with opened(tmp_path / "models", (mixed(parent, 3), config()), (parent, config())) as (mine, _):
        build(tmp_path / "library", {"parent": tmp_path / "models" / "1"}, key=KEY, workers=1)
        kept = open_library(tmp_path / "library").reference("parent")
        assert products(audit(mine, [kept], key=KEY)).groups == 0


def test_strangers_p_values_are_those_of_chance() -> None:
    """400 pairs of strangers that have words and the liking of words in common, as two that read one language do."""
    random = np.random.default_rng(5)
    words = random.normal(size=(24, 32)).astype(np.float32)
    # What the heads of a layer do to words, in all models alike and whoever of them does it.
    liked = random.normal(size=(12, 4, 1, 1, HEAD, 24))

    def map_of(layer: int, kind: int) -> Units:
        wide, narrow = (
            (random.normal(size=(GROUPS, per, HEAD, 24)) + 2 * liked[layer, turn]).reshape(-1, 24)
            for turn, per in ((2 * kind, 2), (2 * kind + 1, 1))
        )
        return word_maps((wide @ words).astype(np.float32), (narrow @ words).astype(np.float32), GROUPS)

    def model() -> list[list[Units]]:
        return [[map_of(layer, kind) for kind in (0, 1)] for layer in range(12)]

    models = [model() for _ in range(29)]
    fixed, logs = [], []
    for place, one in enumerate(models):
        for other in models[:place]:
            matches = [
                mean_cosines([cosines(x, y) for x, y in zip(a, b, strict=True)]).matches
                for a, b in zip(one, other, strict=True)
            ]
            fixed.append(sum(each.fixed for each in matches))
            logs.append(fixed_point_log10_p(matches))
    assert len(fixed) == 406
    assert kstest(10 ** np.array(logs), "uniform", alternative="greater").pvalue > 0.01
    assert min(logs) > -4
    # Of the matched groups one in eight is fixed, no more.
    assert binom.sf(sum(fixed), 406 * 12 * GROUPS, 1 / GROUPS) > 0.01


def routed(tensors: Tensors) -> Tensors:
    """The same model without its networks: attention alone."""
    return {name: value for name, value in tensors.items() if ".mlp." not in name}


def test_attention_alone_is_known_by_both_products_where_heads_were_permuted(tmp_path: Path) -> None:
    parent = llama(1)
    child = routed(mixed(noisy(parent, 2, 0.9), 3, permute=True))
    found = decoder(said(tmp_path / "child", child, routed(parent)))
    assert found.anchored is not None
    assert (found.anchored.of, found.word) == ("heads", "rearranged")
    assert found.anchored.agreed == found.anchored.compared >= 24
    assert 0 < found.anchored.control < 0.45
    stranger = decoder(said(tmp_path / "stranger", routed(mixed(llama(5), 3)), routed(parent)))
    assert stranger.word == "no-evidence"
    assert stranger.anchored is not None
    assert stranger.anchored.agreed < 12


def test_where_there_are_neurons_they_are_asked(tmp_path: Path) -> None:
    found = decoder(said(tmp_path, llama(1), llama(1)))
    assert found.anchored is not None
    assert found.anchored.of == "neurons"
