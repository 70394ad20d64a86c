"""The score tree evaluated for all teams of a stage at once, in exact fractions and intervals.

A leaf that no act speaks of is unknown: the interval from 0 to the most it can be, never 0. Inner nodes are computed
by interval arithmetic; nodes that compare teams (scale-to-first, min-max) use that their value rises with the team's
own figure and falls with the others', so the ends of the intervals suffice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.interval import Interval, between, point, round_interval, total
from dokja.record.acts import MeasurementReported, SubmissionReceived
from dokja.record.folding import Marks
from dokja.rulebook.clauses import PanelRule
from dokja.rulebook.measures import (
    AnyMeasure,
    Index,
    Panel,
    Proposed,
    Ratio,
    Reported,
    Runs,
    ScaleToFirst,
    Sum,
    Weighted,
    children,
)

UNCAPPED_RATIO = 10
"""The most that an uncapped, unknown ratio is taken to be: ten times its target (the linter asks for a cap)."""


@dataclass(frozen=True)
class Value:
    """A team's value of a measure as the acts alone give it, with the indexes of the acts it rests on directly."""

    interval: Interval
    acts: Sequence[int] = ()


@dataclass(frozen=True)
class Facts:
    """What the acts of one stage say that its score tree may need."""

    stage: str
    teams: tuple[str, ...]
    reports: Mapping[tuple[str, str], Sequence[tuple[int, MeasurementReported]]]
    proposals: Mapping[str, int]
    proposal_acts: tuple[int, ...]
    evidence: Evidence
    panels: Mapping[str, PanelRule]


def facts(stage: str, teams: tuple[str, ...], evidence: Evidence, panels: Mapping[str, PanelRule]) -> Facts:
    """Sort a stage's acts by what the score tree asks for."""
    reports: dict[tuple[str, str], list[tuple[int, MeasurementReported]]] = {}
    for index, report in evidence.of(MeasurementReported):
        if report.stage == stage:
            reports.setdefault((report.team, report.measure), []).append((index, report))
    submissions = [
        (index, submission) for index, submission in evidence.of(SubmissionReceived) if submission.stage == stage
    ]
    proposals = Counter(benchmark for _, submission in submissions for benchmark in set(submission.proposes))
    acts = tuple(index for index, submission in submissions if submission.proposes)
    return Facts(stage, teams, reports, proposals, acts, evidence, panels)


def highest(measure: AnyMeasure) -> Fraction:
    """The most points a measure can come to while nothing is known of it."""
    if isinstance(measure, Ratio):
        return Fraction(measure.points) * Fraction(UNCAPPED_RATIO if measure.cap is None else measure.cap)
    if isinstance(measure, Sum):
        return sum((highest(item) for item in measure.items), Fraction(0))
    return Fraction(measure.points)


def unknown(measure: AnyMeasure) -> Interval:
    """The interval of a measure of which nothing is known."""
    return between(0, highest(measure))


def evaluate(measure: AnyMeasure, known: Facts) -> dict[str, dict[str, Value]]:
    """The value of a measure and of everything under it, by measure id and team."""
    values: dict[str, dict[str, Value]] = {}
    for child in children(measure):
        values |= evaluate(child, known)
    if children(measure):
        row = _combine(measure, values, known.teams)
    else:
        row = {team: _leaf(measure, team, known) for team in known.teams}
    values[measure.id] = {
        team: Value(round_interval(value.interval, measure.rounding), value.acts) for team, value in row.items()
    }
    return values


def _combine(
    measure: AnyMeasure, values: Mapping[str, Mapping[str, Value]], teams: Sequence[str]
) -> dict[str, Value]:
    if isinstance(measure, Sum):
        return {team: Value(total(values[item.id][team].interval for item in measure.items)) for team in teams}
    if isinstance(measure, Weighted):
        weights = sum((Fraction(item.weight) for item in measure.items), Fraction(0))
        shares = [
            (
                item.measure.id,
                Fraction(measure.points) * Fraction(item.weight) / weights / Fraction(item.measure.points),
            )
            for item in measure.items
        ]
        return {
            team: Value(total(values[child][team].interval.times(share) for child, share in shares)) for team in teams
        }
    (child,) = children(measure)
    own = {team: values[child.id][team].interval for team in teams}
    compare = _scaled_to_first if isinstance(measure, ScaleToFirst) else _between_lowest_and_highest
    return {team: Value(_share(compare(team, own), measure)) for team in teams}


def _share(share: Interval | None, measure: AnyMeasure) -> Interval:
    return unknown(measure) if share is None else share.times(Fraction(measure.points))


def _scaled_to_first(team: str, own: Mapping[str, Interval]) -> Interval | None:
    """Own ÷ highest, at least and at most; `None` where the highest may be 0."""
    others = [interval for other, interval in own.items() if other != team]
    lowest_first = max([own[team].upper, *(other.lower for other in others)])
    highest_first = max([own[team].lower, *(other.upper for other in others)])
    if lowest_first <= 0 or highest_first <= 0:
        return None
    return Interval(own[team].lower / highest_first, own[team].upper / lowest_first)


def _between_lowest_and_highest(team: str, own: Mapping[str, Interval]) -> Interval | None:
    """(Own − lowest) ÷ (highest − lowest), at least and at most; `None` where the teams may all be level."""

    def share(number: Fraction, lowest: Fraction, highest_: Fraction) -> Fraction | None:
        bottom, top = min(number, lowest), max(number, highest_)
        return None if top == bottom else (number - bottom) / (top - bottom)

    others = [interval for other, interval in own.items() if other != team]
    if not others:
        return None
    lower = share(own[team].lower, min(other.upper for other in others), max(other.upper for other in others))
    upper = share(own[team].upper, min(other.lower for other in others), max(other.lower for other in others))
    if lower is None or upper is None:
        return None
    exact = own[team].exact and all(other.exact for other in others)
    return Interval(min(lower, upper), max(lower, upper)) if exact else Interval(max(lower, Fraction(0)), upper)


