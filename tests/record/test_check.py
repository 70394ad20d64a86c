"""The check finds a flipped byte wherever it lies, a missing row, a row too many, a false root, a missing guard."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from dokja.errors import RecordError
from dokja.record import canonical, open_record
from dokja.record.canonical import row_of
from dokja.record.check import Check, check
from dokja.record.examining import WINDOW
from dokja.record.merkle import leaf_hash
from tests.record.at_hand import ballot, mixed, statement
from tests.record.databases import Database
from tests.record.test_merkle import mth


def filled(database: Database) -> Database:
    with database.open() as record:
        record.append(mixed(4))
        record.append([statement(50), ballot(51)])
    return database


@pytest.fixture
def held(database: Database) -> Database:
    return filled(database)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    filled(Database(tmp_path / "record.sqlite"))
    return tmp_path / "record.sqlite"


def checked(database: Database) -> Check:
    with database.open(create=False) as record:
        return check(record, 1)


def codes(database: Database) -> list[str]:
    return [problem.code for problem in checked(database).problems]


def test_a_sound_record_is_found_sound(held: Database) -> None:
    acts = [*mixed(4), statement(50), ballot(51)]
    assert checked(held) == Check(6, mth([canonical(act) for act in acts]), ())


def test_an_empty_record_is_sound(database: Database) -> None:
    with database.open() as record:
        assert check(record) == Check(0, mth([]), ())


def test_every_flipped_byte_of_every_act_is_found(file: Path) -> None:
    """All acts at once, at each place in turn; so that it stays quick, the guards are away all the while."""
    bodies = [
        (index, body)
        for index, body in Database(file).rows('SELECT "index", body FROM acts')
        if isinstance(body, bytes)
    ]
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("DROP TRIGGER acts_no_update")
    with open_record(file, create=False) as record:
        for at in range(max(len(body) for _, body in bodies)):
            hit = {index: body for index, body in bodies if at < len(body)}
            for index, body in hit.items():
                flipped = bytearray(body)
                flipped[at] ^= 1 << (at % 8)
                connection.execute('UPDATE acts SET body = ? WHERE "index" = ?', (bytes(flipped), index))
            found = [problem for problem in check(record, 1).problems if problem.code == "record-flipped"]
            assert [problem.values["index"] for problem in found] == [str(index) for index in hit], at
            connection.executemany(
                'UPDATE acts SET body = ? WHERE "index" = ?', [(body, i) for i, body in hit.items()]
            )
        assert [problem.code for problem in check(record, 1).problems] == ["record-unguarded"]
    connection.close()


COLUMNS = ["key", "type", "at", "stage", "team", "leaf"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_column_is_found(column: str, held: Database) -> None:
    other = "x'ff'" if column == "leaf" or not held.on_server else "'ÿ'"
    held.past_the_guards((f'UPDATE acts SET {column} = {other} WHERE "index" = 4', ()))
    assert ("record-flipped" if column == "leaf" else "record-column") in codes(held)


@pytest.mark.parametrize("column", ["root", "peaks"])
def test_a_changed_head_is_found(column: str, held: Database) -> None:
    held.past_the_guards((f"UPDATE heads SET {column} = zeroblob(32) WHERE size = 4", ()))
    assert codes(held) == ["record-root"]


@pytest.mark.parametrize("index", range(6))
def test_a_missing_row_is_found(index: int, held: Database) -> None:
    held.past_the_guards(('DELETE FROM acts WHERE "index" = ?', (index,)))
    missing = [problem for problem in checked(held).problems if problem.code == "record-missing-row"]
    assert [problem.values for problem in missing] == [{"first": str(index), "last": str(index)}]


def test_a_row_too_many_is_found(held: Database) -> None:
    row = row_of(statement(60))
    values = (6, *row)
    held.past_the_guards(("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values))
    assert codes(held) == ["record-unsealed"]


def replaced(index: int, body: bytes, key: str) -> tuple[str, Sequence[object]]:
    return 'UPDATE acts SET body = ?, leaf = ?, key = ? WHERE "index" = ?', (body, leaf_hash(body), key, index)


def test_an_act_that_was_replaced_with_its_hash_is_found_by_the_root(held: Database) -> None:
    row = row_of(statement(4, "something else"))
    held.past_the_guards(replaced(4, row.body, row.key))
    assert codes(held) == ["record-root"]


def test_two_acts_that_changed_places_are_found_by_the_root(held: Database) -> None:
    first, second = row_of(ballot(1)), row_of(ballot(2))
    held.past_the_guards(
        ("UPDATE acts SET key = 'x' WHERE \"index\" = 1", ()),
        replaced(2, first.body, first.key),
        replaced(1, second.body, second.key),
    )
    assert codes(held) == ["record-root"]


def test_bytes_that_are_no_act_and_bytes_that_are_not_canonical_are_found(held: Database) -> None:
    held.past_the_guards(replaced(0, b"{}", "statement-0"))
    assert "record-not-an-act" in codes(held)
    held.past_the_guards(replaced(0, canonical(statement(0)).replace(b",", b", ", 1), "statement-0"))
    assert "record-not-canonical" in codes(held)


@pytest.mark.parametrize("table", ["acts", "heads", "files"])
def test_a_guard_that_was_taken_away_is_found(table: str, held: Database) -> None:
    held.run(f"DROP TRIGGER {table}_no_update" + (f" ON {table}" if held.on_server else ""))
    assert codes(held) == ["record-unguarded"]


def test_a_byte_flipped_anywhere_in_the_file_is_found_or_touches_nothing(file: Path, tmp_path: Path) -> None:
    """`heads.at`, when a head was written, follows from nothing else; it is the one column of a head left aside."""
    everything = ("SELECT * FROM acts", "SELECT size, root, peaks FROM heads")
    wanted = [Database(file).rows(query) for query in everything]
    raw, draw, found = file.read_bytes(), random.Random(1), 0
    copy = tmp_path / "flipped.sqlite"
    for _ in range(600):
        at = draw.randrange(len(raw))
        flipped = bytearray(raw)
        flipped[at] ^= 1 << draw.randrange(8)
        for rest in ("-wal", "-shm"):
            (tmp_path / f"flipped.sqlite{rest}").unlink(missing_ok=True)
        copy.write_bytes(bytes(flipped))
        try:
            problems = checked(Database(copy)).problems
        except RecordError as error:
            problems = error.problems
        found += bool(problems)
        if not problems:
            for query, expected in zip(everything, wanted, strict=True):
                assert Database(copy).rows(query) == expected, at
    assert found > 20


def test_problems_are_found_across_windows_and_processes(database: Database) -> None:
    with database.open() as record:
        record.append(ballot(number) for number in range(WINDOW + 500))
        root = record.root
        assert check(record, 2) == Check(WINDOW + 500, root, ())
    database.past_the_guards(('UPDATE acts SET body = ? WHERE "index" = ?', (b"{}", WINDOW + 7)))
    database.past_the_guards(('DELETE FROM acts WHERE "index" BETWEEN 9 AND 11', ()))
    with database.open() as record:
        found = check(record, 2).problems
    assert [problem.code for problem in found] == ["record-missing-row", "record-flipped"]
    assert found[0].values == {"first": "9", "last": "11"}
    assert found[1].values["index"] == str(WINDOW + 7)
