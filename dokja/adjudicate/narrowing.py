"""Published figures as linear constraints on unpublished scores, and what they leave possible.

Each team's measure is a variable in the box that the acts leave it; sums and weighted means tie variables together;
a published figure stands for all numbers that round to it. "The best is 90.2" also says that *some* team reaches it:
such an alternative becomes a constraint once all others are proven impossible, and is otherwise left out, which can
only widen a bound. Bounds come from `linear_program` and are proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from dokja.adjudicate.interval import Interval, between, published
from dokja.adjudicate.linear_program import Constraint, Form, System, contradiction, upper_bound
from dokja.adjudicate.outcome import Support
from dokja.adjudicate.scores import Value
from dokja.record.acts import PublishedFigure
from dokja.rulebook.measures import AnyMeasure, Rounding, ScaleToFirst, Sum, Weighted, walk

Variable = tuple[str, str]
"""A measure and a team."""


@dataclass(frozen=True)
class Published:
    """A published figure with the act that published it and its position there."""

    act: int
    position: int
    figure: PublishedFigure

    def support(self, team: str | None = None) -> Support:
        """This figure, as what a bound rests on."""
        return Support(self.figure.measure, self.act, self.position, team)


@dataclass(frozen=True)
class Ahead:
    """A published fact that one team's measure is strictly higher than another's."""

    measure: str
    ahead: str
    behind: str


@dataclass(frozen=True)
class Tightening:
    """What is proven of a linear form: its interval and what either end rests on."""

    interval: Interval
    lower_from: tuple[Support, ...] = ()
    upper_from: tuple[Support, ...] = ()


@dataclass(frozen=True)
class Narrowing:
    """The variables of a stage under its rules and published figures.

    conflict: figures that cannot all be true; the system then holds the score tree alone.
    """

    root: AnyMeasure
    teams: tuple[str, ...]
    index: Mapping[Variable, int]
    system: System
    ahead: tuple[Ahead, ...]
    conflict: tuple[Support, ...] = ()

    def form(self, *terms: tuple[str, str, Fraction | int]) -> Form:
        """A linear form from (measure, team, coefficient) terms."""
        form: dict[int, Fraction] = {}
        for measure, team, coefficient in terms:
            column = self.index[measure, team]
            form[column] = form.get(column, Fraction(0)) + coefficient
        return form

    def bounds(self, form: Form) -> Tightening:
        """The interval of a form that is proven, and what it rests on."""
        upper = upper_bound(self.system, form)
        lower = upper_bound(self.system, {column: -coefficient for column, coefficient in form.items()})
        return Tightening(
            between(-lower.value, upper.value), self._supports(lower.rests_on), self._supports(upper.rests_on)
        )

    def most(self, form: Form) -> Fraction:
        """The proven upper bound of a form."""
        return upper_bound(self.system, form).value

    def _supports(self, rows: Sequence[int]) -> tuple[Support, ...]:
        return tuple(dict.fromkeys(self.system.constraints[row].support for row in rows))


def narrow(
    root: AnyMeasure,
    teams: tuple[str, ...],
    values: Mapping[str, Mapping[str, Value]],
    figures: Sequence[Published],
    *,
    settle: bool = True,
) -> Narrowing:
    """Build the system of a stage; figures that are proven to contradict each other are reported and left out.

    Without figures there is nothing to narrow: interval arithmetic on independent leaves is as tight as the tree
    allows. settle: whether alternatives are followed ("some team reaches the best"); without, bounds may be wider.
    """
    measures = tuple(walk(root))
    index = {
        variable: column
        for column, variable in enumerate((measure.id, team) for measure in measures for team in teams)
    }
    box = tuple(values[measure][team].interval for measure, team in index)
    blank = Narrowing(root, teams, index, System(box, ()), ())
    if not figures:
        return blank
    tree = tuple(constraint for measure in measures for constraint in _tree_rows(blank, measure))
    ruled = Narrowing(root, teams, index, System(box, tree), ())
    said = tuple(constraint for figure in figures for constraint in _figure_rows(ruled, figure))
    full = Narrowing(root, teams, index, ruled.system.plus(said), tuple(_strictly_ahead(teams, figures)))
    clash = contradiction(full.system)
    if clash:
        return Narrowing(root, teams, index, ruled.system, (), full._supports(clash))
    if not settle:
        return full
    return _settle(full, [*_figure_choices(full, figures), *_tree_choices(full, measures)])


def _rows(form: Form, interval: Interval, support: Support) -> tuple[Constraint, Constraint]:
    """interval.lower ≤ form ≤ interval.upper."""
    above = Constraint(tuple(form.items()), interval.upper, support)
    below = Constraint(tuple((column, -factor) for column, factor in form.items()), -interval.lower, support)
    return above, below


def _at_most(form: Form, bound: Fraction, support: Support) -> Constraint:
    return Constraint(tuple(form.items()), bound, support)


def _tree_rows(narrowing: Narrowing, measure: AnyMeasure) -> Iterator[Constraint]:
    """The node's value minus its parts is 0, or within what its rounding may add or take away."""
    if isinstance(measure, Sum):
        parts = [(item.id, Fraction(1)) for item in measure.items]
    elif isinstance(measure, Weighted):
        weights = sum((Fraction(item.weight) for item in measure.items), Fraction(0))
        parts = [
            (
                item.measure.id,
                Fraction(measure.points) * Fraction(item.weight) / weights / Fraction(item.measure.points),
            )
            for item in measure.items
        ]
    else:
        return
    slack = _rounding_slack(measure.rounding)
    for team in narrowing.teams:
        form = narrowing.form((measure.id, team, 1), *((part, team, -share) for part, share in parts))
        yield from _rows(form, between(-slack, slack), Support(measure.id, team=team))


