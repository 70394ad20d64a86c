"""Moves of a record that are killed at step 1, 2, 3 … of all that change anything, each done again, there and back.

    python -m tests.cli.moves FOLDER ADDRESS EVERY

ADDRESS: a database of a PostgreSQL server, in which each move there makes a schema of its own. EVERY: 1 for all
steps, 2 for half of them. What was found wrong, and how often, is printed as JSON. Commands are forks of this
process, so that each costs little; it opens no database itself.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import psycopg

import dokja.cli.moving
import dokja.cli.record
import dokja.programme.record_place
import dokja.record.check
import dokja.record.moving
import dokja.report.machine_readable
from dokja.cli import main
from dokja.programme import open_programme
from dokja.record import open_record
from dokja.record.moving import is_closed
from tests.record.at_hand import statement
from tests.record.lives import die_at

LATE = "late"
"""What acts are called that are appended when a move was looked at."""


@dataclass
class Found:
    """What many moves came to."""

    killed_there: int = 0
    killed_back: int = 0
    wrong: list[str] = field(default_factory=list)


def in_a_fork(work: Callable[[], str]) -> tuple[int, str]:
    """What a piece of work says in a process of its own, and how that ended."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode()
    return os.waitpid(process, 0)[1], said


def told(*words: object) -> str:
    """What a command said, its exit code first."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main([str(word) for word in words])
    return f"{code} {out.getvalue()}"


def looked_at(folder: Path) -> str:
    """The record's acts and whether it is sound, and then one act more."""
    programme = open_programme(folder)
    with open_record(programme.record_at, create=False) as record:
        assert not dokja.record.check.check(record, 1).problems
        assert not is_closed(record)
        acts = [entry.act.id for entry in record.entries(ballots=True)]
        record.append([statement(0).model_copy(update={"id": f"{LATE}-{len(acts)}"})])
    return json.dumps([LATE if act.startswith(LATE) else act for act in acts])


def moved(folder: Path, to: str | None, step: int, expected: list[str], found: Found) -> bool:
    """Kill a move at a step, do it again, and look; whether it was killed."""
    words = ("record", "move", folder, *((to,) if to else ()))

    def dying() -> str:
        die_at(step, changes_only=True)
        return told(*words)

    status, _ = in_a_fork(dying)
    killed = os.WIFSIGNALED(status)
    _, again = in_a_fork(partial(told, *words))
    where = f"step {step} {'there' if to else 'back'}"
    if not again.startswith("0 "):
        found.wrong.append(f"{where}: {again}")
    own = folder / "record" / "record.sqlite"
    if (folder / "record.url").exists() != bool(to) or own.exists() == bool(to):
        found.wrong.append(f"{where}: it lies elsewhere")
    status, acts = in_a_fork(partial(looked_at, folder))
    if status or json.loads(acts) != expected:
        found.wrong.append(f"{where}: {acts}")
    return killed


def run(folder: Path, address: str, every: int) -> Found:
    """Move a copy of the programme there and back, killed at each step in turn, until no step is left."""
    found = Found()
    for step in count(1, every):
        mine = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}-{step}")))
        expected = [*json.loads(in_a_fork(partial(looked_at, mine))[1]), LATE]
        schema = f"moved{step}"
        in_a_fork(partial(made, address, schema))
        there = moved(mine, f"{address}?options=-csearch_path%3D{schema}", step, expected, found)
        back = moved(mine, None, step, [*expected, LATE], found)
        found.killed_there += there
        found.killed_back += back
        shutil.rmtree(mine)
        if not (there or back) or len(found.wrong) > 5:
            return found
    raise AssertionError


def made(address: str, schema: str) -> str:
    """Make an empty schema."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return ""


if __name__ == "__main__":
    where, server, stride = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(run(Path(where), server, int(stride)))) + "\n")
