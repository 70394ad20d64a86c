"""The reachable tallies, against every team's fate played through one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, replace
from functools import cache
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokja.rulebook.linter.reachable import LevelTeams, Plan, nearest, space
from dokja.rulebook.linter.regions import Range, partition
from dokja.rulebook.outcomes import Order, Tally

COUNTS = ("withdrawn", "undecided", "failed", "below_minimum", "remaining", "tied", "contested")
PLANS = [
    Plan(entrants, seats, order, gated, minimum, undecided_pass, settled=settled)
    for entrants, seats in ((1, 1), (2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (3, 4))
    for order in get_args(Order)
    for gated, undecided_pass, settled in (
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (True, False, True),
    )
    for minimum in (False, True)
    if not (entrants == 4 and gated and minimum)  # played through team by team these take minutes
]


def _ranked(teams: int) -> Iterator[tuple[int, ...]]:
    """Every weak order of so many teams, as levels from 0 (first); levels are used without a gap."""
    for levels in product(range(teams), repeat=teams):
        if set(levels) == set(range(len(set(levels)))):
            yield levels


def _at_gate(plan: Plan) -> tuple[str, ...]:
    """What can become of a team at the gates."""
    return (
        "meets",
        *(("fails",) if plan.gated else ()),
        *(("undecided",) if plan.gated and not plan.settled else ()),
    )


@cache
def played(plan: Plan) -> frozenset[tuple[int, ...]]:
    """The tallies of every stage that can happen: each team's fate, each order of points, each minimum."""
    found = set()
    for entered in range(1, plan.entrants + 1):
        for withdrawn in range(entered + 1):
            ranked = entered - withdrawn
            statuses = _at_gate(plan)
            for gates in product(statuses, repeat=ranked):
                for levels in _ranked(ranked):
                    for line in range(len(set(levels)) + 1) if plan.minimum else (len(levels),):
                        found.add((entered, withdrawn, *_end(plan, gates, levels, line)))
    return frozenset(found)


@cache
def most_going_on(plan: Plan) -> dict[tuple[int, ...], int]:
    """For each tally that can be played, how many teams can go on at most once a tie is settled as the plan says."""
    most: dict[tuple[int, ...], int] = {}
    for entered in range(1, plan.entrants + 1):
        for withdrawn in range(entered + 1):
            statuses = _at_gate(plan)
            for gates in product(statuses, repeat=entered - withdrawn):
                for levels in _ranked(entered - withdrawn):
                    for line in range(len(set(levels)) + 1) if plan.minimum else (len(levels),):
                        end = _end(plan, gates, levels, line)
                        remaining, _, contested = end[3:]
                        seated = {"some": min(contested, _good_among_level(plan, gates, levels, line))}
                        seated |= {"all": _good_among_level(plan, gates, levels, line), "none": 0}
                        point = (withdrawn, *end)
                        going = remaining + (seated[plan.level] if contested else 0)
                        most[point] = max(most.get(point, 0), going)
    return most


def _good_among_level(plan: Plan, gates: tuple[str, ...], levels: tuple[int, ...], line: int) -> int:
    """How many of the teams that are level on the cut line pass and reach the minimum."""
    fine = [
        level < line and (gate == "meets" or (gate == "undecided" and plan.undecided_pass))
        for gate, level in zip(gates, levels, strict=True)
    ]
    ranked = [level for level, good in zip(levels, fine, strict=True) if plan.order == "points-then-gate" or good]
    if len(ranked) <= plan.seats:
        return 0
    last = sorted(ranked)[plan.seats - 1]
    return sum(good for level, good in zip(levels, fine, strict=True) if level == last)


