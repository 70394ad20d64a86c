"""The data of a clause as a list that people read: what it fixes, and what it leaves unsaid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from markupsafe import Markup

from dokja.language import mark
from dokja.report.act_words import KINDS as ACTS
from dokja.report.edition import Edition
from dokja.report.figure_tables import in_depth
from dokja.report.measure_words import rule_said
from dokja.report.names import name
from dokja.report.words import CONSEQUENCES, DRAWN, ORDERS, SITUATIONS
from dokja.rulebook import (
    AmendmentRule,
    AnyClause,
    Call,
    Contingency,
    Cut,
    Disclosure,
    Draw,
    Gate,
    Objections,
    PanelRule,
    RecordKeeping,
    Score,
    Stage,
)
from dokja.values import plain

KINDS: Mapping[str, str] = {
    "stage": mark("Stage"),
    "score": mark("Score"),
    "panel": mark("Panel"),
    "gate": mark("Gate"),
    "cut": mark("Cut"),
    "contingency": mark("Contingency"),
    "call": mark("Call"),
    "objections": mark("Objections"),
    "amendments": mark("Amendments"),
    "disclosure": mark("Disclosure"),
    "draw": mark("Draw"),
    "record": mark("Record keeping"),
    "goal": mark("Goal"),
}

EVIDENCE: Mapping[str, str] = {
    "judgement": mark("a judgement of the office"),
    "ballots": mark("ballots of a panel"),
    "audit": mark("findings of an audit"),
    "points": mark("points of single measures"),
}

OWN_MODELS: Mapping[str, str] = {
    "allowed": mark("allowed, where declared before the audit"),
    "not-allowed": mark("not allowed"),
}

STEPS: Mapping[str, str] = {
    "measure": mark("the higher value of {measure} goes first"),
    "all-go-on": mark("all tied teams go on"),
    "none-goes-on": mark("no tied team goes on"),
    "lot": mark("the lot decides"),
}

GROUPS: Mapping[str, str] = {
    "first-applicants": mark("those who applied to the first call"),
    "teams-that-left": mark("teams that left"),
    "any-capable-firm": mark("any capable firm"),
}

SOLE: Mapping[str, str] = {
    "evaluated": mark("it is evaluated"),
    "call-repeated": mark("the call is repeated"),
    "admitted": mark("it is admitted"),
}

NOBODY: Mapping[str, str] = {
    "place-stays-empty": mark("the place stays empty"),
    "call-repeated": mark("the call is repeated"),
}

CONSENT: Mapping[str, str] = {
    "every-team": mark("every team concerned"),
    "most-teams": mark("more than half of the teams concerned"),
}

CALENDAR: Mapping[str, str] = {
    "opens": mark("Opens"),
    "submission": mark("Submission"),
    "evaluation": mark("Evaluation"),
    "decision": mark("Decision"),
}

FIELDS: Mapping[str, str] = {
    "totals": mark("totals"),
    "measures": mark("values of measures"),
    "aggregates": mark("means and bests"),
    "ranks": mark("places"),
    "gate-results": mark("results of gates"),
    "reasons": mark("reasons"),
    "ballots": mark("ballots"),
    "raters": mark("names of raters"),
}

AUDIENCES: Mapping[str, str] = {
    "team-itself": mark("the team itself"),
    "other-teams": mark("the other teams"),
    "public": mark("the public"),
}

LEVELS: Mapping[str, str] = {
    "exact": mark("exact"),
    "rounded": mark("rounded"),
    "aggregate": mark("only as means and bests"),
    "withheld": mark("withheld"),
}

COUNTS: Mapping[str, str] = {
    "withdrawn": mark("teams that withdrew"),
    "undecided": mark("teams without a gate result"),
    "failed": mark("teams that failed a gate"),
    "below_minimum": mark("teams below the minimum score"),
    "remaining": mark("teams that remain"),
    "tied": mark("teams that are level on the cut line"),
    "contested": mark("seats that level teams contest"),
    "withdrawn_after": mark("withdrawals after the decision"),
    "upheld_after": mark("objections upheld after the decision"),
}


@dataclass(frozen=True)
class Fact:
    """One thing that a clause can fix; `said` is `None` where it leaves it open."""

    title: Markup
    said: Markup | None


@dataclass(frozen=True)
class MeasureLine:
    """A measure of a score tree: how far down it stands, its points, its rule in words."""

    title: Markup
    depth: int
    points: str
    rule: Markup


def facts(clause: AnyClause, edition: Edition) -> tuple[Fact, ...]:
    """What a clause fixes, in the order of its fields; a score tree is told by `measure_lines`."""
    tell = _TOLD.get(type(clause))
    if tell is None:
        return ()
    return tuple(Fact(edition.say(title), said) for title, said in tell(clause, edition))


def measure_lines(clause: AnyClause, edition: Edition) -> tuple[MeasureLine, ...]:
    """The score tree of a score clause, parents first; empty for every other clause."""
    if not isinstance(clause, Score):
        return ()
    return tuple(
        MeasureLine(
            name(edition.text(measure.title)).shown, depth, plain(measure.points), rule_said(measure, edition)
        )
        for measure, depth in in_depth(clause.measure)
    )


Told = Iterator[tuple[str, Markup | None]]

K = TypeVar("K", bound=str)


def _count(number: int | None) -> Markup | None:
    return None if number is None else Markup("{}").format(number)


def _points(number: Decimal | None) -> Markup | None:
    return None if number is None else Markup("{}").format(plain(number))


def _when(moment: datetime | None, edition: Edition) -> Markup | None:
    return None if moment is None else edition.day(moment)


def _named(key: K | None, table: Mapping[K, str], edition: Edition) -> Markup | None:
    return None if key is None else edition.say(table[key])


def _yes(flag: bool | None, edition: Edition) -> Markup | None:
    return None if flag is None else edition.say(mark("yes") if flag else mark("no"))


def _several(parts: Iterable[Markup]) -> Markup | None:
    return Markup("; ").join(parts) or None


def _stage(clause: Stage, edition: Edition) -> Told:
    yield mark("Entrants"), _count(clause.entrants)
    yield mark("Seats"), _count(clause.seats)
    yield mark("Opens"), _when(clause.calendar.opens, edition)
    yield mark("Submission"), _when(clause.calendar.submission, edition)
    yield mark("Evaluation"), _when(clause.calendar.evaluation, edition)
    yield mark("Decision"), _when(clause.calendar.decision, edition)


def _panel(clause: PanelRule, edition: Edition) -> Told:
    yield mark("Raters"), _count(clause.raters)
    yield mark("Raters who must vote"), _count(clause.quorum)
    yield mark("Conflicts of interest checked"), _yes(clause.conflicts_checked, edition)
    if clause.sealed is not None:
        yield mark("Marks are sealed"), _yes(clause.sealed, edition)


def _gate(clause: Gate, edition: Edition) -> Told:
    yield mark("Criterion"), name(edition.text(clause.criterion)).shown if clause.criterion else None
    yield mark("Evidence"), _named(clause.evidence, EVIDENCE, edition)
    quorum = clause.quorum
    told = mark("{fail_at} objecting raters fail a team; {raters} must vote")
    values = {"fail_at": quorum.fail_at, "raters": quorum.raters} if quorum else {}
    yield mark("Quorum"), edition.say(told, values) if quorum else None
    yield mark("Days to reply"), _count(clause.reply_days)
    if clause.audit is not None:
        shared = _several(Markup("{}").format(component) for component in clause.audit.may_share)
        yield mark("Components that may be shared"), shared or edition.say(mark("none"))
        yield mark("Earlier models of the team's own"), _named(clause.audit.own_models, OWN_MODELS, edition)
        yield mark("Least share of parameters looked at"), _points(clause.audit.least_assessed)
    for each in clause.thresholds:
        said = mark("{measure}: at least {points} points")
        asked = {"measure": edition.measure(clause.stage, each.measure), "points": plain(each.at_least)}
        yield mark("Threshold"), edition.say(said, asked)
    yield mark("Axes"), _several(name(edition.text(axis)).shown for axis in clause.axes)


def _cut(clause: Cut, edition: Edition) -> Told:
    yield mark("Order of gate and points"), _named(clause.order, ORDERS, edition)
    ties = (
        edition.say(STEPS[step.step], {"measure": edition.measure(clause.stage, step.measure or "")})
        for step in clause.ties
    )
    yield mark("Teams that are level"), _several(ties)
    yield mark("Minimum score"), _points(clause.minimum)


def _contingency(clause: Contingency, edition: Edition) -> Told:
    yield mark("Situation"), edition.say(SITUATIONS[clause.situation])
    for count, bounds in dict(clause.when).items():
        if bounds is not None:
            at_least, between = mark("{count}: {least} or more"), mark("{count}: {least} to {most}")
            values = {"count": edition.say(COUNTS[count]), "least": bounds.at_least, "most": bounds.at_most}
            yield mark("Condition"), edition.say(at_least if bounds.at_most is None else between, values)
    yield mark("What follows"), edition.say(CONSEQUENCES[clause.consequence])
    if clause.call is not None:
        yield mark("Call"), edition.call(clause.call).shown


def _call(clause: Call, edition: Edition) -> Told:
    yield mark("Stage"), edition.stage(clause.stage).shown
    yield mark("Places"), _count(clause.places)
    yield mark("Who may apply"), _several(edition.say(GROUPS[each.group]) for each in clause.eligible)
    yield mark("Panel"), name(clause.panel).shown if clause.panel else None
    majority = mark("more than {share} of the panel")
    values = {"share": plain(clause.majority) if clause.majority is not None else ""}
    yield mark("Majority"), edition.say(majority, values) if clause.majority is not None else None
    yield mark("Nobody may be chosen"), _yes(clause.nobody_is_legal, edition)
    yield mark("A sole applicant"), _named(clause.sole_applicant, SOLE, edition)
    yield mark("Nobody applies"), _named(clause.nobody_applies, NOBODY, edition)
    if clause.by_date:
        yield mark("Opens on its day whatever happens"), _yes(clause.by_date, edition)
    yield mark("Opens"), _when(clause.opens, edition)
    yield mark("Closes"), _when(clause.closes, edition)


def _objections(clause: Objections, edition: Edition) -> Told:
    yield mark("Days to object"), _count(clause.window_days)
    yield mark("Days of standstill"), _count(clause.standstill_days)
    yield mark("Days to answer"), _count(clause.answer_days)
    if clause.weighing is not None:
        yield mark("Decision names what it weighed"), _yes(clause.weighing, edition)


def _amendments(clause: AmendmentRule, edition: Edition) -> Told:
    yield mark("Days of notice"), _count(clause.notice_days)
    yield mark("Consent once begun"), _named(clause.consent, CONSENT, edition)


def _disclosure(clause: Disclosure, edition: Edition) -> Told:
    for row in clause.levels:
        values = {
            "audience": edition.say(AUDIENCES[row.audience]),
            "level": edition.say(LEVELS[row.level]),
            "days": row.after_days,
        }
        at_once, later = mark("{audience}: {level}"), mark("{audience}: {level}, {days} days after the decision")
        yield FIELDS[row.field], edition.say(later if row.after_days else at_once, values)


def _draw(clause: Draw, edition: Edition) -> Told:
    yield mark("What is drawn"), edition.say(DRAWN[clause.purpose])
    if clause.panel is not None:
        yield mark("Panel"), name(clause.panel).shown
    if clause.measure is not None:
        yield mark("Measure"), edition.measure(clause.stage, clause.measure).shown
    yield mark("Hours between announcement and draw, at least"), _count(clause.ahead_hours)


def _record(clause: RecordKeeping, edition: Edition) -> Told:
    for due in clause.due:
        act = edition.say(ACTS[due.act]) if due.act in ACTS else Markup("<code>{}</code>").format(due.act)
        values = {"act": act, "by": edition.say(CALENDAR[due.by]), "days": due.after_days}
        at_once, later = mark("{act}, by: {by}"), mark("{act}, within {days} days of: {by}")
        yield mark("Due in the record"), edition.say(later if due.after_days else at_once, values)
    yield mark("A sign of life every day"), _yes(clause.heartbeat, edition)
    yield mark("Whoever acts numbers its acts"), _yes(clause.numbered, edition)
    yield mark("Hours until what was handed in is recorded"), _count(clause.merge_hours)
    yield mark("Hours until witnesses have cosigned a decision"), _count(clause.witnessed_hours)


_TOLD: Mapping[type, Callable[[Any, Edition], Told]] = {
    Stage: _stage,
    PanelRule: _panel,
    Gate: _gate,
    Cut: _cut,
    Contingency: _contingency,
    Call: _call,
    Objections: _objections,
    AmendmentRule: _amendments,
    Disclosure: _disclosure,
    Draw: _draw,
    RecordKeeping: _record,
}
