"""Who is ahead of whom for certain, and between which places each team stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from dokja.adjudicate.interval import Interval
from dokja.adjudicate.narrowing import Ahead, Narrowing
from dokja.adjudicate.outcome import Position

Pair = tuple[str, str]


def differences(narrowing: Narrowing, totals: Mapping[str, Interval]) -> dict[Pair, Fraction]:
    """The most that one team's total can exceed another's, for every ordered pair of teams.

    Where nothing ties the totals together, or where their intervals do not overlap, the intervals say it already.
    """
    root = narrowing.root.id
    most: dict[Pair, Fraction] = {}
    for first in narrowing.teams:
        for second in narrowing.teams:
            if first == second:
                continue
            apart = totals[first].upper - totals[second].lower
            exact = totals[first].exact and totals[second].exact
            if narrowing.system.constraints and not exact and apart >= 0:
                form = narrowing.form((root, first, 1), (root, second, -1))
                apart = min(apart, narrowing.most(form))
            most[first, second] = apart
    return most


def certainly_above(narrowing: Narrowing, most: Mapping[Pair, Fraction]) -> frozenset[Pair]:
    """The pairs (a, b) of which a's total is strictly higher than b's, whatever the unknowns are.

    Either b's total can only be lower; or it can at most be level, and of some part of the total it is published
    that a's is strictly higher while the rest of a's total is proven to be no lower than the rest of b's.
    """
    pairs = [(a, b) for a in narrowing.teams for b in narrowing.teams if a != b]
    return frozenset((a, b) for a, b in pairs if most[b, a] < 0 or (most[b, a] == 0 and _strictly(narrowing, a, b)))


def _strictly(narrowing: Narrowing, above: str, below: str) -> bool:
    return any(_rest_no_lower(narrowing, fact) for fact in _facts(narrowing, above, below))


def _facts(narrowing: Narrowing, above: str, below: str) -> Iterator[Ahead]:
    return (fact for fact in narrowing.ahead if (fact.ahead, fact.behind) == (above, below))


def _rest_no_lower(narrowing: Narrowing, fact: Ahead) -> bool:
    """Whether the total without the fact's measure is no higher for the team behind than for the one ahead."""
    root = narrowing.root.id
    rest = narrowing.form(
        (root, fact.behind, 1), (root, fact.ahead, -1), (fact.measure, fact.behind, -1), (fact.measure, fact.ahead, 1)
    )
    return narrowing.most({column: factor for column, factor in rest.items() if factor}) <= 0


def positions(teams: tuple[str, ...], most: Mapping[Pair, Fraction], above: frozenset[Pair]) -> dict[str, Position]:
    """Each team's best and worst place: one more than the teams that must, or may, be strictly ahead."""
    return {
        team: Position(
            team,
            best=1 + sum((other, team) in above for other in teams),
            worst=1 + sum(other != team and most[other, team] > 0 and (team, other) not in above for other in teams),
        )
        for team in teams
    }
