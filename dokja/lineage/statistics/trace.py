"""T1, trace: the sum of the similarities of equally labelled units, against every other labelling.

The fixed points see a strong kinship of single units; the trace sees a weak one of all of them together. Its mean and
variance over all labellings are exact. Its tail is bounded without any Gaussian: the moment generating function
over a uniform permutation is a permanent divided by a factorial, and Brègman's theorem bounds permanents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import host, hosts, like, namespace_of, row_products, taken
from dokja.lineage.statistics.counting import log_factorial, log_factorials
from dokja.lineage.statistics.units import Floats, Labels, Matrix, Units, block_length, common, unit_rows

LN10 = float(np.log(10.0))
#: Up to so many units D is held (64 MiB) and the exponent is searched; above, a few are tried in one pass.
HELD = 4096
FACTORS = (0.02, 0.06, 0.2, 0.5, 0.8, 1.0)
#: Exponents in float32 must not span more than this, so that what underflows is below rounding.
RANGE = 60.0
#: If less than this share of Σ C² is left of it once the means are gone, the deviations are squared one by one.
KEPT = 1e-2
#: Every sum of powers is raised by this, more than float32 can have lost.
ROUNDED = 1.0 + 2e-5

Blocks = Callable[[slice], NDArray[np.floating]]


@dataclass(frozen=True)
class TraceTest:
    """Σ c(i, i) against Σ c(i, π(i)).

    `units`; `trace`, its exact permutation `mean` and `deviation`; `log10_p`: rigorous, for a trace so large;
    `log10_p_lower`: rigorous, for one so small. `z` is for the eye: no p-value is made of it.
    """

    units: int
    trace: float
    mean: float
    deviation: float
    log10_p: float
    log10_p_lower: float

    @property
    def z(self) -> float:
        """Standard deviations above the mean; 0 where every labelling gives the same trace."""
        return (self.trace - self.mean) / self.deviation if self.deviation > 0 else 0.0

    @property
    def effect(self) -> float:
        """ρ: the mean similarity of equally labelled units above that of all others."""
        return (self.trace - self.mean) / self.units if self.units else 0.0

    @property
    def log10_p_two_sided(self) -> float:
        """Rigorous log10 p for either tail."""
        return min(0.0, min(self.log10_p, self.log10_p_lower) + float(np.log10(2.0)))


NO_TRACE = TraceTest(0, 0.0, 0.0, 0.0, 0.0, 0.0)


def trace_test(similarities: Floats) -> TraceTest:
    """Test whether equally labelled units are more alike than labels chosen at random would make them.

    H0: the columns of `similarities` are in uniformly random order given the rows (one symmetric group acts). Exact
    for any similarity computed without looking at labels; rows or columns that hold NaN are left out on both sides.

    Moments: mean ΣC/n and variance ΣD²/(n − 1), D the double-centred C (Hoeffding 1951).
    Tail, rigorous for every n: tr C − mean = Σ d(i, i), and for every s > 0 Markov gives
    P(Σ d(i, π(i)) ≥ t) ≤ e^{−st} per(A)/n! with A = e^{sD} entry by entry. Divide row i by its largest entry mᵢ; it
    then lies in [0, 1] and sums to rᵢ. A permanent is linear in each row, and a row of [0, 1]ⁿ with sum r is a
    mixture of 0/1 rows with ⌊r⌋ and ⌈r⌉ ones in the proportions (1 − f) : f, f = r − ⌊r⌋; Brègman's theorem (Minc's
    conjecture; Brègman, Soviet Math. Dokl. 14, 1973), per ≤ Π g(ones of row i) with g(k) = (k!)^{1/k}, then gives
    per(A) ≤ Π mᵢ ((1 − f) g(⌊rᵢ⌋) + f g(⌈rᵢ⌉)). The same holds for columns; the smaller is taken, over a grid of s,
    none of which depends on labels (each sum is raised by more than the rounding). As g(k) ~ k/e, the bound is
    Chernoff's for independent rows, up to a factor of n^(1/2) to a small power; it keeps the variance, which bounds
    in terms of the mean lose (Chatterjee 2007, Prop. 1.1).
    """
    square, xp = similarities, namespace_of(similarities)
    if square.ndim != 2 or square.shape[0] != square.shape[1]:
        raise ValueError(f"a trace needs a square matrix, not {square.shape}")
    finite = xp.isfinite(square)
    if not xp.all(finite):
        good = np.flatnonzero(host(xp.all(finite, axis=0) & xp.all(finite, axis=1)))
        square = taken(taken(square, good), good, axis=1)
    units = square.shape[0]
    if units < 2:
        return NO_TRACE
    rows, columns = (
        each / units for each in hosts(*(xp.sum(square, axis=axis, dtype=xp.float64) for axis in (1, 0)))
    )
    return _test(lambda part: square[part, :], rows, columns, float(xp.linalg.trace(square, dtype=xp.float64)))


def unit_trace(
    left: Floats | Units, right: Floats | Units, *, repeats: int = 1, block: int = 1, sample: Labels | None = None
) -> TraceTest:
    """`trace_test` of the cosines of two sets of units, whose product is never held whole.

    H0, validity and source as there. `sample`: only these labels, of both sides: given which labels the sample
    bears, the order among them is uniform under H0.
    """
    a = left if isinstance(left, Units) else unit_rows(left, repeats=repeats, block=block)
    b = right if isinstance(right, Units) else unit_rows(right, repeats=repeats, block=block)
    if a.total != b.total:
        return NO_TRACE
    x, y, labels = common(a, b)
    if sample is not None:
        kept = np.flatnonzero(np.isin(labels, sample))
        x, y = taken(x, kept), taken(y, kept)
    if x.shape[0] < 2:
        return NO_TRACE
    xp = namespace_of(x)
    wide = xp.astype(x, xp.float64), xp.astype(y, xp.float64)
    rows, columns = (host(own @ xp.mean(other, axis=0)) for own, other in (wide, wide[::-1]))
    trace = float(xp.sum(row_products(*wide)))
    return _test(lambda part: x[part, :] @ y.T, rows, columns, trace)


class _Centred:
    """The double-centred similarities D, in blocks of rows; held only where one block holds them all."""

    def __init__(self, block: Blocks, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> None:
        self.units = len(rows)
        self.centre = float(rows.mean())
        self._block, self._rows, self._columns = block, rows, columns - self.centre
        self._held: Matrix | None = None
        step = self.units if self.units <= HELD else block_length(self.units)
        self.slices = [slice(start, min(start + step, self.units)) for start in range(0, self.units, step)]

    def squares(self) -> float:
        """Σ D², from Σ C² where that loses no digits."""
        whole = sum(_energy(self._block(part)) for part in self.slices)
        means = self._rows @ self._rows + (self._columns + self.centre) @ (self._columns + self.centre)
        rest = whole - self.units * (float(means) - self.units * self.centre**2)
        return rest if rest > KEPT * whole else sum(_energy(deviation) for _, deviation in self)

    def extremes(self, sign: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The largest of every row and of every column, the sign turned where the lower tail is asked."""
        tops, peaks = np.empty(self.units), np.full(self.units, -np.inf)
        for part, deviation in self:
            xp = namespace_of(deviation)
            extreme = xp.max if sign > 0 else xp.min
            tops[part] = sign * host(extreme(deviation, axis=1))
            peaks = np.maximum(peaks, sign * host(extreme(deviation, axis=0)))
        return tops, peaks

    def __iter__(self) -> Iterator[tuple[slice, Matrix]]:
        for part in self.slices:
            if self._held is None:
                block = self._block(part)
                deviation = namespace_of(block).astype(block, namespace_of(block).float32)  # A copy, in any case.
                deviation -= like(self._rows[part, None].astype(np.float32), block)
                deviation -= like(self._columns[None].astype(np.float32), block)
                self._held = deviation if len(self.slices) == 1 else None
                yield part, deviation
            else:
                yield part, self._held


