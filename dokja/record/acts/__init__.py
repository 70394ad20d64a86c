"""Acts: the things that happen in a programme, one closed schema each, discriminated by `type`.

Every act says who did it, when, under which clause (none where no clause is known) and which source it rests on.
An act never changes: a later one answers or corrects it. `key` is what makes an act one of a kind; a second act with
the same key is either the same act taken in again or a contradiction. A new type goes into the module of its theme
and into `union`.
"""

from dokja.record.acts.act import Act, Signature
from dokja.record.acts.calls import Admission, Application, CallClosed, CallOpened, Declined
from dokja.record.acts.decisions import Decision, Departure, EvaluationMoved, Withdrawal
from dokja.record.acts.draws import DrawAnnounced, DrawMade, DrawPurpose, Recusal
from dokja.record.acts.findings import AuditFinding, AuditReported, AuditWord, Finding, Reply
from dokja.record.acts.grants import Grant, GrantDelivered, GrantReturned
from dokja.record.acts.heartbeat import Heartbeat
from dokja.record.acts.keys import Founding, Genesis, KeyRegistered, KeyRotated, RootKey
from dokja.record.acts.objections import ObjectionAnswered, ObjectionFiled
from dokja.record.acts.publicity import Aggregate, Disclosure, PublishedFigure, Statement
from dokja.record.acts.rules import ConsentGiven, RulebookAmended, RulebookPublished
from dokja.record.acts.scores import (
    Ballot,
    BenchmarkResult,
    MeasurementReported,
    PresentationHeld,
    SubmissionReceived,
)
from dokja.record.acts.sealing import (
    AbsentRater,
    MarksOpened,
    MarksSealed,
    ObjectDeleted,
    ObjectPinned,
    StageSealed,
)
from dokja.record.acts.union import ACT, ACTS_FILE, AnyAct

__all__ = [
    "ACT",
    "ACTS_FILE",
    "AbsentRater",
    "Act",
    "Admission",
    "Aggregate",
    "AnyAct",
    "Application",
    "AuditFinding",
    "AuditReported",
    "AuditWord",
    "Ballot",
    "BenchmarkResult",
    "CallClosed",
    "CallOpened",
    "ConsentGiven",
    "Decision",
    "Declined",
    "Departure",
    "Disclosure",
    "DrawAnnounced",
    "DrawMade",
    "DrawPurpose",
    "EvaluationMoved",
    "Finding",
    "Founding",
    "Genesis",
    "Grant",
    "GrantDelivered",
    "GrantReturned",
    "Heartbeat",
    "KeyRegistered",
    "KeyRotated",
    "MarksOpened",
    "MarksSealed",
    "MeasurementReported",
    "ObjectDeleted",
    "ObjectPinned",
    "ObjectionAnswered",
    "ObjectionFiled",
    "PresentationHeld",
    "PublishedFigure",
    "Recusal",
    "Reply",
    "RootKey",
    "RulebookAmended",
    "RulebookPublished",
    "Signature",
    "StageSealed",
    "Statement",
    "SubmissionReceived",
    "Withdrawal",
]
