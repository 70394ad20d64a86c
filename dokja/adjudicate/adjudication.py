"""Adjudication: (rulebook over time, evidence) → outcome. A pure function: no clock, no files, no chance."""

from __future__ import annotations

from dokja.adjudicate.calls import adjudicate_calls
from dokja.adjudicate.course import courses
from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.outcome import Outcome
from dokja.adjudicate.stage import adjudicate_stage
from dokja.rulebook.versions import History


def adjudicate(history: History, evidence: Evidence, without: tuple[str, ...] = ()) -> Outcome:
    """What follows for every stage and call from the evidence, by the rules in force at each decision.

    without: what was left out of the evidence, to be shown with the outcome.
    """
    rules = history.at(evidence.horizon)
    return Outcome(
        rulebook=rules.id,
        horizon=evidence.horizon,
        without=without,
        stages=tuple(adjudicate_stage(course, history, evidence) for course in courses(rules.stages, evidence)),
        calls=adjudicate_calls(history, evidence),
    )