def _rounding_slack(rounding: Rounding | None) -> Fraction:
    if rounding is None:
        return Fraction(0)
    unit = Fraction(10) ** -rounding.decimals
    return unit / 2 if rounding.mode.startswith("half") else unit


def _figure_rows(narrowing: Narrowing, each: Published) -> Iterator[Constraint]:
    """The constraints that a published figure states outright."""
    figure, teams, measure = each.figure, narrowing.teams, each.figure.measure
    named = [team for team in figure.teams if team in teams]
    others = [team for team in teams if team not in named]
    stands_for = published(figure.value) if figure.value is not None else None
    if figure.of in ("value", "best") and stands_for is not None:
        for team in named:
            yield from _rows(narrowing.form((measure, team, 1)), stands_for, each.support(team))
        if figure.of == "best":
            least = stands_for.lower if named else stands_for.upper
            for team in others:
                yield _at_most(narrowing.form((measure, team, 1)), least, each.support(team))
    elif figure.of == "mean" and stands_for is not None:
        form = narrowing.form(*((measure, team, 1) for team in teams))
        yield from _rows(form, stands_for.times(Fraction(len(teams))), each.support())
    elif figure.of == "gap" and stands_for is not None:
        for first, last in permutations(teams, 2):
            yield _at_most(narrowing.form((measure, first, 1), (measure, last, -1)), stands_for.upper, each.support())
    for ahead in _strictly_ahead(teams, [each]) if figure.of in ("first", "last") else ():
        form = narrowing.form((measure, ahead.behind, 1), (measure, ahead.ahead, -1))
        yield _at_most(form, Fraction(0), each.support())


def _strictly_ahead(teams: Sequence[str], figures: Sequence[Published]) -> Iterator[Ahead]:
    """Who is strictly ahead of whom by what was published: leaders of the rest, all others of the last."""
    for each in figures:
        named = [team for team in teams if team in each.figure.teams]
        others = [team for team in teams if team not in each.figure.teams]
        if each.figure.of in ("best", "first"):
            yield from (Ahead(each.figure.measure, leader, other) for leader in named for other in others)
        elif each.figure.of == "last":
            yield from (Ahead(each.figure.measure, other, last) for last in named for other in others)


Choice = Sequence[tuple[Constraint, ...]]
"""Alternatives of which at least one holds."""


def _figure_choices(narrowing: Narrowing, figures: Sequence[Published]) -> Iterator[Choice]:
    teams = narrowing.teams
    for each in figures:
        if each.figure.value is None:
            continue
        least, measure = published(each.figure.value).lower, each.figure.measure
        if each.figure.of == "best" and not each.figure.teams:
            yield [(_at_most(narrowing.form((measure, team, -1)), -least, each.support(team)),) for team in teams]
        elif each.figure.of == "gap":
            yield [
                (_at_most(narrowing.form((measure, first, -1), (measure, last, 1)), -least, each.support()),)
                for first, last in permutations(teams, 2)
            ]


def _tree_choices(narrowing: Narrowing, measures: Sequence[AnyMeasure]) -> Iterator[Choice]:
    """Some team is first, so some team has all points of a measure that is scaled to the first."""
    for measure in measures:
        if isinstance(measure, ScaleToFirst) and measure.rounding is None:
            yield [
                (
                    _at_most(
                        narrowing.form((measure.id, team, -1)),
                        -Fraction(measure.points),
                        Support(measure.id, team=team),
                    ),
                )
                for team in narrowing.teams
            ]


def _settle(narrowing: Narrowing, choices: Sequence[Choice]) -> Narrowing:
    """Take in every choice of which a single alternative is not refuted, until none is left."""
    open_choices, system = list(choices), narrowing.system
    settled = True
    while settled:
        settled = False
        for choice in list(open_choices):
            left = [alternative for alternative in choice if not contradiction(system.plus(alternative))]
            if len(left) == 1:
                system = system.plus(left[0])
                open_choices.remove(choice)
                settled = True
    return Narrowing(narrowing.root, narrowing.teams, narrowing.index, system, narrowing.ahead)
