"""Canonical bytes are RFC 8785: one spelling for one act, read back without loss."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from dokja.record import ACT, act_of, canonical
from dokja.record.bulk import light, plain_line, plain_row
from dokja.record.canonical import row_of
from dokja.record.entries import BallotRow
from dokja.values import HIDDEN
from tests.record.at_hand import ballot, statement


def spelled(tree: object) -> bytes:
    """RFC 8785 for trees whose keys are ASCII and that hold no fractions: Python's writer spells those the same."""
    return json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _may_stand(text: str) -> bool:
    return bool(text.strip()) and not HIDDEN.search(text)


@given(text=st.text(st.characters(codec="utf-8"), min_size=1).filter(_may_stand))
def test_texts_of_any_script_stand_as_they_are(text: str) -> None:
    act = statement(1, text)
    assert act.note is not None
    tree = {
        "id": "statement-1",
        "note": {"en": act.note.en, "ko": "말 1"},
        "stage": "stage-1",
        "type": "statement",
        "when": "2027-03-01T00:00:00Z",
        "who": "office",
    }
    assert canonical(act) == spelled(tree)
    assert act_of(canonical(act)) == act


marks = st.decimals(min_value=0, max_value=999, places=3).map(str)


@given(technology=marks, plan=marks, flipped=st.booleans())
def test_decimals_stand_as_they_were_written(technology: str, plan: str, flipped: bool) -> None:
    pairs = [("technology", technology), ("plan", plan)]
    tree: dict[str, Any] = {**ballot(1).model_dump(mode="json", exclude_none=True, exclude_defaults=True)}
    tree["marks"] = dict(reversed(pairs) if flipped else pairs)
    body = canonical(ACT.validate_python(tree))
    assert json.loads(body)["marks"] == {"plan": plan, "technology": technology}
    assert body == spelled(json.loads(body))


@pytest.mark.parametrize(
    "when",
    ["2027-03-01T09:00:00+09:00", "2027-03-01T00:00:00Z", "2027-02-28T19:00:00-05:00", "2027-03-01T05:45:00+05:45"],
)
def test_one_moment_has_one_spelling(when: str) -> None:
    tree = json.loads(canonical(statement(1))) | {"when": when}
    assert canonical(ACT.validate_python(tree)) == canonical(statement(1))


@given(
    when=st.from_regex(
        r"(1900|20[0-9]{2}|2999)-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](Z|\+09:00)", fullmatch=True
    )
)
@example(when="1899-12-31T23:59:59Z")
@example(when="1900-01-01T00:00:00Z")
@example(when="2999-12-31T00:00:00Z")
@example(when="2999-12-31T00:00:01Z")
@example(when="2027-02-29T00:00:00Z")
@example(when="2028-02-29T24:00:00Z")
@example(when="2028-02-29T23:59:60Z")
@example(when="２０28-02-29T23:59:59Z")
@example(when="2028-02-29T23:59:59Z\n")
def test_times_of_ballots_in_bulk_are_those_of_any_act(when: str) -> None:
    tree = json.loads(canonical(ballot(7))) | {"when": when}
    try:
        expected = row_of(ACT.validate_python(tree))
    except ValidationError:
        assert plain_row(tree) is None
    else:
        assert plain_row(tree) == expected


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=8)


@given(key=WORDS, value=WORDS, turned=st.booleans())
@example(key="k+0", value="AA==", turned=True)
@example(key='a"\\', value="/", turned=False)
@example(key=" k", value="a ", turned=False)
@example(key="k", value="\x7f", turned=False)
def test_signed_ballots_in_bulk_are_those_of_any_act(key: str, value: str, turned: bool) -> None:
    pairs = [("key", key), ("value", value)]
    tree = json.loads(canonical(ballot(7))) | {"signature": dict(reversed(pairs) if turned else pairs)}
    try:
        expected = row_of(ACT.validate_python(tree))
    except ValidationError:
        assert plain_row(tree) is None
        return
    assert plain_row(tree) in (None, expected)
    plain = plain_line(expected.body)
    assert plain is None or plain[1] == expected
    if all("!" <= letter <= "~" for letter in key + value):
        assert plain_row(tree) == expected
        assert plain is not None


@given(sequence=st.one_of(st.integers(-1, 10**9 + 1), st.booleans(), st.floats(0, 3), st.just("3")))
@example(sequence=1)
@example(sequence=10**9 - 1)
@example(sequence=10**9)
@example(sequence=1.0)
def test_numbered_ballots_in_bulk_are_those_of_any_act(sequence: object) -> None:
    tree = json.loads(canonical(ballot(7))) | {"sequence": sequence}
    try:
        expected = row_of(ACT.validate_python(tree))
    except ValidationError:
        assert plain_row(tree) is None
        return
    assert plain_row(tree) == (expected if type(sequence) is int else None)
    assert plain_line(expected.body) is not None
    assert light(0, expected.body).rater == "rater-7"


def test_what_may_be_left_out_is_left_out() -> None:
    tree = json.loads(canonical(ballot(1)))
    assert canonical(ACT.validate_python(tree | {"clause": None, "gate": None, "id": "ballot"})) == canonical(
        ballot(1)
    )


def test_the_light_row_says_what_the_ballot_says() -> None:
    row = plain_row(json.loads(canonical(ballot(7))))
    assert row == row_of(ballot(7))
    read = light(5, row_of(ballot(7)).body)
    assert (read.position, read.rater, read.subject, str(read.total), read.meets) == (
        5,
        "rater-7",
        "expert",
        "30.50",
        None,
    )


IDS = st.sampled_from(["rater", "panel", "stage-1", "a.b-c", "0"])
BALLOTS = st.fixed_dictionaries(
    {
        "panel": IDS,
        "rater": IDS,
        "stage": IDS,
        "team": IDS,
        "who": IDS,
        "type": st.just("ballot"),
        "when": st.just("2027-03-01T00:00:00Z"),
    },
    optional={
        "clause": IDS,
        "source": IDS,
        "id": IDS,
        "note": st.just({"ko": ',"rater":"x"', "en": 'a "rater": \\",\\"rater\\":'}),
    },
)
SAID = st.fixed_dictionaries(
    {"measure": IDS, "marks": st.dictionaries(IDS, st.sampled_from(["0", "1.5", "20.25"]), min_size=1)}
) | st.fixed_dictionaries({"gate": IDS, "meets": st.booleans()})


@given(ballot=BALLOTS, said=SAID)
def test_light_rows_say_what_any_ballot_says(ballot: dict[str, Any], said: dict[str, Any]) -> None:
    act = ACT.validate_python(ballot | said)
    marks = said.get("marks")
    assert light(5, canonical(act)) == BallotRow(
        5,
        ballot["when"],
        ballot["stage"],
        ballot["panel"],
        said["measure"] if marks else said["gate"],
        ballot["rater"],
        ballot["team"],
        sum(map(Decimal, marks.values()), Decimal(0)) if marks else None,
        said.get("meets"),
    )
