"""Writers that are killed, many of them: each appends acts, signs, says what it has acknowledged, and dies.

    python -m tests.record.lives FILE-OR-URL LOG killed|stepped LIVES [SEED]

killed: by SIGKILL from outside, at any moment. stepped: by SIGKILL at its own hand, at step 1, 2, 3 … of everything
that it asks of the database and the file system, until one life is long enough to end by itself. After each death the
record and the log are looked at; what was found wrong, and how often, is printed as JSON.

Lives are forks of this process, so that a life costs milliseconds. It opens no database before it forks.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Dialect, Engine, event

from dokja.record import open_record
from dokja.record.check import check
from dokja.record.transparency.checkpoint import read_checkpoint
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import LARGEST_NOTE, read_note
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.signing import sign_checkpoint, snapshot
from tests.record.at_hand import statement
from tests.record.transparency.at_hand import OFFICE

ACTS = 4
"""Acts of one life, each a transaction; then the record is signed."""

CHECKED_EVERY = 50
STEPS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect"})


@dataclass
class Found:
    """What many lives came to."""

    lives: int = 0
    deaths: int = 0
    acknowledged: int = 0
    signed: int = 0
    size: int = 0
    wrong: list[str] = field(default_factory=list)


def live(where: str, log: Path, name: str, say: Callable[[str], None]) -> None:
    """One life: append, say so, sign, say so."""
    signer = Signer(OFFICE.name, OFFICE.private, log.parent / "office.signed")
    with open_record(where, patience=60) as record:
        for number in range(ACTS):
            act = statement(number).model_copy(update={"id": f"{name}-{number}"})
            index = record.append([act]).start
            say(f"act {act.id} {index}")
        held = snapshot(record)
        checkpoint = read_checkpoint(read_note(sign_checkpoint(log, held, signer)).text)
        say(f"signed {checkpoint.size} {checkpoint.root.hex()}")


STATEMENTS = ("execute", "executemany", "commit", "rollback")
"""What a program asks of a database through a driver."""


READS = ("SELECT", "PRAGMA", "SET ", "BEGIN", "SHOW", "show", "select")
"""What statements begin with that change nothing."""


def stepping(kind: type[Any], passed: Callable[[], None], *, changes_only: bool) -> type[Any]:
    """A driver's class that says so before and after each statement."""

    def step(name: str) -> Callable[..., object]:
        def asked(self: object, *values: object, **named: object) -> object:
            changes = name != "rollback" and not (values and str(values[0]).lstrip().startswith(READS))
            if name == "commit" or not changes_only:
                passed()
            answer = getattr(kind, name)(self, *values, **named)
            if changes or not changes_only:
                passed()
            return answer

        return asked

    return type("Stepping", (kind,), {name: step(name) for name in STATEMENTS if hasattr(kind, name)})


def die_at(step: int, *, changes_only: bool = False) -> None:
    """From now on, this process kills itself at its so many'th step, or the so many'th that changes anything."""
    left = count(1)

    def passed() -> None:
        if next(left) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(name: str, values: tuple[Any, ...]) -> None:
        if name in STEPS and not (changes_only and name == "open" and not values[2] & (os.O_WRONLY | os.O_RDWR)):
            passed()

    sys.addaudithook(heard)
    lite_cursor, server_cursor, lite, server = (
        stepping(kind, passed, changes_only=changes_only)
        for kind in (sqlite3.Cursor, psycopg.Cursor, sqlite3.Connection, psycopg.Connection)
    )
    lite.cursor = lambda self: sqlite3.Connection.cursor(self, lite_cursor)

    def connect(dialect: Dialect, _: object, where: list[Any], how: dict[str, Any]) -> Any:  # noqa: ANN401
        if dialect.name == "sqlite":
            return sqlite3.connect(*where, **how, factory=lite)
        return server.connect(*where, **how, cursor_factory=server_cursor)

    event.listen(Engine, "do_connect", connect)


