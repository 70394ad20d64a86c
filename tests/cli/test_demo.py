"""`dokja demo`: course, standings, what follows, what was decided, where the two part, and the page to open."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from rich.cells import cell_len

from dokja.cli import main
from tests.cli.conftest import Dokja, Said


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "kept"


@pytest.fixture(scope="module")
def demo(kept: Path) -> dict[str, Said]:
    """The demo in both languages, run once: the first writes everything, the second finds it there."""
    return {lang: _run("demo", "--keep", str(kept), "--lang", lang) for lang in ("en", "ko")}


def _run(*words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    return Said(code, out.getvalue(), err.getvalue())


def test_the_demo_tells_the_whole_story_and_ends_with_the_page(demo: dict[str, Said], kept: Path) -> None:
    said = demo["en"]
    assert said.code == 0
    parts = (
        r"2025-06-20 .*rulebook is published",
        r"2026-01-15 ",
        r"\nStage 1  15 January 2026\n",
        r"3 went on where 4 seats were planned; no clause in force covered that\.",
        r"\n +1 +LG AI Research ",
        r"NC AI .*The gate first, then points: goes",
        r"\nStage 2  18 August 2026\n",
        r"\n +1 +SK Telecom +70\.6 \*",
        r"\nWhere decisions and rules part\n",
        r"Stage 1 +Number of teams: 3 go on +not covered",
        r"Stage 1 +Call “Extra call”: opened +not covered",
        r"\nThe same acts under a whole rulebook\n",
        r"opened by\s+rule",
        r"\nSigned records that outsiders check\n",
        r"An extra call is opened.* invalid\n.*PROCEDURE_NOT_PINNED",
        r"The same call.* valid\n",
        r"What was not checked, and why:\n +- ",
        r"dokja verify ",
    )
    at = 0
    for part in parts:
        found = re.compile(part).search(said.out, at)
        assert found, part
        at = found.start()
    page = Path(said.out.splitlines()[-1].removeprefix("Open this page: "))
    assert page == kept / "dokpamo" / "site" / "en" / "index.html"
    assert page.is_file()


def test_in_korean_columns_are_in_line_and_no_english_sentence_is_left(demo: dict[str, Said]) -> None:
    said = demo["ko"]
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith("/dokpamo/site/ko/index.html")
    table = re.search(r"\n(순위 .*?)\n\n", said.out, re.DOTALL)
    assert table
    rows = [line for line in table[1].splitlines() if re.match(r" *\d", line)]
    ends = {cell_len(row[: re.search(r"\d\d\.\d\d?(~\d\d\.\d\d)?", row).end()]) for row in rows}  # type: ignore[union-attr]
    assert len(rows) == 5
    assert len(ends) == 1, "the totals end in one column"
    assert not re.findall(r"[a-z]+ (?:the|is|are|of|to) [a-z]+", said.out)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_where_a_program_reads_lines_are_100_wide_without_colour_or_cut_words(
    demo: dict[str, Said], lang: str
) -> None:
    *told, command, _, page = demo[lang].out.splitlines()
    assert ("dokja verify " in command, "index.html" in page) == (True, True)
    for line in told:
        assert cell_len(line) <= 100
        assert line == line.rstrip()
        assert "\x1b" not in line
        assert "…" not in line


def test_a_kept_demo_is_run_again_but_one_that_was_changed_is_left_alone(
    demo: dict[str, Said], kept: Path, dokja: Dokja
) -> None:
    assert dokja("demo", "--keep", kept).out == demo["en"].out
    changed = kept / "dokpamo" / "acts" / "0099-mine.yaml"
    changed.write_text("acts: []\n", encoding="utf-8")
    said = dokja("demo", "--keep", kept)
    changed.unlink()
    assert said.code == 2
    assert "demo-changed" in said.err


def test_without_a_folder_the_pages_stay_in_a_temporary_one(
    dokja: Dokja, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = json.loads(dokja("demo", "--json").out)
    assert Path(said["page"]).is_file()
    assert tmp_path in Path(said["page"]).parents
    assert set(said["outcomes"]) == {"dokpamo", "dokpamo-complete", "five-teams"}
    assert said["verified"] == {"extra-call-without-clause": "invalid", "extra-call-with-clause": "valid"}
