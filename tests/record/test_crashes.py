"""Writers and signers that die at every step, full disks, backups that were put back: never two roots for one size,
never an acknowledged act lost, and a record that departs from what was signed is not gone on with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dokja.errors import RecordError
from dokja.record import Record, open_record
from dokja.record.transparency.continuing import hold_to_signed
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.signing import last_checkpoint, sign_checkpoint, snapshot
from dokja.record.transparency.tiles import write_whole
from tests.record.at_hand import mixed, statement
from tests.record.databases import Database
from tests.record.transparency.at_hand import OFFICE

ROOT = Path(__file__).parents[2]
LIVES = int(os.environ.get("DOKJA_LIVES", "150"))
"""Writers that are killed; `.ci/run` asks for two thousand."""


def lived(where: Path | str, log: Path, how: str, lives: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.record.lives", str(where), str(log), how, str(lives)]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def test_a_writer_that_dies_at_any_step_loses_nothing(database: Database, tmp_path: Path) -> None:
    found = lived(database.where, tmp_path / "log", "stepped", 500)
    assert found["wrong"] == []
    assert found["deaths"] == found["lives"] - 1 > 40
    assert found["signed"] >= 1


def test_writers_that_are_killed_at_any_moment_lose_nothing(tmp_path: Path) -> None:
    found = lived(tmp_path / "record.sqlite", tmp_path / "log", "killed", LIVES)
    assert found["wrong"] == []
    assert found["deaths"] > LIVES / 4
    assert found["acknowledged"] > LIVES / 10


def test_what_a_signer_left_half_written_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for name in (".checkpoint.4711", "tile/0/.000.12", ".git/keep", ".well-known"):
        write_whole(log / name, b"half")
    with open_record(tmp_path / "record.sqlite") as record:
        record.append(mixed(3))
        sign_checkpoint(log, snapshot(record), OFFICE)
    assert {each.name for each in log.rglob(".*")} == {".git", ".well-known"}
    assert (log / ".git" / "keep").is_file()


def test_signing_on_a_full_disk_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    with open_record(tmp_path / "record.sqlite") as record:
        record.append(mixed(3))
        before = sign_checkpoint(log, snapshot(record), OFFICE)
        record.append([statement(100)])
        held = snapshot(record)
        with monkeypatch.context() as full:

            def no_room(handle: int) -> None:
                raise OSError(28, "No space left on device")

            full.setattr(os, "fsync", no_room)
            with pytest.raises(OSError, match="No space"):
                sign_checkpoint(log, held, OFFICE)
        assert (log / "checkpoint").read_bytes() == before
        assert not list(log.rglob(".*"))
        sign_checkpoint(log, held, OFFICE)
        last = last_checkpoint(log)
        assert last is not None
        assert last[1].size == 4


@pytest.fixture
def memory(tmp_path: Path) -> Signer:
    return Signer(OFFICE.name, OFFICE.private, tmp_path / "keys" / "office.signed")


def refused(record: Record, *checkpoints: Path) -> list[str]:
    with pytest.raises(RecordError) as caught:
        hold_to_signed(record, *checkpoints)
    return [problem.code for problem in caught.value.problems]


def test_a_backup_that_was_put_back_is_not_gone_on_with(tmp_path: Path, memory: Signer) -> None:
    """The record and the log are put back together; only what lies beside the key remembers."""
    folder, copy = tmp_path / "record", tmp_path / "backup"
    with open_record(folder / "record.sqlite") as record:
        record.append(mixed(3))
        sign_checkpoint(folder / "log", snapshot(record), memory)
    shutil.copytree(folder, copy)
    with open_record(folder / "record.sqlite") as record:
        record.append([statement(100)])
        sign_checkpoint(folder / "log", snapshot(record), memory)
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    assert memory.memory is not None
    with open_record(folder / "record.sqlite") as record:
        hold_to_signed(record, folder / "log" / "checkpoint")
        assert refused(record, folder / "log" / "checkpoint", memory.memory) == ["record-behind"]
        with pytest.raises(RefusedError, match="FORK"):
            sign_checkpoint(folder / "log", snapshot(record), memory)
        record.append([statement(200)])
        assert refused(record, memory.memory) == ["record-forked"]
        with pytest.raises(RefusedError, match="FORK"):
            sign_checkpoint(folder / "log", snapshot(record), memory)
        record.append([statement(201)])
        assert refused(record, memory.memory) == ["record-forked"]


def test_a_record_alone_that_was_put_back_is_told_by_its_log(tmp_path: Path) -> None:
    file, log = tmp_path / "record.sqlite", tmp_path / "log"
    with open_record(file) as record:
        record.append(mixed(3))
    shutil.copy(file, tmp_path / "copy.sqlite")
    with open_record(file) as record:
        record.append(mixed(5)[3:])
        sign_checkpoint(log, snapshot(record), OFFICE)
        hold_to_signed(record, log / "checkpoint")
    with open_record(tmp_path / "copy.sqlite") as record:
        assert refused(record, log / "checkpoint") == ["record-behind"]
        record.append([*mixed(5)[3:], statement(100)])
        assert record.head.size == 6
        hold_to_signed(record, log / "checkpoint")
        sign_checkpoint(log, snapshot(record), OFFICE)


def test_a_checkpoint_that_cannot_be_read_stops_too(tmp_path: Path) -> None:
    write_whole(tmp_path / "log" / "checkpoint", b"nothing")
    with open_record(tmp_path / "record.sqlite") as record:
        assert refused(record, tmp_path / "log" / "checkpoint") == ["NOTE_FORM"]
