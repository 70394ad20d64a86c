"""T3 where a layer has more neurons than are looked at, and where experts were permuted or made of a dense block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from benchmarks.training import network
from benchmarks.training.checkpoint import Floats, kept, read, write
from benchmarks.training.disguise import disguised, shifted
from benchmarks.training.network import ROUTER, Encoder, Shape, Text, draw, networks_of, see
from dokja.language import Voice
from dokja.lineage import Finding, audit, open_checkpoint, reference
from dokja.lineage.cores import ALONE
from dokja.lineage.pair.anchoring import Anchored, anchored, by_order
from dokja.lineage.pair.answers import anchorings, answered
from dokja.lineage.pair.candidates import EXPERTS, candidates
from dokja.lineage.pair.evidence import Held
from dokja.lineage.pair.rows import shared_words
from dokja.lineage.telling import lines

KEY = 7
FIVE = Path(__file__).parents[2] / "examples" / "five-teams"
DENSE = Text(width=48, hidden=400, layers=3, heads=4, key_heads=2)
MANY = replace(DENSE, hidden=120, experts=4)


def drawn(text: Text, seed: int) -> dict[str, Floats]:
    return dict(draw(Shape(text=text), np.random.default_rng(seed)))


def worn(weights: Mapping[str, Floats], text: Text, seed: int = 3) -> dict[str, Floats]:
    return kept(disguised(weights, Shape(text=text), np.random.default_rng(seed)))


def blended(one: Mapping[str, Floats], other: Mapping[str, Floats], share: float) -> dict[str, Floats]:
    rest = (1 - share**2) ** 0.5
    return {name: share * value + rest * other[name] if value.ndim > 1 else value for name, value in one.items()}


def agreed(folder: Path, child: Mapping[str, Floats], parent: Mapping[str, Floats], looks: int) -> Anchored | None:
    for name, weights in (("child", child), ("parent", parent)):
        write(folder / name, weights, Shape(text=DENSE))
    with open_checkpoint(folder / "child") as one, open_checkpoint(folder / "parent") as other:
        mine, his = reference("child", one, KEY), reference("parent", other, KEY)
        words = shared_words(mine.source, his.source)
        return anchored(Held(mine.reader, his.reader, KEY, words).within(looks), "text-decoder", ALONE)


@pytest.mark.parametrize(("share", "least"), [(1.0, 0.98), (0.9, 0.85)])
def test_neurons_that_were_permuted_are_found_among_more_than_are_looked_at(
    share: float, least: float, tmp_path: Path
) -> None:
    parent = drawn(DENSE, 1)
    child = worn(blended(parent, drawn(DENSE, 2), share), DENSE)
    found = agreed(tmp_path, child, kept(parent), looks=64)
    assert found is not None
    assert found.compared > 3 * 64 * 0.5
    assert found.share > least
    assert found.fires


def test_strangers_longest_neurons_agree_no_more_than_others(tmp_path: Path) -> None:
    found = agreed(tmp_path, kept(drawn(DENSE, 2)), kept(drawn(DENSE, 1)), looks=64)
    assert found is not None
    assert not found.fires
    assert found.agreed < 12


def upcycled(parent: Mapping[str, Floats], seed: int) -> dict[str, Floats]:
    """Every expert is the parent's network, a little changed."""
    random = np.random.default_rng(seed)
    weights = dict(drawn(MANY, seed))
    weights |= {name: value for name, value in parent.items() if name in weights}
    for layer in range(MANY.layers):
        [whole] = networks_of(replace(MANY, experts=0), layer)
        for expert in networks_of(MANY, layer):
            for new, old in zip(expert, whole, strict=True):
                value = parent[old]
                weights[new] = (value + 0.3 * value.std() * random.normal(size=value.shape)).astype(np.float32)
    return weights


def experts(
    folder: Path, one: tuple[Mapping[str, Floats], Text], other: tuple[Mapping[str, Floats], Text]
) -> Finding:
    for name, (weights, text) in (("one", one), ("other", other)):
        write(folder / name, kept(dict(weights)), Shape(text=text))
    with open_checkpoint(folder / "one") as mine, open_checkpoint(folder / "other") as his:
        findings = audit(reference("one", mine, KEY), [reference("other", his, KEY)], key=KEY).findings
    return next(each for each in findings if each.component == "experts")


