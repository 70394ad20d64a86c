"""Where a record may be kept, so that one test is held against each: a file, or a schema on a server."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dokja.record import Record, open_record
from tests.record.at_hand import past_the_guards


@dataclass(frozen=True)
class Database:
    """A database; SQL is written for SQLite, and put into PostgreSQL's spelling where that is another one."""

    where: Path | str

    @property
    def on_server(self) -> bool:
        return isinstance(self.where, str)

    def open(self, *, create: bool = True, patience: int = 5) -> Record:
        return open_record(self.where, create=create, patience=patience)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds, past the program."""
        if isinstance(self.where, str):
            with self.connected() as connected:
                return connected.execute(query).fetchall()
        connection = sqlite3.connect(self.where)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def run(self, change: str) -> None:
        """A change by somebody who does not use the program; raises what the database says."""
        if isinstance(self.where, str):
            with self.connected() as connected:
                connected.execute(spelled(change))
            return
        connection = sqlite3.connect(self.where)
        try:
            connection.execute(change)
            connection.commit()
        finally:
            connection.close()

    def past_the_guards(self, *changes: tuple[str, Sequence[object]]) -> None:
        """Changes by the owner of the database: the guards are taken away and put back."""
        if not isinstance(self.where, str):
            past_the_guards(self.where, *changes)
            return
        with self.connected() as connection:
            for table in ("acts", "heads", "files"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for change, values in changes:
                connection.execute(spelled(change).replace("?", "%s"), values)
            for table in ("acts", "heads", "files"):
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    def connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(str(self.where).replace("+psycopg", ""))


def spelled(statement: str) -> str:
    """A statement as PostgreSQL spells it."""
    spelled = re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'::bytea", statement)
    return spelled.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')")
