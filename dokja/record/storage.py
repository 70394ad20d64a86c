"""The record: an append-only log of acts in a database, with a Merkle root after every transaction.

SQLite by default, PostgreSQL by URL, through the same SQLAlchemy Core code; what differs stands in `tables` as data.
What a transaction has committed is on the disk; what it has not is gone, whole. One writer at a time; readers never
wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import URL, ColumnElement, Engine, select, true

from dokja.errors import Place, Problem, RecordError
from dokja.record.acts import AnyAct
from dokja.record.bulk import all_light
from dokja.record.canonical import Rows, act_of, row_of
from dokja.record.connecting import PATIENCE_SECONDS, connect, make, missing, place_of, stands, url_of
from dokja.record.entries import BallotRow, Entry
from dokja.record.merkle import EMPTY_ROOT
from dokja.record.refusals import told
from dokja.record.tables import ACTS, FILES, HEADS, NOT_A_BALLOT, PROGRAMME
from dokja.record.writers import Writers
from dokja.record.writing import Writing

_FETCH = 10_000
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What reading bytes as an act can raise where they are not what was written."""

T = TypeVar("T")
_Read = Callable[[Sequence[tuple[int, bytes]]], Iterable[T]]
"""Reads canonical bytes, each with its index."""


@dataclass(frozen=True)
class Head:
    """The record after one transaction: how many acts it holds, their Merkle root, when that was written."""

    size: int
    root: bytes
    at: str | None


