"""A gate that a panel votes on: what open votes settle whatever the sealed ones are, and nothing else."""

from __future__ import annotations

from array import array
from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dokja.adjudicate.gates import gate_results
from dokja.record.folding import Marks
from dokja.rulebook.clauses import Gate
from tests.adjudicate.build import admissions, clause, document, evidence, history

FAIL_AT, RATERS = 2, 3
QUORUM = {"fail_at": str(FAIL_AT), "raters": str(RATERS)}


def result(meets: int, objections: int, sealed: int = 0) -> str:
    """Team a's result, by so many votes of each kind."""
    made = clause(
        "gate",
        "gate",
        stage="stage-1",
        title={"ko": "관문", "en": "Gate"},
        evidence="ballots",
        panel="experts",
        quorum=QUORUM,
    )
    gate = next(history(document(1, made)).whole.of(Gate))
    marks = Marks(objections=objections, sealed=sealed, indexes=array("Q", range(meets + objections)))
    held = replace(evidence(admissions(["a"])), marks={("stage-1", "experts", "gate", "a"): marks})
    (found,) = gate_results([gate], ["a"], held, {})
    return found.result


@given(meets=st.integers(0, 5), objections=st.integers(0, 3), sealed=st.integers(1, 3))
def test_sealed_votes_leave_a_result_open_unless_none_of_them_can_change_it(
    meets: int, objections: int, sealed: int
) -> None:
    """Each sealed vote says yes or no, or its rater is absent: all completions are enumerated."""
    completions = {
        result(meets + votes.count(True), objections + votes.count(False))
        for votes in product((True, False, None), repeat=sealed)
    }
    found = result(meets, objections, sealed)
    assert found == "unknown" or completions == {found}
    if completions in ({"meets"}, {"does-not-meet"}):
        assert found in completions
