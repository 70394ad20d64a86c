"""What has happened so far, as far as later acts depend on it: who was admitted, what is open, what was decided.

The course of a programme is the fold of its acts; `timely` holds an act against it before it is folded in. Times are
UTC texts, which sort as the moments do. Ballots do not change the course; that each is one of a kind the record sees
to.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

from dokja.intake.rules import Rules
from dokja.record.acts import (
    Act,
    Admission,
    AnyAct,
    Application,
    CallClosed,
    CallOpened,
    Decision,
    DrawAnnounced,
    DrawMade,
    MarksOpened,
    MarksSealed,
    ObjectionAnswered,
    ObjectionFiled,
    ObjectPinned,
    PresentationHeld,
    Recusal,
    StageSealed,
    Withdrawal,
)
from dokja.record.canonical import tree_of
from dokja.record.draws import seated
from dokja.record.transparency import RefusedError
from dokja.record.transparency.sealing.grid import Grid
from dokja.values import utc_text


@dataclass
class CallCourse:
    """A call: when it was opened and closed, when it was announced to close, and when each team applied."""

    opened: str | None = None
    closes: str | None = None
    closed: str | None = None
    applied: dict[str, str] = field(default_factory=dict)


@dataclass
class StageCourse:
    """A stage: since when it is open, each team's entry, and the last decision.

    settled: the decision stands; an upheld objection, or the withdrawal of a team that went on, unsettles it.
    left: teams that withdrew from it. presented: those that presented, in order, each with when it did.
    """

    opened: str | None = None
    entered: dict[str, str] = field(default_factory=dict)
    decision: Decision | None = None
    settled: bool = False
    left: set[str] = field(default_factory=set)
    presented: dict[str, str] = field(default_factory=dict)

    def teams(self, when: str) -> tuple[str, ...]:
        """The teams that have a part in it at a time, in the order of their ids."""
        return tuple(sorted(team for team, at in self.entered.items() if at <= when and team not in self.left))


@dataclass
class DrawCourse:
    """A draw: how it was announced, how it was made, and who left since."""

    announced: DrawAnnounced
    made: DrawMade | None = None
    recused: list[str] = field(default_factory=list)

    @property
    def seated(self) -> tuple[str, ...]:
        """Who or what is drawn as things stand; nobody before the draw was made."""
        return seated(self.made.ranking, self.announced.drawn, self.recused) if self.made else ()


@dataclass(frozen=True)
class Happened:
    """When an act happened, and what kind of act it was."""

    when: str
    kind: type[Act]


@dataclass
class Course:
    """The fold of a programme's acts, ballots aside.

    acts: by id. teams: since when each is known. objections: the stage that each is about. draws: by the act that
    announced each; panels: the draw of a panel's judges, by stage and panel; items: of a measure's items, likewise;
    orders: of the order of presentation, by stage.
    grid: what is sealed. pinned: objects outside the record.
    """

    rules: Rules
    acts: dict[str, Happened] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    calls: dict[str, CallCourse] = field(default_factory=dict)
    stages: dict[str, StageCourse] = field(default_factory=dict)
    objections: dict[str, str] = field(default_factory=dict)
    draws: dict[str, DrawCourse] = field(default_factory=dict)
    panels: dict[tuple[str, str], DrawCourse] = field(default_factory=dict)
    items: dict[tuple[str, str], DrawCourse] = field(default_factory=dict)
    orders: dict[str, DrawCourse] = field(default_factory=dict)
    grid: Grid = field(default_factory=Grid)
    pinned: dict[str, str] = field(default_factory=dict)

    def stage(self, stage: str) -> StageCourse:
        """The course of a stage; the calendar of the rulebook says when it opens, where it says so."""
        if (found := self.stages.get(stage)) is None:
            found = self.stages[stage] = StageCourse(self.rules.opens.get(stage))
        return found

    def call(self, call: str) -> CallCourse:
        """The course of a call."""
        return self.calls.setdefault(call, CallCourse())

    def fold(self, act: AnyAct) -> None:
        """Take an act in."""
        when = utc_text(act.when)
        self.acts[act.id] = Happened(when, type(act))
        self._fold_draw(act)
        match act:
            case CallOpened():
                applied = self.call(act.call).applied
                self.calls[act.call] = CallCourse(when, utc_text(act.closes) if act.closes else None, applied=applied)
            case CallClosed():
                self.call(act.call).closed = when
            case Application():
                self.teams.setdefault(act.team, when)
                self.call(act.call).applied.setdefault(act.team, when)
            case Admission():
                self._enter(act.stage, act.team, when)
            case Decision():
                self._decide(act, when)
            case ObjectionFiled():
                self.objections[act.id] = act.stage
            case ObjectionAnswered() if act.upheld and act.objection in self.objections:
                self.stage(self.objections[act.objection]).settled = False
            case MarksSealed() | StageSealed() | MarksOpened() | ObjectPinned():
                self._seal(act, when)
            case Withdrawal():
                self._leave(act)

    def _fold_draw(self, act: AnyAct) -> None:
        match act:
            case DrawAnnounced():
                draw = self.draws[act.id] = DrawCourse(act)
                if act.panel is not None:
                    self.panels.setdefault((act.stage, act.panel), draw)
                if act.measure is not None:
                    self.items.setdefault((act.stage, act.measure), draw)
                if act.purpose == "order":
                    self.orders.setdefault(act.stage, draw)
            case DrawMade() if act.draw in self.draws:
                draw = self.draws[act.draw]
                draw.made = draw.made or act
            case Recusal() if act.draw in self.draws:
                self.draws[act.draw].recused.append(act.member)
            case PresentationHeld():
                self.stage(act.stage).presented.setdefault(act.team, utc_text(act.when))

    def _seal(self, act: MarksSealed | StageSealed | MarksOpened | ObjectPinned, when: str) -> None:
        if isinstance(act, ObjectPinned):
            self.pinned[act.object] = when
            return
        with suppress(RefusedError):
            self.grid.follow(None, tree_of(act))

    def _enter(self, stage: str, team: str, when: str) -> None:
        self.teams.setdefault(team, when)
        course = self.stage(stage)
        course.entered[team] = min(course.entered.get(team, when), when)
        self._open(course, stage, when)

    def _open(self, course: StageCourse, stage: str, when: str) -> None:
        if stage not in self.rules.opens:
            course.opened = when if course.opened is None else min(course.opened, when)

    def _decide(self, act: Decision, when: str) -> None:
        course = self.stage(act.stage)
        course.decision, course.settled = act, True
        if (following := self._after(act.stage)) is not None:
            self._open(self.stage(following), following, when)
            for team in act.goes_on:
                self._enter(following, team, when)

    def _leave(self, act: Withdrawal) -> None:
        """What let the team go on is unsettled, whether it is said to leave that stage or the one after it."""
        self.stage(act.stage).left.add(act.team)
        for name in (act.stage, self._before(act.stage)):
            course = self.stages.get(name or "")
            if course is not None and course.decision is not None and act.team in course.decision.goes_on:
                course.settled = False

    def _after(self, stage: str) -> str | None:
        return next((after for before, after in pairwise(self.rules.order) if before == stage), None)

    def _before(self, stage: str) -> str | None:
        return next((before for before, after in pairwise(self.rules.order) if after == stage), None)
