"""A panel that seals its marks, a stage that is decided by them, and what three audiences find in their bundles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from dokja.intake.course import Course
from dokja.intake.rules import rules_of
from dokja.intake.timely import breaches
from dokja.record import ACT, Entry
from dokja.record.canonical import tree_of
from dokja.record.transparency.sealing.ballots import sealed_marks
from dokja.record.transparency.sealing.disclosure import Plain
from dokja.record.transparency.sealing.making import Sealed, seal_marks, seal_stage
from dokja.rulebook import read_rulebook
from dokja.verify import Audience, Verdict, verify
from tests.verify.build import POLICY, Json, Small, act, application, decision, digest, told
from tests.verify.test_bundle import rebag
from verifier import dokja_verify as second

TEAMS = ("team-a", "team-b", "team-c")
CRITERIA = ("technology", "plan")
PUBLIC, AUDITOR = Audience(), Audience("auditor")
TEAM_A, TEAM_B = Audience("team", "team-a"), Audience("team", "team-b")
SEALED, CLOSED, OPENED = "2027-08-17T10:00:00", "2027-08-18T10:00:00", "2027-08-19T10:00:00"
DECIDED = datetime(2027, 8, 31, 5, tzinfo=UTC)
LATER = DECIDED + timedelta(days=40)


def salts(rater: str) -> Callable[[int], bytes]:
    count = 0

    def next_salt(size: int) -> bytes:
        nonlocal count
        count += 1
        return sha256(f"{rater} {count}".encode()).digest()[:size]

    return next_salt


def moment(when: str) -> datetime:
    return datetime.fromisoformat(f"{when}+09:00")


def said(rater: int, team: str, absent: Sequence[int] = ()) -> Mapping[str, Plain]:
    if rater in absent:
        return {criterion: {"absent": "recused"} for criterion in CRITERIA}
    best = {"team-a": 20, "team-b": 18, "team-c": 9}[team]
    return {"technology": f"{best + rater % 3}", "plan": f"{best // 2}.5"}


def row(rater: int) -> Sealed:
    name = f"rater-{rater}"
    return seal_marks(
        f"sealed-{name}", moment(SEALED), stage="stage-1", panel="experts", rater=name, measure="expert",
        criteria=CRITERIA, marks={team: said(rater, team) for team in TEAMS}, salts=salts(name),
    )  # fmt: skip


def vote(rater: int, fails: Sequence[str] = ()) -> Sealed:
    name = f"rater-{rater}"
    marks: dict[str, dict[str, Plain]] = {team: {"": team not in fails} for team in TEAMS}
    return seal_marks(
        f"vote-{name}", moment(SEALED), stage="stage-1", panel="experts", rater=name, gate="independence-1",
        marks=marks, salts=salts(f"vote-{name}"),
    )  # fmt: skip


def changed_rules(folder: Path, old: str = "", new: str = "") -> Small:
    """A programme whose founding rules say something else in one place or more."""
    small = Small(folder)
    file = small.folder / "rulebook" / "0001-rules.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    if old:
        file.write_text(text.replace(old, new), encoding="utf-8")
    small.acts[0] = {**small.acts[0], "digest": digest(file)}
    return small


class Panel:
    """Seven experts, three teams, every figure known; what a test changes is changed before `small` is asked for."""

    def __init__(self, folder: Path, **rules: str) -> None:
        self.small = changed_rules(folder, **rules)
        self.rows = [row(rater) for rater in range(1, 8)]
        self.votes = [vote(rater) for rater in range(1, 8)]
        self.kept = [*self.rows, *self.votes]
        self.absent: list[Json] = []
        team = "team-c"
        admitted = act("admission", f"admission-{team}", "2027-02-05T11:00:00", call="first-call", stage="stage-1",
                       team=team, in_favour=5, panel_size=7)  # fmt: skip
        self.small.add(application(team, "2027-01-20T11:00:00"), admitted)
        for each in TEAMS:
            self.small.add(
                act("measurement-reported", f"benchmark-{each}", "2027-08-16T10:00:00", stage="stage-1", team=each,
                    measure="benchmark", value="60")
            )  # fmt: skip

    @property
    def sealed(self) -> list[Sealed]:
        return [*self.rows, *self.votes]

    def seal(self) -> None:
        self.small.add(*(tree_of(each.act) for each in self.sealed))

    def close(self, when: str = CLOSED, **changed: object) -> None:
        entries = [Entry(index, each.act) for index, each in enumerate(self.sealed)]
        closing = seal_stage("closed", "office", moment(when), "stage-1", sealed_marks(entries).grid)
        self.small.add({**tree_of(closing), **({"absent": self.absent} if self.absent else {}), **changed})

    def open(self, when: str = OPENED, sealed: Sequence[Sealed] | None = None) -> None:
        ids = [each.act.id for each in (self.sealed if sealed is None else sealed)]
        self.small.add(act("marks-opened", f"opened-{len(self.small.acts)}", when, stage="stage-1", sealed=ids))

    def decide(self, *goes_on: str) -> None:
        going = goes_on or ("team-a", "team-b")
        leaves = [{"team": team, "reason": "points"} for team in TEAMS if team not in going]
        self.small.add(decision(*going, leaves=leaves))

    def verdict(self, audience: Audience = AUDITOR, at: datetime = LATER) -> Verdict:
        bundle = self.bundle(audience, at)
        assert second.verify(str(bundle), POLICY) == []
        return verify(bundle, POLICY)

    def bundle(self, audience: Audience = AUDITOR, at: datetime = LATER) -> Path:
        folder = self.small.folder / "openings"
        folder.mkdir(exist_ok=True)
        for each in self.kept:
            lines = "".join(f"{line}\n" for line in each.openings)
            (folder / f"{each.act.id}.openings").write_text(lines, encoding="ascii")
        return self.small.bundle(audience=audience, at=at)


def played(folder: Path, *goes_on: str, **rules: str) -> Panel:
    panel = Panel(folder, **rules)
    panel.seal()
    panel.close()
    panel.open()
    panel.decide(*goes_on)
    return panel


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    return Panel(tmp_path / "mine")


def lines(bundle: Path) -> int:
    file = bundle / "data" / "openings"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def notes(verdict: Verdict) -> list[str]:
    return [each.what.format(**each.values) for each in verdict.unchecked]


def test_three_audiences_verify_what_is_open_to_them(tmp_path: Path) -> None:
    panel = played(tmp_path / "mine")
    for audience, at, cells in (
        (AUDITOR, DECIDED - timedelta(days=1), 63),
        (AUDITOR, LATER, 63),
        (TEAM_A, DECIDED - timedelta(days=1), 0),
        (TEAM_A, DECIDED + timedelta(days=1), 21),
        (PUBLIC, DECIDED + timedelta(days=1), 0),
        (PUBLIC, LATER, 63),
        (TEAM_A, LATER + timedelta(days=1), 63),
    ):
        bundle = panel.bundle(audience, at)
        verdict = verify(bundle, POLICY)
        assert (told(verdict), verdict.answer) == ([], "valid"), (audience, at)
        assert lines(bundle) == cells, (audience, at)
        assert second.verify(str(bundle), POLICY) == []
        left = f"Sealed marks of stage-1: {cells} of 63 cells are open to this audience ({audience})."
        assert (left in notes(verdict)) == (cells < 63)
        undecided = [note for note in notes(verdict) if note.startswith("What was decided on ")]
        assert bool(undecided) == (cells < 63), (audience, at)


def test_an_auditor_finds_a_decision_that_does_not_follow_from_the_sealed_marks(tmp_path: Path) -> None:
    panel = played(tmp_path / "mine", "team-a", "team-c")
    assert {code for code, _ in told(panel.verdict())} == {"OUTCOME_MISMATCH"}
    public = panel.verdict(PUBLIC, DECIDED)
    assert (told(public), public.answer) == ([], "valid")
    assert any("team-c" in note for note in notes(public) if note.startswith("What was decided on "))


def test_a_team_gets_nobody_elses_openings_where_the_rules_withhold_them(tmp_path: Path) -> None:
    withheld = "{field: ballots, audience: %s, level: withheld"
    old = "{field: ballots, audience: %s, level: exact"
    panel = played(tmp_path / "mine", old=old % "other-teams", new=withheld % "other-teams")
    assert lines(panel.bundle(TEAM_B, DECIDED + timedelta(days=29))) == 21
    assert lines(panel.bundle(TEAM_B)) == 63  # the public's are for everybody
    bundle = panel.bundle(TEAM_B, DECIDED + timedelta(days=1))
    assert lines(bundle) == 21
    assert all(b"team-b" in second.unbase64url(line) for line in  # type: ignore[operator]
               (bundle / "data" / "openings").read_text().split())  # fmt: skip
    silent = played(tmp_path / "silent", old=old % "team-itself", new=withheld % "team-itself")
    assert lines(silent.bundle(TEAM_B, DECIDED + timedelta(days=2))) == 0


def test_a_rater_who_is_absent_counts_as_absent(panel: Panel) -> None:
    marks = {team: said(7, team, absent=[7]) for team in TEAMS}
    absent = seal_marks(
        "sealed-rater-7", moment(SEALED), stage="stage-1", panel="experts", rater="rater-7", measure="expert",
        criteria=CRITERIA, marks=marks,
    )  # fmt: skip
    panel.rows[6] = panel.kept[6] = absent
    panel.votes.pop()
    panel.kept.pop()
    panel.absent = [{"panel": "experts", "subject": "independence-1", "rater": "rater-7", "reason": "no-mark"}]
    panel.seal()
    panel.close()
    panel.open()
    panel.decide()
    verdict = panel.verdict()
    assert (told(verdict), verdict.answer) == ([], "valid")


def test_a_rater_who_is_nowhere_is_missed(panel: Panel) -> None:
    panel.rows.pop()
    panel.kept.pop(6)
    panel.seal()
    panel.close()
    panel.open()
    panel.decide()
    assert told(panel.verdict()) == [("GRID_INCOMPLETE", 24)]


def test_a_late_opening_and_one_that_never_came_are_named(panel: Panel) -> None:
    panel.seal()
    panel.close()
    panel.open(sealed=panel.sealed[:12])
    panel.decide()
    panel.open("2027-09-01T10:00:00", panel.votes[5:6])
    panel.kept.pop()
    assert told(panel.verdict()) == [("OPENING_MISSING", 24), ("OPENING_LATE", 28)]


def test_an_opening_that_the_office_lost_is_missed(tmp_path: Path) -> None:
    panel = played(tmp_path / "mine")
    panel.kept.pop(0)
    assert told(panel.verdict()) == [("OPENING_MISSING", 11)] * 3
    assert told(panel.verdict(TEAM_A, DECIDED + timedelta(days=1))) == [("OPENING_MISSING", 11)]


def test_what_is_opened_before_its_time_is_named(tmp_path: Path) -> None:
    panel = played(tmp_path / "mine")
    bundle = panel.bundle(PUBLIC, LATER)
    info = bundle / "bag-info.txt"
    info.write_text(info.read_text().replace("2027-10-10", "2027-09-10"), encoding="utf-8")
    rebag(bundle)
    assert {code for code, _ in told(verify(bundle, POLICY))} == {"OPENING_EARLY"}
    info.write_text("Source-Organization: somebody\n", encoding="utf-8")
    rebag(bundle)
    assert (told(verify(bundle, POLICY)), verify(bundle, POLICY).answer) == ([], "valid")


@pytest.mark.parametrize("place", [0, 62])
def test_an_opening_that_was_changed_is_refused(place: int, tmp_path: Path) -> None:
    panel = played(tmp_path / "mine")
    bundle = panel.bundle()
    file = bundle / "data" / "openings"
    held = file.read_bytes().split(b"\n")
    held[place] = held[place][:60] + (b"A" if held[place][60:61] != b"A" else b"B") + held[place][61:]
    file.write_bytes(b"\n".join(held))
    rebag(bundle)
    verdict = verify(bundle, POLICY)
    assert verdict.answer == "invalid"
    assert [each.code for each in verdict.problems] == [each.code for each in second.verify(str(bundle), POLICY)]
    assert verify(bundle).answer == "invalid"


def test_a_mark_that_no_rule_allows_is_named(panel: Panel) -> None:
    marks = {team: {"technology": "26", "plan": "1"} for team in TEAMS}
    wrong = seal_marks(
        "sealed-rater-1", moment(SEALED), stage="stage-1", panel="experts", rater="rater-1", measure="expert",
        criteria=CRITERIA, marks=marks,
    )  # fmt: skip
    panel.rows[0] = panel.kept[0] = wrong
    panel.seal()
    panel.close()
    panel.open()
    panel.decide()
    assert [each for each in told(panel.verdict()) if each[0] != "OUTCOME_MISMATCH"] == [("OPENING_VALUE", 11)] * 3


def test_figures_and_decisions_wait_for_the_root(panel: Panel) -> None:
    panel.seal()
    figure = {"of": "value", "measure": "total", "value": "70", "teams": ["team-a"]}
    panel.small.add(act("disclosure", "figures", "2027-08-17T12:00:00", stage="stage-1", figures=[figure]))
    harmless = {**figure, "measure": "benchmark", "value": "36"}
    panel.small.add(act("disclosure", "benchmarks", "2027-08-17T12:00:00", stage="stage-1", figures=[harmless]))
    panel.decide()
    codes = told(panel.verdict())
    assert ("STAGE_UNSEALED", 25) in codes
    assert ("STAGE_UNSEALED", 26) not in codes
    assert ("STAGE_UNSEALED", 27) in codes
    assert codes.count(("OPENING_MISSING", 11)) == 1


def test_where_the_rules_ask_for_sealing_open_ballots_do_not_count(tmp_path: Path) -> None:
    old = "title: {ko: 전문가 평가위원회, en: Panel of experts}"
    small = changed_rules(tmp_path / "mine", old=old, new=f"{old}\n    sealed: true")
    ballot = act("ballot", "ballot", SEALED, "rater-1", stage="stage-1", panel="experts", rater="rater-1",
                 team="team-a", gate="independence-1", meets=True)  # fmt: skip
    small.add(ballot, decision())
    assert told(small.verdict()) == [("ACT_NOT_ALLOWED", 6), ("STAGE_UNSEALED", 7)]


def test_the_order_of_sealing_is_kept(panel: Panel) -> None:
    panel.seal()
    panel.close()
    panel.small.add(tree_of(row(8).act))
    bundle = panel.bundle(PUBLIC)
    assert told(verify(bundle, POLICY)) == [("GRID_ORDER", 26)]
    assert [(each.code, each.index) for each in second.verify(str(bundle), POLICY)] == [("GRID_ORDER", 26)]


def test_a_stage_is_sealed_once(panel: Panel) -> None:
    panel.seal()
    panel.close()
    again = {**panel.small.acts[-1], "id": "sealed-again"}
    panel.small.add(again)
    bundle = panel.bundle(PUBLIC)
    assert told(verify(bundle, POLICY)) == [("GRID_TWICE", 26)]
    assert [(each.code, each.index) for each in second.verify(str(bundle), POLICY)] == [("GRID_TWICE", 26)]
    course = Course(rules_of(read_rulebook(sorted((panel.small.folder / "rulebook").iterdir())), frozenset()))
    for each in panel.small.acts[:-1]:
        course.fold(ACT.validate_python(each))
    (refused,) = breaches(ACT.validate_python(again), course)
    assert (refused.code, refused.values["stage"]) == ("act-stage-sealed-twice", "stage-1")


@pytest.mark.parametrize("together", [1, 2_000])
def test_an_open_ballot_after_a_sealed_one_does_not_count(
    panel: Panel, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dokja.verify.reading._BATCH", together)
    panel.seal()
    late = act("ballot", "ballot", SEALED, "rater-9", stage="stage-1", panel="experts", rater="rater-9",
               team="team-a", measure="expert", marks={"technology": "25", "plan": "15"})  # fmt: skip
    panel.small.add(late)
    panel.close()
    assert told(panel.verdict(PUBLIC)) == [("ACT_NOT_ALLOWED", 25)]


def test_a_team_that_left_and_one_that_is_not_there_are_no_part_of_a_row(panel: Panel) -> None:
    panel.small.add(act("withdrawal", "gone", "2027-08-16T12:00:00", "team-c", stage="stage-1", team="team-c"))
    panel.rows, panel.votes, panel.kept = panel.rows[:1], [], []
    panel.seal()
    assert told(panel.verdict(PUBLIC)) == [("GRID_INCOMPLETE", 12)]


def test_acts_of_sealing_are_acts() -> None:
    for each in (row(1), vote(1)):
        assert ACT.validate_python(tree_of(each.act)) == each.act
