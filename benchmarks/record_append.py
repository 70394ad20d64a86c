"""Appending with full durability, beside bare SQLite on the same disk in the same run.

Singly: at least 70 % of what bare SQLite commits a second. In batches: at least 40,000 acts a second. Both take turns
in short rounds, so that whatever else the machine does disturbs both alike; what is compared are medians.

    python -m benchmarks.record_append [--rounds 15] [--acts 100000]
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.record_check import rows
from dokja.record import ACT, AnyAct, Record, open_record
from dokja.record.canonical import Rows

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


def _bare(file: Path) -> Callable[[int], None]:
    """A table of the same bytes, in WAL mode, synced at every commit, and nothing else."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE acts (at INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def append(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO acts VALUES (?, ?)", (number, b"x" * 150))
        connection.execute("COMMIT")

    return append


def _timed(append: Callable[[int], object], first: int) -> tuple[float, float]:
    """Commits a second, and processor seconds for each."""
    started, spent = time.perf_counter(), time.process_time()
    for number in range(first, first + _EACH):
        append(number)
    return _EACH / (time.perf_counter() - started), (time.process_time() - spent) / _EACH


def _singly(record: Record, bare: Callable[[int], None], rounds: int) -> None:
    acts = [_statement(number) for number in range(_EACH * rounds)]
    ours, theirs = [], []
    for round_ in range(rounds):
        theirs.append(_timed(bare, round_ * _EACH))
        ours.append(_timed(lambda number: record.append([acts[number]]), round_ * _EACH))
    rates = [statistics.median(each[0] for each in found) for found in (ours, theirs)]
    costs = [statistics.median(each[1] for each in found) for found in (ours, theirs)]
    share = statistics.median(one[0] / other[0] for one, other in zip(ours, theirs, strict=True))
    print(f"singly: {rates[0]:,.0f}/s, bare SQLite {rates[1]:,.0f}/s; {share:.0%} of it round by round")
    print(f"  processor: {costs[0] * 1e6:,.0f} µs a commit, bare SQLite {costs[1] * 1e6:,.0f} µs")


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
            _singly(record, _bare(Path(folder) / "bare.sqlite"), asked.rounds)
        with open_record(Path(folder) / "batches.sqlite") as record:
            _in_batches(record, asked.acts)


if __name__ == "__main__":
    main()
