"""What a reader gets out of a record: acts with their index, and ballots as light rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from dokja.record.acts import AnyAct


@dataclass(frozen=True, slots=True)
class Entry:
    """An act with its index in the record."""

    index: int
    act: AnyAct


class BallotRow(NamedTuple):
    """A ballot, light enough to stream by the million.

    when: UTC, as the record's bytes hold it. subject: the measure or the gate. total: the sum of the marks over the
    criteria, `None` for a vote. meets: the vote on a gate, `None` for marks. Both are `None` where they are sealed.
    """

    position: int
    when: str
    stage: str
    panel: str
    subject: str
    rater: str
    team: str
    total: Decimal | None
    meets: bool | None
