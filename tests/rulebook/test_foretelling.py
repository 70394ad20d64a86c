"""What the linter calls answered is answered: however a stage ends, adjudication finds what the linter foresaw."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dokja.adjudicate import StageOutcome, adjudicate
from dokja.rulebook import ORDERS, SITUATIONS, History
from dokja.rulebook.linter.outcome_rules import Answered, answered
from dokja.rulebook.linter.subject import Subject
from tests.adjudicate.build import BOTH, admissions, clause, document, evidence, history, leaf, score, stage

TEAMS = ("a", "b", "c", "d")
COUNTS = ("withdrawn", "undecided", "failed", "below_minimum", "remaining", "tied", "contested")
BEFORE, DECIDED, AFTER = (f"2025-06-{day}T00:00:00+09:00" for day in ("10", "20", "25"))
CONSEQUENCES = {
    "gate-undecided": ["count-as-passed", "count-as-failed"],
    "tie-at-cut": ["all-tied-go-on", "none-tied-goes-on", "lot"],
}
"""What decides in which further situations a stage ends; elsewhere `end-programme` stands for all."""

ranges = st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)).map(
    lambda ends: {"at_least": str(ends[0])} | ({} if ends[1] is None else {"at_most": str(ends[1])})
)
fates = st.sampled_from(["meets", "meets", "does-not-meet", "undecided", "withdrawn"])


@st.composite
def contingencies(draw: st.DrawFn) -> list[dict[str, object]]:
    """One clause for each situation that holds always, but for one situation whose clauses have conditions."""
    answer = draw(st.sampled_from(CONSEQUENCES["gate-undecided"]))
    torn = draw(st.sampled_from(SITUATIONS))
    conditions = draw(st.lists(st.dictionaries(st.sampled_from(COUNTS), ranges, min_size=1, max_size=2), max_size=2))
    return [
        clause(
            "contingency",
            f"{situation}-{number}",
            stage="stage-1",
            situation=situation,
            when=when,
            consequence=answer
            if situation == "gate-undecided"
            else draw(st.sampled_from(CONSEQUENCES.get(situation, ["end-programme"]))),
        )
        for situation in SITUATIONS
        for number, when in enumerate(conditions if situation == torn else [{}])
    ]


@st.composite
def cuts(draw: st.DrawFn) -> dict[str, object]:
    step = draw(st.sampled_from([None, "all-go-on", "none-goes-on", "lot"]))
    return clause(
        "cut",
        "cut",
        stage="stage-1",
        order=draw(st.sampled_from(ORDERS)),
        ties=[] if step is None else [{"step": step}],
        minimum=draw(st.sampled_from([None, "2"])),
    )


@settings(deadline=None, max_examples=250)
@given(
    st.integers(1, 4),
    cuts(),
    contingencies(),
    st.lists(st.tuples(st.integers(1, 3), fates), min_size=4, max_size=4),
    st.integers(0, 2),
    st.booleans(),
)
def test_a_stage_ends_in_nothing_that_the_linter_did_not_foresee(
    seats: int,
    cut: dict[str, object],
    clauses: list[dict[str, object]],
    drawn: list[tuple[int, str]],
    leave: int,
    upheld: bool,
) -> None:
    rules = history(
        document(
            1,
            stage(seats, len(TEAMS)),
            score(leaf("total", "9")),
            clause("gate", "gate", stage="stage-1", title=BOTH),
            cut,
            *clauses,
        )
    )
    foreseen = _foreseen(rules)
    ended = _ended(rules, drawn, leave, upheld)
    for reading in ended.readings:
        for found in reading.situations:
            if found.modality == "certain" and not found.clauses:
                assert found.situation in foreseen.gaps, found
            if found.modality == "certain" and len(found.clauses) > 1:
                assert set(zip(found.clauses, found.clauses[1:], strict=False)) & set(foreseen.overlaps), found
            if found.modality == "certain":
                assert {clause for clause in found.clauses if clause != "cut"} <= foreseen.alive, found


def _foreseen(rules: History) -> Answered:
    subject = Subject(rules)
    return answered(subject, subject.stages[0])


def _ended(rules: History, drawn: list[tuple[int, str]], leave: int, upheld: bool) -> StageOutcome:
    acts: list[dict[str, Any]] = admissions(TEAMS)
    for team, (points, fate) in zip(TEAMS, drawn, strict=True):
        acts.append(_said("measurement-reported", team, measure="total", value=str(points)))
        acts.append(
            _said("withdrawal", team) if fate == "withdrawn" else _said("finding", team, gate="gate", result=fate)
        )
    readings = adjudicate(rules, evidence(acts)).stages[0].readings
    sure = [team for reading in readings for team, fate in reading.fates.items() if fate.goes_on == "certain"]
    decided = {"type_": "decision", "stage": "stage-1", "goes_on": sure, "when": DECIDED}
    acts.append(decided)
    acts += [{**_said("withdrawal", team), "when": AFTER} for team in sure[:leave]]
    if upheld:
        acts.append(
            {
                "type_": "objection-filed",
                "id": "o",
                "stage": "stage-1",
                "team": "a",
                "against": "act-0",
                "claim": BOTH,
            }
        )
        acts.append({"type_": "objection-answered", "objection": "o", "upheld": "true", "when": AFTER})
    return adjudicate(rules, evidence(acts)).stages[0]


def _said(kind: str, team: str, **fields: object) -> dict[str, Any]:
    return {"type_": kind, "stage": "stage-1", "team": team, "when": BEFORE, **fields}
