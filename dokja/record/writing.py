"""One transaction that writes to a record: rows at the next indexes, then the head that seals them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Self

from sqlalchemy import ClauseElement, Dialect, bindparam, insert, select
from sqlalchemy.engine.interfaces import DBAPICursor

from dokja.errors import Problem, RecordError
from dokja.record.canonical import LARGEST_ACT, Rows
from dokja.record.merkle import Frontier, Grown
from dokja.record.tables import ACTS, FILES, HEADS, PROGRAMME
from dokja.values import utc_text

_LOOK_UP = 500
"""Keys looked up in one query; SQLite takes at least 999 parameters."""

_TOGETHER = 32
"""Rows that one statement appends; their values stay below the 999 parameters that SQLite takes at least."""

_BY_POSITION = {"sqlite": "qmark", "postgresql": "format"}
"""How each driver writes values by position (PEP 249, `paramstyle`)."""

_BALLOT = "ballot/"
"""How the keys of ballots begin, and no other: ids hold no slash."""

_LAST_HEAD = "SELECT size, peaks FROM heads ORDER BY size DESC LIMIT 1"
"""In every database's words; written out, because a transaction of one act is felt to take as long as it is."""


@dataclass(frozen=True)
class Kept:
    """Where an act stands in the record, and its leaf hash."""

    index: int
    leaf: bytes


@dataclass
class Writing:
    """Everything written through it becomes part of the record together, or nothing does.

    start: how many acts the record held before. cursor: the driver's own, of this transaction. grown: what the tree
    came to hold. spans: the least and the greatest key of the ballots in each batch that was added.
    """

    cursor: DBAPICursor
    dialect: Dialect
    start: int
    frontier: Frontier
    grown: Grown
    at: str
    spans: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def on(cls, cursor: DBAPICursor, dialect: Dialect) -> Self:
        """Go on from the last head that the transaction sees."""
        cursor.execute(_LAST_HEAD)
        last = cursor.fetchone()
        frontier = Frontier.of(*last) if last else Frontier(0, [])
        return cls(cursor, dialect, frontier.size, frontier, Grown(frontier.size), utc_text(datetime.now(UTC)))

    @property
    def size(self) -> int:
        """How many acts the record holds with those of this transaction."""
        return self.frontier.size

    def kept(self, keys: Sequence[str]) -> dict[str, Kept]:
        """Which of the keys the record holds already, those of this transaction among them."""
        found: dict[str, Kept] = {}
        if self._all_new(keys):
            return found
        for first in range(0, len(keys), _LOOK_UP):
            wanted = tuple(keys[first : first + _LOOK_UP])
            self.cursor.execute(_look_up(self.dialect, len(wanted)), wanted)
            found.update((key, Kept(index, leaf)) for key, index, leaf in self.cursor.fetchall())
        return found

    def _all_new(self, keys: Sequence[str]) -> bool:
        """Whether the keys plainly are of new ballots: the log was empty, and no batch since reached where they lie.

        Ballots by the million mostly come in the order of their keys; then none of them is looked up.
        """
        if self.start or not keys:
            return False
        least, greatest = min(keys), max(keys)
        if not (least.startswith(_BALLOT) and greatest.startswith(_BALLOT)):
            return False
        return all(greatest < low or high < least for low, high in self.spans)

    def add(self, rows: Rows) -> None:
        """Append rows, each at the next index.

        Statements go to the driver with their values by position, and many rows in each: that halves the time of a
        million rows, and does it again.
        """
        if not rows:
            return
        if max(map(len, rows.column("body"))) > LARGEST_ACT:
            raise RecordError(
                Problem(
                    "record-act-too-large",
                    "An act takes more than {limit} bytes.",
                    "Put what it says into a file, and pin that by its digest.",
                    values={"limit": f"{LARGEST_ACT:,}"},
                )
            )
        start = self.size
        if ballots := [key for key in rows.column("key") if key.startswith(_BALLOT)]:
            self.spans.append((min(ballots), max(ballots)))
        self.grown.add(self.frontier.extend(rows.column("leaf")))
        values = list(zip(range(start, self.size), *rows.columns, strict=True))
        if whole := len(values) // _TOGETHER * _TOGETHER:
            grouped = zip(*[chain.from_iterable(values[:whole])] * (len(values[0]) * _TOGETHER), strict=True)
            self.cursor.executemany(_append(self.dialect, _TOGETHER), list(grouped))
        if rest := values[whole:]:
            self.cursor.executemany(_append(self.dialect, 1), rest)

    def note_file(self, digest: str, name: str) -> None:
        """Remember that every act of the file with this digest is in the record."""
        self.cursor.execute(_note(self.dialect), (digest, name, self.at))

    def claim(self, programme: str) -> str:
        """Write down whose record it is, where nobody has; whose it is then."""
        self.cursor.execute("SELECT id FROM programme")
        held = self.cursor.fetchone()
        if held is None:
            self.cursor.execute(_claim(self.dialect), (programme,))
        return str(held[0]) if held else programme

    def finish(self) -> None:
        """Seal what was appended with a head."""
        if self.size > self.start:
            self.seal(self.at)

    def seal(self, at: str) -> None:
        """Write a head over all acts so far."""
        head = (self.size, self.frontier.root(), self.frontier.joined(), at)
        self.cursor.execute(_seal(self.dialect), head)


@cache
def _look_up(dialect: Dialect, keys: int) -> str:
    """The query for the acts with any of so many keys."""
    query = select(ACTS.c.key, ACTS.c["index"], ACTS.c.leaf)
    return _by_position(query.where(ACTS.c.key.in_([bindparam(None, "") for _ in range(keys)])), dialect)


@cache
def _append(dialect: Dialect, rows: int) -> str:
    """The statement that appends so many acts, the values in the order of the columns: index, then `Row`."""
    into, word, values = _by_position(insert(ACTS), dialect).partition(" VALUES ")
    return into + word + ", ".join([values] * rows)


@cache
def _note(dialect: Dialect) -> str:
    """The statement that notes a file, its values in the order of the columns."""
    return _by_position(insert(FILES), dialect)


@cache
def _claim(dialect: Dialect) -> str:
    """The statement that names the programme."""
    return _by_position(insert(PROGRAMME), dialect)


@cache
def _seal(dialect: Dialect) -> str:
    """The statement that adds a head, its values in the order of the columns."""
    return _by_position(insert(HEADS), dialect)


def _by_position(statement: ClauseElement, dialect: Dialect) -> str:
    made: Callable[..., Dialect] = type(dialect)
    return str(statement.compile(dialect=made(paramstyle=_BY_POSITION[dialect.name])))
