"""Published figures held against each other: what the others imply for each, and what all imply together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from typing import Literal

from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.interval import Interval, between, point, published, total
from dokja.adjudicate.narrowing import Narrowing, Published, narrow
from dokja.adjudicate.outcome import AggregateFound, FigureCheck
from dokja.adjudicate.scores import Value
from dokja.record.acts import Disclosure
from dokja.rulebook.measures import AnyMeasure, ScaleToFirst, walk


def published_figures(stage: str, root: AnyMeasure, evidence: Evidence) -> tuple[Published, ...]:
    """The figures of a stage that were made known, of measures that its score tree has."""
    measures = {measure.id for measure in walk(root)}
    return tuple(
        Published(index, position, figure)
        for index, disclosure in evidence.of(Disclosure)
        if disclosure.stage == stage
        for position, figure in enumerate(disclosure.figures)
        if figure.measure in measures
    )


def aggregates(narrowing: Narrowing, found: Mapping[tuple[str, str], Interval]) -> tuple[AggregateFound, ...]:
    """The mean, the best and the gap of every measure, as far as all that is known leaves them open."""
    return tuple(_aggregate(narrowing, measure, found) for measure in walk(narrowing.root))


def _aggregate(
    narrowing: Narrowing, measure: AnyMeasure, found: Mapping[tuple[str, str], Interval]
) -> AggregateFound:
    row = [found[team, measure.id] for team in narrowing.teams]
    by_interval = total(row).times(Fraction(1, len(row)))
    mean = (
        (_mean(narrowing, measure.id).meet(by_interval) or by_interval)
        if narrowing.system.constraints
        else by_interval
    )
    best = _best(measure, row)
    widest = best.upper - min(each.lower for each in row)
    least = max(best.lower - min(each.upper for each in row), Fraction(0))
    return AggregateFound(measure.id, mean, best, between(least, widest))


def _mean(narrowing: Narrowing, measure: str) -> Interval:
    form = narrowing.form(*((measure, team, 1) for team in narrowing.teams))
    return narrowing.bounds(form).interval.times(Fraction(1, len(narrowing.teams)))


def _best(measure: AnyMeasure, row: Sequence[Interval]) -> Interval:
    """The highest of a row; where points are scaled to the first team, some team has all of them by that rule."""
    if isinstance(measure, ScaleToFirst) and measure.rounding is None:
        return point(measure.points)
    return between(max(each.lower for each in row), max(each.upper for each in row))


def check_figures(
    root: AnyMeasure,
    teams: tuple[str, ...],
    values: Mapping[str, Mapping[str, Value]],
    figures: Sequence[Published],
) -> tuple[FigureCheck, ...]:
    """Each published figure beside the interval that all the others imply for it."""
    bare = narrow(root, teams, values, (), settle=False)
    return tuple(
        _check(
            each, narrow(root, teams, values, [other for other in figures if other is not each], settle=False), bare
        )
        for each in figures
    )


def _check(each: Published, others: Narrowing, bare: Narrowing) -> FigureCheck:
    figure = each.figure
    if figure.value is None:
        return FigureCheck(each.act, each.position, figure, None, _check_order(each, others))
    implied = _implied(each, others)
    stands_for = published(figure.value)
    if stands_for.lower <= implied.lower and implied.upper <= stands_for.upper:
        return FigureCheck(each.act, each.position, figure, implied, "confirmed")
    if stands_for.meet(implied) is None:
        return FigureCheck(each.act, each.position, figure, implied, "contradicted")
    free = implied == _implied(each, bare)
    return FigureCheck(each.act, each.position, figure, implied, "free" if free else "consistent")


def _implied(each: Published, narrowing: Narrowing) -> Interval:
    measure, teams = each.figure.measure, narrowing.teams
    match each.figure.of:
        case "value":
            (team,) = each.figure.teams
            return narrowing.bounds(narrowing.form((measure, team, 1))).interval
        case "mean":
            return _mean(narrowing, measure)
        case "best":
            rows = [narrowing.bounds(narrowing.form((measure, team, 1))).interval for team in teams]
            return _best(next(node for node in walk(narrowing.root) if node.id == measure), rows)
        case _:
            most = [
                narrowing.most(narrowing.form((measure, first, 1), (measure, last, -1)))
                for first, last in permutations(teams, 2)
            ]
            return between(max(-min(most), Fraction(0)), max(most))


def _check_order(each: Published, others: Narrowing) -> Literal["confirmed", "consistent", "contradicted"]:
    named = [team for team in others.teams if team in each.figure.teams]
    rest = [team for team in others.teams if team not in each.figure.teams]
    pairs = [(a, b) if each.figure.of == "first" else (b, a) for a in named for b in rest]
    measure = each.figure.measure
    ahead = [others.bounds(others.form((measure, first, 1), (measure, last, -1))).interval for first, last in pairs]
    if any(difference.upper < 0 for difference in ahead):
        return "contradicted"
    return "confirmed" if all(difference.lower > 0 for difference in ahead) else "consistent"
