"""The index of a library: its references, the digests of their packs, and the sketches that they are screened by.

One columnar file. Its last column is the SHA-256 of every byte before it, so that no byte can change unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dokja.language import mark
from dokja.lineage.library.about import about_as
from dokja.lineage.library.columns import ABOUT, Column, Columns, header_bytes, json_bytes, stored, written
from dokja.lineage.library.packs import FEWEST_UNITS
from dokja.lineage.library.refusals import refused
from dokja.lineage.library.sketching import SUMS, Sketch
from dokja.lineage.model import LOOKED_AT

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT: Final = "dokja-reference-library/5"
FILE: Final = "library.safetensors"
DIGEST: Final = "digest"
DIGEST_BYTES: Final = 32


@dataclass(frozen=True)
class _About:
    format: str
    key: int
    units: int
    names: tuple[str, ...]
    components: tuple[str, ...]


@cache
def _type() -> TypeAdapter[_About]:
    from pydantic import TypeAdapter  # noqa: PLC0415  (only what is read needs it, and it takes long to load)

    return TypeAdapter(_About)


@dataclass(frozen=True)
class Shelved:
    """A reference in the index: its name, the digests of its pack and of what it was made from, the pack's bytes.

    packed: `False` where there is a fingerprint in the place of a pack.
    """

    name: str
    pack: str
    source: str
    size: int
    packed: bool = True


@dataclass(frozen=True)
class Index:
    """A library's references in the order of their names, and one row of `sketches` for each of their components.

    reference, component: of each row, the number of its reference and of its component.
    """

    key: int
    units: int
    shelved: tuple[Shelved, ...]
    components: tuple[str, ...]
    reference: NDArray[np.uint32]
    component: NDArray[np.uint32]
    signature: NDArray[np.uint64]
    sketches: NDArray[np.float16]

    def with_more(self, added: Mapping[Shelved, Mapping[str, Sketch]]) -> Index:
        """The index with these references too; each in the place of one that bears its name."""
        names = {each.name for each in added}
        if any(each.name in names for each in self.shelved):
            return self._without(names).with_more(added)
        shelved = sorted((*self.shelved, *added), key=lambda each: each.name)
        components = sorted({*self.components, *(name for each in added.values() for name in each)})
        numbers = {each.name: number for number, each in enumerate(shelved)}
        places = {name: number for number, name in enumerate(components)}
        old = np.array([numbers[each.name] for each in self.shelved], dtype=np.uint32)
        moved = np.array([places[name] for name in self.components], dtype=np.uint32)
        new = [
            (numbers[each.name], places[name], sketch)
            for each, kinds in added.items()
            for name, sketch in kinds.items()
        ]
        reference = np.concatenate([old[self.reference], np.array([each for each, _, _ in new], dtype=np.uint32)])
        component = np.concatenate([moved[self.component], np.array([each for _, each, _ in new], dtype=np.uint32)])
        signature = np.concatenate(
            [self.signature, np.array([each.signature for _, _, each in new], dtype=np.uint64)]
        )
        values = np.array([each.values for _, _, each in new], dtype=np.float16).reshape(-1, SUMS)
        order = np.lexsort((component, reference))
        return Index(
            key=self.key,
            units=self.units,
            shelved=tuple(shelved),
            components=tuple(components),
            reference=reference[order].astype(np.uint32),
            component=component[order].astype(np.uint32),
            signature=signature[order],
            sketches=np.concatenate([self.sketches, values])[order],
        )

    def _without(self, names: Collection[str]) -> Index:
        """The index without these references."""
        left = [number for number, each in enumerate(self.shelved) if each.name not in names]
        rows = np.isin(self.reference, left)
        return replace(
            self,
            shelved=tuple(self.shelved[number] for number in left),
            reference=np.searchsorted(left, self.reference[rows]).astype(np.uint32),
            component=self.component[rows],
            signature=self.signature[rows],
            sketches=self.sketches[rows],
        )


def empty(key: int, units: int) -> Index:
    """An index without references."""
    none = np.empty(0, dtype=np.uint32)
    sketches = np.empty((0, SUMS), dtype=np.float16)
    return Index(key, units, (), (), none, none, np.empty(0, dtype=np.uint64), sketches)


def _columns(count: int, rows: int) -> Sequence[Column]:
    return (
        Column("packs", "U8", (count, DIGEST_BYTES)),
        Column("sources", "U8", (count, DIGEST_BYTES)),
        Column("sizes", "I64", (count,)),
        Column("packed", "U8", (count,)),
        Column("signature", "U64", (rows,)),
        Column("reference", "U32", (rows,)),
        Column("component", "U32", (rows,)),
        Column("sketch", "F16", (rows, SUMS)),
        Column(DIGEST, "U8", (DIGEST_BYTES,)),
    )


def write_index(folder: Path, index: Index) -> None:
    """Put the index in the place of the one before it, at once."""
    shelved = index.shelved
    about = _About(FORMAT, index.key, index.units, tuple(each.name for each in shelved), index.components)
    text = json_bytes(about.__dict__)
    columns = _columns(len(shelved), len(index.reference))
    values: Mapping[str, NDArray[Any]] = {
        "packs": _bytes_of([each.pack for each in shelved]),
        "sources": _bytes_of([each.source for each in shelved]),
        "sizes": np.array([each.size for each in shelved], dtype=np.int64),
        "packed": np.array([each.packed for each in shelved], dtype=np.uint8),
        "signature": index.signature,
        "reference": index.reference,
        "component": index.component,
        "sketch": index.sketches,
    }
    digest = hashlib.sha256()
    with written(folder) as (write, settle):
        pieces: tuple[bytes | memoryview, ...] = (
            header_bytes((Column(ABOUT, "U8", (len(text),)), *columns)),
            text,
            *(stored(column, values[column.name]) for column in columns if column.name != DIGEST),
        )
        for piece in pieces:
            digest.update(piece)
            write(piece)
        write(digest.digest())
        settle(folder / FILE)


def read_index(folder: Path) -> Index:
    """The index of a library, every byte of it checked."""
    path = folder / FILE
    if not path.is_file():
        raise refused("library-absent", folder)
    with Columns(path) as columns:
        last = columns.entries.get(DIGEST)
        if last is None or last.end != columns.size or last.nbytes != DIGEST_BYTES:
            raise refused("library-damaged", path)
        if columns.digest(last.begin) != columns.read(DIGEST).tobytes().hex():
            raise refused("library-damaged", path)
        about = _checked(columns)
        rows = columns.entries["sketch"].shape[0] if columns.entries.get("sketch") else 0
        columns.expect(_columns(len(about.names), rows))
        packs, sources = (_texts_of(columns.read(name)) for name in ("packs", "sources"))
        sizes, packed = columns.read("sizes").tolist(), columns.read("packed").astype(bool).tolist()
        shelved = tuple(Shelved(*each) for each in zip(about.names, packs, sources, sizes, packed, strict=True))
        index = Index(
            key=about.key,
            units=about.units,
            shelved=shelved,
            components=about.components,
            reference=columns.read("reference"),
            component=columns.read("component"),
            signature=columns.read("signature"),
            sketches=columns.read("sketch"),
        )
    _check_numbers(index, path)
    return index


def _checked(columns: Columns) -> _About:
    about = about_as(columns, _type(), FORMAT)
    if not (FEWEST_UNITS <= about.units <= LOOKED_AT and about.key >= 0):
        raise refused("library-misfit", columns.path, reason=mark("its key or its units are out of range"))
    if list(about.names) != sorted(set(about.names)) or list(about.components) != sorted(set(about.components)):
        raise refused("library-misfit", columns.path, reason=mark("its names are not in order"))
    return about


def _check_numbers(index: Index, path: Path) -> None:
    """Refuse rows that belong to no reference or to no component."""
    outside = (index.reference >= len(index.shelved)).any() or (index.component >= len(index.components)).any()
    if outside or not np.isfinite(index.sketches).all():
        raise refused("library-misfit", path, reason=mark("a sketch belongs to nothing, or is none"))


def _bytes_of(digests: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex("".join(digests)), dtype=np.uint8).reshape(-1, DIGEST_BYTES)


def _texts_of(digests: NDArray[np.uint8]) -> list[str]:
    return [row.tobytes().hex() for row in digests]
