"""Where acts stand in the tree: their leaf hashes, the path to the root, and the proof file where it is signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from dokja.record.canonical import canonical
from dokja.record.entries import Entry
from dokja.record.merkle import leaf_hash
from dokja.record.refusals import told
from dokja.record.storage import Record
from dokja.record.tables import ACTS
from dokja.record.transparency.proof_file import ProofFile
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.signing import last_checkpoint


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


def places(record: Record, log: Path, entries: Iterable[Entry]) -> Mapping[int, Place]:
    """Where each of the entries stands, by its index."""
    size, last = record.size, last_checkpoint(log)
    query = select(ACTS.c.leaf).where(ACTS.c["index"] < size).order_by(ACTS.c["index"])
    with told(record.place), record.engine.connect() as connection:
        tree = Tree.of(b"".join(connection.execute(query).scalars()))
    root, signed = tree.root(), last[1].size if last else 0
    found: dict[int, Place] = {}
    for entry in entries:
        index, body, proof = entry.index, canonical(entry.act), None
        if last is not None and index < signed <= size:
            proof = bytes(ProofFile(index, tree.inclusion(index, signed), last[0]))
        found[index] = Place(index, size, body, leaf_hash(body), tree.inclusion(index, size), root, proof)
    return found