@dataclass(frozen=True)
class Record:
    """An open record; `open_record` opens one."""

    url: URL
    engine: Engine

    @cached_property
    def writers(self) -> Writers:
        """Who writes to it."""
        return Writers(self.engine)

    @cached_property
    def place(self) -> Place:
        """What errors name: the file, or nothing where the record is on a server."""
        return place_of(self.url)

    def heads(self) -> tuple[Head, ...]:
        """The record after each transaction, first to last."""
        with told(self.place), self.engine.connect() as connection:
            rows = connection.execute(select(HEADS.c.size, HEADS.c.root, HEADS.c.at).order_by(HEADS.c.size))
            return tuple(Head(*row) for row in rows)

    @property
    def head(self) -> Head:
        """The record as it stands."""
        with told(self.place), self.engine.connect() as connection:
            latest = select(HEADS.c.size, HEADS.c.root, HEADS.c.at).order_by(HEADS.c.size.desc()).limit(1)
            row = connection.execute(latest).first()
        return Head(*row) if row else Head(0, EMPTY_ROOT, None)

    @property
    def programme(self) -> str | None:
        """The id of the programme whose record it is; `None` where nobody has said so."""
        if not stands(self.engine, self.url, PROGRAMME.name):
            return None
        with told(self.place), self.engine.connect() as connection:
            return connection.execute(select(PROGRAMME.c.id)).scalar_one_or_none()

    @property
    def size(self) -> int:
        """How many acts the record holds."""
        return self.head.size

    @property
    def root(self) -> bytes:
        """The Merkle root of all acts (RFC 6962)."""
        return self.head.root

    def entries(self, since: int = 0, before: int | None = None, *, ballots: bool = False) -> Iterator[Entry]:
        """The acts from index `since` on, in order; those before index `before`, if it is named.

        Ballots only where asked for, they may be millions.
        """
        return self._read(since, before, true() if ballots else NOT_A_BALLOT, _all_entries)

    def ballots(self, since: int = 0, before: int | None = None) -> Iterator[BallotRow]:
        """The ballots from index `since` on, in order, as light rows; those before index `before`, if it is named."""
        return self._read(since, before, ACTS.c.type == "ballot", all_light)

    def _read(self, since: int, before: int | None, wanted: ColumnElement[bool], read: _Read[T]) -> Iterator[T]:
        query = select(ACTS.c["index"], ACTS.c.body).where(ACTS.c["index"] >= since, wanted)
        if before is not None:
            query = query.where(ACTS.c["index"] < before)
        with told(self.place), self.engine.connect() as connection:
            stream = connection.execution_options(yield_per=_FETCH).execute(query.order_by(ACTS.c["index"]))
            for rows in stream.partitions():
                yield from self._understood(rows, read)

    def _understood(self, rows: Sequence[Any], read: _Read[T]) -> Iterator[T]:
        try:
            yield from read(rows)
        except _UNREADABLE:
            for row in rows:
                try:
                    tuple(read((row,)))
                except _UNREADABLE as error:
                    raise RecordError(
                        Problem(
                            "record-unreadable-act",
                            "What stands at index {index} of the record is no act.",
                            "Check the record with: dokja record check",
                            self.place,
                            {"index": str(row[0])},
                        )
                    ) from error
            raise

    def holds_type(self, kind: str) -> bool:
        """Whether any act is of a type."""
        with told(self.place), self.engine.connect() as connection:
            return connection.execute(select(ACTS.c["index"]).where(ACTS.c.type == kind).limit(1)).first() is not None

    def holds(self, key: str) -> bool:
        """Whether an act with this key is in the record."""
        with told(self.place), self.engine.connect() as connection:
            return connection.execute(select(ACTS.c.key).where(ACTS.c.key == key)).first() is not None

    def holds_file(self, digest: str) -> bool:
        """Whether every act of the file with this digest is in the record."""
        with told(self.place), self.engine.connect() as connection:
            return connection.execute(select(FILES.c.digest).where(FILES.c.digest == digest)).first() is not None

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction: an error in it undoes all of it; its end writes the head and reaches the disk."""
        with told(self.place), self.writers.one() as cursor:
            writing = Writing.on(cursor, self.engine.dialect)
            yield writing
            writing.finish()

    def append(self, acts: Iterable[AnyAct]) -> range:
        """Append acts in one transaction and return their indexes; a key that is taken refuses them all."""
        with self.writing() as writing:
            writing.add(Rows.of(row_of(act) for act in acts))
            return range(writing.start, writing.size)

    def close(self) -> None:
        """Let go of the database."""
        self.writers.close()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _all_entries(rows: Sequence[tuple[int, bytes]]) -> Iterable[Entry]:
    return (Entry(index, act_of(body)) for index, body in rows)


def open_record(
    where: Path | str | URL, *, create: bool = True, patience: int = PATIENCE_SECONDS, programme: str | None = None
) -> Record:
    """Open the record in a file, or at a database URL such as `postgresql://user@host/database`.

    create: make an empty record where there is none; else that is an error. patience: how many seconds a writer waits
    for another one before it gives up. programme: the id of the programme whose record it is to be.
    """
    url = url_of(where)
    engine = connect(url, patience)
    if not stands(engine, url):
        if not create:
            raise missing(url)
        make(engine, url)
    record = Record(url, engine)
    if programme is not None:
        hold_to_programme(record, programme, claim=create)
    return record


def record_if_any(where: Path | str | URL, programme: str | None = None) -> Record | None:
    """The record in a file or database; `None` where there is none. programme: whose it is to be."""
    url = url_of(where)
    engine = connect(url, PATIENCE_SECONDS)
    if not stands(engine, url):
        return None
    record = Record(url, engine)
    if programme is not None:
        hold_to_programme(record, programme, claim=False)
    return record


def record_at(url: URL) -> Record:
    """A record that is known to be there, opened once more, as in another process."""
    return Record(url, connect(url, PATIENCE_SECONDS))


def hold_to_programme(record: Record, programme: str, *, claim: bool) -> None:
    """Raise `RecordError` where a record is that of another programme; claim: one of nobody's becomes this one's."""
    held = record.programme
    if held is None and claim:
        # Other people's tables have no head, and are left alone.
        _ = record.head
        make(record.engine, record.url)
        with told(record.place), record.writers.one() as cursor:
            held = Writing.on(cursor, record.engine.dialect).claim(programme)
    if held not in (None, programme):
        raise RecordError(
            Problem(
                "record-other-programme",
                "The record is that of the programme “{held}”, not of “{programme}”.",
                "Name another database, or another schema of this one; or give programme.yaml the id that the record "
                "knows.",
                record.place,
                {"held": str(held), "programme": programme},
            )
        )
