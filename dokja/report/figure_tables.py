"""What was published, held against the rest: single figures, and the means, bests and gaps that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import FigureCheck, StageOutcome
from dokja.report.cells import Label
from dokja.report.edition import Edition
from dokja.report.figure_words import figure_kind
from dokja.report.quantities import interval_text
from dokja.report.words import FIGURE_VERDICT_MEANINGS, FIGURE_VERDICTS
from dokja.rulebook import AnyMeasure, children
from dokja.values import plain


@dataclass(frozen=True)
class CheckRow:
    """A published figure beside what the others imply."""

    measure: Markup
    kind: Markup
    published: str
    implied: str
    verdict: Label
    meaning: Markup
    source: Markup


@dataclass(frozen=True)
class AggregateRow:
    """The mean, the best and the gap of a measure; `depth` is how far down the score tree it stands."""

    measure: Markup
    depth: int
    points: str
    mean: str
    best: str
    gap: str


def check_rows(outcome: StageOutcome, edition: Edition) -> tuple[CheckRow, ...]:
    """Every published figure of the stage with its check."""
    return tuple(_check(check, outcome.stage, edition) for check in outcome.checks)


def _check(check: FigureCheck, stage: str, edition: Edition) -> CheckRow:
    figure = check.figure
    return CheckRow(
        measure=edition.measure(stage, figure.measure).shown,
        kind=figure_kind(figure, edition),
        published="" if figure.value is None else plain(figure.value),
        implied="" if check.implied is None else interval_text(check.implied, edition.language),
        verdict=Label(check.verdict, edition.say(FIGURE_VERDICTS[check.verdict])),
        meaning=edition.say(FIGURE_VERDICT_MEANINGS[check.verdict]),
        source=edition.act_and_source(check.act),
    )


def aggregate_rows(outcome: StageOutcome, edition: Edition) -> tuple[AggregateRow, ...]:
    """The mean, the best and the gap of every measure of the stage."""
    measures = edition.rules.measures(outcome.stage)
    found = {aggregate.measure: aggregate for aggregate in outcome.aggregates}
    if not measures:
        return ()
    return tuple(
        AggregateRow(
            measure=edition.measure(outcome.stage, measure.id).shown,
            depth=depth,
            points=plain(measure.points),
            mean=interval_text(found[measure.id].mean, edition.language),
            best=interval_text(found[measure.id].best, edition.language),
            gap=interval_text(found[measure.id].gap, edition.language),
        )
        for measure, depth in in_depth(measures[0])
        if measure.id in found
    )


def in_depth(measure: AnyMeasure, depth: int = 0) -> Iterator[tuple[AnyMeasure, int]]:
    """The measure and all under it with how far down they stand, parents first."""
    yield measure, depth
    for child in children(measure):
        yield from in_depth(child, depth + 1)
