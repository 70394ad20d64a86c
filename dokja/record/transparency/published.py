"""The integrity of what is published: the bag, the checkpoint, the tiles, every entry, earlier checkpoints, proofs.

Nothing here knows what an act means. The order of the checks, and which code each raises, is that of
`docs/record-format.md`; each stage tells the first thing that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from dokja.record.parallel import processors, spread
from dokja.record.transparency.bag import check_bag
from dokja.record.transparency.checkpoint import Checkpoint, number_of
from dokja.record.transparency.draw_entries import DrawEntries
from dokja.record.transparency.kept import check_kept_checkpoint, check_kept_receipt, seconds_of
from dokja.record.transparency.note import LARGEST_NOTE
from dokja.record.transparency.plain_entries import read_entry
from dokja.record.transparency.plain_files import files_under, read_file
from dokja.record.transparency.policy import Policy, Witnessed, read_policy
from dokja.record.transparency.proof_file import LARGEST_PROOF, check_proof, read_proof
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.receipt import Receipt
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.registry import Check, Registry, misfit
from dokja.record.transparency.sealing.grid import Grid
from dokja.record.transparency.sealing.openings import LARGEST, Openings
from dokja.record.transparency.tiled_log import check_tree, entries_of, entry_of

LOG, PROOFS, OPENINGS = "data/log", "data/proofs", "data/openings"
_BATCH = 2_000
"""Signatures that are verified in one go."""
_ALONE = 10_000
"""Entries whose signatures one process verifies before others would have started."""
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
                raise RefusedError("ACT_SIGNATURE", found.reference, found.entry)
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
        proven = check_proof(data, entry_of(folder / LOG, tree.size, index), policy)
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
