"""The integrity of what is published: the bag, the checkpoint, the tiles, every entry, earlier checkpoints, proofs.

Nothing here knows what an act means. The order of the checks, and which code each raises, is that of
`docs/record-format.md`; each stage tells the first thing that is wrong.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TypeVar

from dokja.record.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash
from dokja.record.parallel import processors, spread
from dokja.record.transparency.checkpoint import Checkpoint, number_of
from dokja.record.transparency.draw_entries import DrawEntries
from dokja.record.transparency.kept import check_kept_checkpoint, check_kept_receipt, seconds_of
from dokja.record.transparency.note import LARGEST_NOTE
from dokja.record.transparency.plain_entries import read_entry
from dokja.record.transparency.policy import Policy, Witnessed, read_policy
from dokja.record.transparency.proof_file import LARGEST_PROOF, check_proof, read_proof
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.receipt import Receipt
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.registry import Check, Registry, misfit
from dokja.record.transparency.sealing.grid import Grid
from dokja.record.transparency.sealing.openings import LARGEST, Openings
from dokja.record.transparency.tiles import (
    ENTRIES,
    LARGEST_BUNDLE,
    WIDTH,
    entries_in,
    has_tile,
    levels_of,
    tile_at,
    tile_bytes,
    tiles_of_level,
)

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
LARGEST_MANIFEST = 500_000_000
LOG, PROOFS, OPENINGS = "data/log", "data/proofs", "data/openings"
_BATCH = 2_000
"""Signatures that are verified in one go."""
_ALONE = 10_000
"""Entries whose signatures one process verifies before others would have started."""
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)", re.ASCII)
T = TypeVar("T")
_PROOF_NAME = re.compile(r"(.+)\.tlog-proof")


@dataclass(frozen=True)
class Published:
    """What the integrity check found: the checkpoint if it could be read, and what is refused, by stage.

    witnessed: the newest checkpoint and the earlier ones as the policy's witnesses cosigned them, in order of size;
    none where there was no policy.
    openings: what was opened of the sealed marks, `None` where that could not be looked at.
    clock: the time of the newest checkpoint, which its witnesses vouch for; or else the latest of any act.
    receipts: those that were kept and could be read, by the names of their files.
    """

    checkpoint: Checkpoint | None
    refusals: tuple[RefusedError, ...]
    witnessed: tuple[Witnessed, ...] = ()
    openings: Openings | None = None
    clock: int | None = None
    receipts: Mapping[str, Receipt] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """What others kept of a log, by the names of the files: receipts that it gave, checkpoints that it signed."""

    receipts: Mapping[str, bytes] = field(default_factory=dict)
    checkpoints: Mapping[str, bytes] = field(default_factory=dict)


NOTHING_KEPT = Kept()


def check_bundle(folder: Path, policy: bytes, genesis: str | None = None, kept: Kept = NOTHING_KEPT) -> Published:
    """Check the integrity of a bundle against a policy and the founding act's digest, both from outside it.

    genesis: `sha256:` and the digest of the record's first entry; not checked where it is not named. kept: what
    others kept of this log.
    """
    try:
        trusted = read_policy(policy)
    except RefusedError as error:
        return Published(None, (error,))
    refusals: list[RefusedError] = []
    openings: Openings | None = None
    _try(refusals, lambda: check_bag(folder))
    try:
        data = read_file(folder / LOG / "checkpoint", LARGEST_NOTE + 1)
        newest = trusted.signed(data)
    except RefusedError as error:
        return Published(None, (*refusals, error))
    if not trusted.met(newest.witnesses):
        refusals.append(RefusedError("QUORUM_NOT_MET", f"{len(newest.times)} of {len(trusted.witnesses)} witnesses"))
    checkpoint, earlier = newest.checkpoint, None
    tree = _try(refusals, lambda: check_tree(folder / LOG, checkpoint))
    clock, receipts = trusted.clock(newest.times), {}
    if tree is not None:
        entered = _try(refusals, lambda: check_entries(folder / LOG, checkpoint.size, genesis))
        if clock is None and entered is not None:
            clock = entered.latest
        earlier = _try(refusals, lambda: check_earlier(folder / LOG, trusted, checkpoint, tree))
        _try(refusals, lambda: check_proofs(folder, trusted, checkpoint, tree))
        if entered is not None:
            openings = _try(refusals, lambda: check_openings(folder, entered.grid))
        for name, data in kept.receipts.items():
            check = partial(check_kept_receipt, data, trusted, checkpoint, tree, clock)
            if (receipt := _try(refusals, partial(_of_file, name, check))) is not None:
                receipts[name] = receipt
        for name, data in kept.checkpoints.items():
            _try(refusals, partial(_of_file, name, partial(check_kept_checkpoint, data, trusted, checkpoint, tree)))
    return Published(checkpoint, tuple(refusals), (*(earlier or ()), newest), openings, clock, receipts)


def _of_file(name: str, check: Callable[[], T]) -> T:
    """A check of something kept, whose refusal names the file."""
    try:
        return check()
    except RefusedError as error:
        raise RefusedError(error.code, f"{name}: {error.detail}".removesuffix(": ")) from None


def _try(refusals: list[RefusedError], check: Callable[[], T]) -> T | None:
    try:
        return check()
    except RefusedError as error:
        refusals.append(error)
        return None


def read_file(file: Path, most: int) -> bytes:
    """The first bytes of a plain file; none where there is no such file. Links are not followed."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with open(handle, "rb") as stream:  # noqa: PTH123 (a handle, not a path)
        status = os.fstat(handle)
        # Python sets aside all that is asked for, so no more is asked for than there is.
        return stream.read(min(most, status.st_size + 1)) if stat.S_ISREG(status.st_mode) else b""


