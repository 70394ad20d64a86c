"""Openings held against a grid: every byte of them matters, and the second verifier says the same of each."""

from __future__ import annotations

import pytest

from dokja.record.transparency import RefusedError
from dokja.record.transparency.sealing.grid import Grid
from dokja.record.transparency.sealing.openings import Openings
from tests.vectors.sealing import LINES, WHOLE
from verifier import dokja_verify as second

DATA = b"".join(line + b"\n" for line in LINES)


@pytest.fixture(scope="module")
def sides() -> tuple[Grid, second.Sealed]:
    grid, sealed = Grid(), second.Sealed()
    for index, act in enumerate(WHOLE):
        grid.follow(index, act)
        sealed.take(act)
    return grid, sealed


def both(data: bytes, sides: tuple[Grid, second.Sealed]) -> str | None:
    """The code that both give, `None` where nothing is wrong."""
    said: list[str | None] = [None, None]
    try:
        Openings().take_all(data, sides[0])
    except RefusedError as error:
        said[0] = error.code
    try:
        sides[1].check_openings(data)
    except second.RefusalError as refusal:
        said[1] = refusal.code
    assert said[0] == said[1], said
    return said[0]


def test_every_bit_matters(sides: tuple[Grid, second.Sealed]) -> None:
    assert both(DATA, sides) is None
    for place in range(len(DATA)):
        changed = DATA[:place] + bytes([DATA[place] ^ 1 << place % 8]) + DATA[place + 1 :]
        assert both(changed, sides), place


def test_every_cut_that_is_no_whole_line_is_told(sides: tuple[Grid, second.Sealed]) -> None:
    ends = {place + 1 for place, byte in enumerate(DATA) if byte == 10}
    for length in range(len(DATA)):
        assert (both(DATA[:length], sides) is None) == (length in ends), length


def test_any_of_them_in_any_order_and_none_twice(sides: tuple[Grid, second.Sealed]) -> None:
    assert both(b"".join(line + b"\n" for line in reversed(LINES[2:7])), sides) is None
    for line in LINES:
        assert both(DATA + line + b"\n", sides) == "OPENING_TWICE"
