"""Every kind of measure, against figures that were published or worked out by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokja.adjudicate.evidence import gather
from dokja.adjudicate.interval import Interval, between, point
from dokja.adjudicate.scores import Value, combined, evaluate, facts
from dokja.record.entries import BallotRow, Entry
from dokja.record.folding import Marks, fold
from dokja.rulebook.clauses import PanelRule
from dokja.rulebook.measures import AnyMeasure, Panel
from tests.adjudicate.build import act, evidence, leaf, node
from tests.adjudicate.test_narrowing import MEASURE

TEAMS = ("a", "b", "c")


def values(
    measure: dict[str, Any], acts: Sequence[dict[str, Any]], panels: Mapping[str, PanelRule] | None = None
) -> dict[str, dict[str, Value]]:
    typed: AnyMeasure = MEASURE.validate_python(measure)
    held = evidence(acts) if acts else evidence([{"type_": "withdrawal", "stage": "other", "team": "x"}])
    return evaluate(typed, facts("stage-1", TEAMS, held, panels or {}))


def report(team: str, measure: str, **fields: object) -> dict[str, object]:
    return {"type_": "measurement-reported", "stage": "stage-1", "team": team, "measure": measure, **fields}


def ballots(measure: str, marks: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    return [
        {
            "type_": "ballot",
            "stage": "stage-1",
            "panel": "experts",
            "rater": f"r{position}",
            "team": team,
            "measure": measure,
            "marks": {"only": mark},
        }
        for team, row in marks.items()
        for position, mark in enumerate(row)
    ]


def panel(points: str, per: str, combine: str, highest_mark: str = "5", **fields: object) -> dict[str, object]:
    criteria = [{"id": "only", "title": {"ko": "가", "en": "a"}, "points": highest_mark}]
    return node("axis", points, "panel", panel="experts", combine=combine, per=per, criteria=criteria, **fields)


def test_what_no_act_speaks_of_is_unknown_not_zero() -> None:
    assert values(leaf("x", "35"), [])["x"]["a"].interval == between(0, 35)


@pytest.mark.parametrize(
    ("points", "index", "expected"),
    [("25", "60", Fraction(15)), ("15", "60", Fraction(9)), ("25", "47.4", Fraction("11.85"))],
)
def test_an_index_is_scaled_as_published(points: str, index: str, expected: Fraction) -> None:
    found = values(node("x", points, "index", per="100"), [report("a", "x", value=index)])
    assert found["x"]["a"].interval == point(expected)
    assert found["x"]["a"].acts == (0,)


def test_an_index_under_another_definition_is_kept_but_not_used() -> None:
    measure = node("x", "25", "index", per="100", definition="end of June")
    found = values(measure, [report("a", "x", value="47.4", definition="v4.1.1")])
    assert found["x"]["a"].interval == between(0, 25)
    both = [
        report("a", "x", value="40", definition="end of June"),
        report("a", "x", value="47.4", definition="v4.1.1"),
    ]
    assert values(measure, both)["x"]["a"].interval == point(10)


def test_the_ratio_72_to_80_is_90_per_cent_and_a_cap_stops_at_the_target() -> None:
    results = [{"benchmark": "one", "value": "72", "target": "80"}]
    above = [{"benchmark": "one", "value": "88", "target": "80"}]
    capped, free = node("x", "10", "ratio", cap="1"), node("x", "10", "ratio")
    assert values(capped, [report("a", "x", benchmarks=results)])["x"]["a"].interval == point(9)
    assert values(capped, [report("a", "x", benchmarks=above)])["x"]["a"].interval == point(10)
    assert values(free, [report("a", "x", benchmarks=above)])["x"]["a"].interval == point(11)


def test_only_benchmarks_that_enough_teams_propose_count() -> None:
    submissions = [
        {"type_": "submission-received", "stage": "stage-1", "team": team, "proposes": proposed}
        for team, proposed in {"a": ["math", "code"], "b": ["math", "code"], "c": ["math", "code", "own"]}.items()
    ]
    results = [{"benchmark": "math", "value": "60"}, {"benchmark": "own", "value": "100"}]
    measure = node("x", "20", "proposed", proposed_by="3", per="100")
    found = values(measure, [*submissions, report("a", "x", benchmarks=results)])
    assert found["x"]["a"].interval == between(6, 16)


def test_runs_are_averaged_exactly_and_must_be_as_many_as_the_rule_says() -> None:
    measure = node("x", "10", "runs", count="3", per="100")
    assert values(measure, [report("a", "x", runs=["70", "71", "72.1"])])["x"]["a"].interval == point(
        Fraction(2131, 300)
    )
    assert values(measure, [report("a", "x", runs=["70", "71"])])["x"]["a"].interval == between(0, 10)


def test_a_trimmed_mean_drops_the_highest_and_the_lowest() -> None:
    marks = {"a": ["10", "9", "8", "7", "1"]}
    trimmed = panel("10", "10", "trimmed-mean", "10", drop_highest="1", drop_lowest="1")
    assert values(trimmed, ballots("axis", marks))["axis"]["a"].interval == point(8)
    assert values(trimmed, ballots("axis", {"a": ["10", "9"]}))["axis"]["a"].interval == between(0, 10)


@pytest.mark.parametrize(("points", "expected"), [("15", Fraction("11.1")), ("10", Fraction("7.4"))])
def test_the_published_mean_of_marks_3_7_gives_the_published_points(points: str, expected: Fraction) -> None:
    marks = {"a": ["4", "4", "4", "4", "4", "4", "4", "3", "3", "3"]}
    assert values(panel(points, "5", "mean"), ballots("axis", marks))["axis"]["a"].interval == point(expected)


def test_marks_that_came_after_every_other_act_count_unless_a_horizon_is_given() -> None:
    first = act("withdrawal", 0, "2025-02-01T00:00:00+09:00", stage="other", team="x")
    rows = [BallotRow(1, "2025-12-30T15:00:00Z", "stage-1", "experts", "axis", "r0", "a", Decimal(5), None)]
    found = gather([Entry(0, first)], fold(rows))
    assert (found.horizon.isoformat(), len(found.marks)) == ("2025-12-30T15:00:00+00:00", 1)
    until = gather([Entry(0, first)], fold(rows, first.when))
    assert (until.horizon, len(until.marks)) == (first.when, 0)


def test_below_its_quorum_a_panel_says_nothing() -> None:
    rule = {
        "kind": "panel",
        "id": "p",
        "text": {"ko": "가", "en": "a"},
        "stage": "stage-1",
        "panel": "experts",
        "title": {"ko": "가", "en": "a"},
        "raters": "5",
        "quorum": "3",
    }
    rules = {"experts": PanelRule.model_validate(rule)}
    measure = panel("15", "5", "mean")
    assert values(measure, ballots("axis", {"a": ["5", "5"]}), rules)["axis"]["a"].interval == between(0, 15)
    assert values(measure, ballots("axis", {"a": ["5", "5", "5"]}), rules)["axis"]["a"].interval == point(15)


COMBINED: dict[str, dict[str, str]] = {
    "mean": {},
    "sum": {},
    "trimmed-mean": {"drop_highest": "1", "drop_lowest": "1"},
}


def of_marks(measure: dict[str, Any], open_: Sequence[int], sealed: int = 0) -> Interval:
    """Team a's value of a panel of whose raters some are open and some are sealed."""
    marks = Marks(totals=Counter(Decimal(mark) for mark in open_), sealed=sealed)
    held = replace(evidence([report("a", "other", value="1")]), marks={("stage-1", "experts", "axis", "a"): marks})
    return evaluate(MEASURE.validate_python(measure), facts("stage-1", TEAMS, held, {}))["axis"]["a"].interval


