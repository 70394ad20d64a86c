"""A library as audits use it: its references by name, a screen, and a check of every byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dokja.errors import DokjaError, LibraryError, Problem
from dokja.lineage.checkpoint import Checkpoint
from dokja.lineage.cores import cores
from dokja.lineage.library.columns import Columns
from dokja.lineage.library.fingerprints import Fingerprint, open_kept
from dokja.lineage.library.index import Index, Shelved, read_index
from dokja.lineage.library.packing import source_digest
from dokja.lineage.library.packs import PackSource, pack_file
from dokja.lineage.library.refusals import problem, refused
from dokja.lineage.library.screening import Screened, screen
from dokja.lineage.library.sketching import sketches
from dokja.lineage.sides import Reader, Reference, Source


@dataclass(frozen=True)
class Library:
    """An open library. Audit by its key: its units were drawn by it."""

    folder: Path
    index: Index

    @property
    def key(self) -> int:
        """What units are drawn by."""
        return self.index.key

    @property
    def names(self) -> tuple[str, ...]:
        """The references, in order."""
        return tuple(each.name for each in self.index.shelved)

    @property
    def unpacked(self) -> frozenset[str]:
        """The references of which there is no more than a fingerprint."""
        return frozenset(each.name for each in self.index.shelved if not each.packed)

    def kept(self, name: str) -> PackSource | Fingerprint:
        """What is kept of a reference, every byte of it checked; use it in a `with`."""
        shelved = self._shelved(name)
        path = pack_file(self.folder, shelved.pack)
        kept = open_kept(path, digest=shelved.pack, name=name)
        told = (kept.about.name, kept.key, kept.units, isinstance(kept, PackSource))
        if told != (name, self.index.key, self.index.units, shelved.packed):
            kept.close()
            raise refused("library-pack-damaged", path, name=name)
        return kept

    def pack(self, name: str) -> PackSource:
        """The pack of a reference; use it in a `with`. Raises LibraryError where there is a fingerprint alone."""
        kept = self.kept(name)
        if isinstance(kept, PackSource):
            return kept
        kept.close()
        raise refused("library-unpacked", self.folder, name=name)

    def reference(self, name: str) -> Reference:
        """A reference to audit against."""
        return Reference(name, self.pack(name))

    def made_from(self, checkpoint: Checkpoint) -> frozenset[str]:
        """The references that were made from these very weights; every byte of them is read."""
        source = source_digest(checkpoint, checkpoint.digests(cores()))
        return frozenset(each.name for each in self.index.shelved if each.source == source)

    def screen(self, submission: Source) -> Screened:
        """Which references are worth an audit. The submission's units must be drawn by the library's key."""
        if submission.key != self.key:
            raise ValueError("the submission's units are drawn by another key")
        return screen(self.index, sketches(Reader(submission).within(self.index.units)))

    def _shelved(self, name: str) -> Shelved:
        for each in self.index.shelved:
            if each.name == name:
                return each
        raise KeyError(name)


def open_library(folder: str | Path) -> Library:
    """Open a library; every byte of its index is checked. Raises LibraryError."""
    return Library(Path(folder), read_index(Path(folder)))


def verify(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> tuple[Problem, ...]:
    """Every digest of a library computed anew; what differs, named. A damaged index raises LibraryError."""
    library = open_library(folder)
    problems: list[Problem] = []
    for done, shelved in enumerate(library.index.shelved, 1):
        problems += _differs(library, shelved)
        if progress is not None:
            progress(done, len(library.index.shelved))
    return tuple(problems)


def _differs(library: Library, shelved: Shelved) -> tuple[Problem, ...]:
    path = pack_file(library.folder, shelved.pack)
    try:
        library.kept(shelved.name).close()
    except LibraryError as error:
        return error.problems
    except DokjaError:
        # Not even a file of the format: the byte that changed is in its header.
        return (problem("library-pack-damaged", path, name=shelved.name),)
    with Columns(path) as columns:
        same = columns.size == shelved.size
    return () if same else (problem("library-pack-damaged", path, name=shelved.name),)
