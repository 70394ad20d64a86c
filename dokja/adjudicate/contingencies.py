"""Which situations a stage ended in, and which contingencies in force answer them.

The linter asks the same questions of every tally that can happen; here there is one, but its counts may be known
only as ranges. A situation is certain where every tally in the ranges has it, excluded where none has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dokja.adjudicate.cut import Field, remaining, tie_at_cut
from dokja.adjudicate.outcome import Fate, Modality, SituationFound
from dokja.rulebook.clauses import Bounds, Condition, Contingency, Cut
from dokja.rulebook.outcomes import SITUATIONS, Order, Situation

Range = tuple[int, int]

DECIDING_STEPS = ("all-go-on", "none-goes-on", "lot")


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
    tie, tied, contested = tie_at_cut(field, order, fates)
    left = remaining(field, order, fates)
    counts: dict[str, Range] = {
        "undecided": _count(team in field.undecided for team in field.teams),
        "failed": _count_modal(at_gate for team, at_gate in field.at_gate.items() if team not in field.undecided),
        "below_minimum": _count_modal(
            minimum for team, minimum in field.minimum.items() if field.at_gate[team] != "excluded"
        ),
        "remaining": (left[0] - contested, left[1] - contested) if contested else left,
        "tied": (tied, tied),
        "contested": (contested, contested),
        **{name: (count, count) for name, count in after.items()},
    }
    presence: dict[Situation, Modality] = {
        "withdrawal-before-decision": _reaches(counts["withdrawn"], 1, None),
        "gate-undecided": _reaches(counts["undecided"], 1, None),
        "nobody-remains": _reaches(left, 0, 0),
        "fewer-remain-than-seats": _reaches(left, 1, field.seats - 1),
        "tie-at-cut": tie,
        "withdrawal-after-decision": _reaches(counts["withdrawn_after"], 1, None),
        "objection-upheld-after-decision": _reaches(counts["upheld_after"], 1, None),
    }
    return tuple(
        _found(situation, presence[situation], field.seats, left, counts, contingencies, cut)
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
) -> SituationFound:
    where_present = {**counts, "remaining": _clip(counts["remaining"], situation, seats)}
    answering = [
        contingency
        for contingency in contingencies
        if contingency.situation == situation and may_hold(contingency.when, where_present)
    ]
    clauses = [contingency.id for contingency in answering]
    consequences: list[str] = [contingency.consequence for contingency in answering]
    if situation == "tie-at-cut" and cut is not None and cut.ties and cut.ties[-1].step in DECIDING_STEPS:
        clauses.insert(0, cut.id)
        consequences.insert(0, cut.ties[-1].step)
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
    return (0, 0) if situation == "nobody-remains" else counted


def _count(flags: Iterable[bool]) -> Range:
    number = sum(flags)
    return number, number


def _count_modal(modalities: Iterable[Modality]) -> Range:
    """How many are excluded, at least and at most."""
    each = list(modalities)
    return each.count("excluded"), len(each) - each.count("certain")


def _reaches(counted: Range, lowest: int, highest: int | None) -> Modality:
    low, high = counted
    if high < lowest or (highest is not None and low > highest):
        return "excluded"
    return "certain" if low >= lowest and (highest is None or high <= highest) else "possible"
