"""The public randomness that draws rest on: drand's quicknet, checked offline.

A network of independent parties signs the number of a round every three seconds; nobody knows a signature before its
time, and anybody can check it afterwards. Scheme `bls-unchained-g1-rfc9380`: a BLS signature on BLS12-381 in G1 over
SHA-256 of the round's number, hashed to the curve as RFC 9380 says; the public key is in G2.

The constants are those that https://api.drand.sh/52db9ba7…/info serves; the chain hash is itself the hash of the
others, so that they vouch for each other (a test computes it).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from py_arkworks_bls12381 import GT, G1Point, G2Point

CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
PUBLIC_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
GROUP_HASH = bytes.fromhex("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e")
BEACON_ID = "quicknet"
GENESIS_TIME, PERIOD = 1_692_803_367, 3
"""When round 1 came, in seconds since 1970, and how many seconds lie between two rounds."""

_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_SIGNATURE_BYTES = 48
_FIRST = datetime.fromtimestamp(GENESIS_TIME, UTC)


def time_of(number: int) -> datetime:
    """When a round's signature becomes known."""
    return _FIRST + timedelta(seconds=PERIOD) * (number - 1)


def first_round_at(moment: datetime) -> int:
    """The first round that is not known before a moment."""
    return max(1, 1 - (_FIRST - moment) // timedelta(seconds=PERIOD))


def randomness(signature: bytes) -> bytes:
    """The 32 random bytes that a round's signature stands for."""
    return sha256(signature).digest()


def signature_fits(number: int, signature: bytes) -> bool:
    """Whether these bytes are the network's signature of a round."""
    if len(signature) != _SIGNATURE_BYTES:
        return False
    try:
        point, key = G1Point.from_compressed_bytes(signature), G2Point.from_compressed_bytes(PUBLIC_KEY)
    except ValueError:
        return False
    message = G1Point.hash_to_curve(sha256(number.to_bytes(8, "big")).digest(), _DOMAIN)
    return GT.pairing_check([point, -message], [G2Point(), key])
