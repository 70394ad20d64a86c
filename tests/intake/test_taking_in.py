"""Taking acts in: again changes nothing, order is kept, a contradiction is refused, both readers say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokja.errors import ActError, Place, Problem
from dokja.intake import act_files
from dokja.intake.admissible import breaches
from dokja.intake.reading import Reader
from dokja.intake.rules import rules_of
from dokja.record import Record, open_record
from dokja.record.acts import ACT
from dokja.record.canonical import row_of
from dokja.record.check import check
from dokja.record.folding import fold
from dokja.record.transparency.proofs import Tree
from dokja.strict_yaml import digest_of_file
from tests.intake.at_hand import OPENING, OPENING_ACTS, SOURCES, ballot, ballots, rulebook, taken


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "record.sqlite") as made:
        yield made


def state(record: Record) -> tuple[int, bytes, int]:
    return record.size, record.root, len(record.heads())


def test_taking_the_same_files_in_again_changes_nothing(tmp_path: Path, record: Record) -> None:
    bulk = ballots(tmp_path / "ballots.jsonl", [ballot(number) for number in range(50)])
    assert taken(record, OPENING, bulk).taken == OPENING_ACTS + 50
    before = state(record)
    assert taken(record, OPENING, bulk).taken == 0
    assert state(record) == before


def test_the_same_acts_in_other_files_change_nothing(tmp_path: Path, record: Record) -> None:
    lines = [ballot(number) for number in range(20)]
    taken(record, OPENING, ballots(tmp_path / "one.jsonl", lines))
    before = state(record)
    renamed = ballots(tmp_path / "renamed.jsonl", lines)
    turned = ballots(tmp_path / "turned.jsonl", [json.dumps(json.loads(line), indent=None) + "\n" for line in lines])
    spelled = tmp_path / "spelled.yaml"
    in_utc = [line.replace("2027-08-17T09:00:00+09:00", "2027-08-17T00:00:00Z") for line in lines]
    spelled.write_text("acts:\n" + "".join(f"  - {line}" for line in in_utc), encoding="utf-8")
    assert taken(record, renamed, turned, spelled).taken == 0
    assert state(record) == before
    assert all(record.holds_file(digest_of_file(file, ActError)) for file in (renamed, turned, spelled))


def test_a_file_that_grew_adds_only_what_is_new(tmp_path: Path, record: Record) -> None:
    lines = [ballot(number) for number in range(10)]
    file = ballots(tmp_path / "ballots.jsonl", lines[:6])
    taken(record, OPENING, file)
    ballots(file, lines)
    assert taken(record, OPENING, file).taken == 4
    assert [row.rater for row in record.ballots()] == [f"rater-{number}" for number in range(10)]


def test_acts_stand_in_the_order_of_the_files_and_of_their_lines(tmp_path: Path, record: Record) -> None:
    first = ballots(tmp_path / "z.jsonl", [ballot(3), ballot(1)])
    second = ballots(tmp_path / "a.jsonl", [ballot(2), ballot(0)])
    taken(record, OPENING, first, second)
    assert [row.rater for row in record.ballots()] == ["rater-3", "rater-1", "rater-2", "rater-0"]
    assert [row.position for row in record.ballots()] == list(range(OPENING_ACTS, OPENING_ACTS + 4))


def test_an_act_must_come_after_what_it_rests_on(tmp_path: Path, record: Record) -> None:
    bulk = ballots(tmp_path / "ballots.jsonl", [ballot(1)])
    with pytest.raises(ActError) as caught:
        taken(record, bulk, OPENING)
    assert caught.value.problems[0].code == "act-unknown-team"
    assert record.size == 0
    assert taken(record, OPENING, bulk).taken == OPENING_ACTS + 1


@pytest.mark.parametrize("at", [0, 7, 19])
@pytest.mark.parametrize(
    ("written", "instead", "code"),
    [
        ("2027-08-17T09:00:00+09:00", "2026-08-17T09:00:00+09:00", "act-too-early"),
        ("team-a", "team-c", "act-team-not-admitted"),
    ],
)
def test_one_untimely_ballot_among_many_is_found(
    written: str, instead: str, code: str, at: int, tmp_path: Path, record: Record
) -> None:
    lines = [ballot(number, team) for number in range(10) for team in ("team-a", "team-b")]
    lines[at] = lines[at].replace("team-b", "team-a").replace('"rater-', '"rater-9').replace(written, instead)
    with pytest.raises(ActError) as caught:
        taken(record, OPENING, ballots(tmp_path / "ballots.jsonl", lines))
    found = [(problem.code, problem.place.line) for problem in caught.value.problems]
    assert found == [(code, at + 1)]
    assert record.size == 0


def test_a_ballot_that_was_changed_is_a_contradiction(tmp_path: Path, record: Record) -> None:
    lines = [ballot(number) for number in range(9)]
    taken(record, OPENING, ballots(tmp_path / "ballots.jsonl", lines))
    before = state(record)
    lines[5] = ballot(5, technology="21")
    changed = ballots(tmp_path / "ballots.jsonl", [*lines, ballot(20)])
    with pytest.raises(ActError) as caught:
        taken(record, changed)
    assert [(problem.code, problem.place.line) for problem in caught.value.problems] == [("act-changed-ballot", 6)]
    assert state(record) == before


def test_an_act_that_was_changed_is_a_contradiction(tmp_path: Path, record: Record) -> None:
    taken(record, OPENING)
    changed = tmp_path / "0001-opening.yaml"
    changed.write_text(OPENING.read_text(encoding="utf-8").replace("en: Team}", "en: Crew}", 1), encoding="utf-8")
    with pytest.raises(ActError) as caught:
        taken(record, changed)
    assert [problem.code for problem in caught.value.problems] == ["act-changed"]
    assert caught.value.problems[0].place == Place(changed, 5, 5)


def test_a_ballot_that_was_passed_over_may_not_stand_twice_either(tmp_path: Path, record: Record) -> None:
    file = ballots(tmp_path / "ballots.jsonl", [ballot(1)])
    taken(record, OPENING, file)
    ballots(file, [ballot(1), ballot(1)])
    with pytest.raises(ActError) as caught:
        taken(record, file)
    assert [(problem.code, problem.place.line) for problem in caught.value.problems] == [("act-duplicate-ballot", 2)]


def test_lines_may_end_as_windows_ends_them_and_begin_with_a_byte_order_mark(tmp_path: Path, record: Record) -> None:
    file = tmp_path / "ballots.jsonl"
    text = "".join(ballot(number) for number in range(5)).replace("\n", "\r\n") + "\r\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert taken(record, OPENING, file).taken == OPENING_ACTS + 5


def test_the_record_is_the_same_however_many_processes_read(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = ballots(tmp_path / "ballots.jsonl", [ballot(number, plan=f"{number % 15}.5") for number in range(9_000)])
    taken(record, OPENING, bulk)
    monkeypatch.setattr(act_files, "_ALONE", 0)
    monkeypatch.setattr(act_files, "_CHUNK", 64 * 1024)
    with open_record(tmp_path / "spread.sqlite") as spread:
        taken(spread, OPENING, bulk)
        assert (spread.size, spread.root) == (record.size, record.root)
        assert not check(spread).problems


@settings(max_examples=25)
@given(
    raters=st.booleans().flatmap(lambda once: st.lists(st.integers(0, 60), min_size=1, max_size=50, unique=once)),
    before=st.sets(st.integers(0, 60), max_size=5),
    spelled=st.booleans(),
)
def test_what_was_taken_in_is_told_as_the_record_tells_it(
    tmp_path_factory: pytest.TempPathFactory, raters: list[int], before: set[int], spelled: bool
) -> None:
    """Batches of a few lines in any order: twice is found, what stood there is passed over, the rest is folded."""
    folder = tmp_path_factory.mktemp("acts")
    lines = [ballot(rater, plan=f"{rater % 15}.5") for rater in raters]
    if spelled:
        lines[0] = lines[0].replace('"type":"ballot",', "").replace("}}", '},"type":"ballot"}')
    file = ballots(folder / "b.jsonl", lines)
    with open_record(folder / "record.sqlite") as record, pytest.MonkeyPatch.context() as patch:
        patch.setattr(act_files, "_CHUNK", 600)
        taken(record, *([OPENING] if before or len(raters) % 2 else []))
        if before:
            taken(record, ballots(folder / "a.jsonl", [ballot(rater, plan=f"{rater % 15}.5") for rater in before]))
        start = record.size
        if len(set(raters)) < len(raters):
            with pytest.raises(ActError) as caught:
                taken(record, OPENING, file)
            assert {problem.code for problem in caught.value.problems} == {"act-duplicate-ballot"}
            assert record.size == start
            return
        intake = taken(record, OPENING, file)
        assert (intake.start, intake.size) == (start, record.size)
        assert intake.taken == len(set(raters) - before) + (0 if start else OPENING_ACTS)
        assert intake.folded == fold(record.ballots(start))
        leaves = [row.leaf for row in map(row_of, (entry.act for entry in record.entries(ballots=True)))]
        tree = Tree.of(b"".join(leaves[:start])).grown(intake.grown.levels)
        assert (tree, tree.root()) == (Tree.of(b"".join(leaves)), record.root)


def test_a_problem_found_in_another_process_ends_the_intake(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [ballot(number) for number in range(3_000)]
    lines[2_345] = ballot(2_345, technology="26")
    bulk = ballots(tmp_path / "ballots.jsonl", lines)
    monkeypatch.setattr(act_files, "_ALONE", 0)
    monkeypatch.setattr(act_files, "_CHUNK", 64 * 1024)
    with pytest.raises(ActError) as caught:
        taken(record, OPENING, bulk)
    assert [problem.place for problem in caught.value.problems] == [Place(bulk, 2_346)]
    assert record.size == 0


ids = st.sampled_from(
    ["stage-1", "stage-2", "experts", "selection", "expert", "benchmark", "independence-1", "x", "X"]
)
decimals = st.one_of(
    st.decimals(min_value=-1, max_value=30, places=2).map(str),
    st.sampled_from(["0", "00", "1e1", "1_0", "１", " 1", "1 ", "25", "25.000000000000000001", "1.", ".5", "+1", ""]),
)
whens = st.sampled_from(
    [
        "2027-08-17T09:00:00+09:00",
        "2027-08-17T00:00:00Z",
        "2027-08-17T00:00:00",
        "2027-08-17",
        "3000-01-01T00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2026-01-01T00:00:00-11:30",
    ]
)
fields = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["ballot", "ballot", "ballot", "finding"]),
        "who": ids,
        "when": whens,
        "stage": ids,
        "panel": ids,
        "rater": ids,
        "team": ids,
    },
    optional={
        "measure": ids,
        "marks": st.dictionaries(st.sampled_from(["technology", "plan", "x", "X"]), decimals, max_size=3),
        "gate": ids,
        "meets": st.sampled_from([True, False, "true", "yes", 1, None]),
        "clause": st.sampled_from(["score-1", "x", None]),
        "source": st.sampled_from(["announcement", "x"]),
        "id": ids,
        "note": st.just({"ko": "말", "en": "a word"}),
        "mood": st.just("good"),
    },
)
sound = st.builds(
    lambda technology, plan, when: json.loads(ballot(1, technology=technology, plan=plan)) | {"when": when},
    st.decimals(min_value=0, max_value=26, places=1).map(str),
    decimals,
    whens,
)


@settings(max_examples=1_500, deadline=None)
@given(tree=st.one_of(fields, sound))
def test_bulk_reading_says_what_ordinary_reading_says(tree: dict[str, Any]) -> None:
    rules = rules_of(rulebook(), SOURCES)
    quick = Reader(rules).read(tree, lambda _: Place())
    for separators in ((",", ":"), (", ", ": ")):
        line = json.dumps(tree, ensure_ascii=False, separators=separators).encode()
        assert Reader(rules).read_line(line, lambda _: Place()) == quick
    try:
        act = ACT.validate_python(tree)
    except ValueError:
        assert isinstance(quick, tuple)
        assert all(isinstance(problem, Problem) for problem in quick)
        return
    found = [breach.code for breach in breaches(act, rules)]
    if found:
        assert [problem.code for problem in quick if isinstance(problem, Problem)] == found
    else:
        assert quick == row_of(act)


DECIDED = """acts:
  - {type: finding, id: finding, who: office, when: 2027-08-20T09:00:00+09:00, stage: stage-1, team: team-b,
     gate: independence-1, result: does-not-meet}
  - {type: decision, id: decision, who: office, when: 2027-08-31T14:00:00+09:00, stage: stage-1, goes_on: [team-a],
     leaves: [{team: team-b, reason: gate}]}
  - {type: objection-filed, id: objection, who: team-b, when: 2027-09-01T09:00:00+09:00, stage: stage-1,
     team: team-b, against: finding, claim: {ko: 글, en: text}}
  - {type: objection-answered, id: answer, who: office, when: 2027-09-03T09:00:00+09:00, objection: objection,
     upheld: UPHELD}
  - {type: decision, id: again, who: office, when: 2027-09-05T14:00:00+09:00, stage: stage-1,
     goes_on: [team-a, team-b]}
"""


def test_a_stage_is_decided_again_after_an_objection_to_whatever_act_was_upheld(
    tmp_path: Path, record: Record
) -> None:
    file = tmp_path / "acts.yaml"
    file.write_text(DECIDED.replace("UPHELD", "false"), encoding="utf-8")
    with pytest.raises(ActError) as caught:
        taken(record, OPENING, file)
    assert [problem.code for problem in caught.value.problems] == ["act-stage-decided"]
    file.write_text(DECIDED.replace("UPHELD", "true"), encoding="utf-8")
    assert taken(record, OPENING, file).taken == OPENING_ACTS + 5
