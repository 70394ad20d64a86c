"""What is made known or said in public: figures of a stage, statements."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dokja.record.acts.act import Act
from dokja.values import Bilingual, Id, Model, Number

Aggregate = Literal["value", "mean", "best", "last", "gap", "first"]


class PublishedFigure(Model):
    """A figure as it was published: it stands for all numbers that round to it.

    value: one team's; mean, gap (first minus last): over the stage's teams; best: the highest, of the `teams` named
    and of no other; last: the `teams` named are last; first: the `teams` named are ahead of all others.
    """

    of: Aggregate
    measure: Id
    value: Number | None = None
    teams: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _shape(self) -> Self:
        needs_value = self.of in ("value", "mean", "best", "gap")
        if needs_value != (self.value is not None):
            raise ValueError(f"“{self.of}” {'needs' if needs_value else 'takes no'} value")
        low, high = {
            "value": (1, 1),
            "mean": (0, 0),
            "gap": (0, 0),
            "best": (0, 99),
            "last": (1, 99),
            "first": (1, 99),
        }[self.of]
        if not low <= len(self.teams) <= high:
            raise ValueError(f"“{self.of}” names {low} team" if low == high else f"“{self.of}” names teams")
        return self


class Disclosure(Act):
    """Figures of a stage are made known, by the office, by the press or by a leak (the source says which)."""

    type: Literal["disclosure"]
    stage: Id
    figures: tuple[PublishedFigure, ...] = Field(min_length=1)


class Statement(Act):
    """Something said in public that the course cannot be understood without: a claim, an answer, a delay."""

    type: Literal["statement"]
    note: Bilingual
    stage: Id | None = None
    team: Id | None = None
    to: Id | None = None
