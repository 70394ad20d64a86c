"""A gate by points: each measure reaches its threshold or not, whatever the total is, and unknown stays unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokja.adjudicate import StageOutcome, adjudicate
from tests.adjudicate.build import admissions, clause, document, evidence, history, leaf, node, score, stage

TEAMS = ("a", "b", "c")
SCORE = score(node("total", "100", "sum", items=[leaf("paper", "60"), leaf("talk", "40")]))
LEAST = {"paper": "30", "talk": "20"}
GATE = clause(
    "gate",
    "least",
    stage="stage-1",
    title={"ko": "과락", "en": "Least points"},
    evidence="points",
    thresholds=[{"measure": measure, "at_least": least} for measure, least in LEAST.items()],
)
CUT = clause("cut", "cut", stage="stage-1", order="gate-then-points")


def report(team: str, measure: str, value: str) -> dict[str, Any]:
    return {"type_": "measurement-reported", "stage": "stage-1", "team": team, "measure": measure, "value": value}


def outcome(marks: dict[str, dict[str, str]], *more: dict[str, Any]) -> StageOutcome:
    acts = [*admissions(TEAMS), *(report(team, *each) for team, row in marks.items() for each in row.items()), *more]
    return adjudicate(history(document(1, stage(2, 3), SCORE, GATE, CUT)), evidence(acts)).stages[0]


def results(found: StageOutcome) -> dict[str, str]:
    return {each.team: each.result for each in found.gates}


def test_the_first_on_points_leaves_where_one_measure_stays_below_its_threshold() -> None:
    found = outcome(
        {"a": {"paper": "60", "talk": "19.9"}, "b": {"paper": "30", "talk": "20"}, "c": {"paper": "31", "talk": "21"}}
    )
    assert results(found) == {"a": "does-not-meet", "b": "meets", "c": "meets"}
    (reading,) = found.readings
    assert {team: fate.goes_on for team, fate in reading.fates.items()} == {
        "a": "excluded",
        "b": "certain",
        "c": "certain",
    }
    assert reading.fates["a"].reason == "failed-gate"
    assert found.positions["a"].worst == 1
    assert [len(each.acts) for each in found.gates] == [2, 2, 2]


def test_what_is_not_known_leaves_it_open_and_one_measure_is_enough_to_fail() -> None:
    found = outcome({"a": {"paper": "29"}, "b": {"paper": "30"}})
    assert results(found) == {"a": "does-not-meet", "b": "unknown", "c": "unknown"}


def test_a_published_figure_settles_a_threshold_as_far_as_its_rounding_allows() -> None:
    def talk(value: str) -> dict[str, Any]:
        figure = {"of": "value", "measure": "talk", "value": value, "teams": ["b"]}
        return {"type_": "disclosure", "stage": "stage-1", "figures": [figure]}

    marks = {"b": {"paper": "30"}}
    assert results(outcome(marks, talk("20")))["b"] == "unknown"
    assert results(outcome(marks, talk("20.5")))["b"] == "meets"
    assert results(outcome(marks, talk("19.4")))["b"] == "does-not-meet"


def test_a_finding_says_nothing_at_a_gate_by_points() -> None:
    finding = {"type_": "finding", "stage": "stage-1", "team": "a", "gate": "least", "result": "meets"}
    assert results(outcome({"a": {"paper": "1", "talk": "1"}}, finding))["a"] == "does-not-meet"


@pytest.mark.parametrize("measure", sorted(LEAST))
@given(value=st.decimals("0", "40", places=1))
def test_meeting_it_is_at_least_the_threshold(measure: str, value: Any) -> None:  # noqa: ANN401 - a decimal
    other = next(each for each in LEAST if each != measure)
    found = outcome({"a": {measure: format(value, "f"), other: "40"}})
    assert results(found)["a"] == ("meets" if value >= int(LEAST[measure]) else "does-not-meet")
