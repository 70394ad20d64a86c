"""What the audit says that it would have seen, it sees: models drawn at random and blended by just so much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmarks.training.checkpoint import Floats, kept, write
from benchmarks.training.network import Shape, Text, draw
from dokja.lineage import Finding, audit, open_checkpoint, reference
from dokja.lineage.judging import power
from dokja.lineage.pair.evidence import FamilyEffect, LabelTest

KEY = 7


def drawn(text: Text, seed: int) -> Mapping[str, Floats]:
    return draw(Shape(text=text), np.random.default_rng(seed))


def told(folder: Path, text: Text, child: Mapping[str, Floats], parent: Mapping[str, Floats]) -> Finding:
    for name, weights in (("child", child), ("parent", parent)):
        write(folder / name, kept(dict(weights)), Shape(text=text))
    with open_checkpoint(folder / "child") as one, open_checkpoint(folder / "parent") as other:
        findings = audit(reference("child", one, KEY), [reference("parent", other, KEY)], key=KEY).findings
    return next(each for each in findings if each.component == "text-decoder")


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (Text(width=48, hidden=400, layers=3, heads=4, key_heads=2), 0.03),
        (Text(width=64, hidden=96, layers=12, heads=4, key_heads=2), 0.04),
        (Text(width=32, hidden=64, layers=1, heads=4, key_heads=4), 0.15),
    ],
)
def test_what_would_have_been_seen_is_seen_and_a_quarter_of_it_is_not(
    text: Text, most: float, tmp_path: Path
) -> None:
    seen = {1.0: 0, 0.25: 0}
    for seed in range(5):
        mine, his = drawn(text, 2 * seed), drawn(text, 2 * seed + 1)
        silent = told(tmp_path / f"{seed}", text, mine, his)
        assert silent.word == "no-evidence"
        assert silent.power is not None
        assert silent.power.correlation is not None
        assert silent.power.correlation < most
        for share in seen:
            rho = share * silent.power.correlation
            rest = (1 - rho**2) ** 0.5
            child = {k: rho * his[k] + rest * each if each.ndim > 1 else each for k, each in mine.items()}
            seen[share] += told(tmp_path / f"{seed}-{share}", text, child, his).dependent
    assert seen[1.0] == 5
    assert seen[0.25] == 0


def layers(widths: Sequence[int], seed: int) -> Mapping[str, Floats]:
    """A chain of layers that is known by its shapes alone, and whose units are known by few numbers on one side."""
    random = np.random.default_rng(seed)
    return {
        f"layers.{place}.weight": random.standard_normal((below, above)).astype(np.float32)
        for place, (above, below) in enumerate(pairwise(widths))
    }


def of_chains(folder: Path, child: Mapping[str, Floats], parent: Mapping[str, Floats]) -> Finding:
    for name, weights in (("child", child), ("parent", parent)):
        save_file(dict(weights), folder / f"{name}.safetensors")
    with (
        open_checkpoint(folder / "child.safetensors") as one,
        open_checkpoint(folder / "parent.safetensors") as other,
    ):
        (found,) = audit(reference("child", one, KEY), [reference("parent", other, KEY)], key=KEY).findings
    return found


@pytest.mark.parametrize("widths", [(784, 128, 10), (27, 64, 576), (784, 256, 128, 10), (20, 16, 20), (8, 16, 8)])
def test_a_matrix_of_few_numbers_and_few_units_make_it_claim_less(widths: Sequence[int], tmp_path: Path) -> None:
    for seed in range(5):
        mine, his = layers(widths, 2 * seed), layers(widths, 2 * seed + 1)
        silent = of_chains(tmp_path, mine, his)
        assert silent.power is not None
        assert silent.power.correlation is not None
        rho = silent.power.correlation
        child = {name: rho * his[name] + (1 - rho**2) ** 0.5 * each for name, each in mine.items()}
        assert of_chains(tmp_path, child, his).dependent


def test_no_less_is_claimed_than_was_reckoned() -> None:
    """Of the largest models it is less than the digits that are told."""
    deep = [
        LabelTest("labels", 192, 49152),
        LabelTest("traces", 192, 49152, families=tuple(FamilyEffect(each, 49152, 0, 0.0) for each in "gud")),
    ]
    assert power(deep, 100, 16384 * 64).correlation == 0.001


def test_of_units_that_no_test_could_tell_nothing_is_claimed() -> None:
    few = [LabelTest("labels", 1, 4), LabelTest("traces", 1, 4, families=(FamilyEffect("up", 4, 0, 0.0),))]
    assert power(few, 10, 8).correlation is None
