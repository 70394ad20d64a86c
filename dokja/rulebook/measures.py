"""The score tree of a stage: measures as data, each saying how its value follows from its parts.

A measure's value lies between 0 and its `points`. Leaves take what acts report (a value, runs, a ratio to a target,
marks of a panel); inner nodes add, weigh or rescale other measures. No node names a team, so a tree can be read,
checked and published before anyone applies.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from dokja.values import Bilingual, Count, Id, Model, Points, PositiveCount, PositivePoints, Text

RoundingMode = Literal["half-up", "half-even", "down", "up"]


class Rounding(Model):
    """Rounding that a clause orders: to how many decimals, and what happens to the part cut off."""

    decimals: Count
    mode: RoundingMode


class Criterion(Model):
    """One line of a panel's rubric; `points` is the highest mark."""

    id: Id
    title: Bilingual
    points: PositivePoints


class Measure(Model):
    """What every node says: its id, its titles, its highest value and whether it is rounded."""

    id: Id
    title: Bilingual
    points: PositivePoints
    rounding: Rounding | None = None


class Sum(Measure):
    """The sum of `items`; their points must add up to this node's points."""

    rule: Literal["sum"]
    items: tuple[AnyMeasure, ...] = Field(min_length=1)


class WeightedItem(Model):
    """A measure with its weight in the mean; weights are parts of their sum."""

    weight: PositivePoints
    measure: AnyMeasure


class Weighted(Measure):
    """points × Σ weight × (item ÷ its points) ÷ Σ weight."""

    rule: Literal["weighted"]
    items: tuple[WeightedItem, ...] = Field(min_length=1)


class Reported(Measure):
    """The value as an act reports it, in points."""

    rule: Literal["reported"]


class Index(Measure):
    """A reported index × points ÷ `per`: with per 100 and 25 points, 60 becomes 15.

    `definition` names the version of the index that counts; a report under another one is kept, not used.
    """

    rule: Literal["index"]
    per: PositivePoints
    definition: Text | None = None


class Ratio(Measure):
    """points × own value ÷ target, per benchmark, averaged; `cap` is the highest ratio that counts.

    Without a cap, a team that passes its target takes more than the points that are planned.
    """

    rule: Literal["ratio"]
    cap: PositivePoints | None = None


class Proposed(Measure):
    """points × mean of the benchmarks that at least `proposed_by` teams proposed ÷ `per`."""

    rule: Literal["proposed"]
    proposed_by: PositiveCount
    per: PositivePoints


class Runs(Measure):
    """points × mean of `count` repeated runs ÷ `per`."""

    rule: Literal["runs"]
    count: PositiveCount
    per: PositivePoints


class Panel(Measure):
    """Marks of a panel: each rater's criteria are added, raters are combined, and the result is scaled to points.

    `combine` is how raters become one figure: their mean, their sum, or the mean after the `drop_highest` highest
    and the `drop_lowest` lowest have been left out (a trimmed mean). `per` is the figure that earns all points: a
    mean of marks 1..5 with per 5 and 15 points is mean × 15/5. A `sum` has no such figure; it stands under a node
    that rescales it.
    """

    rule: Literal["panel"]
    panel: Id
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    combine: Literal["mean", "sum", "trimmed-mean"]
    drop_highest: Count = 0
    drop_lowest: Count = 0
    per: PositivePoints
    lowest_mark: Points = Decimal(0)


class ScaleToFirst(Measure):
    """points × own value of `of` ÷ the highest team's value: the first team gets all points."""

    rule: Literal["scale-to-first"]
    of: AnyMeasure


class MinMax(Measure):
    """points × (own − lowest) ÷ (highest − lowest) among the teams, of the values of `of`."""

    rule: Literal["min-max"]
    of: AnyMeasure


AnyMeasure = Annotated[
    Sum | Weighted | Reported | Index | Ratio | Proposed | Runs | Panel | ScaleToFirst | MinMax,
    Field(discriminator="rule"),
]

Sum.model_rebuild()
WeightedItem.model_rebuild()
Weighted.model_rebuild()
ScaleToFirst.model_rebuild()
MinMax.model_rebuild()


def children(measure: AnyMeasure) -> tuple[AnyMeasure, ...]:
    """The measures that this one is made of, in the order in which they are written."""
    match measure:
        case Sum():
            return measure.items
        case Weighted():
            return tuple(item.measure for item in measure.items)
        case ScaleToFirst() | MinMax():
            return (measure.of,)
        case _:
            return ()


def walk(measure: AnyMeasure) -> Iterator[AnyMeasure]:
    """The measure and everything under it, parents before children."""
    yield measure
    for child in children(measure):
        yield from walk(child)
