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
from dokja.lineage.library.fingerprints import Printed, make_fingerprint, open_kept
from dokja.lineage.library.index import FILE, Index, Shelved, empty, read_index, write_index
from dokja.lineage.library.packing import make_pack, source_digest
from dokja.lineage.library.packs import FEWEST_UNITS, UNITS, PackSource, pack_file, packs_folder
from dokja.lineage.library.refusals import problem, refused
from dokja.lineage.library.sketching import Sketch, sketches
from dokja.lineage.library.spreading import spread
from dokja.lineage.model import LOOKED_AT
from dokja.lineage.sides import Reader

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

    packs: whether its units are to be kept. known: files of that kind and name that are there, by what they were made
    from. threads: the cores that it has for itself.
    """

    folder: Path
    name: str
    where: str
    key: int
    units: int
    packs: bool
    known: Mapping[str, str]
    taken: Shelved | None
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
    packs: bool = True,
    workers: int | str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Index:
    """Make a library of these checkpoints, by name; go on with one that was begun with the same key and units.

    packs: keep units, so that they can be audited against; else fingerprints alone, which screen. workers: a number
    of processes (all cores where left out), or a Ray cluster: `ray`, `ray://host:port`. Raises
    LibraryError, CheckpointError; then the index is what it was before.
    """
    if not FEWEST_UNITS <= units <= LOOKED_AT:
        raise refused("library-units", most=LOOKED_AT, units=units)
    with _alone(folder):
        index = read_index(folder) if (folder / FILE).exists() else empty(key, units)
        if (index.key, index.units) != (key, units):
            raise refused("library-other-key", folder)
        return _grow(folder, index, checkpoints, packs, workers, progress)


def add(
    folder: Path,
    checkpoints: Mapping[str, str | Path],
    *,
    packs: bool = True,
    workers: int | str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Index:
    """Add checkpoints to a library that is there; its other packs are not touched.

    packs: as for `build`; a pack takes the place of the fingerprint of the same weights.
    """
    read_index(folder)
    with _alone(folder):
        return _grow(folder, read_index(folder), checkpoints, packs, workers, progress)


def _grow(
    folder: Path,
    index: Index,
    checkpoints: Mapping[str, str | Path],
    packs: bool,
    workers: int | str | None,
    progress: Callable[[Progress], None] | None,
) -> Index:
    _check_names(folder, checkpoints)
    _sweep(folder)
    workers = cores() if workers is None else workers
    at_once = min(workers, len(checkpoints)) if isinstance(workers, int) else cores()
    tasks = _tasks(folder, index, checkpoints, packs, max(1, cores() // at_once))
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
    if grown.shelved != index.shelved:
        write_index(folder, grown)
        for replaced in {each.pack for each in index.shelved} - {each.pack for each in grown.shelved}:
            pack_file(folder, replaced).unlink(missing_ok=True)
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
    known = {str(each): each for done in finished for each in done.problems}
    problems = [known[each] for each in sorted(known)]
    if problems:
        ours = all(each.code.startswith("library-") for each in problems)
        raise (LibraryError if ours else CheckpointError)(*problems)


def _tasks(
    folder: Path, index: Index, checkpoints: Mapping[str, str | Path], packs: bool, threads: int
) -> Sequence[_Task]:
    taken = {each.name: each for each in index.shelved}
    begun = _begun(folder, index, packs)
    return [
        _Task(
            folder=folder,
            name=name,
            where=str(where),
            key=index.key,
            units=index.units,
            packs=packs,
            known=begun.get(name, {}),
            taken=taken.get(name),
            threads=threads,
        )
        for name, where in sorted(checkpoints.items())
    ]


def _begun(folder: Path, index: Index, packs: bool) -> Mapping[str, Mapping[str, str]]:
    """Packs, or fingerprints, that no index has yet: by name, and by what they were made from, their digests.

    Damaged ones are gone.
    """
    shelved = {each.pack for each in index.shelved}
    found: dict[str, dict[str, str]] = {}
    for path in sorted(packs_folder(folder).glob("*.safetensors")):
        if path.stem in shelved:
            continue
        try:
            with open_kept(path, digest=path.stem) as kept:
                fits = (kept.key, kept.units) == (index.key, index.units)
                if fits and isinstance(kept, PackSource) == packs:
                    found.setdefault(kept.about.name, {})[kept.about.source] = path.stem
        except DokjaError:
            path.unlink(missing_ok=True)
    return found


def _take_in(task: _Task) -> _Done:
    """Make what is kept of a checkpoint, unless it is there. Problems are handed back: errors do not travel well."""
    try:
        with open_checkpoint(task.where) as checkpoint, at_work(checkpoint.parameters, task.threads) as crew:
            size = checkpoint.parameters
            known = _source(checkpoint, task) if task.known or task.taken is not None else None
            if task.taken is not None and task.taken.source != known:
                return _Done(task.name, problems=(_taken(task),))
            if task.taken is not None and task.taken.packed >= task.packs:
                return _Done(task.name)
            digest = None if known is None else task.known.get(known)
            made, what = digest is None, (task.folder, task.name, checkpoint, task.key, task.units, crew)
            if digest is None and not task.packs:
                return _done(task, make_fingerprint(*what), made=True)
            if digest is None:
                digest = make_pack(*what)
        with open_kept(pack_file(task.folder, digest), name=task.name) as kept, at_work(size, task.threads) as crew:
            found = sketches(Reader(kept), crew) if isinstance(kept, PackSource) else kept.sketches()
            return _done(task, Printed(digest, kept.about.source, found), made=made)
    except DokjaError as error:
        return _Done(task.name, problems=error.problems)


def _done(task: _Task, found: Printed, *, made: bool) -> _Done:
    size = pack_file(task.folder, found.digest).stat().st_size
    return _Done(task.name, Shelved(task.name, found.digest, found.source, size, task.packs), found.sketches, made)


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
