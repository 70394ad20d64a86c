"""One reading of a tensor for all that a pack has of it: its digest, chosen rows and columns, and lengths.

What is larger than the memory, or lies far away, would otherwise come once for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.architecture import Part
from dokja.lineage.checkpoint import Checkpoint
from dokja.lineage.checkpoint.formats import decode
from dokja.lineage.checkpoint.source import Bytes
from dokja.lineage.measuring import By, Lengths
from dokja.lineage.statistics.units import Matrix

Sees = Callable[[int, Bytes], None]

BYTES: Final = np.dtype(np.uint8)


def goes_by(checkpoint: Checkpoint, part: Part) -> bool:
    """Whether a part is rows of a plain tensor, as they are stored."""
    return part.index is None and not part.transposed and checkpoint.plain(part.tensor)


class Picked:
    """Chosen rows of a part, or chosen columns as rows, picked as its tensor goes by. places: ascend."""

    def __init__(self, checkpoint: Checkpoint, part: Part, by: By, places: NDArray[np.int64]) -> None:
        info = checkpoint.tensors[part.tensor]
        count, width = info.shape[0], info.elements // info.shape[0]
        self._dtype, self._by = info.dtype, by
        self._first, self._last = part.taken(count)
        item = info.nbytes // info.elements
        self._item = np.dtype(f"<u{item}")
        self._places = places + self._first if by == "rows" else places
        self._width = width if by == "rows" else self._last - self._first
        self._found = np.empty((len(places), self._width * item), dtype=BYTES)

    def see(self, first: int, rows: Bytes) -> None:
        """Some neighbouring rows of the tensor."""
        if self._by == "rows":
            start, stop = np.searchsorted(self._places, (first, first + len(rows)))
            np.take(rows, self._places[start:stop] - first, axis=0, out=self._found[start:stop])
            return
        start, stop = max(first, self._first), min(first + len(rows), self._last)
        if start < stop:
            own = rows[start - first : stop - first].view(self._item)
            found = self._found.view(self._item)
            found[:, start - self._first : stop - self._first] = np.take(own, self._places, axis=1).T

    def found(self) -> Matrix:
        """What was picked, after all rows were seen; bfloat16 stays what it is."""
        return decode(self._dtype, self._found.reshape(-1), narrow=True).reshape(len(self._found), self._width)


def measuring(checkpoint: Checkpoint, part: Part, lengths: Lengths) -> Sees:
    """What shows lengths the rows of a part as its tensor goes by."""
    info = checkpoint.tensors[part.tensor]
    first, last = part.taken(info.shape[0])

    def see(place: int, rows: Bytes) -> None:
        start, stop = max(place, first), min(place + len(rows), last)
        if start < stop:
            own = rows[start - place : stop - place]
            lengths.see(start - first, decode(info.dtype, own.reshape(-1), narrow=True).reshape(len(own), -1))

    return see