def test_scrambled_experts_are_known_by_their_dense_block_and_by_each_other(tmp_path: Path) -> None:
    dense = replace(MANY, experts=0)
    parent = drawn(dense, 1)
    child = upcycled(parent, 2)
    hidden = worn(child, MANY)
    for name, other in (("dense", (parent, dense)), ("itself", (child, MANY))):
        found = experts(tmp_path / name, (hidden, MANY), other)
        assert found.word == "rearranged"
        assert found.anchored is not None
        assert found.anchored.share > 0.9


def test_strangers_experts_agree_on_nothing_though_all_are_tried(tmp_path: Path) -> None:
    dense = replace(MANY, experts=0)
    stranger = upcycled(drawn(dense, 5), 6)
    for name, other in (("dense", (drawn(dense, 1), dense)), ("experts", (upcycled(drawn(dense, 1), 2), MANY))):
        found = experts(tmp_path / name, (stranger, MANY), other)
        assert found.word == "no-evidence"
        assert found.anchored is not None
        assert found.anchored.agreed < 24


CROWD = replace(DENSE, hidden=40, experts=20)
"""More experts than can be held against each other one by one."""


def changed(weights: Mapping[str, Floats], seed: int, text: Text, share: float = 0.9) -> dict[str, Floats]:
    return blended(weights, drawn(text, seed), share)


def order_of_experts(weights: Mapping[str, Floats], hidden: Mapping[str, Floats], layer: int) -> list[int]:
    """Where each expert of a copy that was permuted and rotated comes from: no length has changed."""
    names = [gate for gate, _, _ in networks_of(CROWD, layer)]

    def lengths(of: Mapping[str, Floats]) -> Floats:
        routes = np.linalg.norm(of[f"model.layers.{layer}.{ROUTER}.weight"], axis=1)
        return np.stack([routes, [np.linalg.norm(of[name]) for name in names]], axis=1)

    mine, his = lengths(hidden), lengths(weights)
    apart = np.abs((mine[:, None] - his[None]) / his.std(axis=0)).max(axis=2)
    assert (np.sort(apart, axis=1)[:, 0] < 0.02).all()
    return [int(place) for place in apart.argmin(axis=1)]


def test_scrambled_experts_are_met_by_their_routers_and_mapped(tmp_path: Path) -> None:
    parent = drawn(CROWD, 1)
    child = changed(parent, 2, CROWD)
    hidden = kept(disguised(child, Shape(text=CROWD), np.random.default_rng(3), frozenset({"permute", "rotate"})))
    found = experts(tmp_path, (hidden, CROWD), (parent, CROWD))
    assert found.word == "rearranged"
    assert found.anchored is not None
    assert found.anchored.share > 0.9
    assert len(found.layer_map) > EXPERTS / 2
    origin = {layer: order_of_experts(child, hidden, layer) for layer in range(CROWD.layers)}
    assert all(row.from_layer == row.layer for row in found.layer_map)
    assert all(row.from_expert == origin[row.layer or 0][row.expert or 0] for row in found.layer_map)


def test_a_shift_that_all_rows_of_a_router_share_hides_no_expert(tmp_path: Path) -> None:
    parent = drawn(CROWD, 1)
    hidden = worn(parent, CROWD)
    random = np.random.default_rng(4)
    for layer in range(CROWD.layers):
        name = f"model.layers.{layer}.{ROUTER}.weight"
        hidden[name] += 3 * random.standard_normal(hidden[name].shape[1], dtype=np.float32)
    assert experts(tmp_path, (hidden, CROWD), (parent, CROWD)).word == "rearranged"


def test_strangers_crowds_of_experts_agree_on_nothing(tmp_path: Path) -> None:
    found = experts(tmp_path, (worn(drawn(CROWD, 5), CROWD), CROWD), (drawn(CROWD, 1), CROWD))
    assert found.word == "no-evidence"
    assert found.anchored is None or found.anchored.agreed < 12


def test_scrambled_layers_are_found_where_some_were_left_out_or_doubled(tmp_path: Path) -> None:
    parent = drawn(DENSE, 1)
    for name, order in (("shallow", (0, 2)), ("deepened", (0, 1, 1, 2, 2))):
        text = replace(DENSE, layers=len(order))
        made = dict(drawn(text, 6))
        for key in made:
            _, _, layer, rest = key.split(".", 3) if key.startswith("model.layers.") else ("", "", "", "")
            made[key] = parent[f"model.layers.{order[int(layer)]}.{rest}" if rest else key]
        hidden = worn(changed(made, 7, text, 0.95), text)
        for side, (weights, shape) in enumerate(((hidden, text), (kept(parent), DENSE))):
            write(tmp_path / name / str(side), weights, Shape(text=shape))
        with open_checkpoint(tmp_path / name / "0") as one, open_checkpoint(tmp_path / name / "1") as other:
            said = audit(reference("one", one, KEY), [reference("other", other, KEY)], key=KEY)
        found = next(each for each in said.findings if each.component == "text-decoder")
        assert found.word == "rearranged"
        assert [row.from_layer for row in found.layer_map] == list(order)


