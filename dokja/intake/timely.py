"""What an act may say after the acts before it: nothing of what has not happened, nothing that is over.

A team must have come into the stage, a call must be open, a stage must be open and not yet decided, and an act that
is referred to must exist and not lie later. Held against `course`, which knows what has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dokja.intake.breach import Breach
from dokja.intake.course import Course
from dokja.intake.draws import announced, item_breaches, made, out_of_order, recused, seat_breach
from dokja.intake.sealing import open_ballot_breach, sealing_checks
from dokja.record.acts import (
    Act,
    Admission,
    AnyAct,
    Application,
    AuditReported,
    Ballot,
    CallClosed,
    ConsentGiven,
    Decision,
    Declined,
    Disclosure,
    DrawAnnounced,
    DrawMade,
    Finding,
    GrantDelivered,
    GrantReturned,
    MeasurementReported,
    ObjectionAnswered,
    ObjectionFiled,
    PresentationHeld,
    Recusal,
    Reply,
    RulebookAmended,
    Statement,
    SubmissionReceived,
    Withdrawal,
)
from dokja.record.canonical import Row, Rows
from dokja.values import utc_text

_BALLOT = "ballot"

Path = tuple[str | int, ...]
Check = Callable[[Any, Course, str], Iterator[Breach]]
Earliest = dict[tuple[str | None, str | None], str]
"""The earliest time of any ballot, by stage and team."""


def breaches(act: AnyAct, course: Course) -> Iterator[Breach]:
    """Everything in an act that cannot be said at this point of the course."""
    when = utc_text(act.when)
    for check in _CHECKS.get(type(act), ()):
        yield from check(act, course, when)


def ballot_breaches(course: Course, row: Row) -> Iterator[Breach]:
    """Everything in a ballot that cannot be said at this point; its act is not built, for there may be millions."""
    assert row.stage is not None and row.team is not None  # noqa: S101 - every ballot names them
    entered = entry_breach(course, row.stage, row.team, row.when)
    for breach in (entered, seat_breach(course, row), open_ballot_breach(course, row)):
        if breach is not None:
            yield breach


def earliest_ballots(rows: Rows) -> Earliest | None:
    """The earliest time of any ballot for each stage and team; `None` where not all rows are ballots.

    Millions of ballots have fewer teams in fewer stages; this much can be said of them wherever they are read.
    """
    if any(kind != _BALLOT for kind in rows.column("type")):
        return None
    earliest: Earliest = {}
    for stage, team, when in zip(*map(rows.column, ("stage", "team", "when")), strict=True):
        subject = stage, team
        if earliest.setdefault(subject, when) > when:
            earliest[subject] = when
    return earliest


def plainly_timely(course: Course, rows: Rows, earliest: Earliest | None) -> bool:
    """Whether all are ballots, and plainly none has a breach."""
    if earliest is None or not _all_seated(course, rows.column("key")):
        return False
    return all(
        stage is not None and team is not None and entry_breach(course, stage, team, when) is None
        for (stage, team), when in earliest.items()
    )


def _all_seated(course: Course, keys: Iterable[str]) -> bool:
    """Whether ballots, by their keys, are of raters who were drawn, and none is on marks that are sealed."""
    if not course.panels and not course.grid.rows:
        return True
    seated = {panel: frozenset(draw.seated) for panel, draw in course.panels.items()}
    sealed = course.grid.subjects
    for stage, panel, subject, rater in {tuple(key.split("/")[1:5]) for key in keys}:
        if (stage, panel, subject) in sealed or rater not in seated.get((stage, panel), (rater,)):
            return False
    return True


def entry_breach(course: Course, stage: str, team: str, when: str, path: Path = ("team",)) -> Breach | None:
    """Why a team has no part in a stage at a time; `None` where it has."""
    entered = course.stage(stage).entered.get(team)
    if entered is None:
        return _not_admitted(team, stage, path) if team in course.teams else _unknown_team(team, path)
    return _too_early(when, entered, f"{team} → {stage}") if when < entered else None


def _unknown_team(team: str, path: Path) -> Breach:
    return Breach(
        "act-unknown-team",
        "No team “{team}” has applied or been admitted.",
        "Correct the id, or record the application first.",
        {"team": team},
        path,
    )


def _not_admitted(team: str, stage: str, path: Path) -> Breach:
    return Breach(
        "act-team-not-admitted",
        "The team “{team}” was never admitted to the stage “{stage}”.",
        "Correct the id, or record the admission or the decision that lets it in first.",
        {"team": team, "stage": stage},
        path,
    )


def _too_early(when: str, cause: str, of: str) -> Breach:
    return Breach(
        "act-too-early",
        "The act is dated {when}, before what it refers to ({of}, {cause}).",
        "Correct one of the two times.",
        {"when": when, "cause": cause, "of": of},
        ("when",),
    )


def _in_stage(act: Any, course: Course, when: str) -> Iterator[Breach]:  # noqa: ANN401 - acts with a stage and a team
    if (breach := entry_breach(course, act.stage, act.team, when)) is not None:
        yield breach


def _known(act: ConsentGiven | Reply | ObjectionFiled | Statement, course: Course, _: str) -> Iterator[Breach]:
    if act.team is not None and act.team not in course.teams:
        yield _unknown_team(act.team, ("team",))


def _refers(field: str, kind: type[Act] = Act) -> Check:
    """A check that the act named by a field exists, is of a kind, and does not lie later."""

    def check(act: AnyAct, course: Course, when: str) -> Iterator[Breach]:
        if (named := getattr(act, field)) is not None:
            yield from _reference(named, kind, course, when, (field,))

    return check


def _reference(named: str, kind: type[Act], course: Course, when: str, path: Path) -> Iterator[Breach]:
    cause = course.acts.get(named)
    if cause is None or not issubclass(cause.kind, kind):
        yield Breach(
            "act-unknown-reference",
            "“{field}” names “{named}”, which is no act before this one that it can refer to.",
            "Write the id of an earlier act; ballots are not referred to one by one.",
            {"field": str(path[0]), "named": named},
            path,
        )
    elif when < cause.when:
        yield _too_early(when, cause.when, named)


def _rests_on(act: Decision, course: Course, when: str) -> Iterator[Breach]:
    for position, named in enumerate(act.rests_on):
        yield from _reference(named, Act, course, when, ("rests_on", position))


def _call_closed(act: CallClosed, course: Course, when: str) -> Iterator[Breach]:
    call = course.call(act.call)
    if call.opened is None:
        yield _call_not_open(act.call)
        return
    latest = max([call.opened, *call.applied.values()])
    if when < latest:
        yield _too_early(when, latest, act.call)


def _call_not_open(call: str) -> Breach:
    return Breach(
        "act-call-not-open",
        "The call “{call}” is not open at that time.",
        "Record when the call was opened, or correct the time; it may have been closed before.",
        {"call": call},
        ("call",),
    )


def _application(act: Application, course: Course, when: str) -> Iterator[Breach]:
    call = course.call(act.call)
    ends = [end for end in (call.closes, call.closed) if end is not None]
    if call.opened is None or when < call.opened or any(when > end for end in ends):
        yield _call_not_open(act.call)


def _declined(act: Declined, course: Course, when: str) -> Iterator[Breach]:
    opened = course.call(act.call).opened
    if opened is not None and when < opened:
        yield _too_early(when, opened, act.call)


def _admission(act: Admission, course: Course, when: str) -> Iterator[Breach]:
    applied = course.call(act.call).applied.get(act.team)
    if applied is None:
        yield Breach(
            "act-did-not-apply",
            "The team “{team}” did not apply to the call “{call}”.",
            "Record its application first, or correct the id.",
            {"team": act.team, "call": act.call},
            ("team",),
        )
    elif when < applied:
        yield _too_early(when, applied, f"{act.team} → {act.call}")


def _decision(act: Decision, course: Course, when: str) -> Iterator[Breach]:
    stage = course.stage(act.stage)
    if stage.opened is None or when < stage.opened:
        yield Breach(
            "act-stage-not-open",
            "The stage “{stage}” is not open at that time.",
            "Record the admissions or the decision of the stage before first, or correct the stage or the time.",
            {"stage": act.stage},
            ("stage",),
        )
    elif stage.decision is not None and stage.settled:
        yield Breach(
            "act-stage-decided",
            "The stage “{stage}” was decided already, by “{decision}”.",
            "It can be decided again only after an objection was upheld, or after a team that went on left.",
            {"stage": act.stage, "decision": stage.decision.id},
            ("stage",),
        )
    elif stage.decision is not None and act.when < stage.decision.when:
        yield _too_early(when, utc_text(stage.decision.when), stage.decision.id)
    for path, team in _named(act):
        if (breach := entry_breach(course, act.stage, team, when, path)) is not None:
            yield breach


def _named(act: Decision) -> Iterator[tuple[Path, str]]:
    for position, team in enumerate(act.goes_on):
        yield ("goes_on", position), team
    for position, departure in enumerate(act.leaves):
        yield ("leaves", position, "team"), departure.team


def _disclosure(act: Disclosure, course: Course, when: str) -> Iterator[Breach]:
    for position, figure in enumerate(act.figures):
        for each, team in enumerate(figure.teams):
            path = ("figures", position, "teams", each)
            if (breach := entry_breach(course, act.stage, team, when, path)) is not None:
                yield breach


def _lot_between_teams(act: DrawAnnounced, course: Course, when: str) -> Iterator[Breach]:
    for position, team in enumerate(act.pool if act.purpose == "lot" else ()):
        if (breach := entry_breach(course, act.stage, team, when, ("pool", position))) is not None:
            yield breach


def _consent(act: RulebookAmended, course: Course, _: str) -> Iterator[Breach]:
    for position, team in enumerate(act.consented):
        if team not in course.teams:
            yield _unknown_team(team, ("consented", position))


_CHECKS: Mapping[type[Act], Sequence[Check]] = {
    **sealing_checks,
    Admission: (_admission,),
    Application: (_application,),
    Ballot: (_in_stage,),
    CallClosed: (_call_closed,),
    ConsentGiven: (_known,),
    Decision: (_decision, _rests_on),
    Declined: (_declined,),
    Disclosure: (_disclosure,),
    DrawAnnounced: (_lot_between_teams, announced),
    DrawMade: (made,),
    AuditReported: (_in_stage,),
    Finding: (_in_stage,),
    GrantDelivered: (_in_stage,),
    GrantReturned: (_in_stage,),
    MeasurementReported: (_in_stage, item_breaches),
    ObjectionAnswered: (_refers("objection", ObjectionFiled),),
    ObjectionFiled: (_known, _refers("against")),
    PresentationHeld: (_in_stage, out_of_order),
    Recusal: (recused,),
    Reply: (_known, _refers("to")),
    RulebookAmended: (_consent,),
    Statement: (_known, _refers("to")),
    SubmissionReceived: (_in_stage,),
    Withdrawal: (_in_stage,),
}
