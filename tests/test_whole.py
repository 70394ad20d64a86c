"""Texts stand in their files whole, all of them, or nothing has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dokja.whole import expect_writable, write_whole


def test_texts_are_written_as_they_are_and_folders_are_made(tmp_path: Path) -> None:
    places = {tmp_path / "new" / "한글 이름.txt": "하나\n", tmp_path / "other.txt": "two\r\n"}
    (tmp_path / "other.txt").write_text("old")
    write_whole(places)
    assert {place: place.read_bytes().decode() for place in places} == places
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["other.txt", "한글 이름.txt"]


@pytest.mark.parametrize("text", ["fine", "half \ud800 of a letter"])
def test_where_one_cannot_be_written_none_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "first.txt").write_text("old")
    (tmp_path / "folder").mkdir()
    second = tmp_path / ("folder" if text == "fine" else "second.txt")
    with pytest.raises((OSError, UnicodeError)):
        write_whole({tmp_path / "first.txt": "new", second: text})
    assert (tmp_path / "first.txt").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"first.txt", "folder"}


def test_what_could_not_be_written_is_told_before(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    expect_writable(tmp_path / "a" / "b" / "c.txt")
    assert not (tmp_path / "a").exists()
    with pytest.raises(NotADirectoryError):
        expect_writable(tmp_path / "file" / "c.txt")
    with pytest.raises(IsADirectoryError):
        expect_writable(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_closed_is_told_before(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        expect_writable(tmp_path / "closed" / "new" / "c.txt")
