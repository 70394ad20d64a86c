"""What judgements and weight audits find of a team at a gate, and what the team answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dokja.record.acts.act import Act
from dokja.values import Bilingual, Count, Digest, Flag, Id, Model, Number, Text


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

WITHOUT_EVIDENCE: frozenset[AuditWord] = frozenset(("no-evidence", "not-assessed"))
"""Words that say nothing against a component."""


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
