"""Every outcome of a stage answered once: gaps, overlaps and dead clauses, found over all reachable tallies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from dokja.language import mark
from dokja.rulebook.clauses import Bounds, Consequence, Contingency, Cut, Gate, Stage, TieStep
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.reachable import UNBOUNDED, LevelTeams, Plan, nearest, space
from dokja.rulebook.linter.regions import Box, partition
from dokja.rulebook.linter.subject import Subject
from dokja.rulebook.outcomes import ORDERS, SITUATIONS, Situation, Tally

DECIDING: tuple[TieStep, ...] = ("all-go-on", "none-goes-on", "lot")
"""Tie steps after which no tie is left."""

MOST_PARTS = 50_000
"""More parts than this are not looked through; no rulebook that a person can read comes near it."""

_PRESENT: Mapping[Situation, Box] = {
    "withdrawal-before-decision": {"withdrawn": (1, UNBOUNDED)},
    "gate-undecided": {"undecided": (1, UNBOUNDED)},
    "nobody-remains": {"remaining": (0, 0)},
    "fewer-remain-than-seats": {"remaining": (1, UNBOUNDED)},
    "tie-at-cut": {"contested": (1, UNBOUNDED)},
    "withdrawal-after-decision": {"withdrawn_after": (1, UNBOUNDED)},
    "objection-upheld-after-decision": {"upheld_after": (1, UNBOUNDED)},
}
"""The tallies in which a situation is present.

A tie is settled first: how many remain is asked once it is. One that is settled so that none of the level teams goes
on leaves as many as stood before it; any other leaves what some tally without a tie holds.
"""

_AFTER_A_TIE: tuple[Situation, ...] = ("nobody-remains", "fewer-remain-than-seats", "withdrawal-after-decision")
"""Situations that depend on how a tie was settled."""

_LEVEL: Mapping[str, LevelTeams] = {
    "all-go-on": "all",
    "all-tied-go-on": "all",
    "none-goes-on": "none",
    "none-tied-goes-on": "none",
    "lot": "some",
}
"""What a step of a tie rule, or a consequence, makes of teams that are level on the cut line."""

_UNCOVERED: Mapping[Situation, str] = {
    "withdrawal-before-decision": mark(
        "Teams that withdraw before the decision: {withdrawn} of {entered}. No clause of {stage} says what follows."
    ),
    "gate-undecided": mark(
        "Teams without a gate result at the deadline: {undecided} of {entered}. No clause of {stage} says what "
        "follows."
    ),
    "nobody-remains": mark(
        "0 pass where {seats} seats are planned: no clause of {stage} says what follows. (Entered {entered}, "
        "withdrawn {withdrawn}, failed at a gate {failed}, without a gate result {undecided}, below the minimum "
        "score {below_minimum}.)"
    ),
    "fewer-remain-than-seats": mark(
        "{remaining} pass where {seats} seats are planned: no clause of {stage} says what follows. (Entered "
        "{entered}, withdrawn {withdrawn}, failed at a gate {failed}, without a gate result {undecided}, below the "
        "minimum score {below_minimum}.)"
    ),
    "tie-at-cut": mark(
        "{tied} teams are level on the cut line with seats left for {contested}: no clause of {stage} says who goes "
        "on."
    ),
    "withdrawal-after-decision": mark(
        "Teams that withdraw after the decision: {withdrawn_after} of the {remaining} that go on. No clause of "
        "{stage} says what follows."
    ),
    "objection-upheld-after-decision": mark(
        "Objections upheld after the decision: {upheld_after}. No clause of {stage} says what follows."
    ),
}


_NONE_OF_LEVEL = mark(
    "{tied} teams are level on the cut line and none of them goes on, so that {remaining} pass where {seats} seats "
    "are planned: no clause of {stage} says what follows."
)


@dataclass(frozen=True)
class Answered:
    """What the walk over a stage's outcomes found.

    gaps: the nearest tally that no clause answers, by situation. overlaps: for two clauses a tally that both answer.
    alive: the contingencies that some outcome needs. complete: whether every part was looked at.
    """

    gaps: Mapping[Situation, Tally]
    overlaps: Mapping[tuple[str, str], tuple[Situation, Tally]]
    alive: frozenset[str]
    complete: bool


def plans(subject: Subject, stage: Stage) -> tuple[Plan, ...]:
    """The ways to read a stage: one for each order of gate and points that is left open, one for each answer to a
    gate without a result."""
    cut = next(iter(subject.all(Cut, stage.id)), None)
    answers = {each.consequence for each in subject.all(Contingency, stage.id) if each.situation == "gate-undecided"}
    gates = subject.all(Gate, stage.id)
    readings = {answer == "count-as-passed" for answer in answers} or {False}
    return tuple(
        Plan(
            entrants=stage.entrants,
            seats=stage.seats,
            order=order,
            gated=bool(gates),
            minimum=bool(cut and cut.minimum),
            undecided_pass=reading,
            settled=all(gate.evidence == "points" for gate in gates),
        )
        for order in ([cut.order] if cut and cut.order else ORDERS)
        for reading in sorted(readings)
    )


@dataclass(frozen=True)
class TieEnd:
    """The step of a cut's tie rule that ends every tie."""

    cut: str
    step: TieStep


