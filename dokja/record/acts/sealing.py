"""Acts of sealing: what stands in the record as a salted digest (`dokja.record.transparency.sealing`)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dokja.record.acts.act import Act
from dokja.values import Id, Model, PositiveCount, SaltedDigest

MOST_CELLS = 1_000
"""Cells of one act, so that it fits into an entry."""

Absence = Literal["recused", "no-mark"]
"""Why there is no mark."""


class MarksSealed(Act):
    """A rater seals its marks on a measure, or its votes on a gate, for all teams at once, before seeing others'.

    `cells` are the digests of the cells: for each of `teams` in turn, one for each of `criteria` in turn.
    """

    type: Literal["marks-sealed"]
    stage: Id
    panel: Id
    rater: Id
    measure: Id | None = None
    gate: Id | None = None
    teams: tuple[Id, ...] = Field(min_length=1)
    criteria: tuple[Id, ...] = ()
    cells: tuple[SaltedDigest, ...] = Field(min_length=1, max_length=MOST_CELLS)

    @property
    def subject(self) -> str:
        """The measure or the gate."""
        return self.measure or self.gate or ""

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if (self.measure is None) == (self.gate is None) or bool(self.criteria) != (self.measure is not None):
            raise ValueError("sealed are either marks for the criteria of a measure or votes on a gate")
        if list(self.teams) != sorted(set(self.teams)) or len(set(self.criteria)) != len(self.criteria):
            raise ValueError("teams stand in the order of their ids, and nothing stands twice")
        return self


class AbsentRater(Model):
    """A rater of a panel that sealed nothing on a measure or gate, and why."""

    panel: Id
    subject: Id
    rater: Id
    reason: Absence


class StageSealed(Act):
    """No more marks of a stage are sealed; `root` is the root over the digests of all `cells` (RFC 6962)."""

    type: Literal["stage-sealed"]
    stage: Id
    cells: PositiveCount
    root: SaltedDigest
    absent: tuple[AbsentRater, ...] = ()


class MarksOpened(Act):
    """What opens the marks that these acts sealed was handed over to the office."""

    type: Literal["marks-opened"]
    stage: Id
    sealed: tuple[Id, ...] = Field(min_length=1)


class ObjectPinned(Act):
    """A file outside the record, personal data for one, is pinned by a salted digest."""

    type: Literal["object-pinned"]
    object: Id
    digest: SaltedDigest


class ObjectDeleted(Act):
    """A file that was pinned was deleted with its salt; nothing leads from the digest to what it was."""

    type: Literal["object-deleted"]
    object: Id
