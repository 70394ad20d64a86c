"""The cut is sound: what it calls certain or excluded holds in every completion of what is not known."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from dokja.adjudicate.cut import Field, Tie, fates, remaining, settle_ties, tie_at_cut
from dokja.adjudicate.interval import Interval, between, point
from dokja.adjudicate.outcome import Modality
from dokja.rulebook.clauses import TieRule
from dokja.rulebook.outcomes import ORDERS, Order

NAMES = ("a", "b", "c", "d")
STEPS: dict[str, TieRule | None] = {
    "none": None,
    "all": TieRule(step="all-go-on"),
    "nobody": TieRule(step="none-goes-on"),
}


def field(totals: dict[str, Interval], gates: dict[str, Modality], seats: int, last: TieRule | None = None) -> Field:
    teams = tuple(totals)
    above = frozenset((x, y) for x, y in product(teams, teams) if totals[x].lower > totals[y].upper)
    scores = {(team, "total"): interval for team, interval in totals.items()}
    ahead, level = settle_ties(teams, above, scores, "total", ())
    passing: dict[str, Modality] = dict.fromkeys(teams, "certain")
    return Field(teams, seats, gates, ahead, level, passing, frozenset(), last)


def worlds(totals: dict[str, Interval], gates: dict[str, Modality]) -> list[tuple[dict[str, Fraction], set[str]]]:
    """Every completion on whole numbers: totals in their intervals, a result for every gate."""
    numbers = [[Fraction(n) for n in range(int(each.lower), int(each.upper) + 1)] for each in totals.values()]
    results = [[True, False] if gate == "possible" else [gate == "certain"] for gate in gates.values()]
    return [
        (dict(zip(totals, chosen, strict=True)), {team for team, met in zip(totals, passed, strict=True) if met})
        for chosen in product(*numbers)
        for passed in product(*results)
    ]


def plain_cut(scores: dict[str, Fraction], passed: set[str], seats: int, order: Order, last: str) -> list[set[str]]:
    """Who goes on, written as an office would do it by hand: sort, take the first, look at the line.

    With no tie rule every way of parting level teams is possible, so several sets come back.
    """
    pool = passed if order == "gate-then-points" else set(scores)
    ranked = sorted(pool, key=lambda team: (-scores[team], team))
    if len(ranked) <= seats:
        return [set(ranked) & passed]
    line = scores[ranked[seats - 1]]
    clear = {team for team in ranked if scores[team] > line}
    level = {team for team in ranked if scores[team] == line}
    if len(clear) + len(level) <= seats:
        return [(clear | level) & passed]
    if last == "all":
        return [(clear | level) & passed]
    if last == "nobody":
        return [clear & passed]
    free = seats - len(clear)
    return [(clear | set(some)) & passed for some in product(sorted(level), repeat=free) if len(set(some)) == free]


intervals = st.tuples(st.integers(0, 3), st.integers(0, 2)).map(lambda pair: between(pair[0], pair[0] + pair[1]))
modalities: st.SearchStrategy[Modality] = st.sampled_from(["certain", "possible", "excluded"])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(intervals, modalities), min_size=2, max_size=4),
    st.integers(1, 4),
    st.sampled_from(ORDERS),
    st.sampled_from(sorted(STEPS)),
)
def test_certain_and_excluded_hold_in_every_completion(
    drawn: list[tuple[Interval, Modality]], seats: int, order: Order, last: str
) -> None:
    totals = {name: interval for name, (interval, _) in zip(NAMES, drawn, strict=False)}
    gates = {name: gate for name, (_, gate) in zip(NAMES, drawn, strict=False)}
    held = field(totals, gates, seats, STEPS[last])
    found = fates(held, order)
    least, most = remaining(held, order, found)
    outcomes = [
        outcome
        for scores, passed in worlds(totals, gates)
        for outcome in plain_cut(scores, passed, seats, order, last)
    ]
    for outcome in outcomes:
        assert least <= len(outcome) <= most
        for team, fate in found.items():
            assert fate.goes_on != "certain" or team in outcome
            assert fate.goes_on != "excluded" or team not in outcome
    if len(outcomes) == 1:
        assert all(fate.goes_on == ("certain" if team in outcomes[0] else "excluded") for team, fate in found.items())


def test_a_tie_on_the_line_is_named_with_its_teams_and_seats() -> None:
    totals = {"a": point(9), "b": point(7), "c": point(7), "d": point(7)}
    held = field(totals, dict.fromkeys(NAMES, "certain"), 2)
    found = fates(held, "gate-then-points")
    assert tie_at_cut(held, "gate-then-points", found) == Tie("certain", ("b", "c", "d"), ("a",), 1)
    assert found["b"].reason == "tied-at-cut"
    alone = field(totals, dict.fromkeys(NAMES, "certain"), 1)
    assert tie_at_cut(alone, "gate-then-points", found) == Tie("excluded")


def test_a_tie_is_parted_by_the_first_measure_that_differs() -> None:
    scores = {
        ("a", "total"): point(7),
        ("b", "total"): point(7),
        ("a", "expert"): point(3),
        ("b", "expert"): point(3),
        ("a", "user"): point(1),
        ("b", "user"): point(2),
    }
    steps = [TieRule(step="measure", measure="expert"), TieRule(step="measure", measure="user")]
    assert settle_ties(("a", "b"), frozenset(), scores, "total", steps)[0] == {("b", "a")}
    hidden = {**scores, ("a", "expert"): between(2, 4)}
    ahead, level = settle_ties(("a", "b"), frozenset(), hidden, "total", steps)
    assert not ahead
    assert not level
