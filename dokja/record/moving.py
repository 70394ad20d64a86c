"""A record moved to another database: act for act, root for root, and the old one takes nothing in any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from sqlalchemy import Connection, select

from dokja.errors import Problem, RecordError
from dokja.record.canonical import Rows
from dokja.record.refusals import told
from dokja.record.storage import Record
from dokja.record.tables import ACTS, CLOSED, FILES, HEADS
from dokja.record.writing import Writing

_TOGETHER = 10_000


@contextmanager
def moved(source: Record, target: Record) -> Iterator[None]:
    """Copy a record whole into an empty one; where the context ends well, the first one is closed for good.

    No writer comes between: one that waits for the source meanwhile is refused afterwards.
    """
    _hold_empty(target.size, target)
    with told(source.place), source.writers.one() as held:
        with told(target.place), target.writers.one() as cursor:
            _copy(source, Writing.on(cursor, target.engine.dialect), target)
        yield
        held.execute(CLOSED[source.engine.name])


def _copy(source: Record, writing: Writing, target: Record) -> None:
    _hold_empty(writing.size, target)
    with source.engine.connect() as held:
        _copy_acts(held, writing)
        for digest, name, at in held.execute(select(FILES)):
            writing.at = at
            writing.note_file(digest, name)


def _copy_acts(held: Connection, writing: Writing) -> None:
    heads = held.execute(select(HEADS).order_by(HEADS.c.size)).all()
    acts = iter(held.execution_options(yield_per=_TOGETHER).execute(select(ACTS).order_by(ACTS.c["index"])))
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


def _hold_empty(size: int, target: Record) -> None:
    if size:
        raise RecordError(
            Problem(
                "record-not-empty",
                "There is a record already where this one is to be moved; it holds {size} acts.",
                "Name an empty database, or another schema of this one.",
                target.place,
                {"size": f"{size:,}"},
            )
        )
