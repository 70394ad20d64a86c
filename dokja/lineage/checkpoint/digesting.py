"""SHA-256 of a checkpoint's header and of each of its tensors, every core at work.

The digest of a whole file would be a chain that one core has to walk. A header that was checked leaves no byte
between its tensors and none behind them, so its digest and theirs say as much. hashlib lets go of the interpreter's
lock. In memory is a piece for each core, whatever the size of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from dokja.lineage.checkpoint.header import Entry
from dokja.lineage.checkpoint.source import Bytes, Source

PIECE: Final = 2 << 20
"""So much stays in a cache from the reading to the hashing, and is worth a turn of the interpreter."""


def digested(ranges: Mapping[str, tuple[Source, int, int]], threads: int) -> dict[str, str]:
    """The digests of ranges of files, by the names of the ranges."""
    # The longest first: the threads end at about the same time.
    names = sorted(ranges, key=lambda name: ranges[name][1] - ranges[name][2])
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda name: _digest(*ranges[name]), names)
        return dict(sorted(zip(names, found, strict=True)))


def digest_of(source: Source, entry: Entry, see: Callable[[int, Bytes], None] | None = None, width: int = 1) -> str:
    """The digest of one tensor's bytes. see: is shown them as they go by, whole rows of `width` bytes, and where."""
    size = max(1, PIECE // width) * width
    return _digest(source, entry.begin, entry.end, size, see)


def _digest(
    source: Source, begin: int, end: int, size: int = PIECE, see: Callable[[int, Bytes], None] | None = None
) -> str:
    found, place = hashlib.sha256(), 0
    for piece in source.pieces(begin, end, size):
        found.update(piece.data)
        if see is not None:
            see(place, piece)
        place += len(piece)
    return found.hexdigest()