def fork(where: str, log: Path, name: str, step: int | None) -> tuple[int, int]:
    """A life as a process of its own: its id, and where it says what it acknowledged."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        if step is not None:
            die_at(step)
        live(where, log, name, lambda line: (os.write(writing, f"{line}\n".encode()), None)[1])
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def ended(process: int, reading: int) -> tuple[int, list[list[str]]]:
    """How a life ended, and what it had said."""
    _, status = os.waitpid(process, 0)
    with open(reading, "rb") as stream:
        return status, [line.split() for line in stream.read().decode().splitlines()]


@dataclass
class Watch:
    """Everything that must stay true from life to life."""

    where: str
    log: Path
    found: Found = field(default_factory=Found)
    roots: dict[int, str] = field(default_factory=dict)
    seen: int = 0
    waiting: dict[str, int] = field(default_factory=dict)

    def take(self, said: list[list[str]]) -> None:
        """Note what a life acknowledged."""
        for kind, name, value in said:
            if kind == "act":
                self.waiting[name] = int(value)
                self.found.acknowledged += 1
            else:
                self._root(int(name), value)
                self.found.signed += 1

    def look(self, *, whole: bool) -> None:
        """Hold the record and the log against what was acknowledged and signed."""
        with open_record(self.where) as record:
            for entry in record.entries(self.seen):
                if self.waiting.pop(entry.act.id, entry.index) != entry.index:
                    self.found.wrong.append(f"{entry.act.id} stands elsewhere")
                self.seen = entry.index + 1
            self.found.wrong += [f"{name} is lost" for name in self.waiting]
            for head in record.heads()[-ACTS - 1 :]:
                self._root(head.size, head.root.hex())
            if whole:
                checked = check(record, 1)
                self.found.wrong += [problem.code for problem in checked.problems]
                self._root(checked.size, checked.root.hex())
            self.found.size = record.size
        for file in (
            self.log / "checkpoint",
            self.log.parent / "office.signed",
            *self.log.glob("checkpoints/[0-9]*"),
        ):
            if data := read_file(file, LARGEST_NOTE):
                checkpoint = read_checkpoint(read_note(data).text)
                self._root(checkpoint.size, checkpoint.root.hex())

    def _root(self, size: int, root: str) -> None:
        if self.roots.setdefault(size, root) != root:
            self.found.wrong.append(f"two roots for size {size}")


def killed(watch: Watch, lives: int, seed: int) -> None:
    """Lives that are killed from outside, at moments spread over as long as the first one lasted unharmed."""
    draw = random.Random(seed)
    started = time.monotonic()
    watch.take(ended(*fork(watch.where, watch.log, "unharmed", None))[1])
    lasted = time.monotonic() - started
    for number in range(lives):
        process, reading = fork(watch.where, watch.log, f"life-{number}", None)
        time.sleep(draw.uniform(0, 1.2 * lasted))
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        status, said = ended(process, reading)
        watch.found.lives += 1
        watch.found.deaths += os.WIFSIGNALED(status)
        watch.take(said)
        watch.look(whole=number % CHECKED_EVERY == 0)
    watch.look(whole=True)


def stepped(watch: Watch, lives: int) -> None:
    """Lives that die at each step in turn; the last one comes to its end."""
    for step in range(1, lives + 1):
        status, said = ended(*fork(watch.where, watch.log, f"step-{step}", step))
        watch.found.lives += 1
        watch.take(said)
        watch.look(whole=step % CHECKED_EVERY == 0)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status):
                watch.found.wrong.append(f"a life ended badly at step {step}")
            break
        watch.found.deaths += 1
    else:
        watch.found.wrong.append("no life came to its end")
    watch.look(whole=True)


def main(where: str, log: str, how: str, lives: str, seed: str = "1") -> None:
    """Live and die, and tell."""
    watch = Watch(where, Path(log))
    if how == "killed":
        killed(watch, int(lives), int(seed))
    else:
        stepped(watch, int(lives))
    sys.stdout.write(json.dumps(asdict(watch.found)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
