"""Ballots folded part by part, in however many processes, come to what they come to in one go."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dokja.record.entries import BallotRow
from dokja.record.folding import fold, joined

rows = st.lists(
    st.builds(
        BallotRow,
        st.integers(0, 99),
        st.sampled_from(["2027-01-01T00:00:00Z", "2027-06-01T00:00:00Z", "2027-06-01T00:00:01Z"]),
        st.sampled_from(["stage-1", "stage-2"]),
        st.just("experts"),
        st.sampled_from(["expert", "gate"]),
        st.just("rater"),
        st.sampled_from(["team-a", "team-b"]),
        st.sampled_from([None, Decimal("1.5"), Decimal(20)]),
        st.sampled_from([None, True, False]),
    )
)


@given(ballots=rows, cuts=st.lists(st.integers(0, 30)))
def test_parts_join_to_the_whole(ballots: list[BallotRow], cuts: list[int]) -> None:
    horizon = datetime(2027, 6, 1, tzinfo=UTC)
    ends = [0, *sorted(cuts), len(ballots) + 30]
    parts = [fold(ballots[start:end], horizon) for start, end in pairwise(ends)]
    assert joined(parts) == fold(ballots, horizon)


@given(ballots=rows)
def test_every_ballot_up_to_the_horizon_counts_once(ballots: list[BallotRow]) -> None:
    folded = fold(ballots, datetime(2027, 6, 1, tzinfo=UTC))
    timely = [row for row in ballots if row.when <= "2027-06-01T00:00:00Z"]
    assert sum(len(held.indexes) + held.sealed for held in folded.marks.values()) == len(timely)
    given = [row.total for row in timely if row.total is not None]
    assert sorted(total for held in folded.marks.values() for total in held.totals.elements()) == sorted(given)
    assert folded.last == max((row.when for row in timely), default="")
    against = [row for row in timely if row.total is None and row.meets is False]
    assert sum(held.objections for held in folded.marks.values()) == len(against)
