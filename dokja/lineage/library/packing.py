"""Making the pack of a checkpoint, and its digests, in one reading of its tensors.

Each tensor is one piece of work, or all of a layer whose longest neurons are kept; the columns of each go to the file
as they come. The digests are there last: what a pack says of itself stands at its end.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from heapq import nsmallest
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.checkpoint import Checkpoint, Digests
from dokja.lineage.cores import ALONE, Crew
from dokja.lineage.library.columns import ABOUT, Column, header_bytes, json_bytes, stored, written
from dokja.lineage.library.packs import (
    FORMAT,
    WORDS,
    About,
    member_columns,
    neuron_columns,
    pack_file,
    packs_folder,
    word_columns,
)
from dokja.lineage.library.passing import Picked, Sees, goes_by, measuring
from dokja.lineage.measuring import Lengths
from dokja.lineage.model import Member, Model, looked_at
from dokja.lineage.pair.answers import drawn_rows
from dokja.lineage.pair.longest import gain_of, longest
from dokja.lineage.sides import CheckpointSource, Reader
from dokja.lineage.statistics.units import Labels, Matrix
from dokja.lineage.vocabulary import priority, texts

UNKNOWN: Final = "0" * 64
"""Stands for a digest that is not there yet, and is as long as one."""


@dataclass(frozen=True)
class _Work:
    """What is done at once: tensors that go by, the matrices of which units are kept, and of which neurons the
    longest are kept, each with their columns."""

    tensors: tuple[str, ...]
    drawn: tuple[tuple[Column, Member], ...]
    layer: tuple[Member, ...] = ()
    longer: tuple[Column, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is written."""
        return (*(column for column, _ in self.drawn), *self.longer)


def source_digest(checkpoint: Checkpoint, digests: Digests) -> str:
    """One digest of the weights, the config and the tokenizer."""
    whole = {
        "headers": sorted(digests.headers.values()),
        "tensors": dict(digests.tensors),
        "config": dict(checkpoint.config),
        "tokenizer": checkpoint.tokenizer,
    }
    return hashlib.sha256(json_bytes(whole)).hexdigest()


def make_pack(folder: Path, name: str, checkpoint: Checkpoint, key: int, units: int, crew: Crew = ALONE) -> str:
    """Write the pack of a checkpoint into a library's folder; gives its digest."""
    source = CheckpointSource.of(checkpoint, key)
    model = source.model
    words, rows = _words(source)
    about = asdict(
        About(
            format=FORMAT,
            name=name,
            key=key,
            units=units,
            source=UNKNOWN,
            assignment=model.assignment,
            shapes=dict(model.shapes),
            digests=dict.fromkeys(checkpoint.stored, UNKNOWN),
            words=words,
        )
    )
    works = _works(checkpoint, model, key, units)
    columns = [column for work in works for column in work.columns]
    kept_words = _of_words(source, rows)
    digest, reader = hashlib.sha256(), Reader(source)
    digests: dict[str, str] = {}

    def done(work: _Work) -> tuple[Mapping[str, str], list[memoryview]]:
        known, values = _done(reader, source, work, units)
        return known, [stored(*each) for each in zip(work.columns, values, strict=True)]

    with written(packs_folder(folder)) as (write, settle):

        def put(data: bytes | memoryview) -> None:
            digest.update(data)
            write(data)

        put(header_bytes([*columns, *kept_words, Column(ABOUT, "U8", (len(json_bytes(about)),))]))
        for known, several in crew.spread(done, works):
            digests.update(known)
            for data in several:
                put(data)
        for column, values in kept_words.items():
            put(stored(column, values))
        all_digests = Digests(checkpoint.header_digests(), dict(sorted(digests.items())))
        put(json_bytes(about | {"source": source_digest(checkpoint, all_digests), "digests": all_digests.tensors}))
        checkpoint.check()
        settle(pack_file(folder, digest.hexdigest()))
    return digest.hexdigest()


