"""The check of a record: everything that can be computed again is, and held against what stands there.

From its bytes alone each act's row is derived anew and compared (`examining`); here the indexes must be gapless from
0, the root of every head must follow from the acts before it, the guards must be in place and the database must find
its own file in order. What cannot be seen from inside is a record that was cut back, heads and all, to an earlier
state: that takes a root kept by somebody else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, func, inspect, or_, select

from dokja.errors import Place, Problem
from dokja.record.examining import WINDOW, Examined, examine
from dokja.record.merkle import Frontier
from dokja.record.parallel import processors, spread
from dokja.record.refusals import told
from dokja.record.storage import Record
from dokja.record.tables import ACTS, FILES, HEADS, PROGRAMME, STANDING_GUARDS, guards_of

MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Check:
    """What a check found: how many acts stand without a gap from index 0, their root, and what is wrong.

    problems: at most `MOST_PROBLEMS`; none where the record is sound.
    """

    size: int
    root: bytes
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Head:
    """What a head seals, as it stands or as it must be."""

    size: int
    root: bytes
    peaks: bytes


@dataclass
class _Walk:
    """The log as far as it was walked: the tree up to the first gap, its heads, and the index due next."""

    sealed: tuple[int, ...]
    frontier: Frontier = field(default_factory=lambda: Frontier(0, []))
    heads: dict[int, _Head] = field(default_factory=dict)
    due: int = 0

    def over(self, examined: Examined, place: Place) -> Iterator[Problem]:
        """Walk over a window; every gap before one of its runs is a problem."""
        first = 0
        for run in examined.runs:
            leaves = examined.leaves[first : first + len(run)]
            first += len(run)
            if run.start > self.due:
                yield _missing(self.due, run.start - 1, place)
            if run.start == self.frontier.size:
                self._extend(leaves)
            self.due = run.stop

    def _extend(self, leaves: Sequence[bytes]) -> None:
        """Take leaves in, and stop at every head on the way to see what it must be."""
        start = self.frontier.size
        due = self.sealed[bisect_right(self.sealed, start) : bisect_right(self.sealed, start + len(leaves))]
        for size in due:
            self.frontier.extend(leaves[self.frontier.size - start : size - start])
            self.heads[size] = _Head(size, self.frontier.root(), self.frontier.joined())
        self.frontier.extend(leaves[self.frontier.size - start :])


def check(record: Record, processes: int | None = None) -> Check:
    """Compute the whole record anew.

    processes: how many to spread the work over; as many as there are processors where none is named.
    """
    place = record.place
    with told(place), record.engine.connect() as connection:
        problems = [*_damage(connection, place), *_unguarded(connection, place)]
        heads = [_Head(*row) for row in connection.execute(_heads_in_order)]
        windows = connection.execute(_windows_in_order).scalars().all()
        last = heads[-1].size if heads else 0
        problems += _unsealed(connection, last, place)
    walk = _Walk(tuple(head.size for head in heads))
    with spread(partial(examine, record.url), (processes or processors()) if len(windows) > 1 else 1) as examine_all:
        for examined in examine_all(windows):
            problems += walk.over(examined, place)
            problems += examined.problems
    if walk.due < last:
        problems.append(_missing(walk.due, last - 1, place))
    problems += _wrong_heads(heads, walk, place)
    return Check(walk.frontier.size, walk.frontier.root(), tuple(problems[:MOST_PROBLEMS]))


_heads_in_order = select(HEADS.c.size, HEADS.c.root, HEADS.c.peaks).order_by(HEADS.c.size)
_windows_in_order = (
    select((ACTS.c["index"] // WINDOW).label("window")).where(ACTS.c["index"] >= 0).distinct().order_by("window")
)
"""The windows that hold any act: a damaged index may lie far off, and empty windows are not walked through."""


def _damage(connection: Connection, place: Place) -> Iterator[Problem]:
    """What SQLite finds wrong with its own file; PostgreSQL's server sees to its own."""
    if connection.dialect.name != "sqlite":
        return
    for said in connection.exec_driver_sql("PRAGMA integrity_check(10)").scalars():
        if said != "ok":
            yield Problem(
                "record-damaged",
                "The record's file is damaged, or is no record ({reason}).",
                "Keep the file as it is, and restore the record from a copy.",
                place,
                {"reason": str(said)},
            )


def _unguarded(connection: Connection, place: Place) -> Iterator[Problem]:
    dialect = connection.dialect.name
    standing = set(connection.exec_driver_sql(STANDING_GUARDS[dialect]).scalars())
    # Records that nobody has claimed yet may be older than the table that says whose they are.
    there = {PROGRAMME.name} if inspect(connection).has_table(PROGRAMME.name) else set()
    for guard in guards_of(dialect, {ACTS.name, HEADS.name, FILES.name, *there}):
        if not guard.endswith("()") and guard not in standing:
            yield Problem(
                "record-unguarded",
                "The guard “{guard}”, which keeps the record append-only, is missing.",
                "Restore the record from a copy; somebody took the guard away.",
                place,
                {"guard": guard},
            )


def _unsealed(connection: Connection, last: int, place: Place) -> Iterator[Problem]:
    index = ACTS.c["index"]
    count = connection.execute(select(func.count()).where(or_(index < 0, index >= last))).scalar_one()
    if count:
        yield Problem(
            "record-unsealed",
            "The record holds {count} acts that no head covers.",
            "Restore the record from a copy; they were not written by this program.",
            place,
            {"count": str(count)},
        )


def _missing(first: int, last: int, place: Place) -> Problem:
    return Problem(
        "record-missing-row",
        "The acts from index {first} to {last} are missing.",
        "Restore the record from a copy; somebody took them away.",
        place,
        {"first": str(first), "last": str(last)},
    )


def _wrong_heads(heads: Sequence[_Head], walk: _Walk, place: Place) -> Iterator[Problem]:
    """The first head that does not follow from the acts before it; what comes after it rests on the same acts."""
    for head in heads:
        if walk.heads.get(head.size, head) != head:
            yield Problem(
                "record-root",
                "The root that was written for the first {size} acts does not follow from them.",
                "Restore the record from a copy; the acts or the root were changed.",
                place,
                {"size": str(head.size)},
            )
            return
