"""What a component is told by, and what may have come to it through the stream that it shares with others."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.checkpoint import kept, write
from benchmarks.training.network import Encoder, Shape, Text, draw
from dokja.lineage import Audit, audit, open_checkpoint, reference
from dokja.lineage.judging import Grounds, Shown, Weighed, carried, word
from dokja.lineage.pair.evidence import FamilyEffect, LabelTest

FIRES, FAINT, SILENT = -28.0, -28.0, 0.0
STREAM = (frozenset({"text/residual"}), frozenset({"text/residual"}))
ELSEWHERE = (frozenset({"vision/residual"}), frozenset({"vision/residual"}))


def words_of(role: str) -> Weighed:
    """The labels of 64 channels, seen by words: all that there is of embeddings and of a head."""
    families = (FamilyEffect(f"{role}, channels", 64, 64, 0.9, expected=1.0),)
    return Weighed(LabelTest("labels", groups=1, units=64, fixed=64, families=families), -88.0)


EMBEDDINGS = Shown((words_of("embedding"),), 0.8, streams=STREAM, given=True)
TURNED = Weighed(LabelTest("turned", groups=72, units=2304, fixed=2000), -900.0)


def channels(log10_p: float, *, alike: bool = True) -> Weighed:
    """The labels of 64 channels, seen by four matrices of a decoder that was trained behind another's embeddings."""
    fixed = 30 if alike else 1
    families = tuple(FamilyEffect(each, 64, fixed, 0.3, expected=1.0) for each in "qkvo")
    return Weighed(LabelTest("matched", 1, 64, 64, fixed, log10_p, families=families), log10_p)


def told(*weighed: Weighed, passed_on: frozenset[str]) -> str:
    return word(Grounds(weighed, (), (), 0.0, 0.0, None, rearranged=False, carried=passed_on))


OWN = {
    "no unit of its own could be asked": (),
    "its own units are silent": (Weighed(LabelTest("traces", groups=72, units=2304), SILENT),),
}


@pytest.mark.parametrize(("own", "alike"), list(itertools.product(OWN, (True, False))))
def test_what_the_stream_carried_accuses_nobody(own: str, alike: bool) -> None:
    shown = channels(FIRES if alike else FAINT, alike=alike)
    assert (shown.fires, shown.faint) == (alike, not alike)
    weighed = (*OWN[own], shown)
    passed_on = carried(Shown(weighed), [EMBEDDINGS])
    assert told(*weighed, passed_on=passed_on) == "no-evidence"
    assert told(*weighed, passed_on=frozenset()) == ("derived" if alike else "common-initialisation")


def test_what_stands_by_itself_was_not_carried() -> None:
    shown = channels(FIRES)
    assert not carried(Shown((shown, TURNED)), [EMBEDDINGS])
    assert not carried(Shown((shown,), alike=True), [EMBEDDINGS])
    assert not carried(Shown((shown,)), [Shown((channels(FIRES),))])
    assert not carried(Shown((channels(SILENT, alike=False),)), [EMBEDDINGS])


def head(closeness: float | None) -> Shown:
    return Shown((words_of("unembedding"),), closeness, streams=STREAM, given=True)


@pytest.mark.parametrize("closeness", [0.05, 0.79, None])
def test_of_two_that_may_follow_each_other_the_closest_is_told(closeness: float | None) -> None:
    follower = head(closeness)
    assert not carried(EMBEDDINGS, [follower])
    assert told(*follower.weighed, passed_on=carried(follower, [EMBEDDINGS])) == "no-evidence"
    assert told(*follower.weighed, passed_on=frozenset()) == "common-initialisation"


@pytest.mark.parametrize("decoder", [Shown((TURNED,), 0.7, streams=STREAM), Shown((), 0.0, True, STREAM)])
def test_what_stands_in_a_stream_that_is_told_by_its_own_units_is_told_with_it(decoder: Shown) -> None:
    assert not carried(head(0.5), [EMBEDDINGS, decoder])
    elsewhere = Shown(decoder.weighed, decoder.closeness, decoder.alike, ELSEWHERE)
    assert carried(head(0.5), [EMBEDDINGS, elsewhere])
    silent = Shown((Weighed(TURNED.test, SILENT),), 0.7, streams=STREAM)
    assert carried(head(0.5), [EMBEDDINGS, silent])


