"""Calls as they went, held against the rules in force when they opened and when they admitted."""

from __future__ import annotations

from collections.abc import Iterator

from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.outcome import CallOutcome, Holding, Verdict
from dokja.record.acts import Admission, Application, CallOpened
from dokja.rulebook.clauses import Call
from dokja.rulebook.versions import History, Rulebook


def adjudicate_calls(history: History, evidence: Evidence) -> tuple[CallOutcome, ...]:
    """Every call that was opened, in order."""
    return tuple(_outcome(index, opened, history, evidence) for index, opened in evidence.of(CallOpened))


def _clause(rules: Rulebook, call: str) -> Call | None:
    return next((clause for clause in rules.of(Call) if clause.call == call), None)


def _outcome(index: int, opened: CallOpened, history: History, evidence: Evidence) -> CallOutcome:
    call = opened.call
    admissions = [(at, act) for at, act in evidence.of(Admission) if act.call == call]
    return CallOutcome(
        call=call,
        opened=index,
        covered_when_opened=_clause(history.at(opened.when), call) is not None,
        applicants=tuple(act.team for _, act in evidence.of(Application) if act.call == call),
        admitted=tuple(act.team for _, act in admissions),
        holdings=tuple(
            holding for at, act in admissions for holding in _admission(at, act, len(admissions), history)
        ),
    )


def _admission(index: int, admission: Admission, admitted: int, history: History) -> Iterator[Holding]:
    """An admission against the call's majority and places."""
    clause = _clause(history.at(admission.when), admission.call)
    yield Holding(
        "call",
        admission.team,
        "admitted",
        _verdict(clause, admission, admitted),
        (clause.id,) if clause else (),
        (),
        index,
    )


def _verdict(clause: Call | None, admission: Admission, admitted: int) -> Verdict:
    if clause is None:
        return "not-covered"
    if admitted > clause.places:
        return "contradicted"
    if clause.majority is None:
        return "agreed"
    if admission.in_favour is None or admission.panel_size is None:
        return "open"
    return "agreed" if admission.in_favour > clause.majority * admission.panel_size else "contradicted"
