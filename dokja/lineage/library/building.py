"""Building a library, and adding to it: packs first, each at once; the index last.

Whatever ends a build, what is there is whole: the index is the old one until every new pack stands, and packs that
stand are taken up by the next build instead of being made again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dokja.errors import CheckpointError, DokjaError, LibraryError, Problem
from dokja.lineage.checkpoint import Checkpoint, open_checkpoint
from dokja.lineage.cores import at_work, cores
from dokja.lineage.library.columns import PART
from dokja.lineage.library.index import FILE, Index, Shelved, empty, read_index, write_index
from dokja.lineage.library.packing import make_pack, source_digest
from dokja.lineage.library.packs import FEWEST_UNITS, UNITS, open_pack, pack_file, packs_folder
from dokja.lineage.library.refusals import problem, refused
from dokja.lineage.library.sketching import Sketch, sketches
from dokja.lineage.library.spreading import spread
from dokja.lineage.sides import LOOKED_AT, Reader

LOCK: Final = ".lock"
LONGEST_NAME: Final = 200


@dataclass(frozen=True)
class Progress:
    """One checkpoint is done: how many of how many, its name, whether its pack was made, was there, or is refused."""

    done: int
    total: int
    name: str
    made: bool
    refused: bool = False


@dataclass(frozen=True)
class _Task:
    """One checkpoint to take in.

    known: packs of that name that are there, by what they were made from. threads: the cores that it has for itself.
    """

    folder: Path
    name: str
    where: str
    key: int
    units: int
    known: Mapping[str, str]
    taken: str | None
    threads: int


@dataclass(frozen=True)
class _Done:
    name: str
    shelved: Shelved | None = None
    sketches: Mapping[str, Sketch] = field(default_factory=dict)
    made: bool = False
    problems: tuple[Problem, ...] = ()


def build(
    folder: Path,
    checkpoints: Mapping[str, str | Path],
    *,
    key: int = 0,
    units: int = UNITS,
    workers: int | str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Index:
    """Make a library of these checkpoints, by name; go on with one that was begun with the same key and units.

    workers: a number of processes (all cores where left out), or a Ray cluster: `ray`, `ray://host:port`. Raises
    LibraryError, CheckpointError; then the index is what it was before.
    """
    if not FEWEST_UNITS <= units <= LOOKED_AT:
        raise refused("library-units", most=LOOKED_AT, units=units)
    with _alone(folder):
        index = read_index(folder) if (folder / FILE).exists() else empty(key, units)
        if (index.key, index.units) != (key, units):
            raise refused("library-other-key", folder)
        return _grow(folder, index, checkpoints, workers, progress)


def add(
    folder: Path,
    checkpoints: Mapping[str, str | Path],
    *,
    workers: int | str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Index:
    """Add checkpoints to a library that is there; its other packs are not touched."""
    read_index(folder)
    with _alone(folder):
        return _grow(folder, read_index(folder), checkpoints, workers, progress)


def _grow(
    folder: Path,
    index: Index,
    checkpoints: Mapping[str, str | Path],
    workers: int | str | None,
    progress: Callable[[Progress], None] | None,
) -> Index:
    _check_names(folder, checkpoints)
    _sweep(folder)
    workers = cores() if workers is None else workers
    at_once = min(workers, len(checkpoints)) if isinstance(workers, int) else cores()
    tasks = _tasks(folder, index, checkpoints, max(1, cores() // at_once))
    finished: list[_Done] = []
    try:
        for done in spread(workers, _take_in, tasks):
            finished.append(done)
            if progress is not None:
                progress(Progress(len(finished), len(tasks), done.name, done.made, bool(done.problems)))
    finally:
        _sweep(folder)
    _check_done(finished)
    grown = index.with_more({done.shelved: done.sketches for done in finished if done.shelved is not None})
    if len(grown.shelved) > len(index.shelved):
        write_index(folder, grown)
    return grown


def _sweep(folder: Path) -> None:
    """Take away what was being written when a process ended."""
    for left in packs_folder(folder).glob(f"*{PART}"):
        left.unlink(missing_ok=True)


def _check_names(folder: Path, checkpoints: Mapping[str, str | Path]) -> None:
    if not checkpoints:
        raise refused("library-nothing", folder)
    for name in checkpoints:
        if not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
            raise refused("library-name", folder, name=name)


def _check_done(finished: Sequence[_Done]) -> None:
    """Raise everything that went wrong, at once."""
    problems = sorted((each for done in finished for each in done.problems), key=str)
    if problems:
        ours = all(each.code.startswith("library-") for each in problems)
        raise (LibraryError if ours else CheckpointError)(*problems)


def _tasks(folder: Path, index: Index, checkpoints: Mapping[str, str | Path], threads: int) -> Sequence[_Task]:
    taken = {each.name: each for each in index.shelved}
    begun = _begun(folder, index)
    return [
        _Task(
            folder=folder,
            name=name,
            where=str(where),
            key=index.key,
            units=index.units,
            known=begun.get(name, {}),
            taken=taken[name].source if name in taken else None,
            threads=threads,
        )
        for name, where in sorted(checkpoints.items())
    ]


def _begun(folder: Path, index: Index) -> Mapping[str, Mapping[str, str]]:
    """Packs that no index has yet: by name, and by what they were made from, their digests. Damaged ones are gone."""
    shelved = {each.pack for each in index.shelved}
    found: dict[str, dict[str, str]] = {}
    for path in sorted(packs_folder(folder).glob("*.safetensors")):
        if path.stem in shelved:
            continue
        try:
            with open_pack(path, digest=path.stem) as pack:
                if (pack.key, pack.units) == (index.key, index.units):
                    found.setdefault(pack.about.name, {})[pack.about.source] = path.stem
        except DokjaError:
            path.unlink(missing_ok=True)
    return found


def _take_in(task: _Task) -> _Done:
    """Make the pack of one checkpoint, unless it is there. Problems are handed back: errors do not travel well."""
    try:
        with open_checkpoint(task.where) as checkpoint, at_work(checkpoint.parameters, task.threads) as crew:
            size = checkpoint.parameters
            known = _source(checkpoint, task) if task.known or task.taken is not None else None
            if task.taken is not None:
                return _Done(task.name, problems=() if task.taken == known else (_taken(task),))
            digest = None if known is None else task.known.get(known)
            made = digest is None
            if digest is None:
                digest = make_pack(task.folder, task.name, checkpoint, task.key, task.units, crew)
        path = pack_file(task.folder, digest)
        with open_pack(path, name=task.name) as pack, at_work(size, task.threads) as crew:
            found = sketches(Reader(pack), crew)
            shelved = Shelved(task.name, digest, pack.about.source, path.stat().st_size)
        return _Done(task.name, shelved, found, made)
    except DokjaError as error:
        return _Done(task.name, problems=error.problems)


def _source(checkpoint: Checkpoint, task: _Task) -> str:
    return source_digest(checkpoint, checkpoint.digests(task.threads))


def _taken(task: _Task) -> Problem:
    return problem("library-name-taken", task.where, name=task.name)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No two processes write one library."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise refused("library-unwritable", folder, reason=error.strerror) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise refused("library-busy", folder) from None
        yield
    finally:
        os.close(handle)
