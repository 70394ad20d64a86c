"""What a decision rests on: replies and objections that were there before it must be among it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verify.build import Json, Small, act, clause, decision, told

FINDING = act("finding", "finding-b", "2027-08-18T09:00:00", stage="stage-1", team="team-b", gate="independence-1",
              result="undecided")  # fmt: skip
REPLY = act("reply", "reply-b", "2027-08-20T09:00:00", "team-b", team="team-b", to="finding-b")
DECISION = 8


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "mine")


def objection() -> list[Json]:
    claim = {"ko": "이의", "en": "A claim"}
    filed = act("objection-filed", "objection", "2027-08-21T09:00:00", "team-b", stage="stage-1", team="team-b",
                against="finding-b", claim=claim)  # fmt: skip
    return [filed, act("objection-answered", "answer", "2027-08-22T09:00:00", objection="objection", upheld=False)]


def test_a_decision_that_names_the_reply(small: Small) -> None:
    small.add(FINDING, REPLY, decision(rests_on=["finding-b", "reply-b"]))
    verdict = small.verdict()
    assert told(verdict) == []
    assert not any(each.what.startswith("Weighing") for each in verdict.unchecked)


def test_a_decision_that_names_the_finding_and_not_the_reply(small: Small) -> None:
    small.add(FINDING, REPLY, decision(rests_on=["finding-b"]))
    verdict = small.verdict()
    assert told(verdict) == [("OBJECTION_UNANSWERED", DECISION)]
    assert verdict.problems[0].values["act"] == "reply-b"


def test_an_objection_counts_as_a_reply_does(small: Small) -> None:
    small.add(FINDING, REPLY, *objection(), decision(rests_on=["reply-b"]))
    assert told(small.verdict()) == [("OBJECTION_UNANSWERED", DECISION + 2)]


def test_a_decision_that_names_nothing_is_told_of_where_the_rules_say_that_it_must(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", clause("objections-1", weighing=True))
    small.add(FINDING, REPLY, decision())
    assert told(small.verdict()) == [("OBJECTION_UNANSWERED", DECISION + 1)]


def test_where_they_do_not_it_stays_on_the_list_of_what_was_not_checked(small: Small) -> None:
    small.add(FINDING, REPLY, decision())
    verdict = small.verdict()
    assert (told(verdict), verdict.answer) == ([], "valid")
    assert [each.values for each in verdict.unchecked if each.what.startswith("Weighing")] == [{"acts": "reply-b"}]


def test_a_decision_rests_on_acts_before_it(small: Small) -> None:
    small.add(FINDING, decision(rests_on=["finding-b", "reply-b"]), REPLY)
    assert ("ACT_NOT_ALLOWED", 7) in told(small.verdict())
