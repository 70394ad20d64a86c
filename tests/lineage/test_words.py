"""Rows of vocabularies by word: copies in other rows are told, false tokenizers hide nothing, strangers stay so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.training.checkpoint import Floats, kept, write
from benchmarks.training.disguise import disguised
from benchmarks.training.network import Shape, Text, draw
from dokja.language import Voice
from dokja.lineage import Audit, Finding, audit, open_checkpoint, reference
from dokja.lineage.library import build, open_library
from dokja.lineage.pair.rows import Paired, shared_words
from dokja.lineage.telling import finding_lines

KEY = 7
COUNT = 300
TEXT = Text(width=48, hidden=160, layers=3, heads=8, key_heads=8, vocabulary=COUNT)
TABLES = ("model.embed_tokens.weight", "lm_head.weight")
NAMES = tuple(f"word {number}" for number in range(COUNT))

Model = tuple[Mapping[str, Floats], Sequence[str] | None]
"""Weights, and the word of each row; none where there is no tokenizer."""


def drawn(seed: int) -> dict[str, Floats]:
    return kept(draw(Shape(text=TEXT), np.random.default_rng(seed)))


def tuned(weights: Mapping[str, Floats], seed: int) -> dict[str, Floats]:
    other = drawn(seed)
    return kept({name: 0.8 * each + 0.6 * other[name] if each.ndim > 1 else each for name, each in weights.items()})


def scrambled(weights: Mapping[str, Floats], seed: int) -> dict[str, Floats]:
    return kept(disguised(weights, Shape(text=TEXT), np.random.default_rng(seed)))


def in_rows(weights: Mapping[str, Floats], words: Sequence[str], rows: Sequence[int]) -> Model:
    """These rows alone, in this order, and their words with them."""
    moved = {name: each[list(rows)] if name in TABLES else each for name, each in weights.items()}
    return moved, [words[row] for row in rows]


def saved(folder: Path, model: Model) -> Path:
    weights, words = model
    write(folder, weights, Shape(text=replace(TEXT, vocabulary=len(weights[TABLES[0]]))))
    told = {"model": {"vocab": {word: row for row, word in enumerate(words or ())}}}
    (folder / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def said(folder: Path, one: Model, other: Model, *, key: int = KEY) -> Audit:
    with ExitStack() as stack:
        mine, his = (
            reference(name, stack.enter_context(open_checkpoint(saved(folder / name, model))), key)
            for name, model in (("one", one), ("other", other))
        )
        return audit(mine, [his], key=key)


def by_component(found: Audit) -> dict[str, Finding]:
    return {each.component: each for each in found.findings}


def words_of(found: Audit) -> dict[str, str]:
    return {each.component: each.word for each in found.findings}


PARENT = drawn(1)
CHILD = tuned(PARENT, 2)


@given(rows=st.permutations(range(COUNT)), hidden=st.booleans())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_order_of_the_vocabulary_changes_no_word(rows: list[int], hidden: bool, tmp_path: Path) -> None:
    child = scrambled(CHILD, 3) if hidden else CHILD
    plain = said(tmp_path, (child, NAMES), (PARENT, NAMES))
    moved = in_rows(child, NAMES, rows)
    found = said(tmp_path, moved, (PARENT, NAMES))
    assert words_of(found) == words_of(plain)
    assert words_of(plain)["text-decoder"] == ("rearranged" if hidden else "common-initialisation")
    back = said(tmp_path, (PARENT, NAMES), moved)
    assert words_of(back) == words_of(found)
    for one, other in zip(found.findings, back.findings, strict=True):
        assert one.log10_p == pytest.approx(other.log10_p, rel=1e-5, abs=1e-6)
        assert one.closeness == pytest.approx(other.closeness, abs=1e-6)
        assert one.paired == other.paired
        for mine, his in zip(one.tests, other.tests, strict=True):
            assert (mine.groups, mine.mutual, mine.fixed) == (his.groups, his.mutual, his.fixed)


def test_a_copy_in_other_rows_is_derived_and_all_its_rows_are_found(tmp_path: Path) -> None:
    rows = [int(row) for row in np.random.default_rng(5).permutation(COUNT)]
    found = by_component(said(tmp_path, in_rows(PARENT, NAMES, rows), (PARENT, NAMES)))
    for component in ("embeddings", "head"):
        each = found[component]
        assert each.word == "derived"
        assert each.closeness == pytest.approx(1)
        assert each.equal_rows == 1
        assert each.equal == 0
        assert each.paired is not None
        assert (each.paired.words, each.paired.closer) == (COUNT, "word")
        assert each.paired.moved > COUNT - 10
        assert any("more alike by word" in line for line in finding_lines(each, Voice("en")))
    assert found["text-decoder"].word == "identical"
    assert found["text-decoder"].paired is None


@pytest.mark.parametrize("true", ["word", "number"])
def test_rows_that_are_the_opposite_of_those_that_are_read_hide_nothing(true: str, tmp_path: Path) -> None:
    """A vocabulary twice as long: one half is the copy's, the other, which nobody reads, its negative."""
    sign = -1 if true == "word" else 1
    twice = {
        name: np.concatenate([sign * each, -sign * each]) if name in TABLES else each for name, each in CHILD.items()
    }
    lies = [f"lie {number}" for number in range(COUNT)]
    found = by_component(said(tmp_path, (kept(twice), [*lies, *NAMES]), (PARENT, NAMES)))
    for component in ("embeddings", "head"):
        assert found[component].word == "common-initialisation"
        labels = next(test for test in found[component].tests if test.name == "labels")
        assert labels.fixed == labels.units
        assert labels.searched == pytest.approx(np.log10(2))  # Of two pairings the better one, which is paid for.
        assert found[component].paired == Paired(COUNT, COUNT, "word" if true == "word" else "number")


