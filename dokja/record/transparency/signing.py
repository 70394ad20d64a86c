"""Signing: acts by their actors, the founding of a record, checkpoints of a log that never contradicts itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from dokja.errors import Problem, RecordError
from dokja.record.acts import AnyAct, Genesis, RootKey, Signature
from dokja.record.canonical import tree_of
from dokja.record.refusals import told
from dokja.record.storage import Record
from dokja.record.tables import ACTS
from dokja.record.transparency.checkpoint import Checkpoint, read_checkpoint
from dokja.record.transparency.cosignature import sign, verifies
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import LARGEST_NOTE, Note, SignatureLine, base64_of, read_note
from dokja.record.transparency.plain_entries import read_entry
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.registry import Registry, key_reference, signed_bytes
from dokja.record.transparency.tiles import alone, write_tiles, write_whole


def signature_by(act: AnyAct, signer: Signer) -> Signature:
    """A signature over an act."""
    value = signer.private.sign(signed_bytes(tree_of(act)))
    return Signature(key=key_reference(signer.key()), value=base64_of(value))


def signed(act: AnyAct, signer: Signer) -> AnyAct:
    """The act with its actor's signature."""
    return act.model_copy(update={"signature": signature_by(act, signer)})


def numbered(
    acts: Iterable[AnyAct], sequences: Mapping[tuple[str, str | None], int], stages: Collection[str]
) -> Iterator[AnyAct]:
    """The acts with their running numbers, where their actor numbers its acts in their stage or is to begin.

    sequences: the last numbers that the record holds. stages: those in which acts are to be numbered.
    """
    last = dict(sequences)
    for act in acts:
        stage: str | None = getattr(act, "stage", None)
        whose = act.who, stage
        if act.sequence is not None:
            last[whose] = act.sequence
            yield act
        elif whose in last or stage in stages:
            last[whose] = last.get(whose, 0) + 1
            yield act.model_copy(update={"sequence": last[whose]})
        else:
            yield act


def genesis(holders: Sequence[tuple[str, Signer]], threshold: int, who: str, when: datetime) -> Genesis:
    """The founding act of a record, approved by all who hold its keys."""
    roots = tuple(RootKey(holder=holder, vkey=str(signer.key())) for holder, signer in holders)
    act = Genesis(type="genesis", id="genesis", who=who, when=when, roots=roots, threshold=threshold)
    return act.model_copy(update={"approvals": tuple(signature_by(act, signer) for _, signer in holders)})


@dataclass(frozen=True)
class Snapshot:
    """All entries of a record at one moment, and the tree over them."""

    tree: Tree
    entries: tuple[bytes, ...]


def snapshot(record: Record) -> Snapshot:
    """The record as it stands."""
    query = select(ACTS.c.body, ACTS.c.leaf).where(ACTS.c["index"] < record.size).order_by(ACTS.c["index"])
    with told(record.place), record.engine.connect() as connection:
        rows = connection.execute(query).all()
    return Snapshot(Tree.of(b"".join(leaf for _, leaf in rows)), tuple(body for body, _ in rows))


def registry_of(record: Record) -> Registry:
    """Who may sign, as the record stands; raises `RefusedError` where an act may not be signed as it says it is.

    The signatures themselves were verified when the acts came in, and whoever checks the record does so again.
    """
    registry = Registry(later=deque(maxlen=0))
    query = select(ACTS.c["index"], ACTS.c.body).where(ACTS.c["index"] < record.size).order_by(ACTS.c["index"])
    with told(record.place), record.engine.connect() as connection:
        for index, body in connection.execution_options(yield_per=10_000).execute(query):
            registry.follow(index, read_entry(body, index))
    registry.later = None
    return registry


def last_checkpoint(log: Path) -> tuple[bytes, Checkpoint] | None:
    """The checkpoint that was signed last, as it was written, and what it says; `None` where there is none."""
    data = read_file(log / "checkpoint", LARGEST_NOTE + 1)
    return (data, read_checkpoint(read_note(data).text)) if data else None


def signed_checkpoint(log: Path, record: Record) -> tuple[bytes, Checkpoint]:
    """The checkpoint that was signed last, and what it says; raises `RecordError` where there is none."""
    last = last_checkpoint(log)
    if last is None:
        raise RecordError(
            Problem(
                "record-no-checkpoint",
                "The record has not been signed yet.",
                "Sign it with: dokja record checkpoint",
                record.place,
            )
        )
    return last


def sign_checkpoint(log: Path, held: Snapshot, signer: Signer) -> bytes:
    """Write the log's tiles, then sign and write its checkpoint; the checkpoint.

    A log that would contradict what was signed before, here or with the same key, refuses with `FORK` and signs
    nothing. A size that was signed already gets the checkpoint that it has. A checkpoint is kept beside the key and
    under its size before it becomes the last one, so that a process killed in between signs the same text again, and
    Ed25519 gives the same bytes.
    """
    tree = held.tree
    with alone(log):
        last = last_checkpoint(log)
        for data, before in filter(None, (last, _remembered(signer))):
            if before.origin != signer.name or not _own(data, signer):
                raise RefusedError("NOTE_ORIGIN", before.origin)
            if before.size > tree.size or tree.root(before.size) != before.root:
                raise RefusedError("FORK", f"size {before.size}")
        if last is not None and last[1].size == tree.size:
            return last[0]
        checkpoint = Checkpoint(signer.name, tree.size, tree.root())
        for _ in write_tiles(log, tree, held.entries):
            pass
        note = bytes(Note(checkpoint.text, (sign(checkpoint.text, signer.name, signer.private),)))
        kept = log / "checkpoints" / str(tree.size)
        standing = read_file(kept, LARGEST_NOTE + 1)
        if standing and read_note(standing).text != checkpoint.text:
            raise RefusedError("FORK", f"size {tree.size}")
        if signer.memory is not None:
            write_whole(signer.memory, note)
        write_whole(kept, note)
        write_whole(log / "checkpoint", note)
        return note


def _remembered(signer: Signer) -> tuple[bytes, Checkpoint] | None:
    """The checkpoint that was signed last with a key, as it is kept beside the key."""
    data = read_file(signer.memory, LARGEST_NOTE + 1) if signer.memory is not None else b""
    return (data, read_checkpoint(read_note(data).text)) if data else None


def add_cosignatures(log: Path, lines: Iterable[SignatureLine]) -> bytes:
    """Put cosignatures beneath the last checkpoint; of one key the first stays. The checkpoint as it is then.

    The copy under its size is written first: a process killed in between leaves a last checkpoint with fewer lines,
    which loses nothing.
    """
    with alone(log):
        last = last_checkpoint(log)
        if last is None:
            raise RefusedError("NOTE_FORM", "no checkpoint")
        data, checkpoint = last
        kept = log / "checkpoints" / str(checkpoint.size)
        note, before = read_note(data), read_file(kept, LARGEST_NOTE + 1)
        first: dict[tuple[str, bytes], SignatureLine] = {}
        for line in (*note.signatures, *(read_note(before).signatures if before else ()), *lines):
            first.setdefault((line.name, line.id), line)
        whole = bytes(Note(note.text, tuple(first.values())))
        if whole != data or whole != before:
            write_whole(kept, whole)
            write_whole(log / "checkpoint", whole)
        return whole


def _own(data: bytes, signer: Signer) -> bool:
    note, key = read_note(data), signer.key()
    return any((line.name, line.id) == key.line and verifies(key, note.text, line) for line in note.signatures)
