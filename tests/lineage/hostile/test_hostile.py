"""Hostile files: each is refused with its own code, at once, in little memory; nothing is left open or written."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dokja.errors import CheckpointError
from dokja.lineage.architecture import assign, part_matrix
from dokja.lineage.checkpoint import CODES, open_checkpoint
from dokja.lineage.inspection import inspect
from tests.lineage.hostile.table import GOOD, HOSTILE
from tests.lineage.saved import save

SECONDS = 5.0
BYTES = 320_000_000
"""The longest header that is read takes 100 MB as bytes, again as a text, and again without its padding."""


@pytest.fixture(autouse=True)
def same_folder() -> Iterator[None]:
    here = Path.cwd()
    yield
    os.chdir(here)


def opened() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file(name: str, tmp_path: Path) -> None:
    code, make = HOSTILE[name]
    path = make(tmp_path)
    before = {each: each.lstat().st_mtime_ns for each in tmp_path.rglob("*")}
    files, start = opened(), time.monotonic()
    tracemalloc.start()
    if code is None:
        with open_checkpoint(path) as checkpoint:
            inspect(checkpoint)
            for part in assign(checkpoint).parts:
                part_matrix(checkpoint, part)
    else:
        with pytest.raises(CheckpointError) as refusal:
            open_checkpoint(path)
        assert [each.code for each in refusal.value.problems] == [code]
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) < 1000 + len(str(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - start < SECONDS
    assert peak < BYTES
    assert opened() == files
    assert {each: each.lstat().st_mtime_ns for each in tmp_path.rglob("*")} == before


def test_there_are_enough_and_they_cover_the_codes() -> None:
    """The codes that need a file in motion, a server or permissions have tests of their own."""
    refused = [code for code, _ in HOSTILE.values() if code is not None]
    assert len(refused) >= 40
    elsewhere = {
        "checkpoint-changed",
        "checkpoint-config-lies",
        "checkpoint-packed",
        "checkpoint-remote",
        "checkpoint-unreadable",
    }
    assert set(refused) == set(CODES) - elsewhere


@pytest.mark.parametrize("how", ["number", "longer", "shorter", "put back"])
def test_a_file_that_changes_while_it_is_read(how: str, tmp_path: Path) -> None:
    path = save(tmp_path / "model.safetensors", GOOD)
    with open_checkpoint(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint.read("a.weight"), GOOD["a.weight"])
        known, data = path.stat(), path.read_bytes()
        if how == "longer":
            path.write_bytes(data + b"\0")
        elif how == "shorter":
            os.truncate(path, len(data) - 20)
        else:
            with path.open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"\7")
        if how == "put back":
            os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
        for read in (lambda: checkpoint.read("b.weight"), checkpoint.digests, checkpoint.check):
            with pytest.raises(CheckpointError) as refusal:
                read()
            assert [each.code for each in refusal.value.problems] == ["checkpoint-changed"]


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".safetensors")
    with pytest.raises(CheckpointError) as refusal:
        open_checkpoint(path)
    assert [each.code for each in refusal.value.problems] == ["checkpoint-unreadable"]
