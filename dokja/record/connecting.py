"""Connections to a record's database: how they are opened, and how its tables come to be."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from dokja.errors import Place, Problem, RecordError
from dokja.record.refusals import told
from dokja.record.tables import ACTS, CONNECTED, METADATA, guards_of
from dokja.record.writers import PATIENCE, Writers

PATIENCE_SECONDS = 5
"""How long a writer waits for another one before it gives up."""

_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
"""Which driver is meant where a URL names none, as PostgreSQL's own programs write theirs."""


def url_of(where: Path | str | URL) -> URL:
    """The database that a path (SQLite) or a URL names."""
    if isinstance(where, URL):
        return where
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:
        # Not the rest of it, which may hold a password.
        raise _unknown(where.partition("://")[0]) from error
    return url.set(drivername=_DRIVERS[url.drivername]) if url.drivername in _DRIVERS else url


def place_of(url: URL) -> Place:
    """What errors name: the file; nothing where the record is on a server, whose URL may hold a password."""
    return Place(Path(url.database)) if url.get_backend_name() == "sqlite" and url.database else Place()


def connect(url: URL, patience: int) -> Engine:
    """An engine whose connections keep what they commit; see `tables.CONNECTED`."""
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise _unknown(url.drivername)
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, connect_args={"timeout": patience} if sqlite else {}, pool_pre_ping=not sqlite)
    except ArgumentError as error:
        raise _unknown(url.render_as_string(hide_password=True)) from error
    except (ImportError, NoSuchModuleError) as error:
        raise RecordError(
            Problem(
                "record-no-driver",
                "The driver of this database is not installed ({reason}).",
                "Install it with: pip install 'dokja[postgresql]'",
                values={"reason": str(error)},
            )
        ) from error

    @event.listens_for(engine, "connect")
    def _tell(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.isolation_level = None
            connection.text_factory = _lenient
            for statement in CONNECTED["sqlite"]:
                connection.execute(statement)
        else:
            _tell_server(connection)

    return engine.execution_options(**{PATIENCE: patience})


def _tell_server(connection: Any) -> None:  # noqa: ANN401 - a connection of whichever driver the URL names
    with connection.cursor() as cursor:
        for statement in CONNECTED["postgresql"]:
            cursor.execute(statement)
    connection.commit()


def _lenient(raw: bytes) -> str:
    """Text as it stands; a damaged byte shows as U+FFFD, which no act's columns hold, and so reaches the check."""
    return raw.decode("utf-8", errors="replace")


def stands(engine: Engine, url: URL, table: str = ACTS.name) -> bool:
    """Whether there is a record: a file, or a database, with its tables."""
    place = place_of(url)
    if place.file is not None and not place.file.exists():
        return False
    with told(place), engine.connect() as connection:
        return inspect(connection).has_table(table)


def make(engine: Engine, url: URL) -> None:
    """Make the tables and their guards, where nobody else has meanwhile; what stands of them stays as it is."""
    place = place_of(url)
    if place.file is not None:
        _make_folder(place.file.parent)
    with told(place), Writers(engine).one() as cursor:
        lacking = [table for table in METADATA.sorted_tables if not stands(engine, url, table.name)]
        for table in lacking:
            made: tuple[ExecutableDDLElement, ...] = (CreateTable(table), *map(CreateIndex, table.indexes))
            for each in made:
                cursor.execute(str(each.compile(dialect=engine.dialect)))
        for guard in guards_of(engine.name, [table.name for table in lacking]).values():
            cursor.execute(guard)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            Problem(
                "record-unreachable",
                "The record cannot be opened ({reason}).",
                "Check the path or the address, and the permissions.",
                Place(folder),
                {"reason": error.strerror or type(error).__name__},
            )
        ) from error


def missing(url: URL) -> RecordError:
    """What is said where there should be a record and is none."""
    return RecordError(
        Problem("record-missing", "There is no record here.", "Make one by taking acts in: dokja run", place_of(url))
    )


def _unknown(name: str) -> RecordError:
    return RecordError(
        Problem(
            "record-unknown-database",
            "A record cannot be kept in “{name}”.",
            "Name a file (SQLite) or a URL such as postgresql://USER@HOST/DATABASE.",
            values={"name": name},
        )
    )
