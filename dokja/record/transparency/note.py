"""Signed notes (C2SP signed-note): a text, a blank line, and lines with signatures by named keys.

Verifier keys and signature lines have one spelling here: base64 that would be written otherwise is refused, so that
nobody can make a second file that says the same.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from dokja.record.transparency.refusals import RefusedError

ED25519, COSIGNATURE = 0x01, 0x04
"""Types of signatures: of the note itself, and of a witness (C2SP tlog-cosignature)."""

LARGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100
"""Both as in Go's `sumdb/note`."""

PUBLIC_KEY_BYTES = 32
_DASH = "\u2014 "
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_ID_BYTES = 4


def base64_of(data: bytes) -> str:
    """Standard base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def bytes_of(written: str) -> bytes | None:
    """The bytes that base64 stands for; `None` where it is not their one spelling."""
    try:
        data = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64_of(data) == written else None


def is_key_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no space of any script, no plus sign."""
    return name != "" and "+" not in name and not any(each.isspace() for each in name)


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes by which signature lines name a key."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_ID_BYTES]


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name, as `name+id+base64` (a vkey)."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Its key id."""
        return key_id(self.name, self.kind, self.public)

    @property
    def line(self) -> tuple[str, bytes]:
        """What a signature line names it by."""
        return self.name, self.id

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64_of(bytes([self.kind]) + self.public)}"

    @classmethod
    def read(cls, written: str) -> Self:
        """The key that a vkey spells; raises `ValueError`."""
        name, _, rest = written.partition("+")
        identity, _, encoded = rest.partition("+")
        material = bytes_of(encoded)
        if not is_key_name(name) or _CONTROLS.search(name) or not _KEY_ID.fullmatch(identity) or not material:
            raise ValueError("not a verifier key")
        key = cls(name, material[0], material[1:])
        if key.kind not in (ED25519, COSIGNATURE) or len(key.public) != PUBLIC_KEY_BYTES:
            raise ValueError("not an Ed25519 key")
        if key.id.hex() != identity:
            raise ValueError("the key has another id")
        return key


@dataclass(frozen=True)
class SignatureLine:
    """One line beneath a note: whose key, and what it says after the key id."""

    name: str
    id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64_of(self.id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A text that ends with a line end, and the signature lines beneath it."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(str(line) for line in self.signatures)).encode()

    def also_signed(self, lines: Sequence[SignatureLine]) -> Note:
        """The note with more signature lines."""
        return Note(self.text, (*self.signatures, *lines))


def read_note(data: bytes) -> Note:
    """The note that the bytes hold, its signatures not yet verified."""
    if len(data) > LARGEST_NOTE:
        raise RefusedError("NOTE_FORM", f"more than {LARGEST_NOTE} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError("NOTE_ENCODING", str(error)) from None
    if _CONTROLS.search(whole):
        raise RefusedError("NOTE_ENCODING", "control character")
    text, gap, beneath = whole.rpartition("\n\n")
    if not gap or not beneath.endswith("\n"):
        raise RefusedError("NOTE_FORM", "no signature lines")
    lines = beneath[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise RefusedError("NOTE_FORM", f"more than {MOST_SIGNATURES} signatures")
    return Note(text + "\n", tuple(_signature_line(line) for line in lines))


def _signature_line(line: str) -> SignatureLine:
    name, gap, encoded = line.removeprefix(_DASH).partition(" ")
    data = bytes_of(encoded)
    if not line.startswith(_DASH) or not gap or not is_key_name(name) or data is None or len(data) <= _ID_BYTES:
        raise RefusedError("NOTE_FORM", f"signature line {line[:80]!r}")
    return SignatureLine(name, data[:_ID_BYTES], data[_ID_BYTES:])