@given(
    combine=st.sampled_from(sorted(COMBINED)),
    open_=st.lists(st.integers(1, 5), min_size=3, max_size=6),
    hidden=st.lists(st.sampled_from([None, 1, 2, 3, 4, 5]), max_size=3),
)
def test_sealed_marks_bound_a_panel_whatever_they_are(
    combine: str, open_: list[int], hidden: list[int | None]
) -> None:
    """`None`: a rater who is absent for the team. The bounds hold, and for a mean they are reached."""
    measure = panel("15", "5", combine, lowest_mark="1", **COMBINED[combine])
    bounds = of_marks(measure, open_, len(hidden))
    truth = of_marks(measure, [*open_, *(mark for mark in hidden if mark is not None)])
    assert truth.exact
    assert bounds.lower <= truth.lower <= bounds.upper
    assert bounds.upper == of_marks(measure, [*open_, *[5] * len(hidden)]).upper
    assert bounds.lower == of_marks(measure, [*open_, *([] if combine == "sum" else [1] * len(hidden))]).lower


@given(
    given_=st.lists(st.integers(1, 9), max_size=12),
    lowest=st.integers(0, 3),
    highest=st.integers(0, 3),
)
def test_a_trimmed_mean_is_that_of_the_sorted_marks_without_their_ends(
    given_: list[int], lowest: int, highest: int
) -> None:
    rule = panel("15", "5", "trimmed-mean", drop_lowest=str(lowest), drop_highest=str(highest))
    measure = MEASURE.validate_python(rule)
    assert isinstance(measure, Panel)
    kept = sorted(given_)[lowest : max(lowest, len(given_) - highest)]
    expected = Fraction(sum(kept), len(kept)) if kept else None
    assert combined(measure, Counter(map(Decimal, given_))) == expected


