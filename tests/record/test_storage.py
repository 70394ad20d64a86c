"""The log only grows: the database itself refuses every other change, and one that fails leaves nothing behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dokja.errors import RecordError
from dokja.record import Record, canonical, open_record
from dokja.record.canonical import Rows, row_of
from dokja.record.check import check
from tests.record.at_hand import ballot, mixed, statement
from tests.record.databases import Database
from tests.record.server import Server
from tests.record.test_merkle import mth


@pytest.fixture
def record(database: Database) -> Iterator[Record]:
    with database.open() as made:
        made.append(mixed(10))
        yield made


def test_acts_come_back_in_order_with_the_root_over_their_bytes(record: Record) -> None:
    record.append([statement(100), ballot(101)])
    wanted = [*mixed(10), statement(100), ballot(101)]
    read = list(record.entries(ballots=True))
    assert [entry.index for entry in read] == list(range(12))
    assert [entry.act for entry in read] == wanted
    assert record.root == mth([canonical(act) for act in wanted])
    assert [(head.size, head.root) for head in record.heads()] == [
        (10, mth([canonical(act) for act in wanted[:10]])),
        (12, record.root),
    ]


def test_ballots_are_handed_out_apart(record: Record) -> None:
    assert [entry.index for entry in record.entries()] == [0, 3, 6, 9]
    assert [row.position for row in record.ballots(since=4)] == [4, 5, 7, 8]


def test_the_root_does_not_depend_on_how_many_transactions_there_were(record: Record, tmp_path: Path) -> None:
    with open_record(tmp_path / "one-by-one.sqlite") as other:
        for act in mixed(10):
            other.append([act])
        assert (other.size, other.root) == (record.size, record.root)
        assert len(other.heads()) == 10


def test_an_error_undoes_the_whole_transaction(record: Record) -> None:
    before = record.heads(), record.root
    with pytest.raises(RuntimeError), record.writing() as writing:
        writing.add(Rows.of([row_of(statement(50))]))
        writing.note_file("digest", "file")
        raise RuntimeError
    assert (record.heads(), record.root) == before
    assert not record.holds_file("digest")
    record.append([statement(50)])
    assert record.size == 11


def test_a_key_that_is_taken_refuses_the_whole_transaction(record: Record) -> None:
    before = record.heads()
    with pytest.raises(RecordError) as caught:
        record.append([statement(70), statement(3, "other words"), statement(71)])
    assert caught.value.problems[0].code == "record-refused"
    assert record.heads() == before
    assert not check(record, 1).problems


@pytest.mark.parametrize("count", [31, 32, 33, 64, 100])
def test_many_acts_at_once_stand_as_one_by_one(count: int, database: Database) -> None:
    acts = [statement(number) for number in range(count)]
    with database.open() as record:
        assert record.append(acts) == range(count)
        assert [entry.act for entry in record.entries()] == acts
        assert check(record, processes=1).problems == ()
        assert record.root == mth([canonical(act) for act in acts])


def test_a_key_that_stands_twice_among_many_refuses_them_all(record: Record) -> None:
    before = record.heads(), record.root
    with pytest.raises(RecordError):
        record.append([*(statement(number) for number in range(100, 150)), statement(120, "other words")])
    assert (record.heads(), record.root) == before
    assert len(list(record.entries(ballots=True))) == 10


def test_nothing_appended_writes_no_head(record: Record) -> None:
    before = record.heads()
    record.append([])
    assert record.heads() == before


REFUSED = [
    "UPDATE acts SET body = x'00'",
    'UPDATE acts SET "index" = 99 WHERE "index" = 9',
    'DELETE FROM acts WHERE "index" = 9',
    "DELETE FROM acts",
    "UPDATE heads SET root = x'00'",
    "DELETE FROM heads",
    "UPDATE files SET name = 'other'",
    "DELETE FROM files",
    # A gap, an index that is taken, a key that is taken, also by way of OR REPLACE and OR IGNORE.
    "INSERT INTO acts SELECT 12, 'new', type, at, stage, team, body, leaf FROM acts WHERE \"index\" = 9",
    "INSERT INTO acts SELECT 9, 'new', type, at, stage, team, body, leaf FROM acts WHERE \"index\" = 9",
    "INSERT OR REPLACE INTO acts SELECT 9, 'new', type, at, stage, team, body, leaf FROM acts WHERE \"index\" = 9",
    'INSERT OR REPLACE INTO acts SELECT 10, key, type, at, stage, team, body, leaf FROM acts WHERE "index" = 9',
    'INSERT INTO acts SELECT 10, key, type, at, stage, team, body, leaf FROM acts WHERE "index" = 9',
    "INSERT INTO acts SELECT -1, 'new', type, at, stage, team, body, leaf FROM acts WHERE \"index\" = 9",
    "INSERT INTO acts SELECT 10, 'new', type, at, stage, team, NULL, leaf FROM acts WHERE \"index\" = 9",
    "INSERT OR REPLACE INTO heads SELECT size, x'00', peaks, at FROM heads",
    "INSERT INTO heads SELECT 5, root, peaks, at FROM heads",
    "INSERT INTO heads SELECT 11, root, peaks, at FROM heads",
    "INSERT OR REPLACE INTO files SELECT digest, 'other', at FROM files",
]


@pytest.mark.parametrize("change", REFUSED)
def test_the_database_refuses_every_change_of_what_was_written(
    change: str, database: Database, record: Record
) -> None:
    # Only SQLite knows OR REPLACE; the same row without it must be refused by both.
    _refused(change.replace(" OR REPLACE ", " ") if database.on_server else change, database, record)


@pytest.mark.parametrize("table", ["acts", "heads", "files"])
def test_a_server_refuses_to_empty_a_table_and_to_pass_a_row_over(table: str, server: Server) -> None:
    database = Database(server.new())
    with database.open() as record:
        record.append(mixed(10))
        _refused(f"TRUNCATE {table}", database, record)
        _refused(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1 ON CONFLICT DO NOTHING", database, record)


def _refused(change: str, database: Database, record: Record) -> None:
    if not record.holds_file("digest"):
        with record.writing() as writing:
            writing.note_file("digest", "file")
    before = dump(database)
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError, psycopg.errors.RaiseException)):
        database.run(change)
    assert dump(database) == before


def dump(database: Database) -> list[list[tuple[Any, ...]]]:
    orders = {"acts": '"index"', "heads": "size", "files": "digest"}
    return [database.rows(f"SELECT * FROM {table} ORDER BY {order}") for table, order in orders.items()]


def test_a_record_that_must_exist_is_not_made(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(RecordError) as caught:
            database.open(create=False)
        assert caught.value.problems[0].code == "record-missing"
    assert database.on_server or not Path(database.where).exists()


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("mysql://host/name", "record-unknown-database"),
        ("://", "record-unknown-database"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", "record-unreachable"),
        ("postgresql+pg8000://127.0.0.1:1/none", "record-unknown-database"),
    ],
)
def test_other_databases_are_refused(where: str, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        open_record(where)
    assert caught.value.problems[0].code == code


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite"
    file.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(RecordError) as caught:
        open_record(file)
    assert caught.value.problems[0].code == "record-damaged"
    assert file.read_bytes() == b"not a database at all" * 1000