def test_what_stands_in_another_stream_carries_nothing(tmp_path: Path) -> None:
    assert not carried(EMBEDDINGS, [Shown((TURNED,), 1.0, streams=ELSEWHERE)])
    shape = Shape(text=TEXT, vision=Encoder())
    mine, his, strange = (dict(draw(shape, np.random.default_rng(seed))) for seed in (1, 2, 3))
    mine |= {name: each for name, each in his.items() if name.startswith("vision_tower.")}
    seen = next(name for name in mine if name.endswith("embed_tokens.weight"))
    mine[seen] = 0.8 * his[seen] + 0.6 * strange[seen]
    write(tmp_path / "mine", kept(mine), shape)
    write(tmp_path / "his", kept(his), shape)
    found = {each.component: each for each in held_against(tmp_path).findings}
    assert {name: each.word for name, each in found.items()} == {
        "embeddings": "common-initialisation",
        "head": "no-evidence",
        "projector": "no-evidence",
        "text-decoder": "no-evidence",
        "vision-encoder": "identical",
    }
    assert found["embeddings"].reason is None


def test_channels_that_are_seen_by_units_of_its_own_are_a_components_own() -> None:
    # Heads too few to be asked: that channels agree, seen by them, shows that they do.
    labels = words_of("q")
    assert carried(Shown((labels,), 0.1, streams=STREAM, given=True), [EMBEDDINGS])
    assert not carried(Shown((labels,), 0.1, streams=STREAM), [EMBEDDINGS])
    assert Shown((labels,)).by_its_own


TEXT = Text(width=64, hidden=96, layers=2, heads=4, key_heads=2)
SEEN, SAID = "model.embed_tokens.weight", "lm_head.weight"
STEPS = 60


def habits(seed: int) -> np.ndarray:
    """Which word follows which: for each a few."""
    size = TEXT.vocabulary
    return np.random.default_rng(seed).dirichlet(np.full(size, 0.05), size=size).astype(np.float32)


def taught(embeddings: np.ndarray, begun: np.ndarray, follows: np.ndarray) -> np.ndarray:
    """A head that learns which word follows which behind these embeddings, by Adam."""
    seen = 8 * embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    weights, mean, square = begun.copy(), np.zeros_like(begun), np.zeros_like(begun)
    for step in range(1, STEPS + 1):
        logits = seen @ weights.T
        guessed = np.exp(logits - logits.max(axis=1, keepdims=True))
        slope = (guessed / guessed.sum(axis=1, keepdims=True) - follows).T @ seen / len(follows)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope * slope
        weights -= 0.01 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    return weights


def test_a_head_that_was_trained_anew_behind_copied_embeddings_is_not_accused(tmp_path: Path) -> None:
    mine, his = (dict(draw(Shape(text=TEXT), np.random.default_rng(seed))) for seed in (1, 2))
    shared, more = (habits(seed) for seed in (9, 10))
    mine[SEEN] = his[SEEN].copy()
    mine[SAID] = taught(mine[SEEN], mine[SAID], (shared + more) / 2)
    his[SAID] = taught(his[SEEN], his[SAID], shared)
    write(tmp_path / "mine", kept(mine), Shape(text=TEXT))
    write(tmp_path / "his", kept(his), Shape(text=TEXT))
    said = held_against(tmp_path)
    assert said.shared == ()  # The head may be a copy, too: nobody knows that the embeddings are alone.
    found = {each.component: each for each in said.findings}
    assert found["embeddings"].word == "identical"
    labels = next(test for test in found["head"].tests if test.name == "labels")
    assert labels.log10_p < -12  # Its channels bear the labels of the embeddings, and it would have been accused.
    assert (found["head"].word, found["head"].log10_p) == ("no-evidence", None)
    assert found["head"].reason is not None
    assert found["head"].power is None
    assert found["text-decoder"].word == "no-evidence"


def held_against(folder: Path) -> Audit:
    with open_checkpoint(folder / "mine") as left, open_checkpoint(folder / "his") as right:
        return audit(reference("mine", left, 7), [reference("his", right, 7)], key=7)