@pytest.mark.parametrize("shelved", [False, True])
def test_a_tokenizer_that_tells_the_words_of_false_rows_alone_hides_nothing(shelved: bool, tmp_path: Path) -> None:
    """As of words that the copy never uses: their rows are drawn anew."""
    shape, told = Shape(text=replace(TEXT, vocabulary=1200)), 300
    whole, strange = (kept(draw(shape, np.random.default_rng(seed))) for seed in (1, 9))
    child = kept(disguised(whole, shape, np.random.default_rng(3)))
    child |= {name: np.concatenate([strange[name][:told], child[name][told:]]) for name in TABLES}
    names = [f"word {number}" for number in range(1200)]
    mine, parent = saved(tmp_path / "mine", (child, names[:told])), saved(tmp_path / "parent", (whole, names))
    build(tmp_path / "library", {"parent": parent}, key=KEY, units=64, workers=1)
    with open_checkpoint(mine) as one, open_checkpoint(parent) as other:
        kept_one = open_library(tmp_path / "library").reference("parent")
        found = by_component(
            audit(reference("mine", one, KEY), [kept_one if shelved else reference("parent", other, KEY)], key=KEY)
        )
    answers = found["text-decoder"].anchored
    assert answers is not None
    assert (answers.by, answers.sets) == ("number", 2)
    assert found["text-decoder"].word == "rearranged"


@pytest.mark.parametrize("left", [60, 150, 299])
def test_a_pruned_and_renumbered_vocabulary_is_told(left: int, tmp_path: Path) -> None:
    rows = [int(row) for row in np.random.default_rng(6).permutation(COUNT)[:left]]
    found = by_component(said(tmp_path, in_rows(CHILD, NAMES, rows), (PARENT, NAMES)))
    assert found["embeddings"].word == found["head"].word == "common-initialisation"
    assert found["embeddings"].closeness == pytest.approx(0.8, abs=0.03)


