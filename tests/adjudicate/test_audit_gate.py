"""A weight audit at a gate: it finds, and the rule says what that means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from dokja.adjudicate.gates import DEPENDENT, FOR_A_PANEL, gate_results
from dokja.errors import ActError
from dokja.lineage import Word
from dokja.lineage import findings as lineage_findings
from dokja.lineage.findings import Coverage
from dokja.programme.findings import NOTHING, About, audit_act, check_act, evidence_of, write_act
from dokja.record.acts import AuditWord
from dokja.record.canonical import LARGEST_ACT, canonical
from dokja.rulebook.clauses import Gate
from tests.adjudicate.build import clause, document, evidence, history
from tests.lineage import audits

EARLIER, LATER = "2025-05-01T00:00:00+09:00", "2025-06-01T00:00:00+09:00"


def gate(**audit: object) -> Gate:
    rule = {"own_models": "allowed", "least_assessed": "0.8", **audit}
    made = clause("gate", "gate", stage="stage-1", title={"ko": "관문", "en": "Gate"}, evidence="audit", audit=rule)
    return next(history(document(1, made)).whole.of(Gate))


def finding(component: str, word: AuditWord, assessed: str = "100", reference: str = "other/model") -> dict[str, Any]:
    return {
        "component": component,
        "reference": reference,
        "word": word,
        "parameters": "100",
        "assessed": assessed,
    }


def report(*findings: dict[str, Any], when: str = LATER) -> dict[str, Any]:
    return {
        "type_": "audit-reported",
        "stage": "stage-1",
        "team": "a",
        "gate": "gate",
        "submission": "a/model",
        "sample_key": "7",
        "findings": findings,
        "when": when,
    }


def submission(*own: str, when: str = EARLIER) -> dict[str, Any]:
    return {"type_": "submission-received", "stage": "stage-1", "team": "a", "own_models": own, "when": when}


def result(rule: Gate, *acts: dict[str, Any]) -> str:
    (found,) = gate_results([rule], ["a"], evidence(acts), {})
    return found.result


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("identical", "does-not-meet"),
        ("derived", "does-not-meet"),
        ("merged", "does-not-meet"),
        ("rearranged", "undecided"),
        ("common-initialisation", "undecided"),
        ("no-evidence", "meets"),
    ],
)
def test_each_word_means_one_thing(word: AuditWord, expected: str) -> None:
    assert result(gate(), report(finding("text-decoder", "no-evidence"), finding("vision-encoder", word))) == expected


ABOUT = About(team="a", stage="stage-1", gate="gate", who="auditor", when=LATER)


@pytest.mark.parametrize("word", ["derived", "no-evidence", "rearranged"])
def test_an_audit_against_a_large_library_fits_into_one_act_and_means_the_same(word: Word) -> None:
    references = [f"reference-{number}" for number in range(400)]
    silent = [
        replace(audits.finding(component, reference, "no-evidence"), assessed=at)
        for component in ("text-decoder", "vision-encoder")
        for at, reference in enumerate(references, start=300_000)
    ]
    found = audits.audit(*silent[:500], audits.finding("vision-encoder", "elm", word), *silent[500:])
    act = audit_act(found, "told", ABOUT)
    assert len(canonical(act)) <= LARGEST_ACT
    assert len(found.findings) == 801
    assert [each.word for each in act.findings].count("no-evidence") == 2
    fields = ("component", "reference", "word", "parameters", "assessed")
    whole = report(*({name: str(getattr(each, name)) for name in fields} for each in found.findings))
    told = report(*(each.model_dump(mode="json", exclude_none=True) for each in act.findings))
    assert result(gate(), told) == result(gate(), whole)


def test_what_may_be_shared_is_not_counted() -> None:
    report_ = report(finding("text-decoder", "no-evidence"), finding("vision-encoder", "derived"))
    assert result(gate(may_share=["vision-encoder"]), report_) == "meets"


def test_a_model_of_ones_own_counts_only_if_declared_before_and_allowed() -> None:
    found = report(finding("text-decoder", "derived", reference="a/older"))
    assert result(gate(), submission("a/older"), found) == "meets"
    assert result(gate(own_models="not-allowed"), submission("a/older"), found) == "does-not-meet"
    assert result(gate(), submission("b/older"), found) == "does-not-meet"
    late = submission("a/older", when="2025-06-15T00:00:00+09:00")
    assert result(gate(), found, late) == "does-not-meet"


def test_what_was_not_looked_at_is_not_met() -> None:
    half = report(finding("text-decoder", "no-evidence"), finding("vision-encoder", "not-assessed", assessed="0"))
    assert result(gate(), half) == "undecided"
    assert result(gate(least_assessed="0.5"), half) == "meets"


def test_an_audit_of_nothing_meets_nothing() -> None:
    empty = finding("text-decoder", "not-assessed", assessed="0") | {"parameters": "0"}
    assert result(gate(), report(empty)) == "undecided"


def test_what_no_reference_could_be_held_against_is_told_as_not_assessed() -> None:
    found = replace(audits.audit(), coverage=(Coverage("text-decoder", 400, 0), Coverage("head", 40, 0)))
    act = audit_act(found, "told", ABOUT)
    assert [(each.component, each.reference, each.word, str(each.parameters)) for each in act.findings] == [
        ("text-decoder", NOTHING, "not-assessed", "400"),
        ("head", NOTHING, "not-assessed", "40"),
    ]
    told = report(*(each.model_dump(mode="json", exclude_none=True) for each in act.findings))
    assert result(gate(least_assessed="0"), told) == "meets"
    assert result(gate(), told) == "undecided"


def test_an_act_is_checked_before_there_is_an_audit() -> None:
    check_act(ABOUT, "a/model", ["b/model"])
    for wrong, field in (({"team": "Team A"}, "team"), ({"when": "2027-08-24"}, "when"), ({"who": ""}, "who")):
        with pytest.raises(ActError) as refused:
            check_act(replace(ABOUT, **wrong), "a/model", ["b/model"])
        assert [each.values["field"] for each in refused.value.problems] == [field]
    with pytest.raises(ActError):
        check_act(ABOUT, "a/model", ["b" * 100_000])


def test_an_act_and_its_evidence_are_written_both_or_neither(tmp_path: Path) -> None:
    found = audits.audit(audits.finding("text-decoder", "elm", "no-evidence"))
    act = audit_act(found, "told", ABOUT)
    file = tmp_path / "acts" / "one.yaml"
    write_act(act, "told", file)
    assert evidence_of(file.with_name("two.yaml")).parent == tmp_path / "evidence"
    assert (tmp_path / "evidence" / "one.audit.json").read_text() == "told"
    (tmp_path / "acts" / "two.yaml").mkdir()
    with pytest.raises(ActError):
        write_act(act, "told", file.with_name("two.yaml"))
    assert [each.name for each in (tmp_path / "evidence").iterdir()] == ["one.audit.json"]


def test_the_last_audit_counts_and_without_one_nothing_is_known() -> None:
    first = report(finding("text-decoder", "derived"), when=EARLIER)
    assert result(gate(), first, report(finding("text-decoder", "no-evidence"))) == "meets"
    assert result(gate(), submission()) == "unknown"


def test_an_audit_decides_nothing_where_no_rule_reads_it() -> None:
    silent = gate().model_copy(update={"audit": None})
    assert result(silent, report(finding("text-decoder", "derived"))) == "unknown"


def test_the_record_knows_the_words_of_the_audit_and_the_gate_reads_each_of_them() -> None:
    assert get_args(AuditWord) == get_args(Word)
    assert {*lineage_findings.DEPENDENT, "rearranged"} == DEPENDENT | FOR_A_PANEL
