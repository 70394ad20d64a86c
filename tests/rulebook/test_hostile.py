"""Rulebook files that must be refused, each by its stable code at its line and column, with nothing half-read.

Every file says in its first line what it expects: `# code line:column`; 0 stands for none.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dokja.errors import RulebookError
from dokja.rulebook import read_rulebook
from dokja.strict_yaml import MAXIMUM_BYTES, MAXIMUM_NODES

FILES = sorted((Path(__file__).parent / "hostile").glob("*.yaml"))
EXPECTED = re.compile(rb"([a-z0-9-]+) (\d+):(\d+)")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_hostile_rulebook_is_refused_where_it_is_wrong(file: Path) -> None:
    expected = EXPECTED.search(file.read_bytes().replace(b"\0", b""))
    assert expected is not None
    with pytest.raises(RulebookError) as caught:
        read_rulebook([file])
    found = {(each.code, each.place.line or 0, each.place.column or 0) for each in caught.value.problems}
    assert (expected[1].decode(), int(expected[2]), int(expected[3])) in found
    for problem in caught.value.problems:
        assert problem.place.file == file
        assert "{" not in str(problem).replace("{ko", "").replace("{en", "")
        assert len(str(problem)) < 600


def test_numbers_and_words_keep_the_text_that_was_written(tmp_path: Path) -> None:
    text = (FILES[0].parent / "duplicate-clause.yaml").read_text(encoding="utf-8")
    title = "title: {ko: 12:30:00, en: NO}"
    file = tmp_path / "0001.yaml"
    file.write_text(text[: text.rindex("  - id:")].replace("title: {ko: 규정, en: Rules}", title), encoding="utf-8")
    (document,) = read_rulebook([file]).documents
    assert (document.title.ko, document.title.en) == ("12:30:00", "NO")


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("file-too-large", b"x" * (MAXIMUM_BYTES + 1)),
        ("yaml-too-many", b"- a\n" * (MAXIMUM_NODES + 1)),
        ("yaml-too-deep", b"[" * 60_000),
        ("yaml-too-deep", b"a:\n" + b"".join(b" " * depth + b"- \n" for depth in range(1, 900))),
    ],
    ids=["large", "many", "deep", "deep-block"],
)
def test_size_depth_and_count_are_capped(code: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "0001.yaml"
    file.write_bytes(content)
    with pytest.raises(RulebookError) as caught:
        read_rulebook([file])
    assert [problem.code for problem in caught.value.problems] == [code]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.yaml"):
        with pytest.raises(RulebookError) as caught:
            read_rulebook([path])
        assert [problem.code for problem in caught.value.problems] == ["file-missing"]
    with pytest.raises(RulebookError) as caught:
        read_rulebook([])
    assert [problem.code for problem in caught.value.problems] == ["rulebook-empty"]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a: 1\nb:2\nc: 3\n", 2, 1, "A name stands here without its colon."),
        ("a:b\nc: 1\n", 2, 2, "A colon stands where no name can begin."),
        ("a:\n\tb: 1\n", 2, 1, "A tab stands where spaces are due."),
        ("a: - b\n", 1, 4, "A dash stands where no list can begin."),
        ("a:\n  - x\n b: 1\n", 3, 2, "The line does not fit the ones above it."),
        ("a: 'x\nb: 1\n", 1, 4, "A quote that is opened here is never closed."),
        ("a: [1, 2\nb: 3\n", 1, 4, "A bracket that is opened here is never closed, or a comma is missing in it."),
        ("a: @x\n", 1, 4, "No value can begin with this character."),
    ],
)
def test_a_slip_is_told_in_plain_words_where_it_began(
    text: str, line: int, column: int, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "0001.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        read_rulebook([file])
    (problem,) = caught.value.problems
    assert (problem.code, problem.what) == ("yaml-syntax", said)
    assert (problem.place.line, problem.place.column) == (line, column)


STARTER = Path(__file__).parents[2] / "dokja" / "programme" / "starter" / "rulebook" / "0001-rules.yaml"


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("    majority: 0.5", "    majority: 50%"),
        ("    raters: 7", "    raters: seven"),
        ("          combine: trimmed-mean", "          combine: median"),
        ("              points: 15", "              points: fifteen"),
        ("    order: gate-then-points", "    order: points"),
        ("      submission: 2027-07-30T18:00:00+09:00", "      submission: 2027-07-30"),
    ],
)
def test_a_wrong_field_is_told_at_its_own_line_whatever_its_clause_calls_its_fields(
    written: str, wrong: str, tmp_path: Path
) -> None:
    text = STARTER.read_text(encoding="utf-8")
    assert written in text
    file = tmp_path / "0001.yaml"
    file.write_text(text.replace(written, wrong, 1), encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        read_rulebook([file])
    (problem,) = caught.value.problems
    line = 1 + text[: text.index(written)].count("\n")
    assert (problem.place.line, problem.place.column) == (line, len(written) - len(written.lstrip()) + 1)
    assert "'" not in problem.values["expected"]
