"""One side of an audit: where the weights of a model come from, and its sampled units with what is made of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.architecture import assign, part_columns, part_matrix, part_rows
from dokja.lineage.architecture.by_shape import by_shape
from dokja.lineage.arrays import NUMPY, Arrays, like, namespace_of, taken
from dokja.lineage.checkpoint import Checkpoint
from dokja.lineage.measuring import AT_ONCE, Lengths
from dokja.lineage.model import LOOKED_AT, Member, Model, drawn, inner, looked_at, row_index
from dokja.lineage.statistics import Order, halved, order, relative, unit_rows
from dokja.lineage.statistics.units import Labels, Matrix, Units, block_length
from dokja.lineage.vocabulary import Vocabulary, vocabulary

SMALL = 1024
"""What something small that is kept counts as, in bytes."""

ROOM = 32 << 20
"""The bytes that a reader keeps of what it read and made."""

K = TypeVar("K")


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

    @classmethod
    def of(cls, checkpoint: Checkpoint, key: int) -> CheckpointSource:
        """A checkpoint by the tables of architectures."""
        model = Model(assign(checkpoint), {tensor: info.shape for tensor, info in checkpoint.tensors.items()})
        return cls(checkpoint, model, key)

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


@dataclass(frozen=True)
class Reference:
    """A model by the name that findings use: the submission, or one that it is held against."""

    name: str
    source: Source

    @property
    def reader(self) -> Reader:
        """Its units, kept from one audit to the next."""
        return self.on(NUMPY)

    def on(self, arrays: Arrays) -> Reader:
        """The same, held by these arrays."""
        return self._readers.setdefault(arrays, Reader(self.source, arrays=arrays))

    @cached_property
    def _readers(self) -> dict[Arrays, Reader]:
        return {}


def reference(name: str, checkpoint: Checkpoint, key: int) -> Reference:
    """A checkpoint as a reference."""
    return Reference(name, CheckpointSource.of(checkpoint, key))


def bytes_of(matrix: Matrix) -> int:
    """The bytes that a matrix of float32 takes, wherever it is."""
    return 4 * prod(matrix.shape)


def _unit_bytes(units: Units) -> int:
    return bytes_of(units.rows)
