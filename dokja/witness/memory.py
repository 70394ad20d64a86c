"""What a witness remembers: the last checkpoint of each log that it cosigned, on disk before the signature leaves.

One SQLite file. A turn is one transaction that keeps every other writer out, in this process and in others, from
looking up the last checkpoint to having written the next one. A process killed anywhere in a turn leaves the old
checkpoint; one killed after it leaves the new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dokja.errors import DokjaError, Place, Problem

PATIENCE_SECONDS = 10.0
_MOST_FORKS = 16

_TABLES = (
    "CREATE TABLE IF NOT EXISTS seen (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, "
    "at INTEGER NOT NULL, note BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS forks (origin TEXT NOT NULL, note BLOB NOT NULL, PRIMARY KEY (origin, note))",
)


class WitnessError(DokjaError):
    """A witness cannot remember, or cannot look at what it is asked to sign."""


@dataclass(frozen=True)
class Seen:
    """The last checkpoint of a log: size, root, when it was cosigned (seconds since 1970), the cosigned note."""

    origin: str
    size: int
    root: bytes
    at: int
    note: bytes


@dataclass(frozen=True)
class Turn:
    """One look at a log's last checkpoint, and the writing of the next."""

    connection: sqlite3.Connection

    def last(self, origin: str) -> Seen | None:
        """What was cosigned last."""
        query = "SELECT origin, size, root, at, note FROM seen WHERE (origin = ?)"
        row = self.connection.execute(query, (origin,)).fetchone()
        return Seen(*row) if row else None

    def remember(self, seen: Seen) -> None:
        """What is cosigned now."""
        values = (seen.origin, seen.size, seen.root, seen.at, seen.note)
        self.connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)", values)

    def keep_fork(self, origin: str, note: bytes) -> None:
        """Keep a checkpoint that contradicts the last one, as evidence; no more than a few of one log."""
        (held,) = self.connection.execute("SELECT count(*) FROM forks WHERE (origin = ?)", (origin,)).fetchone()
        if held < _MOST_FORKS:
            self.connection.execute("INSERT OR IGNORE INTO forks VALUES (?, ?)", (origin, note))


@dataclass(frozen=True)
class Memory:
    """A witness's file."""

    file: Path

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """One turn; its end has reached the disk, an error in it undoes all of it. Raises `WitnessError`."""
        try:
            connection = self._connect()
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    for table in _TABLES:
                        connection.execute(table)
                    yield Turn(connection)
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise WitnessError(
                Problem(
                    "witness-memory",
                    "The witness cannot read or write what it remembers ({reason}); it signs nothing.",
                    "Check the file, its permissions and the space that is left; never go back to an older copy.",
                    Place(self.file),
                    {"reason": str(error)},
                )
            ) from error

    def _connect(self) -> sqlite3.Connection:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self.file, timeout=PATIENCE_SECONDS, isolation_level=None)
        # EXTRA also brings the end of the rollback journal to the disk, without which a commit could be undone.
        connection.execute("PRAGMA synchronous = EXTRA")
        return connection

    def all(self) -> tuple[Seen, ...]:
        """The last checkpoint of every log, by origin."""
        with self.turn() as turn:
            rows = turn.connection.execute("SELECT origin, size, root, at, note FROM seen ORDER BY origin").fetchall()
        return tuple(Seen(*row) for row in rows)

    def forks(self) -> tuple[tuple[str, bytes], ...]:
        """The checkpoints that were kept because they contradict a cosigned one of the same size."""
        with self.turn() as turn:
            return tuple(turn.connection.execute("SELECT origin, note FROM forks ORDER BY origin, note").fetchall())