def test_new_words_among_old_ones_hide_nothing(tmp_path: Path) -> None:
    """As of a tokenizer for another language, whose shared words keep their embeddings."""
    random = np.random.default_rng(8)
    strange = drawn(9)
    grown = {name: np.concatenate([each, strange[name]]) if name in TABLES else each for name, each in CHILD.items()}
    names = [*NAMES, *(f"낱말 {number}" for number in range(COUNT))]
    model = in_rows(grown, names, [int(row) for row in random.permutation(2 * COUNT)])
    found = by_component(said(tmp_path, model, (PARENT, NAMES)))
    assert found["embeddings"].word == found["head"].word == "common-initialisation"
    assert found["embeddings"].paired is not None
    assert found["embeddings"].paired.words == COUNT


FALSE: Mapping[str, Callable[[], Sequence[str] | None]] = {
    "none": lambda: None,
    "renamed": lambda: [f"lie {number}" for number in range(COUNT)],
    "shuffled": lambda: [NAMES[row] for row in np.random.default_rng(4).permutation(COUNT)],
    "turned round": lambda: NAMES[::-1],
    "half of them": lambda: [*NAMES[: COUNT // 2], *NAMES[: COUNT // 2 - 1 : -1]],
}


@pytest.mark.parametrize("lie", FALSE)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_false_tokenizer_hides_nothing(lie: str, hidden: bool, tmp_path: Path) -> None:
    child = scrambled(CHILD, 3) if hidden else CHILD
    plain = said(tmp_path, (child, NAMES), (PARENT, NAMES))
    found = said(tmp_path, (child, FALSE[lie]()), (PARENT, NAMES))
    assert words_of(found) == words_of(plain)
    figures = by_component(found)
    assert figures["embeddings"].paired is not None
    assert figures["embeddings"].paired.closer == "number"


@pytest.mark.parametrize("lie", [None, "renamed", "shuffled"])
def test_a_copy_in_other_rows_is_told_from_a_library(lie: str | None, tmp_path: Path) -> None:
    """With some units of an axis, and fewer words than a pack may keep."""
    rows = [int(row) for row in np.random.default_rng(5).permutation(COUNT)]
    moved = in_rows(scrambled(CHILD, 3), NAMES, rows)[0], in_rows(CHILD, NAMES, rows)[1]
    plain = in_rows(CHILD, NAMES, rows)
    if lie is not None:
        moved, plain = (scrambled(CHILD, 3), FALSE[lie]()), (CHILD, FALSE[lie]())
    build(tmp_path / "library", {"parent": saved(tmp_path / "parent", (PARENT, NAMES))}, key=KEY, units=64, workers=1)
    library = open_library(tmp_path / "library")
    told = []
    for name, model in (("plain", plain), ("moved", moved), ("stranger", in_rows(drawn(9), NAMES, rows))):
        with open_checkpoint(saved(tmp_path / name, model)) as mine:
            found = audit(reference(name, mine, KEY), [library.reference("parent")], key=KEY)
        told.append(words_of(found))
    assert told[0]["embeddings"] == told[0]["head"] == "common-initialisation"
    assert told[1]["text-decoder"] == "rearranged"
    assert set(told[2].values()) == {"no-evidence"}


def test_a_library_keeps_words_beyond_the_rows_that_it_draws_by_number(tmp_path: Path) -> None:
    build(tmp_path / "library", {"parent": saved(tmp_path / "parent", (PARENT, NAMES))}, key=KEY, units=8, workers=1)
    rows = [int(row) for row in np.random.default_rng(5).permutation(COUNT)]
    with open_checkpoint(saved(tmp_path / "copy", in_rows(PARENT, NAMES, rows))) as mine:
        reader = reference("copy", mine, KEY).reader
        with open_library(tmp_path / "library").pack("parent") as pack:
            [member] = reader.model.parts("embeddings")
            words = shared_words(reader.source, pack)
            assert words is not None
            assert words.count == COUNT
            mine_at, his_at = reader.at(member, words.rows[0]), pack.at(member, words.rows[1])
    assert mine_at is not None
    assert his_at is not None
    assert np.array_equal(mine_at, his_at)  # Both are of bfloat16.


HOSTILE: Mapping[str, bytes] = {
    "beyond the rows": json.dumps(
        {"model": {"vocab": {name: 10**18 + row for row, name in enumerate(NAMES)}}}
    ).encode(),
    "far beyond": json.dumps({"model": {"vocab": dict.fromkeys(NAMES, 10**400)}}).encode(),
    "one row": json.dumps({"model": {"vocab": dict.fromkeys(NAMES, 3)}}).encode(),
    "two rows": json.dumps({"model": {"vocab": {name: row % 2 for row, name in enumerate(NAMES)}}}).encode(),
    "one word": json.dumps({"model": {"vocab": {NAMES[0]: 5}}}).encode(),
    "no text": json.dumps({"model": {"vocab": {chr(0xD800 + row): row for row in range(COUNT)}}}).encode(),
    "deep": b'{"model": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no JSON": b"\xff" * 100,
    "nothing": b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_tokenizer_hides_nothing_and_accuses_nobody(kind: str, tmp_path: Path) -> None:
    stranger = drawn(9)
    for weights, word in ((CHILD, "common-initialisation"), (stranger, "no-evidence")):
        mine = saved(tmp_path / "mine", (weights, NAMES))
        (mine / "tokenizer.json").write_bytes(HOSTILE[kind])
        build_at = tmp_path / word
        with (
            open_checkpoint(mine) as one,
            open_checkpoint(saved(tmp_path / "his", (PARENT, NAMES))) as other,
        ):
            sides = reference("one", one, KEY), reference("other", other, KEY)
            for left, right in (sides, sides[::-1]):
                assert set(words_of(audit(left, [right], key=KEY)).values()) == {word}
        build(build_at, {"mine": mine}, key=KEY, units=64, workers=1)
        with open_library(build_at).pack("mine") as pack:
            assert (pack.vocabulary() or {}).keys() <= set(NAMES)


def test_words_of_a_remote_checkpoint_are_read(tmp_path: Path) -> None:
    rows = [int(row) for row in np.random.default_rng(5).permutation(COUNT)]
    copy = saved(tmp_path / "copy", in_rows(CHILD, NAMES, rows))
    system = fsspec.filesystem("memory")
    for file in copy.iterdir():
        system.pipe(f"/words/{file.name}", file.read_bytes())
    with open_checkpoint("memory://words") as one, open_checkpoint(saved(tmp_path / "p", (PARENT, NAMES))) as other:
        found = by_component(audit(reference("one", one, KEY), [reference("other", other, KEY)], key=KEY))
    assert found["embeddings"].paired is not None
    assert (found["embeddings"].paired.words, found["embeddings"].paired.closer) == (COUNT, "word")


def test_step_0_and_the_shares_of_a_merge_are_found_in_other_rows(tmp_path: Path) -> None:
    other, start = drawn(4), drawn(5)
    merged = kept({name: 0.6 * each + 0.4 * other[name] for name, each in PARENT.items()})
    shuffle = [[int(row) for row in np.random.default_rng(seed).permutation(COUNT)] for seed in range(4)]
    models = {
        "mine": in_rows(merged, NAMES, shuffle[0]),
        "parent": in_rows(PARENT, NAMES, shuffle[1]),
        "other": in_rows(other, NAMES, shuffle[2]),
        "start": in_rows(start, NAMES, shuffle[3]),
    }
    with ExitStack() as stack:
        opened = {
            name: reference(name, stack.enter_context(open_checkpoint(saved(tmp_path / name, model))), KEY)
            for name, model in models.items()
        }
        parents = [opened["parent"], opened["other"]]
        told = audit(opened["mine"], parents, key=KEY, step0=opened["start"]).findings
    for each in told:
        if each.component in ("embeddings", "head"):
            assert each.word == "merged"
            assert dict(each.shares) == pytest.approx({"parent": 0.6, "other": 0.4}, abs=0.02)
            assert each.step0 is not None
            assert each.step0 > 0.4
