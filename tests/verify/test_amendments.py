"""How rules are changed: with the notice that they ask for, and with the teams' own consent where acts are signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verify.build import AMENDMENTS, FOUNDED, TEAMS, Json, Small, act, clause, decision, told

AMENDED = FOUNDED + 6
"""The index of an act that amends, in a record with keys, after the opening."""


def reworded() -> Json:
    return clause("independence-1", criterion={"ko": "다른 기준", "en": "Another criterion"})


def consent(team: str, digest: str, when: str, who: str | None = None) -> Json:
    return act("consent-given", f"consent-{team}", when, who or team, team=team, number=2, digest=digest)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "mine", further=AMENDMENTS)


def test_an_amendment_with_the_notice_that_the_rules_ask_for(small: Small) -> None:
    small.amend("2027-06-01T09:00:00", reworded(), effective="2027-06-15T09:00:00", consented=TEAMS)
    small.add(decision())
    assert told(small.verdict()) == []


def test_notice_that_is_a_second_too_short(small: Small) -> None:
    small.amend("2027-06-01T09:00:01", reworded(), effective="2027-06-15T09:00:00", consented=TEAMS)
    small.add(decision())
    verdict = small.verdict()
    assert told(verdict) == [("NOTICE_TOO_SHORT", 6)]
    assert (verdict.problems[0].values["clause"], verdict.problems[0].values["days"]) == ("amendments", "14")


def test_an_amendment_cannot_shorten_its_own_notice(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", clause_on_amendments(notice_days=0), effective="2027-02-08T09:00:00")
    small.amend("2027-02-09T09:00:00", reworded())
    small.add(decision())
    assert told(small.verdict()) == [("NOTICE_TOO_SHORT", 6)]


def clause_on_amendments(**changed: object) -> Json:
    held = {"id": "amendments", "kind": "amendments", "text": {"ko": "개정", "en": "Amendments"}}
    return {**held, "notice_days": 14, "consent": "every-team", **changed}


def test_most_teams_are_enough_where_the_rules_say_so(tmp_path: Path) -> None:
    for consent_of, expected in ((TEAMS, []), (TEAMS[:1], [("CONSENT_MISSING", 6)])):
        small = Small(tmp_path / str(len(consent_of)), further=AMENDMENTS.replace("every-team", "most-teams"))
        small.amend("2027-06-01T09:00:00", reworded(), effective="2027-06-15T09:00:00", consented=consent_of)
        small.add(decision())
        assert told(small.verdict()) == expected, "one of two is not more than half"


def test_how_rules_may_be_changed_binds_the_whole_programme_once_it_has_begun(small: Small) -> None:
    changed = clause_on_amendments(notice_days=1)
    small.amend("2027-06-01T09:00:00", changed, effective="2027-06-15T09:00:00")
    small.add(decision())
    verdict = small.verdict()
    assert told(verdict) == [("RETROACTIVE_AMENDMENT", 6)]
    assert verdict.problems[0].values["of"] == "small"


def signed(small: Small, *, teams: tuple[str, ...] = TEAMS, when: str = "2027-06-10T09:00:00", named: bool = True,
           digest: str | None = None) -> Small:  # fmt: skip
    held = small.amend(
        "2027-06-01T09:00:00", reworded(), effective="2027-06-15T09:00:00", consented=TEAMS if named else ()
    )
    small.add(*(consent(team, digest or held, when) for team in teams), decision())
    return small


def test_teams_sign_their_consent_themselves(small: Small) -> None:
    assert told(signed(small).verdict(keys=True)) == []


def test_consent_may_be_signed_without_being_named_by_the_office(small: Small) -> None:
    assert told(signed(small, named=False).verdict(keys=True)) == []


def test_consent_that_the_office_names_and_no_team_signed(small: Small) -> None:
    verdict = signed(small, teams=("team-a",)).verdict(keys=True)
    assert told(verdict) == [("CONSENT_MISSING", AMENDED)]
    assert verdict.problems[0].values["teams"] == "team-b"


def test_nobody_signed_and_nobody_is_named(small: Small) -> None:
    assert told(signed(small, teams=(), named=False).verdict(keys=True)) == [("RETROACTIVE_AMENDMENT", AMENDED)]


def test_consent_to_another_text(small: Small) -> None:
    other = "sha256:" + "0" * 64
    assert told(signed(small, digest=other).verdict(keys=True)) == [("CONSENT_MISSING", AMENDED)]


def test_consent_after_the_change_took_effect(small: Small) -> None:
    late = signed(small, when="2027-06-15T09:00:01")
    assert told(late.verdict(keys=True)) == [("CONSENT_MISSING", AMENDED)]


def test_consent_that_the_office_signs_for_a_team(small: Small) -> None:
    held = small.amend("2027-06-01T09:00:00", reworded(), effective="2027-06-15T09:00:00", consented=TEAMS)
    small.add(
        consent("team-a", held, "2027-06-10T09:00:00"), consent("team-b", held, "2027-06-10T09:00:00", "office")
    )
    small.add(decision())
    assert told(small.verdict(keys=True)) == [
        ("CONSENT_MISSING", AMENDED),
        ("SIGNER_NOT_AUTHORISED", AMENDED + 2),
    ]


def test_false_consent_is_told_even_where_none_was_needed(small: Small) -> None:
    small.amend("2027-01-25T09:00:00", reworded(), effective="2027-02-08T09:00:00", consented=TEAMS)
    small.acts.sort(key=lambda each: str(each["when"]))
    small.add(decision())
    assert ("CONSENT_MISSING", FOUNDED + 4) in told(small.verdict(keys=True))
