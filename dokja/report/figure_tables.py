"""What was published, held against the rest: single figures, and the means, bests and gaps that follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import Addition, FigureCheck, StageOutcome
from dokja.adjudicate.outcome import AdditionKind
from dokja.language import mark
from dokja.report.cells import Label
from dokja.report.edition import Edition
from dokja.report.figure_words import figure_kind
from dokja.report.quantities import interval_text, number_text
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


@dataclass(frozen=True)
class AdditionRow:
    """What published figures add up to, beside the figure that was published of the same."""

    what: Markup
    sum: str
    result: str
    published: str
    verdict: Label | None
    leaked: bool
    sources: tuple[Markup, ...]


ADDITIONS: Mapping[AdditionKind, str] = {
    "mean-of-parts": mark("{measure}, mean: from the means of its parts"),
    "value-of-parts": mark("{measure} of {team}: from its parts"),
    "mean-of-teams": mark("{measure}, mean: from every team's own"),
    "other-definition": mark("{measure}, mean: from another index, “{definition}”"),
}


def addition_rows(outcome: StageOutcome, edition: Edition) -> tuple[AdditionRow, ...]:
    """Everything that the published figures of the stage add up to."""
    return tuple(_addition(each, outcome.stage, edition) for each in outcome.additions)


def _addition(each: Addition, stage: str, edition: Edition) -> AdditionRow:
    values = {
        "measure": edition.measure(stage, each.measure),
        "team": edition.team(each.team) if each.team else "",
        "definition": each.definition or "",
    }
    acts = dict.fromkeys((*(term.act for term in each.terms), *([each.act] if each.act is not None else [])))
    verdict = {
        True: Label("consistent", edition.say(FIGURE_VERDICTS["consistent"])),
        False: Label("contradicted", edition.say(mark("does not fit"))),
    }
    return AdditionRow(
        what=edition.say(ADDITIONS[each.kind], values),
        sum=_sum(each),
        result=number_text(each.result),
        published="" if each.published is None else plain(each.published),
        verdict=None if each.fits is None else verdict[each.fits],
        leaked=any(edition.leaked(act) for act in acts),
        sources=tuple(edition.act_and_source(act) for act in acts),
    )


def _sum(each: Addition) -> str:
    """The terms, and what is done to their sum: "(69.0 + 70.6) ÷ 2"."""
    terms = " + ".join(plain(term.value) for term in each.terms)
    if each.share == 1:
        return terms
    mean = f"({terms}) ÷ {len(each.terms)}"
    rest = each.share * len(each.terms)
    return mean if rest == 1 else f"{mean} × {number_text(rest)}"


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
