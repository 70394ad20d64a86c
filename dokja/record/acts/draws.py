"""Draws: announced before their randomness exists, made when it is known, mended only by who is next in rank."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from dokja.record.acts.act import Act
from dokja.values import Bilingual, Id, PositiveCount

DrawPurpose = Literal["items", "judges", "order", "lot"]

ChainHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
BeaconSignature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{96}$")]

MOST_IN_A_POOL = 5_000


class DrawAnnounced(Act):
    """A draw is announced: from which pool, how many, and which future round of which beacon decides.

    items: of a `measure`; judges: of a `panel`; order: in which the pool presents; lot: between teams that are level.
    """

    type: Literal["draw-announced"]
    purpose: DrawPurpose
    stage: Id
    panel: Id | None = None
    measure: Id | None = None
    pool: tuple[Id, ...] = Field(min_length=1, max_length=MOST_IN_A_POOL)
    drawn: PositiveCount
    chain: ChainHash
    round: PositiveCount

    @property
    def subject(self) -> tuple[str, ...]:
        """What is drawn once and never again: a lot is between certain teams, all else is of its stage."""
        about = ",".join(sorted(self.pool)) if self.purpose == "lot" else self.panel or self.measure or ""
        return self.purpose, self.stage, about

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(set(self.pool)) != len(self.pool):
            raise ValueError("the pool names somebody twice")
        if self.drawn > len(self.pool):
            raise ValueError("more are drawn than the pool holds")
        if (self.panel is not None) != (self.purpose == "judges"):
            raise ValueError("a draw of judges, and no other, names a panel")
        if (self.measure is not None) != (self.purpose == "items"):
            raise ValueError("a draw of items, and no other, names a measure")
        if self.purpose == "order" and self.drawn != len(self.pool):
            raise ValueError("a draw of an order draws the whole pool")
        return self


class DrawMade(Act):
    """A draw is made: the round's signature, which anybody can check, and the ranking that follows from it."""

    type: Literal["draw-made"]
    draw: Id
    round: PositiveCount
    beacon: BeaconSignature
    ranking: tuple[Id, ...] = Field(min_length=1, max_length=MOST_IN_A_POOL)


class Recusal(Act):
    """One who was ranked leaves; `successor` is the next in rank, who takes the seat if there was one to take."""

    type: Literal["recusal"]
    draw: Id
    member: Id
    reason: Bilingual
    successor: Id | None = None
