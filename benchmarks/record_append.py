"""Appending with full durability, beside bare SQLite on the same disk in the same run.

Singly: at least 70 % of what bare SQLite commits a second. Bare SQLite writes the same row, made beforehand, with
its unique key, by the same settings (page size, WAL, a sync at every commit); no tree, no head, no guards, no check.
Beside it stands a table of nothing but bytes, the least that a commit can be. In batches: at least 40,000 acts a
second. All take turns in short rounds, so that whatever else the machine does disturbs them alike; what is compared
are medians.

    python -m benchmarks.record_append [--rounds 15] [--acts 100000]
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.record_check import rows
from dokja.record import ACT, AnyAct, Record, open_record
from dokja.record.canonical import Rows, row_of
from dokja.record.tables import CONNECTED

_EACH = 40
"""Transactions of one round."""

_BATCH = 10_000


def _statement(number: int) -> AnyAct:
    return ACT.validate_python(
        {
            "type": "statement",
            "id": f"said-{number}",
            "who": "office",
            "when": "2027-03-01T09:00:00+09:00",
            "note": {"ko": "말", "en": "a word"},
        }
    )


_SAME_ROW = (
    'CREATE TABLE acts ("index" INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, type TEXT NOT NULL, at TEXT NOT NULL, '
    "stage TEXT, team TEXT, body BLOB NOT NULL, leaf BLOB NOT NULL)"
)
_BYTES = "CREATE TABLE acts (at INTEGER PRIMARY KEY, body BLOB NOT NULL)"


def _bare(file: Path, table: str, rows: Sequence[tuple[object, ...]]) -> Callable[[int], None]:
    """A table of rows, each a transaction that has reached the disk when it ends, and nothing else."""
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in CONNECTED["sqlite"]:
        connection.execute(statement)
    connection.execute(table)
    insert = f"INSERT INTO acts VALUES ({', '.join('?' * (1 + len(rows[0])))})"

    def append(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(insert, (number, *rows[number]))
        connection.execute("COMMIT")

    return append


def _timed(append: Callable[[int], object], first: int) -> tuple[float, float]:
    """Commits a second, and processor seconds for each."""
    started, spent = time.perf_counter(), time.process_time()
    for number in range(first, first + _EACH):
        append(number)
    return _EACH / (time.perf_counter() - started), (time.process_time() - spent) / _EACH


def _singly(folder: Path, record: Record, rounds: int) -> None:
    acts = [_statement(number) for number in range(_EACH * rounds)]
    rows = [row_of(act) for act in acts]
    ways: dict[str, Callable[[int], object]] = {
        "the record": lambda number: record.append([acts[number]]),
        "bare SQLite, the same row": _bare(folder / "row.sqlite", _SAME_ROW, rows),
        "bare SQLite, bytes alone": _bare(folder / "bytes.sqlite", _BYTES, [(row.body,) for row in rows]),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for round_ in range(rounds):
        for name, append in ways.items():
            found[name].append(_timed(append, round_ * _EACH))
    ours = found["the record"]
    for name, theirs in found.items():
        rate, cost = (statistics.median(each[at] for each in theirs) for at in (0, 1))
        share = statistics.median(one[0] / other[0] for one, other in zip(ours, theirs, strict=True))
        print(f"singly, {name}: {rate:,.0f}/s, {cost * 1e6:,.0f} µs of processor; the record has {share:.0%} of it")


def _in_batches(record: Record, acts: int) -> None:
    made = [list(rows(first, min(_BATCH, acts - first))) for first in range(0, acts, _BATCH)]
    started, spent = time.perf_counter(), time.process_time()
    for batch in made:
        with record.writing() as writing:
            writing.add(Rows.of(batch))
    wall, processor = time.perf_counter() - started, time.process_time() - spent
    print(f"in batches of {_BATCH:,}: {acts / wall:,.0f} acts/s; {acts / processor:,.0f} a processor second")


def main() -> None:
    """Append singly and in batches, and print both."""
    parser = argparse.ArgumentParser(description="Time appending to a record.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--acts", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        with open_record(Path(folder) / "single.sqlite") as record:
            _singly(Path(folder), record, asked.rounds)
        with open_record(Path(folder) / "batches.sqlite") as record:
            _in_batches(record, asked.acts)


if __name__ == "__main__":
    main()
