"""`dokja record check` on a record of a million ballots: at least 50,000 acts a second.

python -m benchmarks.record_check [--acts 1000000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dokja.record import open_record
from dokja.record.bulk import plain_row
from dokja.record.canonical import Row, Rows
from dokja.record.check import check

_BATCH = 10_000


def rows(first: int, count: int) -> Iterator[Row]:
    """Ballots as a record keeps them."""
    for number in range(first, first + count):
        rater, team = divmod(number, 50)
        tree = {
            "type": "ballot",
            "who": f"rater-{rater}",
            "when": "2027-08-17T09:00:00+09:00",
            "stage": "stage-1",
            "panel": "experts",
            "rater": f"rater-{rater}",
            "team": f"team-{team}",
            "measure": "expert",
            "marks": {"technology": f"{number % 50 / 2}", "plan": f"{number % 30 / 2}"},
        }
        row = plain_row(tree)
        assert row is not None
        yield row


def main() -> None:
    """Fill a record, check it, print the rate."""
    parser = argparse.ArgumentParser(description="Time the check of a record.")
    parser.add_argument("--acts", type=int, default=1_000_000)
    acts = parser.parse_args().acts
    with tempfile.TemporaryDirectory() as folder, open_record(Path(folder) / "record.sqlite") as record:
        with record.writing() as writing:
            for first in range(0, acts, _BATCH):
                writing.add(Rows.of(rows(first, min(_BATCH, acts - first))))
        started = time.perf_counter()
        found = check(record)
        seconds = time.perf_counter() - started
        spent = time.process_time()
        check(record, 1)
        spent = time.process_time() - spent
    assert found.size == acts
    assert not found.problems
    print(f"{acts:,} acts in {seconds:.1f} s: {acts / seconds:,.0f} acts/s; {acts / spent:,.0f} a processor second")


if __name__ == "__main__":
    main()
