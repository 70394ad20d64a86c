"""T2: label tests that no rotation of the other axis can hide from.

‖XᵀY‖² = Σ K(i, j) L(i, j), with K = XXᵀ and L = YYᵀ, does not change when either side's columns are rotated or
permuted, and is exact when the rows are relabelled (Mantel 1967; CKA: Kornblith et al., ICML 2019, arXiv
1905.00414). With rows = neurons it withstands a rotation of the residual axis; with rows = channels, summed over
tensors, a permutation of the hidden units. Two readings of the same Gram matrices:

- `gram_correlation`: the sum itself, exact permutation mean and variance. A `z` for the eye; rigorous p by Cantelli.
- `relative_labels`: half of the units, drawn at random, are anchors; a unit of the other half is described by its
  inner products with the anchors (rotation-free), and T1 compares the labels of the rest. Rigorous, with the tails
  of T1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import host, hosts, like, namespace_of, row_products, taken
from dokja.lineage.statistics.combine import mean_of_e_values
from dokja.lineage.statistics.labels import Matches, fixed_points
from dokja.lineage.statistics.trace import TraceTest, unit_trace
from dokja.lineage.statistics.units import Floats, Labels, Matrix, Units, common, flattened, total, unit_rows


@dataclass(frozen=True)
class GramCorrelation:
    """Σ over tensors of <K, PLPᵀ>: `value`, exact permutation `mean` and `deviation`, `cka` (of at most 1)."""

    units: int
    value: float
    mean: float
    deviation: float
    cka: float

    @property
    def z(self) -> float:
        """Standard deviations above the mean over all labellings."""
        return (self.value - self.mean) / self.deviation if self.deviation > 0 else 0.0

    @property
    def log10_p(self) -> float:
        """Rigorous: Cantelli's inequality with the exact moments, p ≤ 1/(1 + z²)."""
        return -float(np.log10(1.0 + self.z**2)) if self.z > 0 else 0.0


@dataclass(frozen=True)
class RelativeLabels:
    """T1 of each half of the units, described by its inner products with the other half."""

    matches: tuple[Matches, ...]
    traces: tuple[TraceTest, ...]

    @property
    def log10_p(self) -> float:
        """Rigorous: the mean of the e-values of all four tests (they depend on each other)."""
        tests = [one.log10_p for one in self.matches] + [one.log10_p for one in self.traces]
        return mean_of_e_values(tests) if tests else 0.0

    @property
    def fixed(self) -> int:
        """Units matched to their own label, over both halves."""
        return sum(one.fixed for one in self.matches)

    @property
    def units(self) -> int:
        """Units compared, over both halves."""
        return sum(one.units for one in self.matches)


def gram(rows: Matrix) -> NDArray[np.float64]:
    """The double-centred Gram matrix of the rows: what every rotation of the columns leaves."""
    xp = namespace_of(rows)
    products: NDArray[np.float64] = xp.astype(rows @ rows.T, xp.float64)
    if not products.shape[0]:
        return products
    mean = xp.mean(products, axis=0)
    products -= (mean - xp.mean(mean))[:, None]
    products -= mean[None, :]
    return products


