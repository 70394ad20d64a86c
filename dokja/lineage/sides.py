"""One model as an audit sees it: its parts by component, their groups of units, and a keyed sample of the units.

A *group* is an axis that training cannot tell from a relabelled one: the hidden neurons of a layer, its heads, the
channels of a convolution. Its *members* are the matrices that bear the axis, each a tensor family (gate, up, down). A
matrix whose other axis belongs to the same group stands apart (`squares`): its columns move with its rows.

No test looks at more than `LOOKED_AT` units of an axis. They are drawn by a key, so that two models with as many
units draw the same labels, and nobody can hide in what is not looked at while the key is not known.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import prod
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.architecture import Assignment, Axis, Part, part_columns, part_matrix, part_rows, shape_in
from dokja.lineage.architecture.by_shape import by_shape
from dokja.lineage.arrays import NUMPY, Arrays, like, namespace_of, taken
from dokja.lineage.checkpoint import Checkpoint
from dokja.lineage.measuring import AT_ONCE, By, Lengths
from dokja.lineage.statistics import Order, halved, order, relative, unit_rows
from dokja.lineage.statistics.units import Labels, Matrix, Units, block_length
from dokja.lineage.vocabulary import Vocabulary, vocabulary

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

SMALL = 1024
"""What something small that is kept counts as, in bytes."""

ROOM = 32 << 20
"""The bytes that a reader keeps of what it read and made."""

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
        """The units with these labels: for each repeat, for each label, the rows of its block that are `inner`."""

    def answers(self, member: Member, words: Matrix) -> Matrix | None:
        """Every row of the member's axis by each of these columns; `None` where not all rows are kept."""

    def lengths(self, member: Member, gain: Matrix | None) -> Matrix | None:
        """The length of every row of the member, its columns times a gain; `None` where it is not kept."""

    def digest(self, tensor: str) -> str | None:
        """SHA-256 of a tensor's bytes; `None` where it is put together from several."""

    def words(self, rows: Labels) -> Mapping[str, Matrix] | None:
        """Embeddings ("up") and unembeddings ("down") of vocabulary rows; `None` where they are not kept."""

    def at(self, member: Member, rows: Labels) -> Matrix | None:
        """Any rows of a matrix whose rows are a vocabulary's; `None` where not all of them are kept."""

    def vocabulary(self) -> Vocabulary | None:
        """The row of each word; `None` where it is not known."""

    def config(self) -> Mapping[str, object] | None:
        """What config.json says; `None` where it is not kept or says nothing."""


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


