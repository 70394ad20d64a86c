"""Every way in which a stage can end, as situations that a rulebook must answer.

`Situation` names what can go otherwise than planned; `Tally` counts what happened. The linter looks through all
tallies that can happen, adjudication at the one that did, whose counts may be known only as ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Situation = Literal[
    "withdrawal-before-decision",
    "gate-undecided",
    "nobody-remains",
    "fewer-remain-than-seats",
    "tie-at-cut",
    "withdrawal-after-decision",
    "objection-upheld-after-decision",
]
SITUATIONS: tuple[Situation, ...] = get_args(Situation)

Order = Literal["gate-then-points", "points-then-gate"]
ORDERS: tuple[Order, ...] = get_args(Order)

CountName = Literal["entered", "withdrawn", "undecided", "failed", "below_minimum", "remaining", "tied", "contested"]
"""The counts that a contingency may put bounds on; see `Tally`."""


@dataclass(frozen=True)
class Tally:
    """What happened in a stage, counted in teams.

    entered: teams admitted to the stage; withdrawn: left before the decision; undecided: a gate has no result at
    the deadline; failed: failed a gate; below_minimum: passed but under the minimum score; remaining: go on before
    any contingency; tied: level with each other on the cut line, more than the `contested` seats left for them;
    withdrawn_after, upheld_after: withdrawals, and objections upheld, after the decision.
    """

    entered: int
    seats: int
    withdrawn: int = 0
    undecided: int = 0
    failed: int = 0
    below_minimum: int = 0
    remaining: int = 0
    tied: int = 0
    contested: int = 0
    withdrawn_after: int = 0
    upheld_after: int = 0
