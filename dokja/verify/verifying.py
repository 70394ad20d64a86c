"""The verification of a bundle: its integrity first, then every act of it replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from dokja.errors import DokjaError, Problem, RulebookError
from dokja.language import mark
from dokja.record.about import About
from dokja.record.parallel import processors
from dokja.record.transparency import Kept, Published, RefusedError, check_bundle, read_policy
from dokja.record.transparency.bag import check_bag
from dokja.record.transparency.checkpoint import read_checkpoint
from dokja.record.transparency.note import LARGEST_NOTE, read_note
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.published import NOTHING_KEPT, Entered, check_entries, check_openings
from dokja.record.transparency.sealing.openings import Openings
from dokja.record.transparency.tiled_log import check_tree, entries_of
from dokja.rulebook import read_rulebook
from dokja.strict_yaml import read_yaml, typed
from dokja.verify.bundle import LOG, PROGRAMME, RULEBOOK, read_info
from dokja.verify.replay import Contents, Shown, replay
from dokja.verify.timestamped import timestamp_faults
from dokja.verify.verdict import Fault, Unchecked, Verdict
from dokja.verify.witnessed import UNKNOWN, Standing, not_due, standing

ABOUT = TypeAdapter(About)
T = TypeVar("T")
_UNREPLAYABLE = ("TREE_", "ENTRY_", "BAG_PATH")
"""Codes after which the entries are not known to be acts of this record, or a path may lead out of the bundle."""

_ALONE = 20_000
"""Entries that one process reads before others would have started."""

NOT_IN_THIS_VERSION = (
    Unchecked(
        mark("Omission: an act that nobody has a receipt for, and that no number or date misses, leaves no trace.")
    ),
)


def verify(
    folder: Path,
    policy: bytes | None = None,
    genesis: str | None = None,
    kept: Kept = NOTHING_KEPT,
    tsa_roots: bytes | None = None,
) -> Verdict:
    """Verify a bundle against a policy and the digest of its first entry, both from outside it.

    Without a policy nothing says whose record this is: the verdict is incomplete at best. kept: receipts and
    checkpoints of the log that somebody kept. tsa_roots: certificates in PEM of the time-stamping authorities that a
    reader trusts.
    """
    published = check_bundle(folder, policy, genesis, kept) if policy is not None else _unsigned(folder, genesis)
    faults = [_refused(error) for error in published.refusals]
    unchecked: list[Unchecked] = []
    if policy is None:
        said = mark("Signatures and witnesses of the checkpoints: no policy was named.")
        unchecked.append(Unchecked(said, needed=True))
        if kept.receipts or kept.checkpoints:
            said = mark("Receipts and checkpoints that were kept: no policy was named.")
            unchecked.append(Unchecked(said, needed=True))
    unchecked.extend(not_due(published))
    if genesis is None:
        unchecked.append(
            Unchecked(mark("The first entry: no digest of it was named; the bundle's own was believed."))
        )
    checkpoint = published.checkpoint
    known = UNKNOWN
    if policy is not None and published.witnessed:
        known = standing(read_policy(policy), published.witnessed)
    if checkpoint is None or any(error.code.startswith(_UNREPLAYABLE) for error in published.refusals):
        unchecked.append(Unchecked(mark("The acts: the record is not whole, so nothing was replayed."), needed=True))
    else:
        _replay(folder, published, known, faults, unchecked)
    if checkpoint is not None:
        for each in timestamp_faults(folder, checkpoint, tsa_roots):
            if isinstance(each, Fault):
                faults.append(each)
            else:
                unchecked.append(each)
    size, root = (checkpoint.size, checkpoint.root.hex()) if checkpoint else (None, None)
    left = (*unchecked, *NOT_IN_THIS_VERSION)
    return Verdict(tuple(faults), left, size, root, known.names, known.enough, known.seen)


def _replay(
    folder: Path, published: Published, known: Standing, faults: list[Fault], unchecked: list[Unchecked]
) -> None:
    missing = [name for name in (PROGRAMME, RULEBOOK) if not (folder / name).exists()]
    if missing:
        said = mark("The acts: {path} is not in the bundle, so nothing was replayed.")
        unchecked.extend(Unchecked(said, {"path": path}, needed=True) for path in missing)
        return
    try:
        contents = _contents(folder)
    except DokjaError as error:
        faults.extend(_unreadable(problem) for problem in error.problems)
        return
    assert published.checkpoint is not None  # noqa: S101 - the caller looked
    shown = Shown(published.openings, *read_info(folder))
    size = published.checkpoint.size
    found = replay(contents, entries_of(folder / LOG, size), known, shown, processors() if size > _ALONE else 1)
    told = {(fault.code, fault.act) for fault in faults}
    faults.extend(fault for fault in found.faults if (fault.code, fault.act) not in told)
    unchecked.extend(found.unchecked)


def _contents(folder: Path) -> Contents:
    about = typed(read_yaml(folder / PROGRAMME, RulebookError), ABOUT, RulebookError, "programme-schema")
    files = tuple(sorted((folder / RULEBOOK).glob("*.yaml")))
    return Contents(about, read_rulebook(files), files)


def _unreadable(problem: Problem) -> Fault:
    return Fault("CONTENT_UNREADABLE", problem.what, problem.values)


def _refused(error: RefusedError) -> Fault:
    return Fault(error.code, mark("{detail}"), {"detail": error.detail}, error.index)


def _unsigned(folder: Path, genesis: str | None) -> Published:
    """The integrity of a bundle as far as it goes without knowing whose signature to ask for."""
    refusals: list[RefusedError] = []
    try:
        checkpoint = read_checkpoint(read_note(read_file(folder / LOG / "checkpoint", LARGEST_NOTE + 1)).text)
    except RefusedError as error:
        return Published(None, (error,))
    entered: Entered | None = None
    openings: Openings | None = None
    try:
        _noted(refusals, lambda: check_bag(folder))
        _noted(refusals, lambda: check_tree(folder / LOG, checkpoint))
        entered = _noted(refusals, lambda: check_entries(folder / LOG, checkpoint.size, genesis))
        if entered is not None:
            openings = _noted(refusals, lambda: check_openings(folder, entered.grid))
    except RefusedError as error:
        refusals.append(error)
    return Published(checkpoint, tuple(refusals), openings=openings)


def _noted(refusals: list[RefusedError], check: Callable[[], T]) -> T | None:
    """What a check gives, `None` where it refuses; a refusal after which nothing can be looked at goes on its way."""
    try:
        return check()
    except RefusedError as error:
        if error.code.startswith(_UNREPLAYABLE):
            raise
        refusals.append(error)
        return None
