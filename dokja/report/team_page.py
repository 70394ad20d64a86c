"""The page of a team: what was decided on it and why, all its numbers, all acts that name it; every team alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import Score, StageOutcome, figures_of
from dokja.language import mark
from dokja.record.acts import AnyAct, Application, Decision, Disclosure, RulebookAmended
from dokja.report.cells import Label, NumberCell, decided_label, number_cell, place
from dokja.report.edition import Edition
from dokja.report.figure_tables import in_depth
from dokja.report.quantities import interval_text
from dokja.report.stage_page import GateCell, gate_cell
from dokja.report.timeline import Month, timeline
from dokja.report.verdict_rows import VerdictRow, verdict_row
from dokja.report.words import FATE_REASONS, GOES_ON, MEASURE_RULES, ORDERS
from dokja.values import plain


@dataclass(frozen=True)
class NumberRow:
    """One of a team's numbers: how far down the score tree it stands, what it rests on, how the others fare."""

    measure: Markup
    depth: int
    points: str
    number: NumberCell
    rule: Markup
    basis: Markup
    mean: str
    best: str


@dataclass(frozen=True)
class ReadingRow:
    """What becomes of the team under one reading of the rules."""

    order: Markup
    said: bool
    goes_on: Label
    why: Markup


@dataclass(frozen=True)
class TeamInStage:
    """A team in one stage."""

    id: str
    title: Markup
    withdrawn: bool
    place: str
    teams: int
    seats: int
    decided: Label | None
    verdict: VerdictRow | None
    gates: tuple[tuple[Markup, GateCell], ...]
    readings: tuple[ReadingRow, ...]
    numbers: tuple[NumberRow, ...]


@dataclass(frozen=True)
class TeamPage:
    """All that the page of a team shows."""

    title: str
    lead: str | None
    members: tuple[str, ...]
    calls: tuple[Markup, ...]
    stages: tuple[TeamInStage, ...]
    months: tuple[Month, ...]


def team_page(team: str, edition: Edition) -> TeamPage:
    """The page of a team."""
    acts = edition.publication.acts
    applied = [act for act in acts.values() if isinstance(act, Application) and act.team == team]
    latest = applied[-1] if applied else None
    return TeamPage(
        title=edition.called(team),
        lead=edition.text(latest.lead) if latest and latest.lead else None,
        members=tuple(edition.text(member) for member in latest.members) if latest else (),
        calls=tuple(edition.call(act.call).shown for act in applied),
        stages=tuple(
            team_in_stage(outcome, team, edition)
            for outcome in edition.publication.outcome.stages
            if team in outcome.teams or team in outcome.withdrawn
        ),
        months=timeline(edition, [index for index, act in acts.items() if team in named_by(act)]),
    )


def named_by(act: AnyAct) -> frozenset[str]:
    """The teams that an act names."""
    named = {act.who, getattr(act, "team", None)}
    match act:
        case Decision():
            named |= {*act.goes_on, *(left.team for left in act.leaves)}
        case Disclosure():
            named |= {team for figure in act.figures for team in figure.teams}
        case RulebookAmended():
            named |= {*act.consented}
        case _:
            pass
    return frozenset(each for each in named if each is not None)


def team_in_stage(outcome: StageOutcome, team: str, edition: Edition) -> TeamInStage:
    """How a team stood in a stage: its place, its gates, what follows by each reading, what was decided."""
    held = next((each for each in outcome.holdings if each.part == "team" and each.subject == team), None)
    return TeamInStage(
        id=outcome.stage,
        title=edition.stage(outcome.stage).shown,
        withdrawn=team in outcome.withdrawn,
        place=place(outcome, team, edition),
        teams=len(outcome.teams),
        seats=outcome.seats,
        decided=decided_label(outcome, team, edition),
        verdict=verdict_row(held, outcome, edition) if held else None,
        gates=tuple(
            (edition.gate(result.gate).shown, gate_cell(result, edition))
            for result in outcome.gates
            if result.team == team
        ),
        readings=tuple(_readings(outcome, team, edition)),
        numbers=tuple(_numbers(outcome, team, edition)),
    )


def _readings(outcome: StageOutcome, team: str, edition: Edition) -> Iterator[ReadingRow]:
    for reading in outcome.readings:
        fate = reading.fates.get(team)
        if fate is not None:
            yield ReadingRow(
                order=edition.say(ORDERS[reading.order]),
                said=reading.said,
                goes_on=Label(fate.goes_on, edition.say(GOES_ON[fate.goes_on])),
                why=edition.say(FATE_REASONS[fate.reason]),
            )


def _numbers(outcome: StageOutcome, team: str, edition: Edition) -> Iterator[NumberRow]:
    measures = edition.rules.measures(outcome.stage)
    found = {aggregate.measure: aggregate for aggregate in outcome.aggregates}
    for measure, depth in in_depth(measures[0]) if measures else ():
        score, others = outcome.scores.get((team, measure.id)), found.get(measure.id)
        if score is not None:
            yield NumberRow(
                measure=edition.measure(outcome.stage, measure.id).shown,
                depth=depth,
                points=plain(measure.points),
                number=number_cell(score, outcome.stage, edition),
                rule=edition.say(MEASURE_RULES[measure.rule]),
                basis=basis(score, edition),
                mean=interval_text(others.mean, edition.language) if others else "",
                best=interval_text(others.best, edition.language) if others else "",
            )


BASES = {
    "exact": mark("follows to the last digit"),
    "published": mark("published"),
    "between": mark("bounded by what was published"),
    "unknown": mark("nothing was published that bounds it"),
}


def basis(score: Score, edition: Edition) -> Markup:
    """What a number rests on, in a few words; its trace says all of it."""
    shown = edition.quantity(score)
    if score.act_count:
        return edition.say(mark("computed from acts: {count}"), {"count": score.act_count})
    if shown.act is not None:
        return edition.say(mark("published: {act}"), {"act": edition.act_and_source(shown.act)})
    figures = len(figures_of(score))
    if figures and shown.standing == "between":
        return edition.say(mark("bounded by published figures: {count}"), {"count": figures})
    return edition.say(BASES[shown.standing])
