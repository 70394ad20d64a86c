"""`dokja marks` and what follows, as raters, the office, a team, an auditor and the public type it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dokja.cli import main
from tests.programme_of_raters import founded, verb
from tests.verify.build import decision

OFFICE = "record.example/office"
SEALING = ("--stage", "stage-1", "--panel", "experts")
MARKS = "team,plan,technology\nteam-a,12,{a}\nteam-b,recused,20.5\n"
VOTES = "team,meets\nteam-b,{b}\nteam-a,true\n"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOKJA_PASSPHRASE", "correct horse battery staple")
    monkeypatch.setenv("DOKJA_LANG", "en")


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    return founded(tmp_path)


def take(programme: Path, number: int, lines: str) -> None:
    (programme / "acts" / f"{number:04d}-acts.jsonl").write_text(lines, encoding="utf-8")
    verb("run", str(programme), "--no-site")


def seal(programme: Path, rater: int, subject: str, text: str, code: int = 0) -> str:
    file = programme.parent / f"{subject}-{rater}.csv"
    file.write_text(text, encoding="utf-8")
    kind = "--measure" if subject == "expert" else "--gate"
    return verb("marks", "seal", str(programme), str(file), *SEALING, kind, subject, "--rater", f"rater-{rater}",
                "--out", str(openings(programme, rater, subject)), "--when", "2027-08-17T10:00:00+09:00",
                code=code)  # fmt: skip


def openings(programme: Path, rater: int, subject: str) -> Path:
    return programme.parent / "raters" / f"{subject}-{rater}.openings"


def at(day: str) -> tuple[str, str]:
    return "--when", f"2027-08-{day}T10:00:00+09:00"


def test_a_stage_that_is_marked_under_seal(programme: Path, tmp_path: Path) -> None:
    raters, folder = range(1, 7), str(programme)
    marks = "".join(seal(programme, rater, "expert", MARKS.format(a=rater + 10)) for rater in raters)
    marks += "".join(seal(programme, rater, "independence-1", VOTES.format(b="true")) for rater in raters)
    take(programme, 2, marks)
    absent = [f"--absent=experts/{subject}/rater-7=recused" for subject in ("expert", "independence-1")]
    take(programme, 3, verb("marks", "close", folder, "--stage", "stage-1", *absent, *at("18")))
    subjects = ("expert", "independence-1")
    handed = [str(openings(programme, rater, subject)) for rater in raters for subject in subjects]
    take(programme, 4, verb("marks", "open", folder, *handed, "--stage", "stage-1", *at("19")))
    kept = sorted((programme / "openings").iterdir())
    assert len(kept) == 12
    files = [*kept, *openings(programme, 1, "expert").parent.iterdir()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    with (programme / "acts" / "0005-decision.yaml").open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump({"acts": [decision()]}, stream)
    outcome = json.loads(verb("run", folder, "--no-site", "--json"))["outcome"]["stages"][0]
    expert = next(score for score in outcome["scores"] if (score["team"], score["measure"]) == ("team-a", "expert"))
    assert expert["interval"] == {"lower": "25.5", "upper": "25.5"}
    gates = {each["team"]: each["result"] for each in outcome["gates"]}
    assert gates == {"team-a": "meets", "team-b": "meets"}
    unmarked = next(score for score in outcome["scores"] if (score["team"], score["measure"]) == ("team-b", "expert"))
    assert unmarked["interval"] == {"lower": "0", "upper": "40"}

    verb("key", "new", OFFICE)
    policy = tmp_path / "policy"
    policy.write_text(f"log {verb('key', 'show', OFFICE).strip()}\nquorum none\n", encoding="utf-8")
    verb("record", "checkpoint", folder, "--key", OFFICE)
    for audience, cells in (("auditor", 36), ("team:team-a", 18), ("public", 0)):
        bundle = tmp_path / audience.replace(":", "-")
        verb("export", folder, str(bundle), "--audience", audience, "--at", "2027-09-02")
        said = json.loads(verb("verify", str(bundle), "--policy", str(policy), "--json"))
        assert said["answer"] == "valid"
        file = bundle / "data" / "openings"
        assert (file.read_bytes().count(b"\n") if file.exists() else 0) == cells
        sealed = [each["what"] for each in said["unchecked"] if each["what"].startswith("Sealed marks")]
        assert len(sealed) == (cells < 36)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("team,plan\nteam-a,1\n", "act-marks-file", 1),
        ("", "act-marks-file", 1),
        ("team,plan,technology\nteam-a,1\nteam-b,1,1\n", "act-marks-file", 2),
        ("team,plan,technology\nteam-a,1,1\nteam-a,1,1\n", "act-marks-file", 3),
        ("team,plan,technology\nteam-a,1,1\nteam-z,1,1\n", "act-marks-file", 3),
        ("team,plan,technology\nteam-a,1,1\n", "act-marks-file", 2),
        ("team,plan,technology\nteam-a,1,1\nteam-b,,1\n", "act-marks-file", 3),
        ("team,plan,technology\nteam-a,1,1\nteam-b,1e1,1\n", "act-marks-file", 3),
        ("team,plan,technology\nteam-a,1,1\nteam-b,-1,1\n", "act-marks-file", 3),
        ("team,plan,technology\nteam-a,1,1\nteam-b,16,1\n", "act-mark-too-high", None),
    ],
)
def test_marks_that_cannot_be_sealed(
    text: str, code: str, line: int | None, programme: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(programme, 1, "expert", text, code=2)
    said = capsys.readouterr().err
    assert f"expert-1.csv{f':{line}' if line else ''}: {code}" in said
    assert not openings(programme, 1, "expert").exists()


def test_what_does_not_fit_together_is_refused(programme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(programme)
    assert main(["marks", "close", folder, "--stage", "stage-1"]) == 2
    sealed = seal(programme, 1, "expert", MARKS.format(a=20))
    seal(programme, 1, "expert", MARKS.format(a=20), code=2)
    take(programme, 2, sealed)
    file = openings(programme, 1, "expert")
    assert main(["marks", "open", folder, str(file), "--stage", "stage-1", *at("19")]) == 2
    assert not (programme / "openings").exists()
    held = file.read_bytes().split(b"\n")
    for number, lines in enumerate(([held[0]], [*held[:3], held[3][:-1] + b"A"])):
        part = file.with_name(f"part-{number}")
        part.write_bytes(b"\n".join(lines) + b"\n")
        assert main(["marks", "open", folder, str(part), "--stage", "stage-1"]) == 2
    assert main(["marks", "close", folder, "--stage", "stage-1", "--absent", "rater-7"]) == 2
    assert main(["marks", "seal", folder, str(file), *SEALING, "--rater", "rater-1", "--out", "x"]) == 2
    assert main(["export", folder, "x", "--audience", "press"]) == 2
    said = capsys.readouterr().err
    for code in (
        "usage-nothing-sealed", "act-file-exists", "act-sealing-order", "act-openings", "record-opening",
        "usage-absent", "usage-subject", "usage-audience",
    ):  # fmt: skip
        assert f" {code} " in f" {said}".replace("\n", " "), code
