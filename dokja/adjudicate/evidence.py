"""What adjudication takes from a record: acts up to a horizon, and ballots folded into marks and votes.

Ballots come by the million, so they are folded as they stream by: for each panel, subject and team the sums of marks
(one for each rater) and the record indexes they stand at. Everything else stays an act.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from dokja.record.acts import Act, AnyAct, Ballot
from dokja.record.entries import BallotRow, Entry
from dokja.values import utc_text

A = TypeVar("A", bound=Act)

Subject = tuple[str, str, str, str]
"""Stage, panel, subject (a measure or a gate), team."""


@dataclass
class Marks:
    """One team's marks or votes by one panel on one subject, one for each rater, in the record's order.

    sealed: how many raters' marks or votes are there and not open.
    """

    totals: list[Decimal] = field(default_factory=list)
    objections: int = 0
    sealed: int = 0
    indexes: array[int] = field(default_factory=lambda: array("Q"))


@dataclass(frozen=True)
class Evidence:
    """The acts of a record up to `horizon`, without those whose source is left out."""

    horizon: datetime
    entries: tuple[Entry, ...]
    marks: Mapping[Subject, Marks]

    def of(self, kind: type[A]) -> Iterator[tuple[int, A]]:
        """The acts of one kind with their indexes."""
        for entry in self.entries:
            if isinstance(entry.act, kind):
                yield entry.index, entry.act


def gather(
    entries: Iterable[Entry],
    ballots: Iterable[BallotRow],
    horizon: datetime | None = None,
    leave_out: Iterable[str] = (),
) -> Evidence:
    """Fold a record into evidence.

    entries: acts, with or without ballots (a ballot among them is passed over), and at least one. horizon: what
    happened later does not count; left out, it is the latest time of any act or ballot. leave_out: ids of sources
    whose acts do not count, such as those of leaks.
    """
    hidden, given = frozenset(leave_out), tuple(entries)
    latest = utc_text(horizon) if horizon is not None else None
    last = max(utc_text(entry.act.when) for entry in given)
    marks: dict[Subject, Marks] = {}
    for row in ballots:
        if latest is not None and row.when > latest:
            continue
        last = max(last, row.when)
        subject = (row.stage, row.panel, row.subject, row.team)
        held = marks.get(subject)
        if held is None:
            held = marks[subject] = Marks()
        if row.total is None and row.meets is None:
            held.sealed += 1
            continue
        held.indexes.append(row.position)
        if row.total is not None:
            held.totals.append(row.total)
        elif row.meets is False:
            held.objections += 1
    until = datetime.fromisoformat(last) if horizon is None else horizon
    return Evidence(until, tuple(entry for entry in given if _counts(entry.act, until, hidden)), marks)


def _counts(act: AnyAct, horizon: datetime, hidden: frozenset[str]) -> bool:
    return not isinstance(act, Ballot) and act.when <= horizon and act.source not in hidden
