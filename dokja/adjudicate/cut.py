"""Who goes on: gate and points in either order, the seats, the tie rule, the minimum score.

A stage is read in every order that the rulebook in force leaves open. Each conclusion is drawn from three relations
that hold whatever the unknowns are: who passes, who is strictly ahead, who is level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from dokja.adjudicate.interval import Interval
from dokja.adjudicate.outcome import Fate, FateReason, Modality, both
from dokja.rulebook.clauses import Cut, TieRule
from dokja.rulebook.outcomes import Order


@dataclass(frozen=True)
class Field:
    """The teams that a cut is made among, and what is known of them.

    at_gate: whether each passes; ahead: pairs (a, b) where a is placed before b for certain, tie rule included;
    level: pairs that no rule parts for certain; by_lot: those of them that a lot parted, the first drawn first;
    scores: totals; undecided: teams whose gate has no result.
    """

    teams: tuple[str, ...]
    seats: int
    at_gate: Mapping[str, Modality]
    ahead: frozenset[tuple[str, str]]
    level: frozenset[tuple[str, str]]
    minimum: Mapping[str, Modality]
    undecided: frozenset[str]
    last_step: TieRule | None
    by_lot: frozenset[tuple[str, str]] = frozenset()


def compared(cut: Cut | None) -> tuple[TieRule, ...]:
    """The measures that a cut's tie rule compares, up to the step that ends every tie."""
    return tuple(takewhile(lambda rule: rule.step == "measure", cut.ties if cut else ()))


def deciding_step(cut: Cut | None) -> TieRule | None:
    """The first step of a cut's tie rule that ends every tie; `None` where there is none."""
    return next((rule for rule in (cut.ties if cut else ()) if rule.step != "measure"), None)


def settle_ties(
    teams: Sequence[str],
    above: frozenset[tuple[str, str]],
    scores: Mapping[tuple[str, str], Interval],
    root: str | None,
    steps: Sequence[TieRule],
) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Who is ahead after the tie rule's comparisons, and which pairs are level for certain after all of them.

    Only teams whose totals are known exactly are level for certain; a comparison counts where it is certain.
    """
    ahead, level = set(above), set[tuple[str, str]]()
    if root is None:
        return frozenset(ahead), frozenset(level)
    for first in teams:
        for second in teams:
            if first != second and _same(scores[first, root], scores[second, root]):
                verdict = _first_difference(first, second, scores, steps)
                if verdict is None:
                    level.add((first, second))
                elif verdict > 0:
                    ahead.add((first, second))
    return frozenset(ahead), frozenset(level)


def _same(one: Interval, other: Interval) -> bool:
    return one.exact and one == other


def _first_difference(
    first: str, second: str, scores: Mapping[tuple[str, str], Interval], steps: Sequence[TieRule]
) -> int | None:
    """1 where a step puts the first ahead, -1 where it puts it behind, 0 where unknowns hide it, None where level."""
    for step in steps:
        if step.measure is None or (first, step.measure) not in scores:
            continue
        own, other = scores[first, step.measure], scores[second, step.measure]
        if own.lower > other.upper:
            return 1
        if other.lower > own.upper:
            return -1
        if not _same(own, other):
            return 0
    return None


def minimum_reached(teams: Sequence[str], scores: Mapping[str, Interval], cut: Cut | None) -> dict[str, Modality]:
    """Whether each team reaches the minimum score, where there is one."""
    if cut is None or cut.minimum is None:
        return dict.fromkeys(teams, "certain")
    least = Fraction(cut.minimum)
    return {
        team: "certain" if scores[team].lower >= least else "excluded" if scores[team].upper < least else "possible"
        for team in teams
    }


def fates(field: Field, order: Order) -> dict[str, Fate]:
    """Every team's fate under one order of gate and points, before any contingency."""
    return {team: _fate(field, order, team) for team in field.teams}


def _fate(field: Field, order: Order, team: str) -> Fate:
    everybody = [other for other in field.teams if other != team]
    on_points = _inside(field, team, everybody, everybody)
    passes = both(field.at_gate[team], field.minimum[team])
    if order == "points-then-gate":
        goes_on = both(on_points, passes)
    else:
        passing = {other: both(field.at_gate[other], field.minimum[other]) for other in everybody}
        rivals = [other for other in everybody if passing[other] != "excluded"]
        certain_rivals = [other for other in everybody if passing[other] == "certain"]
        goes_on = both(_inside(field, team, rivals, certain_rivals), passes)
    reason = _reason(field, team, goes_on, on_points)
    return Fate(team, goes_on, reason, on_points, field.at_gate[team], field.minimum[team])


