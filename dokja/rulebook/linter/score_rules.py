"""Points that add up, ratios that end, marks that can be combined, rounding that parts nobody."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from dokja.language import mark
from dokja.rulebook.clauses import Cut, PanelRule, Score
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject
from dokja.rulebook.measures import AnyMeasure, MinMax, Panel, Proposed, Ratio, ScaleToFirst, Sum, children, walk
from dokja.values import plain


def _measures(subject: Subject) -> Iterator[tuple[Score, AnyMeasure]]:
    for score in subject.rules.of(Score):
        for measure in walk(score.measure):
            yield score, measure


def points_do_not_sum(subject: Subject) -> Iterator[Remark]:
    """A sum whose items, or a mean of marks whose criteria, have other points in all than are counted on."""
    for score, measure in _measures(subject):
        if isinstance(measure, Sum):
            total = sum((item.points for item in measure.items), Decimal(0))
            if total != measure.points:
                yield subject.remark(
                    score,
                    mark("The items of “{measure}” add up to {total} points, not to {points}."),
                    mark("Correct the points of the items, or those of the sum."),
                    {"measure": measure.id, "total": plain(total), "points": plain(measure.points)},
                )
        if isinstance(measure, Panel) and measure.combine != "sum":
            total = sum((criterion.points for criterion in measure.criteria), Decimal(0))
            if total != measure.per:
                yield subject.remark(
                    score,
                    mark(
                        "The highest marks for “{measure}” add up to {total}; all its points are earned with {per}."
                    ),
                    mark("Write as per what the highest marks of the criteria add up to, or correct the marks."),
                    {"measure": measure.id, "total": plain(total), "per": plain(measure.per)},
                )


def uncapped_ratio(subject: Subject) -> Iterator[Remark]:
    """A ratio to a target without a highest ratio that counts."""
    for score, measure in _measures(subject):
        if isinstance(measure, Ratio) and measure.cap is None:
            yield subject.remark(
                score,
                mark("“{measure}” has no cap: a team at 150 % of its target would get {more} points of {points}."),
                mark("Write cap: the highest ratio that counts, such as 1."),
                {
                    "measure": measure.id,
                    "points": plain(measure.points),
                    "more": plain((measure.points * Decimal("1.5")).normalize() + 0),
                },
            )


def rounding_changes_cut(subject: Subject) -> Iterator[Remark]:
    """Rounding on the way to a total that a cut compares: teams that differ become level, or change places."""
    for score, measure in _measures(subject):
        rounding = measure.rounding
        if rounding is None or _rounded_already(measure, rounding.decimals) or not _parts(subject, score.stage):
            continue
        unit = Decimal(1).scaleb(-rounding.decimals)
        yield subject.remark(
            score,
            mark(
                "“{measure}” is rounded to {decimals} decimals ({mode}) before the cut: two teams that differ by "
                "nearly {unit} points can become level, or a hair's breadth can become {unit} points."
            ),
            mark("Round where figures are shown, not where they are compared: take the rounding out."),
            {
                "measure": measure.id,
                "decimals": str(rounding.decimals),
                "mode": rounding.mode,
                "unit": plain(unit),
            },
        )


def _rounded_already(measure: AnyMeasure, decimals: int) -> bool:
    """Whether the measure adds up figures that have no more decimals than it is rounded to."""
    return isinstance(measure, Sum) and all(
        item.rounding is not None and item.rounding.decimals <= decimals for item in measure.items
    )


def _parts(subject: Subject, stage: str) -> bool:
    """Whether a cut of the stage can turn on points: there are more teams than seats, or there is a minimum."""
    planned = subject.rules.stage(stage)
    more = planned is not None and planned.entrants > planned.seats
    return any(more or cut.minimum for cut in subject.all(Cut, stage))


def unscaled_panel_sum(subject: Subject) -> Iterator[Remark]:
    """A sum of marks that is not rescaled: it grows with the number of raters who vote."""
    for score in subject.rules.of(Score):
        yield from _unscaled(subject, score, score.measure, scaled=False)


def _unscaled(subject: Subject, score: Score, measure: AnyMeasure, *, scaled: bool) -> Iterator[Remark]:
    if isinstance(measure, Panel) and measure.combine == "sum" and not scaled:
        yield subject.remark(
            score,
            mark("“{measure}” adds up the marks of all raters: its value depends on how many vote."),
            mark("Take the mean, or put the sum under scale-to-first or min-max."),
            {"measure": measure.id},
        )
    for child in children(measure):
        yield from _unscaled(subject, score, child, scaled=scaled or isinstance(measure, ScaleToFirst | MinMax))


def drops_leave_nobody(subject: Subject) -> Iterator[Remark]:
    """A trimmed mean that can leave out every mark there is."""
    for score, measure in _measures(subject):
        if not isinstance(measure, Panel) or measure.combine != "trimmed-mean":
            continue
        dropped = measure.drop_highest + measure.drop_lowest
        for rule in subject.all(PanelRule, score.stage):
            least = rule.quorum or rule.raters
            if rule.panel == measure.panel and dropped >= least:
                yield subject.remark(
                    score,
                    mark(
                        "“{measure}” leaves out {dropped} marks where {least} raters of “{panel}” are enough: no "
                        "mark may be left."
                    ),
                    mark("Leave out fewer marks, or raise the panel's quorum."),
                    {
                        "measure": measure.id,
                        "dropped": str(dropped),
                        "least": str(least),
                        "panel": measure.panel,
                    },
                )


def drops_unused(subject: Subject) -> Iterator[Remark]:
    """Marks to leave out, on a measure that leaves none out."""
    for score, measure in _measures(subject):
        if not isinstance(measure, Panel) or measure.combine == "trimmed-mean":
            continue
        if measure.drop_highest or measure.drop_lowest:
            yield subject.remark(
                score,
                mark("“{measure}” names marks to leave out, but is combined by {combine}: none is left out."),
                mark("Write combine: trimmed-mean, or take drop_highest and drop_lowest out."),
                {"measure": measure.id, "combine": measure.combine},
            )


def measure_twice(subject: Subject) -> Iterator[Remark]:
    """One id for two measures of a stage."""
    for score in subject.rules.of(Score):
        ids = [measure.id for measure in walk(score.measure)]
        for identifier in dict.fromkeys(each for each in ids if ids.count(each) > 1):
            yield subject.remark(
                score,
                mark("Two measures of {stage} are called “{measure}”."),
                mark("Give every measure of a stage an id of its own."),
                {"measure": identifier},
            )


def too_many_proposers(subject: Subject) -> Iterator[Remark]:
    """Benchmarks that count when more teams propose them than there are."""
    for score, measure in _measures(subject):
        stage = subject.rules.stage(score.stage)
        if isinstance(measure, Proposed) and stage is not None and measure.proposed_by > stage.entrants:
            yield subject.remark(
                score,
                mark(
                    "“{measure}” takes benchmarks that {proposed_by} teams propose, but {entrants} enter {stage}: "
                    "none can count."
                ),
                mark("Require the proposals of fewer teams."),
                {
                    "measure": measure.id,
                    "proposed_by": str(measure.proposed_by),
                    "entrants": str(stage.entrants),
                },
            )


def no_score(subject: Subject) -> Iterator[Remark]:
    """A stage whose cut compares points that no clause defines."""
    for stage in subject.stages:
        if not subject.all(Score, stage.id):
            yield subject.remark(
                stage,
                mark("No clause says how {stage} is scored."),
                mark("Add a score: the tree of measures and their points."),
                {"stage": stage.id},
            )
