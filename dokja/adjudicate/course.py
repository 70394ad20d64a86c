"""Who is in which stage, when it was decided, and what happened after: a record's acts, read stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dokja.adjudicate.evidence import Evidence
from dokja.record.acts import Admission, Decision, ObjectionAnswered, ObjectionFiled, Withdrawal
from dokja.rulebook.clauses import Stage


@dataclass(frozen=True)
class StageCourse:
    """A stage as the acts tell it.

    entered: admitted, or gone on from the stage before, by the time of the decision; withdrawn: left before it.
    withdrawn_after, upheld_after: withdrawals, and objections upheld, after it.
    """

    stage: Stage
    entered: tuple[str, ...]
    withdrawn: tuple[str, ...]
    decision: tuple[int, Decision] | None
    withdrawn_after: int
    upheld_after: int

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams that are evaluated: entered and not withdrawn before the decision."""
        return tuple(team for team in self.entered if team not in self.withdrawn)

    def decided_at(self, horizon: datetime) -> datetime:
        """When the stage was decided, or the horizon where it was not."""
        return self.decision[1].when if self.decision else horizon


def courses(stages: Sequence[Stage], evidence: Evidence) -> tuple[StageCourse, ...]:
    """Every stage's course, in order; each stage starts with those who went on from the one before."""
    result: list[StageCourse] = []
    for stage in stages:
        before = result[-1].decision if result else None
        result.append(_course(stage, before[1].goes_on if before else (), evidence))
    return tuple(result)


def _course(stage: Stage, carried: tuple[str, ...], evidence: Evidence) -> StageCourse:
    decision = next(((index, act) for index, act in evidence.of(Decision) if act.stage == stage.id), None)
    deadline = decision[1].when if decision else evidence.horizon
    admitted = [act.team for _, act in evidence.of(Admission) if act.stage == stage.id and act.when <= deadline]
    left = [act for _, act in evidence.of(Withdrawal) if act.stage == stage.id]
    before = tuple(act.team for act in left if decision is None or act.when < deadline)
    objections = {act.id for _, act in evidence.of(ObjectionFiled) if act.stage == stage.id}
    upheld = [
        act
        for _, act in evidence.of(ObjectionAnswered)
        if act.objection in objections and act.upheld and decision is not None and act.when >= deadline
    ]
    entered = tuple(dict.fromkeys((*carried, *admitted)))
    return StageCourse(stage, entered, before, decision, len(left) - len(before), len(upheld))
