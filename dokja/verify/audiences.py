"""Who gets which openings, and from when: an auditor all, a team its own, the public what the rules open to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dokja.record import Entry
from dokja.record.acts import Decision
from dokja.record.transparency.sealing.ballots import SealedMarks
from dokja.record.transparency.sealing.grid import Row
from dokja.rulebook import History
from dokja.rulebook.clauses import Audience as Reader
from dokja.rulebook.clauses import Disclosure
from dokja.values import ID_PATTERN

Kind = Literal["public", "auditor", "team"]
_WRITTEN = re.compile(rf"(public|auditor)|team:({ID_PATTERN[1:-1]})", re.ASCII)


@dataclass(frozen=True)
class Audience:
    """Whom a bundle is for; `team` is that of a team."""

    kind: Kind = "public"
    team: str | None = None

    @classmethod
    def read(cls, written: str) -> Audience:
        """The audience that `public`, `auditor` or `team:ID` names; raises `ValueError` for anything else."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError("no audience")
        return cls("team", found[2]) if found[2] else cls("auditor" if found[1] == "auditor" else "public")

    def __str__(self) -> str:
        return f"team:{self.team}" if self.kind == "team" else self.kind


@dataclass(frozen=True)
class Opened:
    """What is open to an audience at a time."""

    audience: Audience
    at: datetime
    history: History
    marks: SealedMarks
    decided: Mapping[str, datetime]

    def holds(self, row: Row, team: str) -> bool:
        """Whether a team's cells of a row are open: handed over, and due to this audience by the rules."""
        if row.act not in self.marks.grid.opened:
            return False
        if self.audience.kind == "auditor":
            return True
        decided = self.decided.get(row.key[0])
        return decided is not None and decided <= self.at and self._due(row.key[0], team, decided)

    def _due(self, stage: str, team: str, decided: datetime) -> bool:
        """Whether the rules in force at the decision open ballots to this audience by now.

        A team has its own from the decision on, unless a rule says otherwise.
        """
        own = self.audience.kind == "team" and self.audience.team == team
        readers: list[Reader] = ["public"]
        if self.audience.kind == "team":
            readers.append("team-itself" if own else "other-teams")
        rules = [
            level
            for clause in self.history.at(decided).of(Disclosure, stage)
            for level in clause.levels
            if level.field == "ballots" and level.audience in readers
        ]
        if own and all(level.audience != "team-itself" for level in rules):
            return True
        return any(
            level.level == "exact" and decided + timedelta(days=level.after_days) <= self.at for level in rules
        )


def opened_to(
    audience: Audience, at: datetime, history: History, entries: Sequence[Entry], marks: SealedMarks
) -> Opened:
    """What is open to an audience at a time; a stage's first decision counts."""
    decided: dict[str, datetime] = {}
    for entry in entries:
        if isinstance(entry.act, Decision):
            decided.setdefault(entry.act.stage, entry.act.when)
    return Opened(audience, at, history, marks, decided)
