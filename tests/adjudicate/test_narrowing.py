"""Narrowing is sound: whatever the true scores are, the figures published of them never exclude them."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from dokja.adjudicate.interval import Interval, between, to_decimal
from dokja.adjudicate.linear_program import Constraint, System, contradiction, upper_bound
from dokja.adjudicate.narrowing import Narrowing, Published, narrow
from dokja.adjudicate.outcome import Support
from dokja.adjudicate.scores import Value, unknown
from dokja.adjudicate.standing import certainly_above, differences, positions
from dokja.record.acts import PublishedFigure
from dokja.rulebook.measures import AnyMeasure, walk
from tests.adjudicate.build import leaf, node

MEASURE: TypeAdapter[AnyMeasure] = TypeAdapter(AnyMeasure)
ROOT = MEASURE.validate_python(
    node(
        "total",
        "100",
        "sum",
        items=[
            node("benchmark", "40", "sum", items=[leaf("one", "25"), leaf("two", "15")]),
            leaf("expert", "35"),
            leaf("user", "25"),
        ],
    )
)
LEAVES = {"one": 25, "two": 15, "expert": 35, "user": 25}
MEASURES = [measure.id for measure in walk(ROOT)]
Truth = dict[tuple[str, str], Fraction]


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """True scores of two to four teams, with two decimals."""
    scores: Truth = {}
    for team in ["a", "b", "c", "d"][: draw(st.integers(2, 4))]:
        for name, most in LEAVES.items():
            scores[team, name] = Fraction(draw(st.integers(0, most * 100)), 100)
        scores[team, "benchmark"] = scores[team, "one"] + scores[team, "two"]
        scores[team, "total"] = scores[team, "benchmark"] + scores[team, "expert"] + scores[team, "user"]
    return scores


@st.composite
def publications(draw: st.DrawFn, truth: Truth) -> list[Published]:
    """Figures that an office could truthfully publish of the scores, rounded to one or two decimals."""
    teams = sorted({team for team, _ in truth})
    figures = []
    for position in range(draw(st.integers(1, 7))):
        measure = draw(st.sampled_from(MEASURES))
        column = {team: truth[team, measure] for team in teams}
        decimals = draw(st.integers(1, 2))
        shown = {team: to_decimal(value, decimals, "half-up") for team, value in column.items()}
        kind = draw(st.sampled_from(["value", "mean", "best", "named best", "gap", "first", "last"]))
        high, low = max(column.values()), min(column.values())
        best = tuple(team for team in teams if shown[team] == max(shown.values()))
        shapes: dict[str, dict[str, object]] = {
            "value": {"of": "value", "value": str(shown[teams[0]]), "teams": [teams[0]]},
            "mean": {
                "of": "mean",
                "value": str(to_decimal(sum(column.values(), Fraction(0)) / len(teams), decimals, "half-up")),
            },
            "best": {"of": "best", "value": str(to_decimal(high, decimals, "half-up"))},
            "named best": {"of": "best", "value": str(max(shown.values())), "teams": best},
            "gap": {"of": "gap", "value": str(to_decimal(high - low, decimals, "half-up"))},
            "first": {"of": "first", "teams": [team for team in teams if column[team] == high]},
            "last": {"of": "last", "teams": [team for team in teams if column[team] == low]},
        }
        figure = PublishedFigure.model_validate({"measure": measure, **shapes[kind]})
        figures.append(Published(0, position, figure))
    return figures


def narrowed(teams: tuple[str, ...], figures: list[Published]) -> Narrowing:
    values = {measure.id: {team: Value(unknown(measure)) for team in teams} for measure in walk(ROOT)}
    return narrow(ROOT, teams, values, figures)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_bound_excludes_the_truth(data: st.DataObject) -> None:
    truth = data.draw(truths())
    figures = data.draw(publications(truth))
    teams = tuple(sorted({team for team, _ in truth}))
    result = narrowed(teams, figures)
    assert not result.conflict
    totals = {}
    for (team, measure), value in truth.items():
        interval = result.bounds(result.form((measure, team, 1))).interval
        assert interval.holds(value)
        if measure == "total":
            totals[team] = interval
    most = differences(result, totals)
    above = certainly_above(result, most)
    places = positions(teams, most, above)
    for first, second in permutations(teams, 2):
        assert truth[first, "total"] - truth[second, "total"] <= most[first, second]
        assert (first, second) not in above or truth[first, "total"] > truth[second, "total"]
    for team in teams:
        place = 1 + sum(truth[other, "total"] > truth[team, "total"] for other in teams)
        assert places[team].best <= place <= places[team].worst


def figure(of: str, measure: str, value: str | None = None, *teams: str, position: int = 0) -> Published:
    fields = {"of": of, "measure": measure, "value": value, "teams": teams}
    return Published(7, position, PublishedFigure.model_validate(fields))


def test_a_mean_and_all_others_give_the_one_that_was_not_published() -> None:
    result = narrowed(
        ("a", "b", "c"),
        [
            figure("mean", "expert", "20.00"),
            figure("value", "expert", "21.00", "a"),
            figure("value", "expert", "22.00", "b"),
        ],
    )
    bounds = result.bounds(result.form(("expert", "c", 1)))
    assert bounds.interval == Interval(Fraction("16.975"), Fraction("17.025"))
    assert {support.act for support in bounds.upper_from} == {7}


def test_an_unnamed_best_is_used_once_only_one_team_can_be_meant() -> None:
    lower_only = [figure("value", "expert", "10.0", "a"), figure("value", "expert", "11.0", "b")]
    result = narrowed(("a", "b", "c"), [*lower_only, figure("best", "expert", "30.0")])
    assert result.bounds(result.form(("expert", "c", 1))).interval == Interval(Fraction("29.95"), Fraction("30.05"))


def test_contradicting_figures_are_named_and_not_used() -> None:
    figures = [
        figure("mean", "expert", "20.0", position=0),
        figure("best", "expert", "19.0", position=1),
        figure("mean", "user", "10.0", position=2),
    ]
    result = narrowed(("a", "b"), figures)
    assert {support.position for support in result.conflict if support.act is not None} == {0, 1}
    assert result.bounds(result.form(("user", "a", 1))).interval == between(0, 25)


def test_a_best_that_nobody_reaches_is_a_conflict_of_what_keeps_all_from_it() -> None:
    figures = [
        figure("value", "expert", "10.0", "a", position=0),
        figure("value", "expert", "11.0", "b", position=1),
        figure("best", "expert", "30.0", position=2),
    ]
    result = narrowed(("a", "b"), figures)
    assert {support.position for support in result.conflict if support.act is not None} == {0, 1, 2}
    assert result.bounds(result.form(("expert", "a", 1))).interval == between(0, 35)


def test_where_several_may_be_meant_a_bound_holds_for_any() -> None:
    """Some team has 90.0, nobody is told to; whoever it is, all others are at most 5.0 behind."""
    figures = [figure("best", "total", "90.0", position=0), figure("gap", "total", "5.0", position=1)]
    result = narrowed(("a", "b", "c"), figures)
    for team in "abc":
        found = result.bounds(result.form(("total", team, 1)))
        assert found.interval == Interval(Fraction("84.90"), Fraction("90.05"))
        assert {support.position for support in found.lower_from} == {0, 1}


def test_a_team_alone_is_the_one_that_is_meant() -> None:
    result = narrowed(("a",), [figure("best", "expert", "30.0")])
    assert result.bounds(result.form(("expert", "a", 1))).interval == Interval(Fraction("29.95"), Fraction("30.05"))


def test_level_leaders_are_not_parted_but_the_rest_is_behind_for_certain() -> None:
    result = narrowed(("a", "b", "c"), [figure("best", "total", "90.0", "a", "b")])
    totals = {team: result.bounds(result.form(("total", team, 1))).interval for team in "abc"}
    above = certainly_above(result, differences(result, totals))
    assert above == {("a", "c"), ("b", "c")}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_certified_bounds_hold_for_every_feasible_point(data: st.DataObject) -> None:
    """Constraints are drawn around a known point, so the point is feasible and no bound may exclude it."""
    size = data.draw(st.integers(1, 5))
    fractions = st.fractions(min_value=-10, max_value=10, max_denominator=7)
    inside = [data.draw(fractions) for _ in range(size)]
    box = tuple(Interval(x - data.draw(st.integers(0, 3)), x + data.draw(st.integers(0, 3))) for x in inside)
    rows = []
    for _ in range(data.draw(st.integers(0, 6))):
        form = tuple((column, data.draw(fractions)) for column in range(size))
        slack = data.draw(st.fractions(min_value=0, max_value=1, max_denominator=9))
        rows.append(Constraint(form, sum((c * inside[j] for j, c in form), Fraction(0)) + slack, Support("m")))
    system = System(box, tuple(rows))
    objective = {column: data.draw(fractions) for column in range(size)}
    assert upper_bound(system, objective).value >= sum(c * inside[j] for j, c in objective.items())
    assert contradiction(system) == ()


def test_the_certificate_names_the_constraints_it_rests_on() -> None:
    box = (between(0, 10), between(0, 10))
    tight = Constraint(((0, Fraction(1)), (1, Fraction(1))), Fraction(7), Support("sum"))
    idle = Constraint(((0, Fraction(1)),), Fraction(9), Support("idle"))
    bound = upper_bound(System(box, (idle, tight)), {0: Fraction(1), 1: Fraction(1)})
    assert (bound.value, bound.rests_on) == (Fraction(7), (1,))
    impossible = Constraint(((0, Fraction(-1)),), Fraction(-8), Support("above"))
    below = Constraint(((0, Fraction(1)),), Fraction(7), Support("below"))
    assert set(contradiction(System(box, (idle, impossible, below)))) == {1, 2}
