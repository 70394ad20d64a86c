"""Where acts stand in the tree: their leaf hashes, the path to the root, and the proof file where it is signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import URL, select

from dokja.record.canonical import canonical
from dokja.record.entries import Entry
from dokja.record.merkle import Grown, leaf_hash
from dokja.record.parallel import processors, spread
from dokja.record.refusals import told
from dokja.record.storage import Record, record_at
from dokja.record.tables import ACTS
from dokja.record.transparency.proof_file import ProofFile
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.signing import last_checkpoint

WINDOW = 1 << 16
"""Acts over which one process builds the tree; a power of two, so that their trees join."""


@dataclass(frozen=True)
class Place:
    """Where an act stands among the first `size` acts of a record.

    body: its canonical bytes. path: the hashes that lead from the leaf to the root (RFC 6962, section 2.1.1).
    proof: the act's `.tlog-proof`, `None` where no signed checkpoint holds it yet.
    """

    index: int
    size: int
    body: bytes
    leaf: bytes
    path: tuple[bytes, ...]
    root: bytes
    proof: bytes | None = None


def places(
    record: Record, size: int, log: Path, entries: Iterable[Entry], grown: Grown | None = None
) -> Mapping[int, Place]:
    """Where each of the entries stands among the first `size` acts, by its index.

    grown: what the tree is known to hold, up to the last of these acts.
    """
    last = last_checkpoint(log)
    start = grown.start if grown else size
    windows = [range(first, min(first + WINDOW, start)) for first in range(0, start, WINDOW)]
    with spread(partial(_tree, record.url), processors() if len(windows) > 1 else 1) as trees:
        tree = Tree.joined(trees(windows)).grown(grown.levels if grown else ())
    root, signed = tree.root(), last[1].size if last else 0
    found: dict[int, Place] = {}
    for entry in entries:
        index, body, proof = entry.index, canonical(entry.act), None
        if last is not None and index < signed <= size:
            proof = bytes(ProofFile(index, tree.inclusion(index, signed), last[0]))
        found[index] = Place(index, size, body, leaf_hash(body), tree.inclusion(index, size), root, proof)
    return found


def _tree(url: URL, window: range) -> Tree:
    """The tree over a window of the acts."""
    inside = (ACTS.c["index"] >= window.start, ACTS.c["index"] < window.stop)
    with record_at(url) as record, told(record.place), record.engine.connect() as connection:
        leaves = connection.execute(select(ACTS.c.leaf).where(*inside).order_by(ACTS.c["index"])).scalars()
        return Tree.of(b"".join(leaves))