def neuron_grams(
    left: Floats, right: Floats, *, repeats: int = 1, block: int = 1, sample: Labels | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gram matrices of the rows of two matrices, over the units that have a direction on both sides.

    The rows are normalised (a neuron's scale is free) and not centred over the columns: a rotation does not keep the
    centring. `sample`: only these units, of both sides (memory is their number squared, twice).
    """
    a, b, labels = common(_lengths_one(left, repeats, block), _lengths_one(right, repeats, block))
    if sample is not None:
        kept = np.isin(labels, sample)
        a, b = a[kept], b[kept]
    return gram(a), gram(b)


def gram_correlation(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> GramCorrelation:
    """T2: are the Gram matrices of two models (double-centred, one pair for each tensor) labelled alike?

    H0: one uniform permutation relabels the units of all right-hand matrices (channels: one axis for all tensors;
    neurons: call it layer by layer, and combine). Exact mean and variance over all labellings: the second moment of
    Σ K(i, j) L(π i, π j) is a sum over the 15 partitions of four indices (Mantel 1967; Kazi-Aoual et al., Comput.
    Stat. Data Anal. 20, 1995), bilinear in the tensors, of which double-centring leaves four unrestricted sums.
    p-value: Cantelli. Source of the statistic: Kornblith et al. 2019, section 3 (linear CKA = RV coefficient).
    """
    sizes = {len(k) for pair in pairs for k in pair}
    if len(sizes) != 1 or min(sizes) < 4:
        return GramCorrelation(0, 0.0, 0.0, 0.0, 0.0)
    n = sizes.pop()
    lefts, rights = ([pair[side] for pair in pairs] for side in (0, 1))
    value = float(sum(np.vdot(k, other) for k, other in pairs))
    mean = float(sum(np.trace(k) * np.trace(other) for k, other in pairs)) / (n - 1)
    second = float(np.einsum("p,pab,pab->", _weights(n), _distinct(lefts), _distinct(rights)))
    variance = second - mean**2
    largest = float(np.sqrt(sum(np.vdot(k, k) for k in lefts) * sum(np.vdot(k, k) for k in rights)))
    if variance <= 1e-12 * max(second, mean**2):
        return GramCorrelation(n, value, mean, 0.0, 0.0)
    return GramCorrelation(n, value, mean, variance**0.5, value / largest)


@dataclass(frozen=True)
class Moments:
    """What the exact variance of <K, PLPᵀ> needs of one double-centred K: its trace, and sums of squares."""

    units: int
    trace: float
    diagonal: float
    squares: float


def moments_of(gram: NDArray[np.float64]) -> Moments:
    """The moments of one double-centred matrix."""
    own, squares = hosts(namespace_of(gram).linalg.diagonal(gram), row_products(gram, gram))
    return Moments(len(own), float(own.sum()), float(own @ own), float(squares.sum()))


def correlated(value: float, left: Moments, right: Moments) -> GramCorrelation:
    """`gram_correlation` of one pair whose inner product is known; H0, moments and source as there."""
    mean = left.trace * right.trace / (left.units - 1)
    free = np.array([[side.diagonal, side.trace**2, side.squares, side.squares] for side in (left, right)])
    second = float(_weights(left.units) @ np.prod(_SIGNS @ free.T, axis=1))
    variance, largest = second - mean**2, float(np.sqrt(left.squares * right.squares))
    if variance <= 1e-12 * max(second, mean**2):
        return GramCorrelation(left.units, value, mean, 0.0, 0.0)
    return GramCorrelation(left.units, value, mean, variance**0.5, value / largest)


def monte_carlo_log10_p(
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], *, seed: int, permutations: int = 199
) -> float:
    """Exact Monte-Carlo p of `gram_correlation`: p = (1 + #{permuted ≥ observed})/(n + 1), never below 1/(n + 1).

    H0 as there; exact for every n because observed and permuted values are exchangeable (Phipson and Smyth 2010).
    """
    observed = sum(float(np.vdot(k, other)) for k, other in pairs)
    generator = np.random.default_rng(seed)
    above = 0
    for _ in range(permutations):
        order = generator.permutation(len(pairs[0][0])) if pairs else np.empty(0, dtype=np.int64)
        above += sum(float(np.vdot(k, other[np.ix_(order, order)])) for k, other in pairs) >= observed * (1 - 1e-12)
    return float(np.log10((1 + above) / (permutations + 1)))


def relative_labels(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], *, seed: int) -> RelativeLabels:
    """T2, rigorous: T1 between units described by their inner products with anchor units.

    H0: as for `gram_correlation`. The units fall at random (by `seed`) into halves S and S′. Given which label each
    unit of S′ bears, the labels within S are still a uniform permutation, and the columns K(S, S′) and L(S, S′) are
    one axis in one order: so T1 of the rows of K(S, S′) against those of L(S, S′) is exact. Then the halves change
    places. Nothing in it changes when the columns behind K or L are rotated. Tensors are joined side by side.
    Source: T1 with the relative representations of Moschella et al. (ICLR 2023, arXiv 2209.15430), the units
    themselves as anchors.
    """
    if not pairs or len(pairs[0][0]) < 8:
        return RelativeLabels((), ())
    order = np.random.default_rng(seed).permutation(len(pairs[0][0]))
    half = len(order) // 2
    matches, traces = [], []
    for some, anchors in ((order[:half], order[half:]), (order[half:], order[:half])):
        left, right = (
            unit_rows(np.concatenate([pair[side][np.ix_(some, anchors)] for pair in pairs], axis=1))
            for side in (0, 1)
        )
        matches.append(fixed_points(left, right))
        traces.append(unit_trace(left, right))
    return RelativeLabels(tuple(matches), tuple(traces))


@lru_cache(maxsize=256)
def halved(count: int, seed: int) -> tuple[Labels, Labels]:
    """So many places, drawn at random into two halves."""
    order = np.random.default_rng(seed).permutation(count).astype(np.int64)
    order.flags.writeable = False
    return order[: count // 2], order[count // 2 :]


def relative(units: Units, halves: tuple[Labels, Labels], repeats: int = 1) -> tuple[Units, Units]:
    """Each half of the units, described by their inner products with the other half: T2's units, for `cosines`.

    The inner products are those of rows of length one that are *not* centred (a rotation of the columns does not keep
    the centring); they follow from the centred rows and their slants. H0, validity and source: `relative_labels`.
    """
    if units.slant is None:
        raise ValueError("the slants of these units are not known")
    xp, (some, others) = namespace_of(units.rows), halves
    width = units.rows.shape[1] // repeats
    parts = []
    for copy in range(repeats):
        rows = units.rows[:, copy * width : (copy + 1) * width]
        slant = units.slant[:, copy].astype(np.float32)
        level = slant * slant.mean(dtype=np.float64)
        across = np.sqrt((1.0 - units.slant[:, copy] ** 2) * repeats).astype(np.float32)
        products = taken(rows, some) @ taken(rows, others).T
        products *= like(across[some], rows)[:, None]
        products *= like(across[others], rows)[None, :]
        products += like(slant[some], rows)[:, None] * like(slant[others], rows)[None, :]
        mean = like(across, rows) * (rows @ (like(across / rows.shape[0], rows) @ rows)) + like(level, rows)
        parts.append((products, xp.astype(mean, xp.float32)))
    block, means = (sum(each[1:], start=each[0]) for each in zip(*parts, strict=True))
    return described(block, taken(means, others)), described(xp.matrix_transpose(block), taken(means, some))


def described(products: Matrix, means: Matrix) -> Units:
    """Units by their inner products with anchors, less what all units have with each anchor on average."""
    return unit_rows(products - means)


class JointGram:
    """T2 of the residual axis: adds up inner products of one model's channels over tensors, half against half.

    H0: one uniform permutation relabels the channels of all tensors. `descriptions` gives each half of the channels,
    described by the other; the two halves are drawn by `halved`, and the channels come in that order.
    """

    def __init__(self, channels: int) -> None:
        self._half, self._channels = channels // 2, channels
        self._block: Floats | None = None
        self._means = np.zeros(channels)

    def add_rows(self, rows: Matrix) -> None:
        """Add the rows of one tensor, centred and of length one, over the channels in the order of the halves."""
        half = self._half
        self._block = total(self._block, rows[:, :half].T @ rows[:, half:])
        each = like(np.full(self._channels, 1.0 / self._channels, dtype=np.float32), rows)
        self._means += host((rows @ each) @ rows)

    def include(self, other: JointGram) -> None:
        """Add what another one has added up."""
        if other._block is not None:
            self._block = total(self._block, other._block)
        self._means += other._means

    def descriptions(self) -> tuple[Units, Units]:
        """Both halves, described by each other."""
        half = self._half
        block = np.zeros((half, self._channels - half)) if self._block is None else self._block
        means = like(self._means, block)
        return unit_rows(block - means[half:]), unit_rows(block.T - means[:half])


def recurrent_pairs(
    left: Floats, right: Floats, *, repeats: int = 1
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Pairs for `relative_labels` of two recurrent matrices [repeats·n, n], both of whose axes are the hidden units.

    H0: the units of the right side are in uniformly random order; then rows *and* columns move, W → PWPᵀ, and T1 of
    rows against fixed columns is not exact: units that feed themselves make the diagonals of strangers alike (trace
    z = 4.9 on an independent pair of LSTMs, gates moved jointly). Each gate and its transpose, off the diagonal, is
    one axis against anchors: `relative_labels` is exact, and never reads a number on the diagonal. Source: as there.
    """
    gates = zip(_gates(left, repeats), _gates(right, repeats), strict=True)
    return [pair for a, b in gates for pair in ((a, b), (a.T, b.T))]


def _gates(weights: Floats, repeats: int) -> NDArray[np.float64]:
    rows, columns = weights.shape
    if rows != repeats * columns:
        raise ValueError(f"{weights.shape} is not {repeats} square matrices")
    return np.asarray(weights, dtype=np.float64).reshape(repeats, columns, columns)


def channel_gram(weights: Floats, sample: Labels | None = None) -> NDArray[np.float64]:
    """Gram matrix of the channels (columns) of one tensor [rows, channels], its rows centred and of length one.

    Permuting or duplicating hidden units (rows) changes it by nothing but a scale; a rescaled neuron not at all.
    """
    rows = unit_rows(weights).rows
    rows = rows if sample is None else rows[:, sample]
    return gram(rows.T)


def _lengths_one(weights: Floats, repeats: int, block: int) -> Units:
    """Rows of length one, not centred, as units; left out as `unit_rows` leaves them out."""
    flat = flattened(weights).astype(np.float32)
    usable = unit_rows(flat, repeats=repeats, block=block)
    units = flat.reshape(repeats, usable.total, block * flat.shape[1])[:, usable.labels]
    size = np.abs(units).max(axis=2, keepdims=True, initial=1e-37)
    units = units / size
    units /= np.linalg.norm(units, axis=2, keepdims=True)
    return Units(np.concatenate(list(units), axis=1), usable.labels, usable.total)


# The second permutation moment: 15 partitions of the index places (i, j, k, l) of K(i, j) K′(k, l).
Partition = tuple[int, int, int, int]


def _partitions() -> list[Partition]:
    """Every partition of four places, as restricted growth strings."""
    strings = product(range(1), range(2), range(3), range(4))
    return [s for s in strings if s[1] <= 1 and s[2] <= max(s[:2]) + 1 and s[3] <= max(s[:3]) + 1]


PARTITIONS = _partitions()


def _coarser(fine: Partition, coarse: Partition) -> bool:
    return all(coarse[a] == coarse[b] for a in range(4) for b in range(a) if fine[a] == fine[b])


def _moebius(fine: Partition, coarse: Partition) -> int:
    """Möbius function of the partition lattice: Π of (−1)^{b−1}(b−1)! over coarse blocks, each of b finer ones."""
    value = 1
    for block in set(coarse):
        inside = len({fine[place] for place in range(4) if coarse[place] == block})
        value *= (-1) ** (inside - 1) * factorial(inside - 1)
    return value


_FREE: frozenset[Partition] = frozenset({(0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0)})
"""The partitions whose unrestricted sums double-centring leaves."""

_TERMS = tuple(
    tuple((coarse, _moebius(fine, coarse)) for coarse in PARTITIONS if coarse in _FREE and _coarser(fine, coarse))
    for fine in PARTITIONS
)
"""For each partition the unrestricted sums that it is made of, with their signs."""

_SIGNS = np.array([[dict(terms).get(coarse, 0) for coarse in sorted(_FREE)] for terms in _TERMS], dtype=np.float64)
"""The same as a matrix."""


@lru_cache(maxsize=256)
def _weights(n: int) -> NDArray[np.float64]:
    """Probability that given distinct labels are drawn, for each partition: 1/(n)_b."""
    return np.array([1.0 / np.prod([float(n - used) for used in range(len(set(one)))]) for one in PARTITIONS])


def _distinct(grams: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Σ over distinct indices of K(·,·) K′(·,·), for every partition and every pair of double-centred tensors."""
    flat = np.stack([k.ravel() for k in grams])
    diagonals = np.stack([np.diagonal(k) for k in grams])
    traces = diagonals.sum(axis=1)
    nothing = np.zeros((len(grams), len(grams)))
    products = flat @ flat.T
    free = {
        (0, 0, 0, 0): diagonals @ diagonals.T,
        (0, 0, 1, 1): np.outer(traces, traces),
        (0, 1, 0, 1): products,
        (0, 1, 1, 0): products,
    }
    return np.stack([sum((sign * free[coarse] for coarse, sign in terms), nothing) for terms in _TERMS])
