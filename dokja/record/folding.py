"""Ballots folded into marks and votes, as they are read: what is asked of millions of them is little.

For each panel, subject and team: how many raters gave which sum of marks, and the record indexes they stand at.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from dokja.record.entries import BallotRow
from dokja.values import utc_text

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


@dataclass
class Folded:
    """Ballots as marks and votes. horizon: what came later does not count."""

    marks: dict[Subject, Marks] = field(default_factory=dict)
    horizon: datetime | None = None

    @property
    def last(self) -> str:
        """The latest time of any of them, "" where there are none."""
        return max((held.last for held in self.marks.values()), default="")

    def without(self, subjects: Collection[tuple[str, str, str]]) -> Folded:
        """Those that are not on any of these subjects, each a stage, a panel and a measure or a gate."""
        return Folded(
            {subject: held for subject, held in self.marks.items() if subject[:3] not in subjects}, self.horizon
        )

    def add(self, more: Folded, first: int = 0) -> None:
        """Take in what was folded of ballots that follow these. first: the index that theirs count from."""
        for subject, taken in more.marks.items():
            held = self.marks.get(subject)
            if held is None:
                held = self.marks[subject] = Marks()
            held.totals.update(taken.totals)
            held.objections += taken.objections
            held.sealed += taken.sealed
            held.indexes.extend(map(first.__add__, taken.indexes) if first else taken.indexes)
            held.last = max(held.last, taken.last)


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
        whole.add(part)
    return whole
