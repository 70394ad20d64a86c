"""T1 on the residual axis: one permutation of the channels acts on every tensor at once.

Layers are not independent trials there: they all bear the same labels. So the d × d cross products of all tensors are
added up first, and one label test is made of the sum (never Fisher over tensors, never over vectors of norms).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import hosts, like, namespace_of, taken
from dokja.lineage.statistics.labels import Matches, match_cosines
from dokja.lineage.statistics.trace import NO_TRACE, TraceTest, trace_test
from dokja.lineage.statistics.units import FLAT, Floats, Labels, Matrix, block_length, common, total, unit_rows


class JointTrace:
    """Adds up cross products of two models' channels over tensors; then `cosines`, `matches` and `trace`.

    H0: given one model, the channels of the other are in uniformly random order, the same in all tensors. Assumes
    that the rows of each pair of matrices are in the same order or in unrelated orders (unrelated ones only cost
    power), and that no channel is special by its place. Rows must not be aligned by a map that was made with these
    very channels: it would look at labels (`cka.py` needs no alignment). Valid: the sum commutes with the
    relabelling; see `fixed_point_log10_p` and `trace_test`. Each row is centred over the channels and has length
    one, so that every neuron counts alike.

    `sample`: look at these channels only, in this order (the same on both sides, drawn without looking); memory is
    sample². A vector over the channels (a norm gain) enters as one row.
    """

    def __init__(self, channels: int, sample: Labels | None = None) -> None:
        self.channels = channels
        self.sample = np.arange(channels, dtype=np.int64) if sample is None else sample.astype(np.int64)
        size = len(self.sample)
        self._cross: Floats | None = None
        self._sums, self._squares = np.zeros((2, size)), np.zeros((2, size))
        self.rows = 0

    def add(self, left: Floats, right: Floats) -> None:
        """Add one pair of matrices, [rows, channels] each, in windows if need be (rows are paired by place)."""
        if left.shape != right.shape or left.shape[-1] != self.channels:
            raise ValueError(f"{left.shape} and {right.shape} are not rows over {self.channels} channels")
        left, right = left.reshape(-1, self.channels), right.reshape(-1, self.channels)
        step = block_length(self.channels, 16)
        for start in range(0, len(left), step):
            a, b = (unit_rows(side[start : start + step]) for side in (left, right))
            x, y, _ = common(a, b)
            self.add_rows(*(taken(side, self.sample, axis=1) for side in (x, y)))

    def add_rows(self, left: Matrix, right: Matrix) -> None:
        """Add rows that are centred and of length one already, and hold the looked-at channels only."""
        self._cross = total(self._cross, left.T @ right)
        ones, xp = like(np.ones(left.shape[0], dtype=np.float32), left), namespace_of(left)
        found = hosts(*(ones @ each for side in (left, right) for each in (side, xp.square(side))))
        for place in (0, 1):
            self._sums[place] += found[2 * place]
            self._squares[place] += found[2 * place + 1]
        self.rows += left.shape[0]

    def include(self, other: JointTrace) -> None:
        """Add what another one of the same channels has added up."""
        if self.channels != other.channels or not np.array_equal(self.sample, other.sample):
            raise ValueError("other channels are looked at")
        if other._cross is not None:
            self._cross = total(self._cross, other._cross)
        self._sums += other._sums
        self._squares += other._squares
        self.rows += other.rows

    def cosines(self) -> Matrix:
        """Cosines of the centred channels; NaN in the row or column of a channel that is constant."""
        if self._cross is None or self.rows == 0:
            return np.full((len(self.sample), len(self.sample)), np.nan, dtype=np.float32)
        cross, xp = self._cross, namespace_of(self._cross)
        sums = [like(side, cross) for side in self._sums]
        mine, his = (
            like(np.sqrt(_spread(squares, sums, self.rows)), cross)
            for squares, sums in zip(self._squares, self._sums, strict=True)
        )
        centred = cross - sums[0][:, None] * sums[1][None, :] / self.rows
        return xp.astype(centred / mine[:, None] / his[None, :], xp.float32)  # type: ignore[no-any-return]

    def matches(self) -> Matches:
        """T1 fixed points of the channels; the labels are places in the sample."""
        return match_cosines(self.cosines())

    def trace(self) -> TraceTest:
        """T1 trace of the channels."""
        return trace_test(self.cosines()) if self.rows else NO_TRACE


def _spread(squares: NDArray[np.float64], sums: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Sum of squares about the mean; NaN where it is nothing but rounding."""
    spread = squares - sums**2 / rows
    limit = max(FLAT**2 * rows, FLAT * float(squares.max(initial=0.0)))
    return np.where(spread > limit, spread, np.nan)
