"""Acts that were due, days without a sign of life, running numbers, and dates that witnesses contradict."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dokja.record import ACT, open_record
from dokja.record.merkle import leaf_hash
from dokja.record.transparency import Kept
from dokja.record.transparency.cosignature import cosign
from dokja.record.transparency.note import base64_of, read_note
from dokja.record.transparency.receipt import give_receipt
from dokja.record.transparency.signing import add_cosignatures, genesis, sign_checkpoint, signed, snapshot
from dokja.verify import Source, Verdict, export, verify
from tests.record.transparency.at_hand import OFFICE, WITNESSES, policy
from tests.verify.build import POLICY, Json, Small, act, decision, told

TEXT = {"ko": "기록 의무", "en": "Record keeping"}


def keeping(**said: object) -> Json:
    return {"id": "keeping-1", "kind": "record", "stage": "stage-1", "text": TEXT, **said}


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+09:00").timestamp())


def ruled(folder: Path, **said: object) -> Small:
    """The small programme with a clause on record keeping, there before the stage opens."""
    small = Small(folder / "mine")
    small.amend("2027-01-04T09:30:00", keeping(**said))
    small.acts.insert(1, small.acts.pop())
    return small


def packed(small: Small, *cosigned: tuple[int, str], keys: bool = False) -> Path:
    """A bundle with checkpoints after so many acts, each cosigned by two witnesses at a time."""
    log, target = small.folder / "record" / "log", small.folder / "bundle"
    made = [ACT.validate_python(each) for each in small.acts]
    if keys:
        founding = genesis([("office", OFFICE)], 1, "office", datetime(2027, 1, 1, tzinfo=UTC))
        made = [founding, *(signed(each, OFFICE) for each in made)]
    with open_record(small.folder / "record" / "record.sqlite") as record:
        done = 0
        for size, when in cosigned or ((len(made), ""),):
            record.append(made[done:size])
            done = size
            text = read_note(sign_checkpoint(log, snapshot(record), OFFICE)).text
            if when:
                add_cosignatures(log, [cosign(text, w.name, w.private, at(when)) for w in WITNESSES[:2]])
        files = sorted((small.folder / "rulebook").iterdir())
        folder = small.folder
        source = Source(folder / "programme.yaml", files, log, folder / "evidence", folder / "openings")
        export(source, record, target)
    return target


def statement(name: str, when: str, **said: object) -> Json:
    return act("statement", name, when, note={"ko": "말", "en": "word"}, **said)


DUE = [{"act": "decision", "by": "decision"}, {"act": "disclosure", "by": "decision", "after_days": 3}]


def codes(verdict: Verdict) -> list[str]:
    return [fault.code for fault in verdict.problems]


def test_an_act_that_is_due_is_missed_when_its_time_has_passed(tmp_path: Path) -> None:
    before = ruled(tmp_path / "before", due=DUE)
    before.add(statement("said", "2027-08-20T09:00:00"))
    assert codes(verify(before.bundle(), POLICY)) == []
    after = ruled(tmp_path / "after", due=DUE)
    after.add(statement("said", "2027-12-30T09:00:00"))
    verdict = verify(after.bundle(), POLICY)
    assert codes(verdict) == ["DUTY_MISSED", "DUTY_MISSED"]
    assert [fault.values["act"] for fault in verdict.problems] == ["decision", "disclosure"]


def test_witnesses_clock_tells_that_a_time_has_passed(tmp_path: Path) -> None:
    """The office's own acts end before the time; the witnesses have seen the record after it."""
    small = ruled(tmp_path, due=DUE[:1])
    bundle = packed(small, (len(small.acts), "2027-12-30T09:00:00"))
    assert codes(verify(bundle, POLICY)) == []
    assert codes(verify(bundle, policy())) == ["DUTY_MISSED"]


def test_an_act_in_time_is_no_duty_missed_and_a_late_one_is_late_once(tmp_path: Path) -> None:
    timely = ruled(tmp_path / "timely", due=DUE[:1])
    timely.add(decision(), statement("said", "2027-12-30T09:00:00"))
    assert codes(verify(timely.bundle(), POLICY)) == []
    late = ruled(tmp_path / "late", due=DUE[:1])
    late.add(decision(when="2027-10-31T14:00:00"))
    assert codes(verify(late.bundle(), POLICY)) == ["DEADLINE"]
    other = ruled(tmp_path / "other", due=[{"act": "evaluation-moved", "by": "opens"}])
    other.add(
        act("evaluation-moved", "moved", "2027-06-01T09:00:00", stage="stage-1", moved_from=TEXT, moved_to=TEXT)
    )
    assert told(verify(other.bundle(), POLICY)) == [("DEADLINE", 7)]


