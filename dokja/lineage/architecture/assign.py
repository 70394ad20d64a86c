"""Each tensor to its place in the network, by the table of the family that knows most of them.

Names are hints: the family is the one whose table covers the most numbers, with the fewest lines; what the config
names only breaks ties. Shapes have the last word: an axis whose length its units do not divide is unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from typing import Any, Final

from dokja.lineage.architecture.by_shape import by_shape
from dokja.lineage.architecture.parts import (
    FIXED,
    Assignment,
    Axis,
    Contradiction,
    Part,
    matrix_shape,
    shape_in,
    slice_shape,
)
from dokja.lineage.architecture.sizes import KEYS, share, sizes, table_at
from dokja.lineage.architecture.tables import AxisRule, Family, Rule, families
from dokja.lineage.checkpoint import Checkpoint, TensorInfo

ENOUGH: Final = 0.5
"""A table that knows less than this share of the numbers does not fit; shapes are asked instead."""

STACKED_RANK: Final = 3
COUNTED: Final = re.compile(r"\b(layers|layer|experts|blocks|h)\.\d+")
PERMUTED: Final = frozenset({"residual", "hidden"})
"""Spaces whose axes may repeat their units: places of a kernel, patches that are merged."""
COUNTED_UNITS: Final = PERMUTED | {"heads", "kv-heads", "experts"}
"""Spaces in which all axes of a group must have the same number of units: the one that most of them have."""

SHIFTS: Final = ("bias", "beta")

Match = tuple[Rule, re.Match[str]]


def assign(checkpoint: Checkpoint) -> Assignment:
    """The parts of a checkpoint."""
    return assigned(checkpoint.tensors, checkpoint.config)


def assigned(tensors: Mapping[str, TensorInfo], config: Mapping[str, Any]) -> Assignment:
    """The parts of these tensors: a pure function of names, shapes and config."""
    alike: dict[str, list[str]] = {}
    for name in tensors:
        alike.setdefault(COUNTED.sub(r"\1.0", name), []).append(name)
    numbers = {key: sum(tensors[name].elements for name in names) for key, names in alike.items()}

    def merit(candidate: tuple[Family, Mapping[str, Rule]]) -> tuple[int, int, int, bool]:
        family, rules = candidate
        covered = sum(numbers[key] for key in rules)
        return covered, len(rules), -len(family.rules), bool(family.model_types & _model_types(config, ""))

    names = tuple(each[0] for each in alike.values())
    candidates = [
        (family, {key: rule for key, rule in zip(alike, _lines(place, names), strict=True) if rule is not None})
        for place, family in enumerate(families())
    ]
    family, rules = max(candidates, key=merit)
    if not rules or merit((family, rules))[0] < ENOUGH * sum(numbers.values()):
        return by_shape(tensors)
    matches = _matches(rules, alike)
    from_one = {
        tower.name for tower in family.towers if tower.gains_from_one & _model_types(config, "", *tower.config)
    }
    work = _Work(tensors, {tower.name: sizes(config, tower.config) for tower in family.towers}, from_one)
    parts = [part for name in tensors if name in matches for part in work.parts(tensors[name], *matches[name])]
    return Assignment(
        family=family.name,
        parts=tuple(_consistent(parts, tensors)),
        unassigned=tuple(name for name in tensors if name not in matches),
        contradictions=tuple(work.contradictions),
    )


@lru_cache(maxsize=256)
def _lines(family: int, names: tuple[str, ...]) -> tuple[Rule | None, ...]:
    """Each name's line in a family's table. Many models have the same names."""
    rules = families()[family].rules
    return tuple(
        next((rule for rule in rules if rule.spelt in name and rule.pattern.fullmatch(name)), None) for name in names
    )


def _matches(rules: Mapping[str, Rule], alike: Mapping[str, Sequence[str]]) -> dict[str, Match]:
    """Each name with its rule, and the numbers that it holds."""
    pairs = ((name, rule, rule.pattern.fullmatch(name)) for key, rule in rules.items() for name in alike[key])
    return {name: (rule, match) for name, rule, match in pairs if match is not None}


def _model_types(config: Mapping[str, Any], *places: str) -> frozenset[str]:
    """The types of model that these places of a config name."""
    tables = (table_at(config, place) for place in places)
    values = (table.get("model_type") for table in tables if table is not None)
    return frozenset(value for value in values if isinstance(value, str))


@dataclass
class _Work:
    """What is needed to turn a matched tensor into parts, and what did not fit on the way.

    from_one: the towers whose norms store their gains less one.
    """

    tensors: Mapping[str, TensorInfo]
    sizes: Mapping[str, Mapping[str, int]]
    from_one: Set[str]
    contradictions: list[Contradiction] = field(default_factory=list)

    def parts(self, info: TensorInfo, rule: Rule, match: re.Match[str]) -> Iterator[Part]:
        """The parts of one tensor: one for each slice of a stack, one for each share of a fused one."""
        numbers = {key: int(value) for key, value in match.groupdict().items() if key != "leaf" and value is not None}
        stacked = rule.stacked and bool(info.shape)
        for index in range(info.shape[0]) if stacked else (None,):
            expert = index if stacked else numbers.get("expert")
            yield from self._slice(
                info, rule, {**numbers, **({} if expert is None else {"expert": expert})}, match, index
            )

    def _slice(
        self, info: TensorInfo, rule: Rule, numbers: Mapping[str, int], match: re.Match[str], index: int | None
    ) -> Iterator[Part]:
        leaf = match.groupdict().get("leaf")
        shape = slice_shape(info.shape, stacked=index is not None)
        whole = len(shape) > 1
        transposed = rule.transposed and whole
        rows, columns = matrix_shape(shape, transposed=transposed)
        other = self._axis(rule.columns, columns, numbers, info) if whole else FIXED
        if whole and len(shape) >= STACKED_RANK and other.space in PERMUTED:
            other = replace(other, repeats=prod(shape[2:] if not transposed else shape[:-2]))
        axis = FIXED if rows == 1 or leaf == "num_batches_tracked" else self._axis(rule.rows, rows, numbers, info)
        gain = rule.role == "norm" and leaf not in SHIFTS and axis.space == "residual"
        base = Part(
            tensor=info.name,
            component=rule.component,
            role=_role(rule.role, leaf, whole=whole),
            layer=_layer(numbers),
            expert=numbers.get("expert"),
            rows=axis,
            columns=other,
            transposed=transposed,
            index=index,
            offset=1 if gain and rule.tower in self.from_one else 0,
        )
        cuts = self._cuts(rule, rows, info)
        if cuts is None:
            yield base if not rule.split else replace(base, rows=Axis("unknown", f"unknown/{info.name}"))
            return
        first = 0
        for split, length in zip(rule.split, cuts, strict=True):
            role = _role(split.role, leaf, whole=whole)
            axis = self._axis(split.rows, length, numbers, info)
            yield replace(base, role=role, rows=axis, take=(first, first + length))
            first += length

    def _cuts(self, rule: Rule, rows: int, info: TensorInfo) -> tuple[int, ...] | None:
        """How many rows each share of a fused tensor has; `None` where it is not fused, or its shares do not fit."""
        if not rule.split:
            return None
        known = self.sizes[rule.tower]
        shares = [share(split.share, known) for split in rule.split]
        if any(each is None for each in shares):
            return None
        counts = [each for each in shares if each is not None]
        unit, rest = divmod(rows, sum(counts))
        if rest or not unit:
            self._contradict(rule.split[0].share, known, info)
            return None
        return tuple(unit * count for count in counts)

    def _axis(self, rule: AxisRule, extent: int, numbers: Mapping[str, int], info: TensorInfo) -> Axis:
        space, block, group = rule.space, rule.block, _group(rule, numbers)
        if space == "fixed":
            return FIXED
        if rule.units is not None:
            known = self.sizes.get(rule.tower, {})
            units = known.get(rule.units)
            if units is None or not extent or extent % units:
                if units is not None:
                    self._contradict(rule.units, known, info)
                return Axis("unknown", f"unknown/{info.name}")
            block = extent // units
            if rule.units == "kv_heads" and units != known.get("heads", units):
                space = "kv-heads"
        if space == "unknown" or extent % block:
            return Axis("unknown", f"unknown/{info.name}")
        return Axis(space, group, block)

    def _contradict(self, size: str, known: Mapping[str, int], info: TensorInfo) -> None:
        key = KEYS[size][0] if size in KEYS else size
        if size in known:
            self.contradictions.append(Contradiction(key, str(known[size]), info.name))


def _group(rule: AxisRule, numbers: Mapping[str, int]) -> str:
    """The name of the axis's group: spaces of the whole tower, or of one layer, block and expert."""
    steps = [rule.tower, "heads" if rule.space == "kv-heads" else rule.space]
    if rule.tag:
        steps.append(rule.tag)
    if rule.space in ("hidden", "heads", "experts"):
        steps += [str(numbers[key]) for key in ("stage", "layer", "expert") if key in numbers]
    return "/".join(steps)


