"""The lengths of the rows of a matrix, or of its columns, while the matrix goes by in windows.

In float32, which is three times as fast, wherever it holds the squares; in float64 those of numbers that were scaled
far up or down.
"""

from __future__ import annotations

from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Matrix

AT_ONCE: Final = 1 << 19
"""So many numbers are best squared in one go: so many that threads do not wait for each other's turn at Python."""

FAINTEST: Final = 1e-18
STRONGEST: Final = 1e36
"""Between these a sum of float32 squares has lost nothing that counts: a square that underflows is below 1e-37."""
WEIGHTIEST: Final = 1e6

X = TypeVar("X", np.float32, np.float64)

By = Literal["rows", "columns"]


class Lengths:
    """The lengths of what a matrix has on one of its axes, each number of the other axis times a gain.

    extent: how many are measured, and how many numbers each has. The matrix is seen window by window, whole rows of
    it; its rows are measured, or its columns.
    """

    def __init__(self, extent: tuple[int, int], by: By, gain: Matrix | None = None) -> None:
        measured, numbers = extent
        self._by = by
        self._weight = _squared(gain, numbers)
        self._single = _in_single(self._weight)
        self._sums = np.zeros(measured)
        # One window's room for all of them: new room for each would take longer than the arithmetic.
        self._room = np.empty((0, numbers if by == "rows" else measured), dtype=np.float32)

    def see(self, first: int, window: Matrix) -> None:
        """Some neighbouring rows, the first of which is this one."""
        last = first + len(window)
        if len(self._room) < len(window):
            self._room = np.empty(window.shape, dtype=np.float32)
        kept = slice(first, last) if self._by == "rows" else slice(None)
        with np.errstate(invalid="ignore", over="ignore"):
            if self._single is not None:
                found = self._added(first, window, self._room[: len(window)], self._single)
                if ((found > FAINTEST) & (found < STRONGEST)).all():
                    self._sums[kept] += found
                    return
            self._sums[kept] += self._added(first, window, np.empty(window.shape), self._weight)

    def _added(self, first: int, window: Matrix, room: NDArray[X], weight: NDArray[X]) -> NDArray[X]:
        """The sums of the squares of a window, worked out in its room."""
        room[:] = window
        np.square(room, out=room)
        # Unlike `@`, `dot` lets other threads go on.
        by_rows = self._by == "rows"
        found: NDArray[X] = np.dot(room, weight) if by_rows else np.dot(weight[first : first + len(room)], room)
        return found

    def found(self) -> Matrix:
        """The lengths, of all that was seen."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.sqrt(self._sums).astype(np.float32)


def row_lengths(rows: Matrix, gain: Matrix | None) -> Matrix:
    """The lengths of rows, their columns times a gain."""
    lengths = Lengths((len(rows), rows.shape[1]), "rows", gain)
    lengths.see(0, rows)
    return lengths.found()


def _in_single(weight: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """Weights in float32; `None` if one is so large or so small that a sum in range might lack what counts."""
    mild = (weight == 0) | (weight > 1 / WEIGHTIEST) & (weight < WEIGHTIEST)
    return weight.astype(np.float32) if mild.all() else None


def _squared(gain: Matrix | None, width: int) -> NDArray[np.float64]:
    return np.ones(width) if gain is None else np.square(gain.astype(np.float64))
