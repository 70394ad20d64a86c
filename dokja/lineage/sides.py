"""One model as an audit sees it: its parts by component, their groups of units, and a keyed sample of the units.

A *group* is an axis that training cannot tell from a relabelled one: the hidden neurons of a layer, its heads, the
channels of a convolution. Its *members* are the matrices that bear the axis, each a tensor family (gate, up, down). A
member whose other axis belongs to the same group is left out: its columns would move with its rows.

No test looks at more than `LOOKED_AT` units of an axis. They are drawn by a key, so that two models with as many
units draw the same labels, and nobody can hide in what is not looked at while the key is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.architecture import Assignment, Axis, Part, part_matrix, part_rows, shape_in
from dokja.lineage.architecture.by_shape import by_shape
from dokja.lineage.checkpoint import Checkpoint
from dokja.lineage.statistics import Order, order, unit_rows
from dokja.lineage.statistics.units import Labels, Matrix, Units
from dokja.lineage.vocabulary import vocabulary

TESTED = ("hidden", "heads", "kv-heads", "experts")
"""Spaces whose units are exchangeable one by one; the residual axis is tested by all tensors together."""

LOOKED_AT = 1024
"""How many units of an axis are looked at."""

By = Literal["rows", "columns"]

K = TypeVar("K")


@dataclass(frozen=True)
class Member:
    """A matrix that bears a group's axis: by its rows, or by its columns."""

    family: str
    part: Part
    by: By

    @property
    def axis(self) -> Axis:
        """The axis that is the group's."""
        return self.part.rows if self.by == "rows" else self.part.columns

    @property
    def other(self) -> Axis:
        """The other axis."""
        return self.part.columns if self.by == "rows" else self.part.rows

    @property
    def key(self) -> tuple[str, int | None, tuple[int, int] | None, By]:
        """What names the matrix within its model."""
        return (self.part.tensor, self.part.index, self.part.take, self.by)


@dataclass(frozen=True)
class Group:
    """The units of one axis, and the matrices that bear it."""

    name: str
    space: str
    component: str
    layer: int | None
    expert: int | None
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Model:
    """The parts of a model, and the shapes of its tensors."""

    assignment: Assignment
    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def components(self) -> Mapping[str, tuple[Part, ...]]:
        """The parts of each component, in the order in which components first occur."""
        found: dict[str, list[Part]] = {}
        for part in self.assignment.parts:
            found.setdefault(part.component, []).append(part)
        return {component: tuple(parts) for component, parts in found.items()}

    def parts(self, component: str) -> Iterator[Member]:
        """Every part of a component, by its rows."""
        for part in self.components.get(component, ()):
            yield Member(part.role, part, "rows")

    def parameters(self, component: str) -> int:
        """How many parameters a component has."""
        return sum(int(np.prod(self.extent(member), dtype=np.int64)) for member in self.parts(component))

    def extent(self, member: Member) -> tuple[int, int]:
        """The member's shape as a matrix: its own axis, everything else."""
        rows, columns = shape_in(self.shapes[member.part.tensor], member.part)
        return (rows, columns) if member.by == "rows" else (columns, rows)

    def units(self, member: Member) -> int:
        """How many units the member's axis has."""
        return self.extent(member)[0] // (member.axis.repeats * member.axis.block)

    @cached_property
    def groups(self) -> Mapping[str, tuple[Group, ...]]:
        """The groups of each component."""
        found: dict[tuple[str, str], list[Member]] = {}
        for part in self.assignment.parts:
            for member in self._sides(part):
                if member.axis.space in TESTED and member.axis.group != member.other.group:
                    found.setdefault((part.component, member.axis.group), []).append(member)
        groups: dict[str, list[Group]] = {}
        for (component, name), members in found.items():
            first = members[0]
            group = Group(name, first.axis.space, component, first.part.layer, first.part.expert, tuple(members))
            groups.setdefault(component, []).append(group)
        return {component: tuple(each) for component, each in groups.items()}

    def residual(self, component: str) -> Iterator[Member]:
        """The matrices of a component that bear the residual axis, by whatever axis lies across it."""
        for part in self.components.get(component, ()):
            for member in self._sides(part):
                if member.other.space == "residual" and member.axis.space != "residual":
                    yield member

    def _sides(self, part: Part) -> Iterator[Member]:
        """A part by its rows and by its columns; nothing where it is no matrix."""
        members = (Member(part.role, part, "rows"), Member(part.role, part, "columns"))
        if min(self.extent(members[0])) > 1:
            yield from members


