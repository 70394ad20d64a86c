"""How long it takes to seal, commit, close and open a grid: `python -m benchmarks.sealing` (10,000 rows of 30 cells).

Two figures count: what is committed (every row's act into the record on the disk, and the act with the root over all
cells), and what it takes from the marks on, as if one machine sealed for all raters. Each is told in seconds on the
clock and in processor seconds; where other work runs beside it, only the second says anything.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from dokja.record import open_record
from dokja.record.canonical import Rows, row_of, tree_of
from dokja.record.transparency.sealing.grid import Grid
from dokja.record.transparency.sealing.making import Sealed, seal_marks, seal_stage
from dokja.record.transparency.sealing.openings import Openings

WHEN = datetime(2027, 8, 17, tzinfo=UTC)
TEAMS = tuple(f"team-{letter}" for letter in "abcde")
CRITERIA = ("depth", "novelty", "openness", "plan", "safety", "technology")
T = TypeVar("T")


@dataclass
class Clock:
    """Seconds on the clock and of the processor, step by step."""

    seconds: float = 0
    processor: float = 0

    def run(self, name: str, step: Callable[[], T]) -> T:
        """Do a step and tell what it took."""
        wall, processor = time.perf_counter(), time.process_time()
        done = step()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        self.seconds += wall
        self.processor += processor
        tell(name, wall, processor)
        return done


def tell(name: str, seconds: float, processor: float) -> None:
    """One line."""
    sys.stdout.write(f"{name:<34}{seconds:8.2f} s {processor:8.2f} s of the processor\n")


def seal(rows: int) -> list[Sealed]:
    """The rows, each with marks of its own."""
    return [
        seal_marks(
            f"sealed-{row}",
            WHEN,
            stage="stage-1",
            panel="experts",
            rater=f"rater-{row}",
            measure="expert",
            criteria=CRITERIA,
            marks={team: dict.fromkeys(CRITERIA, f"{row % 25}.5") for team in TEAMS},
        )
        for row in range(rows)
    ]


def grid_of(sealed: list[Sealed]) -> Grid:
    """The grid that the acts make, each judged."""
    grid = Grid()
    for index, each in enumerate(sealed):
        grid.follow(index, tree_of(each.act))
    return grid


def commit(sealed: list[Sealed], grid: Grid, file: Path) -> None:
    """All acts in one transaction, then the act that closes the stage in another."""
    with open_record(file) as record:
        with record.writing() as writing:
            writing.add(Rows.of(row_of(each.act) for each in sealed))
        record.append([seal_stage("closed", "office", WHEN, "stage-1", grid)])


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    sys.stdout.write(f"{rows:,} rows of {len(TEAMS) * len(CRITERIA)} cells\n")
    with TemporaryDirectory() as folder:
        whole = Clock()
        sealed = whole.run("sealing", lambda: seal(rows))
        committing = Clock()
        grid = committing.run("judging every row", lambda: grid_of(sealed))
        committing.run("root, and all acts on the disk", lambda: commit(sealed, grid, Path(folder) / "record.sqlite"))
        tell("committed", committing.seconds, committing.processor)
        tell(
            "sealed and committed",
            whole.seconds + committing.seconds,
            whole.processor + committing.processor,
        )
        lines = "".join(f"{line}\n" for each in sealed for line in each.openings).encode()
        Clock().run("checking every opening", lambda: Openings().take_all(lines, grid))


if __name__ == "__main__":
    main()
