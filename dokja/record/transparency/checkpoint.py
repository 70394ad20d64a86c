"""Checkpoints (C2SP tlog-checkpoint): the origin, the size and the root of a log, as the text of a note."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dokja.record.merkle import HASH_BYTES
from dokja.record.transparency.note import base64_of, bytes_of
from dokja.record.transparency.refusals import RefusedError

LARGEST_SIZE = 2**63 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def number_of(written: str) -> int | None:
    """The number from 0 to 2^63 - 1 that plain decimal digits spell; `None` for any other spelling."""
    if not _NUMBER.fullmatch(written) or int(written) > LARGEST_SIZE:
        return None
    return int(written)


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: its origin, how many entries it holds, their root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64_of(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text holds."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise RefusedError("NOTE_CHECKPOINT", "fewer than three lines, or an empty one")
    origin, size, root = lines[0], number_of(lines[1]), bytes_of(lines[2])
    if size is None:
        raise RefusedError("NOTE_CHECKPOINT", f"size {lines[1][:40]!r}")
    if root is None or len(root) != HASH_BYTES:
        raise RefusedError("NOTE_CHECKPOINT", f"root {lines[2][:80]!r}")
    return Checkpoint(origin, size, root, tuple(lines[3:]))