def _inside(field: Field, team: str, rivals: Sequence[str], certain_rivals: Sequence[str]) -> Modality:
    """Whether a team is among the first `seats`: certain if too few rivals can be level or ahead.

    Teams that are level on the cut line all go on, or none does, where the tie rule ends so.
    """
    ahead = field.ahead | field.by_lot
    before = sum((rival, team) in ahead for rival in certain_rivals)
    if before >= field.seats:
        return "excluded"
    not_behind = [rival for rival in rivals if (team, rival) not in ahead]
    if len(not_behind) < field.seats:
        return "certain"
    possibly_before = [rival for rival in not_behind if (team, rival) not in field.level]
    tied_for_certain = sum((team, rival) in field.level for rival in certain_rivals)
    match field.last_step.step if field.last_step else None:
        case "all-go-on" if len(possibly_before) < field.seats:
            return "certain"
        case "none-goes-on" if before + tied_for_certain >= field.seats:
            return "excluded"
        case _:
            return "possible"


def _reason(field: Field, team: str, goes_on: Modality, on_points: Modality) -> FateReason:
    checks: tuple[tuple[bool, FateReason], ...] = (
        (goes_on == "certain", "inside-cut"),
        (field.at_gate[team] == "excluded", "failed-gate"),
        (field.minimum[team] == "excluded", "below-minimum"),
        (goes_on == "excluded", "outside-cut"),
        (team in field.undecided, "undecided-gate"),
        (any(pair[0] == team for pair in field.level) and on_points == "possible", "tied-at-cut"),
    )
    return next((reason for holds, reason in checks if holds), "open")


def remaining(field: Field, order: Order, found: Mapping[str, Fate]) -> tuple[int, int]:
    """How many teams go on before any contingency, at least and at most.

    Gate first: as many as pass, up to the seats. Points first: the seats filled by points less those of them who
    fail. Teams that are level on the cut line and go on or stay out together widen or narrow the seats.
    """
    surely = sum(fate.goes_on == "certain" for fate in found.values())
    at_all = sum(fate.goes_on != "excluded" for fate in found.values())
    places = min(field.seats, len(field.teams))
    if order == "gate-then-points":
        least = min(places, sum(fate.passes == "certain" for fate in found.values()))
        most = min(places, sum(fate.passes != "excluded" for fate in found.values()))
    else:
        doubtful = sum(fate.on_points != "excluded" and fate.passes != "certain" for fate in found.values())
        failing = sum(fate.on_points == "certain" and fate.passes == "excluded" for fate in found.values())
        least, most = max(places - doubtful, 0), places - failing
    step = field.last_step.step if field.last_step else None
    least = surely if step == "none-goes-on" else max(least, surely)
    most = at_all if step == "all-go-on" else min(most, at_all)
    return min(least, most), max(most, surely)


@dataclass(frozen=True)
class Tie:
    """Teams that are level on the cut line, the teams ahead of them, and the seats left for them.

    Where a tie is only possible, nothing is known of who is in it.
    """

    modality: Modality
    teams: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    contested: int = 0


def tie_at_cut(field: Field, order: Order, found: Mapping[str, Fate]) -> Tie:
    """Whether teams are level on the cut line with too few seats for them."""
    pool = [team for team in field.teams if order == "points-then-gate" or found[team].passes == "certain"]
    may_be_in_pool = [team for team in field.teams if order == "points-then-gate" or found[team].passes != "excluded"]
    for team in pool:
        group = tuple(other for other in pool if other == team or (team, other) in field.level)
        ahead = tuple(other for other in pool if (other, team) in field.ahead)
        if len(pool) == len(may_be_in_pool) and len(ahead) < field.seats < len(ahead) + len(group):
            return Tie("certain", group, ahead, field.seats - len(ahead))
    if len(may_be_in_pool) <= field.seats:
        return Tie("excluded")
    clear = sum(
        sum((team, other) not in field.ahead for other in may_be_in_pool if other != team) < field.seats
        for team in may_be_in_pool
    )
    return Tie("excluded" if clear >= field.seats else "possible")
