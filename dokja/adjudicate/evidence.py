"""What adjudication takes from a record: acts up to a horizon, and ballots folded into marks and votes.

Ballots come by the million, so they are folded as they stream by: for each panel, subject and team the sums of marks
(one for each rater) and the record indexes they stand at. Everything else stays an act.
"""

from __future__ import annotations

from array import array
from collections import Counter
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
    """One team's marks or votes by one panel on one subject, one for each rater.

    totals: how many raters gave each sum of marks; raters by the thousand give few different ones. sealed: how many
    raters' marks or votes are there and not open. indexes: where they stand, in the record's order. last: the latest
    time of any of them.
    """

    totals: Counter[Decimal] = field(default_factory=Counter)
    objections: int = 0
    sealed: int = 0
    indexes: array[int] = field(default_factory=lambda: array("Q"))
    last: str = ""


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


@dataclass
class Folded:
    """Ballots as marks and votes. horizon: what came later does not count."""

    marks: dict[Subject, Marks] = field(default_factory=dict)
    horizon: datetime | None = None

    @property
    def last(self) -> str:
        """The latest time of any of them, "" where there are none."""
        return max((held.last for held in self.marks.values()), default="")


def gather(
    entries: Iterable[Entry],
    ballots: Folded,
    leave_out: Iterable[str] = (),
) -> Evidence:
    """What counts of a record, up to the horizon of its ballots; where they have none, up to the latest time of all.

    entries: acts, with or without ballots (a ballot among them is passed over), and at least one.
    leave_out: ids of sources whose acts do not count, such as those of leaks.
    """
    hidden, given = frozenset(leave_out), tuple(entries)
    horizon = ballots.horizon
    if horizon is None:
        horizon = datetime.fromisoformat(max(ballots.last, *(utc_text(entry.act.when) for entry in given)))
    return Evidence(horizon, tuple(entry for entry in given if _counts(entry.act, horizon, hidden)), ballots.marks)


def fold(ballots: Iterable[BallotRow], horizon: datetime | None = None) -> Folded:
    """Ballots as marks and votes, up to a horizon if one is named."""
    latest = utc_text(horizon) if horizon is not None else None
    marks: dict[Subject, Marks] = {}
    for position, when, stage, panel, named, _, team, total, meets in ballots:
        if latest is not None and when > latest:
            continue
        subject = (stage, panel, named, team)
        held = marks.get(subject)
        if held is None:
            held = marks[subject] = Marks()
        held.last = max(held.last, when)
        if total is None and meets is None:
            held.sealed += 1
            continue
        held.indexes.append(position)
        if total is not None:
            held.totals[total] += 1
        elif meets is False:
            held.objections += 1
    return Folded(marks, horizon)


def joined(parts: Iterable[Folded]) -> Folded:
    """What was folded of ballots that follow each other, part by part, as if it had been folded in one go."""
    whole = Folded()
    for part in parts:
        whole.horizon = part.horizon
        for subject, more in part.marks.items():
            held = whole.marks.setdefault(subject, Marks())
            held.totals += more.totals
            held.objections += more.objections
            held.sealed += more.sealed
            held.indexes += more.indexes
            held.last = max(held.last, more.last)
    return whole


def _counts(act: AnyAct, horizon: datetime, hidden: frozenset[str]) -> bool:
    return not isinstance(act, Ballot) and act.when <= horizon and act.source not in hidden
