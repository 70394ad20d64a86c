"""A whole stage: what follows by the rules of the day, held against what was decided."""

from __future__ import annotations

from typing import Any

import pytest

from dokja.adjudicate import Outcome, StageOutcome, adjudicate, why
from tests.adjudicate.build import BOTH, admissions, clause, document, evidence, history, leaf, node, score, stage

TEAMS = ("a", "b", "c", "d", "e")
TOTALS = {"a": "90", "b": "80", "c": "70", "d": "60", "e": "50"}
LATER = "2025-07-15T00:00:00+09:00"


def measured(totals: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"type_": "measurement-reported", "stage": "stage-1", "team": team, "measure": "total", "value": value}
        for team, value in totals.items()
    ]


def findings(failing: set[str]) -> list[dict[str, Any]]:
    return [
        {
            "type_": "finding",
            "stage": "stage-1",
            "team": team,
            "gate": "gate",
            "result": "does-not-meet" if team in failing else "meets",
        }
        for team in TEAMS
    ]


def decision(*goes_on: str, opens_call: str | None = None, **reasons: str) -> dict[str, Any]:
    leaves = [{"team": team, "reason": reason} for team, reason in reasons.items()]
    return {"type_": "decision", "stage": "stage-1", "goes_on": goes_on, "leaves": leaves, "opens_call": opens_call}


GATE = clause("gate", "gate", stage="stage-1", title={"ko": "가", "en": "a"})
SCORE = score(leaf("total", "100"))
ACTS = [*admissions(TEAMS), *measured(TOTALS), *findings({"b"})]


def cut(order: str | None = "points-then-gate", **fields: object) -> dict[str, object]:
    return clause("cut", "cut", stage="stage-1", order=order, **fields)


def shortfall(consequence: str, when: dict[str, object] | None = None, **fields: object) -> dict[str, object]:
    return clause(
        "contingency",
        f"shortfall-{consequence}",
        stage="stage-1",
        situation="fewer-remain-than-seats",
        consequence=consequence,
        when=when or {},
        **fields,
    )


def outcome_of(*clauses: dict[str, object], acts: list[dict[str, Any]]) -> StageOutcome:
    found = outcome(*clauses, acts=acts).stage("stage-1")
    assert found is not None
    return found


def outcome(*clauses: dict[str, object], acts: list[dict[str, Any]]) -> Outcome:
    return adjudicate(history(document(1, stage(4, 5), SCORE, GATE, *clauses)), evidence(acts))


def verdicts(found: StageOutcome) -> dict[str, str]:
    return {holding.subject: holding.verdict for holding in found.holdings}


def test_the_first_stage_of_the_model_case_in_miniature() -> None:
    """Second on points fails the gate, last on points is cut, three go on for four seats, a call is invented."""
    decided = decision("a", "c", "d", opens_call="extra", b="gate", e="points")
    found = outcome_of(cut(None), acts=[*ACTS, decided])
    assert [reading.order for reading in found.readings] == ["gate-then-points", "points-then-gate"]
    assert [reading.remaining for reading in found.readings] == [(4, 4), (3, 3)]
    assert verdicts(found) == {
        "a": "agreed",
        "b": "agreed",
        "c": "agreed",
        "d": "agreed",
        "e": "not-covered",
        "stage-1": "not-covered",
        "extra": "not-covered",
    }


def test_with_a_clause_for_it_the_same_decision_is_agreed() -> None:
    decided = decision("a", "c", "d", opens_call="extra", b="gate", e="points")
    found = outcome_of(cut(), shortfall("open-call", call="extra"), acts=[*ACTS, decided])
    assert set(verdicts(found).values()) == {"agreed"}
    (situation,) = found.readings[0].situations
    assert (situation.situation, situation.modality) == ("fewer-remain-than-seats", "certain")
    assert situation.clauses == ("shortfall-open-call",)


def test_a_call_that_a_clause_opens_and_the_decision_forgets_is_contradicted() -> None:
    decided = decision("a", "c", "d", b="gate", e="points")
    found = outcome_of(cut(), shortfall("open-call", call="extra"), acts=[*ACTS, decided])
    assert verdicts(found)["extra"] == "contradicted"


def test_next_on_points_fills_the_place() -> None:
    decided = decision("a", "c", "d", b="gate", e="points")
    found = outcome_of(cut(), shortfall("next-on-points"), acts=[*ACTS, decided])
    assert verdicts(found)["e"] == "contradicted"
    assert verdicts(found)["stage-1"] == "contradicted"


