"""What the replay knows when it comes to an act: the rules, the course so far, and what still waits for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dokja.intake.course import Course
from dokja.intake.rules import Rules
from dokja.record.about import About
from dokja.record.acts import Act, Decision, Finding, ObjectionFiled, RulebookAmended, RulebookPublished, Withdrawal
from dokja.rulebook import Call, Enacted, History, Rulebook
from dokja.values import utc_text


@dataclass(frozen=True)
class Contents:
    """What a bundle holds beside the log: the programme, its rulebook, and the rulebook's files in order."""

    about: About
    history: History
    files: tuple[Path, ...]


@dataclass
class Walk:
    """The replay as far as it has come.

    latest: the latest time of any act so far. decisions: by stage, with their indexes. objections: filed and not yet
    answered. replied: the acts that a reply was given to. left: teams that withdrew. published: documents so far.
    """

    contents: Contents
    rules: Rules
    course: Course
    latest: datetime | None = None
    decisions: dict[str, tuple[int, Decision]] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    objections: dict[str, tuple[int, ObjectionFiled]] = field(default_factory=dict)
    replied: set[str] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)
    published: dict[int, int] = field(default_factory=dict)
    _states: dict[str, Rulebook] = field(default_factory=dict)

    def rules_at(self, when: datetime) -> Rulebook:
        """The rulebook in force at a time."""
        since = self.rules.since(utc_text(when))
        if since not in self._states:
            self._states[since] = self.contents.history.at(when)
        return self._states[since]

    def enacted_at(self, when: datetime) -> Mapping[str, Enacted]:
        """The clauses in force at a time."""
        return self.rules_at(when).enacted

    def call_clause(self, call: str, when: datetime) -> Call | None:
        """The clause in force on a call."""
        return next((clause for clause in self.rules_at(when).of(Call) if clause.call == call), None)

    def teams_in(self, stage: str, when: str) -> frozenset[str]:
        """The teams that have a part in a stage at a time."""
        entered = self.course.stage(stage).entered
        return frozenset(team for team, at in entered.items() if at <= when and (stage, team) not in self.left)

    def fold(self, index: int, act: Act) -> None:
        """Take an act in that was checked."""
        self.latest = act.when if self.latest is None else max(self.latest, act.when)
        match act:
            case Decision():
                self.decisions[act.stage] = index, act
            case Finding():
                self.findings[act.id] = act
            case ObjectionFiled():
                self.objections[act.id] = index, act
            case Withdrawal():
                self.left.add((act.stage, act.team))
            case RulebookPublished() | RulebookAmended():
                self.published[act.number] = index
