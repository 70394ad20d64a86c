"""How each team stands at each gate: by its points, the last finding, a panel's votes, or a weight audit's rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.outcome import GateResult, Modality, Score
from dokja.record.acts import AuditFinding, AuditReported, AuditWord, Finding, SubmissionReceived
from dokja.record.folding import Marks
from dokja.rulebook.clauses import AuditRule, Gate

Result = Literal["meets", "does-not-meet", "undecided", "unknown"]

DEPENDENT: frozenset[AuditWord] = frozenset(("identical", "derived", "pruned", "deepened", "upcycled", "merged"))
"""Words that say that a component is not the team's own, unless the rule allows it."""

FOR_A_PANEL: frozenset[AuditWord] = frozenset(("common-initialisation", "rearranged"))
"""Words that leave it open: somebody must look, and a finding must follow."""


def gate_results(
    gates: Sequence[Gate], teams: Sequence[str], evidence: Evidence, scores: Mapping[tuple[str, str], Score]
) -> tuple[GateResult, ...]:
    """Every team's result at every gate of a stage; scores: by team and measure."""
    return tuple(_result(gate, team, evidence, scores) for gate in gates for team in teams)


def _result(gate: Gate, team: str, evidence: Evidence, scores: Mapping[tuple[str, str], Score]) -> GateResult:
    if gate.evidence == "points":
        return _by_points(gate, team, scores)
    found = [
        (index, finding)
        for index, finding in evidence.of(Finding)
        if (finding.stage, finding.gate, finding.team) == (gate.stage, gate.id, team)
    ]
    if found:
        index, finding = found[-1]
        return GateResult(gate.id, team, finding.result, (index,))
    if gate.evidence == "audit" and gate.audit is not None:
        return _by_audit(gate, gate.audit, team, evidence)
    if gate.evidence == "ballots" and gate.panel is not None:
        marks = evidence.marks.get((gate.stage, gate.panel, gate.id, team), Marks())
        return GateResult(gate.id, team, _by_votes(gate, marks), tuple(marks.indexes))
    return GateResult(gate.id, team, "unknown")


def _by_points(gate: Gate, team: str, scores: Mapping[tuple[str, str], Score]) -> GateResult:
    """Each measure against its threshold, whatever is not known of it."""
    asked = [(scores.get((team, each.measure)), Fraction(each.at_least)) for each in gate.thresholds]
    acts = tuple(dict.fromkeys(act for score, _ in asked if score is not None for act in score.acts))
    if any(score is not None and score.interval.upper < least for score, least in asked):
        return GateResult(gate.id, team, "does-not-meet", acts)
    reached = all(score is not None and score.interval.lower >= least for score, least in asked)
    return GateResult(gate.id, team, "meets" if asked and reached else "unknown", acts)


def _by_audit(gate: Gate, rule: AuditRule, team: str, evidence: Evidence) -> GateResult:
    """The last audit of a team, read by the rule; the acts are the audit and the declarations it is read with."""
    reports = [
        (index, act)
        for index, act in evidence.of(AuditReported)
        if (act.stage, act.gate, act.team) == (gate.stage, gate.id, team)
    ]
    if not reports:
        return GateResult(gate.id, team, "unknown")
    index, report = reports[-1]
    declared = [
        (place, act)
        for place, act in evidence.of(SubmissionReceived)
        if (act.stage, act.team) == (gate.stage, team) and act.when <= report.when and act.own_models
    ]
    own = {name for _, act in declared for name in act.own_models} if rule.own_models == "allowed" else set()
    counted = [each for each in report.findings if each.component not in rule.may_share and each.reference not in own]
    acts = (*(place for place, _ in declared), index) if own else (index,)
    return GateResult(gate.id, team, _read(counted, report, rule), acts)


def _read(counted: Sequence[AuditFinding], report: AuditReported, rule: AuditRule) -> Result:
    words = {finding.word for finding in counted}
    if words & DEPENDENT:
        return "does-not-meet"
    components = {finding.component: finding.parameters for finding in report.findings}
    looked_at = {
        component: max(finding.assessed for finding in report.findings if finding.component == component)
        for component in components
    }
    all_of_it = sum(components.values())
    enough = all_of_it > 0 and sum(looked_at.values()) >= rule.least_assessed * all_of_it
    return "undecided" if words & FOR_A_PANEL or not enough else "meets"


def _by_votes(gate: Gate, marks: Marks) -> Result:
    if not marks.indexes or gate.quorum is None:
        return "unknown"
    if marks.objections >= gate.quorum.fail_at:
        return "does-not-meet"
    enough = len(marks.indexes) >= gate.quorum.raters
    if marks.sealed and not (enough and marks.objections + marks.sealed < gate.quorum.fail_at):
        return "unknown"
    return "meets" if enough else "undecided"


def passes(results: Sequence[GateResult], team: str) -> Modality:
    """Whether a team passes all gates: certain, excluded by one failure, else possible."""
    own = {result.result for result in results if result.team == team}
    if "does-not-meet" in own:
        return "excluded"
    return "certain" if own <= {"meets"} else "possible"