class Source(Protocol):
    """Where the weights of a model's units come from: a checkpoint, or what a library keeps of one.

    units: how many units of an axis can be read; those are `drawn` by the key, and vectors are there whole.
    """

    @property
    def model(self) -> Model:
        """The parts of the model."""

    @property
    def key(self) -> int:
        """What the units are drawn by."""

    @property
    def units(self) -> int:
        """How many units of an axis can be read."""

    def rows(self, member: Member, labels: Labels) -> Matrix:
        """The rows of the units with these labels: for each repeat, for each label, its block of rows."""

    def digest(self, tensor: str) -> str | None:
        """SHA-256 of a tensor's bytes; `None` where it is put together from several."""

    def words(self, rows: Labels) -> Mapping[str, Matrix] | None:
        """Embeddings ("up") and unembeddings ("down") of vocabulary rows; `None` where they are not kept."""

    def vocabulary(self) -> Mapping[str, int] | None:
        """The row of each word; `None` where it is not known."""


def drawn(key: int, total: int, size: int = LOOKED_AT) -> Labels:
    """So many of the labels 0 … total − 1, drawn by the key; all of them where there are no more.

    Each label has a priority of its own, whatever the total: a smaller draw is part of a larger one, and a vocabulary
    that grew keeps most of what was drawn of it.
    """
    if total <= size:
        return np.arange(total, dtype=np.int64)
    priority = np.random.default_rng(key).random(total)
    return np.sort(np.argpartition(priority, size)[:size]).astype(np.int64)


@dataclass(frozen=True)
class CheckpointSource:
    """A checkpoint's own weights."""

    checkpoint: Checkpoint
    model: Model
    key: int
    units: int = LOOKED_AT

    @cached_property
    def _digests(self) -> Mapping[str, str]:
        return self.checkpoint.digests().tensors

    @cached_property
    def _words(self) -> Mapping[str, int]:
        return vocabulary(self.checkpoint.where)

    def rows(self, member: Member, labels: Labels) -> Matrix:
        """The rows of these units."""
        part, axis = member.part, member.axis
        index = row_index(labels, self.model.units(member), axis)
        if member.by == "rows" and len(index) < self.model.extent(member)[0]:
            return part_rows(self.checkpoint, part, index)
        weights = part_matrix(self.checkpoint, part)
        return np.ascontiguousarray((weights if member.by == "rows" else weights.T)[index])

    def digest(self, tensor: str) -> str | None:
        """SHA-256 of a tensor's bytes."""
        return self._digests.get(tensor)

    def words(self, rows: Labels) -> Mapping[str, Matrix] | None:
        """Embeddings and unembeddings of these rows."""
        parts = {part.role: part.tensor for part in self.model.assignment.parts}
        if "embedding" not in parts:
            return None
        up = self.checkpoint.rows(parts["embedding"], rows)
        return {"up": up, "down": self.checkpoint.rows(parts["unembedding"], rows) if "unembedding" in parts else up}

    def vocabulary(self) -> Mapping[str, int] | None:
        """The row of each word."""
        return self._words or None


