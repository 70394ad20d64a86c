"""What an audit tells of the same numbers: rows that were kept, originals in the cells of a quantised copy (T7)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dokja.language import Voice
from dokja.lineage import Finding
from dokja.lineage.telling import finding_lines
from tests.lineage.test_heads import WORDS, Tensors, llama, noisy, said


def found(folder: Path, one: Tensors, other: Tensors, component: str = "text-decoder") -> Finding:
    return next(each for each in said(folder, one, other).findings if each.component == component)


def test_a_copy_of_which_some_rows_were_changed_says_how_many(tmp_path: Path) -> None:
    parent = llama(1, layers=2)
    child = {name: value.copy() for name, value in parent.items()}
    changed = 0
    for name, value in child.items():
        if "layers" in name and value.ndim == 2:
            value[::10] += 0.1
            changed += value[::10].size
    figures = found(tmp_path / "changed", child, parent)
    whole = sum(value.size for name, value in parent.items() if "layers" in name and value.ndim == 2)
    assert figures.equal < 0.01  # of the norms alone
    assert figures.equal_rows == pytest.approx(1 - changed / whole, abs=0.06)
    assert found(tmp_path / "same", parent, parent).equal_rows == 1
    assert found(tmp_path / "stranger", llama(2, layers=2), parent).equal_rows == 0
    assert any("equal" in line for line in finding_lines(figures, Voice("en")))


def test_a_grown_vocabulary_keeps_its_old_rows(tmp_path: Path) -> None:
    parent = llama(1, layers=2)
    more = np.random.default_rng(9).normal(size=(40, 64)).astype(np.float32)
    grown = {name: np.concatenate([value, more]) if len(value) == WORDS else value for name, value in parent.items()}
    for turn, (one, other) in enumerate(((grown, parent), (parent, grown))):
        figures = found(tmp_path / f"{turn}", one, other, "embeddings")
        assert figures.equal_rows == 1
        assert figures.closeness == pytest.approx(1)
        assert figures.equal == 0
        assert figures.word == "derived"
    assert found(tmp_path / "stranger", grown, llama(2, layers=2), "embeddings").word == "no-evidence"


def quantised(tensors: Tensors, group: int) -> Tensors:
    new = dict(tensors)
    for name, value in tensors.items():
        if value.ndim == 2:
            cut = value.reshape(len(value), -1, group if value.shape[1] % group == 0 else value.shape[1])
            step = np.abs(cut).max(axis=-1, keepdims=True) / 7
            new[name] = (np.round(cut / step) * step).reshape(value.shape).astype(np.float32)
    return new


@pytest.mark.parametrize("group", [16, 1 << 20])
def test_a_quantised_copy_and_one_that_was_trained_before_are_told_apart(group: int, tmp_path: Path) -> None:
    parent = llama(1, layers=2)
    shares = {}
    for kind, model in (("copy", parent), ("trained", noisy(parent, 3, 0.98)), ("stranger", llama(2, layers=2))):
        figures = found(tmp_path / kind, quantised(model, group), parent)
        assert figures.rounded is not None
        shares[kind] = figures.rounded
        turned = found(tmp_path / f"{kind}-turned", parent, quantised(model, group))
        assert turned.rounded == figures.rounded
    assert shares["copy"].share > 0.999
    assert 2 * shares["copy"].by_chance < shares["trained"].share < 0.8
    assert shares["stranger"].share == pytest.approx(shares["stranger"].by_chance, abs=0.05)


def test_what_is_not_quantised_on_either_side_says_nothing_of_cells(tmp_path: Path) -> None:
    assert found(tmp_path, llama(1, layers=2), llama(1, layers=2)).rounded is None