def tie_end(cut: Cut | None) -> TieEnd | None:
    """The step that ends every tie; `None` where none does."""
    if cut is None:
        return None
    return next((TieEnd(cut.id, rule.step) for rule in cut.ties if rule.step in DECIDING), None)


def answered(subject: Subject, stage: Stage) -> Answered:
    """Every outcome of a stage held against the clauses that answer it."""
    cut = next(iter(subject.all(Cut, stage.id)), None)
    return look_through(plans(subject, stage), subject.all(Contingency, stage.id), tie_end(cut))


@lru_cache(maxsize=256)
def look_through(readings: tuple[Plan, ...], clauses: tuple[Contingency, ...], end: TieEnd | None) -> Answered:
    """Every reachable outcome of the readings of a stage, held against its contingencies.

    end: how the cut's tie rule ends every tie; `None` where it does not.
    """
    settlings = _settlings(clauses, end)
    gaps: dict[Situation, Tally] = {}
    overlaps: dict[tuple[str, str], tuple[Situation, Tally]] = {}
    alive: set[str] = set()
    seen = 0
    for plan in readings:
        for situation in SITUATIONS:
            asked = [clause for clause in clauses if clause.situation == situation]
            names = ([end.cut] if end and situation == "tie-at-cut" else []) + [clause.id for clause in asked]
            boxes: list[Box] = [{}] * (len(names) - len(asked)) + [_box(clause) for clause in asked]
            for tally, held_by in _reached(plan, situation, boxes, settlings):
                seen += 1
                if seen > MOST_PARTS:
                    return Answered(gaps, overlaps, frozenset(alive), complete=False)
                if tally is None:
                    continue
                answering = [names[position] for position in held_by]
                alive.update(answering)
                if not answering:
                    gaps[situation] = min(gaps.get(situation, tally), tally, key=departures)
                for first, second in pairwise(answering):
                    overlaps.setdefault((first, second), (situation, tally))
    return Answered(gaps, overlaps, frozenset(alive), complete=True)


Settling = tuple[LevelTeams, Box]
"""What becomes of teams that are level on the cut line, and in which outcomes."""


def _settlings(clauses: Sequence[Contingency], end: TieEnd | None) -> tuple[Settling, ...]:
    """The tie rule's last step, or else every contingency that settles a tie."""
    if end is not None:
        return ((_LEVEL[end.step], {}),)
    ties = [clause for clause in clauses if clause.situation == "tie-at-cut" and clause.consequence in _LEVEL]
    return tuple((_LEVEL[clause.consequence], _box(clause)) for clause in ties)


