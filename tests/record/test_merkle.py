"""The root against RFC 6962: its definition written down a second time, and the roots that others published."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from dokja.record.merkle import EMPTY_ROOT, Frontier, leaf_hash

# The eight leaves and roots that the Certificate Transparency implementations test themselves against.
LEAVES = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes.fromhex("606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(entries: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def grown(*parts: list[bytes]) -> Frontier:
    frontier = Frontier(0, [])
    for part in parts:
        frontier.extend(leaf_hash(entry) for entry in part)
    return frontier


def test_the_published_roots() -> None:
    assert [grown(LEAVES[:size]).root().hex() for size in range(9)] == ROOTS
    assert EMPTY_ROOT.hex() == ROOTS[0]


def test_every_size_up_to_300() -> None:
    entries = [str(number).encode() for number in range(300)]
    one_by_one = Frontier(0, [])
    for size in range(300):
        assert one_by_one.root() == grown(entries[:size]).root() == mth(entries[:size])
        one_by_one.extend([leaf_hash(entries[size])])


@given(parts=st.lists(st.lists(st.binary(max_size=4), max_size=40), max_size=6))
def test_the_root_does_not_depend_on_how_leaves_came(parts: list[list[bytes]]) -> None:
    whole = [entry for part in parts for entry in part]
    frontier = grown(*parts)
    assert frontier.root() == mth(whole)
    assert len(frontier.peaks) == len(whole).bit_count()


@given(first=st.lists(st.binary(max_size=3), max_size=70), then=st.lists(st.binary(max_size=3), max_size=70))
def test_a_stored_frontier_goes_on_where_it_stopped(first: list[bytes], then: list[bytes]) -> None:
    stored = grown(first)
    resumed = Frontier.of(stored.size, stored.joined())
    resumed.extend(leaf_hash(entry) for entry in then)
    assert resumed.root() == mth(first + then)
