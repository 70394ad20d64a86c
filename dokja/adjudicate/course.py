"""Who is in which stage, when it was decided, and what happened after: a record's acts, read stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dokja.adjudicate.evidence import Evidence
from dokja.record.acts import Admission, Decision, ObjectionAnswered, ObjectionFiled, Withdrawal
from dokja.rulebook.clauses import Stage


@dataclass(frozen=True)
class StageCourse:
    """A stage as the acts tell it.

    decision: the one that stands, the last; a stage is decided again after an objection was upheld or a team that
    went on left. entered: admitted, or gone on from the stage before, by then. withdrawn: left before the first
    decision. left_after: left after it; upheld_after: objections upheld after it.
    """

    stage: Stage
    entered: tuple[str, ...]
    withdrawn: tuple[str, ...]
    decision: tuple[int, Decision] | None
    left_after: Mapping[str, datetime]
    upheld_after: int

    @property
    def gone(self) -> tuple[str, ...]:
        """The teams that left before the decision that stands."""
        since = [team for team, when in self.left_after.items() if self.decision and when < self.decision[1].when]
        return (*self.withdrawn, *since)

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams that are evaluated: entered and still there at the decision that stands."""
        return tuple(team for team in self.entered if team not in self.gone)

    @property
    def going_on(self) -> tuple[str, ...]:
        """The teams that enter the next stage: those that go on by the decision and have not left since."""
        goes_on = self.decision[1].goes_on if self.decision else ()
        return tuple(team for team in goes_on if team not in self.left_after)

    def decided_at(self, horizon: datetime) -> datetime:
        """When the stage was decided, or the horizon where it was not."""
        return self.decision[1].when if self.decision else horizon


def courses(stages: Sequence[Stage], evidence: Evidence) -> tuple[StageCourse, ...]:
    """Every stage's course, in order; each stage starts with those who went on from the one before."""
    result: list[StageCourse] = []
    for stage in stages:
        result.append(_course(stage, result[-1].going_on if result else (), evidence))
    return tuple(result)


def _course(stage: Stage, carried: tuple[str, ...], evidence: Evidence) -> StageCourse:
    decisions = [(index, act) for index, act in evidence.of(Decision) if act.stage == stage.id]
    first = decisions[0][1].when if decisions else None
    deadline = decisions[-1][1].when if decisions else evidence.horizon
    admitted = [act.team for _, act in evidence.of(Admission) if act.stage == stage.id and act.when <= deadline]
    left = {act.team: act.when for _, act in evidence.of(Withdrawal) if act.stage == stage.id}
    objections = {act.id for _, act in evidence.of(ObjectionFiled) if act.stage == stage.id}
    upheld = [
        act
        for _, act in evidence.of(ObjectionAnswered)
        if act.objection in objections and act.upheld and first is not None and act.when >= first
    ]
    return StageCourse(
        stage=stage,
        entered=tuple(dict.fromkeys((*carried, *admitted))),
        withdrawn=tuple(team for team, when in left.items() if first is None or when < first),
        decision=decisions[-1] if decisions else None,
        left_after={team: when for team, when in left.items() if first is not None and when >= first},
        upheld_after=len(upheld),
    )
