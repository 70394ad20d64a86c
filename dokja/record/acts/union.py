"""All acts that a record may hold, as one type discriminated by `type`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from dokja.record.acts.calls import Admission, Application, CallClosed, CallOpened, Declined
from dokja.record.acts.decisions import Decision, EvaluationMoved, Withdrawal
from dokja.record.acts.draws import DrawAnnounced, DrawMade, Recusal
from dokja.record.acts.findings import AuditReported, Finding, Reply
from dokja.record.acts.grants import GrantDelivered, GrantReturned
from dokja.record.acts.heartbeat import Heartbeat
from dokja.record.acts.keys import Genesis, KeyRegistered, KeyRotated
from dokja.record.acts.objections import ObjectionAnswered, ObjectionFiled
from dokja.record.acts.publicity import Disclosure, Statement
from dokja.record.acts.rules import ConsentGiven, RulebookAmended, RulebookPublished
from dokja.record.acts.scores import Ballot, MeasurementReported, PresentationHeld, SubmissionReceived
from dokja.record.acts.sealing import MarksOpened, MarksSealed, ObjectDeleted, ObjectPinned, StageSealed
from dokja.values import Model

AnyAct = Annotated[
    RulebookPublished
    | RulebookAmended
    | ConsentGiven
    | CallOpened
    | CallClosed
    | Application
    | Admission
    | Declined
    | GrantDelivered
    | GrantReturned
    | SubmissionReceived
    | PresentationHeld
    | MeasurementReported
    | Ballot
    | DrawAnnounced
    | DrawMade
    | Recusal
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
    | Heartbeat
    | Genesis
    | KeyRotated
    | KeyRegistered
    | MarksSealed
    | StageSealed
    | MarksOpened
    | ObjectPinned
    | ObjectDeleted,
    Field(discriminator="type"),
]

ACT: TypeAdapter[AnyAct] = TypeAdapter(AnyAct)


class ActsFile(Model):
    """A YAML file of acts."""

    acts: tuple[AnyAct, ...]


ACTS_FILE = TypeAdapter(ActsFile)
"""The form of a whole file, for editors; `intake` reads one act after the other, to say what is wrong with each."""
