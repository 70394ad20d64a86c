"""Rulebooks that can be read and contradict themselves: each file says in its first line what must be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dokja.rulebook import lint, read_rulebook

FILES = sorted((Path(__file__).parent / "contradictory").glob("*.yaml"))
EXPECTED = re.compile(r"# (DK\d+) ([a-z0-9.-]+): (.+)")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_contradiction_is_named_at_its_clause(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    expected = EXPECTED.match(text)
    assert expected is not None
    code, clause, said = expected.groups()
    found = [each for each in lint(read_rulebook([file])) if (each.code, each.clause) == (code, clause)]
    assert any(each.what.format(**each.values).startswith(said) for each in found), found
    line = 1 + text[: text.index(f"  - id: {clause}\n")].count("\n")
    assert {(each.place.line, each.place.column) for each in found} == {(line, 5)}
