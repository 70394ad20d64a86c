"""`dokja export` and `dokja verify` at the terminal, over the bundled programmes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dokja.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
OFFICE = "record.example/office"


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key signs one record only, so every programme has one of its own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DOKJA_PASSPHRASE", "correct horse battery staple")
    monkeypatch.setenv("DOKJA_LANG", "en")


@pytest.fixture
def policy(home: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    if main(["key", "show", OFFICE]) != 0:
        assert main(["key", "new", OFFICE]) == 0
    file = home / "policy"
    file.write_text(f"log {capsys.readouterr().out.strip()}\nquorum none\n", encoding="utf-8")
    return file


def packed(name: str, folder: Path) -> Path:
    programme, bundle = folder / name, folder / "bundle"
    for part in ("acts", "rulebook"):
        shutil.copytree(EXAMPLES / name / part, programme / part)
    shutil.copy(EXAMPLES / name / "programme.yaml", programme)
    assert main(["run", str(programme), "--no-site"]) == 0
    assert main(["record", "checkpoint", str(programme), "--key", OFFICE]) == 0
    assert main(["export", str(programme), str(bundle)]) == 0
    return bundle


EXPECTED = {
    "dokpamo": [
        "RETROACTIVE_AMENDMENT", "RETROACTIVE_AMENDMENT", "PROCEDURE_NOT_PINNED", "CONTINGENCY_GAP",
        "PROCEDURE_NOT_PINNED", "RETROACTIVE_AMENDMENT", "RETROACTIVE_AMENDMENT", "RETROACTIVE_AMENDMENT",
    ],
    "dokpamo-complete": ["DEADLINE"],
}  # fmt: skip
"""The complete rulebook gives five days to answer a finding; finding and decision of January 2026 are of one day."""


@pytest.mark.parametrize("name", EXPECTED)
def test_the_bundled_programmes(name: str, policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = packed(name, tmp_path)
    capsys.readouterr()
    assert main(["verify", str(bundle), "--policy", str(policy), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [problem["code"] for problem in said["problems"]] == EXPECTED[name]
    assert said["answer"] == "invalid"
    assert not any(each["needed"] for each in said["unchecked"])
    assert main(["verify", str(bundle), "--policy", str(policy), "--lang", "ko"]) == 1
    korean = capsys.readouterr().out
    assert korean.startswith("유효하지 않습니다.\n")
    assert "확인하지 않은 것과 그 이유:" in korean


def test_a_started_programme_is_valid_and_says_what_was_not_checked(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "mine")]) == 0
    assert main(["run", str(tmp_path / "mine"), "--no-site"]) == 0
    assert main(["record", "checkpoint", str(tmp_path / "mine"), "--key", OFFICE]) == 0
    assert main(["export", str(tmp_path / "mine"), str(tmp_path / "out"), "--audience", "auditor"]) == 0
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "out"), "--policy", str(policy)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Valid.\n")
    assert "Omission: " in said
    assert main(["verify", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().out.startswith("Incomplete")


def test_what_cannot_be_packed_or_found_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "mine")]) == 0
    assert main(["run", str(tmp_path / "mine"), "--no-site"]) == 0
    assert main(["export", str(tmp_path / "mine"), str(tmp_path / "out")]) == 2
    assert "record-no-checkpoint" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "out")]) == 2
    assert "usage-no-bundle" in capsys.readouterr().err
