"""Transactions that write: one at a time, whoever else has the record open.

A transaction of one act is felt to take as long as it is. So it goes by a cursor of the driver's own, on a connection
that stands ready between transactions; in all other ways it is a connection of the engine's pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

from dokja.record.tables import ONE_WRITER

PATIENCE = "dokja_patience"
"""The engine's option that says how many seconds a writer waits for another one."""


@dataclass(frozen=True)
class Writers:
    """Who writes to a database by this engine; `idle` are the connections that stand ready."""

    engine: Engine
    idle: list[PoolProxiedConnection] = field(default_factory=list)

    @contextmanager
    def one(self) -> Iterator[DBAPICursor]:
        """A transaction that no other writer shares; it commits at the end and is undone by an error.

        What the database refuses is raised as a `DBAPIError`.
        """
        refusal = self.engine.dialect.loaded_dbapi.Error
        connection: PoolProxiedConnection | None = None
        try:
            connection = self._ready()
            cursor = connection.cursor()
            for statement in self._begin:
                cursor.execute(statement)
            yield cursor
            connection.commit()
            if self.engine.name == "sqlite":
                # A server may go away meanwhile; the pool asks it before it hands a connection out.
                self.idle.append(connection)
                connection = None
        except refusal as error:
            lost = connection is not None and self.engine.dialect.is_disconnect(error, connection, None)
            if connection is not None and lost:
                connection.invalidate(error)
            raise DBAPIError.instance(None, None, error, refusal, connection_invalidated=lost) from error
        finally:
            if connection is not None:
                # Back to the pool, which undoes what was not committed.
                connection.close()

    def _ready(self) -> PoolProxiedConnection:
        try:
            return self.idle.pop()
        except IndexError:
            return self.engine.raw_connection()

    @property
    def _begin(self) -> Iterator[str]:
        # In PostgreSQL no time at all would mean to wait for ever.
        patience = max(1000 * self.engine.get_execution_options()[PATIENCE], 1)
        return (statement.format(patience=patience) for statement in ONE_WRITER[self.engine.name])

    def close(self) -> None:
        """Let go of the connections that stand ready."""
        while self.idle:
            self.idle.pop().close()
