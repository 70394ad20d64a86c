"""A pack: what a library keeps of one reference, so that it can be audited against without its weights.

Of every matrix the units that the key draws, by the axes that the tests read; of layers that answer to words also the
longest neurons, which are the same of a copy that was permuted; vectors whole; the embeddings of some words; the
digests of all tensors; and what each part is. All weights in bfloat16: the tests look at directions, which lose
nothing that they could see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from dokja.language import mark
from dokja.lineage.architecture import Assignment, Part
from dokja.lineage.library.about import about_as
from dokja.lineage.library.columns import Column, Columns
from dokja.lineage.library.refusals import refused
from dokja.lineage.measuring import By, row_lengths
from dokja.lineage.model import LOOKED_AT, Group, Member, Model, inner, looked_at
from dokja.lineage.pair.answers import answers_to_anything
from dokja.lineage.pair.longest import answers_words, crowded, longest, neurons
from dokja.lineage.statistics.units import Labels, Matrix
from dokja.lineage.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT: Final = "dokja-reference-pack/5"
UNITS: Final = 256
FEWEST_UNITS: Final = 8
WORDS: Final = 1024
"""How many words' embeddings are kept; twice what the anchored test asks for, as vocabularies differ."""

LONGEST_AXIS: Final = 1 << 27
"""No axis is longer; a pack that says so would make its reader draw labels for ever."""

WORD_ROWS, UP, DOWN = "words.rows", "words.up", "words.down"
LENGTHS, LONGEST = "lengths", "longest"

X = TypeVar("X")


@dataclass(frozen=True)
class About:
    """What a pack or a fingerprint says of its reference.

    source: one digest of everything that it was made from. shapes, digests: of every logical and of every
    stored tensor. words: the kept words and their rows; `None` where the tokenizer is not known.
    """

    format: str
    name: str
    key: int
    units: int
    source: str
    assignment: Assignment
    shapes: Mapping[str, tuple[int, ...]]
    digests: Mapping[str, str]
    words: Mapping[str, int] | None

    @cached_property
    def model(self) -> Model:
        """The parts of the reference."""
        return Model(self.assignment, self.shapes)


@cache
def _type() -> TypeAdapter[About]:
    from pydantic import TypeAdapter  # noqa: PLC0415  (only what is read needs it, and it takes long to load)

    return TypeAdapter(About)


def part_key(part: Part) -> tuple[str, int | None, tuple[int, int] | None]:
    """What names a part within its model."""
    return (part.tensor, part.index, part.take)


def pack_file(folder: Path, digest: str) -> Path:
    """Where a pack of this digest lies in a library."""
    return packs_folder(folder) / f"{digest}.safetensors"


def packs_folder(folder: Path) -> Path:
    """Where the packs of a library lie."""
    return folder / "packs"


def kept(model: Model) -> Iterator[tuple[int, Member]]:
    """The matrices that are kept, with the number of their part: what any test reads."""
    numbers = {part_key(part): number for number, part in enumerate(model.assignment.parts)}
    members: dict[tuple[int, By], Member] = {}
    for component in model.components:
        asked = [*model.parts(component), *model.residual(component)]
        asked += [member for group in model.groups.get(component, ()) for member in group.members]
        for member in asked:
            members.setdefault((numbers[part_key(member.part)], member.by), member)
    for (number, _), member in sorted(members.items(), key=lambda item: item[0]):
        yield number, member


def member_columns(model: Model, key: int, units: int) -> Iterator[tuple[Column, Member]]:
    """The columns of the matrices that are kept."""
    for number, member in kept(model):
        labels = looked_at(key, model, member, units)
        height = len(labels) * member.axis.repeats * len(inner(key, model, member))
        yield Column(f"{number}.{member.by}", "BF16", (height, model.extent(member)[1])), member


def neuron_columns(model: Model, units: int) -> Iterator[tuple[tuple[Column, ...], tuple[Member, ...]]]:
    """The columns of every layer that answers to something and has more neurons than are kept, and its matrices: the
    lengths of all neurons in each, and the longest neurons."""
    numbers = {part_key(part): number for number, part in enumerate(model.assignment.parts)}
    for component, groups in model.groups.items():
        asked = filter(answers_words, groups) if answers_to_anything(model, component) else ()
        for members in map(neurons, asked):
            if crowded(model, members, units):
                named = [(numbers[part_key(member.part)], *model.extent(member)) for member in members]
                yield (
                    (
                        *(Column(f"{number}.{LENGTHS}", "F32", (count,)) for number, count, _ in named),
                        *(Column(f"{number}.{LONGEST}", "BF16", (units, width)) for number, _, width in named),
                    ),
                    members,
                )


