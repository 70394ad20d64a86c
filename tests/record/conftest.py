"""Databases for the tests of the record: SQLite always, PostgreSQL where there is a server's program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.record.databases import Database
from tests.record.server import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return Database(tmp_path / "record.sqlite")
    server: Server = request.getfixturevalue("server")
    return Database(server.new())
