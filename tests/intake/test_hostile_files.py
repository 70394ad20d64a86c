"""Every hostile file of acts is refused with its code and its place, and the record is as it was before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dokja.errors import ActError, RecordError
from dokja.intake.act_files import MAXIMUM_LINE
from dokja.record import Head, Record, open_record
from dokja.record.acts import Statement
from dokja.record.canonical import LARGEST_ACT
from dokja.record.check import check
from dokja.values import MAXIMUM_TEXT, Bilingual
from tests.intake.at_hand import HERE, OPENING, OPENING_ACTS, ballot, taken

HOSTILE = HERE / "hostile"

REFUSED: Mapping[str, tuple[str, int | None]] = {
    "unknown-type.yaml": ("act-unknown-type", 15),
    "no-type.yaml": ("act-unknown-type", 3),
    "unknown-field.yaml": ("act-schema", 15),
    "before-its-cause.yaml": ("act-too-early", 6),
    "before-the-admission.yaml": ("act-too-early", 17),
    "unknown-reference.yaml": ("act-unknown-reference", 8),
    "mark-above-maximum.yaml": ("act-mark-too-high", 25),
    "negative-mark.yaml": ("act-schema", 13),
    "full-width-digits.yaml": ("act-schema", 13),
    "exponent.yaml": ("act-schema", 13),
    "underscore.yaml": ("act-schema", 13),
    "true-as-mark.yaml": ("act-schema", 13),
    "comma-decimal.yaml": ("act-schema", 13),
    "nan.yaml": ("act-schema", 13),
    "missing-criterion.yaml": ("act-criteria", 12),
    "duplicate-ballot.yaml": ("act-duplicate-ballot", 27),
    "same-ballot-twice.yaml": ("act-duplicate-ballot", 27),
    "duplicate-id.yaml": ("act-duplicate", 8),
    "never-admitted.yaml": ("act-team-not-admitted", 22),
    "unknown-team.yaml": ("act-unknown-team", 22),
    "look-alike-team.yaml": ("act-schema", 10),
    "unknown-panel.yaml": ("act-unknown-panel", 8),
    "unknown-stage.yaml": ("act-unknown-stage", 7),
    "unknown-clause.yaml": ("act-unknown-clause", 6),
    "stage-not-open.yaml": ("act-stage-not-open", 7),
    "stage-not-open-yet.yaml": ("act-stage-not-open", 7),
    "decided-twice.yaml": ("act-stage-decided", 15),
    "no-zone.yaml": ("act-schema", 5),
    "duplicate-key.yaml": ("yaml-duplicate-key", 15),
    "late-application.yaml": ("act-call-not-open", 7),
    "anchors-bomb.yaml": ("yaml-anchor", 3),
    "deep.yaml": ("yaml-too-deep", 1),
    "hidden-text.yaml": ("act-schema", 7),
    "hidden-text.jsonl": ("act-schema", 2),
    "no-list.yaml": ("act-file-shape", 1),
    "two-documents.yaml": ("yaml-many-documents", 2),
    "cp949.yaml": ("yaml-not-utf8", 6),
    "bare-number.jsonl": ("act-bare-number", 2),
    "bare-decimal.jsonl": ("act-bare-number", 2),
    "bare-true.jsonl": ("act-schema", 2),
    "exponent.jsonl": ("act-schema", 2),
    "full-width-digits.jsonl": ("act-schema", 2),
    "mark-above-maximum.jsonl": ("act-mark-too-high", 2),
    "duplicate-ballot.jsonl": ("act-duplicate-ballot", 3),
    "same-ballot-twice.jsonl": ("act-duplicate-ballot", 3),
    "never-admitted.jsonl": ("act-team-not-admitted", 2),
    "unknown-type.jsonl": ("act-unknown-type", 2),
    "duplicate-key.jsonl": ("act-duplicate-key", 2),
    "nan.jsonl": ("act-json", 2),
    "not-json.jsonl": ("act-json", 2),
    "half-a-line.jsonl": ("act-json", 2),
    "deep.jsonl": ("act-json", 2),
    "no-object.jsonl": ("act-schema", 2),
    "lone-surrogate.jsonl": ("act-json", 2),
    "cp949.jsonl": ("act-not-utf8", 2),
    "spreadsheet.csv": ("act-file-kind", None),
}


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "record.sqlite") as made:
        taken(made, OPENING)
        yield made


def everything(record: Record) -> tuple[tuple[Head, ...], list[bytes]]:
    with record.engine.connect() as connection:
        return record.heads(), [
            bytes(body) for (body,) in connection.exec_driver_sql('SELECT body FROM acts ORDER BY "index"')
        ]


def test_each_hostile_file_is_listed() -> None:
    assert {file.name for file in HOSTILE.iterdir()} == set(REFUSED)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_hostile_file_is_refused_and_nothing_changes(name: str, record: Record) -> None:
    before = everything(record)
    file, (code, line) = HOSTILE / name, REFUSED[name]
    with pytest.raises(ActError) as caught:
        taken(record, file)
    first = caught.value.problems[0]
    assert (first.code, first.place.file, first.place.line) == (code, file, line)
    assert str(first)
    assert everything(record) == before
    assert not check(record, 1).problems
    # All or nothing: the good acts of the refused file, and a good file in the same intake, are not held either.
    good = file.parent.parent / "programme" / "ballot.jsonl"
    with pytest.raises(ActError):
        taken(record, good, file)
    assert everything(record) == before
    assert taken(record, good).taken == 1


def test_an_act_that_no_published_log_could_hold_is_refused(tmp_path: Path, record: Record) -> None:
    """Two texts of the greatest length that a field takes, in Korean, are longer than an entry of a log may be."""
    before = everything(record)
    file = tmp_path / "long.jsonl"
    act = {"type": "statement", "id": "long", "who": "office", "when": "2027-03-01T09:00:00Z"}
    empty = len(json.dumps({**act, "note": {"ko": "", "en": ""}}, separators=(",", ":")))
    korean = "가" * 16_000
    english = "x" * (LARGEST_ACT - empty - len(korean.encode()))

    def written(text: str) -> None:
        file.write_text(json.dumps({**act, "note": {"ko": korean, "en": text}}) + "\n", encoding="utf-8")

    written(english + "x")
    with pytest.raises(ActError) as caught:
        taken(record, file)
    assert [(problem.code, problem.place.line) for problem in caught.value.problems] == [("act-too-large", 1)]
    assert everything(record) == before
    written(english)
    assert taken(record, file).taken == 1


def test_the_record_itself_takes_no_such_act(record: Record) -> None:
    note = Bilingual(ko="가" * MAXIMUM_TEXT, en="x" * MAXIMUM_TEXT)
    act = Statement(type="statement", id="long", who="office", when=datetime(2027, 3, 1, tzinfo=UTC), note=note)
    before = everything(record)
    with pytest.raises(RecordError, match="record-act-too-large"):
        record.append([act])
    assert everything(record) == before


def test_a_file_of_100_megabytes_is_refused_before_it_is_parsed(tmp_path: Path, record: Record) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as stream:
        stream.write(b"acts:\n")
        stream.truncate(100 * 1000 * 1000)
    with pytest.raises(ActError) as caught:
        taken(record, file)
    assert [problem.code for problem in caught.value.problems] == ["file-too-large"]
    assert record.size == OPENING_ACTS


def test_a_line_without_an_end_is_refused(tmp_path: Path, record: Record) -> None:
    file = tmp_path / "endless.jsonl"
    with file.open("wb") as stream:
        stream.write(ballot(1).encode())
        stream.truncate(100 * 1000 * 1000)
    with pytest.raises(ActError) as caught:
        taken(record, file)
    assert [(problem.code, problem.place.line) for problem in caught.value.problems] == [("act-line-too-long", 2)]
    assert record.size == OPENING_ACTS


def test_the_longest_line_is_a_line_and_one_byte_more_is_not(tmp_path: Path, record: Record) -> None:
    line = ballot(1).rstrip("\n").encode()
    file = tmp_path / "long.jsonl"
    file.write_bytes(line[:-1] + b" " * (MAXIMUM_LINE + 1 - len(line)) + b"}\n")
    with pytest.raises(ActError) as caught:
        taken(record, file)
    assert caught.value.problems[0].code == "act-line-too-long"
    file.write_bytes(line[:-1] + b" " * (MAXIMUM_LINE - len(line)) + b"}\n")
    assert taken(record, file).taken == 1


@pytest.mark.parametrize("kind", ["folder.yaml", "folder.jsonl", "missing.yaml", "missing.jsonl"])
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path, record: Record) -> None:
    if kind.startswith("folder"):
        (tmp_path / kind).mkdir()
    with pytest.raises(ActError) as caught:
        taken(record, tmp_path / kind)
    assert caught.value.problems[0].code == "file-missing"


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path, record: Record) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("".join(ballot(rater, technology="26") for rater in range(300)), encoding="utf-8")
    with pytest.raises(ActError) as caught:
        taken(record, file)
    assert [problem.place.line for problem in caught.value.problems] == list(range(1, 101))
