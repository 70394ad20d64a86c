"""The lengths of the rows of a matrix, or of its columns, while the matrix goes by in windows.

In float64, for float32 does not hold the squares of numbers that were scaled far up or down.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Matrix

AT_ONCE: Final = 1 << 19
"""So many numbers are best squared in one go: so many that threads do not wait for each other's turn at Python."""

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
        self._sums = np.zeros(measured)
        # One window's room for all of them: new room for each would take longer than the arithmetic.
        self._room = np.empty((0, numbers if by == "rows" else measured))

    def see(self, first: int, window: Matrix) -> None:
        """Some neighbouring rows, the first of which is this one."""
        last = first + len(window)
        if len(self._room) < len(window):
            self._room = np.empty(window.shape)
        squares = self._room[: len(window)]
        with np.errstate(invalid="ignore", over="ignore"):
            squares[:] = window
            np.square(squares, out=squares)
            # Unlike `@`, `dot` lets other threads go on.
            if self._by == "rows":
                self._sums[first:last] = np.dot(squares, self._weight)
            else:
                self._sums += np.dot(self._weight[first:last], squares)

    def found(self) -> Matrix:
        """The lengths, of all that was seen."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.sqrt(self._sums).astype(np.float32)


def row_lengths(rows: Matrix, gain: Matrix | None) -> Matrix:
    """The lengths of rows, their columns times a gain."""
    lengths = Lengths((len(rows), rows.shape[1]), "rows", gain)
    lengths.see(0, rows)
    return lengths.found()


def _squared(gain: Matrix | None, width: int) -> NDArray[np.float64]:
    return np.ones(width) if gain is None else np.square(gain.astype(np.float64))
