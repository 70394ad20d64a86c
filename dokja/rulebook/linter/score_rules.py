"""Points that add up, ratios that end, marks that can be combined, rounding that parts nobody."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from dokja.language import mark
from dokja.rulebook.clauses import Cut, PanelRule, Score
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject
from dokja.rulebook.measures import AnyMeasure, MinMax, Panel, Ratio, ScaleToFirst, Sum, children, walk
from dokja.values import plain


def _measures(subject: Subject) -> Iterator[tuple[Score, AnyMeasure]]:
    for score in subject.rules.of(Score):
        for measure in walk(score.measure):
            yield score, measure


def points_do_not_sum(subject: Subject) -> Iterator[Remark]:
    """A sum whose items have other points in all than it has itself."""
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
        if rounding is None or not subject.all(Cut, score.stage):
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
