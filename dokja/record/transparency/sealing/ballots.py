"""Sealed marks as ballots: what was opened counts, what is still sealed is unknown and never nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dokja.record.acts import MarksOpened, MarksSealed, StageSealed
from dokja.record.canonical import tree_of
from dokja.record.entries import BallotRow, Entry
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.sealing.grid import Grid, Row
from dokja.record.transparency.sealing.openings import Absent, Openings, Value
from dokja.values import utc_text


@dataclass(frozen=True)
class SealedRow:
    """A row of the grid, with the index and the time of its act."""

    index: int
    when: str
    row: Row


@dataclass(frozen=True)
class SealedMarks:
    """All that a record seals."""

    grid: Grid = field(default_factory=Grid)
    rows: tuple[SealedRow, ...] = ()


def sealed_marks(entries: Iterable[Entry]) -> SealedMarks:
    """What acts seal; one that the grid refuses seals nothing."""
    grid, rows = Grid(), list[SealedRow]()
    for entry in entries:
        act = entry.act
        if not isinstance(act, MarksSealed | StageSealed | MarksOpened):
            continue
        try:
            grid.follow(entry.index, tree_of(act))
        except RefusedError:
            continue
        if isinstance(act, MarksSealed):
            rows.append(SealedRow(entry.index, utc_text(act.when), grid.acts[act.id]))
    return SealedMarks(grid, tuple(rows))


def sealed_ballots(marks: SealedMarks, openings: Openings) -> Iterator[BallotRow]:
    """The ballots that were sealed. An opening counts once the record says that it was handed over."""
    for held in marks.rows:
        yield from _ballots(held, openings if held.row.act in marks.grid.opened else Openings())


def _ballots(held: SealedRow, openings: Openings) -> Iterator[BallotRow]:
    """A row as ballots, one a team; a rater who is absent for a team casts none for it."""
    stage, panel, subject, rater = held.row.key
    for team in held.row.teams:
        values = openings.of(held.row, team)
        if not any(isinstance(value, Absent) for value in values):
            yield BallotRow(held.index, held.when, stage, panel, subject, rater, team, *_counted(values))


def _counted(values: Sequence[Value | None]) -> tuple[Decimal | None, bool | None]:
    if isinstance(values[0], bool):
        return None, values[0]
    marks = [value for value in values if isinstance(value, Decimal)]
    return (sum(marks, Decimal(0)), None) if len(marks) == len(values) else (None, None)
