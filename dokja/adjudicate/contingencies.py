"""Which situations a stage ended in, and which contingencies in force answer them.

The linter asks the same questions of every tally that can happen; here there is one, but its counts may be known
only as ranges. A situation is certain where every tally in the ranges has it, excluded where none has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dokja.adjudicate.cut import Field, deciding_step, remaining, tie_at_cut
from dokja.adjudicate.outcome import Fate, Modality, SituationFound
from dokja.rulebook.clauses import Bounds, Condition, Contingency, Cut, TieRule, TieStep
from dokja.rulebook.outcomes import SITUATIONS, Order, Situation

Range = tuple[int, int]

_NO_TIE: Mapping[str, Range] = {"tied": (0, 0), "contested": (0, 0)}

_SETTLED_BY: Mapping[str, TieStep] = {
    "all-tied-go-on": "all-go-on",
    "none-tied-goes-on": "none-goes-on",
    "lot": "lot",
}
"""What a contingency's consequence is as a step of a tie rule."""


def settled_tie(situations: Iterable[SituationFound]) -> TieRule | None:
    """The step by which the one contingency that answers a certain tie settles it; `None` where there is none."""
    for found in situations:
        if (found.situation, found.modality, len(found.consequences)) == ("tie-at-cut", "certain", 1):
            step = _SETTLED_BY.get(found.consequences[0])
            return TieRule(step=step) if step else None
    return None


def found_situations(
    field: Field,
    order: Order,
    fates: Mapping[str, Fate],
    after: Mapping[str, int],
    contingencies: Sequence[Contingency],
    cut: Cut | None,
) -> tuple[SituationFound, ...]:
    """The situations that are certain or possible under one order, in the order in which rules answer them.

    after: the counts `withdrawn`, `withdrawn_after` and `upheld_after` of the stage.
    """
    tie = tie_at_cut(field, order, fates)
    left = remaining(field, order, fates)
    before_tie = _goes_on(fates[team] for team in tie.ahead) if tie.contested else left
    tied = len(tie.teams)
    counts: dict[str, Range] = {
        "undecided": _count(team in field.undecided for team in field.teams),
        "failed": _count_modal(at_gate for team, at_gate in field.at_gate.items() if team not in field.undecided),
        "below_minimum": _count_modal(
            minimum for team, minimum in field.minimum.items() if field.at_gate[team] != "excluded"
        ),
        "remaining": before_tie,
        "tied": (tied, tied),
        "contested": (tie.contested, tie.contested),
        **{name: (count, count) for name, count in after.items()},
    }
    presence: dict[Situation, Modality] = {
        "withdrawal-before-decision": _reaches(counts["withdrawn"], 1, None),
        "gate-undecided": _reaches(counts["undecided"], 1, None),
        "nobody-remains": _reaches(left, 0, 0),
        "fewer-remain-than-seats": _reaches(left, 1, field.seats - 1),
        "tie-at-cut": tie.modality,
        "withdrawal-after-decision": _reaches(counts["withdrawn_after"], 1, None),
        "objection-upheld-after-decision": _reaches(counts["upheld_after"], 1, None),
    }
    none_of_level = field.last_step is not None and field.last_step.step == "none-goes-on"
    return tuple(
        _found(
            situation, presence[situation], field.seats, left, counts, contingencies, cut, none_of_level=none_of_level
        )
        for situation in SITUATIONS
        if presence[situation] != "excluded"
    )


def _found(
    situation: Situation,
    modality: Modality,
    seats: int,
    left: Range,
    counts: Mapping[str, Range],
    contingencies: Sequence[Contingency],
    cut: Cut | None,
    *,
    none_of_level: bool,
) -> SituationFound:
    """A situation with the clauses that answer it.

    How many remain is asked once a tie is settled: then there is none, unless it was settled by letting none go on.
    """
    where_present = dict(counts)
    if situation in ("nobody-remains", "fewer-remain-than-seats"):
        where_present |= {"remaining": _clip(left, situation, seats), **({} if none_of_level else _NO_TIE)}
    answering = [
        contingency
        for contingency in contingencies
        if contingency.situation == situation and may_hold(contingency.when, where_present)
    ]
    clauses = [contingency.id for contingency in answering]
    consequences: list[str] = [contingency.consequence for contingency in answering]
    step = deciding_step(cut)
    if situation == "tie-at-cut" and cut is not None and step is not None:
        clauses.insert(0, cut.id)
        consequences.insert(0, step.step)
    calls = tuple(each.call for each in answering if each.consequence == "open-call" and each.call is not None)
    return SituationFound(situation, modality, seats, left, tuple(clauses), tuple(consequences), calls)


def may_hold(condition: Condition, counts: Mapping[str, Range]) -> bool:
    """Whether some tally in the ranges meets a contingency's further conditions."""
    bounds: Iterable[tuple[str, Bounds | None]] = dict(condition).items()
    return all(
        limit is None
        or (counts[name][1] >= limit.at_least and (limit.at_most is None or counts[name][0] <= limit.at_most))
        for name, limit in bounds
    )


def _clip(counted: Range, situation: Situation, seats: int) -> Range:
    if situation == "fewer-remain-than-seats":
        return max(counted[0], 1), min(counted[1], seats - 1)
    return 0, 0


def _count(flags: Iterable[bool]) -> Range:
    number = sum(flags)
    return number, number


def _goes_on(fates: Iterable[Fate]) -> Range:
    """How many of the teams go on, at least and at most."""
    each = [fate.goes_on for fate in fates]
    return each.count("certain"), len(each) - each.count("excluded")


def _count_modal(modalities: Iterable[Modality]) -> Range:
    """How many are excluded, at least and at most."""
    each = list(modalities)
    return each.count("excluded"), len(each) - each.count("certain")


def _reaches(counted: Range, lowest: int, highest: int | None) -> Modality:
    low, high = counted
    if high < lowest or (highest is not None and low > highest):
        return "excluded"
    return "certain" if low >= lowest and (highest is None or high <= highest) else "possible"
