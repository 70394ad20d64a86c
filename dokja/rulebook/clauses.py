"""The clauses of a rulebook, one class for each kind, discriminated by `kind`.

Each clause stands on its own: an id, its text in Korean and English as people read it, and beside the text the data
that is computed with. Clauses that belong to a stage name it. What the published rules did not say is left out
(`None`), never guessed: the linter points at the gap and adjudication follows every reading of it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dokja.rulebook.measures import AnyMeasure
from dokja.rulebook.outcomes import Order, Situation
from dokja.values import Bilingual, Count, Flag, Id, Model, Moment, Points, PositiveCount, PositivePoints


class Clause(Model):
    """What every clause says: its id, its text, and the source that publishes it (a tag of `programme.yaml`)."""

    id: Id
    text: Bilingual
    source: Id | None = None


class Calendar(Model):
    """The times of a stage; `None` is a time that was not published."""

    opens: Moment | None = None
    submission: Moment | None = None
    evaluation: Moment | None = None
    decision: Moment | None = None


class Stage(Clause):
    """A window of work that ends in one evaluation and one decision: who enters, how many go on, when."""

    kind: Literal["stage"]
    title: Bilingual
    entrants: PositiveCount
    seats: PositiveCount
    calendar: Calendar = Calendar()


class Score(Clause):
    """The score tree of a stage."""

    kind: Literal["score"]
    stage: Id
    measure: AnyMeasure


class PanelRule(Clause):
    """Who marks: how many raters are appointed, and how many must vote for the marks to count.

    `sealed`: raters seal their marks before they see others', and open ballots do not count.
    """

    kind: Literal["panel"]
    stage: Id
    panel: Id
    title: Bilingual
    raters: PositiveCount
    quorum: PositiveCount | None = None
    conflicts_checked: Flag | None = None
    sealed: Flag | None = None


EvidenceKind = Literal["judgement", "ballots", "audit", "points"]


class GateQuorum(Model):
    """How many voices make a gate's result: `fail_at` objecting raters fail a team, `raters` must vote."""

    fail_at: PositiveCount
    raters: PositiveCount


class AuditRule(Model):
    """What a weight audit means at a gate.

    A component that depends on a reference fails the team, unless it is one of `may_share`, or the team declared the
    reference as its own model before the audit and `own_models` is "allowed". `least_assessed` is the share of all
    parameters that must have been looked at for a team to meet the gate.
    """

    may_share: tuple[Id, ...] = ()
    own_models: Literal["allowed", "not-allowed"]
    least_assessed: Points


class Threshold(Model):
    """The least that a team must have of one measure, whatever it has of the others."""

    measure: Id
    at_least: PositivePoints


class Gate(Clause):
    """Pass or fail, apart from the place that the total earns.

    `criterion` is what a team must meet, in words; `evidence` is what the result rests on: a judgement of the
    office, ballots of a panel, findings of a weight audit, or the points of single measures, each of which must reach
    its threshold; `reply_days` is how long a team may answer a finding before the decision.
    """

    kind: Literal["gate"]
    stage: Id
    title: Bilingual
    criterion: Bilingual | None = None
    evidence: EvidenceKind | None = None
    quorum: GateQuorum | None = None
    panel: Id | None = None
    audit: AuditRule | None = None
    thresholds: tuple[Threshold, ...] = ()
    reply_days: Count | None = None
    axes: tuple[Bilingual, ...] = ()


TieStep = Literal["measure", "all-go-on", "none-goes-on", "lot"]


class TieRule(Model):
    """How teams that are level on the cut line are parted: step by step until they are.

    A `measure` step compares the measure named; `all-go-on`, `none-goes-on` and `lot` always end the matter.
    """

    step: TieStep
    measure: Id | None = None


class Cut(Clause):
    """Who goes on: in which order gate and points apply, how ties are broken, which score is the least."""

    kind: Literal["cut"]
    stage: Id
    order: Order | None = None
    ties: tuple[TieRule, ...] = ()
    minimum: Points | None = None


class Bounds(Model):
    """An inclusive range of a count; an open end reaches as far as the count can."""

    at_least: Count = 0
    at_most: Count | None = None

    def holds(self, count: int) -> bool:
        """Whether the count lies in the range."""
        return self.at_least <= count and (self.at_most is None or count <= self.at_most)


class Condition(Model):
    """Further conditions of a contingency, each a range of one of `outcomes.Tally`'s counts."""

    withdrawn: Bounds | None = None
    undecided: Bounds | None = None
    failed: Bounds | None = None
    below_minimum: Bounds | None = None
    remaining: Bounds | None = None
    tied: Bounds | None = None
    contested: Bounds | None = None
    withdrawn_after: Bounds | None = None
    upheld_after: Bounds | None = None


Consequence = Literal[
    "go-on-with-fewer",
    "open-call",
    "next-on-points",
    "all-tied-go-on",
    "none-tied-goes-on",
    "lot",
    "count-as-failed",
    "count-as-passed",
    "leave-the-ranking",
    "decide-again",
    "end-programme",
]


class Contingency(Clause):
    """What follows when a stage ends otherwise than planned; `call` names the call that is opened."""

    kind: Literal["contingency"]
    stage: Id
    situation: Situation
    when: Condition = Condition()
    consequence: Consequence
    call: Id | None = None


