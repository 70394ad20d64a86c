"""Every symmetry that a table declares, of every family: it leaves the right tests as they are.

The models are made from the tables (`synthesised`): a family that is added is asked without anybody thinking of it.
That the function of the network stays as it is `test_architecture` holds by forward passes, for every block that it
knows one of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dokja.lineage import Finding, Reference, audit, open_checkpoint, reference
from dokja.lineage.architecture import Axis, Part, assign, assigned, families, part_matrix
from dokja.lineage.architecture.tables import Family
from dokja.lineage.pair.evidence import LabelTest
from tests.lineage.saved import save
from tests.lineage.synthesised import config_of, lines_of, shortest
from tests.lineage.test_architecture import Array, Tensors, infos, places

KEY = 7
FAMILIES = {family.name: family for family in families()}

ALTERNATIVES = {"deepseek": {"self_attn.k_proj", "self_attn.v_proj"}}
"""Lines that stand in for others of the same table: no model has both, and both cannot have heads of one size."""


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_model_made_from_a_table_is_known_by_it_whole(family: Family) -> None:
    lines = list(lines_of(family))
    found = assigned(infos({name: shape for name, _, shape in lines}), config_of(family))
    assert found.family == family.name
    assert found.unassigned == ()
    assert found.contradictions == ()
    parts: dict[str, list[Part]] = {}
    for part in found.parts:
        parts.setdefault(part.tensor, []).append(part)
    for name, rule, _ in lines:
        if any(name.endswith(each) for each in ALTERNATIVES.get(family.name, ())):
            continue
        rows = [each.rows for each in rule.split] or [rule.rows]
        declared = [each.space.replace("kv-heads", "heads") for each in rows]
        told = [part.rows.space.replace("kv-heads", "heads") for part in parts[name]]
        assert told == declared * (len(told) // len(declared)), name
        assert {part.columns.space.replace("kv-heads", "heads") for part in parts[name]} == {
            rule.columns.space.replace("kv-heads", "heads")
        }, name
        assert {part.component for part in parts[name]} == {rule.component}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_no_tower_takes_the_names_of_another(family: Family) -> None:
    """A family's own line may stand for an included one; a line that takes another tower's names hides them all."""
    for rule in family.rules:
        name = shortest(rule.pattern, {"layer": "0", "expert": "0", "stage": "1"})
        first = next(each for each in family.rules if each.pattern.fullmatch(name))
        assert first.tower == rule.tower, (name, first.name)


def drawn(family: Family, seed: int) -> Tensors:
    """Weights of a family, with gains of one: a gain belongs to its channel, and no rotation may move it."""
    random = np.random.default_rng(seed)
    return {
        name: np.ones(shape, np.float32) if rule.role == "norm" else random.normal(size=shape).astype(np.float32)
        for name, rule, shape in lines_of(family)
    }


def near(tensors: Tensors, seed: int) -> Tensors:
    random = np.random.default_rng(seed)
    return {
        name: value if (value == 1).all() else (value + 0.5 * random.normal(size=value.shape)).astype(np.float32)
        for name, value in tensors.items()
    }


ENCODERS = ("vision-encoder", "audio-encoder")


def rotation(random: np.random.Generator, units: int, *, level: bool) -> Array:
    """A rotation; a level one leaves the mean of all channels alone."""
    if not level:
        return np.linalg.qr(random.normal(size=(units, units)))[0].astype(np.float32)
    basis = np.linalg.qr(np.column_stack([np.ones(units), random.normal(size=(units, units - 1))]))[0]
    turn = np.eye(units)
    turn[1:, 1:] = np.linalg.qr(random.normal(size=(units - 1, units - 1)))[0]
    return np.asarray(basis @ turn @ basis.T, dtype=np.float32)


class Disguise:
    """What each axis of a model is multiplied by: one permutation for each group, one rotation for each stream.

    Nearly all encoders have layer norms, which take the mean away: only a level rotation is a symmetry of theirs.
    """

    def __init__(self, seed: int, *, permute: bool, rotate: bool) -> None:
        self.random = np.random.default_rng(seed)
        self.permute, self.rotate = permute, rotate
        self.orders: dict[str, NDArray[np.int64]] = {}
        self.turns: dict[str, Array] = {}
        self.level: set[str] = set()

    def on(self, axis: Axis, matrix: Array) -> Array:
        """Rows that bear an axis, after it."""
        units = len(matrix) // (axis.block * axis.repeats)
        if axis.space == "residual" and self.rotate:
            level = axis.group in self.level
            turn = self.turns.setdefault(axis.group, rotation(self.random, units, level=level))
            return np.asarray(
                np.einsum("uv,rvn->run", turn, matrix.reshape(axis.repeats, units, -1)), np.float32
            ).reshape(matrix.shape)
        if axis.space in ("hidden", "heads", "kv-heads") and self.permute:
            order = self.orders.setdefault(axis.group, self.random.permutation(units))
            return matrix[places(axis, len(matrix), order)]
        return matrix

    def worn(self, folder: Path, tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
        """The tensors in this disguise; a checkpoint of the numbers 0, 1, 2 … shows where each number stands."""
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        numbered = {
            name: np.arange(array.size, dtype=np.float32).reshape(array.shape) for name, array in tensors.items()
        }
        changed = {name: array.copy() for name, array in tensors.items()}
        with open_checkpoint(save(folder / "model.safetensors", numbered)) as checkpoint:
            parts = assign(checkpoint).parts
            for part in parts:
                if part.component in ENCODERS:
                    self.level |= {axis.group for axis in (part.rows, part.columns) if axis.space == "residual"}
            for part in parts:
                if part.role in ("norm", "statistics") and part.rows.space == "residual":
                    continue
                stands = part_matrix(checkpoint, part).astype(np.int64)
                matrix = self.on(part.rows, tensors[part.tensor].reshape(-1)[stands])
                changed[part.tensor].reshape(-1)[stands] = self.on(part.columns, np.ascontiguousarray(matrix.T)).T
        return changed


@contextmanager
def opened(folder: Path, tensors: Tensors, config: Mapping[str, Any]) -> Iterator[Reference]:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    with open_checkpoint(save(folder / "model.safetensors", tensors)) as checkpoint:
        yield reference(folder.name, checkpoint, KEY)


def said(folder: Path, one: Tensors, other: Tensors, config: Mapping[str, Any]) -> dict[str, Finding]:
    folder.mkdir()
    with opened(folder / "one", one, config) as mine, opened(folder / "other", other, config) as his:
        return {each.component: each for each in audit(mine, [his], key=KEY).findings}


def asked_of(found: Finding) -> dict[str, LabelTest]:
    return {test.name: test for test in found.tests if test.groups}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_declared_symmetry_leaves_t3_and_the_right_t2_as_they_are(family: Family, tmp_path: Path) -> None:
    config, one = config_of(family), drawn(family, 1)
    other = near(one, 2)
    plain = said(tmp_path / "plain", one, other, config)
    worn = {
        kind: said(
            tmp_path / kind,
            Disguise(3, permute=permute, rotate=rotate).worn(tmp_path / f"{kind}-at", one, config),
            other,
            config,
        )
        for kind, permute, rotate in (("permuted", True, False), ("rotated", False, True), ("both", True, True))
    }
    asked = 0
    for component, found in plain.items():
        before = asked_of(found)
        for kind, name in (("permuted", "matched"), ("rotated", "turned")):
            after = asked_of(worn[kind][component])
            assert (name in before) == (name in after)
            if name in before:
                asked += 1
                assert after[name].groups == before[name].groups
                assert after[name].units == before[name].units
                # Sums in another order round otherwise, which may settle a tie between two partners.
                assert abs(after[name].fixed - before[name].fixed) <= 1 + before[name].units // 50, (component, name)
        for kind in worn:
            mine, his = found.anchored, worn[kind][component].anchored
            assert (mine is None) == (his is None)
            if mine is not None and his is not None:
                asked += 1
                assert abs(mine.agreed - his.agreed) <= 1 + mine.compared // 50, (component, kind)
                assert abs(mine.compared - his.compared) <= 1 + mine.compared // 50, (component, kind)
    assert asked or family.name in SILENT


SILENT = {"resnet"}
"""Families none of whose axes is a stream of channels that everything reads: there is no T2 and no T3 of them."""


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_relabelling_both_alike_changes_no_word_and_strangers_are_silent(family: Family, tmp_path: Path) -> None:
    config, one = config_of(family), drawn(family, 1)
    other = near(one, 2)
    disguise = Disguise(5, permute=True, rotate=False)
    plain = said(tmp_path / "plain", one, other, config)
    mine, his = (disguise.worn(tmp_path / f"at-{place}", each, config) for place, each in enumerate((one, other)))
    both = said(tmp_path / "both", mine, his, config)
    assert {name: each.word for name, each in plain.items()} == {name: each.word for name, each in both.items()}
    stranger = said(tmp_path / "stranger", drawn(family, 4), other, config)
    assert not any(each.dependent for each in stranger.values())
