"""What the rulebook says follows from the record: the results of adjudication, as data.

Everything here is a conclusion with its reasons attached; nothing here computes. A conclusion is *certain* (true
whatever the unknowns are), *possible* (true for some of them, or not known to be impossible) or *excluded*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from dokja.adjudicate.interval import Interval
from dokja.record.acts import PublishedFigure
from dokja.rulebook.outcomes import Order, Situation

Modality = Literal["certain", "possible", "excluded"]


@dataclass(frozen=True, slots=True)
class Support:
    """One thing that a bound rests on: a published figure (an act) or a rule of the score tree (a measure).

    For a figure `act` is the act's index in the record and `position` the figure's place in it; for a rule both are
    `None`. `team` is the team whose measure is meant, `None` where all are.
    """

    measure: str
    act: int | None = None
    position: int | None = None
    team: str | None = None


@dataclass(frozen=True)
class Score:
    """A team's value of one measure, in points, and where it comes from.

    computed: what the tree gives from the acts alone; interval: after published figures have narrowed it.
    inputs: the measures of the same team that it is computed from. acts: indexes of the acts it rests on directly
    (the first `SHOWN_ACTS` of `act_count`). lower_from, upper_from: what each narrowed end rests on.
    """

    team: str
    measure: str
    rule: str
    clause: str
    points: Interval
    computed: Interval
    interval: Interval
    inputs: tuple[str, ...] = ()
    acts: tuple[int, ...] = ()
    act_count: int = 0
    lower_from: tuple[Support, ...] = ()
    upper_from: tuple[Support, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anything narrows the value to less than its whole range."""
        return self.interval != self.points


@dataclass(frozen=True, slots=True)
class Position:
    """A team's place by points: one more than the teams that are strictly ahead, at best and at worst."""

    team: str
    best: int
    worst: int


@dataclass(frozen=True)
class GateResult:
    """How a team stands at a gate at the time of the decision, and the acts that say so."""

    gate: str
    team: str
    result: Literal["meets", "does-not-meet", "undecided", "unknown"]
    acts: tuple[int, ...] = ()


FateReason = Literal[
    "inside-cut", "outside-cut", "failed-gate", "below-minimum", "undecided-gate", "tied-at-cut", "open"
]


@dataclass(frozen=True)
class Fate:
    """Whether a team goes on under one reading of the rules, and why.

    Three things apart from each other: on_points, whether it is among the first by points; at_gate, whether it passes
    all gates; at_minimum, whether it reaches the minimum score (certain where there is none).
    """

    team: str
    goes_on: Modality
    reason: FateReason
    on_points: Modality
    at_gate: Modality
    at_minimum: Modality

    @property
    def passes(self) -> Modality:
        """Whether it passes all gates and reaches the minimum score."""
        return both(self.at_gate, self.at_minimum)


def both(one: Modality, other: Modality) -> Modality:
    """Whether both of two things hold."""
    if "excluded" in (one, other):
        return "excluded"
    return "certain" if one == other == "certain" else "possible"


@dataclass(frozen=True)
class SituationFound:
    """A situation that the rules must answer, whether it is there, and the clauses in force that answer it.

    remaining: how many go on before any contingency, at least and at most. No clause: the rulebook is silent; two:
    it contradicts itself.
    """

    situation: Situation
    modality: Modality
    seats: int
    remaining: tuple[int, int]
    clauses: tuple[str, ...]
    consequences: tuple[str, ...] = ()
    opens_calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What follows under one order of gate and points; `said` is whether the rulebook in force says that order."""

    order: Order
    said: bool
    fates: Mapping[str, Fate]
    situations: tuple[SituationFound, ...]
    remaining: tuple[int, int]


@dataclass(frozen=True)
class FigureCheck:
    """A published figure beside what all the others imply for it.

    verdict: "confirmed" when the others leave no other figure, "consistent" when they allow it, "contradicted" when
    they do not, "free" when they say nothing about it.
    """

    act: int
    position: int
    figure: PublishedFigure
    implied: Interval | None
    verdict: Literal["confirmed", "consistent", "contradicted", "free"]


AdditionKind = Literal["mean-of-parts", "value-of-parts", "mean-of-teams", "other-definition"]


@dataclass(frozen=True)
class Term:
    """A published figure that is added, and the act that published it; `team` where it is a team's own."""

    measure: str
    value: Decimal
    act: int
    team: str | None = None


