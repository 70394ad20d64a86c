"""Whether each act was done as the rulebook in force says: pinned by a clause, in time, by whom it belongs to.

`dokja.intake` has already held the act against what exists and what happened before; here stands what an intake lets
pass because it is for a reader to judge. Each check takes the walk so far and an act and yields what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dokja.language import mark
from dokja.record.acts import (
    Act,
    Application,
    Ballot,
    CallOpened,
    Decision,
    Finding,
    ObjectionAnswered,
    ObjectionFiled,
    Reply,
    SubmissionReceived,
)
from dokja.rulebook import Cut, Gate, Objections
from dokja.values import utc_text
from dokja.verify.amendments import document_faults
from dokja.verify.course import Walk
from dokja.verify.draws import draw_faults
from dokja.verify.duties import unnumbered
from dokja.verify.sealing import sealing_checks
from dokja.verify.verdict import Fault
from dokja.verify.weighing import unweighed

Check = Callable[[Walk, int, Any], Iterator[Fault]]

TOO_LATE = mark("It was done at {when}; by “{clause}” the time ended at {until}.")
TOO_EARLY = mark("It was done at {when}; by “{clause}” the time begins at {since}.")


def procedure_faults(walk: Walk, index: int, act: Act) -> Iterator[Fault]:
    """Everything about an act that the rules in force at its time do not allow."""
    kind = type(act)
    own = (*_CHECKS.get(kind, ()), *draw_faults.get(kind, ()), *sealing_checks.get(kind, ()))
    for check in (_clause_in_force, _own_voice, unnumbered, *own):
        yield from check(walk, index, act)


def _clause_in_force(walk: Walk, index: int, act: Act) -> Iterator[Fault]:
    """A clause that no version knows is told by the intake already."""
    if act.clause in walk.rules.clauses and act.clause not in walk.enacted_at(act.when):
        said = mark("It names “{clause}”, which was not in force at {when}.")
        yield Fault("CLAUSE_UNKNOWN", said, {"clause": str(act.clause), "when": utc_text(act.when)}, index)


def _own_voice(walk: Walk, index: int, act: Act) -> Iterator[Fault]:
    """Where acts are signed, each is signed by whom it belongs to."""
    kind = str(getattr(act, "type", ""))
    if (
        act.signature is not None
        and (breach := walk.offices.breach(kind, act.who, partial(getattr, act))) is not None
    ):
        yield Fault(breach.code, breach.what, breach.values, index)


def _late(index: int, when: datetime, clause: str, until: datetime | None) -> Iterator[Fault]:
    if until is not None and when > until:
        values = {"when": utc_text(when), "clause": clause, "until": utc_text(until)}
        yield Fault("DEADLINE", TOO_LATE, values, index)


def _early(index: int, when: datetime, clause: str, since: datetime | None) -> Iterator[Fault]:
    if since is not None and when < since:
        values = {"when": utc_text(when), "clause": clause, "since": utc_text(since)}
        yield Fault("DEADLINE", TOO_EARLY, values, index)


def _call_opened(walk: Walk, index: int, act: CallOpened) -> Iterator[Fault]:
    clause = walk.call_clause(act.call, act.when)
    if clause is None:
        said = mark("The call “{call}” was opened, and no clause in force at {when} knows it.")
        yield Fault("PROCEDURE_NOT_PINNED", said, {"call": act.call, "when": utc_text(act.when)}, index)
    else:
        yield from _early(index, act.when, clause.id, clause.opens)


def _application(walk: Walk, index: int, act: Application) -> Iterator[Fault]:
    clause = walk.call_clause(act.call, act.when)
    if clause is not None:
        yield from _late(index, act.when, clause.id, clause.closes)


def _submission(walk: Walk, index: int, act: SubmissionReceived) -> Iterator[Fault]:
    stage = walk.rules_at(act.when).stage(act.stage)
    if stage is not None:
        yield from _late(index, act.when, stage.id, stage.calendar.submission)
    yield from _after_decision(walk, index, act)


def _after_decision(walk: Walk, index: int, act: SubmissionReceived | Ballot | Finding) -> Iterator[Fault]:
    """What a decision rests on must be there when it is taken, unless the stage is to be decided again."""
    if act.stage in walk.decisions and walk.course.stage(act.stage).settled:
        decision = walk.decisions[act.stage][1]
        said = mark("It came into the record after the decision “{decision}” of {when}.")
        yield Fault("DEADLINE", said, {"decision": decision.id, "when": utc_text(decision.when)}, index)


def _decision(walk: Walk, index: int, act: Decision) -> Iterator[Fault]:
    rules = walk.rules_at(act.when)
    if rules.one(Cut, act.stage) is None:
        said = mark("“{stage}” was decided, and no clause in force at {when} says who goes on.")
        yield Fault("PROCEDURE_NOT_PINNED", said, {"stage": act.stage, "when": utc_text(act.when)}, index)
    stage = rules.stage(act.stage)
    if stage is not None and act.stage not in walk.decisions:
        yield from _late(index, act.when, stage.id, stage.calendar.decision)
    gates = {gate.id: gate for gate in rules.of(Gate, act.stage)}
    for named, finding in walk.hearing.findings.items():
        gate = gates.get(finding.gate) if finding.stage == act.stage and finding.result == "does-not-meet" else None
        if gate is not None and gate.reply_days and named not in walk.hearing.replied:
            yield from _early(index, act.when, gate.id, finding.when + timedelta(days=gate.reply_days))
    for objection, (_, filed) in walk.hearing.objections.items():
        if filed.stage == act.stage:
            said = mark("The objection “{objection}” of {team} had no answer when it was decided.")
            yield Fault("OBJECTION_UNANSWERED", said, {"objection": objection, "team": filed.team}, index)


def _reply(walk: Walk, index: int, act: Reply) -> Iterator[Fault]:
    """A reply that was given before the decision and taken into the record only after it."""
    stage = walk.hearing.stage_of(act.to)
    if stage is not None:
        yield from _left_out(walk, index, act, stage)


def _objection_filed(walk: Walk, index: int, act: ObjectionFiled) -> Iterator[Fault]:
    yield from _left_out(walk, index, act, act.stage)
    decided = walk.decisions.get(act.stage)
    if decided is not None and act.against == decided[1].id:
        for rule in walk.rules_at(act.when).of(Objections, act.stage):
            yield from _late(index, act.when, rule.id, decided[1].when + timedelta(days=rule.window_days))


def _left_out(walk: Walk, index: int, act: Reply | ObjectionFiled, stage: str) -> Iterator[Fault]:
    decided = walk.decisions.get(stage)
    if decided is not None and act.when < decided[1].when:
        said = mark(
            "{team} filed it at {when}, before the decision “{decision}”, and it came into the record only after "
            "that."
        )
        values = {"team": act.team, "when": utc_text(act.when), "decision": decided[1].id}
        yield Fault("OBJECTION_UNANSWERED", said, values, index)


def _objection_answered(walk: Walk, index: int, act: ObjectionAnswered) -> Iterator[Fault]:
    if act.objection in walk.hearing.objections:
        _, filed = walk.hearing.objections[act.objection]
        for rule in walk.rules_at(act.when).of(Objections, filed.stage):
            if rule.answer_days is not None:
                yield from _late(index, act.when, rule.id, filed.when + timedelta(days=rule.answer_days))


def unanswered(walk: Walk) -> Iterator[Fault]:
    """Objections that have no answer though the time for it has passed by the record's last act."""
    for objection, (index, filed) in walk.hearing.objections.items():
        for rule in walk.rules_at(filed.when).of(Objections, filed.stage):
            due = filed.when + timedelta(days=rule.answer_days) if rule.answer_days is not None else None
            if due is not None and walk.latest is not None and due < walk.latest:
                said = mark("The objection “{objection}” of {team} was to be answered by {due}, and was not.")
                values = {"objection": objection, "team": filed.team, "due": utc_text(due)}
                yield Fault("OBJECTION_UNANSWERED", said, values, index)


_CHECKS: Mapping[type[Act], Sequence[Check]] = {
    **document_faults,
    Application: (_application,),
    Ballot: (_after_decision,),
    CallOpened: (_call_opened,),
    Decision: (_decision, unweighed),
    Finding: (_after_decision,),
    ObjectionAnswered: (_objection_answered,),
    ObjectionFiled: (_objection_filed,),
    Reply: (_reply,),
    SubmissionReceived: (_submission,),
}