def _leaf(measure: AnyMeasure, team: str, known: Facts) -> Value:
    return _LEAVES[type(measure)](measure, team, known)


def _latest(measure: AnyMeasure, team: str, known: Facts) -> tuple[int, MeasurementReported] | None:
    """The last report that counts: for an index with a definition, only reports under that definition."""
    wanted = measure.definition if isinstance(measure, Index) else None
    reports = known.reports.get((team, measure.id), ())
    return next((each for each in reversed(reports) if wanted in (None, each[1].definition)), None)


def _reported(measure: AnyMeasure, team: str, known: Facts) -> Value:
    found = _latest(measure, team, known)
    if found is None or found[1].value is None:
        return Value(unknown(measure))
    factor = Fraction(measure.points) / Fraction(measure.per) if isinstance(measure, Index) else Fraction(1)
    return Value(point(Fraction(found[1].value) * factor), (found[0],))


def _ratio(measure: AnyMeasure, team: str, known: Facts) -> Value:
    assert isinstance(measure, Ratio)  # noqa: S101 - the table below pairs classes and functions
    found = _latest(measure, team, known)
    if found is None or not found[1].benchmarks:
        return Value(unknown(measure))
    index, report = found
    if any(not result.target for result in report.benchmarks):
        return Value(unknown(measure), (index,))
    ratios = [Fraction(result.value) / Fraction(result.target or 1) for result in report.benchmarks]
    capped = ratios if measure.cap is None else [min(ratio, Fraction(measure.cap)) for ratio in ratios]
    return Value(point(Fraction(measure.points) * sum(capped, Fraction(0)) / len(capped)), (index,))


def _proposed(measure: AnyMeasure, team: str, known: Facts) -> Value:
    assert isinstance(measure, Proposed)  # noqa: S101
    taken = sorted(name for name, teams in known.proposals.items() if teams >= measure.proposed_by)
    found = _latest(measure, team, known)
    if found is None or not taken:
        return Value(unknown(measure), known.proposal_acts)
    index, report = found
    results = {result.benchmark: point(result.value) for result in report.benchmarks}
    missing = between(0, measure.per)
    mean = total(results.get(name, missing) for name in taken).times(Fraction(1, len(taken)))
    return Value(mean.times(Fraction(measure.points) / Fraction(measure.per)), (index, *known.proposal_acts))


def _runs(measure: AnyMeasure, team: str, known: Facts) -> Value:
    assert isinstance(measure, Runs)  # noqa: S101
    found = _latest(measure, team, known)
    if found is None or len(found[1].runs) != measure.count:
        return Value(unknown(measure))
    index, report = found
    mean = sum((Fraction(run) for run in report.runs), Fraction(0)) / measure.count
    return Value(point(mean * Fraction(measure.points) / Fraction(measure.per)), (index,))


def _panel(measure: AnyMeasure, team: str, known: Facts) -> Value:
    assert isinstance(measure, Panel)  # noqa: S101
    marks = known.evidence.marks.get((known.stage, measure.panel, measure.id, team), Marks())
    rule = known.panels.get(measure.panel)
    quorum = rule.quorum if rule and rule.quorum else 1
    figure = _figure(measure, marks) if marks.totals.total() >= quorum else None
    if figure is None:
        return Value(unknown(measure), marks.indexes)
    return Value(figure.times(Fraction(measure.points) / Fraction(measure.per)), marks.indexes)


def _figure(measure: Panel, marks: Marks) -> Interval | None:
    """The panel's figure, whatever the raters marked whose marks are sealed; `None` where nothing bounds it.

    A sealed mark lies between the lowest and the highest, or is none: its rater may be absent for this team. Marks
    that are added at an end move a mean, trimmed or not, towards that end; a sum they can only raise.
    """
    if combined(measure, marks.totals) is None:
        return None
    lowest = Decimal(0) if measure.combine == "sum" else measure.lowest_mark * len(measure.criteria)
    highest_mark = sum((criterion.points for criterion in measure.criteria), Decimal(0))
    lower, upper = (combined(measure, marks.totals + Counter({end: marks.sealed})) for end in (lowest, highest_mark))
    return None if lower is None or upper is None else Interval(lower, upper)


def combined(measure: Panel, marks: Mapping[Decimal, int]) -> Fraction | None:
    """The raters' marks as one figure; `None` where no mark is left after dropping the highest and the lowest.

    marks: how many raters gave each mark.
    """
    kept = dict(marks)
    if measure.combine == "trimmed-mean":
        _drop(kept, sorted(kept), measure.drop_lowest)
        _drop(kept, sorted(kept, reverse=True), measure.drop_highest)
    count = sum(kept.values())
    added = sum((Fraction(mark) * raters for mark, raters in kept.items()), Fraction(0))
    return None if count == 0 else added if measure.combine == "sum" else added / count


def _drop(marks: dict[Decimal, int], order: Iterable[Decimal], count: int) -> None:
    """Take so many marks away, in an order of the marks that there are."""
    for mark in order:
        dropped = min(marks[mark], count)
        marks[mark] -= dropped
        count -= dropped


_LEAVES: Mapping[type[AnyMeasure], Callable[[AnyMeasure, str, Facts], Value]] = {
    Reported: _reported,
    Index: _reported,
    Ratio: _ratio,
    Proposed: _proposed,
    Runs: _runs,
    Panel: _panel,
}