def files_under(folder: Path) -> Iterator[str]:
    """The paths of all files under a folder, in order; raises `RefusedError` for what is no plain file or folder."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for each in sorted(folder.iterdir()):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise RefusedError("BAG_PATH", each.name)
        if each.is_dir():
            yield from (f"{each.name}/{below}" for below in files_under(each))
        else:
            yield each.name


def check_bag(folder: Path) -> None:
    """Hold the folder against its manifests (BagIt 1.0, RFC 8493, with SHA-256 alone and plain paths)."""
    if read_file(folder / "bagit.txt", len(DECLARATION) + 1) != DECLARATION:
        raise RefusedError("BAG_DECLARATION")
    if (folder / "fetch.txt").exists() or (folder / "fetch.txt").is_symlink():
        raise RefusedError("BAG_FETCH")
    payload, tags = _manifest(folder, MANIFEST), _manifest(folder, TAG_MANIFEST)
    found = set(files_under(folder)) - {TAG_MANIFEST}
    named = {**payload, **tags}
    _first("BAG_PATH", (path for path in payload if not path.startswith("data/")))
    _first("BAG_PATH", (path for path in tags if path.startswith("data/") or path == TAG_MANIFEST))
    _first("BAG_PATH", (path for path in found if not _PATH.fullmatch(path)))
    _first("BAG_MISSING", named.keys() - found)
    _first("BAG_EXTRA", found - named.keys())
    for path, digest in sorted(named.items()):
        with (folder / path).open("rb") as stream:
            if file_digest(stream, "sha256").hexdigest() != digest:
                raise RefusedError("BAG_DIGEST", path)


def _first(code: str, paths: Iterable[str]) -> None:
    for path in sorted(paths):
        raise RefusedError(code, path)


def _manifest(folder: Path, name: str) -> Mapping[str, str]:
    try:
        text = read_file(folder / name, LARGEST_MANIFEST).decode("ascii")
    except UnicodeDecodeError:
        raise RefusedError("BAG_MANIFEST", name) from None
    if not text.endswith("\n"):
        raise RefusedError("BAG_MANIFEST", name)
    digests: dict[str, str] = {}
    for line in text[:-1].split("\n"):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in digests:
            raise RefusedError("BAG_MANIFEST", f"{name}: {line[:120]!r}")
        if not _PATH.fullmatch(found[2]):
            raise RefusedError("BAG_PATH", found[2][:200])
        digests[found[2]] = found[1]
    return digests


def check_tree(log: Path, checkpoint: Checkpoint) -> Tree:
    """Hold all tiles and entries against the checkpoint; the tree over them."""
    size = checkpoint.size
    _first("TREE_PATH", (path for path in files_under(log) if not _belongs(path, size)))
    leaves = b"".join(_leaves(log, size))
    tree = Tree.of(leaves)
    for level in levels_of(size)[1:]:
        for tile in tiles_of_level(level, size):
            if _tile(log, tile.path, tile.width) != tile_bytes(tree, tile):
                raise RefusedError("TREE_NODE", tile.path)
    if (tree.root() if size else EMPTY_ROOT) != checkpoint.root:
        raise RefusedError("TREE_ROOT")
    return tree


def _belongs(path: str, size: int) -> bool:
    tile = tile_at(path)
    return path == "checkpoint" or path.startswith("checkpoints/") or (tile is not None and has_tile(tile, size))


def _leaves(log: Path, size: int) -> Iterator[bytes]:
    """The tiles of leaf hashes, each held against the entries beside it."""
    for tile, bundle in zip(tiles_of_level(0, size), tiles_of_level(ENTRIES, size), strict=True):
        hashes = _tile(log, tile.path, tile.width)
        for place, entry in enumerate(entries_in(_present(log, bundle.path, LARGEST_BUNDLE), bundle)):
            if leaf_hash(entry) != hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]:
                raise RefusedError("TREE_LEAF", bundle.path, tile.index * WIDTH + place)
        yield hashes


def _present(log: Path, path: str, most: int) -> bytes:
    if not (log / path).is_file():
        raise RefusedError("TREE_TILE_MISSING", path)
    return read_file(log / path, most + 1)


def _tile(log: Path, path: str, width: int) -> bytes:
    hashes = _present(log, path, WIDTH * HASH_BYTES)
    if len(hashes) != width * HASH_BYTES:
        raise RefusedError("TREE_TILE_SIZE", path)
    return hashes


def entries_of(log: Path, size: int) -> Iterator[bytes]:
    """The entries of a published log, in order."""
    for tile in tiles_of_level(ENTRIES, size):
        yield from entries_in(_present(log, tile.path, LARGEST_BUNDLE), tile)


@dataclass(frozen=True)
class Entered:
    """What the entries amount to: the grid of what they seal, the latest time of any."""

    grid: Grid
    latest: int | None


def check_entries(log: Path, size: int, genesis: str | None) -> Entered:
    """Every entry is canonical, signed as the record's own keys ask for, and every draw follows from its beacon.

    The signatures of acts are verified by the thousand, on every core where there are many; what is told is the first
    thing that is wrong all the same.
    """
    walk = _Walk(genesis)
    with spread(misfit, processors() if size > _ALONE else 1) as misfits:
        for found in misfits(walk.signatures(entries_of(log, size))):
            if found is not None:
                raise RefusedError("ACT_SIGNATURE", found.reference, found.index)
    if walk.refused is not None:
        raise walk.refused
    return Entered(walk.grid, walk.latest)


class _Walk:
    """Entries followed one by one; what refuses one is kept until the signatures before it are verified."""

    def __init__(self, genesis: str | None) -> None:
        self.genesis = genesis
        self.registry, self.draws, self.grid = Registry(later=[]), DrawEntries(), Grid()
        self.latest: int | None = None
        self.refused: RefusedError | None = None
        self._moment: object = None

    def signatures(self, bodies: Iterable[bytes]) -> Iterator[Sequence[Check]]:
        """The signatures of the entries, in batches."""
        index = -1
        try:
            for index, body in enumerate(bodies):
                self._follow(index, body)
                if len(self.registry.later or ()) >= _BATCH:
                    yield self._taken()
            if index < 0 and self.genesis is not None:
                raise RefusedError("GENESIS", "no entries")
        except RefusedError as error:
            self.refused = error
        if self.registry.later:
            yield self._taken()

    def _taken(self) -> Sequence[Check]:
        checks, self.registry.later = self.registry.later or (), []
        return checks

    def _follow(self, index: int, body: bytes) -> None:
        if not index and self.genesis is not None and f"sha256:{sha256(body).hexdigest()}" != self.genesis:
            raise RefusedError("GENESIS", "another first entry", 0)
        act = read_entry(body, index)
        self.registry.follow(index, act)
        self.draws.follow(index, act)
        self.grid.follow(index, act)
        if act.get("when") != self._moment:  # the thousands of ballots of one moment are not read one by one
            self._moment = act.get("when")
            times = (self.latest, seconds_of(self._moment))
            self.latest = max((each for each in times if each is not None), default=None)


def check_earlier(log: Path, policy: Policy, checkpoint: Checkpoint, tree: Tree) -> tuple[Witnessed, ...]:
    """Earlier checkpoints are of the same history; those that there are, in order of size."""
    folder, found = log / "checkpoints", []
    for name in sorted(files_under(folder), key=lambda name: (len(name), name)):
        size = number_of(name)
        if size is None:
            raise RefusedError("TREE_PATH", f"checkpoints/{name}"[:200])
        witnessed = policy.signed(read_file(folder / name, LARGEST_NOTE + 1))
        earlier = witnessed.checkpoint
        if earlier.origin != checkpoint.origin:
            raise RefusedError("NOTE_ORIGIN", f"checkpoints/{name}")
        if earlier.size != size:
            raise RefusedError("TREE_PATH", f"checkpoints/{name}")
        _hold_same_history(earlier, tree)
        found.append(witnessed)
    return tuple(found)


def check_proofs(folder: Path, policy: Policy, checkpoint: Checkpoint, tree: Tree) -> None:
    """Proofs lead to the same history."""
    proofs = folder / PROOFS
    for name in sorted(files_under(proofs), key=lambda name: (len(name), name)):
        found = _PROOF_NAME.fullmatch(name)
        index = number_of(found[1]) if found else None
        if index is None:
            raise RefusedError("TREE_PATH", f"proofs/{name}"[:200])
        data = read_file(proofs / name, LARGEST_PROOF + 1)
        if read_proof(data).index != index or index >= tree.size:
            raise RefusedError("TREE_PROOF_INDEX", name, index)
        proven = check_proof(data, _entry(folder / LOG, tree.size, index), policy)
        if proven.origin != checkpoint.origin:
            raise RefusedError("NOTE_ORIGIN", name)
        _hold_same_history(proven, tree)


def check_openings(folder: Path, grid: Grid) -> Openings:
    """Every opening is that of one sealed cell; none where the bundle holds no file of them."""
    openings, file = Openings(), folder / OPENINGS
    if file.exists() or file.is_symlink():
        openings.take_all(read_file(file, LARGEST + 1), grid)
    return openings


def _hold_same_history(checkpoint: Checkpoint, tree: Tree) -> None:
    if checkpoint.size > tree.size or tree.root(checkpoint.size) != checkpoint.root:
        raise RefusedError("FORK", f"size {checkpoint.size}")


def _entry(log: Path, size: int, index: int) -> bytes:
    tile = next(tile for tile in tiles_of_level(ENTRIES, size) if tile.index == index // WIDTH)
    return entries_in(_present(log, tile.path, LARGEST_BUNDLE), tile)[index % WIDTH]
