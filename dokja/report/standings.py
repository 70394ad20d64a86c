"""The standings of a stage: places, totals and axes as far as they are known."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import StageOutcome
from dokja.report.cells import NumberCell, by_place, number_cell, place
from dokja.report.charts import measure_chart, totals_charts
from dokja.report.drawing import Chart
from dokja.report.edition import Edition
from dokja.report.words import DEPARTURES
from dokja.rulebook import AnyMeasure, children
from dokja.values import plain


@dataclass(frozen=True)
class Column:
    """A measure that is a column."""

    title: Markup
    points: str


@dataclass(frozen=True)
class StandingRow:
    """A team's place, total and axes, and what was decided; `last_seat` where the seats end after it."""

    place: str
    team: Markup
    numbers: tuple[NumberCell, ...]
    decided: Markup | None
    last_seat: bool


@dataclass(frozen=True)
class Standings:
    """The table."""

    columns: tuple[Column, ...]
    rows: tuple[StandingRow, ...]


def axes(root: AnyMeasure) -> tuple[AnyMeasure, ...]:
    """The measures that the total is made of."""
    return children(root)


def standings(outcome: StageOutcome, edition: Edition) -> Standings | None:
    """The standings; `None` where no score tree was published or nobody is scored."""
    measures = edition.rules.measures(outcome.stage)
    if outcome.root is None or not outcome.scores or not measures:
        return None
    root = measures[0]
    shown = (root, *axes(root))
    teams = by_place(outcome)
    return Standings(
        columns=tuple(_column(measure, outcome.stage, edition) for measure in shown),
        rows=tuple(
            StandingRow(
                place=place(outcome, team, edition),
                team=edition.team(team).shown,
                numbers=tuple(
                    number_cell(outcome.scores[team, measure.id], outcome.stage, edition) for measure in shown
                ),
                decided=_decided(outcome, team, edition),
                last_seat=number == outcome.seats < len(teams),
            )
            for number, team in enumerate(teams, start=1)
        ),
    )


def standings_charts(outcome: StageOutcome, edition: Edition) -> tuple[tuple[Chart, ...], tuple[Chart, ...]]:
    """The totals drawn, wide and narrow, and each axis; none where there are no standings."""
    measures = edition.rules.measures(outcome.stage)
    if outcome.root is None or not outcome.scores or not measures:
        return (), ()
    root, teams = measures[0], by_place(outcome)
    drawn = tuple(measure_chart(outcome, measure, teams, edition) for measure in axes(root))
    return totals_charts(outcome, root, teams, edition), drawn


def _column(measure: AnyMeasure, stage: str, edition: Edition) -> Column:
    return Column(edition.measure(stage, measure.id).shown, plain(measure.points))


def _decided(outcome: StageOutcome, team: str, edition: Edition) -> Markup | None:
    held = next((each for each in outcome.holdings if each.part == "team" and each.subject == team), None)
    return edition.say(DEPARTURES[held.decided]) if held else None
