"""A decision part by part: what was decided, what follows from the rules in force, the verdict and its reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import Fate, Holding, Modality, Reading, StageOutcome
from dokja.language import mark
from dokja.record.acts import Admission
from dokja.report.cells import Label
from dokja.report.edition import Edition
from dokja.report.stage_summary import call_sentence, remaining, unpublished_gates
from dokja.report.words import (
    CONSEQUENCES,
    DEPARTURES,
    GOES_ON,
    ORDERS,
    SITUATIONS,
    VERDICT_MEANINGS,
    VERDICTS,
)

ON_POINTS: Mapping[Modality, str] = {
    "certain": mark("It is among the first {seats} on points."),
    "possible": mark("Whether it is among the first {seats} on points is not settled."),
    "excluded": mark("It is not among the first {seats} on points."),
}

AT_GATE: Mapping[Modality, str] = {
    "certain": mark("It meets every gate."),
    "possible": mark("Whether it meets every gate was not published."),
    "excluded": mark("It does not meet a gate."),
}


AT_MINIMUM: Mapping[Modality, str] = {
    "possible": mark("Whether it reaches the minimum score is not settled."),
    "excluded": mark("It is below the minimum score."),
}


@dataclass(frozen=True)
class VerdictRow:
    """One part of a decision with its verdict."""

    subject: Markup
    decided: Markup
    follows: tuple[Markup, ...]
    verdict: Label
    reasons: tuple[Markup, ...]
    clauses: tuple[Markup, ...]


@dataclass(frozen=True)
class Part:
    """A part of a decision on which rulebook and decision do not meet; the reason is told where there is one."""

    where: Markup
    subject: Markup
    decided: Markup
    follows: tuple[Markup, ...]
    verdict: Label
    reason: Markup


def verdict_rows(outcome: StageOutcome, edition: Edition) -> tuple[VerdictRow, ...]:
    """Every part of the decision: the number first, then calls, then teams."""
    parts = ("number", "call", "team")
    return tuple(
        verdict_row(holding, outcome, edition)
        for part in parts
        for holding in outcome.holdings
        if holding.part == part
    )


def parts(edition: Edition) -> Iterator[Part]:
    """Every part of every decision, and every admission by a call."""
    meanings = [edition.say(meaning) for meaning in VERDICT_MEANINGS.values()]
    for outcome in edition.publication.outcome.stages:
        for row in verdict_rows(outcome, edition):
            where = edition.stage(outcome.stage).shown
            reason = Markup(" ").join(each for each in row.reasons if each not in meanings)
            yield Part(where, row.subject, row.decided, row.follows, row.verdict, reason)
    for call in edition.publication.outcome.calls:
        for holding in call.holdings:
            yield _admission(holding, edition)


def _admission(holding: Holding, edition: Edition) -> Part:
    """A team that a call admitted, with the call's clause and the panel's vote."""
    act = edition.publication.acts[holding.act] if holding.act is not None else None
    assert isinstance(act, Admission)  # noqa: S101 - a call holds nothing else
    unsaid = mark("The clause asks for a majority of the panel; how the panel voted was not published.")
    votes = mark("{in_favour} of the panel's {panel_size} were in favour.")
    said = unsaid if holding.verdict == "open" else votes if act.in_favour is not None and act.panel_size else None
    return Part(
        where=edition.say(mark("Call “{call}”"), {"call": edition.call(act.call)}),
        subject=edition.team(holding.subject).shown,
        decided=edition.say(mark("admitted")),
        follows=tuple(edition.clause(clause, act.when).shown for clause in holding.clauses),
        verdict=Label(holding.verdict, edition.say(VERDICTS[holding.verdict])),
        reason=edition.say(said, {"in_favour": act.in_favour, "panel_size": act.panel_size}) if said else Markup(),
    )


def verdict_row(holding: Holding, outcome: StageOutcome, edition: Edition) -> VerdictRow:
    """One part of the decision."""
    return VerdictRow(
        subject=_SUBJECTS[holding.part](holding, edition),
        decided=_DECIDED[holding.part](holding, edition),
        follows=tuple(_FOLLOWS[holding.part](holding, outcome, edition)),
        verdict=Label(holding.verdict, edition.say(VERDICTS[holding.verdict])),
        reasons=tuple(_REASONS[holding.part](holding, outcome, edition)),
        clauses=tuple(edition.clause(clause, outcome.at).shown for clause in holding.clauses),
    )


def _number_of_teams(_: Holding, edition: Edition) -> Markup:
    return edition.say(mark("Number of teams"))


def _call(holding: Holding, edition: Edition) -> Markup:
    return edition.say(mark("Call “{call}”"), {"call": edition.call(holding.subject)})


def _team(holding: Holding, edition: Edition) -> Markup:
    return edition.team(holding.subject).shown


def _number_decided(holding: Holding, edition: Edition) -> Markup:
    return edition.say(mark("{number} go on"), {"number": holding.decided})


def _call_decided(holding: Holding, edition: Edition) -> Markup:
    opened, closed = mark("opened"), mark("not opened")
    return edition.say(opened if holding.decided == "opened" else closed)


def _team_decided(holding: Holding, edition: Edition) -> Markup:
    return edition.say(DEPARTURES[holding.decided])


def _by_reading(outcome: StageOutcome, edition: Edition, said: Callable[[Reading], Markup]) -> Iterator[Markup]:
    """What each reading says; once where all say the same."""
    each = [(reading, said(reading)) for reading in outcome.readings]
    if len({text for _, text in each}) == 1:
        yield each[0][1]
        return
    for reading, text in each:
        yield edition.say(mark("{order}: {text}"), {"order": edition.say(ORDERS[reading.order]), "text": text})


def _number_follows(_: Holding, outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    def said(reading: Reading) -> Markup:
        return edition.say(mark("{number} go on"), {"number": remaining(reading, edition)})

    return _by_reading(outcome, edition, said)


def _call_follows(holding: Holding, outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    def said(reading: Reading) -> Markup:
        opened, closed = mark("a clause opens it"), mark("no clause opens it")
        return edition.say(
            opened if any(holding.subject in found.opens_calls for found in reading.situations) else closed
        )

    return _by_reading(outcome, edition, said)


def _team_follows(holding: Holding, outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    def said(reading: Reading) -> Markup:
        return edition.say(GOES_ON[reading.fates[holding.subject].goes_on])

    return _by_reading(outcome, edition, said)


def _number_reasons(holding: Holding, outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    yield edition.say(VERDICT_MEANINGS[holding.verdict])
    if holding.verdict == "open":
        yield from unpublished_gates(outcome, edition)
    shortfalls = [
        found
        for reading in outcome.readings
        for found in reading.situations
        if found.situation in ("fewer-remain-than-seats", "nobody-remains") and found.modality == "certain"
    ]
    for found in dict.fromkeys(shortfalls):
        yield edition.say(SITUATIONS[found.situation])
        yield answer(found.clauses, found.consequences, outcome, edition)


def answer(
    clauses: tuple[str, ...], consequences: tuple[str, ...], outcome: StageOutcome, edition: Edition
) -> Markup:
    """Which clauses in force answer a situation, and how."""
    if not clauses:
        return edition.say(mark("No clause in force answers it."))
    answers = [
        edition.say(
            mark("{clause}: {consequence}"),
            {"clause": edition.clause(clause, outcome.at), "consequence": edition.say(CONSEQUENCES[consequence])},
        )
        for clause, consequence in zip(clauses, consequences, strict=True)
    ]
    if len(answers) > 1:
        answers.append(edition.say(mark("More than one clause answers it.")))
    return Markup("; ").join(answers)


def _call_reasons(holding: Holding, outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    yield call_sentence(holding, outcome, edition)


def _team_reasons(holding: Holding, outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    for fate in _apart([reading.fates[holding.subject] for reading in outcome.readings]):
        if outcome.root is not None:
            yield edition.say(ON_POINTS[fate.on_points], {"seats": outcome.seats})
        if outcome.gates:
            yield edition.say(AT_GATE[fate.at_gate])
        if fate.at_minimum in AT_MINIMUM:
            yield edition.say(AT_MINIMUM[fate.at_minimum])
    if holding.verdict == "not-covered":
        yield edition.say(mark("The readings differ, and no clause in force says which one holds."))
    left_rightly = all(modality == "excluded" for _, modality in holding.by_reading)
    if holding.verdict == "contradicted" and holding.decided != "goes-on" and left_rightly:
        yield edition.say(mark("It does leave, but not for the reason that was given."))


def _apart(fates: Iterable[Fate]) -> Iterable[Fate]:
    """The fates that differ in points, gate or minimum score, each once."""
    return {(fate.on_points, fate.at_gate, fate.at_minimum): fate for fate in fates}.values()


_SUBJECTS: Mapping[str, Callable[[Holding, Edition], Markup]] = {
    "number": _number_of_teams,
    "call": _call,
    "team": _team,
}
_DECIDED: Mapping[str, Callable[[Holding, Edition], Markup]] = {
    "number": _number_decided,
    "call": _call_decided,
    "team": _team_decided,
}
_FOLLOWS: Mapping[str, Callable[[Holding, StageOutcome, Edition], Iterator[Markup]]] = {
    "number": _number_follows,
    "call": _call_follows,
    "team": _team_follows,
}
_REASONS: Mapping[str, Callable[[Holding, StageOutcome, Edition], Iterator[Markup]]] = {
    "number": _number_reasons,
    "call": _call_reasons,
    "team": _team_reasons,
}
