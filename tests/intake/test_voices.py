"""Who may sign what: an act of one voice by that voice, an act of the office by whoever the office is then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from dokja.intake.voices import OF_THE_OFFICE, OWN_VOICE, Offices
from dokja.record.acts import AnyAct, Genesis, KeyRegistered, KeyRotated, RootKey

WHEN = datetime(2027, 1, 1, tzinfo=UTC)
ACTS = {word: act for act in get_args(get_args(AnyAct)[0]) for word in get_args(act.model_fields["type"].annotation)}


def founded() -> Offices:
    offices = Offices()
    roots = (RootKey(holder="ministry", vkey="m"),)
    offices.fold(Genesis(type="genesis", id="g", who="ministry", when=WHEN, roots=roots, threshold=1))
    return offices


def may(offices: Offices, kind: str, who: str, **said: str) -> bool:
    return offices.breach(kind, who, said.get) is None


def test_the_tables_name_acts_and_fields_that_there_are() -> None:
    assert ACTS.keys() >= OF_THE_OFFICE
    assert all(field in ACTS[kind].model_fields for kind, field in OWN_VOICE.items())
    assert OF_THE_OFFICE.isdisjoint(OWN_VOICE)


@pytest.mark.parametrize("kind", sorted(OF_THE_OFFICE))
def test_the_office_alone_does_what_is_the_office_s(kind: str) -> None:
    offices = founded()
    assert may(offices, kind, "ministry")
    assert not may(offices, kind, "team-a", team="team-a")
    assert not may(Offices(), kind, "ministry")


@pytest.mark.parametrize(("kind", "field"), OWN_VOICE.items())
def test_nobody_speaks_for_another_the_office_included(kind: str, field: str) -> None:
    offices = founded()
    assert may(offices, kind, "team-a", **{field: "team-a"})
    assert not may(offices, kind, "ministry", **{field: "team-a"})
    assert not may(offices, kind, "team-b", **{field: "team-a"})


def test_what_labs_panels_and_the_press_say_is_not_the_office_s_alone() -> None:
    for kind in ("finding", "measurement-reported", "disclosure", "audit-reported", "statement"):
        assert may(founded(), kind, "lab", team="team-a")


def test_the_office_changes_with_the_keys_and_a_role_makes_another() -> None:
    offices = founded()
    agency = KeyRegistered(
        type="key-registered", id="k", who="ministry", when=WHEN, holder="agency", role="office", vkey="a"
    )
    team = agency.model_copy(update={"holder": "team-a", "role": "team"})
    offices.fold(team)
    assert not may(offices, "decision", "team-a")
    offices.fold(agency)
    assert may(offices, "decision", "agency")
    roots = (RootKey(holder="successor", vkey="s"),)
    offices.fold(KeyRotated(type="key-rotated", id="r", who="ministry", when=WHEN, roots=roots, threshold=1))
    assert may(offices, "decision", "successor")
    assert not may(offices, "decision", "ministry")
    assert may(offices, "decision", "agency")
