"""What was decided, held against the outcome that is worked out anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dokja.adjudicate import CallOutcome, Holding, Outcome, StageOutcome
from dokja.language import mark
from dokja.verify.verdict import Fault, Unchecked

_SAID: Mapping[tuple[str, str], tuple[str, str]] = {
    ("team", "contradicted"): (
        "OUTCOME_MISMATCH",
        mark("“{subject}” of {stage} was decided as “{decided}”; the rules and the record say otherwise."),
    ),
    ("team", "not-covered"): (
        "PROCEDURE_NOT_PINNED",
        mark("“{subject}” of {stage} was decided as “{decided}”; no clause in force settles it."),
    ),
    ("number", "contradicted"): (
        "OUTCOME_MISMATCH",
        mark("{decided} go on from {stage}; the rules and the record give another number."),
    ),
    ("number", "not-covered"): (
        "CONTINGENCY_GAP",
        mark("{decided} go on from {stage}; no clause in force says what follows from such a number."),
    ),
    ("call", "contradicted"): (
        "OUTCOME_MISMATCH",
        mark("“{subject}” of {stage} was decided as “{decided}”; the rules and the record say otherwise."),
    ),
    ("call", "not-covered"): (
        "PROCEDURE_NOT_PINNED",
        mark("“{subject}” of {stage} was decided as “{decided}”; no clause in force settles it."),
    ),
}
"""By the part of a decision and the verdict on it."""


def decision_faults(outcome: Outcome) -> Iterator[Fault]:
    """Every part of a decision or admission that does not follow."""
    for stage in outcome.stages:
        for holding in stage.holdings:
            yield from _fault(holding, stage.stage)
        yield from _situations(stage)
        yield from _no_lot(stage)
    for call in outcome.calls:
        for holding in call.holdings:
            yield from _fault(holding, call.call)


def _fault(holding: Holding, stage: str) -> Iterator[Fault]:
    found = _SAID.get((holding.part, holding.verdict))
    if found is not None:
        code, said = found
        yield Fault(code, said, {"subject": holding.subject, "stage": stage, "decided": holding.decided}, holding.act)


def _situations(stage: StageOutcome) -> Iterator[Fault]:
    """Situations that are there in every reading, and that no clause answers or several answer differently."""
    if stage.decision is None or not stage.readings:
        return
    told = any(each.part == "number" and each.verdict == "not-covered" for each in stage.holdings)
    for found in stage.readings[0].situations:
        certain = all(
            any(each.situation == found.situation and each.modality == "certain" for each in reading.situations)
            for reading in stage.readings
        )
        shortfall = found.situation in ("fewer-remain-than-seats", "nobody-remains")
        if certain and not (told and shortfall) and (not found.clauses or len(set(found.consequences)) > 1):
            said = mark("{stage} ended with “{situation}”; the clauses that answer it: {clauses}.")
            values = {
                "stage": stage.stage,
                "situation": found.situation,
                "clauses": ", ".join(found.clauses) or "–",
            }
            yield Fault("CONTINGENCY_GAP", said, values, stage.decision)


def _no_lot(stage: StageOutcome) -> Iterator[Fault]:
    """Level teams were parted by a decision though only a lot parts them, and the record holds none between them."""
    if stage.decision is None or not stage.readings:
        return
    for reading in stage.readings:
        by_lot = any(
            each.situation == "tie-at-cut" and each.consequences[:1] == ("lot",) for each in reading.situations
        )
        if not by_lot:
            return
    unparted = [
        holding.subject
        for holding in stage.holdings
        if holding.part == "team"
        and holding.verdict == "open"
        and all(reading.fates[holding.subject].reason == "tied-at-cut" for reading in stage.readings)
    ]
    if unparted:
        said = mark("{teams} of {stage} are level, a lot decides between them, and the record holds none.")
        yield Fault("DRAW_MISSING", said, {"teams": ", ".join(unparted), "stage": stage.stage}, stage.decision)


def left_open(outcome: Outcome) -> Iterator[Unchecked]:
    """Parts of decisions that the acts do not say enough about."""
    parts: Sequence[StageOutcome | CallOutcome] = (*outcome.stages, *outcome.calls)
    for part in parts:
        unsettled = [holding for holding in part.holdings if holding.verdict == "open"]
        name = part.stage if isinstance(part, StageOutcome) else part.call
        if any(holding.part == "number" for holding in unsettled):
            said = mark("How many go on from {stage}: the acts do not say enough to work it out.")
            yield Unchecked(said, {"stage": name})
        if subjects := [holding.subject for holding in unsettled if holding.part != "number"]:
            said = mark("What was decided on {subjects} in {stage}: the acts do not say enough to work it out.")
            yield Unchecked(said, {"subjects": ", ".join(subjects), "stage": name})