def test_a_contingency_whose_range_does_not_reach_does_not_answer() -> None:
    decided = decision("a", "c", "d", opens_call="extra", b="gate", e="points")
    limited = shortfall("open-call", call="extra", when={"remaining": {"at_most": "2"}})
    found = outcome_of(cut(), limited, acts=[*ACTS, decided])
    assert found.readings[0].situations[0].clauses == ()
    assert verdicts(found)["stage-1"] == "not-covered"


def test_a_rule_made_after_the_decision_is_not_in_force_for_it() -> None:
    decided = decision("a", "c", "d", opens_call="extra", b="gate", e="points")
    amendment = document(
        2,
        cut(),
        shortfall("open-call", call="extra"),
        effective=LATER,
        amendment={"scope": ["stage-1"], "reason": {"ko": "가", "en": "a"}},
    )
    rules = history(document(1, stage(4, 5), SCORE, GATE), amendment)
    found = adjudicate(rules, evidence([*ACTS, decided])).stages[0]
    assert verdicts(found)["extra"] == "not-covered"
    assert len(found.readings) == 2


def test_points_that_were_published_late_are_used_and_said_to_be_late() -> None:
    amendment = document(
        2, SCORE, effective=LATER, amendment={"scope": ["stage-1"], "reason": {"ko": "가", "en": "a"}}
    )
    rules = history(document(1, stage(4, 5), GATE, cut()), amendment)
    early = adjudicate(rules, evidence([*ACTS, decision("a", "c", "d", b="gate", e="points")])).stages[0]
    late = adjudicate(rules, evidence([*ACTS, decision("a", "c", "d", b="gate", e="points")], horizon=LATER)).stages[
        0
    ]
    assert early.root is None
    assert late.score_published is not None
    assert late.positions["a"].worst == 1


def test_acts_after_the_horizon_do_not_count() -> None:
    acts: list[dict[str, Any]] = [*ACTS, decision("a", "c", "d", b="gate", e="points")]
    found = adjudicate(
        history(document(1, stage(4, 5), SCORE, GATE, cut())), evidence(acts, horizon="2025-03-01T00:00:00+09:00")
    ).stages[0]
    assert found.decision is None
    assert all(not score_.known for score_ in found.scores.values())


def test_without_a_result_at_the_gate_nobody_is_certain() -> None:
    acts: list[dict[str, Any]] = [*admissions(TEAMS), *measured(TOTALS), decision("a", "b", "c", "d", e="points")]
    found = outcome_of(cut(), acts=acts)
    assert {fate.goes_on for team, fate in found.readings[0].fates.items() if team != "e"} == {"possible"}
    assert found.readings[0].fates["a"].on_points == "certain"
    assert verdicts(found)["a"] == "open"
    assert verdicts(found)["e"] == "agreed"


@pytest.mark.parametrize(("votes", "result"), [(2, "does-not-meet"), (1, "meets")])
def test_a_gate_by_ballots_follows_its_quorum(votes: int, result: str) -> None:
    gate = {**GATE, "evidence": "ballots", "panel": "experts", "quorum": {"fail_at": "2", "raters": "3"}}
    ballots = [
        {
            "type_": "ballot",
            "stage": "stage-1",
            "panel": "experts",
            "rater": f"r{rater}",
            "team": "a",
            "gate": "gate",
            "meets": "false" if rater < votes else "true",
        }
        for rater in range(3)
    ]
    acts: list[dict[str, Any]] = [*admissions(TEAMS), *measured(TOTALS), *ballots]
    found = adjudicate(history(document(1, stage(4, 5), SCORE, gate, cut())), evidence(acts)).stages[0]
    assert {each.result for each in found.gates if each.team == "a"} == {result}
    short = adjudicate(history(document(1, stage(4, 5), SCORE, gate, cut())), evidence(acts[:-2])).stages[0]
    assert {each.result for each in short.gates if each.team == "a"} == {"undecided"}


def test_an_undecided_gate_counts_as_its_clause_says() -> None:
    acts: list[dict[str, Any]] = [*admissions(TEAMS), *measured(TOTALS), *findings(set())]
    acts.append({"type_": "finding", "stage": "stage-1", "team": "b", "gate": "gate", "result": "undecided"})
    acts.append(decision("a", "c", "d", b="gate", e="points"))
    undecided = clause(
        "contingency", "late", stage="stage-1", situation="gate-undecided", consequence="count-as-failed"
    )
    silent = outcome_of(cut(), acts=acts)
    ruled = outcome_of(cut(), undecided, acts=acts)
    assert verdicts(silent)["b"] == "not-covered"
    assert verdicts(ruled)["b"] == "agreed"
    assert ("gate-undecided", ()) in {(each.situation, each.clauses) for each in silent.readings[0].situations}