class Kept:
    """What was read or made last, up to so many bytes; what was asked for longest ago goes first.

    Threads may share it.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: OrderedDict[tuple[object, ...], tuple[object, int]] = OrderedDict()
        self._size = 0
        self._turn = Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], K], size_of: Callable[[K], int]) -> K:
        """What is kept under this key, or else is made now."""
        with self._turn:
            if key in self._held:
                self._held.move_to_end(key)
                return cast("K", self._held[key][0])
        made = make()
        size = size_of(made)
        with self._turn:
            if key not in self._held and size <= self._room:
                self._held[key] = (made, size)
                self._size += size
                while self._size > self._room:
                    self._size -= self._held.popitem(last=False)[1][1]
        return made


@dataclass(frozen=True)
class CheckpointSource:
    """A checkpoint's own weights."""

    checkpoint: Checkpoint
    model: Model
    key: int
    units: int = LOOKED_AT
    _known: Kept = field(default_factory=lambda: Kept(ROOM), repr=False, compare=False)

    @cached_property
    def _words(self) -> Vocabulary:
        found = vocabulary(self.checkpoint.beside)
        last = max(found.values(), default=0)
        count = self.model.vocabulary_size if "embedding" in self.model.words else last + 1
        return found if last < count else Vocabulary((word, row) for word, row in found.items() if row < count)

    def rows(self, member: Member, labels: Labels, *, narrow: bool = False) -> Matrix:
        """The rows of these units. narrow: numbers that are stored as bfloat16 may be handed out so."""
        read = part_rows if member.by == "rows" else part_columns
        return read(self.checkpoint, member.part, self.places(member, labels), narrow=narrow)

    def places(self, member: Member, labels: Labels) -> NDArray[np.int64]:
        """Where the rows of these units stand in the member's matrix."""
        return row_index(labels, self.model.units(member), member.axis, inner(self.key, self.model, member))

    def answers(self, member: Member, words: Matrix) -> Matrix:
        """The rows by these columns. A plain matrix goes by in windows and is never held whole."""
        part, (rows, width) = member.part, self.model.extent(member)
        height = rows if member.by == "rows" else width
        plain = part.index is None and not part.transposed
        step = block_length(width if member.by == "rows" else rows) if plain else max(1, height)
        found = []
        with np.errstate(invalid="ignore", over="ignore"):  # What is not finite is left out later.
            for start in range(0, height, step):
                stop = min(start + step, height)
                matrix = like(part_rows(self.checkpoint, part, np.arange(start, stop)), words)
                if member.by == "rows":
                    found.append(matrix @ words)
                else:
                    found = [sum(found, start=matrix.T @ words[start:stop, :])]
        return found[0] if len(found) == 1 else namespace_of(words).concat(found)

    def lengths(self, member: Member, gain: Matrix | None) -> Matrix:
        """The lengths of the rows. Whatever axis the member's is, the matrix goes by once, as it is stored."""
        part, extent = member.part, self.model.extent(member)
        height, across = extent if member.by == "rows" else extent[::-1]
        lengths, step = Lengths(extent, member.by, gain), max(1, AT_ONCE // max(1, across))
        whole = None if part.index is None and not part.transposed else part_matrix(self.checkpoint, part)
        for start in range(0, height, step):
            places = np.arange(start, min(start + step, height))
            window = part_rows(self.checkpoint, part, places, narrow=True) if whole is None else whole[places]
            lengths.see(start, window)
        return lengths.found()

    def digest(self, tensor: str) -> str | None:
        """SHA-256 of a tensor's bytes."""
        return self._known.get(("digest", tensor), lambda: self.checkpoint.digest(tensor), lambda _: 128)

    def words(self, rows: Labels) -> Mapping[str, Matrix] | None:
        """Embeddings and unembeddings of these rows."""
        tensors = self.model.words
        if "embedding" not in tensors:
            return None
        up = self.checkpoint.rows(tensors["embedding"], rows)
        return {
            "up": up,
            "down": self.checkpoint.rows(tensors["unembedding"], rows) if "unembedding" in tensors else up,
        }

    def at(self, member: Member, rows: Labels) -> Matrix:
        """These rows."""
        return self.rows(member, rows)

    def vocabulary(self) -> Vocabulary | None:
        """The row of each word."""
        return self._words or None

    def config(self) -> Mapping[str, object] | None:
        """What config.json says."""
        return self.checkpoint.config or None


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


def inner(key: int, model: Model, member: Member) -> Labels:
    """The rows of a block that are looked at: drawn by the key, the same of every unit."""
    extent, width = model.extent(member)
    return drawn(key, min(member.axis.block, extent), max(FEWEST_OF_A_BLOCK, NUMBERS_OF_A_BLOCK // max(1, width)))


def row_index(labels: Labels, total: int, axis: Axis, chosen: Labels) -> NDArray[np.int64]:
    """These rows of the blocks of the units with these labels, in the order in which `unit_rows` expects them."""
    starts = (np.arange(axis.repeats)[:, None] * total + labels[None]).ravel() * axis.block
    return (starts[:, None] + chosen[None]).ravel().astype(np.int64)


@dataclass
class Reader:
    """The sampled units of a source, and what is made of them; as much is kept as there is room for.

    looks: at how many units of an axis, at most. arrays: what units are held by.
    """

    source: Source
    looks: int = LOOKED_AT
    arrays: Arrays = NUMPY
    kept: Kept = field(default_factory=lambda: Kept(ROOM))
    copies: dict[tuple[str, int], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.looks = min(self.looks, self.source.units)

    def within(self, looks: int) -> Reader:
        """This reader, looking at no more than so many units: what the other side has of them."""
        return self if looks >= self.looks else replace(self, looks=looks)

    @property
    def model(self) -> Model:
        """The model that is read."""
        return self.source.model

    def labels(self, member: Member) -> Labels:
        """The labels of the member's units that are looked at; a vector is looked at whole."""
        return looked_at(self.source.key, self.model, member, self.looks)

    def keep(self, what: tuple[object, ...], member: Member, make: Callable[[], K], size_of: Callable[[K], int]) -> K:
        """What is made of a member's units that are looked at, unless it is kept."""
        return self.kept.get((what, self.looks, *member.key), make, size_of)

    def matrix(self, member: Member) -> Matrix:
        """The rows of the units that are looked at, [rows, everything else]."""
        return self.keep(("matrix",), member, lambda: self.source.rows(member, self.labels(member)), bytes_of)

    def at(self, member: Member, rows: Labels) -> Matrix | None:
        """Any rows of a matrix whose rows are a vocabulary's; `None` where not all of them are kept."""
        size = 4 * len(rows) * self.model.extent(member)[1]
        return self.kept.get(
            ("at", rows.tobytes(), *member.key), lambda: self.source.at(member, rows), lambda _: size
        )

    def units(self, member: Member) -> Units:
        """The units that are looked at: centred, of length one, with their labels."""

        def made() -> Units:
            axis, labels = member.axis, self.labels(member)
            block = len(inner(self.source.key, self.model, member))
            found = unit_rows(self.arrays.put(self.matrix(member)), repeats=axis.repeats, block=block)
            chosen = labels if len(found.labels) == len(labels) else labels[found.labels]
            return replace(found, labels=chosen, total=self.model.units(member))

        return self.keep(("units",), member, made, _unit_bytes)

    def single_rows(self, member: Member, most: int) -> Units:
        """At most so many rows of the matrix by themselves, centred, of length one; their labels are their places."""
        if member.axis.repeats == member.axis.block == 1:
            units = self._by_place(member)
            if units.total <= most:
                return units
            chosen = np.isin(units.labels, drawn(self.source.key, units.total, most), assume_unique=True)
            return Units(taken(units.rows, np.flatnonzero(chosen)), units.labels[chosen], units.total)

        def made() -> Units:
            matrix = self.matrix(member)
            chosen = drawn(self.source.key, len(matrix), most)
            found = unit_rows(self.arrays.put(matrix if len(chosen) == len(matrix) else matrix[chosen]))
            return replace(found, labels=chosen[found.labels], total=len(matrix))

        return self.keep(("single rows", most), member, made, _unit_bytes)

    def order(self, member: Member) -> Order:
        """Whether the places of the member's units say anything."""

        def made() -> Order:
            return order(self.matrix(member), repeats=member.axis.repeats, known=self._by_place(member))

        return self.keep(("order",), member, made, lambda _: SMALL)

    def relative(self, member: Member, seed: int) -> tuple[Units, Units]:
        """The member's units, half of them described by the other half."""

        def made() -> tuple[Units, Units]:
            units = self.units(member)
            return relative(units, halved(len(units.labels), seed), member.axis.repeats)

        return self.keep(("relative", seed), member, made, lambda found: sum(map(_unit_bytes, found)))

    def _by_place(self, member: Member) -> Units:
        units, labels = self.units(member), self.labels(member)
        return replace(units, labels=np.searchsorted(labels, units.labels), total=len(labels))


def bytes_of(matrix: Matrix) -> int:
    """The bytes that a matrix of float32 takes, wherever it is."""
    return 4 * prod(matrix.shape)


def _unit_bytes(units: Units) -> int:
    return bytes_of(units.rows)