def test_sealed_marks_do_not_stand_in_for_open_ones() -> None:
    measure = panel("15", "5", "trimmed-mean", drop_highest="1", drop_lowest="1")
    assert of_marks(measure, [], 9) == between(0, 15)
    assert of_marks(measure, [3, 4], 9) == between(0, 15)
    assert of_marks(measure, [3, 3, 4], 0) == point(9)


def test_the_first_team_gets_all_points_and_the_others_their_share() -> None:
    measure = node("x", "25", "scale-to-first", of=leaf("raw", "250"))
    acts = [report("a", "raw", value="200"), report("b", "raw", value="150"), report("c", "raw", value="0")]
    found = {team: value.interval for team, value in values(measure, acts)["x"].items()}
    assert found == {"a": point(25), "b": point(Fraction(75, 4)), "c": point(0)}


def test_min_max_spreads_the_teams_over_all_points() -> None:
    measure = node("x", "25", "min-max", of=leaf("raw", "100"))
    acts = [report("a", "raw", value="90"), report("b", "raw", value="60"), report("c", "raw", value="40")]
    found = {team: value.interval for team, value in values(measure, acts)["x"].items()}
    assert found == {"a": point(25), "b": point(10), "c": point(0)}


def test_weights_are_parts_of_their_sum() -> None:
    items = [{"weight": "20", "measure": leaf("x", "100")}, {"weight": "5", "measure": leaf("y", "50")}]
    acts = [report("a", "x", value="50"), report("a", "y", value="50")]
    assert values(node("w", "100", "weighted", items=items), acts)["w"]["a"].interval == point(60)


def test_a_clause_rounds_once_where_it_says_so() -> None:
    rounding = {"decimals": "1", "mode": "half-even"}
    measure = node("t", "20", "sum", items=[leaf("x", "10"), leaf("y", "10")], rounding=rounding)
    acts = [report("a", "x", value="1.02"), report("a", "y", value="1.03")]
    found = values(measure, acts)
    assert found["t"]["a"].interval == point(2)
    assert found["x"]["a"].interval == point(Fraction("1.02"))


raw = st.fractions(min_value=0, max_value=100, max_denominator=20)


@given(st.lists(st.tuples(raw, raw, st.fractions(min_value=0, max_value=1)), min_size=3, max_size=3), st.booleans())
def test_comparing_nodes_hold_the_value_of_every_completion(
    drawn: list[tuple[Fraction, Fraction, Fraction]], scale_to_first: bool
) -> None:
    """Teams known as intervals: whatever the raw values in them are, the team's points lie in its interval."""
    from dokja.adjudicate.scores import _between_lowest_and_highest, _scaled_to_first

    own = {team: Interval(min(x, y), max(x, y)) for team, (x, y, _) in zip(TEAMS, drawn, strict=True)}
    true = {
        team: own[team].lower + (own[team].upper - own[team].lower) * part
        for team, (_, _, part) in zip(TEAMS, drawn, strict=True)
    }
    compare = _scaled_to_first if scale_to_first else _between_lowest_and_highest
    high, low = max(true.values()), min(true.values())
    span = high if scale_to_first else high - low
    for team in TEAMS:
        interval = compare(team, own)
        if interval is not None and span:
            share = true[team] / high if scale_to_first else (true[team] - low) / span
            assert interval.holds(share)
