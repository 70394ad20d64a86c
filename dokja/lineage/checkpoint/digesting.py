"""SHA-256 of a file and of each tensor in it, from one reading.

The digest of a whole file is a chain that one core has to walk, so it sets the pace; the digests of the tensors go
along on a second core. hashlib lets go of the interpreter's lock, and a third thread reads ahead. In memory are a few
pieces, whatever the size of the file.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from dokja.lineage.checkpoint.header import Entry
from dokja.lineage.checkpoint.source import Bytes, Source, pieces

PIECE: Final = 2 << 20
AHEAD: Final = 3
"""How many pieces may wait for the slower of the two digests."""


def digested(source: Source, entries: Sequence[Entry]) -> tuple[str, Mapping[str, str]]:
    """The digest of a file, and of its tensors, which are given in the order of their bytes.

    Raises `CheckpointError` where the file is no longer the one that was opened.
    """
    whole, tensors = hashlib.sha256(), _Tensors(entries)
    waiting: deque[tuple[Future[None], Future[None]]] = deque()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for piece in pieces(source, 0, source.size, PIECE):
            if len(waiting) == AHEAD:
                _done(waiting.popleft())
            waiting.append((one.submit(whole.update, piece.data), other.submit(tensors.update, piece)))
        while waiting:
            _done(waiting.popleft())
    source.check()
    return whole.hexdigest(), tensors.digests()


def digest_of(source: Source, entry: Entry) -> str:
    """The digest of one tensor's bytes."""
    found = hashlib.sha256()
    for piece in pieces(source, entry.begin, entry.end, PIECE):
        found.update(piece.data)
    return found.hexdigest()


def _done(jobs: tuple[Future[None], Future[None]]) -> None:
    for job in jobs:
        job.result()


class _Tensors:
    """The digests of the tensors of one file, whose bytes come in pieces."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._found: dict[str, str] = {}
        self._entries: Iterator[Entry] = iter(entries)
        self._entry = next(self._entries, None)
        self._digest = hashlib.sha256()
        self._at = 0

    def update(self, piece: Bytes) -> None:
        """Take the next bytes of the file."""
        first, self._at = self._at, self._at + len(piece)
        while self._entry is not None and self._entry.begin <= self._at:
            begin, end = max(self._entry.begin, first), min(self._entry.end, self._at)
            self._digest.update(piece[begin - first : end - first].data)
            if self._entry.end > self._at:
                return
            self._found[self._entry.name] = self._digest.hexdigest()
            self._entry, self._digest = next(self._entries, None), hashlib.sha256()

    def digests(self) -> Mapping[str, str]:
        """By name, once all bytes are there."""
        return self._found