def test_a_control_is_what_the_pair_itself_would_be_with_its_anchors_in_that_order(tmp_path: Path) -> None:
    """Else pair and controls were not exchangeable: each must choose its layers anew, by the same rule."""
    deep = replace(DENSE, layers=5)
    for name, weights, text in (("one", drawn(deep, 1), deep), ("other", drawn(DENSE, 2), DENSE)):
        write(tmp_path / name, kept(weights), Shape(text=text))
    with open_checkpoint(tmp_path / "one") as one, open_checkpoint(tmp_path / "other") as other:
        mine, his = reference("one", one, KEY), reference("other", other, KEY)
        held = Held(mine.reader, his.reader, KEY, shared_words(mine.source, his.source)).within(64)
        [anchors] = anchorings(held, "text-decoder")
        vectors = anchors.sides
        left, right = answered(held, vectors, ALONE)
        asked = candidates(held, "text-decoder", (left, right))
        assert {len(each.choices) for each in asked} == {DENSE.layers}
        as_they_are = np.arange(len(vectors[0]["up"]))
        orders = [as_they_are, *(np.random.default_rng(seed).permutation(len(as_they_are)) for seed in range(4))]
        controls = by_order(held, asked, (left, right), orders, ALONE)
        assert len({tuple(best.choice for best in control) for control in controls}) > 1
        for number, order in enumerate(orders):
            turned = {kind: (bytes([number]), matrix[:, order]) for kind, (_, matrix) in left.items()}
            assert by_order(held, asked, (turned, right), [as_they_are], ALONE) == [controls[number]]


def test_a_finding_says_where_a_scrambled_copy_would_not_have_been_seen(tmp_path: Path) -> None:
    parent = drawn(DENSE, 1)
    for name, weights in (("child", worn(parent, DENSE)), ("parent", kept(parent))):
        write(tmp_path / name, weights, Shape(text=DENSE))
    with open_checkpoint(tmp_path / "child") as one, open_checkpoint(tmp_path / "parent") as other:
        said = audit(reference("child", one, KEY), [reference("parent", other, KEY)], key=KEY)
    told = {each.component: each for each in said.findings}
    assert told["text-decoder"].word == "rearranged"
    [caveat] = [line for line in lines(said, Voice("en")) if "would not have been seen" in line]
    assert caveat.startswith("  embeddings, head: ")


@pytest.mark.parametrize("size", [1.0, 10.0])
def test_what_layer_norm_takes_away_hides_no_scrambled_encoder(size: float, tmp_path: Path) -> None:
    parent, shape = read(FIVE / "references" / "alder"), Shape(Text(), Encoder(), Encoder())
    hidden = disguised(parent, shape, np.random.default_rng(3))
    moved = shifted(hidden, Encoder(), np.random.default_rng(4), size)
    pictures = np.random.default_rng(5).random((4, 3, 16, 16))
    answers = [see(np, weights, Encoder(), pictures) for weights in (hidden, moved)]
    assert np.abs(answers[0] - answers[1]).max() < 1e-9 * answers[0].std()
    write(tmp_path / "child", kept(moved), shape)
    with open_checkpoint(tmp_path / "child") as one, open_checkpoint(FIVE / "references" / "alder") as other:
        said = audit(reference("one", one, KEY), [reference("other", other, KEY)], key=KEY)
    found = next(each for each in said.findings if each.component == "vision-encoder")
    assert found.word == "rearranged"
    assert found.anchored is not None
    assert found.anchored.agreed > 700


def shifted_decoder(
    weights: Mapping[str, np.ndarray], text: Text, rng: np.random.Generator, size: float
) -> dict[str, np.ndarray]:
    """A decoder under the shifts that layer norms without a bias let pass, so many times as large as its weights."""
    moved = {name: np.asarray(value, np.float64).copy() for name, value in weights.items()}

    def more(name: str, along: int) -> np.ndarray:
        matrix = moved[name]
        return np.asarray(size * np.sqrt(np.mean(matrix**2)) * rng.standard_normal(matrix.shape[along]))

    def read_by(norm: str, *names: str) -> None:
        for name in names:
            moved[name] += np.outer(more(name, 0), 1 / moved[norm])

    moved["model.embed_tokens.weight"] += more("model.embed_tokens.weight", 0)[:, None]
    for layer in range(text.layers):
        at, [(gate, up, down)] = f"model.layers.{layer}.", networks_of(text, layer)
        read_by(f"{at}input_layernorm.weight", *(f"{at}self_attn.{part}_proj.weight" for part in "qkv"))
        read_by(f"{at}post_attention_layernorm.weight", gate, up)
        for name in (f"{at}self_attn.o_proj.weight", down):
            moved[name] += more(name, 1)[None]
    read_by("model.norm.weight", "lm_head.weight")
    return moved