def _end(plan: Plan, gates: tuple[str, ...], levels: tuple[int, ...], line: int) -> tuple[int, ...]:
    """The tally where teams on a level of at least `line` are below the minimum score."""
    at_gate = [gate == "meets" or (gate == "undecided" and plan.undecided_pass) for gate in gates]
    good = [passes and level < line for passes, level in zip(at_gate, levels, strict=True)]
    below = sum(passes and level >= line for passes, level in zip(at_gate, levels, strict=True))
    pool = [
        (level, fine) for level, fine in zip(levels, good, strict=True) if plan.order == "points-then-gate" or fine
    ]
    tied = contested = 0
    before = pool
    if len(pool) > plan.seats:
        last = sorted(level for level, _ in pool)[plan.seats - 1]
        ahead = [each for each in pool if each[0] < last]
        group = [each for each in pool if each[0] == last]
        before = ahead + group
        if len(before) > plan.seats:
            before, tied, contested = ahead, len(group), plan.seats - len(ahead)
    remaining = sum(fine for _, fine in before)
    return gates.count("undecided"), gates.count("fails"), below, remaining, tied, contested


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_what_is_reachable_is_what_can_be_played(plan: Plan) -> None:
    whole = {**space(plan), "withdrawn_after": (0, 0), "upheld_after": (0, 0)}
    everything = {point[1:] for point in played(plan)}
    for point in product(*(range(low, high + 1) for low, high in (whole[name] for name in COUNTS))):
        box = {**whole, **{name: (count, count) for name, count in zip(COUNTS, point, strict=True)}}
        assert (nearest(box, plan) is not None) == (point in everything), point


@pytest.mark.parametrize("level", get_args(LevelTeams))
@pytest.mark.parametrize("plan", [plan for plan in PLANS if plan.entrants <= 3 or not plan.gated], ids=str)
def test_as_many_can_leave_after_the_decision_as_can_go_on(plan: Plan, level: LevelTeams) -> None:
    settled = replace(plan, level=level)
    for point, most in most_going_on(settled).items():
        box = {**space(settled), **{name: (count, count) for name, count in zip(COUNTS, point, strict=True)}}
        for leaving in range(plan.entrants + 1):
            found = nearest({**box, "withdrawn_after": (leaving, leaving)}, settled)
            assert (found is not None) == (leaving <= most), (point, leaving)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_box_holds_a_reachable_tally_just_where_one_is_in_it(data: st.DataObject) -> None:
    plan = data.draw(st.sampled_from([plan for plan in PLANS if plan.entrants < 4]))
    whole = {**space(plan), "withdrawn_after": (0, 0), "upheld_after": (0, 0)}
    box = dict(whole)
    for name in COUNTS:
        low, high = sorted(data.draw(st.tuples(*[st.integers(*whole[name])] * 2)))
        box[name] = (low, high)
    inside = {
        point
        for point in played(plan)
        if all(box[name][0] <= count <= box[name][1] for name, count in zip(COUNTS, point[1:], strict=True))
    }
    found = nearest(box, plan)
    assert (found is not None) == bool(inside)
    if found is not None:
        point = (found.entered, *astuple(found)[2:9])
        assert point in inside
        assert _departures(plan, point) == min(_departures(plan, other) for other in inside)


def _departures(plan: Plan, point: tuple[int, ...]) -> int:
    """How many teams do otherwise than planned: do not enter, withdraw, fail, stay undecided or below the minimum."""
    return plan.entrants - point[0] + sum(point[1:5])


def test_the_nearest_tally_is_the_one_with_the_fewest_departures() -> None:
    plan = Plan(entrants=5, seats=4, order="points-then-gate", gated=True, minimum=False, undecided_pass=False)
    box = {**space(plan), "remaining": (1, 3), "contested": (0, 0), "withdrawn_after": (0, 0)}
    assert nearest(box, plan) == Tally(entered=5, seats=4, failed=1, remaining=3)


RANGE = st.tuples(st.integers(0, 6), st.integers(0, 6))
BOX = st.dictionaries(st.sampled_from("abc"), RANGE)


@given(st.lists(BOX, max_size=5))
def test_in_every_part_a_box_holds_everywhere_or_nowhere(boxes: list[dict[str, Range]]) -> None:
    whole = dict.fromkeys("abc", (0, 6))
    parts = list(partition(whole, boxes))
    for point in product(range(7), repeat=3):
        at = dict(zip("abc", point, strict=True))
        holding = [part for part in parts if all(low <= at[name] <= high for name, (low, high) in part.box.items())]
        assert len(holding) == 1
        held = [
            position
            for position, box in enumerate(boxes)
            if all(low <= at[name] <= high for name, (low, high) in box.items())
        ]
        assert list(holding[0].held_by) == held
