"""docs/lineage.md names every field of an audit's JSON, every word and every test."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from dokja.lineage.findings import Audit, Coverage, Finding, Kin, Overlap, Power, Rounded, Screen, Within, Word
from dokja.lineage.pair.anchoring import Anchored
from dokja.lineage.pair.evidence import FamilyEffect, LabelTest, MapRow
from dokja.lineage.pair.rows import Paired
from dokja.lineage.words import TESTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model",
    [
        Audit,
        Finding,
        LabelTest,
        FamilyEffect,
        Anchored,
        MapRow,
        Power,
        Rounded,
        Paired,
        Coverage,
        Within,
        Kin,
        Overlap,
        Screen,
    ],
)
def test_every_field_is_named(model: type) -> None:
    assert [field.name for field in fields(model) if f"`{field.name}`" not in PAGE] == []


def test_every_word_and_every_test_is_explained() -> None:
    assert [word for word in (*get_args(Word), *TESTS) if f"`{word}`" not in PAGE] == []


def test_the_example_of_the_page_audits_a_pair(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/lineage.md", "exec"), {})
    words = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines())
    assert words["vision-encoder"] == words["audio-encoder"] == "derived"
    assert words["text-decoder"] == "no-evidence"


def test_every_section_that_the_page_leads_to_is_there() -> None:
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    there = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= there


def test_the_index_of_what_is_proven_leads_somewhere() -> None:
    index = ROOT / "benchmarks" / "lineage" / "README.md"
    linked = re.findall(r"\]\(([^)#]+)\)", index.read_text(encoding="utf-8"))
    assert len(linked) > 20
    assert [each for each in linked if not (index.parent / each).is_file()] == []
