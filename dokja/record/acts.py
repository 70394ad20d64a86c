"""Acts: the things that happen in a programme, one closed schema each, discriminated by `type`.

Every act says who did it, when, under which clause (none where no clause is known) and which source it rests on.
An act never changes: a later one answers or corrects it. `key` is what makes an act one of a kind; a second act with
the same key is either the same act taken in again or a contradiction.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from dokja.values import Bilingual, Count, Digest, Flag, Id, Model, Moment, Number, Points, PositiveCount, Text


class Signature(Model):
    """A signature over an act without its signatures. key: name and id of the key; value: Ed25519, in base64."""

    key: Text
    value: Text


class Act(Model):
    """What every act says. `id` names it; `who` is an office, team, rater or outside party by id.

    `signature` is its actor's, where the record was founded with keys (`dokja.record.transparency`).
    """

    id: Id
    who: Id
    when: Moment
    clause: Id | None = None
    source: Id | None = None
    note: Bilingual | None = None
    signature: Signature | None = None

    @property
    def key(self) -> str:
        """What makes this act one of a kind in its record."""
        return self.id


class RulebookPublished(Act):
    """The founding rulebook is published; `digest` pins the file's bytes."""

    type: Literal["rulebook-published"]
    number: PositiveCount
    digest: Digest | None = None


class RulebookAmended(Act):
    """An amendment is published, with the teams that consented to it."""

    type: Literal["rulebook-amended"]
    number: PositiveCount
    consented: tuple[Id, ...] = ()
    digest: Digest | None = None


class CallOpened(Act):
    """A call for applications is opened."""

    type: Literal["call-opened"]
    call: Id
    closes: Moment | None = None


class CallClosed(Act):
    """A call is closed, with the number of applications and of those that a first review left."""

    type: Literal["call-closed"]
    call: Id
    applications: Count
    reviewed: Count | None = None


class Application(Act):
    """A team applies to a call; `name` is how people know it, `lead` and `members` who it is made of."""

    type: Literal["application"]
    call: Id
    team: Id
    name: Bilingual
    lead: Bilingual | None = None
    members: tuple[Bilingual, ...] = ()


class Admission(Act):
    """A team is admitted by a call to a stage; `in_favour` of `panel_size` voted for it where a panel decides."""

    type: Literal["admission"]
    call: Id
    stage: Id
    team: Id
    in_favour: Count | None = None
    panel_size: PositiveCount | None = None


class Declined(Act):
    """Somebody that could have applied to a call says that it will not."""

    type: Literal["declined"]
    call: Id
    team: Id | None = None
    name: Bilingual | None = None


class Grant(Act):
    """A quantity of a resource (GPUs, money) that goes to a team or comes back from it."""

    stage: Id
    team: Id
    resource: Id
    quantity: Points
    unit: Text


class GrantDelivered(Grant):
    """A grant reaches a team."""

    type: Literal["grant-delivered"]


class GrantReturned(Grant):
    """A grant goes back."""

    type: Literal["grant-returned"]


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


class Finding(Act):
    """What a judgement or an audit says of a team at a gate, with the component it concerns and its evidence."""

    type: Literal["finding"]
    stage: Id
    team: Id
    gate: Id
    result: Literal["meets", "does-not-meet", "undecided"]
    component: Bilingual | None = None
    evidence: tuple[Digest, ...] = ()


AuditWord = Literal[
    "identical",
    "derived",
    "common-initialisation",
    "pruned",
    "deepened",
    "upcycled",
    "merged",
    "rearranged",
    "no-evidence",
    "not-assessed",
]
"""The words of `dokja.lineage.findings`, which knows nothing of acts."""


class AuditFinding(Model):
    """What a weight audit found of one component against one reference.

    `log10_p` is adjusted for all that was asked; `assessed` of `parameters` were looked at.
    """

    component: Id
    reference: Text
    word: AuditWord
    log10_p: Number | None = None
    parameters: Number
    assessed: Number


class AuditReported(Act):
    """A weight audit of a team's submission, whole: the gate's rule says what its words mean.

    `sample_key` is the seed of its sample; `evidence` pins the audit's own file.
    """

    type: Literal["audit-reported"]
    stage: Id
    team: Id
    gate: Id
    submission: Text
    sample_key: Count
    findings: tuple[AuditFinding, ...] = Field(min_length=1)
    evidence: tuple[Digest, ...] = ()


class Reply(Act):
    """A team answers a finding."""

    type: Literal["reply"]
    team: Id
    to: Id
    admits: Flag | None = None


class ObjectionFiled(Act):
    """A claim against an act."""

    type: Literal["objection-filed"]
    stage: Id
    team: Id
    against: Id
    claim: Bilingual


class ObjectionAnswered(Act):
    """The answer to an objection."""

    type: Literal["objection-answered"]
    objection: Id
    upheld: Flag


class Departure(Model):
    """A team that leaves by a decision, and why."""

    team: Id
    reason: Literal["gate", "points", "minimum-score", "withdrawal"]
    gate: Id | None = None


class Decision(Act):
    """The decision of a stage: who goes on, who leaves and why, and which call it opens."""

    type: Literal["decision"]
    stage: Id
    goes_on: tuple[Id, ...]
    leaves: tuple[Departure, ...] = ()
    opens_call: Id | None = None


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


class Statement(Act):
    """Something said in public that the course cannot be understood without: a claim, an answer, a delay."""

    type: Literal["statement"]
    note: Bilingual
    stage: Id | None = None
    team: Id | None = None
    to: Id | None = None


class RootKey(Model):
    """A key that decides on keys, and who holds it; `vkey` spells it (C2SP signed-note)."""

    holder: Id
    vkey: Text


class Founding(Act):
    """Which keys decide on keys from now on, `threshold` of them together; `approvals` are their signatures."""

    roots: tuple[RootKey, ...] = Field(min_length=1)
    threshold: PositiveCount
    approvals: tuple[Signature, ...] = ()


class Genesis(Founding):
    """The first act of a record whose acts are signed."""

    type: Literal["genesis"]


class KeyRotated(Founding):
    """The keys that decide on keys change, approved by enough of the old ones and of the new ones."""

    type: Literal["key-rotated"]


class KeyRegistered(Act):
    """A holder gets a key to sign with; `replaces` names the key that it takes the place of."""

    type: Literal["key-registered"]
    holder: Id
    role: Id
    vkey: Text
    replaces: Text | None = None


AnyAct = Annotated[
    RulebookPublished
    | RulebookAmended
    | CallOpened
    | CallClosed
    | Application
    | Admission
    | Declined
    | GrantDelivered
    | GrantReturned
    | SubmissionReceived
    | MeasurementReported
    | Ballot
    | Finding
    | AuditReported
    | Reply
    | ObjectionFiled
    | ObjectionAnswered
    | Decision
    | Disclosure
    | EvaluationMoved
    | Withdrawal
    | Statement
    | Genesis
    | KeyRotated
    | KeyRegistered,
    Field(discriminator="type"),
]

ACT: TypeAdapter[AnyAct] = TypeAdapter(AnyAct)
