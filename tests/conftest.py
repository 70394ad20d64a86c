"""What holds for every test, and a database server for those that need one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.record.server import Server, binaries

# A busy machine is slow, not wrong.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

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
