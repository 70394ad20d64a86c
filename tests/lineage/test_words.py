"""Rows of vocabularies by word: copies in other rows are told, false tokenizers hide nothing, strangers stay so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.training.checkpoint import Floats, kept, write
from benchmarks.training.disguise import disguised
from benchmarks.training.network import Shape, Text, draw
from dokja.language import Voice
from dokja.lineage import Audit, Finding, audit, open_checkpoint, reference
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
