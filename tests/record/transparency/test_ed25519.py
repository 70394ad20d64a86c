"""Signatures at the edges of Ed25519: what libsodium is believed in, and that the verdict is `cryptography`'s.

The cases are those of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko; IACR ePrint 2020/1244), made here
with plain arithmetic on the curve (RFC 8032, section 5.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha512
from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dokja.record.transparency import ed25519
from dokja.record.transparency.ed25519 import EDGES, signature_fits
from verifier.dokja_verify import ed25519 as fits_second_verifier

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def plus(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product_ = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product_, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product_, -1, P)
    return x % P, y % P


def times(scalar: int, point: Point) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = plus(result, point)
        point, scalar = plus(point, point), scalar >> 1
    return result


def even_point(y: int) -> Point | None:
    """The point with this y and an even x, where there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    return (root if root % 2 == 0 else P - root, y) if root * root % P == square else None


def base() -> Point:
    point = even_point(4 * pow(5, -1, P) % P)
    assert point is not None
    return point


def of_small_order() -> list[Point]:
    """The eight points that vanish when they are multiplied by eight, each a multiple of the second."""
    for y in range(2, 100):
        point = even_point(y)
        if point is not None and times(4, small := times(ORDER, point)) != NEUTRAL:
            return [times(scalar, small) for scalar in range(8)]
    raise AssertionError


BASE, SMALL = base(), of_small_order()


def encoded(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def spellings(point: Point) -> list[bytes]:
    """All encodings that a lenient reader takes for a point: y or y + p, and either sign where x is 0."""
    x, y = point
    signs = (0, 1) if x == 0 else (x & 1,)
    return [(each | sign << 255).to_bytes(32, "little") for each in (y, y + P) if each < 2**255 for sign in signs]


def scalar(seed: str) -> int:
    return int.from_bytes(sha512(seed.encode()).digest(), "little") % ORDER


def challenge(public: bytes, r: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(r + public + message).digest(), "little") % ORDER


SECRET, NONCE = scalar("key"), scalar("nonce")
A, R = times(SECRET, BASE), times(NONCE, BASE)

Case = tuple[bytes, bytes, bytes]


def signature(secret: int, public: bytes, nonce: int, r: bytes, message: bytes, *, over: int = 0) -> Case:
    s = (nonce + challenge(public, r, message) * secret) % ORDER + over * ORDER
    return public, r + s.to_bytes(32, "little"), message


def mixed(tries: int) -> Iterator[Case]:
    """A and R with every part of small order."""
    for in_a, in_r, attempt in product(SMALL, SMALL, range(tries)):
        public, r = encoded(plus(A, in_a)), encoded(plus(R, in_r))
        yield signature(SECRET, public, NONCE, r, f"mixed {attempt}".encode())


def small() -> Iterator[Case]:
    """A or R or both of small order, in every spelling; S is 0 where both are."""
    all_small = [spelling for point in SMALL for spelling in spellings(point)]
    for attempt, public in product(range(8), all_small):
        message = f"small {attempt}".encode()
        yield signature(0, public, NONCE, encoded(R), message)
        for r in all_small:
            yield signature(0, public, 0, r, message)
    for attempt, r in product(range(8), all_small):
        yield signature(SECRET, encoded(A), 0, r, f"small {attempt}".encode())


def spelled_twice() -> Iterator[Case]:
    """Points whose y is written with p added: there are nineteen such y, and those on the curve are taken."""
    for y in range(19):
        point = even_point(y)
        for spelling in spellings(point) if point is not None else ():
            yield signature(0, spelling, 0, spelling, b"twice")
            yield signature(0, spelling, NONCE, encoded(R), b"twice")
            yield signature(SECRET, encoded(A), 0, spelling, b"twice")


def too_large() -> Iterator[Case]:
    """S with the order added as often as 32 bytes hold."""
    for over in range(15):
        yield signature(SECRET, encoded(A), NONCE, encoded(R), b"large", over=over)


def misshapen() -> Iterator[Case]:
    """Too short, too long, no point at all."""
    public, whole, message = signature(SECRET, encoded(A), NONCE, encoded(R), b"")
    for length in (0, 31, 32, 63, 65, 96):
        yield public, (whole * 2)[:length], message
    for length in (0, 31, 33, 64):
        yield (public * 2)[:length], whole, message
    yield b"\xff" * 32, whole, message
    yield (2).to_bytes(32, "little"), whole, message


CASES = [*mixed(8), *small(), *spelled_twice(), *too_large(), *misshapen()]


def test_libsodium_takes_nothing_at_the_edges_that_cryptography_refuses() -> None:
    believed = [case for case in CASES if ed25519._fits_libsodium(*case)]
    assert all(ed25519._fits_cryptography(*case) for case in believed)
    # Each of the two is asked: some cases only `cryptography` takes, some both do, many neither.
    taken = [case for case in CASES if ed25519._fits_cryptography(*case)]
    assert 8 <= len(believed) < len(taken) < len(CASES) / 2


def test_the_verdict_at_the_edges_is_that_of_the_second_verifier() -> None:
    for public, value, message in CASES:
        assert signature_fits(public, value, message) == fits_second_verifier(public, value, message)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), bit=st.integers(0, 8 * 96 - 1))
def test_signatures_fit_and_with_any_bit_turned_do_not(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, value = private.public_key().public_bytes_raw(), private.sign(message)
    assert signature_fits(public, value, message)
    turned = bytearray(public + value)
    turned[bit // 8] ^= 1 << bit % 8
    bent = bytes(turned[:32]), bytes(turned[32:]), message
    assert not signature_fits(*bent)
    assert not signature_fits(public, value, message + b"\0")


def test_the_edges_at_which_libsodium_is_tried_are_what_they_are_said_to_be() -> None:
    cases = [
        (bytes.fromhex(a), bytes.fromhex(r), int.from_bytes(bytes.fromhex(s), "little"), m) for a, r, s, m in EDGES
    ]
    off_by = []
    for public, r, s, message in cases:
        x_even = even_point(int.from_bytes(public, "little") & 2**255 - 1)
        assert x_even is not None
        a = x_even if public[31] < 128 else (P - x_even[0], x_even[1])
        h = challenge(public, r, message)
        sought = plus(times(s, BASE), times(h, (P - a[0], a[1])))
        r_even = even_point(int.from_bytes(r, "little") & 2**255 - 1)
        assert r_even is not None
        there = r_even if r[31] < 128 else (P - r_even[0], r_even[1])
        off_by.append((SMALL.index(plus(there, (P - sought[0], sought[1]))), s < ORDER))
    assert [(bool(part), reduced) for part, reduced in off_by] == [
        (True, True),
        (True, True),
        (False, True),
        (False, False),
    ]


@pytest.mark.parametrize("broken", [0, 1, 3])
def test_a_libsodium_that_takes_too_much_is_not_asked(broken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    public, r, s, message = EDGES[broken]
    case = bytes.fromhex(public), bytes.fromhex(r + s), message
    monkeypatch.setattr(ed25519, "_fits_libsodium", lambda *given: given == case)
    ed25519._has_sound_libsodium.cache_clear()
    try:
        assert not ed25519._has_sound_libsodium()
        assert not signature_fits(*case)
    finally:
        ed25519._has_sound_libsodium.cache_clear()
