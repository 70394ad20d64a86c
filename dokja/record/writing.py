"""One transaction that writes to a record: rows at the next indexes, then the head that seals them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Self

from sqlalchemy import Connection, Dialect, insert, select

from dokja.record.canonical import Row
from dokja.record.merkle import Frontier
from dokja.record.tables import ACTS, FILES, HEADS
from dokja.values import utc_text

_LOOK_UP = 500
"""Keys looked up in one query; SQLite takes at least 999 parameters."""

_BY_POSITION = {"sqlite": "qmark", "postgresql": "format"}
"""How each driver writes values by position (PEP 249, `paramstyle`)."""


@dataclass(frozen=True)
class Kept:
    """Where an act stands in the record, and its leaf hash."""

    index: int
    leaf: bytes


@dataclass
class Writing:
    """Everything written through it becomes part of the record together, or nothing does.

    start: how many acts the record held before.
    """

    connection: Connection
    start: int
    frontier: Frontier
    at: str

    @classmethod
    def on(cls, connection: Connection) -> Self:
        """Go on from the last head that the connection sees."""
        last = connection.execute(select(HEADS.c.size, HEADS.c.peaks).order_by(HEADS.c.size.desc()).limit(1)).first()
        frontier = Frontier.of(last.size, last.peaks) if last else Frontier(0, [])
        return cls(connection, frontier.size, frontier, utc_text(datetime.now(UTC)))

    @property
    def size(self) -> int:
        """How many acts the record holds with those of this transaction."""
        return self.frontier.size

    def kept(self, keys: Sequence[str]) -> dict[str, Kept]:
        """Which of the keys the record holds already, those of this transaction among them."""
        found: dict[str, Kept] = {}
        for first in range(0, len(keys), _LOOK_UP):
            wanted = ACTS.c.key.in_(keys[first : first + _LOOK_UP])
            rows = self.connection.execute(select(ACTS.c.key, ACTS.c["index"], ACTS.c.leaf).where(wanted))
            found.update((key, Kept(index, leaf)) for key, index, leaf in rows)
        return found

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows, each at the next index.

        The statement goes to the driver with its values by position: a million rows take half the time that way.
        """
        values: list[tuple[object, ...]] = []
        for row in rows:
            values.append((self.size, *row))
            self.frontier.add(row.leaf)
        if values:
            self.connection.exec_driver_sql(_append(self.connection.dialect), values)

    def note_file(self, digest: str, name: str) -> None:
        """Remember that every act of the file with this digest is in the record."""
        self.connection.execute(insert(FILES), {"digest": digest, "name": name, "at": self.at})

    def finish(self) -> None:
        """Seal what was appended with a head."""
        if self.size > self.start:
            head = {"size": self.size, "root": self.frontier.root(), "peaks": self.frontier.joined(), "at": self.at}
            self.connection.execute(insert(HEADS), head)


@cache
def _append(dialect: Dialect) -> str:
    """The statement that appends a row of `acts`, its values in the order of the columns: index, then `Row`."""
    by_position: Callable[..., Dialect] = type(dialect)
    return str(insert(ACTS).compile(dialect=by_position(paramstyle=_BY_POSITION[dialect.name])))
