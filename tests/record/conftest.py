"""Databases for the tests of the record: SQLite always, PostgreSQL where there is a server's program."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.record.databases import Database
from tests.record.server import Server, binaries

REQUIRED = "DOKJA_REQUIRE_POSTGRESQL"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    programs = binaries()
    if programs is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, and there is no PostgreSQL server: apt-get install postgresql")
        pytest.skip("there is no PostgreSQL server here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="dokja-postgresql-"))
    made = Server(folder, programs)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return Database(tmp_path / "record.sqlite")
    server: Server = request.getfixturevalue("server")
    return Database(server.new())
