"""Proofs of inclusion and of consistency (RFC 6962, section 2.1; checked as in RFC 9162, section 2.1.3 and 2.1.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Self

from dokja.record.merkle import EMPTY_ROOT, HASH_BYTES, node_hash

Path = tuple[bytes, ...]


@dataclass(frozen=True)
class Tree:
    """The hashes of all perfect subtrees; `levels[h]` holds those over 2^h leaves, end to end."""

    levels: tuple[bytes, ...]

    @classmethod
    def of(cls, leaves: bytes) -> Self:
        """The tree over leaf hashes that stand end to end."""
        return cls._completed([leaves])

    @classmethod
    def joined(cls, trees: Iterable[Self]) -> Self:
        """The tree over the leaves of several, one after the other; all but the last are perfect and of one size."""
        levels = zip_longest(*(tree.levels for tree in trees), fillvalue=b"")
        return cls._completed([b"".join(level) for level in levels] or [b""])

    def grown(self, levels: Iterable[bytes | bytearray]) -> Self:
        """The tree with more leaves, as `merkle.Grown` has it."""
        return type(self)(tuple(map(b"".join, zip_longest(self.levels, levels, fillvalue=b""))))

    @classmethod
    def _completed(cls, levels: list[bytes]) -> Self:
        """The levels with all that follow from the highest of them."""
        while len(levels[-1]) >= 2 * HASH_BYTES:
            level = levels[-1]
            pairs = range(0, len(level) - HASH_BYTES, 2 * HASH_BYTES)
            levels.append(b"".join(sha256(b"\x01" + level[at : at + 2 * HASH_BYTES]).digest() for at in pairs))
        return cls(tuple(levels))

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self.levels[0]) // HASH_BYTES

    def perfect(self, height: int, index: int) -> bytes:
        """The root over the leaves from `index` times 2^height on."""
        return self.levels[height][index * HASH_BYTES : (index + 1) * HASH_BYTES]

    def over(self, start: int, end: int) -> bytes:
        """The root over the leaves from `start` to before `end`."""
        count = end - start
        if count == 0:
            return EMPTY_ROOT
        if count & (count - 1) == 0:
            return self.perfect(count.bit_length() - 1, start // count)
        middle = start + _below(count)
        return node_hash(self.over(start, middle), self.over(middle, end))

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves; over all, if it is not named."""
        return self.over(0, self.size if size is None else size)

    def inclusion(self, index: int, size: int) -> Path:
        """The hashes that lead from a leaf to the root over the first `size` leaves (RFC 6962, section 2.1.1)."""
        return tuple(self._inclusion(index, 0, size))

    def _inclusion(self, index: int, start: int, end: int) -> Iterator[bytes]:
        if end - start == 1:
            return
        middle = start + _below(end - start)
        if index < middle:
            yield from self._inclusion(index, start, middle)
            yield self.over(middle, end)
        else:
            yield from self._inclusion(index, middle, end)
            yield self.over(start, middle)

    def consistency(self, old: int, new: int) -> Path:
        """The hashes that lead from the root over `old` leaves to that over `new` (RFC 6962, section 2.1.2)."""
        return tuple(self._consistency(old, 0, new, known=True)) if 0 < old < new else ()

    def _consistency(self, old: int, start: int, end: int, *, known: bool) -> Iterator[bytes]:
        if old == end:
            if not known:
                yield self.over(start, end)
            return
        middle = start + _below(end - start)
        if old <= middle:
            yield from self._consistency(old, start, middle, known=known)
            yield self.over(middle, end)
        else:
            yield from self._consistency(old, middle, end, known=False)
            yield self.over(start, middle)


def _below(count: int) -> int:
    """The largest power of two below a count of two or more."""
    return 1 << (count - 1).bit_length() - 1


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf to the root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, reached = index, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            reached = node_hash(each, reached)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            reached = node_hash(reached, each)
        at, last = at >> 1, last >> 1
    return last == 0 and reached == root


def continues(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the path shows that the first `old` of `new` leaves have the old root (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not path and (old_root == (EMPTY_ROOT if old == 0 else new_root))
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, each)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
