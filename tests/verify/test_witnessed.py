"""A decision that too few witnesses vouch for, and whose clock counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dokja.record import ACT, open_record
from dokja.record.transparency import read_policy
from dokja.record.transparency.cosignature import cosign
from dokja.record.transparency.note import read_note
from dokja.record.transparency.signing import add_cosignatures, sign_checkpoint, snapshot
from dokja.verify import Source, Verdict, export, verify
from tests.record.transparency.at_hand import OFFICE, WITNESSES, policy
from tests.verify.build import Small, act, decision, told

AT = 1_830_000_000


HOURS = """
  - id: cosigned-soon
    kind: record
    stage: stage-1
    text: {{ko: 결정은 정한 시간 안에 증인이 연서한다., en: Witnesses cosign a decision in time.}}
    witnessed_hours: {hours}
"""


def verdict_after(folder: Path, *steps: int, further: str = "") -> Verdict:
    """The opening acts, the decision and a later act, each signed; `steps`: how many witnesses cosign each time."""
    small = Small(folder / "mine", further=further)
    record_file, log = small.folder / "record" / "record.sqlite", small.folder / "record" / "log"
    last = act("statement", "said", "2027-09-30T09:00:00", note={"ko": "말", "en": "word"})
    with open_record(record_file) as record:
        for acts, witnesses in zip((small.acts, [decision()], [last]), steps, strict=False):
            record.append([ACT.validate_python(each) for each in acts])
            text = read_note(sign_checkpoint(log, snapshot(record), OFFICE)).text
            add_cosignatures(
                log, [cosign(text, w.name, w.private, AT + n) for n, w in enumerate(WITNESSES[:witnesses])]
            )
        rules = sorted((small.folder / "rulebook").iterdir())
        source = Source(
            small.folder / "programme.yaml", rules, log, small.folder / "evidence", small.folder / "openings"
        )
        export(source, record, folder / "out")
    return verify(folder / "out", policy())


def test_a_decision_needs_a_witnessed_checkpoint(tmp_path: Path) -> None:
    assert told(verdict_after(tmp_path / "all", 2, 2, 2)) == []
    whole = verdict_after(tmp_path / "late", 0, 0, 3)
    assert (told(whole), whole.witnesses, whole.witnessed, whole.seen) == ([], ("A", "B", "C"), True, AT + 1)
    assert told(verdict_after(tmp_path / "newest", 2, 2, 1)) == [("QUORUM_NOT_MET", None)]
    early = verdict_after(tmp_path / "early", 2, 1, 1)
    assert told(early) == [("QUORUM_NOT_MET", None), ("QUORUM_DECISION", 6)]
    assert (early.witnesses, early.witnessed, early.seen) == (("A",), False, None)


def test_a_decision_is_cosigned_within_the_hours_that_the_rules_give(tmp_path: Path) -> None:
    """The witnesses sign 2,862 hours after the decision, and some."""
    hours = (AT - datetime(2027, 8, 31, 5, tzinfo=UTC).timestamp()) // 3600
    late, soon = HOURS.format(hours=int(hours)), HOURS.format(hours=int(hours) + 1)
    assert told(verdict_after(tmp_path / "late", 2, 2, 2, further=late)) == [("QUORUM_LATE", 6)]
    assert told(verdict_after(tmp_path / "later", 2, 1, 2, further=late)) == [("QUORUM_LATE", 6)]
    assert told(verdict_after(tmp_path / "soon", 2, 2, 2, further=soon)) == []
    assert told(verdict_after(tmp_path / "never", 2, 1, 1, further=late))[-1] == ("QUORUM_DECISION", 6)
    nobody = verify(tmp_path / "late" / "out", policy("none"))
    assert told(nobody) == []
    assert [each.values["decision"] for each in nobody.unchecked if "in time" in each.what] == ["decision-1"]


def test_without_a_quorum_nobody_is_missed(tmp_path: Path) -> None:
    verdict_after(tmp_path, 0, 0, 0)
    verdict = verify(tmp_path / "out", policy("none"))
    assert (told(verdict), verdict.witnessed) == ([], None)


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3), st.sampled_from(["two", "A", "none"]))
def test_the_clock_is_the_latest_time_that_a_quorum_vouches_for(times: list[int], quorum: str) -> None:
    clock = read_policy(policy(quorum)).clock(dict(zip((b"A", b"B", b"C"), times, strict=True)))
    assert clock == {"two": sorted(times)[1], "A": times[0], "none": min(times)}[quorum]


def test_nobody_has_no_clock() -> None:
    assert read_policy(policy()).clock({b"A": 5}) is None
    assert read_policy(policy("none")).clock({}) is None
