"""Published figures as linear constraints on unpublished scores, and what they leave possible.

Each team's measure is a variable in the box that the acts leave it; sums and weighted means tie variables together;
a published figure stands for all numbers that round to it. "The best is 90.2" also says that *some* team reaches it:
such an alternative becomes a constraint once all others are proven impossible. Where several are left, a bound is the
widest that any of them allows, one such choice at a time, which can only be wider than all of them together. Bounds
come from `linear_program` and are proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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

    choices: for each choice that is not settled, the system with each alternative that is left.
    conflict: figures that cannot all be true; the system then holds the score tree alone.
    """

    root: AnyMeasure
    teams: tuple[str, ...]
    index: Mapping[Variable, int]
    system: System
    ahead: tuple[Ahead, ...]
    choices: tuple[tuple[System, ...], ...] = ()
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
        upper, upper_from = self._least_upper(form)
        lower, lower_from = self._least_upper({column: -coefficient for column, coefficient in form.items()})
        return Tightening(between(-lower, upper), lower_from, upper_from)

    def most(self, form: Form) -> Fraction:
        """The proven upper bound of a form."""
        return self._least_upper(form)[0]

    def _least_upper(self, form: Form) -> tuple[Fraction, tuple[Support, ...]]:
        bound = upper_bound(self.system, form)
        least, rests_on = bound.value, _supports(self.system, bound.rests_on)
        for alternatives in self.choices:
            found = _widest(alternatives, form, least)
            if found is not None:
                least, rests_on = found
        return least, rests_on


def _widest(
    alternatives: Sequence[System], form: Form, least: Fraction
) -> tuple[Fraction, tuple[Support, ...]] | None:
    """The upper bound under the alternative that allows most; `None` where it is no lower than `least`."""
    widest, rests_on = None, dict[Support, None]()
    for system in alternatives:
        bound = upper_bound(system, form)
        if bound.value >= least:
            return None
        widest = bound.value if widest is None else max(widest, bound.value)
        rests_on |= dict.fromkeys(_supports(system, bound.rests_on))
    return None if widest is None else (widest, tuple(rests_on))


def _supports(system: System, rows: Sequence[int]) -> tuple[Support, ...]:
    return tuple(dict.fromkeys(system.constraints[row].support for row in rows))


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
        return replace(ruled, conflict=_supports(full.system, clash))
    if not settle:
        return full
    settled = _settle(full, [*_figure_choices(full, figures), *_tree_choices(full, measures)])
    return replace(ruled, conflict=settled.conflict) if settled.conflict else settled


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
    """Take in every choice of which a single alternative is not refuted, until none is left; keep the others beside.

    A choice of which all alternatives are refuted is a conflict of what refutes them.
    """
    unsettled, system = list(choices), narrowing.system
    settled = True
    while settled:
        settled, looked_at, unsettled = False, unsettled, []
        for choice in looked_at:
            clashes = [contradiction(system.plus(alternative)) for alternative in choice]
            left = [alternative for alternative, clash in zip(choice, clashes, strict=True) if not clash]
            if not left:
                return replace(narrowing, conflict=_all_refuted(system, choice, clashes))
            if len(left) == 1:
                system, settled = system.plus(left[0]), True
            else:
                unsettled.append(left)
    beside = (tuple(system.plus(alternative) for alternative in choice) for choice in unsettled)
    return replace(narrowing, system=system, choices=tuple(beside))


def _all_refuted(system: System, choice: Choice, clashes: Sequence[Sequence[int]]) -> tuple[Support, ...]:
    refuting = zip(choice, clashes, strict=True)
    rows = (support for alternative, clash in refuting for support in _supports(system.plus(alternative), clash))
    return tuple(dict.fromkeys(rows))
