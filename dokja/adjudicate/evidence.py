"""What adjudication takes from a record: acts up to a horizon, and ballots folded into marks and votes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dokja.record.acts import Act, AnyAct, Ballot
from dokja.record.entries import Entry
from dokja.record.folding import Folded, Marks, Subject
from dokja.values import utc_text

A = TypeVar("A", bound=Act)


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
    ballots: Folded,
    leave_out: Iterable[str] = (),
) -> Evidence:
    """What counts of a record, up to the horizon of its ballots; where they have none, up to the latest time of all.

    entries: acts, with or without ballots (a ballot among them is passed over), and at least one.
    leave_out: ids of sources whose acts do not count, such as those of leaks; ballots count whatever their source.
    """
    hidden, given = frozenset(leave_out), tuple(entries)
    horizon = ballots.horizon
    if horizon is None:
        horizon = datetime.fromisoformat(max(ballots.last, *(utc_text(entry.act.when) for entry in given)))
    return Evidence(horizon, tuple(entry for entry in given if _counts(entry.act, horizon, hidden)), ballots.marks)


def _counts(act: AnyAct, horizon: datetime, hidden: frozenset[str]) -> bool:
    return not isinstance(act, Ballot) and act.when <= horizon and act.source not in hidden
