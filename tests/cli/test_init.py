"""`dokja init`: what it writes lints clean, runs clean, and is commented."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dokja.cli import face
from tests.cli.conftest import Dokja


@pytest.mark.parametrize("exists", [True, False])
def test_the_starter_programme_lints_and_runs_clean(exists: bool, tmp_path: Path, dokja: Dokja) -> None:
    folder = tmp_path / "new"
    if exists:
        folder.mkdir()
    said = dokja("init", folder)
    assert said.code == 0
    assert sorted(Path(line) for line in said.out.splitlines()) == sorted(
        path for path in folder.rglob("*") if path.is_file()
    )
    assert f"dokja run {folder}" in said.err
    assert dokja("lint", folder).code == 0
    run = dokja("run", folder)
    assert run.code == 0
    assert (folder / "site" / "en" / "index.html").is_file()
    assert str(folder / "site" / "en" / "index.html") in run.out
    assert "4 acts newly taken in, 4 in the record." in run.out
    assert "Nothing new: 4 acts in the record." in dokja("run", folder).out


def test_a_person_at_a_terminal_sees_what_is_being_done(
    tmp_path: Path, dokja: Dokja, monkeypatch: pytest.MonkeyPatch
) -> None:
    dokja("init", tmp_path / "new")
    assert "Writing the pages" not in dokja("run", tmp_path / "new").err
    shutil.rmtree(tmp_path / "new" / "site")
    monkeypatch.setattr(face, "PATIENCE", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "Writing the pages" in dokja("run", tmp_path / "new").err


def test_every_file_begins_by_saying_what_it_is_for(tmp_path: Path, dokja: Dokja) -> None:
    for file in json.loads(dokja("init", tmp_path / "new", "--json").out)["files"]:
        assert Path(file).read_text(encoding="utf-8").startswith("# ")


def test_nothing_is_overwritten(tmp_path: Path, dokja: Dokja) -> None:
    mine = tmp_path / "programme.yaml"
    mine.write_text("mine", encoding="utf-8")
    assert dokja("init", tmp_path).code == 2
    assert list(tmp_path.iterdir()) == [mine]
    assert mine.read_text(encoding="utf-8") == "mine"
