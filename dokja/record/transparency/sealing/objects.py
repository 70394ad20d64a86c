"""Personal data and the like: a file kept outside the record, pinned in it by a salted digest.

The file is one disclosure of RFC 9901. The record keeps its digest, and nothing else of it; whoever holds the file
can show that it is the one that was pinned. Once it is deleted, its salt with it, the digest says nothing: to try
what it might have held takes the salt too, and of those there are 2^256.
"""

from __future__ import annotations

import secrets

from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.sealing.disclosure import SALT_BYTES, base64url, digest_of, disclose, read_disclosure

LONGEST = 2_000_000
"""Letters of an object."""


def pin(name: str, value: str) -> tuple[str, str]:
    """An object, to be kept outside the record, and its digest, for the act that pins it."""
    disclosure = disclose(secrets.token_bytes(SALT_BYTES), name, value)
    return disclosure, base64url(digest_of(disclosure))


def read_pinned(disclosure: bytes, name: str, digest: str) -> str:
    """What an object says; raises `RefusedError` where it is not the one that was pinned."""
    said = read_disclosure(disclosure, LONGEST)
    if said.name != name or not isinstance(said.value, str):
        raise RefusedError("OPENING_UNKNOWN", said.name[:200])
    if base64url(digest_of(disclosure.decode("ascii"))) != digest:
        raise RefusedError("OPENING_WRONG", name)
    return said.value