def _reached(
    plan: Plan, situation: Situation, boxes: Sequence[Box], settlings: Sequence[Settling]
) -> Iterator[tuple[Tally | None, tuple[int, ...]]]:
    """For each part of the outcomes with a situation the tally nearest to the plan, and the boxes that hold there."""
    settled = settlings if situation in _AFTER_A_TIE else ()
    whole = space(replace(plan, level="all") if any(level == "all" for level, _ in settled) else plan)
    for name, (low, high) in _PRESENT[situation].items():
        whole[name] = (max(whole[name][0], low), min(whole[name][1], high))
    if situation == "fewer-remain-than-seats":
        whole["remaining"] = (1, plan.seats - 1)
    shortfall = situation in ("nobody-remains", "fewer-remain-than-seats")
    if shortfall and not any(level == "none" for level, _ in settled):
        whole["contested"] = (0, 0)
    for part in partition(
        whole, [*boxes, *(box for _, box in settled), *([{"contested": (0, 0)}] if settled else [])]
    ):
        held_by = tuple(position for position in part.held_by if position < len(boxes))
        levels = {level for at, (level, _) in enumerate(settled, start=len(boxes)) if at in part.held_by}
        level: LevelTeams = levels.pop() if len(levels) == 1 else "some"
        if shortfall and part.box["contested"][0] > 0 and level != "none":
            continue
        yield nearest(part.box, replace(plan, level=level)), held_by


def _box(clause: Contingency) -> Box:
    limits: Mapping[str, Bounds | None] = dict(clause.when)
    return {
        name: (limit.at_least, UNBOUNDED if limit.at_most is None else limit.at_most)
        for name, limit in limits.items()
        if limit is not None
    }


def departures(tally: Tally) -> tuple[int, ...]:
    """How far a tally is from the plan; the smaller, the likelier to be met."""
    out = tally.withdrawn + tally.failed + tally.below_minimum + tally.undecided
    return (out - tally.entered, tally.tied, tally.withdrawn_after + tally.upheld_after, -tally.remaining)


def said(tally: Tally, stage: Stage) -> dict[str, str]:
    """A tally's counts as texts, for messages."""
    names = (
        "entered",
        "seats",
        "withdrawn",
        "undecided",
        "failed",
        "below_minimum",
        "remaining",
        "tied",
        "contested",
    )
    more = ("withdrawn_after", "upheld_after")
    return {"stage": stage.id, **{name: str(getattr(tally, name)) for name in (*names, *more)}}


def uncovered(subject: Subject) -> Iterator[Remark]:
    """A reachable outcome that no clause covers; of each situation the one nearest to the plan."""
    for stage in subject.stages:
        for situation, tally in answered(subject, stage).gaps.items():
            if situation == "tie-at-cut" and not _any_tie_rule(subject, stage):
                continue
            after_a_tie = situation in ("nobody-remains", "fewer-remain-than-seats") and tally.contested
            yield subject.remark(
                stage,
                _NONE_OF_LEVEL if after_a_tie else _UNCOVERED[situation],
                mark("Add a contingency for “{situation}” that holds there, or widen the one that there is."),
                {**said(tally, stage), "situation": situation},
            )


def _any_tie_rule(subject: Subject, stage: Stage) -> bool:
    cut = next(iter(subject.all(Cut, stage.id)), None)
    contingencies = subject.all(Contingency, stage.id)
    return bool(cut and cut.ties) or any(each.situation == "tie-at-cut" for each in contingencies)


def overlapping(subject: Subject) -> Iterator[Remark]:
    """Two clauses that both answer one outcome."""
    for stage in subject.stages:
        for (first, second), (situation, tally) in answered(subject, stage).overlaps.items():
            yield subject.remark(
                subject.rules.enacted[second].clause,
                mark(
                    "“{second}” and “{first}” both apply to one outcome of {stage} ({situation}; passed "
                    "{remaining}, seats {seats}, withdrawn {withdrawn}, failed {failed}, undecided {undecided}, "
                    "level {tied})."
                ),
                mark("Give the two conditions that exclude each other, or keep one of them."),
                {**said(tally, stage), "first": first, "second": second, "situation": situation},
            )


