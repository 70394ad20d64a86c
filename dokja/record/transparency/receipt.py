"""Receipts: the log's signed promise that an act it was handed stands in the tree by a given time.

A receipt is a signed note. Its second line is no number, so that no receipt can be taken for a checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass

from dokja.record.merkle import HASH_BYTES
from dokja.record.transparency.checkpoint import number_of
from dokja.record.transparency.cosignature import sign
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import Note, base64_of, bytes_of, read_note
from dokja.record.transparency.policy import Policy
from dokja.record.transparency.refusals import RefusedError

FIRST_LINE = "dokja-receipt-v1"
_FIELDS = ("origin", "leaf", "received", "merged-by")


@dataclass(frozen=True)
class Receipt:
    """What a log promises. leaf: the act's leaf hash; received, merged_by: seconds since 1970."""

    origin: str
    leaf: bytes
    received: int
    merged_by: int

    @property
    def text(self) -> str:
        """The text that is signed."""
        values = (self.origin, base64_of(self.leaf), str(self.received), str(self.merged_by))
        lines = (FIRST_LINE, *(f"{name} {value}" for name, value in zip(_FIELDS, values, strict=True)))
        return "".join(f"{line}\n" for line in lines)


def give_receipt(leaf: bytes, signer: Signer, received: int, seconds: int) -> bytes:
    """A receipt for an act, signed with the log's key: it is to be merged within so many seconds."""
    text = Receipt(signer.name, leaf, received, received + seconds).text
    return bytes(Note(text, (sign(text, signer.name, signer.private),)))


def read_receipt(text: str) -> Receipt:
    """The receipt that a note's text holds."""
    lines = text.removesuffix("\n").split("\n")
    found = [line.partition(" ") for line in lines[1:]]
    if lines[0] != FIRST_LINE or tuple(name for name, _, _ in found) != _FIELDS:
        raise RefusedError("RECEIPT_FORM", "its lines")
    origin, encoded, received, merged_by = (value for _, _, value in found)
    leaf, since, until = bytes_of(encoded), number_of(received), number_of(merged_by)
    if not origin or leaf is None or len(leaf) != HASH_BYTES or since is None or until is None or until < since:
        raise RefusedError("RECEIPT_FORM", "a value")
    return Receipt(origin, leaf, since, until)


def signed_receipt(data: bytes, policy: Policy) -> Receipt:
    """The receipt in a note that a log of the policy signed."""
    note = read_note(data)
    logs, _ = policy.signers(note)
    receipt = read_receipt(note.text)
    if receipt.origin not in logs:
        raise RefusedError("NOTE_ORIGIN", receipt.origin)
    return receipt