def _layer(numbers: Mapping[str, int]) -> int | None:
    """Layers count through; a block of a stage of a ResNet counts on from a hundred for each stage."""
    return numbers["layer"] + 100 * numbers.get("stage", 0) if "layer" in numbers else None


def _role(role: str, leaf: str | None, *, whole: bool) -> str:
    if leaf in ("running_mean", "running_var", "num_batches_tracked"):
        return "statistics"
    return "bias" if leaf in SHIFTS and role != "norm" and not whole else role


def _consistent(parts: Iterable[Part], tensors: Mapping[str, TensorInfo]) -> Iterator[Part]:
    """All axes of a group have the same number of units: those with more repeat it, those that cannot are unknown."""
    parts = list(parts)
    lengths: dict[str, Counter[int]] = {}
    for part in parts:
        for axis, extent in zip((part.rows, part.columns), _extents(part, tensors), strict=True):
            if axis.space in COUNTED_UNITS:
                lengths.setdefault(axis.group, Counter())[extent // (axis.block * axis.repeats)] += 1
    units = {group: _units(counts) for group, counts in lengths.items()}
    for part in parts:
        rows, columns = _extents(part, tensors)
        yield replace(
            part, rows=_fitted(part.rows, rows, units, part), columns=_fitted(part.columns, columns, units, part)
        )


def _units(counts: Counter[int]) -> int:
    """How many units a group has: what most of its axes say; of two, the smaller."""
    return min(counts, key=lambda count: (-counts[count], count))


def _fitted(axis: Axis, extent: int, units: Mapping[str, int], part: Part) -> Axis:
    if axis.space not in COUNTED_UNITS:
        return axis
    held = units[axis.group]
    repeats, rest = divmod(extent, held * axis.block) if held else (0, 1)
    fits = not rest and (repeats == 1 or axis.space in PERMUTED)
    return replace(axis, repeats=repeats) if fits else Axis("unknown", f"unknown/{part.tensor}")


def _extents(part: Part, tensors: Mapping[str, TensorInfo]) -> tuple[int, int]:
    return shape_in(tensors[part.tensor].shape, part)
