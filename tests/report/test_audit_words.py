"""The pages tell an audit in its own words, though neither room knows the other, and leave no finding out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dokja.lineage import words
from dokja.record.acts import AuditReported
from dokja.report.audit_table import audit_table, p_shown
from dokja.report.edition import Edition
from dokja.report.words import AUDIT_COMPONENTS, AUDIT_WORDS
from tests.report.published import published


def test_the_pages_call_what_was_found_as_the_audit_does() -> None:
    assert {word: said.label for word, said in words.WORDS.items()} == AUDIT_WORDS


def test_the_pages_call_components_as_the_audit_does() -> None:
    assert words.COMPONENTS == AUDIT_COMPONENTS


@pytest.mark.parametrize(
    ("log10_p", "shown"),
    [
        ("-1631.225", "10<sup>−1631</sup>"),
        ("-6.9999", "10<sup>−6</sup>"),
        ("-2", "10<sup>−2</sup>"),
        ("-1.999", "0.02"),
        ("-0.3", "0.51"),
        ("0.000", "1.00"),
    ],
)
def test_a_p_value_is_shown_as_a_bound(log10_p: str, shown: str) -> None:
    assert p_shown(Decimal(log10_p)) == shown


def test_the_table_holds_every_finding_those_with_evidence_first(tmp_path: Path) -> None:
    edition = Edition(published("five-teams", tmp_path), "ko")
    acts = [act for act in edition.publication.acts.values() if isinstance(act, AuditReported)]
    assert {act.team for act in acts} == {f"team-{letter}" for letter in "abcde"}
    for act in acts:
        rows = audit_table(act, edition)
        assert len(rows) == len(act.findings)
        assert [row.telling for row in rows] == sorted((row.telling for row in rows), reverse=True)
    (told,) = (audit_table(act, edition) for act in acts if act.team == "team-b")
    assert [(str(row.component), str(row.reference), row.word) for row in told if row.telling] == [
        ("오디오 인코더", "alder", "파생"),
        ("비전 인코더", "alder", "파생"),
    ]
