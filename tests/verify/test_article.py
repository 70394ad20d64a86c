"""The stories of the article, each as a bundle with the code that it must give."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verify.build import TEAMS, Small, act, application, clause, decision, told, votes

OPENED = act("call-opened", "extra-opened", "2027-09-10T09:00:00", call="extra-call")
EXTRA = clause("first-call", id="extra-call", call="extra-call", stage="stage-2", opens=None, closes=None)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "mine")


def extra_call() -> dict[str, object]:
    return {name: value for name, value in EXTRA.items() if value is not None}


def reworded() -> dict[str, object]:
    return clause("independence-1", criterion={"ko": "다른 기준", "en": "Another criterion"})


def test_a_programme_that_kept_its_rules_is_valid(small: Small) -> None:
    small.add(decision())
    verdict = small.verdict()
    assert (told(verdict), verdict.answer, verdict.exit_code) == ([], "valid", 0)


def test_an_extra_call_that_no_clause_knows(small: Small) -> None:
    small.add(decision(), OPENED)
    assert told(small.verdict()) == [("PROCEDURE_NOT_PINNED", 7)]


def test_an_extra_call_whose_clause_came_after_it(small: Small) -> None:
    small.add(decision(), OPENED)
    small.amend("2027-09-20T09:00:00", extra_call(), consented=TEAMS)
    assert told(small.verdict()) == [("PROCEDURE_NOT_PINNED", 7)]


def test_the_same_call_with_a_clause_is_valid(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", extra_call())
    small.add(decision(), OPENED)
    assert told(small.verdict()) == []


def test_a_decision_that_opens_a_call_that_no_clause_knew(small: Small) -> None:
    small.add(decision(opens_call="extra-call"))
    small.amend("2027-09-20T09:00:00", extra_call(), consented=TEAMS)
    assert told(small.verdict()) == [("PROCEDURE_NOT_PINNED", 6)]


def test_an_amendment_before_anything_began_needs_no_consent(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", reworded())
    small.add(decision())
    assert told(small.verdict()) == []


def test_an_amendment_to_which_everybody_consented_is_valid(small: Small) -> None:
    small.amend("2027-06-01T09:00:00", reworded(), consented=TEAMS)
    small.add(decision())
    assert told(small.verdict()) == []


def test_the_independence_wording_changed_between_opening_and_decision(small: Small) -> None:
    small.amend("2027-06-01T09:00:00", reworded())
    small.add(decision())
    verdict = small.verdict()
    assert told(verdict) == [("RETROACTIVE_AMENDMENT", 6)]
    (fault,) = verdict.problems
    assert fault.values["clauses"] == "independence-1"
    assert fault.values["begun"] == "2027-02-15T00:00:00Z"


def test_an_amendment_to_which_one_team_did_not_consent(small: Small) -> None:
    small.amend("2027-06-01T09:00:00", reworded(), consented=["team-a"])
    small.add(decision())
    verdict = small.verdict()
    assert told(verdict) == [("CONSENT_MISSING", 6)]
    assert verdict.problems[0].values["teams"] == "team-b"


def test_a_gate_that_was_renamed_is_not_the_one_that_the_decision_names(small: Small) -> None:
    small.amend("2027-06-01T09:00:00", clause("cut-1", id="cut-1b"), repeals=["cut-1"], consented=TEAMS)
    small.add(decision())
    assert told(small.verdict()) == [("CLAUSE_UNKNOWN", 7)]


def test_a_stage_without_a_cut_is_decided_by_no_rule(small: Small) -> None:
    small.amend("2027-06-01T09:00:00", repeals=["cut-1"], consented=TEAMS)
    small.add({**decision(), "clause": None})
    assert ("PROCEDURE_NOT_PINNED", 7) in told(small.verdict())


def test_an_amendment_that_the_record_holds_later_than_it_says(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", reworded(), published="2027-02-10T09:00:00")
    small.add(decision())
    assert told(small.verdict()) == [("RULEBOOK_NOT_PUBLISHED", 6)]


def test_an_amendment_back_dated_behind_the_decision(small: Small) -> None:
    small.add(decision())
    small.amend("2027-02-06T09:00:00", reworded())
    assert ("RULEBOOK_NOT_PUBLISHED", 7) in told(small.verdict())


def test_a_document_that_no_act_publishes(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", reworded())
    small.acts.pop()
    assert told(small.verdict()) == [("RULEBOOK_NOT_PUBLISHED", None)]


def test_a_reply_that_was_filed_before_the_decision_and_recorded_after_it(small: Small) -> None:
    finding = act("finding", "finding-b", "2027-08-18T09:00:00", stage="stage-1", team="team-b",
                  gate="independence-1", result="undecided")  # fmt: skip
    reply = act("reply", "reply-b", "2027-08-20T09:00:00", "team-b", team="team-b", to="finding-b")
    small.add(finding, decision(), reply)
    assert told(small.verdict()) == [("OBJECTION_UNANSWERED", 8)]
    heard = Small(small.folder.parent / "heard")
    heard.add(finding, reply, decision())
    assert told(heard.verdict()) == []


def objection(when: str, against: str) -> dict[str, object]:
    claim = {"ko": "이의", "en": "A claim"}
    return act("objection-filed", "objection", when, "team-b", stage="stage-1", team="team-b", against=against,
               claim=claim)  # fmt: skip


def test_an_objection_that_had_no_answer_at_the_decision(small: Small) -> None:
    small.add(objection("2027-08-20T09:00:00", "admission-team-a"), decision())
    assert ("OBJECTION_UNANSWERED", 7) in told(small.verdict())


def test_objections_have_their_time_and_so_have_answers(small: Small) -> None:
    answer = act("objection-answered", "answer", "2027-09-08T09:00:00", objection="objection", upheld=False)
    small.add(decision(), objection("2027-09-06T09:00:00", "decision-1"), answer)
    assert told(small.verdict()) == [("DEADLINE", 7)]
    slow = Small(small.folder.parent / "slow")
    slow.add(decision(), objection("2027-09-02T09:00:00", "decision-1"), answer)
    assert told(slow.verdict()) == [("DEADLINE", 8)]


def test_a_decision_that_does_not_follow(small: Small) -> None:
    small.add(*votes("team-a", meets=True), *votes("team-b", meets=True))
    small.add(decision("team-a", leaves=[{"team": "team-b", "reason": "points"}]))
    assert told(small.verdict()) == [("OUTCOME_MISMATCH", 16), ("OUTCOME_MISMATCH", 16)]


def test_an_end_that_no_clause_answers(small: Small) -> None:
    gone = decision("team-a", leaves=[{"team": "team-b", "reason": "gate", "gate": "independence-1"}])
    voted = [*votes("team-a", meets=True), *votes("team-b", meets=False)]
    small.add(*voted, gone)
    assert told(small.verdict()) == []
    silent = Small(small.folder.parent / "silent")
    silent.amend("2027-02-06T09:00:00", repeals=["fewer-remain-1"])
    silent.add(*voted, gone)
    assert told(silent.verdict()) == [("CONTINGENCY_GAP", 17)]


def test_what_comes_too_late_is_told(small: Small) -> None:
    small.acts[3] = application("team-b", "2027-02-02T11:00:00")
    small.add(decision(when="2027-09-03T14:00:00"), *votes("team-a", 1, meets=True))
    assert told(small.verdict()) == [("DEADLINE", 3), ("DEADLINE", 6), ("DEADLINE", 7)]


def test_an_act_that_cannot_have_happened(small: Small) -> None:
    small.add(act("withdrawal", "gone", "2027-03-01T09:00:00", "team-c", stage="stage-1", team="team-c"))
    verdict = small.verdict()
    assert told(verdict) == [("ACT_NOT_ALLOWED", 6)]
    assert "team-c" in verdict.problems[0].values.values()
