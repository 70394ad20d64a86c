"""The challenge of the same seed: what do two checkpoints share beyond the initialisation that both began from?

One seed gives two strangers one initialisation, and every label test fires. With the step-0 checkpoint the initial
weights are projected off, row by row, and what is left is compared: little between strangers, much after descent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Floats, block_length, flattened


@dataclass(frozen=True)
class Partial:
    """Sums over tensors; add them up with `+`. `rows`: units that took part."""

    rows: int = 0
    plain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    beyond: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __add__(self, other: Partial) -> Partial:
        return Partial(self.rows + other.rows, _added(self.plain, other.plain), _added(self.beyond, other.beyond))

    @property
    def correlation(self) -> float:
        """Correlation of the two checkpoints, nothing projected off."""
        return _correlation(self.plain)

    @property
    def partial(self) -> float:
        """Correlation of what the initialisation does not explain; 0 where one side is nothing but its start."""
        return _correlation(self.beyond)


def partial_correlation(left: Floats, right: Floats, start: Floats) -> Partial:
    """Partial correlation of two tensors [units, …] given the step-0 tensor.

    An effect, with no p-value: given the start, both trainings are functions of it, so the labels of what is left are
    *not* exchangeable, and no permutation calibrates it (in the zoo of the benchmarks: 0.21 to 0.78 for the same
    seed, 0.36 to 1 for a descendant). Each row is centred, freed of its projection on the start's row (its decay by
    any factor), and correlated, all rows together. Rows that are not finite anywhere are left out. Assumes that the
    step-0 checkpoint is authentic. Source: partial correlation, Pearson and Yule; for its use here see the
    documentation of the audit.
    """
    if not left.shape == right.shape == start.shape:
        raise ValueError(f"shapes {left.shape}, {right.shape} and {start.shape} differ")
    flat = [flattened(side) for side in (left, right, start)]
    total = Partial()
    step = block_length(flat[0].shape[1], 24)
    for first in range(0, len(left), step):
        total = total + _rows(*(side[first : first + step].astype(np.float64) for side in flat))
    return total


def _rows(a: NDArray[np.float64], b: NDArray[np.float64], start: NDArray[np.float64]) -> Partial:
    good = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1) & np.isfinite(start).all(axis=1)
    if a.shape[1] < 3:
        return Partial()  # A centred row of two has one direction: nothing is left beyond the start.
    a, b, start = (side[good] - side[good].mean(axis=1, keepdims=True) for side in (a, b, start))
    energy = np.einsum("ij,ij->i", start, start)
    energy[energy == 0] = 1.0
    rest = [side - (np.einsum("ij,ij->i", side, start) / energy)[:, None] * start for side in (a, b)]
    # What is left of a row that has not moved is rounding, not training.
    for kept, side in zip(rest, (a, b), strict=True):
        length = np.einsum("ij,ij->i", side, side)
        kept[np.einsum("ij,ij->i", kept, kept) <= 1e-12 * length] = 0.0
    return Partial(int(good.sum()), _products(a, b), _products(*rest))


def _products(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(np.vdot(a, b)), float(np.vdot(a, a)), float(np.vdot(b, b))


def _added(one: tuple[float, float, float], other: tuple[float, float, float]) -> tuple[float, float, float]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _correlation(sums: tuple[float, float, float]) -> float:
    cross, left, right = sums
    return cross / (left * right) ** 0.5 if left > 0 and right > 0 else 0.0
