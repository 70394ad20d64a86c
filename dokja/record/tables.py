"""The record's tables, and the guards by which the database itself refuses to change what was written.

Four tables, all append-only: `acts` holds the log, `heads` the size and the root after each transaction, `files` the
digests of files that were taken in wholly, `programme` whose record it is. `docs/record.md` describes every column.
Guards are triggers; they hold against anyone who uses the tables, also past this program. In SQLite they say FAIL
rather than ABORT, and so do the constraints: ABORT makes SQLite copy every page before it touches it, which doubles
the time of a large intake.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, literal_column
from sqlalchemy.engine import Dialect


class Blob(LargeBinary):
    """Bytes exactly as the driver takes and gives them, so that a damaged value reaches the check as it is."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Bytes go in as they are."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Values come out as they are."""


_BIG = BigInteger().with_variant(Integer(), "sqlite")
_FAIL: Mapping[str, Any] = {"nullable": False, "sqlite_on_conflict_not_null": "FAIL"}
_KEY: Mapping[str, Any] = {
    **_FAIL,
    "primary_key": True,
    "autoincrement": False,
    "sqlite_on_conflict_primary_key": "FAIL",
}

METADATA = MetaData()

ACTS = Table(
    "acts",
    METADATA,
    Column("index", _BIG, **_KEY),
    Column("key", Text, unique=True, sqlite_on_conflict_unique="FAIL", **_FAIL),
    Column("type", Text, **_FAIL),
    Column("at", Text, **_FAIL),
    Column("stage", Text),
    Column("team", Text),
    Column("body", Blob, **_FAIL),
    Column("leaf", Blob, **_FAIL),
)

NOT_A_BALLOT = literal_column("type <> 'ballot'", Boolean())
"""Written out, not bound, so that databases see that the index below answers it."""

Index("acts_but_ballots", ACTS.c["index"], sqlite_where=NOT_A_BALLOT, postgresql_where=NOT_A_BALLOT)

HEADS = Table(
    "heads",
    METADATA,
    Column("size", _BIG, **_KEY),
    Column("root", Blob, **_FAIL),
    Column("peaks", Blob, **_FAIL),
    Column("at", Text, **_FAIL),
)

FILES = Table(
    "files",
    METADATA,
    Column("digest", Text, **_KEY),
    Column("name", Text, **_FAIL),
    Column("at", Text, **_FAIL),
)

PROGRAMME = Table("programme", METADATA, Column("id", Text, **_KEY))

_NEXT = 'SELECT coalesce(max("index") + 1, 0) FROM acts'
_REFUSED_ROWS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "acts": (
        (f'NEW."index" <> ({_NEXT})', "the index is not the next one"),
        ("EXISTS (SELECT 1 FROM acts WHERE key = NEW.key)", "the key is taken"),
    ),
    "heads": (
        (f"NEW.size <> ({_NEXT})", "the size is not that of the log"),
        ("NEW.size <= (SELECT coalesce(max(size), 0) FROM heads)", "the log did not grow"),
    ),
    "files": (("EXISTS (SELECT 1 FROM files WHERE digest = NEW.digest)", "the file is taken in already"),),
    "programme": (("EXISTS (SELECT 1 FROM programme)", "it is the record of one programme"),),
}
"""For each table which new rows are refused, and why; the database's own keys alone would give way to OR REPLACE."""


def _sqlite_guards() -> Mapping[str, str]:
    guards = {}
    for table, refusals in _REFUSED_ROWS.items():
        cases = " ".join(f"WHEN {breach} THEN RAISE(FAIL, '{why}')" for breach, why in refusals)
        guards[f"{table}_next"] = f"BEFORE INSERT ON {table} BEGIN SELECT CASE {cases} END; END"
        for change in ("update", "delete"):
            guards[f"{table}_no_{change}"] = (
                f"BEFORE {change.upper()} ON {table} BEGIN SELECT RAISE(FAIL, 'the record is append-only'); END"
            )
    return {name: f"CREATE TRIGGER {name} {body}" for name, body in guards.items()}


def _postgresql_guards() -> Mapping[str, str]:
    guards = {}
    for table, refusals in _REFUSED_ROWS.items():
        cases = " ".join(f"IF {breach} THEN RAISE EXCEPTION '{why}'; END IF;" for breach, why in refusals)
        body = f"BEGIN {cases} RETURN NEW; END"
        guards[f"{table}_next()"] = f"CREATE FUNCTION {table}_next() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
        guards[f"{table}_next"] = (
            f"CREATE TRIGGER {table}_next BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_next()"
        )
    refusal = "BEGIN RAISE EXCEPTION 'the record is append-only'; END"
    guards["record_refuse()"] = f"CREATE FUNCTION record_refuse() RETURNS trigger LANGUAGE plpgsql AS $${refusal}$$"
    for table in _REFUSED_ROWS:
        for change in ("update", "delete", "truncate"):
            name = f"{table}_no_{change}"
            guards[name] = (
                f"CREATE TRIGGER {name} BEFORE {change.upper()} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION record_refuse()"
            )
    return guards


GUARDS: Mapping[str, Mapping[str, str]] = {"sqlite": _sqlite_guards(), "postgresql": _postgresql_guards()}
"""For each database the statements that put the guards in place, by the guard's name, in order."""


def guards_of(database: str, tables: Collection[str]) -> Mapping[str, str]:
    """The guards of some tables; what all guards share comes with those of the log."""
    owners = {*tables, "record"} if ACTS.name in tables else set(tables)
    return {name: guard for name, guard in GUARDS[database].items() if name.partition("_")[0] in owners}


CONNECTED: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        "PRAGMA page_size = 8192",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA cache_size = -65536",
    ),
    "postgresql": ("SET synchronous_commit TO on",),
}
"""What each new connection is told, so that a commit has reached the disk when it returns."""

CLOSING, WAS_MOVED = "acts_closed", "the record was moved"
CLOSED: Mapping[str, str] = {
    "sqlite": f"CREATE TRIGGER {CLOSING} BEFORE INSERT ON acts BEGIN SELECT RAISE(FAIL, '{WAS_MOVED}'); END",
    "postgresql": (
        f"CREATE FUNCTION {CLOSING}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION '{WAS_MOVED}'; END$$; "
        f"CREATE TRIGGER {CLOSING} BEFORE INSERT ON acts FOR EACH STATEMENT EXECUTE FUNCTION {CLOSING}()"
    ),
}
"""A last guard for a record that goes on elsewhere: it takes no act in any more."""

STANDING_GUARDS: Mapping[str, str] = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') "
        "AND tgrelid IN (to_regclass('acts'), to_regclass('heads'), to_regclass('files'), to_regclass('programme'))"
    ),
}
"""How the names of the guards in place are asked for."""

ONE_WRITER: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("BEGIN IMMEDIATE",),
    "postgresql": ("SET LOCAL lock_timeout = '{patience}'", "SELECT pg_advisory_xact_lock(431366040161)"),
}
"""How a transaction that writes keeps every other writer out (the number spells "dokja"); readers go on reading."""
