"""The example of five teams: the audits that its acts tell are those that are found again, and the gate follows."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from dokja.adjudicate import StageOutcome
from dokja.lineage import audit, open_checkpoint, reference
from dokja.lineage.library import build, open_library
from dokja.programme import open_programme, run
from dokja.record.acts import AuditReported, SubmissionReceived
from dokja.report import Publication
from dokja.rulebook import lint

FIVE = Path(__file__).parent.parent / "examples" / "five-teams"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    copy = tmp_path_factory.mktemp("five")
    shutil.copy(FIVE / "programme.yaml", copy)
    for name in ("rulebook", "acts"):
        shutil.copytree(FIVE / name, copy / name)
    made = run(open_programme(copy), site=False).publication
    assert made is not None
    return made


@pytest.fixture(scope="module")
def stage(published: Publication) -> StageOutcome:
    return published.outcome.stages[0]


def reports(published: Publication) -> dict[str, AuditReported]:
    return {act.team: act for act in published.acts.values() if isinstance(act, AuditReported)}


def test_the_rulebook_leaves_nothing_open() -> None:
    assert lint(open_programme(FIVE).history) == ()


def test_the_gate_follows_from_the_audits_and_the_panel(stage: StageOutcome) -> None:
    assert {result.team: result.result for result in stage.gates} == {
        "team-a": "meets",
        "team-b": "does-not-meet",
        "team-c": "meets",
        "team-d": "does-not-meet",
        "team-e": "does-not-meet",
    }


def test_the_decision_is_what_follows(stage: StageOutcome) -> None:
    assert {holding.verdict for holding in stage.holdings} == {"agreed"}


def test_without_the_panel_a_rearranged_model_is_not_convicted(published: Publication) -> None:
    words = {finding.word for finding in reports(published)["team-e"].findings}
    assert "rearranged" in words
    assert words <= {"rearranged", "no-evidence", "not-assessed"}


@pytest.mark.parametrize("team", ["team-b", "team-c"])
def test_an_audit_of_the_acts_is_found_again(team: str, published: Publication) -> None:
    told = reports(published)[team]
    key = told.sample_key
    with open_checkpoint(FIVE / "entrants" / team) as mine, open_checkpoint(FIVE / "references" / "alder") as other:
        found = audit(reference(team, mine, key), [reference("alder", other, key)], key=key)
    assert {each.component: each.word for each in found.findings} == {
        each.component: each.word for each in told.findings if each.reference == "alder"
    }


def test_nobody_is_said_to_have_rounded_what_is_not_rounded() -> None:
    # The audio encoders share a table of positions, in which a few numbers come again as in a grid.
    for file in sorted((FIVE / "evidence").glob("*.audit.json")):
        findings = json.loads(file.read_text(encoding="utf-8"))["findings"]
        assert findings
        assert {each["rounded"] for each in findings} == {None}


def test_the_scrambled_entrant_is_told_from_a_library_that_keeps_a_quarter_of_its_neurons(tmp_path: Path) -> None:
    names = ("elm", "maple")
    build(tmp_path, {name: FIVE / "references" / name for name in names}, key=7, units=64, workers=1)
    library = open_library(tmp_path)
    packs = [library.reference(name) for name in names]
    told: dict[tuple[str, str, str], str] = {}
    for team in ("team-e", "team-c"):
        with open_checkpoint(FIVE / "entrants" / team) as mine:
            found = audit(reference(team, mine, 7), packs, key=7).findings
        told |= {(team, each.reference, each.component): each.word for each in found}
    assert told["team-e", "elm", "text-decoder"] == told["team-e", "elm", "vision-encoder"] == "rearranged"
    assert {word for key, word in told.items() if key[:2] != ("team-e", "elm")} <= {"no-evidence", "not-assessed"}


def test_every_digest_is_that_of_a_file(published: Publication) -> None:
    evidence = {f"sha256:{sha256(file.read_bytes()).hexdigest()}" for file in (FIVE / "evidence").iterdir()}
    assert {each for report in reports(published).values() for each in report.evidence} == evidence
    handed_in = {act.team: act.digest for act in published.acts.values() if isinstance(act, SubmissionReceived)}
    for team, digest in handed_in.items():
        weights = (FIVE / "entrants" / team / "model.safetensors").read_bytes()
        assert digest == f"sha256:{sha256(weights).hexdigest()}"