def days(first: str, last: str, *without: str) -> list[Json]:
    """A sign of life on each day but those left out."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    wanted = (start + timedelta(days=number) for number in range((end - start).days + 1))
    return [
        act("heartbeat", f"heartbeat-{day}", f"{day}T23:30:00") for day in wanted if day.isoformat() not in without
    ]


@pytest.mark.parametrize(
    ("without", "silent"),
    [
        ((), []),
        (("2027-03-05",), [("2027-03-05", "2027-03-05")]),
        (("2027-03-05", "2027-03-06", "2027-03-09"), [("2027-03-05", "2027-03-06"), ("2027-03-09", "2027-03-09")]),
        (("2027-03-11",), []),
    ],
)
def test_a_day_without_a_sign_of_life(
    without: tuple[str, ...], silent: list[tuple[str, str]], tmp_path: Path
) -> None:
    small = ruled(tmp_path, heartbeat=True)
    small.add(*days("2027-02-01", "2027-03-11", *without), statement("said", "2027-03-11T23:40:00"))
    verdict = verify(small.bundle(), POLICY)
    assert set(codes(verdict)) <= {"HEARTBEAT_MISSED"}
    found = [(fault.values["first"], fault.values["last"]) for fault in verdict.problems]
    assert [each for each in found if each[0] >= "2027-02-01"] == silent


def test_a_witnessed_checkpoint_is_a_sign_of_life(tmp_path: Path) -> None:
    small = ruled(tmp_path, heartbeat=True)
    small.add(*days("2027-01-01", "2027-03-11", "2027-03-05"))
    first = len(small.acts) - 6
    bundle = packed(small, (first, "2027-03-05T23:59:00"), (len(small.acts), "2027-03-11T23:50:00"))
    assert "HEARTBEAT_MISSED" in codes(verify(bundle, POLICY.replace(b"quorum", b"#quorum") + b"quorum none\n"))
    assert codes(verify(bundle, policy())) == []


def test_a_date_ahead_of_the_witnesses_is_told(tmp_path: Path) -> None:
    small = Small(tmp_path / "mine")
    small.add(statement("said", "2027-03-01T09:00:00"))
    size = len(small.acts)
    bundle = packed(small, (size - 1, "2027-02-10T09:00:00"), (size, "2027-03-01T08:59:59"))
    assert told(verify(bundle, policy())) == [("DATED_AHEAD", size - 1)]


def numbered(*sequences: int | None) -> list[Json]:
    return [
        {
            **statement(f"said-{place}", "2027-03-01T09:00:00", stage="stage-1"),
            **({} if number is None else {"sequence": number}),
        }
        for place, number in enumerate(sequences)
    ]


@pytest.mark.parametrize(
    ("sequences", "wrong"),
    [((1, 2, 3), []), ((None, None), [0, 1]), ((None, 1, 2), [0]), ((1, 3), [1]), ((1, None), [1, 1])],
)
def test_numbers_without_a_gap(sequences: tuple[int | None, ...], wrong: list[int], tmp_path: Path) -> None:
    small = ruled(tmp_path, numbered=True)
    small.acts = [{**each, "who": "office"} for each in small.acts]
    for number, each in enumerate(each for each in small.acts if each.get("stage") == "stage-1"):
        each["sequence"] = number + 1
    begun = sum(1 for each in small.acts if each.get("stage") == "stage-1")
    start = len(small.acts)
    small.add(*numbered(*(None if number is None else number + begun for number in sequences)))
    verdict = verify(packed(small, keys=True), POLICY)
    found = [fault.act for fault in verdict.problems if fault.code == "ACT_SEQUENCE"]
    assert sorted({place - start - 1 for place in found if place is not None}) == sorted(set(wrong))


def test_a_receipt_that_was_not_kept_is_told_and_one_not_due_is_not(tmp_path: Path) -> None:
    small = Small(tmp_path / "mine")
    bundle = packed(small, (len(small.acts), "2027-03-01T09:00:00"))
    missing = leaf_hash(b"an act that never came in")
    due = {
        "past": give_receipt(missing, OFFICE, at("2027-02-27T09:00:00"), 24 * 3600),
        "open": give_receipt(missing, OFFICE, at("2027-02-28T09:00:01"), 24 * 3600),
    }
    verdict = verify(bundle, policy(), None, Kept(receipts=due))
    assert codes(verdict) == ["RECEIPT_NOT_MERGED"]
    assert verdict.problems[0].values["detail"].startswith(f"past: leaf {missing.hex()}")
    (left,) = [each for each in verdict.unchecked if each.values.get("name") == "open"]
    assert left.values["due"] == "2027-03-01T00:00:01Z"
    assert verify(bundle, None, None, Kept(receipts=due)).answer == "incomplete"
    assert base64_of(missing) in due["past"].decode()
