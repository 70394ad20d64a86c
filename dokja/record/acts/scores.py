"""Acts that points come from: what a team hands in, what is measured of it, how raters mark it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dokja.record.acts.act import Act
from dokja.values import Digest, Flag, Id, Model, Points, Text


class SubmissionReceived(Act):
    """A team hands in for a stage; `proposes` are its benchmarks, `digest` pins what it handed in.

    `own_models` are earlier models that the team declares as its own, by the names that weight audits use.
    """

    type: Literal["submission-received"]
    stage: Id
    team: Id
    proposes: tuple[Id, ...] = ()
    own_models: tuple[Text, ...] = ()
    digest: Digest | None = None


class PresentationHeld(Act):
    """A team presents in a stage, before those who judge it."""

    type: Literal["presentation-held"]
    stage: Id
    team: Id


class BenchmarkResult(Model):
    """One benchmark of a measurement: the team's own value, and the target's where there is one."""

    benchmark: Id
    value: Points
    target: Points | None = None


class MeasurementReported(Act):
    """A value that was measured for a team's measure: one value, repeated runs, or several benchmarks.

    `definition` names the version of an index that was measured.
    """

    type: Literal["measurement-reported"]
    stage: Id
    team: Id
    measure: Id
    value: Points | None = None
    runs: tuple[Points, ...] = ()
    benchmarks: tuple[BenchmarkResult, ...] = ()
    definition: Text | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.value is not None) + bool(self.runs) + bool(self.benchmarks) != 1:
            raise ValueError("a measurement is one of: a value, runs, benchmarks")
        return self


class Ballot(Act):
    """One rater's marks for one team: a mark for each criterion of a measure, or a vote on a gate.

    `id` may be left out of a ballot; stage, panel, rater, team and subject make it one of a kind.
    """

    type: Literal["ballot"]
    id: Id = "ballot"
    stage: Id
    panel: Id
    rater: Id
    team: Id
    measure: Id | None = None
    marks: dict[Id, Points] = Field(default_factory=dict)
    gate: Id | None = None
    meets: Flag | None = None

    @property
    def key(self) -> str:
        """Stage, panel, rater, team and subject: a rater marks a team once."""
        return f"ballot/{self.stage}/{self.panel}/{self.measure or self.gate}/{self.rater}/{self.team}"

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        marks = self.measure is not None and bool(self.marks) and self.gate is None and self.meets is None
        vote = self.gate is not None and self.meets is not None and self.measure is None and not self.marks
        if marks == vote:
            raise ValueError("a ballot is either marks for a measure or a vote on a gate")
        return self
