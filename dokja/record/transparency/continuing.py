"""Whether a record goes on from what was signed of it; one that was put back, or went another way, is left alone.

What was signed is kept in two places that a copy of the record does not bring back to an earlier state together: in
the published log, and beside the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from dokja.errors import Place, Problem, RecordError
from dokja.record.merkle import Frontier
from dokja.record.refusals import told
from dokja.record.storage import Record
from dokja.record.tables import ACTS, HEADS
from dokja.record.transparency.checkpoint import read_checkpoint
from dokja.record.transparency.note import LARGEST_NOTE, read_note
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.refusals import RefusedError


def hold_to_signed(record: Record, *checkpoints: Path) -> None:
    """Raise `RecordError` where a record does not go on from a checkpoint that is kept in one of these files."""
    problems = tuple(departures(record, *checkpoints))
    if problems:
        raise RecordError(*problems)


def departures(record: Record, *checkpoints: Path) -> Iterator[Problem]:
    """How a record departs from checkpoints that were signed; files that are not there say nothing."""
    for file in checkpoints:
        data = read_file(file, LARGEST_NOTE + 1)
        if not data:
            continue
        try:
            signed = read_checkpoint(read_note(data).text)
        except RefusedError as error:
            yield Problem(
                error.code,
                error.meaning,
                "Restore the file from a copy; it holds the last checkpoint that was signed ({detail}).",
                Place(file),
                {"detail": error.detail or "–"},
            )
            continue
        values = {"size": f"{record.size:,}", "signed": f"{signed.size:,}", "origin": signed.origin}
        if record.size < signed.size:
            yield Problem(
                "record-behind",
                "The record holds {size} acts, and {origin} has signed {signed} already: it was put back to an "
                "earlier state.",
                "Restore a copy that holds all that was signed; nothing was written. A key signs one record only.",
                Place(file),
                values,
            )
        elif _root(record, signed.size) != signed.root:
            yield Problem(
                "record-forked",
                "The first {signed} acts of the record are not those that {origin} has signed.",
                "Find out who changed what; nothing was written. A key signs one record only.",
                Place(file),
                values,
            )


def _root(record: Record, size: int) -> bytes:
    """The root over the first acts of a record: that of its head, or else computed from their hashes."""
    with told(record.place), record.engine.connect() as connection:
        head = connection.execute(select(HEADS.c.root).where(HEADS.c.size == size)).scalar_one_or_none()
        if head is not None:
            return bytes(head)
        leaves = connection.execute(select(ACTS.c.leaf).where(ACTS.c["index"] < size).order_by(ACTS.c["index"]))
        frontier = Frontier(0, [])
        frontier.extend(leaves.scalars())
    return frontier.root()
