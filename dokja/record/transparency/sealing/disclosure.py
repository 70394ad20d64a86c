"""A value under a salted digest: the disclosure of an object's property (RFC 9901, SD-JWT, section 4.2).

A disclosure is base64url of the JSON array [salt, name, value]; what the record keeps is the SHA-256 of its letters
(section 4.2.3). RFC 9901 leaves the spelling of the array and the length of the salt open; here the array is in the
bytes of RFC 8785 and the salt is 32 random bytes, so that one opening has one spelling and nothing can be guessed.
"""

from __future__ import annotations

import json
import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn, TypeGuard

import rfc8785

from dokja.record.transparency.refusals import RefusedError
from dokja.values import SALTED_DIGEST_PATTERN

SALT_BYTES = 32
RESERVED = frozenset(("_sd", "..."))
"""Names that RFC 9901, section 4.2.1, keeps for itself."""

_DIGEST = re.compile(SALTED_DIGEST_PATTERN, re.ASCII)
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_LETTERS = re.compile(rb"[A-Za-z0-9_-]+")


def _no_number(written: str) -> NoReturn:
    raise ValueError(f"{written[:40]} is a bare number")


_DECODE = json.JSONDecoder(parse_int=_no_number, parse_float=_no_number, parse_constant=_no_number).decode
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Plain = Mapping[str, str] | str | bool


class Disclosed(NamedTuple):
    """What a disclosure says. salt: as it is written."""

    salt: str
    name: str
    value: Any


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5; RFC 9901, section 1.2)."""
    return b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def is_digest(text: object) -> TypeGuard[str]:
    """Whether a text spells 32 bytes, be they a salt, a digest or a root."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def bytes_of_digest(text: str) -> bytes:
    """The 32 bytes that such a text spells."""
    return a2b_base64(f"{text}=".encode("ascii").translate(_FROM_URL))


def disclose(salt: bytes, name: str, value: Plain) -> str:
    """The disclosure of a value."""
    return base64url(spelled([base64url(salt), name, value]))


def spelled(array: list[Any]) -> bytes:
    """An array in the bytes of RFC 8785; of texts, true and false alone, Python's own encoder writes the same."""
    if isinstance(array[2], str | bool):
        # One by one: the encoder has a short way for texts, and sets up far more for arrays.
        return f"[{','.join(map(_ENCODE, array))}]".encode()
    return rfc8785.dumps(array)


def digest_of(disclosure: str) -> bytes:
    """The digest of a disclosure: over its letters, not over what they stand for."""
    return sha256(disclosure.encode("ascii")).digest()


def read_disclosure(written: bytes, longest: int) -> Disclosed:
    """What a disclosure says; raises `RefusedError` for any spelling but the one."""
    try:
        if len(written) > longest or not _LETTERS.fullmatch(written):
            raise ValueError("not base64url, or too long")
        data = a2b_base64(written.translate(_FROM_URL) + b"=" * (-len(written) % 4))
        said = _DECODE(data.decode("utf-8"))
        if not (isinstance(said, list) and len(said) == 3 and isinstance(said[0], str) and isinstance(said[1], str)):
            raise ValueError("not [salt, name, value]")
        if spelled(said) != data or base64url(data).encode() != written:
            raise ValueError("written otherwise than RFC 8785 and base64url write it")
    except (ValueError, RecursionError, Error, rfc8785.CanonicalizationError) as error:
        raise RefusedError("OPENING_FORM", str(error)[:200]) from None
    salt, name, value = said
    if name in RESERVED:
        raise RefusedError("OPENING_FORM", f"{name} is no name")
    if not is_digest(salt):
        raise RefusedError("OPENING_SALT", "not 32 bytes")
    return Disclosed(salt, name, value)