def test_a_team_that_withdraws_before_the_decision_is_not_ranked() -> None:
    withdrawal = {"type_": "withdrawal", "stage": "stage-1", "team": "a", "when": "2025-05-01T00:00:00+09:00"}
    found = outcome_of(cut(), acts=[*ACTS, withdrawal])
    assert found.withdrawn == ("a",)
    assert found.positions["b"].best == 1
    assert "withdrawal-before-decision" in {each.situation for each in found.readings[0].situations}


def test_an_objection_upheld_after_the_decision_is_a_situation_of_its_own() -> None:
    filed = {
        "type_": "objection-filed",
        "id": "objection",
        "stage": "stage-1",
        "team": "e",
        "against": "act-0",
        "claim": {"ko": "가", "en": "a"},
    }
    answered = {"type_": "objection-answered", "objection": "objection", "upheld": "true", "when": LATER}
    found = outcome_of(cut(), acts=[*ACTS, decision("a", "c", "d", b="gate", e="points"), filed, answered])
    assert "objection-upheld-after-decision" in {each.situation for each in found.readings[0].situations}


def test_the_minimum_score_is_a_sieve_of_its_own() -> None:
    found = outcome_of(cut("gate-then-points", minimum="65"), acts=ACTS)
    assert found.readings[0].fates["d"].reason == "below-minimum"
    assert found.readings[0].remaining == (2, 2)


def test_sources_that_are_left_out_do_not_narrow() -> None:
    leak = {
        "type_": "disclosure",
        "stage": "stage-1",
        "source": "leak",
        "figures": [{"of": "value", "measure": "total", "value": "90.0", "teams": ["a"]}],
    }
    rules = history(document(1, stage(4, 5), SCORE, GATE, cut()))
    acts: list[dict[str, Any]] = [*admissions(TEAMS), leak]
    assert adjudicate(rules, evidence(acts)).stages[0].scores["a", "total"].known
    assert not adjudicate(rules, evidence(acts, leave_out=["leak"])).stages[0].scores["a", "total"].known


def test_every_number_traces_to_its_acts() -> None:
    tree = score(node("total", "100", "sum", items=[leaf("x", "60"), leaf("y", "40")]))
    acts: list[dict[str, Any]] = [
        *admissions(TEAMS),
        {"type_": "measurement-reported", "stage": "stage-1", "team": "a", "measure": "x", "value": "30"},
        {
            "type_": "disclosure",
            "stage": "stage-1",
            "figures": [{"of": "value", "measure": "total", "value": "50.0", "teams": ["a"]}],
        },
    ]
    found = adjudicate(history(document(1, stage(4, 5), tree)), evidence(acts)).stages[0]
    explained = why(found, "a", "total")
    assert explained is not None
    assert explained.acts == (5, 6)
    assert why(found, "a", "nothing") is None
    narrowed = why(found, "a", "y")
    assert narrowed is not None
    assert (float(narrowed.score.interval.lower), float(narrowed.score.interval.upper)) == (19.95, 20.05)


def call(**fields: object) -> dict[str, object]:
    return clause(
        "call", "extra-rules", call="extra", title={"ko": "가", "en": "a"}, stage="stage-1", places="1", **fields
    )


@pytest.mark.parametrize(
    ("votes", "verdict"),
    [
        ({"in_favour": "6", "panel_size": "10"}, "agreed"),
        ({"in_favour": "5", "panel_size": "10"}, "contradicted"),
        ({}, "open"),
    ],
)
def test_an_admission_needs_more_than_half_of_the_panel(votes: dict[str, str], verdict: str) -> None:
    acts: list[dict[str, Any]] = [
        {"type_": "call-opened", "call": "extra"},
        {"type_": "application", "call": "extra", "team": "f", "name": {"ko": "바", "en": "f"}},
        {"type_": "admission", "call": "extra", "stage": "stage-1", "team": "f", **votes},
    ]
    (found,) = outcome(call(majority="0.5"), acts=acts).calls
    assert (found.applicants, found.admitted, found.covered_when_opened) == (("f",), ("f",), True)
    assert [holding.verdict for holding in found.holdings] == [verdict]


def test_a_call_that_no_clause_knew_is_not_covered() -> None:
    (found,) = outcome(acts=[{"type_": "call-opened", "call": "extra"}]).calls
    assert not found.covered_when_opened


TIED = {**TOTALS, "d": "70", "e": "70"}
TIED_ACTS = [*admissions(TEAMS), *measured(TIED), *findings(set())]
"""a, b before c, d, e, who are level with two seats left for them."""


def tie(consequence: str, when: dict[str, object] | None = None) -> dict[str, object]:
    return clause(
        "contingency", "tie", stage="stage-1", situation="tie-at-cut", consequence=consequence, when=when or {}
    )


