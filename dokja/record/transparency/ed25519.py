"""Ed25519 signatures verified (RFC 8032): libsodium says yes twice as fast, and `cryptography` alone says no.

Implementations differ at the edges: keys and points of small order, points that are spelled twice, whether a part of
small order is multiplied away. What counts here is what `cryptography` says, for the second verifier knows nothing
else, and both must say the same of every signature. So what libsodium refuses is asked of `cryptography` again.

What libsodium accepts needs no second look. Both want S below the order of the base point, compute S·B − h·A, encode
it, and compare it byte for byte with R: no cofactor on either side. Of what passes that, libsodium only refuses more:
A and R of small order, and an A that is not spelled shortly.

That holds up to libsodium 1.0.21. What may come after it multiplies by the cofactor and so takes what `cryptography`
refuses, and it can be built to take an S that is too large. So each process first holds the libsodium that it finds
against `cryptography` on signatures that tell these apart, and does without it where it says yes too often.
"""

from __future__ import annotations

from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open, crypto_sign_PUBLICKEYBYTES
from nacl.exceptions import BadSignatureError


def signature_fits(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature on the message verifies, as `cryptography` judges it."""
    if _has_sound_libsodium() and _fits_libsodium(public, signature, message):
        return True
    return _fits_cryptography(public, signature, message)


def _fits_cryptography(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _fits_libsodium(public: bytes, signature: bytes, message: bytes) -> bool:
    if len(public) != crypto_sign_PUBLICKEYBYTES or len(signature) != crypto_sign_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


_KEY = "88aa55e6afeed8960a3191de78600347db8acd0a3795412f275f049b86260488"
_MIXED_KEY = "99555efe5dbf5b50b6fb4d8c38ee05c4ea8a97011c08e11366e8c8c00e8ce5d5"
_R = "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"

EDGES: tuple[tuple[str, str, str, bytes], ...] = (
    # R has a part of order 8: taken with a cofactor.
    (
        _KEY,
        "5b61c2e3b93e6c06450f327ea72cdfeb8cde6aa020d2dd827ab3f86e708c8393",
        "28991cf50251c7220d169d24f693a6adddb790b9de43725c9c4e71d745e70e01",
        b"R",
    ),
    # A has one, and it counts: taken with a cofactor.
    (_MIXED_KEY, _R, "da9630713865a2788bfaa5a50e0e640c2516d8a51605c8a21c8b2a072a524c0a", b"A0"),
    # A has one, and h is a multiple of 8: taken by both.
    (_MIXED_KEY, _R, "7057f43e93d8feee057a987d6beb362175932228dd4726d2624722688650ed01", b"A7"),
    # S is too large by the order of the base point.
    (_KEY, _R, "8e84a28a690b7c561865e1f07d5ed060815b40e9e68673cf0ffe2b4542ce2d1f", b"S"),
)
"""Signatures at which implementations part: A, R and S as hexadecimal digits, and the message."""


@cache
def _has_sound_libsodium() -> bool:
    """Whether libsodium takes nothing at the edges that `cryptography` refuses."""
    edges = ((bytes.fromhex(public), bytes.fromhex(r + s), message) for public, r, s, message in EDGES)
    return all(_fits_cryptography(*edge) for edge in edges if _fits_libsodium(*edge))