def unreachable(subject: Subject) -> Iterator[Remark]:
    """Contingencies that no outcome can need, and tie steps after one that parts every tie."""
    for stage in subject.stages:
        found = answered(subject, stage)
        for clause in subject.all(Contingency, stage.id):
            if found.complete and clause.id not in found.alive:
                yield subject.remark(
                    clause,
                    mark("No outcome of {stage} can meet the conditions of “{clause}”: it never applies."),
                    mark("Correct its conditions, or take the clause out."),
                )
        for cut in subject.all(Cut, stage.id):
            steps = [rule.step for rule in cut.ties]
            if any(step in DECIDING for step in steps[:-1]):
                yield subject.remark(
                    cut,
                    mark(
                        "The tie rule of “{clause}” goes on after a step that leaves no tie; the rest never applies."
                    ),
                    mark("Put the step that ends every tie last."),
                )


def too_fine(subject: Subject) -> Iterator[Remark]:
    """Conditions that cut the outcomes of a stage into more parts than can be looked through."""
    for stage in subject.stages:
        if not answered(subject, stage).complete:
            yield subject.remark(
                stage,
                mark("The conditions of the contingencies of {stage} are too many to look through every outcome."),
                mark("Write fewer and plainer conditions."),
            )


def order_unsaid(subject: Subject) -> Iterator[Remark]:
    """A cut that does not say whether gate or points come first, where there is a gate."""
    for stage in subject.stages:
        for cut in subject.all(Cut, stage.id):
            if cut.order is None and subject.all(Gate, stage.id):
                yield subject.remark(
                    cut,
                    mark(
                        "“{clause}” does not say whether the gate or the points come first. With one team failing, "
                        "{first} of {entrants} go on if the gate comes first and {second} if the points do."
                    ),
                    mark("Write order: gate-then-points or order: points-then-gate."),
                    {
                        "entrants": str(stage.entrants),
                        "first": str(min(stage.seats, stage.entrants - 1)),
                        "second": str(min(stage.seats, stage.entrants) - 1),
                    },
                )


def no_tie_rule(subject: Subject) -> Iterator[Remark]:
    """A cut that leaves teams level on the cut line, where there can be more teams than seats."""
    for stage in subject.stages:
        for cut in subject.all(Cut, stage.id):
            if stage.entrants > stage.seats and not _any_tie_rule(subject, stage):
                yield subject.remark(
                    cut,
                    mark(
                        "“{clause}” has no tie rule: when teams are level on the cut line, nothing says who goes on."
                    ),
                    mark("Write ties: measures to compare first, then a last step that always decides, such as lot."),
                )


_FREE_SEATS: tuple[Consequence, ...] = (
    "go-on-with-fewer",
    "open-call",
    "next-on-points",
    "decide-again",
    "end-programme",
)

_ANSWERS: Mapping[Situation, tuple[Consequence, ...]] = {
    "withdrawal-before-decision": ("leave-the-ranking", "open-call", "end-programme"),
    "gate-undecided": ("count-as-failed", "count-as-passed", "end-programme"),
    "nobody-remains": _FREE_SEATS,
    "fewer-remain-than-seats": _FREE_SEATS,
    "tie-at-cut": ("all-tied-go-on", "none-tied-goes-on", "lot"),
    "withdrawal-after-decision": _FREE_SEATS,
    "objection-upheld-after-decision": ("decide-again", "end-programme"),
}
"""What can follow in a situation: a tie is not answered by a new call, nor an empty seat by a lot."""


def unfitting_consequence(subject: Subject) -> Iterator[Remark]:
    """A contingency that answers another question than the one its situation asks."""
    for clause in subject.rules.of(Contingency):
        fitting = _ANSWERS[clause.situation]
        if clause.consequence not in fitting:
            yield subject.remark(
                clause,
                mark("“{clause}” answers “{situation}” by “{consequence}”, which settles nothing there."),
                mark("Write one of: {fitting}."),
                {
                    "situation": clause.situation,
                    "consequence": clause.consequence,
                    "fitting": ", ".join(fitting),
                },
            )


def no_cut(subject: Subject) -> Iterator[Remark]:
    """A stage without a cut."""
    for stage in subject.stages:
        if not subject.all(Cut, stage.id):
            yield subject.remark(
                stage,
                mark("No clause says who of {stage} goes on."),
                mark("Add a cut: the order of gate and points, the tie rule, the minimum score."),
                {"stage": stage.id},
            )
