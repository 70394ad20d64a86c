"""The beacon is the real one, and a ranking follows from it and from nothing else."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokja.record.beacon import (
    BEACON_ID,
    CHAIN,
    GENESIS_TIME,
    GROUP_HASH,
    PERIOD,
    PUBLIC_KEY,
    first_round_at,
    randomness,
    signature_fits,
    time_of,
)
from dokja.record.draws import ranking, seated, successor
from tests.record.rounds import FOREIGN, RANDOMNESS, SIGNATURES

REAL = bytes.fromhex(SIGNATURES[1000])
IDENTITY = b"\xc0" + bytes(47)

POOLS = st.lists(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), min_size=1, max_size=12, unique=True)


def test_the_constants_vouch_for_each_other() -> None:
    """A chain's hash is that of its parameters (drand, `chain.Info.Hash`)."""
    parameters = struct.pack(">Iq", PERIOD, GENESIS_TIME) + PUBLIC_KEY + GROUP_HASH + BEACON_ID.encode()
    assert sha256(parameters).hexdigest() == CHAIN


@pytest.mark.parametrize("number", SIGNATURES)
def test_published_rounds_verify_and_give_the_published_randomness(number: int) -> None:
    signature = bytes.fromhex(SIGNATURES[number])
    assert signature_fits(number, signature)
    assert not signature_fits(number + 1, signature)
    if number in RANDOMNESS:
        assert randomness(signature).hex() == RANDOMNESS[number]


@pytest.mark.parametrize(
    "signature",
    [b"", REAL[:-1], REAL + b"\0", bytes(48), b"\xff" * 48, IDENTITY, b"\x80" + bytes(47), bytes.fromhex(FOREIGN)],
)
def test_what_the_network_did_not_sign_is_refused(signature: bytes) -> None:
    assert not signature_fits(1000, signature)


@given(st.integers(min_value=0, max_value=383))
def test_one_bit_is_enough(bit: int) -> None:
    flipped = bytearray(REAL)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not signature_fits(1000, bytes(flipped))


def test_rounds_have_their_times() -> None:
    assert time_of(1) == datetime.fromtimestamp(GENESIS_TIME, UTC)
    assert time_of(1000) == datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
    assert first_round_at(datetime(2000, 1, 1, tzinfo=UTC)) == 1


@given(st.datetimes(datetime(2023, 9, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_first_round_at_a_time_is_not_known_before_it(moment: datetime) -> None:
    number = first_round_at(moment)
    assert time_of(number - 1) < moment <= time_of(number)
    assert time_of(number) - time_of(number - 1) == timedelta(seconds=PERIOD)


def test_a_ranking_computed_by_hand() -> None:
    seed = b"dokja-draw-v1\n" + bytes.fromhex(RANDOMNESS[1000]) + b"lot-1\n"
    by_hand = sorted(["a", "b", "c", "d"], key=lambda member: sha256(seed + member.encode()).digest())
    assert ranking("lot-1", ["d", "a", "c", "b"], REAL) == tuple(by_hand)
    assert ranking("lot-2", ["a", "b", "c", "d"], REAL) != tuple(by_hand)


@given(POOLS, st.randoms())
def test_the_order_of_the_pool_does_not_matter(pool: list[str], chance: object) -> None:
    other = sorted(pool)
    assert ranking("draw", pool, REAL) == ranking("draw", other, REAL)
    assert sorted(ranking("draw", pool, REAL)) == other


@given(POOLS, st.data())
def test_whoever_leaves_is_followed_by_the_next_in_rank(pool: list[str], data: st.DataObject) -> None:
    drawn = data.draw(st.integers(1, len(pool)))
    leaving = data.draw(st.lists(st.sampled_from(pool), unique=True))
    recused: list[str] = []
    for each in leaving:
        before = seated(pool, drawn, recused)
        follows = successor(pool, drawn, recused, each)
        recused.append(each)
        after = seated(pool, drawn, recused)
        assert set(after) == {*before} - {each} | ({follows} - {None})
        assert len(after) == min(drawn, len(pool) - len(recused))
        if follows is not None:
            assert [member for member in pool if member not in recused].index(follows) == len(after) - 1
    assert set(seated(pool, drawn, recused)) <= set(pool) - set(recused)
