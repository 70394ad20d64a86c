"""A record moved to another database: act for act, root for root, and the old one takes nothing in any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from sqlalchemy import Connection, insert, select

from dokja.errors import Problem, RecordError
from dokja.record.canonical import Rows
from dokja.record.connecting import one_writer
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
    with told(source.place), one_writer(source.engine) as held:
        with told(target.place), one_writer(target.engine) as taking:
            _copy(held, taking, target)
        yield
        held.exec_driver_sql(CLOSED[source.engine.name])


def _copy(held: Connection, taking: Connection, target: Record) -> None:
    writing = Writing.on(taking)
    _hold_empty(writing.size, target)
    acts = iter(held.execute(select(ACTS).order_by(ACTS.c["index"]).execution_options(yield_per=_TOGETHER)))
    for size, root, peaks, at in held.execute(select(HEADS).order_by(HEADS.c.size)).all():
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
    for row in held.execute(select(FILES)).mappings():
        taking.execute(insert(FILES), dict(row))


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
