"""The first page: where rulebook and decisions agree and part, the stages at a glance, the teams, the course."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import StageOutcome, Verdict
from dokja.report import addresses
from dokja.report.cells import Label, NumberCell, by_place, decided_label, number_cell, place
from dokja.report.course_chart import CourseRow, course_charts, course_rows
from dokja.report.drawing import Chart
from dokja.report.edition import Edition
from dokja.report.stage_summary import began, decision_of, headline
from dokja.report.timeline import Month, timeline
from dokja.report.verdict_rows import Part, parts
from dokja.report.words import VERDICT_MEANINGS, VERDICTS


@dataclass(frozen=True)
class Tally:
    """How many parts of decisions have a verdict, and what the verdict means."""

    verdict: Label
    count: int
    meaning: Markup


@dataclass(frozen=True)
class Entrant:
    """A team of a stage and what was decided on it."""

    team: Markup
    decided: Label | None


@dataclass(frozen=True)
class StageCard:
    """A stage at a glance."""

    title: Markup
    href: str
    headline: Markup
    began: bool
    decided: Markup | None
    seats: int
    entrants: tuple[Entrant, ...]


@dataclass(frozen=True)
class TeamStage:
    """A team in a stage; empty where it took no part."""

    place: str
    total: NumberCell | None
    decided: Label | None
    withdrawn: bool


@dataclass(frozen=True)
class TeamRow:
    """A team through all stages."""

    team: Markup
    stages: tuple[TeamStage | None, ...]


@dataclass(frozen=True)
class IndexPage:
    """All that the first page shows."""

    title: str
    summary: str | None
    tallies: tuple[Tally, ...]
    parts: tuple[Part, ...]
    stages: tuple[StageCard, ...]
    stage_titles: tuple[Markup, ...]
    teams: tuple[TeamRow, ...]
    charts: tuple[Chart, ...]
    course: tuple[CourseRow, ...]
    months: tuple[Month, ...]


def index_page(edition: Edition) -> IndexPage:
    """The first page of an edition."""
    about, stages = edition.publication.about, edition.publication.outcome.stages
    return IndexPage(
        title=edition.text(about.title),
        summary=edition.text(about.summary) if about.summary else None,
        tallies=_tallies(edition),
        parts=tuple(part for part in parts(edition) if part.verdict.kind != "agreed"),
        stages=tuple(_card(outcome, edition) for outcome in stages),
        stage_titles=tuple(edition.stage(outcome.stage).shown for outcome in stages),
        teams=tuple(
            TeamRow(edition.team(team).shown, tuple(_team_stage(outcome, team, edition) for outcome in stages))
            for team in edition.teams
        ),
        charts=course_charts(edition),
        course=course_rows(edition),
        months=timeline(edition),
    )


def _tallies(edition: Edition) -> tuple[Tally, ...]:
    counted = Counter(part.verdict.kind for part in parts(edition))
    order: tuple[Verdict, ...] = ("agreed", "contradicted", "not-covered", "open")
    return tuple(
        Tally(
            Label(verdict, edition.say(VERDICTS[verdict])), counted[verdict], edition.say(VERDICT_MEANINGS[verdict])
        )
        for verdict in order
    )


def _card(outcome: StageOutcome, edition: Edition) -> StageCard:
    decision = decision_of(outcome, edition)
    return StageCard(
        title=edition.stage(outcome.stage).shown,
        href=addresses.stage_page(outcome.stage),
        headline=headline(outcome, edition),
        began=began(outcome, edition),
        decided=edition.day(decision.when) if decision else None,
        seats=outcome.seats,
        entrants=tuple(
            Entrant(edition.team(team).shown, decided_label(outcome, team, edition)) for team in by_place(outcome)
        ),
    )


def _team_stage(outcome: StageOutcome, team: str, edition: Edition) -> TeamStage | None:
    if team not in outcome.teams:
        return TeamStage("", None, None, True) if team in outcome.withdrawn else None
    score = outcome.scores.get((team, outcome.root)) if outcome.root else None
    return TeamStage(
        place=place(outcome, team, edition),
        total=number_cell(score, outcome.stage, edition) if score else None,
        decided=decided_label(outcome, team, edition),
        withdrawn=False,
    )
