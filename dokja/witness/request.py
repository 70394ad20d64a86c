"""What a witness is sent (C2SP tlog-witness, `add-checkpoint`): its last size, a consistency proof, a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from dokja.record.merkle import HASH_BYTES
from dokja.record.transparency.checkpoint import number_of
from dokja.record.transparency.note import LARGEST_NOTE, base64_of, bytes_of

MOST_HASHES = 63
_LINE_BYTES = 64
LARGEST_REQUEST = LARGEST_NOTE + (MOST_HASHES + 2) * _LINE_BYTES


@dataclass(frozen=True)
class AddCheckpoint:
    """The body of a request. old: the size that the witness saw last; checkpoint: the note as it was signed."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        lines = (f"old {self.old}", *map(base64_of, self.path), "")
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def read_request(body: bytes) -> AddCheckpoint:
    """The request that a body holds; raises `ValueError` with what is wrong."""
    head, gap, checkpoint = body.partition(b"\n\n")
    if not gap or len(body) > LARGEST_REQUEST:
        raise ValueError("no empty line, or too long")
    try:
        first, *hashes = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ValueError("the lines before the checkpoint are not ASCII") from None
    old = number_of(first.removeprefix("old ")) if first.startswith("old ") else None
    if old is None:
        raise ValueError("the first line is not: old SIZE")
    path = tuple(bytes_of(line) for line in hashes)
    if len(path) > MOST_HASHES or any(each is None or len(each) != HASH_BYTES for each in path):
        raise ValueError("a line of the proof is no hash, or there are more than 63")
    return AddCheckpoint(old, tuple(each for each in path if each is not None), checkpoint)
