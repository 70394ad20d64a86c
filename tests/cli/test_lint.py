"""`dokja lint`: lines for people, annotations for GitHub, JSON for programs, exit codes for all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Dokja

REAL = EXAMPLES / "dokpamo"
LINE = re.compile(r"(?P<file>\S+\.yaml):(?P<line>\d+):(?P<column>\d+): (?P<code>DK\d{3}) \S.*")


def test_a_finding_is_a_line_with_place_and_code_then_how_to_mend_it(dokja: Dokja) -> None:
    said = dokja("lint", REAL)
    assert said.code == 1
    *lines, summary = said.out.splitlines()
    findings, mends = lines[::2], lines[1::2]
    assert len(findings) == len(mends)
    assert all(LINE.fullmatch(line) for line in findings)
    assert all(line.startswith("  mend: ") for line in mends)
    assert summary.startswith(f"{len(findings)} found: DK101 (")
    assert "dokja lint --explain DK" in said.err


def test_the_place_is_where_the_clause_begins(dokja: Dokja) -> None:
    for found in json.loads(dokja("lint", REAL, "--json").out)["findings"]:
        line = Path(found["file"]).read_text(encoding="utf-8").splitlines()[found["line"] - 1]
        assert line[: found["column"] - 1].strip(" -") == ""
        if found["clause"]:
            assert f"id: {found['clause']}" in line


def test_the_gap_of_stage_1_is_named_in_words_in_both_languages(dokja: Dokja) -> None:
    assert re.search(r"DK101 3 pass where 4 seats are planned", dokja("lint", REAL).out)
    korean = dokja("lint", REAL, "--lang", "ko")
    assert "보완:" in korean.out
    assert "DK101" in korean.out


def test_json_says_what_the_lines_say(dokja: Dokja) -> None:
    text = dokja("lint", REAL).out.splitlines()
    found = json.loads(dokja("lint", REAL, "--json").out)["findings"]
    assert [
        f"{each['file']}:{each['line']}:{each['column']}: {each['code']} {each['what']}" for each in found
    ] == text[:-1:2]


def test_github_annotations_stand_on_one_line_each(dokja: Dokja) -> None:
    said = dokja("lint", REAL, "--format", "github")
    assert said.code == 1
    count = len(json.loads(dokja("lint", REAL, "--json").out)["findings"])
    lines = said.out.splitlines()
    assert len(lines) == count
    assert all(
        re.fullmatch(r"::error file=[^,:]+,line=\d+,col=\d+,title=DK\d{3} [a-z-]+::\S.*", line) for line in lines
    )


def test_github_annotations_escape_what_would_end_them(tmp_path: Path, dokja: Dokja) -> None:
    odd = tmp_path / "a,b:c%d.yaml"
    odd.write_bytes((REAL / "rulebook" / "0001-call.yaml").read_bytes())
    first = dokja("lint", odd, "--format", "github").out.splitlines()[0]
    assert "a%2Cb%3Ac%25d.yaml,line=" in first


def test_a_programme_a_rulebook_folder_and_a_file_are_all_taken(dokja: Dokja) -> None:
    by_programme, by_folder = dokja("lint", REAL), dokja("lint", REAL / "rulebook")
    assert by_programme.out == by_folder.out
    assert dokja("lint", REAL / "rulebook" / "0001-call.yaml").code == 1
    assert dokja("lint", EXAMPLES / "dokpamo-complete").code == 0


def test_the_folder_one_stands_in_is_taken_where_none_is_named(
    decided: Path, dokja: Dokja, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(decided)
    said = dokja("lint")
    assert (said.code, said.out) == (0, "Nothing is left open in 17 clauses.\n")


def test_a_folder_without_rulebook_could_not_be_checked(tmp_path: Path, dokja: Dokja) -> None:
    said = dokja("lint", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"{tmp_path}: lint-nothing ")


def test_a_rulebook_that_cannot_be_read_could_not_be_checked(tmp_path: Path, dokja: Dokja) -> None:
    file = tmp_path / "0001.yaml"
    file.write_text("dokja: '1'\nrulebook: x\nseats: -1\n", encoding="utf-8")
    said = dokja("lint", file, "--json")
    assert (said.code, said.out) == (2, "")
    assert f"{file}:" in said.err


def test_an_unknown_code_is_answered_with_those_that_look_like_it(dokja: Dokja) -> None:
    said = dokja("lint", "--explain", "DK110")
    assert said.code == 2
    assert re.match(r"lint-no-code There is no code “DK110”\. Did you mean DK1\d\d", said.err)