def _energy(matrix: NDArray[np.floating]) -> float:
    xp = namespace_of(matrix)
    return float(xp.sum(row_products(matrix, matrix), dtype=xp.float64))


def _test(block: Blocks, rows: NDArray[np.float64], columns: NDArray[np.float64], trace: float) -> TraceTest:
    """The test from blocks of rows of C, its row and column means, and its trace."""
    deviations = _Centred(block, rows, columns)
    units, mean = len(rows), len(rows) * deviations.centre
    variance, excess = deviations.squares() / (units - 1), trace - mean
    rounding = 1e-6 * max(float(np.abs(rows).max()), float(np.abs(columns).max()), abs(trace) / units)
    if variance <= units * rounding**2:
        return TraceTest(units, trace, mean, 0.0, 0.0, 0.0)
    if excess**2 <= 2.0 * variance:  # No exponent would give less than 1/e; there is nothing to see.
        return TraceTest(units, trace, mean, variance**0.5, 0.0, 0.0)
    # At most one tail is small: the other begins beyond the mean.
    sign = 1 if excess > 0 else -1
    log10_p = min(0.0, _log_tail(deviations, sign, abs(excess), variance, *deviations.extremes(sign)) / LN10)
    tails = (log10_p, 0.0) if sign > 0 else (0.0, log10_p)
    return TraceTest(units, trace, mean, variance**0.5, *tails)


