"""T7: the same numbers. Rows that were not changed, and originals that fall into the cells of a quantised copy.

Both compare numbers at the same place, and neither has a p-value: they are facts that say *how* one model depends on
another, where the tests of labels say that it does. Equal rows are told apart from equal tensors because a copy may
have changed some rows alone, or grown others. A quantised copy holds few values in each row or group of columns;
every number of its original is nearest to the value that the copy has in its place, unless it was trained in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Floats

GROUPS = (16, 32, 64, 128)
"""How many columns are taken together: they must not have two scales among them."""

MEET = 1 / 400
"""Of a quantised row at least this share of its pairs of numbers are equal: of eight bits 1/50 to 1/255, of fewer
more, of bfloat16 1/690 to 1/1,500, whatever the distribution."""

AS_OFTEN = 0.75
"""In larger groups numbers meet at least this much as often as in the smallest, or they have several scales."""

ROWS, COLUMNS, NUMBERS = 16, 256, 512
"""So many rows and columns of a matrix are looked at; of so many numbers the cells."""


@dataclass(frozen=True)
class Rows:
    """Rows compared (but for constant ones that are equal), and those equal throughout."""

    compared: int = 0
    equal: int = 0


@dataclass(frozen=True)
class Cells:
    """Numbers compared; those in the cell of the copy's value; those of the next row that are, by chance."""

    numbers: int = 0
    inside: int = 0
    chance: int = 0

    def __add__(self, other: Cells) -> Cells:
        """Both together."""
        return Cells(self.numbers + other.numbers, self.inside + other.inside, self.chance + other.chance)


def equal_rows(left: Floats, right: Floats) -> Rows:
    """How many rows are equal, to the digits of bfloat16.

    No hypothesis: a fact. Constant rows that are equal (zeros of padding) are not counted, nor what is not finite.
    """
    if left.shape != right.shape:
        raise ValueError(f"shapes {left.shape} and {right.shape} differ")
    if not left.size:
        return Rows()
    places = np.flatnonzero(_digits(left[:, 0]) == _digits(right[:, 0]))
    same = places[(_digits(left[places]) == _digits(right[places])).all(axis=1)]
    # Constant rows are looked for among equal ones alone: two that differ are counted as they are.
    flat = (left[same] == left[same, :1]).all(axis=1) | ~np.isfinite(left[same]).all(axis=1)
    constant = int(np.count_nonzero(flat))
    return Rows(len(left) - constant, len(same) - constant)


def in_cells(copy: Floats, original: Floats) -> Cells:
    """How many numbers of some rows are nearest to the copy's value in their place, of all values of its group.

    No p-value: an effect, beside what the same rows give against each other's originals. Nothing is compared where
    the copy is not quantised. The cells are those of the values that occur, whatever the grid: even steps, float8, or
    a table. Numbers are rounded or, if that fits the matrix better, cut off towards zero (CTranslate2). Source:
    uniform quantisation, Jacob et al., CVPR 2018, arXiv 1712.05877.
    """
    if copy.shape != original.shape:
        raise ValueError(f"shapes {copy.shape} and {original.shape} differ")
    few, his = (side[:ROWS, : COLUMNS - COLUMNS % GROUPS[0]] for side in (copy, original))
    width = _group(few)
    if width is None or len(few) < 2:
        return Cells()
    ways = [Cells(), Cells()]
    for one, own, other in _cut(few, his, width):
        values, place = np.unique(one, return_inverse=True)
        for way, cell in enumerate((_rounded, _cut_off)):
            inside, chance = (int(np.count_nonzero(cell(values, side) == place)) for side in (own, other))
            ways[way] += Cells(len(one), inside, chance)
    return max(ways, key=lambda cells: cells.inside)


def _digits(numbers: Floats) -> NDArray[np.uint16]:
    return np.ascontiguousarray(numbers).astype(ml_dtypes.bfloat16).view(np.uint16)


def _group(rows: Floats) -> int | None:
    """How many columns have one scale, at least; `None` where the rows are not quantised, or not finite."""
    if rows.size < 2 * GROUPS[-1] or rows.shape[1] < GROUPS[0] or not np.isfinite(rows).all():
        return None
    least = _meeting(rows, GROUPS[0]) if not rows.shape[1] % GROUPS[0] else 0.0
    if not MEET <= least < 1:
        return None
    whole = (size for size in GROUPS if not rows.shape[1] % size)
    return max(size for size in whole if size == GROUPS[0] or _meeting(rows, size) >= AS_OFTEN * least)


def _meeting(rows: Floats, size: int) -> float:
    """Which share of the pairs of numbers within groups of so many columns are equal."""
    ordered = np.sort(rows.reshape(-1, size), axis=1)
    pairs = 0
    for apart in range(1, size):
        meet = int(np.count_nonzero(ordered[:, apart:] == ordered[:, :-apart]))
        if not meet:  # In order, what does not meet over one distance meets over no larger one.
            break
        pairs += meet
    return float(pairs) / (len(ordered) * size * (size - 1) / 2)


def _cut(copy: Floats, original: Floats, width: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Some groups of the copy, each with its own original's and that of the next row."""
    rows, columns = copy.shape
    most = max(1, NUMBERS // width)
    for place in range(min(most, rows * (columns // width))):
        row, part = place % rows, slice(place // rows * width, (place // rows + 1) * width)
        own, other = original[row, part], original[(row + 1) % rows, part]
        if np.isfinite(own).all() and np.isfinite(other).all():
            yield copy[row, part], own, other


def _rounded(values: Floats, numbers: Floats) -> NDArray[np.int64]:
    """The nearest of the values."""
    found: NDArray[np.int64] = np.searchsorted((values[1:] + values[:-1]) / 2, numbers)
    return found


def _cut_off(values: Floats, numbers: Floats) -> NDArray[np.int64]:
    """The next of the values towards zero."""
    found: NDArray[np.int64] = np.where(
        numbers < 0, np.searchsorted(values, numbers), np.searchsorted(values, numbers, side="right") - 1
    )
    return found