def word_columns(count: int, widths: Sequence[int]) -> tuple[Column, ...]:
    """The columns of the words that are kept: their rows, and what the embeddings and the unembeddings have there."""
    return (
        Column(WORD_ROWS, "I64", (count,)),
        Column(UP, "BF16", (count, widths[0])),
        Column(DOWN, "BF16", (count, widths[1])),
    )


class KeptFile:
    """What a library keeps of a reference, a pack or a fingerprint, that is read; use it in a `with`."""

    def __init__(self, columns: Columns, form: str) -> None:
        self._columns = columns
        self.about = read_about(columns, form)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._columns.close()

    @property
    def key(self) -> int:
        """What the units were drawn by."""
        return self.about.key

    @property
    def units(self) -> int:
        """How many units of an axis are kept, or sketched."""
        return self.about.units


class PackSource(KeptFile):
    """A pack as the weights of a reference: audits read it as they read a checkpoint."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns, FORMAT)
        found = [column for column, _ in member_columns(self.model, self.key, self.units)]
        layers = list(neuron_columns(self.model, self.units))
        self._check_columns([*found, *(column for each, _ in layers for column in each)])
        self._layers = {member.key: members for _, members in layers for member in members}
        numbers = enumerate(self.about.assignment.parts)
        self._numbers = {part_key(part): number for number, part in numbers}

    @property
    def model(self) -> Model:
        """The parts of the reference."""
        return self.about.model

    def rows(self, member: Member, labels: Labels) -> Matrix:
        """The rows of these units, which must be kept: all of them drawn by the key, or all among the longest."""
        name = self._name(member, member.by)
        held = looked_at(self.key, self.model, member, self.units)
        places = _places(held, labels)
        if places is None and member.key in self._layers:
            name, held = self._name(member, LONGEST), self._longest(member)
            places = _places(held, labels)
        if places is None:
            raise KeyError(f"{member.part.tensor}: not all of these units are kept")
        matrix = self._columns.read(name)
        if len(places) < len(held):
            of_each = len(inner(self.key, self.model, member))
            units = matrix.reshape(member.axis.repeats, len(held), of_each, matrix.shape[1])
            matrix = units[:, places].reshape(len(places) * member.axis.repeats * of_each, matrix.shape[1])
        return matrix.astype(np.float32)

    def answers(self, member: Member, words: Matrix) -> None:
        """A pack keeps some rows of a head, which a mixing would spread over all of them."""

    def lengths(self, member: Member, gain: Matrix | None) -> Matrix | None:
        """The lengths that were measured when the pack was made, with the gain that stood in front; of a layer all of
        whose neurons are kept those of what is kept."""
        if member.key in self._layers:
            return self._columns.floats(self._name(member, LENGTHS))
        count = self.model.units(member)
        return row_lengths(self.rows(member, np.arange(count)), gain) if count <= self.units else None

    def _longest(self, member: Member) -> Labels:
        lengths = [self._columns.floats(self._name(each, LENGTHS)) for each in self._layers[member.key]]
        return longest(lengths, self.units)

    def _name(self, member: Member, what: str) -> str:
        return f"{self._numbers[part_key(member.part)]}.{what}"

    def digest(self, tensor: str) -> str | None:
        """SHA-256 of a tensor's bytes."""
        return self.about.digests.get(tensor)

    def words(self, rows: Labels) -> Mapping[str, Matrix] | None:
        """Embeddings and unembeddings of these rows; `None` where one of them is not kept."""
        places = _places(self._word_rows, rows)
        if places is None or not len(self._word_rows):
            return None
        return {end: self._columns.floats(name)[places] for end, name in (("up", UP), ("down", DOWN))}

    def at(self, member: Member, rows: Labels) -> Matrix | None:
        """Rows of the embeddings or the unembeddings; `None` where one of them is not kept."""
        ends = {tensor: UP if role == "embedding" else DOWN for role, tensor in self.model.words.items()}
        end, places = ends.get(member.part.tensor), _places(self._word_rows, rows)
        if end is None or places is None or not len(self._word_rows):
            return None
        return self._columns.floats(end)[places]

    def vocabulary(self) -> Vocabulary | None:
        """The rows of the words that are kept."""
        return self._vocabulary or None

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.about.words or {}, drawn=True)

    def config(self) -> None:
        """A pack keeps no config."""

    @cached_property
    def _word_rows(self) -> NDArray[np.int64]:
        if WORD_ROWS not in self._columns.entries:
            return np.empty(0, dtype=np.int64)
        rows: NDArray[np.int64] = self._columns.read(WORD_ROWS)
        return rows

    def _check_columns(self, parts: Sequence[Column]) -> None:
        """Refuse a pack whose columns are not those that its parts, its key and its words ask for."""
        columns, entries = list(parts), self._columns.entries
        if WORD_ROWS in entries:
            count = entries[WORD_ROWS].shape[0] if entries[WORD_ROWS].shape else 0
            widths = [
                entries[name].shape[-1] if name in entries and entries[name].shape else 0 for name in (UP, DOWN)
            ]
            columns += word_columns(count, widths)
        self._columns.expect(columns)
        rows = self._word_rows
        # As Python's own numbers: a file may claim one that no array holds.
        if (np.diff(rows) <= 0).any() or not set((self.about.words or {}).values()) <= set(rows.tolist()):
            raise refused("library-misfit", self._columns.path, reason=mark("its words have no embeddings"))


