"""The page that traces every number of a stage: its rule, its inputs, its bounds, and the acts and sources below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import Score, StageOutcome, Support
from dokja.report import addresses
from dokja.report.cells import by_place
from dokja.report.edition import Edition
from dokja.report.figure_tables import in_depth
from dokja.report.figure_words import support_said
from dokja.report.measure_words import rule_said
from dokja.report.names import linked
from dokja.report.quantities import Quantity, interval_text
from dokja.rulebook import AnyMeasure
from dokja.values import plain


@dataclass(frozen=True)
class Input:
    """A number that another one is computed from."""

    measure: Markup
    quantity: Quantity


@dataclass(frozen=True)
class Bound:
    """An end of an interval that published figures narrow, and what it rests on."""

    upper: bool
    number: str
    rests_on: tuple[Markup, ...]


@dataclass(frozen=True)
class TraceItem:
    """One number with all that it follows from."""

    anchor: str
    measure: Markup
    depth: int
    points: str
    quantity: Quantity
    leaked: bool
    interval: str
    computed: str
    rule: Markup
    clause: Markup
    inputs: tuple[Input, ...]
    acts: tuple[Markup, ...]
    act_count: int
    bounds: tuple[Bound, ...]
    figure: Markup | None


@dataclass(frozen=True)
class TeamTrace:
    """All numbers of a team."""

    team: Markup
    name: str
    id: str
    items: tuple[TraceItem, ...]


@dataclass(frozen=True)
class TracePage:
    """All that the page of traces shows."""

    title: str
    stage: Markup
    teams: tuple[TeamTrace, ...]


def trace_page(outcome: StageOutcome, edition: Edition) -> TracePage:
    """The traces of a stage, teams in the order of their places, measures as the score tree has them."""
    measures = edition.rules.measures(outcome.stage)
    return TracePage(
        title=edition.stage_title(outcome.stage),
        stage=edition.stage(outcome.stage).shown,
        teams=tuple(
            TeamTrace(
                edition.team(team).shown,
                edition.called(team),
                team,
                tuple(
                    _item(outcome.scores[team, measure.id], measure, depth, outcome, edition)
                    for measure, depth in in_depth(measures[0])
                ),
            )
            for team in by_place(outcome)
        ),
    )


def _item(score: Score, measure: AnyMeasure, depth: int, outcome: StageOutcome, edition: Edition) -> TraceItem:
    shown = edition.quantity(score)
    return TraceItem(
        anchor=addresses.number_anchor(score.team, score.measure),
        measure=edition.measure(outcome.stage, score.measure).shown,
        depth=depth,
        points=plain(measure.points),
        quantity=shown,
        leaked=edition.leaked(shown.act),
        interval=interval_text(score.interval, edition.language),
        computed=interval_text(score.computed, edition.language),
        rule=rule_said(measure, edition),
        clause=edition.clause(score.clause, edition.publication.outcome.horizon).shown,
        inputs=tuple(_input(each, score, outcome, edition) for each in score.inputs),
        acts=tuple(edition.act_and_source(act) for act in score.acts),
        act_count=score.act_count,
        bounds=tuple(_bounds(score, outcome, edition)),
        figure=edition.act_and_source(shown.act) if shown.act is not None else None,
    )


def _input(measure: str, score: Score, outcome: StageOutcome, edition: Edition) -> Input:
    anchor = addresses.number_anchor(score.team, measure)
    link = linked(edition.measure(outcome.stage, measure), f"#{anchor}").shown
    return Input(link, edition.quantity(outcome.scores[score.team, measure]))


def _bounds(score: Score, outcome: StageOutcome, edition: Edition) -> Iterator[Bound]:
    shown = edition.quantity(score)
    for upper, number, supports in ((False, shown.lower, score.lower_from), (True, shown.upper, score.upper_from)):
        if supports:
            yield Bound(upper, number, tuple(_supports(supports, outcome, edition)))


def _supports(supports: tuple[Support, ...], outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    """What a bound rests on, each once: published figures first, then the rules that tie them to the number."""
    figures = [each for each in supports if each.act is not None]
    rules = [each for each in supports if each.act is None]
    said = (support_said(each, outcome.stage, edition) for each in (*figures, *rules))
    yield from dict.fromkeys(said)