@pytest.mark.parametrize(
    ("consequence", "goes_on", "out"), [("all-tied-go-on", "abcde", ""), ("none-tied-goes-on", "ab", "cde")]
)
def test_a_tie_is_settled_as_its_contingency_says(consequence: str, goes_on: str, out: str) -> None:
    decided = decision(*goes_on, **dict.fromkeys(out, "points"))
    found = outcome_of(cut(), tie(consequence), shortfall("go-on-with-fewer"), acts=[*TIED_ACTS, decided])
    assert set(verdicts(found).values()) == {"agreed"}
    other = decision("a", "b", "c", "d", e="points")
    against = verdicts(outcome_of(cut(), tie(consequence), shortfall("go-on-with-fewer"), acts=[*TIED_ACTS, other]))
    assert against["stage-1"] == "contradicted"
    assert against["e" if out == "" else "c"] == "contradicted"


def test_a_condition_counts_those_ahead_of_a_tie() -> None:
    """Two remain before the tie, whether none of the tied goes on or all do."""
    for step, present in (("none-goes-on", True), ("all-go-on", False)):
        fewer = shortfall("go-on-with-fewer", {"remaining": {"at_least": "2", "at_most": "2"}})
        found = outcome_of(cut(ties=[{"step": step}]), fewer, acts=TIED_ACTS)
        answered = {each.situation: each.clauses for each in found.readings[0].situations}
        assert answered.get("fewer-remain-than-seats") == ((fewer["id"],) if present else None)


def test_what_hangs_on_a_tie_that_no_clause_settles_is_not_covered() -> None:
    decided = decision("a", "b", "c", "d", e="points")
    found = verdicts(outcome_of(cut(), acts=[*TIED_ACTS, decided]))
    assert found == {"a": "agreed", "b": "agreed", **dict.fromkeys("cde", "not-covered"), "stage-1": "agreed"}
    by_lot = verdicts(outcome_of(cut(), tie("lot"), acts=[*TIED_ACTS, decided]))
    assert by_lot["e"] == "open"


LATEST = "2025-07-20T00:00:00+09:00"
NEXT = stage(2, 4, "stage-2")
SECOND = {**decision("a", "b", "c", "d", e="points"), "when": LATEST}


def test_the_decision_that_stands_is_the_last_one_and_fills_the_next_stage() -> None:
    filed = {"type_": "objection-filed", "stage": "stage-1", "team": "b", "against": "act-0", "claim": BOTH}
    cleared = {**findings(set())[1], "when": LATER}
    acts = [*ACTS, decision("a", "c", "d", "e", b="gate"), filed]
    answered = {"type_": "objection-answered", "objection": f"act-{len(acts) - 1}", "upheld": "true", "when": LATER}
    found = outcome(cut(), NEXT, acts=[*acts, answered, cleared, SECOND])
    assert set(verdicts(found.stages[0]).values()) == {"agreed"}
    assert found.stages[0].at.isoformat() == LATEST
    assert [each.situation for each in found.stages[0].readings[0].situations] == ["objection-upheld-after-decision"]
    assert found.stages[1].teams == ("a", "b", "c", "d")


def test_who_leaves_after_the_decision_is_not_ranked_again_and_does_not_enter_the_next_stage() -> None:
    acts = [*ACTS[:-5], *findings(set()), decision("a", "b", "c", "d", e="points")]
    left = {"type_": "withdrawal", "stage": "stage-1", "team": "a", "when": LATER}
    once = outcome(cut(), NEXT, acts=[*acts, left])
    assert once.stages[0].withdrawn == ()
    assert once.stages[1].teams == ("b", "c", "d")
    again = {**decision("b", "c", "d", "e"), "when": LATEST}
    twice = outcome(cut(), NEXT, acts=[*acts, left, again])
    assert twice.stages[0].withdrawn == ("a",)
    assert set(verdicts(twice.stages[0]).values()) == {"agreed"}
    assert [each.situation for each in twice.stages[0].readings[0].situations] == ["withdrawal-after-decision"]
    assert twice.stages[1].teams == ("b", "c", "d", "e")


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({"b": "gate", "e": "points"}, ("agreed", "agreed")),
        ({"b": "points", "e": "gate"}, ("contradicted", "contradicted")),
        ({"e": "minimum-score"}, ("agreed", "contradicted")),
        ({"b": "minimum-score", "e": "withdrawal"}, ("contradicted", "contradicted")),
        ({}, ("agreed", "agreed")),
    ],
)
def test_a_reason_that_cannot_be_the_reason_is_contradicted(
    reasons: dict[str, str], expected: tuple[str, str]
) -> None:
    held = verdicts(outcome_of(cut(), acts=[*ACTS, decision("a", "c", "d", **reasons)]))
    assert (held["b"], held["e"]) == expected
