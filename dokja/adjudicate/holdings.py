"""The decision that was taken, held against what follows from the rules in force on that day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from dokja.adjudicate.outcome import Fate, FateReason, Holding, Modality, Reading, SituationFound, Verdict
from dokja.record.acts import Decision
from dokja.rulebook.clauses import Call, Contingency, Cut, Gate
from dokja.rulebook.outcomes import Order, Situation
from dokja.rulebook.versions import Rulebook


def hold_decision(
    index: int, decision: Decision, readings: Sequence[Reading], rules: Rulebook, teams: Sequence[str]
) -> tuple[Holding, ...]:
    """Every part of a decision with its verdict: each team's fate, how many go on, the call that is opened."""
    return (
        *(_team(index, decision, team, readings, rules) for team in teams),
        _number(index, decision, readings, rules),
        *_call(index, decision, readings, rules),
    )


def _verdict(by_reading: Mapping[Order, Modality], decided: bool, said: bool) -> Verdict:
    """One verdict from what each reading says: agreed or contradicted only where all readings agree.

    Where the readings differ and the rulebook does not say which one holds, no clause covers the matter.
    """
    fitting: Mapping[Modality, Verdict] = {
        "certain": "agreed" if decided else "contradicted",
        "excluded": "contradicted" if decided else "agreed",
        "possible": "open",
    }
    verdicts = {fitting[modality] for modality in by_reading.values()}
    if len(verdicts) == 1:
        return verdicts.pop()
    return "not-covered" if not said and verdicts == {"agreed", "contradicted"} else "open"


def _team(index: int, decision: Decision, team: str, readings: Sequence[Reading], rules: Rulebook) -> Holding:
    goes_on = team in decision.goes_on
    reason = next((leaver.reason for leaver in decision.leaves if leaver.team == team), "unsaid")
    by_reading = {reading.order: reading.fates[team].goes_on for reading in readings}
    clauses = tuple(rule.id for kind in (Cut, Gate) for rule in rules.of(kind, decision.stage))
    verdict = (
        _verdict(by_reading, goes_on, all(reading.said for reading in readings)) if by_reading else "not-covered"
    )
    if verdict == "open" and all(_unanswered(reading, team) for reading in readings):
        verdict = "not-covered"
    refuted = _REFUTED.get(reason)
    if verdict == "agreed" and not goes_on and refuted and all(refuted(reading.fates[team]) for reading in readings):
        verdict = "contradicted"
    return Holding(
        "team",
        team,
        "goes-on" if goes_on else f"leaves-{reason}",
        verdict,
        clauses,
        tuple(by_reading.items()),
        index,
    )


_REFUTED: Mapping[str, Callable[[Fate], bool]] = {
    "gate": lambda fate: fate.at_gate == "certain",
    "minimum-score": lambda fate: fate.at_minimum == "certain",
    "points": lambda fate: fate.on_points == "certain",
    "withdrawal": lambda _: True,
}
"""When the reason that a decision gives for a team's leaving cannot be the reason, though the team does leave.

A team that withdrew has no fate, so what has one has not withdrawn.
"""

_ASKS: Mapping[FateReason, Situation] = {"tied-at-cut": "tie-at-cut", "undecided-gate": "gate-undecided"}
"""What leaves a team's fate to a clause."""


def _unanswered(reading: Reading, team: str) -> bool:
    """Whether a team's fate hangs on a situation that is there for certain and that no clause answers."""
    fate = reading.fates[team]
    return any(
        found.situation == _ASKS.get(fate.reason) and found.modality == "certain" and not found.clauses
        for found in reading.situations
    )


def _shortfalls(readings: Sequence[Reading]) -> Iterator[tuple[Reading, SituationFound]]:
    """The readings that end with a place unfilled, with the situation that they end in."""
    for reading in readings:
        for found in reading.situations:
            if found.situation in ("fewer-remain-than-seats", "nobody-remains") and found.modality == "certain":
                yield reading, found


def _number(index: int, decision: Decision, readings: Sequence[Reading], rules: Rulebook) -> Holding:
    """How many go on: a reading fits if it leaves that many; a shortfall that no clause answers is not covered."""
    count = len(decision.goes_on)
    by_reading: dict[Order, Modality] = {}
    for reading in readings:
        least, most = reading.remaining
        by_reading[reading.order] = (
            "certain" if least == most == count else "possible" if least <= count <= most else "excluded"
        )
    answers = list(_shortfalls(readings))
    verdict = _verdict(by_reading, decided=True, said=all(reading.said for reading in readings))
    if verdict == "agreed" and any(not found.clauses for _, found in answers):
        verdict = "not-covered"
    clauses = tuple(dict.fromkeys(clause for _, found in answers for clause in found.clauses))
    stage = tuple(cut.id for cut in rules.of(Cut, decision.stage))
    return Holding("number", decision.stage, str(count), verdict, clauses or stage, tuple(by_reading.items()), index)


def _call(index: int, decision: Decision, readings: Sequence[Reading], rules: Rulebook) -> Iterator[Holding]:
    """A call that the decision opens, or that a clause opens though the decision is silent."""
    ordered = {call for _, found in _shortfalls(readings) for call in found.opens_calls}
    for call in sorted({*ordered, *([decision.opens_call] if decision.opens_call else [])}):
        by_reading: dict[Order, Modality] = {
            reading.order: "certain" if any(call in found.opens_calls for found in reading.situations) else "excluded"
            for reading in readings
        }
        opened = decision.opens_call == call
        speaks = tuple(
            clause.id
            for clause in (*rules.of(Contingency, decision.stage), *rules.of(Call))
            if getattr(clause, "call", None) == call
        )
        verdict: Verdict = (
            "not-covered"
            if opened and not speaks
            else _verdict(by_reading, opened, all(each.said for each in readings))
        )
        yield Holding(
            "call", call, "opened" if opened else "not-opened", verdict, speaks, tuple(by_reading.items()), index
        )
