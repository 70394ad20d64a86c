"""What was acknowledged stays: through kill -9 at any moment, two writers at once, a full disk."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from dokja.errors import RecordError
from dokja.record import Record, open_record
from dokja.record.check import check
from tests.intake.at_hand import OPENING, OPENING_ACTS, ballot, ballots
from tests.record.at_hand import mixed, statement
from tests.record.databases import Database
from tests.record.server import Server

ROOT = Path(__file__).parents[2]


@contextmanager
def writer(file: Path | str, name: str, count: int, largest: int | None = None) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.record.writer", str(file), name, str(count)]
    command += [str(largest)] if largest else []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> list[list[str]]:
    assert process.stdout is not None
    return [line.split() for line in process.stdout.read().splitlines()]


def keys(record: Record) -> list[str]:
    return [entry.act.key for entry in record.entries()]


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    draw, acknowledged = random.Random(9), list[str]()
    file = tmp_path / "record.sqlite"
    for life in range(20):
        with writer(file, f"life-{life}", 100_000) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(draw.uniform(0, 0.08))
            process.kill()
            acknowledged += [words[0] for words in said(process) if len(words) == 2]
        with open_record(file, create=False) as record:
            held = keys(record)
            # An act may have been committed and not yet been acknowledged when its writer died.
            assert [key for key in held if key in set(acknowledged)] == acknowledged
            assert len(held) - len(acknowledged) <= life + 1
            assert not check(record, 1).problems
    assert len(acknowledged) > 50


_INTAKE = (
    "import sys\nfrom pathlib import Path\nfrom dokja.record import open_record\n"
    "from tests.intake.at_hand import taken\n"
    "record = open_record(Path(sys.argv[1])); print('open', flush=True)\n"
    "print(taken(record, *map(Path, sys.argv[2:])).taken, flush=True)"
)


def test_kill_9_in_the_middle_of_an_intake_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    bulk = ballots(tmp_path / "ballots.jsonl", [ballot(number) for number in range(30_000)])
    file, draw = tmp_path / "record.sqlite", random.Random(3)
    for _ in range(8):
        command = [sys.executable, "-c", _INTAKE, str(file), str(OPENING), str(bulk)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(draw.uniform(0, 1))
            process.kill()
            acknowledged = process.stdout.read().split()
        with open_record(file, create=False) as record:
            assert record.size in (0, OPENING_ACTS + 30_000)
            if acknowledged:
                assert record.size == OPENING_ACTS + 30_000
            assert not check(record, 1).problems


def test_two_writers_at_once_both_get_everything_in(database: Database) -> None:
    with writer(database.where, "one", 60) as one, writer(database.where, "two", 60) as two:
        spoken = [words for process in (one, two) for words in said(process) if len(words) == 2]
    with database.open(create=False) as record:
        assert sorted(int(index) for _, index in spoken) == list(range(120))
        assert {entry.act.key: str(entry.index) for entry in record.entries()} == {
            words[0]: words[1] for words in spoken
        }
        assert not check(record, 1).problems


def test_a_writer_that_waits_too_long_gives_up_and_changes_nothing(database: Database) -> None:
    with database.open() as first, database.open(patience=0) as second:
        with first.writing():
            with pytest.raises(RecordError) as caught:
                second.append([statement(1)])
            assert second.size == 0, "readers go on reading"
        assert caught.value.problems[0].code == "record-busy"
        second.append([statement(1)])
        assert first.size == 1


def test_a_server_that_is_killed_under_load_loses_nothing_that_was_acknowledged(server: Server) -> None:
    database, acknowledged, ends = Database(server.new()), set[tuple[str, str]](), set[str]()
    database.open().close()
    draw = random.Random(5)
    roots: dict[int, bytes] = {}
    for round_ in range(4):
        with (
            writer(database.where, f"one-{round_}", 100_000) as one,
            writer(database.where, f"two-{round_}", 100_000) as two,
        ):
            for process in (one, two):
                assert process.stdout is not None
                assert process.stdout.readline() == "open\n"
            time.sleep(draw.uniform(0.05, 0.4))
            server.kill()
            for process in (one, two):
                for words in said(process):
                    if len(words) == 2:
                        acknowledged.add((words[0], words[1]))
                    else:
                        ends.add(words[0])
        server.start()
        with database.open(create=False) as record:
            held = {(entry.act.key, str(entry.index)) for entry in record.entries()}
            assert acknowledged <= held
            assert len(held) - len(acknowledged) <= 2 * (round_ + 1), "each writer died with one act under way"
            for head in record.heads():
                assert roots.setdefault(head.size, head.root) == head.root
            assert not check(record, 1).problems
    assert len(acknowledged) > 20
    # Between two transactions nothing was under way, and the writer only finds nobody there.
    assert "record-connection-lost" in ends
    assert ends <= {"record-connection-lost", "record-unreachable"}


def test_a_database_that_may_not_grow_keeps_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite"
    with open_record(file) as record:
        record.append(mixed(10))
        before = record.heads()
        with record.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        record.close()

        @event.listens_for(record.engine, "connect")
        def _limit(connection: object, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 5}")  # type: ignore[attr-defined]

        with pytest.raises(RecordError) as caught:
            record.append(statement(number) for number in range(100, 5_000))
        assert caught.value.problems[0].code == "record-disk-full"
        assert record.heads() == before
        assert not check(record, 1).problems
        record.append([statement(100)])
        assert record.size == 11


def test_a_file_that_cannot_grow_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite"
    with writer(file, "full", 5_000, largest=1_000_000) as process:
        spoken = said(process)[1:]
    assert spoken[-1][0] in ("record-disk-full", "record-not-written")
    with open_record(file, create=False) as record:
        assert keys(record) == [words[0] for words in spoken[:-1]]
        assert record.size > 10
        assert not check(record, 1).problems
        record.append([statement(1)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this process may not mount a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_what_was_acknowledged(small_disk: Path) -> None:
    file = small_disk / "record.sqlite"
    with open_record(file) as record:
        record.append(mixed(10))
        before = record.heads()
        with pytest.raises(RecordError) as caught:
            record.append(statement(number) for number in range(100, 20_000))
        assert caught.value.problems[0].code == "record-disk-full"
        assert record.heads() == before
    with open_record(file, create=False) as record:
        assert record.heads() == before
        assert not check(record, 1).problems