def _places(held: Labels, labels: Labels) -> Labels | None:
    """Where these labels stand among those that are kept, which ascend; `None` where one of them does not."""
    places = np.searchsorted(held, labels)
    there = len(labels) == 0 or (places.max() < len(held) and bool((held[places] == labels).all()))
    return places if there else None


def open_pack(path: Path, *, digest: str | None = None, name: str = "") -> PackSource:
    """Open a pack; where its digest is given, every byte is held against it first.

    Raises CheckpointError where the file is not in the format of a checkpoint, LibraryError where it is no pack.
    """
    return opened(path, PackSource, digest, name)


def opened(path: Path, read: Callable[[Columns], X], digest: str | None, name: str) -> X:
    """What is kept of a reference, read so; where its digest is given, every byte is held against it first."""
    if not path.is_file():
        raise refused("library-pack-missing", path, name=name)
    columns = Columns(path)
    try:
        if digest is not None and columns.digest() != digest:
            raise refused("library-pack-damaged", path, name=name)
        return read(columns)
    except BaseException:
        columns.close()
        raise


def read_about(columns: Columns, form: str) -> About:
    """What a file of this format says of its reference, checked as far as its reader relies on it."""
    about = about_as(columns, _type(), form)
    if not (FEWEST_UNITS <= about.units <= LOOKED_AT and about.key >= 0):
        raise refused("library-misfit", columns.path, reason=mark("its key or its units are out of range"))
    if not all(_sound(about, part) for part in about.assignment.parts):
        raise refused("library-misfit", columns.path, reason=mark("its parts do not fit the shapes of its tensors"))
    if not all(_even(about.model, group) for groups in about.model.groups.values() for group in groups):
        raise refused("library-misfit", columns.path, reason=mark("the axes of one group have not as many units"))
    return about


def _even(model: Model, group: Group) -> bool:
    """Whether all axes of a group have as many units, as those of every checkpoint have."""
    return len({model.units(member) for member in group.members}) == 1


def _sound(about: About, part: Part) -> bool:
    """Whether a part's matrix can be what it says, and no axis is endless."""
    shape = about.shapes.get(part.tensor)
    if shape is None or not all(0 <= extent <= LONGEST_AXIS for extent in shape):
        return False
    if part.index is not None and not (len(shape) > 1 and 0 <= part.index < shape[0]):
        return False
    if part.take is not None and not 0 <= part.take[0] <= part.take[1] <= LONGEST_AXIS:
        return False
    if not all(axis.block >= 1 and axis.repeats >= 1 for axis in (part.rows, part.columns)):
        return False
    return max(about.model.extent(Member(part.role, part, "rows"))) <= LONGEST_AXIS