def nameless(source: Source) -> Source | None:
    """A checkpoint seen by shapes and by the order of its tensors, whatever their names say; `None` of a pack."""
    if not isinstance(source, CheckpointSource):
        return None
    tensors = source.checkpoint.tensors
    numbered = {f"{place}": replace(info, name=f"{place}") for place, info in enumerate(tensors.values())}
    names = dict(zip(numbered, tensors, strict=True))
    seen = by_shape(numbered)
    parts = tuple(replace(part, tensor=names[part.tensor]) for part in seen.parts)
    return replace(source, model=Model(replace(seen, parts=parts), source.model.shapes))


def looked_at(key: int, model: Model, member: Member, size: int) -> Labels:
    """The labels of a member's units that are looked at, at most so many; all of a vector's."""
    total = model.units(member)
    return drawn(key, total, total if model.extent(member)[1] == 1 else size)


def row_index(labels: Labels, total: int, axis: Axis) -> NDArray[np.int64]:
    """The rows that hold the units with these labels, in the order in which `unit_rows` expects them."""
    starts = (np.arange(axis.repeats)[:, None] * total + labels[None]).ravel() * axis.block
    return (starts[:, None] + np.arange(axis.block)[None]).ravel().astype(np.int64)


@dataclass
class Reader:
    """The sampled units of a source, the last few of them kept: the tests of one group ask more than once.

    looks: at how many units of an axis, at most.
    """

    source: Source
    room: int = 96 << 20
    looks: int = LOOKED_AT
    _kept: dict[tuple[object, ...], Matrix] = field(default_factory=dict)
    _units: dict[tuple[object, ...], Units] = field(default_factory=dict)
    _orders: dict[tuple[object, ...], Order] = field(default_factory=dict)
    _narrower: dict[int, Reader] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.looks = min(self.looks, self.source.units)

    def within(self, looks: int) -> Reader:
        """This reader, looking at no more than so many units: what the other side has of them."""
        if looks >= self.looks:
            return self
        return self._narrower.setdefault(looks, Reader(self.source, self.room, looks))

    @property
    def model(self) -> Model:
        """The model that is read."""
        return self.source.model

    def labels(self, member: Member) -> Labels:
        """The labels of the member's units that are looked at; a vector is looked at whole."""
        return looked_at(self.source.key, self.model, member, self.looks)

    def matrix(self, member: Member) -> Matrix:
        """The rows of the units that are looked at, [rows, everything else]."""
        if member.key not in self._kept:
            weights = self.source.rows(member, self.labels(member))
            self._make_room(self._kept, weights.nbytes, lambda each: each.nbytes)
            self._kept[member.key] = weights
        return self._kept[member.key]

    def units(self, member: Member) -> Units:
        """The units that are looked at: centred, of length one, with their labels."""
        if member.key not in self._units:
            axis, labels = member.axis, self.labels(member)
            found = unit_rows(self.matrix(member), repeats=axis.repeats, block=axis.block)
            self._make_room(self._units, found.rows.nbytes, lambda each: each.rows.nbytes)
            self._units[member.key] = Units(found.rows, labels[found.labels], self.model.units(member))
        return self._units[member.key]

    def _make_room(self, kept: dict[tuple[object, ...], K], size: int, size_of: Callable[[K], int]) -> None:
        """Let the oldest go until there is room for so many bytes."""
        while kept and sum(size_of(each) for each in kept.values()) + size > self.room:
            kept.pop(next(iter(kept)))

    def order(self, member: Member) -> Order:
        """Whether the places of the member's units say anything."""
        if member.key not in self._orders:
            self._orders[member.key] = order(self.matrix(member), repeats=member.axis.repeats)
        return self._orders[member.key]


def joined(members: list[Units]) -> Units:
    """Several members' units side by side: the cosine of two units is the mean of the members' cosines."""
    if len(members) == 1:
        return members[0]
    labels: Labels = members[0].labels
    for each in members[1:]:
        labels = np.intersect1d(labels, each.labels, assume_unique=True)
    rows = np.concatenate([each.of(labels) for each in members], axis=1) / np.float32(np.sqrt(len(members)))
    return Units(np.ascontiguousarray(rows, dtype=np.float32), labels, members[0].total)
