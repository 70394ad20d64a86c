"""The charts of the pages: a programme's course, a stage's standings, its axes; each has its table beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from dokja.adjudicate import Interval, Score, StageOutcome
from dokja.language import mark
from dokja.report.cells import place
from dokja.report.drawing import NARROW, WIDE, Chart, Drawing, Lane, Span, Tick, draw, short
from dokja.report.edition import Edition
from dokja.report.quantities import interval_text
from dokja.rulebook import AnyMeasure

AXIS_WIDTH = 300

MOST_TICKS = 8

STEPS = tuple(Fraction(base) * Fraction(10) ** power for power in range(-2, 5) for base in (1, 2, 5))
"""Distances between the ticks of an axis."""


def totals_charts(
    outcome: StageOutcome, root: AnyMeasure, teams: Sequence[str], edition: Edition
) -> tuple[Chart, ...]:
    """Totals as intervals, with the cut after the last seat: for a wide screen, and the same for a narrow one."""
    return tuple(_totals(outcome, root, teams, width, edition) for width in (WIDE, NARROW))


def _totals(outcome: StageOutcome, root: AnyMeasure, teams: Sequence[str], width: int, edition: Edition) -> Chart:
    scores = [outcome.scores[team, root.id] for team in teams]
    start, end, step = _scale([score.interval for score in scores])
    cut = edition.voice(mark("{seats} seats"), {"seats": outcome.seats})
    drawing = Drawing(
        width=width,
        start=float(start),
        end=float(end),
        lanes=[
            Lane(
                short(f"{place(outcome, score.team, edition)}  {edition.called(score.team)}", 34),
                _note(score, edition),
            )
            for score in scores
        ],
        spans=list(_spans(outcome, scores, edition)),
        ticks=list(_ticks(start, end, step)),
        cut=(outcome.seats, cut) if outcome.seats < len(teams) else None,
    )
    title = mark("{stage}: totals as far as they are known")
    told = mark("A bar is where a total lies, a dot a total that is known. Filled: goes on; hollow: does not.")
    return draw(
        drawing,
        f"{outcome.stage}-totals-{width}",
        edition.voice(title, {"stage": edition.stage_title(outcome.stage)}),
        f"{edition.voice(told)} {_in_words(scores, edition)}",
    )


def measure_chart(outcome: StageOutcome, measure: AnyMeasure, teams: Sequence[str], edition: Edition) -> Chart:
    """One axis as intervals on the scale of all its points."""
    scores = [outcome.scores[team, measure.id] for team in teams]
    most = max(score.points.upper for score in scores)
    step = _step(most)
    drawing = Drawing(
        width=AXIS_WIDTH,
        start=0,
        end=float(most),
        lanes=[Lane(short(edition.called(score.team), 20), _note(score, edition)) for score in scores],
        spans=list(_spans(outcome, scores, edition)),
        ticks=list(_ticks(Fraction(0), most, step)),
    )
    title = str(edition.measure(outcome.stage, measure.id))
    return draw(drawing, f"{outcome.stage}-{measure.id}", title, _in_words(scores, edition))


def _note(score: Score, edition: Edition) -> str:
    shown = edition.quantity(score)
    return edition.voice(mark("not published")) if shown.standing == "unknown" else shown.text


def _in_words(scores: Sequence[Score], edition: Edition) -> str:
    """The chart's content as text, for those who do not see it."""
    parts = (f"{edition.called(score.team)}: {interval_text(score.interval, edition.language)}" for score in scores)
    return "; ".join(parts) + "."


def _spans(outcome: StageOutcome, scores: Sequence[Score], edition: Edition) -> Iterator[Span]:
    out = {each.subject for each in outcome.holdings if each.part == "team" and each.decided != "goes-on"}
    for lane, score in enumerate(scores):
        known = edition.quantity(score).standing in ("exact", "published")
        ends = (score.interval.middle,) * 2 if known else (score.interval.lower, score.interval.upper)
        yield Span(lane, float(ends[0]), float(ends[1]), score.team not in out)


def _step(length: Fraction) -> Fraction:
    return next((step for step in STEPS if length <= step * MOST_TICKS), length)


def _scale(intervals: Sequence[Interval]) -> tuple[Fraction, Fraction, Fraction]:
    """Where a scale begins and ends so that it holds all intervals with some room, and the distance of its ticks."""
    low, high = min(each.lower for each in intervals), max(each.upper for each in intervals)
    step = _step(max(high - low, Fraction(1)))
    return (low // step) * step, -(-high // step) * step, step


def _ticks(start: Fraction, end: Fraction, step: Fraction) -> Iterator[Tick]:
    number = start
    while number <= end:
        yield Tick(float(number), f"{float(number):g}")
        number += step
