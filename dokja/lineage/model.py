"""One model: its parts by component, their groups of units, and which of the units the key draws.

A *group* is an axis that training cannot tell from a relabelled one: the hidden neurons of a layer, its heads, the
channels of a convolution. Its *members* are the matrices that bear the axis, each a tensor family (gate, up, down). A
matrix whose other axis belongs to the same group stands apart (`squares`): its columns move with its rows.

No test looks at more than `LOOKED_AT` units of an axis. They are drawn by a key, so that two models with as many
units draw the same labels, and nobody can hide in what is not looked at while the key is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.architecture import Assignment, Axis, Part, shape_in
from dokja.lineage.measuring import By
from dokja.lineage.statistics.units import Labels

TESTED = ("hidden", "heads", "kv-heads", "experts")
"""Spaces whose units are exchangeable one by one; the residual axis is tested by all tensors together."""

GIVEN = ("vocabulary", "patch", "fixed")
"""Spaces whose units are numbered alike everywhere: words, pixels, places."""

LOOKED_AT = 1024
"""How many units of an axis are looked at, at most."""

IN_ALL = 8_192
"""Of the many axes of one kind that a deep component has, about so many units are looked at in all..."""

FEWEST_LOOKED_AT = 256
"""...but not fewer of any axis. With this many a twentieth of the units is 13, by chance once in 13!."""

NUMBERS_OF_A_BLOCK = 16_384
"""A unit that is a block of rows (a head) is looked at by as many of them as hold so many numbers..."""

FEWEST_OF_A_BLOCK = 16
"""...but by no fewer rows than these; the same rows of each."""


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
        """Every part of a component, by its rows; by its columns where those are what the tests read it by."""
        for part in self.components.get(component, ()):
            sideways = part.rows.space == "residual" and part.columns.space in TESTED
            by_rows = Member(part.role, part, "rows")
            yield Member(part.role, part, "columns") if sideways and min(self.extent(by_rows)) > 1 else by_rows

    def parameters(self, component: str) -> int:
        """How many parameters a component has."""
        return sum(int(np.prod(self.extent(member), dtype=np.int64)) for member in self.parts(component))

    def extent(self, member: Member) -> tuple[int, int]:
        """The member's shape as a matrix: its own axis, everything else."""
        found = self._extents.get(member.key)
        if found is None:
            rows, columns = shape_in(self.shapes[member.part.tensor], member.part)
            found = self._extents[member.key] = (rows, columns) if member.by == "rows" else (columns, rows)
        return found

    @cached_property
    def _extents(self) -> dict[object, tuple[int, int]]:
        return {}

    def units(self, member: Member) -> int:
        """How many units the member's axis has."""
        return self.extent(member)[0] // (member.axis.repeats * member.axis.block)

    @cached_property
    def groups(self) -> Mapping[str, tuple[Group, ...]]:
        """The groups of each component."""
        return self._grouped(
            (part, member)
            for part in self.assignment.parts
            for member in self._sides(part)
            if member.axis.space in TESTED and member.axis.group != member.other.group
        )

    @cached_property
    def squares(self) -> Mapping[str, tuple[Group, ...]]:
        """The groups of each component, by their matrices from the axis to itself, each by its rows."""
        return self._grouped(
            (part, member)
            for part in self.assignment.parts
            for member in self._sides(part)
            if member.by == "rows" and member.axis.space in (*TESTED, "residual")
            if member.axis.group == member.other.group
            and self.units(member) == self.units(replace(member, by="columns"))
        )

    @staticmethod
    def _grouped(members: Iterable[tuple[Part, Member]]) -> Mapping[str, tuple[Group, ...]]:
        found: dict[tuple[str, str], list[Member]] = {}
        for part, member in members:
            found.setdefault((part.component, member.axis.group), []).append(member)
        groups: dict[str, list[Group]] = {}
        for (component, name), held in found.items():
            first = held[0]
            group = Group(name, first.axis.space, component, first.part.layer, first.part.expert, tuple(held))
            groups.setdefault(component, []).append(group)
        return {component: tuple(each) for component, each in groups.items()}

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The tensors of embeddings and unembeddings, by role: of several those of the text decoder's stream."""
        found: dict[str, list[Part]] = {}
        for part in self.assignment.parts:
            if part.role in ("embedding", "unembedding"):
                found.setdefault(part.role, []).append(part)
        streams = {member.other.group for member in self.residual("text-decoder")}
        return {
            role: next((part for part in parts if part.columns.group in streams), parts[-1]).tensor
            for role, parts in found.items()
        }

    @property
    def vocabulary_size(self) -> int:
        """How many rows both embeddings and unembeddings have."""
        return min((self.shapes[tensor][0] for tensor in self.words.values()), default=0)

    def looks(self, component: str) -> int:
        """How many units of an axis of this component are looked at: fewer of each where there are many alike."""
        alike = Counter(group.space for group in self.groups.get(component, ()))
        return min(LOOKED_AT, max(FEWEST_LOOKED_AT, IN_ALL // max(alike.values(), default=1)))

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


@lru_cache(maxsize=512)
def drawn(key: int, total: int, size: int = LOOKED_AT) -> Labels:
    """So many of the labels 0 … total − 1, drawn by the key; all of them where there are no more.

    Each label has a priority of its own, whatever the total: a smaller draw is part of a larger one, and a vocabulary
    that grew keeps most of what was drawn of it.
    """
    if total <= size:
        labels = np.arange(total, dtype=np.int64)
    else:
        priority = np.random.default_rng(key).random(total)
        labels = np.sort(np.argpartition(priority, size)[:size]).astype(np.int64)
    labels.flags.writeable = False
    return labels


def looked_at(key: int, model: Model, member: Member, size: int) -> Labels:
    """The labels of a member's units that are looked at, at most so many; all of a vector's."""
    total = model.units(member)
    return drawn(key, total, total if model.extent(member)[1] == 1 else size)


def inner(key: int, model: Model, member: Member) -> Labels:
    """The rows of a block that are looked at: drawn by the key, the same of every unit."""
    extent, width = model.extent(member)
    return drawn(key, min(member.axis.block, extent), max(FEWEST_OF_A_BLOCK, NUMBERS_OF_A_BLOCK // max(1, width)))


def row_index(labels: Labels, total: int, axis: Axis, chosen: Labels) -> NDArray[np.int64]:
    """These rows of the blocks of the units with these labels, in the order in which `unit_rows` expects them."""
    starts = (np.arange(axis.repeats)[:, None] * total + labels[None]).ravel() * axis.block
    return (starts[:, None] + chosen[None]).ravel().astype(np.int64)
