"""What the replay knows when it comes to an act: the rules, the course so far, and what still waits for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dokja.intake.course import Course
from dokja.intake.rules import Rules
from dokja.intake.voices import Offices
from dokja.record.about import About
from dokja.record.acts import (
    Act,
    AuditReported,
    CallOpened,
    ConsentGiven,
    Decision,
    Finding,
    Genesis,
    MarksSealed,
    ObjectionAnswered,
    ObjectionFiled,
    Reply,
    RulebookAmended,
    RulebookPublished,
    Withdrawal,
)
from dokja.rulebook import Call, Enacted, History, RecordKeeping, Rulebook
from dokja.values import utc_text


@dataclass(frozen=True)
class Contents:
    """What a bundle holds beside the log: the programme, its rulebook, and the rulebook's files in order."""

    about: About
    history: History
    files: tuple[Path, ...]


@dataclass
class Rulemaking:
    """How the rulebook came about: which act published each document, which amended it, who consented.

    signed: whether the record was founded with keys, so that consent is the teams' own act.
    """

    published: dict[int, int] = field(default_factory=dict)
    amended: list[tuple[int, RulebookAmended]] = field(default_factory=list)
    consents: list[ConsentGiven] = field(default_factory=list)
    signed: bool = False

    def fold(self, index: int, act: Act) -> None:
        """Take an act in."""
        match act:
            case RulebookPublished():
                self.published[act.number] = index
            case RulebookAmended():
                self.published[act.number] = index
                self.amended.append((index, act))
            case ConsentGiven():
                self.consents.append(act)
            case Genesis():
                self.signed = True


@dataclass(frozen=True)
class Heard:
    """What a team said before a decision: in which stage, who, when."""

    stage: str
    team: str
    when: datetime


@dataclass
class Hearing:
    """What was found of teams and what they said to it.

    audits: the stages of weight audits, by id. objections: filed and not yet answered. replied: the acts that a reply
    was given to. heard: replies and objections, by id. unweighed: those of which no decision says anything.
    """

    findings: dict[str, Finding] = field(default_factory=dict)
    audits: dict[str, str] = field(default_factory=dict)
    objections: dict[str, tuple[int, ObjectionFiled]] = field(default_factory=dict)
    replied: set[str] = field(default_factory=set)
    heard: dict[str, Heard] = field(default_factory=dict)
    unweighed: list[str] = field(default_factory=list)

    def fold(self, index: int, act: Act) -> None:
        """Take an act in."""
        match act:
            case Finding():
                self.findings[act.id] = act
            case AuditReported():
                self.audits[act.id] = act.stage
            case Reply():
                self.replied.add(act.to)
                if (stage := self.stage_of(act.to)) is not None:
                    self.heard[act.id] = Heard(stage, act.team, act.when)
            case ObjectionFiled():
                self.objections[act.id] = index, act
                self.heard[act.id] = Heard(act.stage, act.team, act.when)
            case ObjectionAnswered():
                self.objections.pop(act.objection, None)

    def stage_of(self, finding: str) -> str | None:
        """The stage of a finding or an audit; `None` for any other act."""
        held = self.findings.get(finding)
        return held.stage if held is not None else self.audits.get(finding)


@dataclass
class Walk:
    """The replay as far as it has come.

    latest: the latest time of any act so far. decisions: by stage, with their indexes. left: when teams withdrew.
    calls: when each was first opened. marked: who has marked on a panel whose judges are drawn. offices: who the
    office is, by the keys.
    """

    contents: Contents
    rules: Rules
    course: Course
    latest: datetime | None = None
    decisions: dict[str, tuple[int, Decision]] = field(default_factory=dict)
    left: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    rulemaking: Rulemaking = field(default_factory=Rulemaking)
    hearing: Hearing = field(default_factory=Hearing)
    marked: set[tuple[str, str, str]] = field(default_factory=set)
    offices: Offices = field(default_factory=Offices)
    _states: dict[str, Rulebook] = field(default_factory=dict)
    _numbering: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def rules_at(self, when: datetime) -> Rulebook:
        """The rulebook in force at a time."""
        return self.rules_said(utc_text(when))

    def rules_said(self, when: str) -> Rulebook:
        """The rulebook in force at a time, as acts say it."""
        since = self.rules.since(when)
        if since not in self._states:
            self._states[since] = self.contents.history.at(datetime.fromisoformat(when))
        return self._states[since]

    def numbering_at(self, when: datetime) -> Mapping[str, str]:
        """The stages whose acts their actors number at a time, each with the clause that says so."""
        return self.numbering_said(utc_text(when))

    def numbering_said(self, when: str) -> Mapping[str, str]:
        """The same at a time as acts say it."""
        since = self.rules.since(when)
        if since not in self._numbering:
            clauses = self.rules_said(when).of(RecordKeeping)
            self._numbering[since] = {clause.stage: clause.id for clause in clauses if clause.numbered}
        return self._numbering[since]

    def enacted_at(self, when: datetime) -> Mapping[str, Enacted]:
        """The clauses in force at a time."""
        return self.rules_at(when).enacted

    def call_clause(self, call: str, when: datetime) -> Call | None:
        """The clause in force on a call."""
        return next((clause for clause in self.rules_at(when).of(Call) if clause.call == call), None)

    def teams_in(self, stage: str, when: str) -> frozenset[str]:
        """The teams that have a part in a stage at a time."""
        entered = self.course.stage(stage).entered
        return frozenset(
            team for team, at in entered.items() if at <= when and self.left.get((stage, team), when) >= when
        )

    def note_ballots(self, keys: Iterable[str]) -> None:
        """Keep who marked, by the keys of ballots, where that matters: on panels whose judges are drawn."""
        if self.course.panels:
            for _, stage, panel, _, rater, _ in (key.split("/") for key in keys):
                if (stage, panel) in self.course.panels:
                    self.marked.add((stage, panel, rater))

    def fold(self, index: int, act: Act) -> None:
        """Take an act in that was checked."""
        self.latest = act.when if self.latest is None else max(self.latest, act.when)
        self.rulemaking.fold(index, act)
        self.hearing.fold(index, act)
        self.offices.fold(act)
        match act:
            case Decision():
                self.decisions[act.stage] = index, act
            case MarksSealed() if (act.stage, act.panel) in self.course.panels:
                self.marked.add((act.stage, act.panel, act.rater))
            case Withdrawal():
                self.left.setdefault((act.stage, act.team), utc_text(act.when))
            case CallOpened():
                self.calls.setdefault(act.call, utc_text(act.when))