def _log_tail(
    deviations: _Centred,
    sign: int,
    excess: float,
    variance: float,
    tops: NDArray[np.float64],
    peaks: NDArray[np.float64],
) -> float:
    """Natural logarithm of the bound on P(Σ d(i, π(i)) ≥ excess), at the best exponent that is tried."""

    def bounds(exponents: list[float]) -> list[float]:
        return _log_bounds(deviations, sign, exponents, excess, tops, peaks)

    gauss = excess / variance
    # Beyond this exponent the largest and the smallest peak no longer fit one float32 scale.
    gauss = min(gauss, RANGE / max(float(tops.max() - min(tops.min(), peaks.min())), 1e-30))
    if len(deviations.slices) > 1:
        return min(bounds([gauss * factor for factor in FACTORS]))
    tried = {1.0: bounds([gauss])[0]}
    for ratio in (0.5, 0.8, 0.93):
        for step in (ratio, 1.0 / ratio):
            best = min(tried, key=lambda factor: tried[factor])
            while (best := best * step) not in tried and 1e-3 < best < 8.0:
                tried[best] = bounds([gauss * best])[0]
                if tried[best] > min(tried.values()):
                    break
    return min(tried.values())


def _log_bounds(
    deviations: _Centred,
    sign: int,
    exponents: list[float],
    excess: float,
    tops: NDArray[np.float64],
    peaks: NDArray[np.float64],
) -> list[float]:
    """The bound for each exponent: the smaller of Brègman's over rows and over columns."""
    highest, lowest = float(tops.max()), float(min(tops.min(), peaks.min()))
    row_sums = np.zeros((len(exponents), deviations.units))
    column_sums = np.zeros_like(row_sums)
    for part, deviation in deviations:
        xp = namespace_of(deviation)
        across, down = (like(np.ones(size, dtype=np.float32), deviation) for size in deviation.shape[::-1])
        for place, exponent in enumerate(exponents):
            powers = deviation * (sign * exponent)
            powers -= exponent * highest
            powers = xp.exp(powers)
            row_sums[place, part] = host(powers @ across)
            column_sums[place] += host(down @ powers)
    logs = []
    for place, exponent in enumerate(exponents):
        if exponent * (highest - lowest) > RANGE * (1.0 + 1e-9):
            logs.append(0.0)
            continue
        sides = [
            float((exponent * extreme + log_bregman(sums * ROUNDED * np.exp(exponent * (highest - extreme)))).sum())
            for sums, extreme in ((row_sums[place], tops), (column_sums[place], peaks))
        ]
        logs.append(min(sides) - log_factorial(deviations.units) - exponent * excess)
    return logs


def log_bregman(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln of (1 − f) g(⌊r⌋) + f g(⌈r⌉), g(k) = (k!)^{1/k}, r ≥ 1: a permanent, row by row."""
    low = np.maximum(1, np.floor(sums).astype(np.int64))
    rest = np.clip(sums - low, 0.0, 1.0)
    mean = (1.0 - rest) * np.exp(log_factorials(low) / low) + rest * np.exp(log_factorials(low + 1) / (low + 1))
    logs: NDArray[np.float64] = np.log(mean)
    return logs