def _works(checkpoint: Checkpoint, model: Model, key: int, units: int) -> Sequence[_Work]:
    """All that is to be done: every column once, and every stored tensor goes by once; the longest work first."""
    layers = list(neuron_columns(model, units))
    uses = Counter(tensor for _, members in layers for tensor in {member.part.tensor for member in members})
    by_tensor: dict[str, list[tuple[Column, Member]]] = {}
    for column, member in member_columns(model, key, units):
        by_tensor.setdefault(member.part.tensor, []).append((column, member))
    works = []
    for longer, members in layers:
        # A tensor that holds several layers, as stacked experts do, goes by for itself.
        tensors = tuple(dict.fromkeys(each.part.tensor for each in members if uses[each.part.tensor] == 1))
        held = (each for tensor in tensors for each in by_tensor.pop(tensor))
        works.append(_Work(tuple(filter(checkpoint.plain, tensors)), tuple(held), members, longer))
    gone = {tensor for work in works for tensor in work.tensors}
    works += [
        _Work((name,), tuple(by_tensor.pop(name, ())) if checkpoint.plain(name) else ())
        for name in checkpoint.stored
        if name not in gone
    ]
    works += [_Work((), (each,)) for several in by_tensor.values() for each in several]
    return sorted(works, key=lambda work: -sum(checkpoint.stored[tensor].nbytes for tensor in work.tensors))


def _done(
    reader: Reader, source: CheckpointSource, work: _Work, units: int
) -> tuple[Mapping[str, str], list[NDArray[Any]]]:
    """The digests of the tensors that went by, and the values of the columns."""
    checkpoint, model = source.checkpoint, source.model
    sees: dict[str, list[Sees]] = {tensor: [] for tensor in work.tensors}

    def by_the_way(member: Member) -> bool:
        return member.part.tensor in sees and goes_by(checkpoint, member.part)

    def picked(member: Member) -> Callable[[], Matrix]:
        labels = looked_at(source.key, model, member, units)
        if not by_the_way(member):
            return partial(source.rows, member, labels, narrow=True)
        found = Picked(checkpoint, member.part, member.by, source.places(member, labels))
        sees[member.part.tensor].append(found.see)
        return found.found

    def measured(member: Member) -> Callable[[], Matrix]:
        gain = gain_of(reader, member)
        if not by_the_way(member):
            return partial(source.lengths, member, gain)
        found = Lengths(model.extent(member), member.by, gain)
        sees[member.part.tensor].append(measuring(checkpoint, member.part, found))
        return found.found

    drawn_units = [picked(member) for _, member in work.drawn]
    lengths = [measured(member) for member in work.layer]
    digests = {tensor: checkpoint.pass_by(tensor, see) for tensor, see in sees.items()}
    values = [each() for each in drawn_units]
    if work.layer:
        longer = [each() for each in lengths]
        chosen = longest(longer, units)
        values += [*longer, *(source.rows(member, chosen, narrow=True) for member in work.layer)]
    return digests, values


def _of_words(source: CheckpointSource, rows: Labels) -> Mapping[Column, NDArray[Any]]:
    """The columns of the words that are kept, and their values."""
    found = source.words(rows) if len(rows) else None
    if found is None:
        return {}
    values = (rows, found["up"], found["down"])
    return dict(zip(word_columns(len(rows), [each.shape[1] for each in values[1:]]), values, strict=True))


def _words(source: CheckpointSource) -> tuple[Mapping[str, int] | None, Labels]:
    """The words that are kept, and the rows of the embeddings: theirs, and those that are drawn without words."""
    if "embedding" not in source.model.words:
        return None, np.empty(0, dtype=np.int64)
    known, rows = source.vocabulary(), drawn_rows(source.key, source.model)
    if known is None:
        return None, rows
    by_text = zip(texts(known), known.items(), strict=True)
    words = dict(each for _, each in nsmallest(WORDS, by_text, key=lambda each: priority(source.key, each[0])))
    return words, np.union1d(rows, np.array(list(words.values()), dtype=np.int64))
