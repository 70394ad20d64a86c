"""What a witness signs (C2SP tlog-cosignature, Ed25519): the checkpoint's text, and when it saw it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dokja.record.transparency.ed25519 import signature_fits
from dokja.record.transparency.note import COSIGNATURE, ED25519, SignatureLine, VerifierKey, key_id

_TIME_BYTES, _SIGNATURE_BYTES = 8, 64
LATEST = 2**63 - 1


def signed_by_witness(text: str, seconds: int) -> bytes:
    """The bytes that a witness signs; seconds: since 1970."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def sign(text: str, name: str, private: Ed25519PrivateKey) -> SignatureLine:
    """A log's own signature line."""
    public = private.public_key().public_bytes_raw()
    return SignatureLine(name, key_id(name, ED25519, public), private.sign(text.encode()))


def cosign(text: str, name: str, private: Ed25519PrivateKey, seconds: int) -> SignatureLine:
    """A witness's signature line."""
    public = private.public_key().public_bytes_raw()
    signature = seconds.to_bytes(_TIME_BYTES, "big") + private.sign(signed_by_witness(text, seconds))
    return SignatureLine(name, key_id(name, COSIGNATURE, public), signature)


def cosigned_at(line: SignatureLine) -> int:
    """When a witness signed, in seconds since 1970, as its signature line says."""
    return int.from_bytes(line.signature[:_TIME_BYTES], "big")


def verifies(key: VerifierKey, text: str, line: SignatureLine) -> bool:
    """Whether a line that names the key is the key's signature on the text."""
    signature, message = line.signature, text.encode()
    if key.kind == COSIGNATURE:
        seconds = cosigned_at(line)
        if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES or seconds > LATEST:
            return False
        signature, message = signature[_TIME_BYTES:], signed_by_witness(text, seconds)
    return signature_fits(key.public, signature, message)
