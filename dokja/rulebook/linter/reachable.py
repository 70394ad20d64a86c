"""Which tallies a stage can end in, and the one nearest to the plan within a box of counts.

A stage that is planned for so many entrants can begin with fewer. Of those who enter, some withdraw; the others meet
the gates, fail them or have no result at the deadline; of those who pass, some stay below the minimum score. The
rest, `good`, go on as far as there are seats. Nothing is assumed about who does what, so every split of the entrants
is possible, and the counts are bound only by the sums written here. `docs/rulebook.md` tells why nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dokja.rulebook.linter.regions import Box, Range
from dokja.rulebook.outcomes import Order, Tally

UNBOUNDED = 10**9
"""More than any count: objections after a decision have no greatest number."""


LevelTeams = Literal["some", "all", "none"]
"""How many of the teams that are level on the cut line go on: as many as have a seat, all of them, none of them."""


@dataclass(frozen=True)
class Plan:
    """What a stage's clauses say of its end.

    gated: there is a gate that can be failed. minimum: there is a minimum score. undecided_pass: a team without a
    gate result counts as passed (else it does not go on). level: what becomes of teams level on the cut line.
    settled: every gate rests on points, so that none is ever without a result.
    """

    entrants: int
    seats: int
    order: Order
    gated: bool
    minimum: bool
    undecided_pass: bool
    level: LevelTeams = "some"
    settled: bool = False


def space(plan: Plan) -> dict[str, Range]:
    """The range of every count of `Tally` that a contingency may put bounds on."""
    at_gate = plan.entrants if plan.gated else 0
    return {
        "withdrawn": (0, plan.entrants),
        "undecided": (0, 0 if plan.settled else at_gate),
        "failed": (0, at_gate),
        "below_minimum": (0, plan.entrants if plan.minimum else 0),
        "remaining": (0, plan.seats),
        "tied": (0, plan.entrants),
        "contested": (0, plan.seats),
        "withdrawn_after": (0, plan.entrants if plan.level == "all" else plan.seats),
        "upheld_after": (0, UNBOUNDED),
    }


@dataclass(frozen=True)
class _Split:
    """The entrants by what became of them; `short` are those who were planned and did not enter."""

    short: int
    withdrawn: int
    undecided: int
    failed: int
    below: int
    good: int


@dataclass(frozen=True)
class _End:
    """How a split ends: who goes on, who is level on the cut line."""

    split: _Split
    remaining: int
    tied: int = 0
    contested: int = 0


def nearest(box: Box, plan: Plan) -> Tally | None:
    """The reachable tally in the box with the fewest teams that do otherwise than planned; `None` where none is."""
    best = min((*_without_tie(box, plan), *_with_tie(box, plan)), key=_distance, default=None)
    if best is None:
        return None
    return Tally(
        entered=plan.entrants - best.split.short,
        seats=plan.seats,
        withdrawn=best.split.withdrawn,
        undecided=best.split.undecided,
        failed=best.split.failed,
        below_minimum=best.split.below,
        remaining=best.remaining,
        tied=best.tied,
        contested=best.contested,
        withdrawn_after=box["withdrawn_after"][0],
        upheld_after=box["upheld_after"][0],
    )


def _distance(end: _End) -> tuple[int, ...]:
    split = end.split
    away = split.short + split.withdrawn + split.failed + split.below + split.undecided
    return (away, end.tied, split.short, split.withdrawn, split.undecided, split.below, -end.remaining)


def _in(number: int, bounds: Range) -> bool:
    return bounds[0] <= number <= bounds[1]


def _without_tie(box: Box, plan: Plan) -> Iterator[_End]:
    """Gate first, as many of the good as there are seats; points first, those who fail inside the seats fall out."""
    if not (_in(0, box["tied"]) and _in(0, box["contested"])):
        return
    low, high = box["remaining"]
    for remaining in range(low, min(high, plan.seats) + 1):
        if box["withdrawn_after"][0] > remaining:
            continue
        full = remaining == plan.seats
        for split in _splits(box, plan, good=(remaining, plan.entrants if full else remaining), failing=0):
            yield _End(split, remaining)
        if plan.order == "points-then-gate" and not full:
            more = (remaining + 1, plan.entrants)
            for split in _splits(box, plan, good=more, failing=plan.seats - remaining):
                yield _End(split, remaining)


def _splits(box: Box, plan: Plan, good: Range, failing: int) -> Iterator[_Split]:
    """The splits nearest to the plan with so many good teams, and at least `failing` others that do not pass.

    Two at most: the one with the fewest teams below the minimum score, and the one with the most, which a tie among
    them may need. Undecided teams that count as passed are among the good and those below the minimum.
    """
    undecided, failed = box["undecided"][0], box["failed"][0]
    needed = max(failing - failed - (0 if plan.undecided_pass else undecided), 0)
    more_failed, needed = _take(needed, box["failed"][1] - failed)
    more_undecided, needed = _take(needed, 0 if plan.undecided_pass else box["undecided"][1] - undecided)
    if needed:
        return
    failed, undecided = failed + more_failed, undecided + more_undecided
    apart = box["withdrawn"][0] + failed + (0 if plan.undecided_pass else undecided)
    lowest, highest = box["below_minimum"]
    highest = min(highest, plan.entrants - apart - good[0])
    if plan.undecided_pass:
        lowest = max(lowest, undecided - good[1])
    for below in dict.fromkeys((lowest, highest)) if lowest <= highest else ():
        least = max(good[0], undecided - below if plan.undecided_pass else 0)
        most = min(good[1], plan.entrants - apart - below)
        if least <= most:
            yield from _filled(box, plan, undecided, failed, below, most)


def _filled(box: Box, plan: Plan, undecided: int, failed: int, below: int, good: int) -> Iterator[_Split]:
    """The split with everybody else failing, undecided or withdrawn as far as the box allows, and the rest absent."""
    withdrawn = box["withdrawn"][0]
    left = plan.entrants - withdrawn - failed - below - good - (0 if plan.undecided_pass else undecided)
    more_failed, left = _take(left, box["failed"][1] - failed)
    more_undecided, left = _take(left, 0 if plan.undecided_pass else box["undecided"][1] - undecided)
    more_withdrawn, short = _take(left, box["withdrawn"][1] - withdrawn)
    if short < plan.entrants:
        yield _Split(short, withdrawn + more_withdrawn, undecided + more_undecided, failed + more_failed, below, good)


def _take(left: int, room: int) -> tuple[int, int]:
    """How many of those who are left over find room, and how many are left then."""
    taken = min(left, room)
    return taken, left - taken


def _with_tie(box: Box, plan: Plan) -> Iterator[_End]:
    """Ends with more teams level on the cut line than seats that are left for them."""
    low, high = max(box["contested"][0], 1), min(box["contested"][1], plan.seats)
    for contested in range(low, high + 1):
        before = plan.seats - contested
        if plan.order == "gate-then-points":
            yield from _tie_among_good(box, plan, before, contested)
        else:
            yield from _tie_among_all(box, plan, before, contested)


def _tied(box: Box, plan: Plan, contested: int, most: int, leaving: int, good: int) -> int | None:
    """The fewest teams that can be level for so many seats, at most so many.

    leaving: how many of those who go on from among them leave after the decision; good: how many of them can go on.
    """
    if leaving > min({"some": contested, "all": good, "none": 0}[plan.level], good):
        return None
    fewest = max(box["tied"][0], contested + 1, leaving if plan.level == "all" else 0)
    return fewest if fewest <= min(box["tied"][1], most) else None


def _tie_among_good(box: Box, plan: Plan, before: int, contested: int) -> Iterator[_End]:
    if not _in(before, box["remaining"]):
        return
    leaving = max(box["withdrawn_after"][0] - before, 0)
    for split in _splits(box, plan, good=(plan.seats + 1, plan.entrants), failing=0):
        left = split.good - before
        tied = _tied(box, plan, contested, left, leaving, left)
        if tied is not None:
            yield _End(split, before, tied, contested)


def _tie_among_all(box: Box, plan: Plan, before: int, contested: int) -> Iterator[_End]:
    """Points first: the line is drawn among all who were ranked, those who fail and those below the minimum too.

    The good stand before those below the minimum; those who fail stand anywhere. Of the teams before the tie,
    `fallen` fail. Level teams are all below the minimum or all above it, but for those who fail.
    """
    for fallen in range(before + 1):
        for split in _tie_splits(box, plan, before, fallen):
            failing = split.failed + (0 if plan.undecided_pass else split.undecided)
            remaining = min(split.good, before - fallen)
            under = before - fallen - remaining
            if not (_in(remaining, box["remaining"]) and 0 <= under <= split.below and fallen <= failing):
                continue
            leaving = max(box["withdrawn_after"][0] - remaining, 0)
            good_left = split.good - remaining
            same_kind = good_left if good_left else split.below - under
            tied = _tied(box, plan, contested, same_kind + failing - fallen, leaving, good_left)
            if tied is not None:
                yield _End(split, remaining, tied, contested)


def _tie_splits(box: Box, plan: Plan, before: int, fallen: int) -> Iterator[_Split]:
    """Splits for a tie among all: as many good teams as can be, or just as many as stand before the tie."""
    ahead = before - fallen
    yield from _splits(box, plan, good=(ahead, plan.entrants), failing=fallen)
    if plan.minimum:
        for good in range(ahead + 1):
            yield from _splits(box, plan, good=(good, good), failing=fallen)
