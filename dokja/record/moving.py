"""A record moved to another database: act for act, root for root, and the old one takes nothing in any more.

A move that ended at any of its steps is gone on with by doing it again. First the new record is brought up to the old
one, of which it may hold a beginning; then the old one is closed for good. A closed one is gone on from only where
the new one holds all of it already, so that what was closed long ago never becomes a second record.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from sqlalchemy import URL, Connection, select

from dokja.errors import Problem, RecordError
from dokja.record.canonical import Rows
from dokja.record.refusals import MOVED, told
from dokja.record.storage import Record, record_if_any
from dokja.record.tables import ACTS, CLOSED, CLOSING, FILES, HEADS, STANDING_GUARDS
from dokja.record.writing import Writing

_TOGETHER = 10_000


def move(source: Record, target: Record) -> None:
    """Bring a record up to another one, or into an empty one, and close that other one.

    No writer comes between: one that waits for the source meanwhile is refused afterwards.
    """
    with told(source.place), source.writers.one() as held:
        closed = is_closed(source)
        with told(target.place), target.writers.one() as cursor:
            _copy(source, Writing.on(cursor, target.engine.dialect), target, closed=closed)
        if not closed:
            held.execute(CLOSED[source.engine.name])


def hold_open(source: Record, target: Path | URL) -> None:
    """Raise `RecordError` where a record that was closed would begin anew in a place that holds none."""
    if is_closed(source):
        record = record_if_any(target)
        if record is None:
            raise RecordError(Problem(*MOVED, source.place))
        record.close()


def is_closed(record: Record) -> bool:
    """Whether a record was moved elsewhere, and takes nothing in any more."""
    with told(record.place), record.engine.connect() as connection:
        return CLOSING in connection.exec_driver_sql(STANDING_GUARDS[record.engine.name]).scalars()


def _copy(source: Record, writing: Writing, target: Record, *, closed: bool) -> None:
    heads, there = source.heads(), target.heads()
    if is_closed(target) or there != heads[: len(there)]:
        raise RecordError(
            Problem(
                "record-not-empty",
                "There is a record already where this one is to be moved; it holds {size} acts.",
                "Name an empty database, or another schema of this one.",
                target.place,
                {"size": f"{writing.size:,}"},
            )
        )
    if closed and len(there) < len(heads):
        raise RecordError(Problem(*MOVED, source.place))
    with source.engine.connect() as held:
        _copy_acts(held, writing)
        for digest, name, at in held.execute(select(FILES)).all():
            if not target.holds_file(digest):
                writing.at = at
                writing.note_file(digest, name)


def _copy_acts(held: Connection, writing: Writing) -> None:
    heads = held.execute(select(HEADS).where(HEADS.c.size > writing.size).order_by(HEADS.c.size)).all()
    rest = select(ACTS).where(ACTS.c["index"] >= writing.size).order_by(ACTS.c["index"])
    acts = iter(held.execution_options(yield_per=_TOGETHER).execute(rest))
    for size, root, peaks, at in heads:
        while missing := min(size - writing.size, _TOGETHER):
            columns = tuple(zip(*islice(acts, missing), strict=True))
            writing.add(Rows(columns[1:]))
        writing.seal(at)
        if (writing.frontier.root(), writing.frontier.joined()) != (root, peaks):
            raise RecordError(
                Problem(
                    "record-root",
                    "The root that was written for the first {size} acts does not follow from them.",
                    "Restore the record from a copy; the acts or the root were changed.",
                    values={"size": str(size)},
                )
            )
