"""What others kept, held against a bundle: receipts that the log gave, checkpoints that it signed."""

from __future__ import annotations

import re
from datetime import datetime

from dokja.record.merkle import HASH_BYTES
from dokja.record.transparency.checkpoint import Checkpoint
from dokja.record.transparency.policy import Policy
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.receipt import Receipt, signed_receipt
from dokja.record.transparency.refusals import RefusedError

_WHEN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def seconds_of(when: object) -> int | None:
    """An act's time in seconds since 1970; `None` where it is no time."""
    if not isinstance(when, str) or not _WHEN.fullmatch(when):
        return None
    try:
        return int(datetime.fromisoformat(when).timestamp())
    except ValueError:
        return None


def check_kept_receipt(data: bytes, policy: Policy, newest: Checkpoint, tree: Tree, clock: int | None) -> Receipt:
    """A receipt's act is in the tree, or its time has not come by the clock."""
    receipt = signed_receipt(data, policy)
    if receipt.origin != newest.origin:
        raise RefusedError("NOTE_ORIGIN", receipt.origin)
    if clock is not None and clock >= receipt.merged_by and not _holds(tree, receipt.leaf):
        raise RefusedError("RECEIPT_NOT_MERGED", f"leaf {receipt.leaf.hex()}, by {receipt.merged_by}, now {clock}")
    return receipt


def _holds(tree: Tree, leaf: bytes) -> bool:
    leaves, at = tree.levels[0], -1
    while (at := leaves.find(leaf, at + 1)) >= 0:
        if at % HASH_BYTES == 0:
            return True
    return False


def check_kept_checkpoint(data: bytes, policy: Policy, newest: Checkpoint, tree: Tree) -> None:
    """A checkpoint is of the bundle's history, and not newer than the bundle."""
    kept = policy.signed(data).checkpoint
    if kept.origin != newest.origin:
        raise RefusedError("NOTE_ORIGIN", kept.origin)
    if kept.size > tree.size:
        raise RefusedError("ROLLED_BACK", f"size {tree.size} after {kept.size}")
    if tree.root(kept.size) != kept.root:
        raise RefusedError("FORK", f"size {kept.size}")
