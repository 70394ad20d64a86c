"""How each team stands at each gate: by the last finding, or by the votes of a panel where the quorum says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dokja.adjudicate.evidence import Evidence, Marks
from dokja.adjudicate.outcome import GateResult, Modality
from dokja.record.acts import Finding
from dokja.rulebook.clauses import Gate

Result = Literal["meets", "does-not-meet", "undecided", "unknown"]


def gate_results(gates: Sequence[Gate], teams: Sequence[str], evidence: Evidence) -> tuple[GateResult, ...]:
    """Every team's result at every gate of a stage."""
    return tuple(_result(gate, team, evidence) for gate in gates for team in teams)


def _result(gate: Gate, team: str, evidence: Evidence) -> GateResult:
    found = [
        (index, finding)
        for index, finding in evidence.of(Finding)
        if (finding.stage, finding.gate, finding.team) == (gate.stage, gate.id, team)
    ]
    if found:
        index, finding = found[-1]
        return GateResult(gate.id, team, finding.result, (index,))
    if gate.evidence == "ballots" and gate.panel is not None:
        marks = evidence.marks.get((gate.stage, gate.panel, gate.id, team), Marks())
        return GateResult(gate.id, team, _by_votes(gate, marks), tuple(marks.indexes))
    return GateResult(gate.id, team, "unknown")


def _by_votes(gate: Gate, marks: Marks) -> Result:
    if not marks.indexes or gate.quorum is None:
        return "unknown"
    if marks.objections >= gate.quorum.fail_at:
        return "does-not-meet"
    return "meets" if len(marks.indexes) >= gate.quorum.raters else "undecided"


def passes(results: Sequence[GateResult], team: str) -> Modality:
    """Whether a team passes all gates: certain, excluded by one failure, else possible."""
    own = {result.result for result in results if result.team == team}
    if "does-not-meet" in own:
        return "excluded"
    return "certain" if own <= {"meets"} else "possible"
