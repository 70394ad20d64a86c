"""From a weight audit to an act: the one place where what the audit found becomes something that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML

from dokja.errors import ActError, Place, Problem
from dokja.lineage import Audit, Finding
from dokja.record.acts import AuditReported
from dokja.record.acts.findings import WITHOUT_EVIDENCE
from dokja.record.canonical import LARGEST_ACT, canonical, tree_of
from dokja.strict_yaml import problems_of


def audit_act(audit: Audit, told: str, *, team: str, stage: str, gate: str, who: str, when: str) -> AuditReported:
    """The act that says what an audit found.

    told: the audit's own file, which the act pins by its digest. Where all findings are more than one act can hold,
    those without evidence are told once for a component, by the reference that most of it was held against; a gate's
    rule reads nothing else of them. Raises `ActError` where an id or the time is none.
    """
    about = {"team": team, "stage": stage, "gate": gate, "clause": gate, "who": who, "when": when}
    act = _act(audit, audit.findings, told, about)
    return act if len(canonical(act)) <= LARGEST_ACT else _act(audit, _telling(audit.findings), told, about)


def _telling(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """All findings but those without evidence of a component beyond the one that assessed most."""
    silent = [finding for finding in findings if finding.word in WITHOUT_EVIDENCE]
    most: dict[str, Finding] = {}
    for finding in silent:
        held = most.setdefault(finding.component, finding)
        if finding.assessed > held.assessed:
            most[finding.component] = finding
    kept = {id(finding) for finding in most.values()}
    return tuple(each for each in findings if each.word not in WITHOUT_EVIDENCE or id(each) in kept)


def _act(audit: Audit, findings: Sequence[Finding], told: str, about: Mapping[str, str]) -> AuditReported:
    tree = {
        "type": "audit-reported",
        "id": f"audit-{about['stage']}-{about['team']}",
        **about,
        "submission": audit.submission,
        "sample_key": audit.key,
        "findings": [
            {
                "component": finding.component,
                "reference": finding.reference,
                "word": finding.word,
                "log10_p": None if finding.log10_p is None else f"{finding.log10_p:.3f}",
                "parameters": str(finding.parameters),
                "assessed": str(finding.assessed),
            }
            for finding in findings
        ],
        "evidence": [f"sha256:{sha256(told.encode()).hexdigest()}"],
    }
    try:
        return AuditReported.model_validate(tree)
    except ValidationError as error:
        raise ActError(*problems_of(error, tree, lambda _: Place(), "act-schema")) from error


def write_act(act: AuditReported, told: str, file: Path) -> None:
    """Write a file for `acts/`, and the audit as `<name>.audit.json` in `evidence/`; nothing is written over.

    A file that does not lie in a folder called acts has its evidence beside it.
    """
    evidence = evidence_of(file)
    evidence.parent.mkdir(parents=True, exist_ok=True)
    evidence.write_text(told, encoding="utf-8")
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump({"acts": [tree_of(act)]}, stream)


def evidence_of(file: Path) -> Path:
    """Where the audit of an act goes. Raises `ActError` where that file or the act's own is there already."""
    folder = file.parent.parent / "evidence" if file.absolute().parent.name == "acts" else file.parent
    evidence = folder / f"{file.stem}.audit.json"
    for each in (file, evidence):
        if each.exists():
            raise ActError(
                Problem("act-file-exists", "There is such a file already.", "Name another file.", Place(each))
            )
    return evidence