class Eligible(Model):
    """One group that may apply to a call."""

    group: Literal["first-applicants", "teams-that-left", "any-capable-firm"]


class Call(Clause):
    """A way in: who may apply, how many places, who decides by which majority, and what few applicants mean.

    `majority` is the share of the panel that must be exceeded: 0.5 is "more than half". `by_date`: it opens on its
    day whatever has happened; else a contingency opens it, or it is the call into the first stage.
    """

    kind: Literal["call"]
    call: Id
    title: Bilingual
    stage: Id
    places: PositiveCount
    eligible: tuple[Eligible, ...] = ()
    panel: Id | None = None
    majority: Points | None = None
    nobody_is_legal: Flag | None = None
    sole_applicant: Literal["evaluated", "call-repeated", "admitted"] | None = None
    nobody_applies: Literal["place-stays-empty", "call-repeated"] | None = None
    by_date: Flag | None = None
    opens: Moment | None = None
    closes: Moment | None = None


class Objections(Clause):
    """How long a decision may be objected to, and how long it does not take effect (standstill), in days.

    weighing: whether a decision must name the replies and objections that it weighed.
    """

    kind: Literal["objections"]
    stage: Id
    window_days: PositiveCount
    standstill_days: Count | None = None
    answer_days: PositiveCount | None = None
    weighing: Flag | None = None


class AmendmentRule(Clause):
    """How rules may be changed, of one stage or of all: how long before its effect a change is announced, who agrees.

    `consent` is whose consent it takes to change a rule after what it rules on has begun: that of every team in it,
    or of more than half of them.
    """

    kind: Literal["amendments"]
    stage: Id | None = None
    notice_days: Count | None = None
    consent: Literal["every-team", "most-teams"] | None = None


Field_ = Literal["totals", "measures", "aggregates", "ranks", "gate-results", "reasons", "ballots", "raters"]
Audience = Literal["team-itself", "other-teams", "public"]
DisclosureLevel = Literal["exact", "rounded", "aggregate", "withheld"]


class DisclosureRow(Model):
    """What one audience sees of one field, and from when: days after the decision."""

    field: Field_
    audience: Audience
    level: DisclosureLevel
    after_days: Count = 0


class Disclosure(Clause):
    """What is shown to whom, fixed in advance."""

    kind: Literal["disclosure"]
    stage: Id
    levels: tuple[DisclosureRow, ...] = Field(min_length=1)


class Draw(Clause):
    """What is drawn by public randomness: the raters of a panel, the items of a measure, the order of presentation.

    A lot between level teams needs no such clause; the cut says that it decides. ahead_hours: how long before its
    round a draw is announced at the latest.
    """

    kind: Literal["draw"]
    stage: Id
    purpose: Literal["items", "judges", "order"]
    panel: Id | None = None
    measure: Id | None = None
    ahead_hours: Count | None = None

    @model_validator(mode="after")
    def _about(self) -> Self:
        if (self.panel is not None) != (self.purpose == "judges"):
            raise ValueError("a draw of judges, and no other, names a panel")
        if (self.measure is not None) != (self.purpose == "items"):
            raise ValueError("a draw of items, and no other, names a measure")
        return self


CalendarTime = Literal["opens", "submission", "evaluation", "decision"]


DueAct = Literal[
    "admission",
    "audit-reported",
    "ballot",
    "decision",
    "disclosure",
    "draw-announced",
    "evaluation-moved",
    "finding",
    "grant-delivered",
    "grant-returned",
    "marks-opened",
    "marks-sealed",
    "measurement-reported",
    "objection-filed",
    "presentation-held",
    "stage-sealed",
    "submission-received",
    "withdrawal",
]
"""The acts that belong to a stage, by their types as the record has them; this room does not know the record."""


class Due(Model):
    """An act of a type that must have happened by a time of the stage's calendar, or so many days after it."""

    act: DueAct
    by: CalendarTime
    after_days: Count = 0


class RecordKeeping(Clause):
    """What must be in the record of a stage, and when, so that leaving something out can be seen.

    due: acts that must have happened. heartbeat: whether every day while the stage is open leaves a trace. numbered:
    whether whoever acts in the stage numbers its acts. merge_hours: how soon an act that was handed in is recorded.
    witnessed_hours: how soon enough witnesses have cosigned a checkpoint that holds a decision.
    """

    kind: Literal["record"]
    stage: Id
    due: tuple[Due, ...] = ()
    heartbeat: Flag | None = None
    numbered: Flag | None = None
    merge_hours: PositiveCount | None = None
    witnessed_hours: PositiveCount | None = None


class Goal(Clause):
    """A promise that is read, not computed with: a target, a grant, a special rule."""

    kind: Literal["goal"]
    stage: Id | None = None


AnyClause = Annotated[
    Stage
    | Score
    | PanelRule
    | Gate
    | Cut
    | Contingency
    | Call
    | Objections
    | AmendmentRule
    | Disclosure
    | Draw
    | RecordKeeping
    | Goal,
    Field(discriminator="kind"),
]


def stage_of(clause: AnyClause) -> str | None:
    """The stage that a clause rules on; `None` where it rules on the whole programme."""
    return clause.id if isinstance(clause, Stage) else clause.stage
