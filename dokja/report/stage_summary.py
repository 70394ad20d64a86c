"""A stage in a few sentences: its headline, and what a reader should know before the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from markupsafe import Markup

from dokja.adjudicate import Holding, Reading, StageOutcome, Verdict
from dokja.language import mark
from dokja.record.acts import Decision
from dokja.report.edition import Edition
from dokja.report.figure_words import support_said
from dokja.report.words import ORDERS

Filled = Literal["fewer", "planned", "more"]

HEADLINES: Mapping[tuple[Filled, Verdict], str] = {
    ("fewer", "agreed"): mark("{count} went on where {seats} seats were planned, as the rules in force say."),
    ("fewer", "contradicted"): mark(
        "{count} went on where {seats} seats were planned; the rules in force lead to another number."
    ),
    ("fewer", "not-covered"): mark(
        "{count} went on where {seats} seats were planned; no clause in force covered that."
    ),
    ("fewer", "open"): mark(
        "{count} went on where {seats} seats were planned; what was published does not settle whether the rules lead "
        "there."
    ),
    ("planned", "agreed"): mark("{count} went on, as planned."),
    ("planned", "contradicted"): mark("{count} went on, as planned; the rules in force lead to another number."),
    ("planned", "not-covered"): mark("{count} went on, as planned; no clause in force settled that number."),
    ("planned", "open"): mark(
        "{count} went on, as planned; what was published does not settle whether the rules lead there."
    ),
    ("more", "agreed"): mark("{count} went on where {seats} seats were planned, as the rules in force say."),
    ("more", "contradicted"): mark(
        "{count} went on where {seats} seats were planned; the rules in force lead to another number."
    ),
    ("more", "not-covered"): mark(
        "{count} went on where {seats} seats were planned; no clause in force covered that."
    ),
    ("more", "open"): mark(
        "{count} went on where {seats} seats were planned; what was published does not settle whether the rules lead "
        "there."
    ),
}

TEAM_VERDICTS: Mapping[Verdict, str] = {
    "contradicted": mark("For {teams} the rules in force do not lead to what was decided."),
    "not-covered": mark("For {teams} no clause in force settles the matter."),
    "open": mark("For {teams} what was published does not settle what the rules lead to."),
    "agreed": mark("For {teams} the rules in force lead to what was decided."),
}


def began(outcome: StageOutcome, edition: Edition) -> bool:
    """Whether anything happened in a stage: an act names it, or ballots were counted in it."""
    named = any(getattr(act, "stage", None) == outcome.stage for act in edition.publication.acts.values())
    return named or any(score.act_count for score in outcome.scores.values())


def headline(outcome: StageOutcome, edition: Edition) -> Markup:
    """How the stage ended, in one sentence."""
    decision = decision_of(outcome, edition)
    number = next((holding for holding in outcome.holdings if holding.part == "number"), None)
    if decision is None or number is None:
        waiting = mark("Not decided yet: {teams} teams, {seats} seats.")
        silent = mark("Nothing has happened in this stage yet.")
        values = {"teams": len(outcome.teams), "seats": outcome.seats}
        return edition.say(waiting if began(outcome, edition) else silent, values)
    count = len(decision.goes_on)
    filled: Filled = "fewer" if count < outcome.seats else "planned" if count == outcome.seats else "more"
    return edition.say(HEADLINES[filled, number.verdict], {"count": count, "seats": outcome.seats})


def decision_of(outcome: StageOutcome, edition: Edition) -> Decision | None:
    """The decision that was taken, where one was."""
    act = edition.publication.acts.get(outcome.decision) if outcome.decision is not None else None
    return act if isinstance(act, Decision) else None


def summary(outcome: StageOutcome, edition: Edition) -> tuple[Markup, ...]:
    """What a reader should know first, a sentence or two each."""
    return tuple(sentence for tell in _TOLD for sentence in tell(outcome, edition))


def _verdicts(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    for verdict, message in TEAM_VERDICTS.items():
        teams = [each.subject for each in outcome.holdings if each.part == "team" and each.verdict == verdict]
        if teams:
            yield edition.say(message, {"teams": edition.team_list(teams)})


def _points(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    if outcome.root is None or not outcome.readings:
        return
    first = [team for team, position in outcome.positions.items() if position.worst == 1]
    inside = [fate.team for fate in outcome.readings[0].fates.values() if fate.on_points == "certain"]
    if first:
        yield edition.say(mark("{team} is first on points for certain."), {"team": edition.team_list(first)})
    values = {"seats": outcome.seats, "teams": edition.team_list(inside)}
    if len(inside) == outcome.seats:
        yield edition.say(mark("The first {seats} on points are certain: {teams}."), values)
    elif inside:
        yield edition.say(mark("Certain to be among the first {seats} on points: {teams}."), values)
    else:
        yield edition.say(mark("Which teams are the first {seats} on points is not settled."), values)


def _gates(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    for gate in dict.fromkeys(result.gate for result in outcome.gates):
        results = [result for result in outcome.gates if result.gate == gate]
        failed = [result.team for result in results if result.result == "does-not-meet"]
        if failed:
            values = {"gate": edition.gate(gate), "teams": edition.team_list(failed)}
            yield edition.say(mark("{teams} did not meet the gate “{gate}”."), values)
    if outcome.decision is not None:
        yield from unpublished_gates(outcome, edition)


def unpublished_gates(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    """The gates of which no result is known for any team, a sentence each."""
    known = {result.gate for result in outcome.gates if result.result != "unknown"}
    for gate in dict.fromkeys(result.gate for result in outcome.gates if result.gate not in known):
        yield edition.say(
            mark("No result of the gate “{gate}” was published for any team."), {"gate": edition.gate(gate)}
        )


def _orders(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    if len(outcome.readings) < 2 or outcome.decision is None:
        return
    yield edition.say(mark("No clause in force said whether points or the gate come first."))
    if len({reading.remaining for reading in outcome.readings}) > 1:
        for reading in outcome.readings:
            yield edition.say(
                mark("{order}: {number} go on."),
                {"order": edition.say(ORDERS[reading.order]), "number": remaining(reading, edition)},
            )


def remaining(reading: Reading, edition: Edition) -> Markup:
    """How many go on under a reading."""
    least, most = reading.remaining
    if least == most:
        return Markup("{}").format(least)
    return edition.say(mark("{least} to {most}"), {"least": least, "most": most})


def _calls(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    for holding in outcome.holdings:
        if holding.part == "call":
            yield call_sentence(holding, outcome, edition)


CALLS: Mapping[tuple[str, Verdict], str] = {
    ("opened", "agreed"): mark("The decision opens the call “{call}”, as the rules in force provide."),
    ("opened", "contradicted"): mark(
        "The decision opens the call “{call}”, which the rules in force do not provide."
    ),
    ("opened", "not-covered"): mark("The decision opens the call “{call}”; no clause in force provided for it."),
    ("opened", "open"): mark(
        "The decision opens the call “{call}”; whether the rules provide for it is not settled."
    ),
    ("not-opened", "agreed"): mark("The decision rightly leaves the call “{call}” closed."),
    ("not-opened", "contradicted"): mark("The rules in force open the call “{call}”; the decision does not."),
    ("not-opened", "not-covered"): mark("No clause settles whether the call “{call}” is opened."),
    ("not-opened", "open"): mark("Whether the rules open the call “{call}” is not settled."),
}


def call_sentence(holding: Holding, outcome: StageOutcome, edition: Edition) -> Markup:
    """What a decision does with a call, and whether the rules provide for it."""
    return edition.say(CALLS[holding.decided, holding.verdict], {"call": edition.call(holding.subject)})


def _late_rules(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    if outcome.score_published is not None:
        days = (outcome.score_published.date() - outcome.at.astimezone(outcome.score_published.tzinfo).date()).days
        yield edition.say(
            mark("How points are computed was published on {day}, {days} days after the decision."),
            {"day": edition.day(outcome.score_published), "days": days},
        )


def _conflicts(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    if outcome.conflict:
        yield edition.say(
            mark("Published figures contradict each other, so none of them was used: {figures}."),
            {"figures": Markup("; ").join(support_said(each, outcome.stage, edition) for each in outcome.conflict)},
        )


def _withdrawn(outcome: StageOutcome, edition: Edition) -> Iterator[Markup]:
    if outcome.withdrawn:
        yield edition.say(
            mark("{teams} withdrew before the decision."), {"teams": edition.team_list(outcome.withdrawn)}
        )


_TOLD: tuple[Callable[[StageOutcome, Edition], Iterator[Markup]], ...] = (
    _verdicts,
    _withdrawn,
    _points,
    _gates,
    _orders,
    _calls,
    _late_rules,
    _conflicts,
)
