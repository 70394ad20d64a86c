"""From a weight audit to an act: the one place where what the audit found becomes something that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML

from dokja.errors import NOWHERE, ActError, Place, Problem
from dokja.language import mark
from dokja.lineage import Audit, Finding
from dokja.lineage.findings import Screen
from dokja.record.acts import AuditReported, AuditWord
from dokja.record.acts.findings import WITHOUT_EVIDENCE
from dokja.record.canonical import LARGEST_ACT, canonical, tree_of
from dokja.strict_yaml import problems_of
from dokja.whole import expect_writable, write_whole

NOTHING = "–"
"""Stands for a reference where there was none that a component could be held against."""


@dataclass(frozen=True)
class About:
    """What an act says beside the audit: for whose gate it is, who audited, and when."""

    team: str
    stage: str
    gate: str
    who: str
    when: str


def check_act(about: About, submission: str, references: Sequence[str]) -> None:
    """Raise the `ActError` that an act about these would meet, before anything is audited."""
    names = [*references, NOTHING]
    _valid(about, submission, 0, [_row("any", each, "not-assessed", None, 0, 0) for each in names], ())


def check_asked(screen: Screen | None, library: Place = NOWHERE) -> None:
    """Raise the `ActError` of an audit that left out what is near: no act rests on it."""
    if screen is not None and screen.unasked:
        raise ActError(
            Problem(
                "audit-unfinished",
                mark("Of references that are near the library keeps fingerprints alone: {references}."),
                mark("Add their packs (dokja library add), or name their weights (--against); or leave out --act."),
                library,
                {"references": ", ".join(dict.fromkeys(each.reference for each in screen.unasked))},
            )
        )


def audit_act(audit: Audit, told: str, about: About) -> AuditReported:
    """The act that says what an audit found.

    told: the audit's own file, which the act pins by its digest. A component that could be held against no reference,
    because a library's screen found none, is told as not assessed: a gate must not take silence for an answer. Where
    all findings are more than one act can hold, those without evidence are told once for a component, by the
    reference that most of it was held against; a gate's rule reads nothing else of them. Raises `ActError` where an
    id or the time is none, and where something near was not asked.
    """
    check_asked(audit.screen)
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


def _act(audit: Audit, findings: Sequence[Finding], told: str, about: About) -> AuditReported:
    rows = [
        _row(each.component, each.reference, each.word, each.log10_p, each.parameters, each.assessed)
        for each in findings
    ]
    asked = {each.component for each in findings}
    rows += [
        _row(each.component, NOTHING, "not-assessed", None, each.parameters, 0)
        for each in audit.coverage
        if each.component not in asked
    ]
    return _valid(about, audit.submission, audit.key, rows, (f"sha256:{sha256(told.encode()).hexdigest()}",))


def _row(
    component: str, reference: str, word: AuditWord, log10_p: float | None, parameters: int, assessed: int
) -> Mapping[str, str | None]:
    return {
        "component": component,
        "reference": reference,
        "word": word,
        "log10_p": None if log10_p is None else f"{log10_p:.3f}",
        "parameters": str(parameters),
        "assessed": str(assessed),
    }


def _valid(
    about: About, submission: str, key: int, findings: Sequence[Mapping[str, str | None]], evidence: Sequence[str]
) -> AuditReported:
    tree = {
        "type": "audit-reported",
        "id": f"audit-{about.stage}-{about.team}",
        "team": about.team,
        "stage": about.stage,
        "gate": about.gate,
        "clause": about.gate,
        "who": about.who,
        "when": about.when,
        "submission": submission,
        "sample_key": key,
        "findings": findings,
        "evidence": evidence,
    }
    try:
        return AuditReported.model_validate(tree)
    except ValidationError as error:
        problems = problems_of(error, tree, lambda _: Place(), "act-schema")
        given = [each for each in problems if each.values.get("field") != "id"]  # The id is made of what was given.
        raise ActError(*(given or problems)) from error


def write_act(act: AuditReported, told: str, file: Path) -> None:
    """Write a file for `acts/`, and the audit as `<name>.audit.json` in `evidence/`: both, or neither.

    A file that does not lie in a folder called acts has its evidence beside it. Nothing is written over.
    """
    yaml, text = YAML(typ="safe", pure=True), StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump({"acts": [tree_of(act)]}, text)
    write_whole({evidence_of(file): told, file: text.getvalue()})


def evidence_of(file: Path) -> Path:
    """Where the audit of an act goes.

    Raises `ActError` where that file or the act's own is there already, `OSError` where it could not be written.
    """
    folder = file.parent.parent / "evidence" if file.absolute().parent.name == "acts" else file.parent
    evidence = folder / f"{file.stem}.audit.json"
    for each in (file, evidence):
        if each.exists():
            raise ActError(
                Problem("act-file-exists", "There is such a file already.", "Name another file.", Place(each))
            )
        expect_writable(each)
    return evidence