@pytest.mark.parametrize("size", [1.0, 10.0])
def test_what_layer_norm_without_a_bias_takes_away_hides_no_copy(
    size: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rms_norm = network._rms_norm

    def layer_norm(xp: network.Module, weights: network.Weights, name: str, x: network.Array) -> network.Array:
        return rms_norm(xp, weights, name, x - x.mean(-1, keepdims=True))

    monkeypatch.setattr(network, "_rms_norm", layer_norm)
    parent = drawn(DENSE, 1)
    permuted = disguised(parent, Shape(text=DENSE), np.random.default_rng(3), frozenset(("permute", "scale")))
    child = shifted_decoder(permuted, DENSE, np.random.default_rng(4), size)
    tokens = np.random.default_rng(5).integers(0, DENSE.vocabulary, (2, 12))
    said = [network.read(np, weights, DENSE, tokens) for weights in (parent, permuted, child)]
    assert max(np.abs(each - said[0]).max() for each in said[1:]) < 1e-4 * said[0].std()
    found = agreed(tmp_path, kept(child), kept(parent), looks=1024)
    assert found is not None
    assert found.fires
    assert found.agreed > 0.98 * DENSE.layers * DENSE.hidden


SMALL = Text(width=32, hidden=64, layers=2, heads=4, key_heads=2)


def restacked(weights: Mapping[str, Floats], layers: Sequence[int]) -> dict[str, Floats]:
    """The model of these layers, in this order."""
    stacked = {name: value for name, value in weights.items() if ".layers." not in name}
    for place, layer in enumerate(layers):
        old, new = f".layers.{layer}.", f".layers.{place}."
        stacked |= {name.replace(old, new): value for name, value in weights.items() if old in name}
    return stacked


def both_ways(folder: Path, models: Sequence[tuple[Mapping[str, Floats], Text]]) -> Iterator[tuple[Finding, Finding]]:
    """The findings of each component, one against the other and the other against the one."""
    with ExitStack() as stack:
        opened = []
        for name, (weights, text) in zip(("one", "other"), models, strict=True):
            write(folder / name, kept(dict(weights)), Shape(text=text))
            opened.append(stack.enter_context(open_checkpoint(folder / name)))
        one, other = (reference(name, each, KEY) for name, each in zip(("one", "other"), opened, strict=True))
        back = {each.component: each for each in audit(other, [one], key=KEY).findings}
        for each in audit(one, [other], key=KEY).findings:
            yield each, back[each.component]


@given(
    layers=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    share=st.sampled_from((0.0, 0.9, 1.0)),
    hidden=st.booleans(),
)
@example(layers=[0, 1, 2], share=1.0, hidden=True)
@example(layers=[0, 0, 0, 0], share=1.0, hidden=False)
@example(layers=[0], share=1.0, hidden=False)
@example(layers=[0, 1, 1, 2, 2, 3], share=1.0, hidden=True)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_against_the_other_is_the_other_against_the_one(
    layers: list[int], share: float, hidden: bool, tmp_path: Path
) -> None:
    whole, text = replace(SMALL, layers=4), replace(SMALL, layers=len(layers))
    parent = drawn(whole, 1)
    child = restacked(blended(parent, drawn(whole, 2), share), layers)
    if hidden:
        child = worn(child, text)
    for here, back in both_ways(tmp_path, ((child, text), (parent, whole))):
        # Of which side every number is equal is told of that side.
        assert here.word == back.word or "identical" in (here.word, back.word)
        assert here.dependent == back.dependent
        assert here.log10_p == pytest.approx(back.log10_p, rel=1e-5, abs=1e-6)
        for mine, his in zip(here.tests, back.tests, strict=True):
            assert (mine.groups, mine.mutual, mine.fixed) == (his.groups, his.mutual, his.fixed)
            assert mine.log10_p == pytest.approx(his.log10_p, rel=1e-5, abs=1e-6)
        if here.anchored is None or back.anchored is None:
            assert here.anchored == back.anchored
        else:
            assert replace(here.anchored, layer_map=()) == replace(back.anchored, layer_map=())
