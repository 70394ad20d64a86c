"""Acts that settle a stage: the decision, an evaluation that is moved, a team that leaves."""

from __future__ import annotations

from typing import Literal

from dokja.record.acts.act import Act
from dokja.values import Bilingual, Id, Model


class Departure(Model):
    """A team that leaves by a decision, and why."""

    team: Id
    reason: Literal["gate", "points", "minimum-score", "withdrawal"]
    gate: Id | None = None


class Decision(Act):
    """The decision of a stage: who goes on, who leaves and why, and which call it opens.

    `rests_on` names the acts that it weighed: findings, replies, objections.
    """

    type: Literal["decision"]
    stage: Id
    goes_on: tuple[Id, ...]
    leaves: tuple[Departure, ...] = ()
    opens_call: Id | None = None
    rests_on: tuple[Id, ...] = ()


class EvaluationMoved(Act):
    """The evaluation of a stage is moved."""

    type: Literal["evaluation-moved"]
    stage: Id
    moved_from: Bilingual
    moved_to: Bilingual


class Withdrawal(Act):
    """A team leaves a stage of its own accord."""

    type: Literal["withdrawal"]
    stage: Id
    team: Id
