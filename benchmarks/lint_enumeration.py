"""How long the linter takes to look through every outcome, beside walking through them one by one.

    python -m benchmarks.lint_enumeration

One stage with 10 seats, a gate, a minimum score and 40 contingencies with conditions, for 5 to 100 teams. The walk
counts what it looks at (withdrawn, undecided, failed, below the minimum, passing); it is stopped at 5 million.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from dokja.rulebook.clauses import Bounds, Condition, Contingency
from dokja.rulebook.linter.outcome_rules import look_through
from dokja.rulebook.linter.reachable import Plan
from dokja.rulebook.outcomes import ORDERS, Situation
from dokja.values import Bilingual

SEATS, STOP = 10, 5_000_000


def main() -> None:
    """Print one line for each number of teams."""
    print(f"{'teams':>6} {'linter':>10} {'outcomes one by one':>22} {'walk':>10}")
    for teams in (5, 10, 20, 50, 100):
        plans = tuple(Plan(teams, min(SEATS, teams), order, True, True, False) for order in ORDERS)
        started = time.perf_counter()
        answered = look_through(plans, clauses(), None)
        took = time.perf_counter() - started
        assert answered.complete
        started = time.perf_counter()
        count = sum(1 for _ in walk(teams))
        walked = time.perf_counter() - started
        print(f"{teams:>6} {took:>8.3f} s {count:>21,}{'+' if count >= STOP else ' '} {walked:>8.2f} s")


def clauses() -> tuple[Contingency, ...]:
    """Contingencies whose conditions cut the outcomes finely."""
    fewer = [
        _clause(
            "fewer-remain-than-seats", remaining=(seats, seats), failed=(low, low + 25), withdrawn=(0, 50 + seats)
        )
        for seats in range(1, 9)
        for low in (0, 30, 60)
    ]
    ties = [_clause("tie-at-cut", tied=(size, size), contested=(1, size - 1)) for size in range(2, 10)]
    late = [_clause("gate-undecided", undecided=(low, low + 8)) for low in range(10, 90, 10)]
    return tuple(
        clause.model_copy(update={"id": f"clause-{number}"}) for number, clause in enumerate([*fewer, *ties, *late])
    )


def _clause(situation: Situation, **bounds: tuple[int, int]) -> Contingency:
    when = Condition(**{name: Bounds(at_least=low, at_most=high) for name, (low, high) in bounds.items()})
    return Contingency(
        id="clause",
        kind="contingency",
        text=Bilingual(ko="조항", en="A clause"),
        stage="stage-1",
        situation=situation,
        when=when,
        consequence="go-on-with-fewer",
    )


def walk(teams: int) -> Iterator[tuple[int, ...]]:
    """Every split of the teams, as a plain walk meets them."""
    seen = 0
    for withdrawn in range(teams + 1):
        for undecided in range(teams + 1 - withdrawn):
            for failed in range(teams + 1 - withdrawn - undecided):
                for below in range(teams + 1 - withdrawn - undecided - failed):
                    for passing in range(teams + 1 - withdrawn - undecided - failed - below):
                        yield withdrawn, undecided, failed, below, passing
                        seen += 1
                        if seen >= STOP:
                            return


if __name__ == "__main__":
    main()
