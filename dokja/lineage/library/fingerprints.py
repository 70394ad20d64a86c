"""The fingerprint of a reference: its parts, the digests of its tensors and its sketches, and none of its units.

It is enough to screen by; only a pack, or the weights, confirm anything. It is made in one reading of the weights,
for hardly more than their digests cost, and has a thousandth of a pack's size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dokja.language import mark
from dokja.lineage.checkpoint import Checkpoint, Digests
from dokja.lineage.cores import ALONE, Crew
from dokja.lineage.library.columns import ABOUT, Column, Columns, header_bytes, json_bytes, stored, written
from dokja.lineage.library.packing import source_digest
from dokja.lineage.library.packs import About, KeptFile, PackSource, opened, pack_file, packs_folder
from dokja.lineage.library.passing import Picked, goes_by
from dokja.lineage.library.refusals import refused
from dokja.lineage.library.sketching import (
    ROWS,
    SUMS,
    Place,
    Sketch,
    added,
    placed,
    signature,
    sketch_of,
    sums_of,
)
from dokja.lineage.model import Member, Model, drawn, looked_at
from dokja.lineage.sides import CheckpointSource, Reader

FORMAT: Final = "dokja-reference-fingerprint/1"
SKETCHES: Final = "sketches"


@dataclass(frozen=True)
class _Work:
    """A tensor that goes by, or none, and the matrices that are summed up of it: component, matrix, place."""

    tensor: str | None
    matrices: tuple[tuple[str, Member, Place], ...]


@dataclass(frozen=True)
class Printed:
    """What a library's index has of a reference: digests of its file and of what that was made from, and sketches."""

    digest: str
    source: str
    sketches: Mapping[str, Sketch]


class Fingerprint(KeptFile):
    """A fingerprint that is read; use it in a `with`."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns, FORMAT)
        columns.expect([_column(self.about.model)])
        if not np.isfinite(columns.read(SKETCHES)).all():
            raise refused("library-misfit", columns.path, reason=mark("a sketch is none"))

    def sketches(self) -> Mapping[str, Sketch]:
        """The sketch of every component."""
        model, values = self.about.model, self._columns.read(SKETCHES).astype(np.float32)
        return {
            component: Sketch(row, signature(model, component))
            for component, row in zip(model.components, values, strict=True)
        }


def open_kept(path: Path, *, digest: str | None = None, name: str = "") -> PackSource | Fingerprint:
    """Open a pack or a fingerprint; where its digest is given, every byte is held against it first.

    Raises CheckpointError where the file is not in the format of a checkpoint, LibraryError where it is neither.
    """

    def read(columns: Columns) -> PackSource | Fingerprint:
        return Fingerprint(columns) if SKETCHES in columns.entries else PackSource(columns)

    return opened(path, read, digest, name)


def make_fingerprint(
    folder: Path, name: str, checkpoint: Checkpoint, key: int, units: int, crew: Crew = ALONE
) -> Printed:
    """Write the fingerprint of a checkpoint into a library's folder."""
    source = CheckpointSource.of(checkpoint, key)
    model = source.model
    digests, sums = _in_one_reading(source, units, crew)
    about = About(
        format=FORMAT,
        name=name,
        key=key,
        units=units,
        source=source_digest(checkpoint, digests),
        assignment=model.assignment,
        shapes=dict(model.shapes),
        digests=digests.tensors,
        words=None,
    )
    found = {component: sketch_of(sums[component], signature(model, component)) for component in model.components}
    values, column = np.array([each.values for each in found.values()], dtype=np.float32), _column(model)
    values = values.reshape(column.shape)
    text, digest = json_bytes(asdict(about)), hashlib.sha256()
    with written(packs_folder(folder)) as (write, settle):
        for data in (header_bytes([column, Column(ABOUT, "U8", (len(text),))]), stored(column, values), text):
            digest.update(data)
            write(data)
        checkpoint.check()
        settle(pack_file(folder, digest.hexdigest()))
    return Printed(digest.hexdigest(), about.source, found)


def _column(model: Model) -> Column:
    return Column(SKETCHES, "F16", (len(model.components), SUMS))


def _in_one_reading(
    source: CheckpointSource, units: int, crew: Crew
) -> tuple[Digests, Mapping[str, NDArray[np.float64]]]:
    """The digests of all tensors, and the sums of every component."""
    checkpoint, model = source.checkpoint, source.model
    reader = Reader(source).within(units)
    sums = {component: np.zeros(SUMS) for component in model.components}
    digests: dict[str, str] = {}

    def done(work: _Work) -> tuple[str | None, list[tuple[str, NDArray[np.float64]]]]:
        if work.tensor is None:
            return None, [(component, sums_of(reader, member, place)) for component, member, place in work.matrices]
        picked = [_picked(source, member, units) for _, member, _ in work.matrices]
        digest = checkpoint.pass_by(work.tensor, [each.see for each in picked])
        found = [
            (component, added(source.key, place, each.found().astype(np.float32)))
            for (component, _, place), each in zip(work.matrices, picked, strict=True)
        ]
        return digest, found

    works = _works(checkpoint, model)
    for work, (digest, found) in zip(works, crew.spread(done, works), strict=True):
        if work.tensor is not None and digest is not None:
            digests[work.tensor] = digest
        for component, each in found:
            sums[component] += each
    return Digests(checkpoint.header_digests(), dict(sorted(digests.items()))), sums


def _works(checkpoint: Checkpoint, model: Model) -> Sequence[_Work]:
    """Every stored tensor once, the longest first, with its matrices; then what is not rows of a plain tensor."""
    by_tensor: dict[str, list[tuple[str, Member, Place]]] = {name: [] for name in checkpoint.stored}
    others = []
    for component in model.components:
        for member, place in placed(model, component):
            each = (component, member, place)
            if goes_by(checkpoint, member.part):
                by_tensor[member.part.tensor].append(each)
            else:
                others.append(_Work(None, (each,)))
    names = sorted(by_tensor, key=lambda name: -checkpoint.stored[name].nbytes)
    return [*(_Work(name, tuple(by_tensor[name])) for name in names), *others]


def _picked(source: CheckpointSource, member: Member, units: int) -> Picked:
    """What picks the rows of a matrix that are summed up: of its units that are looked at."""
    places = source.places(member, looked_at(source.key, source.model, member, units))
    chosen = places[drawn(source.key, len(places), ROWS)]
    return Picked(source.checkpoint, member.part, member.by, chosen)
