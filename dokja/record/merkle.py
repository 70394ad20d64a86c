"""The Merkle tree hash of RFC 6962, section 2.1, kept up to date as leaves are added.

A log of n leaves is cut into perfect subtrees, largest first, one for each 1 in n written in binary. Their hashes are
all that the root and every later root depend on, so a million leaves cost twenty hashes of memory. They are stored
with each head of the record; proofs of inclusion and of consistency rest on the same subtrees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"
EMPTY_ROOT = sha256(b"").digest()
"""The root of no leaves (RFC 6962, section 2.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: SHA-256 of 0x00 and the entry (RFC 6962, section 2.1)."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256 of 0x01 and both children (RFC 6962, section 2.1)."""
    return sha256(_NODE + left + right).digest()


@dataclass
class Grown:
    """The hashes of the perfect subtrees that were completed since there were `start` leaves.

    levels: those over 2^height leaves each, end to end, by their height.
    """

    start: int
    levels: list[bytearray] = field(default_factory=list)

    def add(self, levels: Iterable[bytes]) -> None:
        """Take in what each level came to hold next."""
        for height, hashes in enumerate(levels):
            if height == len(self.levels):
                self.levels.append(bytearray())
            self.levels[height] += hashes


@dataclass
class Frontier:
    """The perfect subtrees of the leaves so far: `size` leaves, `peaks` from the largest subtree to the smallest."""

    size: int
    peaks: list[bytes]

    @classmethod
    def of(cls, size: int, joined: bytes) -> Frontier:
        """The frontier whose peaks were stored end to end."""
        if len(joined) != HASH_BYTES * size.bit_count():
            raise ValueError("as many peaks as the size has ones in binary")
        return cls(size, [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)])

    def joined(self) -> bytes:
        """The peaks end to end, to be stored."""
        return b"".join(self.peaks)

    def extend(self, leaves: Iterable[bytes]) -> list[bytes]:
        """Take in more leaf hashes, level by level: what is paired there makes the next level, what is odd stays.

        Where nothing is left to be paired, the larger subtrees stay what they were. What each level came to hold is
        returned, end to end; the first level is that of the leaves.
        """
        level, peaks, height = list(leaves), list[bytes](), 0
        grown: list[bytes] = []
        total = self.size + len(level)
        while level:
            grown.append(b"".join(level))
            if self.size >> height & 1:
                level.insert(0, self.peaks.pop())
            if len(level) & 1:
                peaks.append(level.pop())
            level = [sha256(_NODE + left + right).digest() for left, right in zip(*[iter(level)] * 2, strict=True)]
            height += 1
        self.size, self.peaks = total, self.peaks + peaks[::-1]
        return grown

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root