@dataclass(frozen=True)
class Addition:
    """What published figures come to when they are added as they stand: result = share × Σ terms.

    kind: a mean from the means of the parts, a team's value from its parts, a mean from all teams' values, or an
    index reported under another `definition` than the one that counts. published, act: the figure that was published
    of the same. fits: whether rounding alone can explain the difference, `None` where nothing was published.
    """

    kind: AdditionKind
    measure: str
    team: str | None
    definition: str | None
    terms: tuple[Term, ...]
    share: Fraction
    result: Fraction
    published: Decimal | None
    act: int | None
    fits: bool | None


@dataclass(frozen=True)
class AggregateFound:
    """The mean, the best and the gap of a measure over the stage's teams, as far as they are known."""

    measure: str
    mean: Interval
    best: Interval
    gap: Interval


Verdict = Literal["agreed", "contradicted", "not-covered", "open"]
"""agreed, contradicted: by every reading; not-covered: no clause in force says; open: not known enough."""


@dataclass(frozen=True)
class Holding:
    """One part of a decision held against what follows: a team's fate, the number that goes on, a call it opens.

    `subject` is a team or call id, or the stage for the number of teams. clauses: those in force that speak to it.
    by_reading: what each reading says of it, where the rulebook leaves more than one.
    """

    part: Literal["team", "number", "call"]
    subject: str
    decided: str
    verdict: Verdict
    clauses: tuple[str, ...] = ()
    by_reading: tuple[tuple[Order, Modality], ...] = ()
    act: int | None = None


@dataclass(frozen=True)
class StageOutcome:
    """All that follows for one stage.

    at: the time for which the rules are taken: that of the decision, or the horizon where none was taken.
    scores: by team and measure. certainly_above: pairs (a, b) where a is strictly ahead of b on the total.
    conflict: published figures that cannot all be true, as supports; empty where they can.
    additions: what the published figures add up to as they stand.
    score_published: when the score clause that is used took effect, where that is after the decision.
    """

    stage: str
    at: datetime
    teams: tuple[str, ...]
    seats: int
    root: str | None
    scores: Mapping[tuple[str, str], Score]
    positions: Mapping[str, Position]
    certainly_above: frozenset[tuple[str, str]]
    gates: tuple[GateResult, ...]
    readings: tuple[Reading, ...]
    aggregates: tuple[AggregateFound, ...]
    checks: tuple[FigureCheck, ...]
    holdings: tuple[Holding, ...]
    decision: int | None
    conflict: tuple[Support, ...] = ()
    score_published: datetime | None = None
    withdrawn: tuple[str, ...] = ()
    additions: tuple[Addition, ...] = ()


@dataclass(frozen=True)
class CallOutcome:
    """A call as it went, held against the rules in force when it opened and when it admitted."""

    call: str
    opened: int | None
    covered_when_opened: bool
    applicants: tuple[str, ...]
    admitted: tuple[str, ...]
    holdings: tuple[Holding, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A programme's outcome up to a horizon: stages in order, calls in order."""

    rulebook: str
    horizon: datetime
    without: tuple[str, ...]
    stages: tuple[StageOutcome, ...]
    calls: tuple[CallOutcome, ...] = ()

    def stage(self, stage: str) -> StageOutcome | None:
        """The outcome of the stage of that id."""
        return next((each for each in self.stages if each.stage == stage), None)
