"""T1, fixed points: do the units of two models bear the same labels?

Training commutes with a relabelling of its units, so between two independent models the labels are a uniformly random
permutation of each other, whatever data, order, recipe or architecture they share (Zhu, Ahmed, Kuditipudi and Liang,
"Independence tests for language models", ICML 2025, arXiv 2502.12292, for the principle). Match the units by what
they are, then count how many matched units bear the same label. Nothing is tuned, and no outlier counts for more
than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import counts, host, namespace_of, taken, where_true
from dokja.lineage.statistics.counting import log_factorial, log_falling
from dokja.lineage.statistics.units import Floats, Labels, Matrix, Units, block_length, common, unit_rows

#: Two cosines closer than this are a tie; a tie is no match, for its winner would be chosen by its place.
TIE = 4e-6
LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class Matches:
    """Mutual nearest neighbours between two sets of units.

    `units`: units of the left side that were looked at. `labels`: labels that a partner could bear. `excluded`:
    labels left out for want of a direction. `mutual`: matched units. `fixed`: matched units that bear the same
    label. `mapping`: for every label of the left side the label of its partner on the right, or -1. `cosine`: the
    mean cosine of the matched pairs (an effect, never evidence by itself). `square`: both sides have the same
    number of labels, so that "the same label" means something.
    """

    units: int
    labels: int
    excluded: int
    mutual: int
    fixed: int
    mapping: Labels
    cosine: float
    square: bool = True

    @property
    def share(self) -> float:
        """The share of the compared units that are matched to their own label."""
        return self.fixed / self.units if self.units else 0.0

    @property
    def log10_p(self) -> float:
        """Rigorous log10 p-value of `fixed`; see `fixed_point_log10_p`."""
        return fixed_point_log10_p([self]) if self.square else 0.0

    @property
    def increasing(self) -> int:
        """Length of the longest run of matched pairs in which both labels increase (pruning keeps the order)."""
        return longest_increasing(self.mapping[self.mapping >= 0])

    @property
    def increasing_log10_p(self) -> float:
        """Rigorous log10 p-value of `increasing`; see `increasing_log10_p`."""
        return increasing_log10_p(self.mutual, self.increasing)


class _Best:
    """The best cosine of every column so far, its row, and the runner-up, over blocks of rows."""

    def __init__(self, columns: int) -> None:
        self.value = np.full(columns, -np.inf, dtype=np.float32)
        self.second = np.full(columns, -np.inf, dtype=np.float32)
        self.row = np.full(columns, -1, dtype=np.int64)

    def add(self, product: Matrix, first: int) -> None:
        top = namespace_of(product).max(product, axis=0)
        rows, columns = np.divmod(where_true(product >= top - TIE), product.shape[1])
        best = host(top)
        tied = np.bincount(columns, minlength=len(best)) > 1
        row = np.empty(len(best), dtype=np.int64)
        row[columns] = rows + first
        wins = best > self.value
        self.second = np.maximum(self.second, np.where(wins, self.value, best))
        self.second[tied] = np.maximum(self.second, best)[tied]
        self.row[wins] = row[wins]
        self.value = np.maximum(self.value, best)

    def unique(self) -> NDArray[np.bool_]:
        return self.value - self.second > TIE


def mutual_neighbours(left: Matrix, right: Matrix | None = None) -> tuple[Labels, Matrix]:
    """Partner of every row of `left` among the rows of `right` (-1: none), and the cosine of the pair.

    i and j are partners if each is the other's only nearest neighbour in C = left rightᵀ. So the result is an
    injective partial map, it does not depend on the order of the rows (ties match nobody), and swapping the sides
    inverts it. With `right` absent, `left` is C itself. C is never held whole: at most one block of `BLOCK_BYTES`
    and its comparison.
    """
    rows, columns = left.shape[0], left.shape[1] if right is None else right.shape[0]
    partner, cosine = np.full(rows, -1, dtype=np.int64), np.zeros(rows, dtype=np.float32)
    if not rows or not columns:
        return partner, cosine
    step = block_length(columns)
    if rows <= step:
        return _in_one_block(left if right is None else left @ right.T)
    xp, best = namespace_of(left), _Best(columns)
    for start in range(0, rows, step):
        part = left[start : start + step, :]
        product = part if right is None else part @ right.T
        top = xp.max(product, axis=1)
        alone = counts(product >= (top - TIE)[:, None], 1) == 1
        partner[start : start + step] = np.where(alone, host(xp.argmax(product, axis=1)), -1)
        cosine[start : start + step] = host(top)
        best.add(product, start)
    chosen = np.flatnonzero(partner >= 0)
    mutual = (best.row[partner[chosen]] == chosen) & best.unique()[partner[chosen]]
    partner[chosen[~mutual]] = -1
    cosine[partner < 0] = 0.0
    return partner, cosine


def _in_one_block(product: Matrix) -> tuple[Labels, Matrix]:
    """`mutual_neighbours` where all cosines are at hand."""
    xp = namespace_of(product)
    highest, largest = xp.max(product, axis=1), xp.max(product, axis=0)
    lone_row = counts(product >= (highest - TIE)[:, None], 1) == 1
    lone_column = counts(product >= largest - TIE, 0) == 1
    partner, top, best = host(xp.argmax(product, axis=1)), host(highest), host(largest)
    mutual = (top >= best[partner]) & lone_row & lone_column[partner]
    return np.where(mutual, partner, -1), np.where(mutual, top, np.float32(0))


def partners(left: Units, right: Units) -> Labels:
    """For each label of the left side the label of its mutual nearest neighbour on the right, or -1.

    No test: a map, chosen without looking at labels, on all units that have a direction on their own side.
    """
    mapping = np.full(left.total, -1, dtype=np.int64)
    partner, _ = mutual_neighbours(left.rows, right.rows)
    found = partner >= 0
    mapping[left.labels[found]] = right.labels[partner[found]]
    return mapping


def fixed_points(
    left: Floats | Units,
    right: Floats | Units,
    *,
    repeats: int = 1,
    block: int = 1,
    sample: Labels | None = None,
) -> Matches:
    """T1: match the units of `left` and `right` and count the matched units that bear the same label.

    H0: given `left`, the rows of `right` are in uniformly random order (the units of a hidden axis, whose group is
    the symmetric group; `repeats` and `block` say which rows make a unit). Assumes that the columns of both are the
    same axis in the same order, and that neither seed nor a canonical order nor fixed constants tie the labels
    (`order.py`). Valid: the map is chosen without looking at labels, see `fixed_point_log10_p`.

    `sample`: match only these labels of the left side, against all of the right. Two that would choose the same
    partner are settled by the larger cosine, so the map is still injective and chosen without labels. The sample
    must be drawn without looking at the other side (keyed at random).
    """
    a = left if isinstance(left, Units) else unit_rows(left, repeats=repeats, block=block)
    b = right if isinstance(right, Units) else unit_rows(right, repeats=repeats, block=block)
    square = a.total == b.total
    if a.rows.shape[1:] != b.rows.shape[1:]:
        raise ValueError(f"units of {a.rows.shape[1:]} and of {b.rows.shape[1:]} numbers cannot be compared")
    if square:
        x, y, from_labels = common(a, b)
        to_labels = from_labels
    else:
        x, y, from_labels, to_labels = a.rows, b.rows, a.labels, b.labels
    excluded = a.total - len(from_labels)
    if sample is not None:
        kept = np.isin(from_labels, sample)
        x, from_labels = taken(x, np.flatnonzero(kept)), from_labels[kept]
    return _matches(mutual_neighbours(x, y), from_labels, to_labels, a.total, excluded, square=square)


def match_cosines(cosines: Matrix) -> Matches:
    """T1 on a matrix of similarities of units that is at hand already (heads, residual channels summed over tensors).

    H0, validity and source as for `fixed_points`: any similarity may stand here that is computed without looking at
    labels. Rows and columns that hold a number that is not finite are left out on both sides.
    """
    xp = namespace_of(cosines)
    finite = xp.isfinite(cosines)
    if not _square(cosines):
        rows, columns = (np.arange(size, dtype=np.int64) for size in cosines.shape)
        found = mutual_neighbours(xp.where(finite, cosines, 0.0))
        return _matches(found, rows, columns, len(rows), 0, square=False)
    labels = np.flatnonzero(host(xp.all(finite, axis=1) & xp.all(finite, axis=0))).astype(np.int64)
    total = cosines.shape[0]
    if len(labels) < total:
        cosines = taken(taken(cosines, labels), labels, axis=1)
    return _matches(mutual_neighbours(cosines), labels, labels, total, total - len(labels), square=True)


def _square(matrix: Matrix) -> bool:
    rows, columns = matrix.shape
    return bool(rows == columns)


def _matches(
    found: tuple[Labels, Matrix], from_labels: Labels, to_labels: Labels, total: int, excluded: int, *, square: bool
) -> Matches:
    partner, cosine = found
    mapping = np.full(total, -1, dtype=np.int64)
    matched = partner >= 0
    mapping[from_labels[matched]] = to_labels[partner[matched]]
    return Matches(
        units=len(from_labels),
        labels=len(to_labels),
        excluded=excluded,
        mutual=int(matched.sum()),
        fixed=int(np.count_nonzero(mapping[from_labels] == from_labels)),
        mapping=mapping,
        cosine=float(cosine[matched].mean()) if matched.any() else 0.0,
        square=square,
    )


@dataclass(frozen=True)
class Cosines:
    """The cosines of some units of one side with some of the other, and the labels that rows and columns bear.

    totals: how many labels either side has. Where they are as many on both, the same labels stand on both sides.
    """

    values: Matrix
    rows: Labels
    columns: Labels
    totals: tuple[int, int]

    @property
    def square(self) -> bool:
        """Whether both sides have the same number of labels, so that "the same label" means something."""
        return self.totals[0] == self.totals[1]

    @property
    def matches(self) -> Matches:
        """T1 of these cosines; H0 and validity as for `fixed_points`."""
        found = mutual_neighbours(self.values)
        excluded = self.totals[0] - len(self.rows)
        return _matches(found, self.rows, self.columns, self.totals[0], excluded, square=self.square)


def cosines(left: Units, right: Units) -> Cosines:
    """The cosines of all units; of two sides with as many labels, of those that have a direction on both."""
    if left.total == right.total:
        x, y, labels = common(left, right)
        return Cosines(x @ y.T, labels, labels, (left.total, right.total))
    return Cosines(left.rows @ right.rows.T, left.labels, right.labels, (left.total, right.total))


def mean_cosines(parts: Sequence[Cosines]) -> Cosines:
    """The cosines of units joined from several matrices that bear the same labels; a unit needs a direction in each.

    They are the means of the parts' cosines, so nothing is multiplied twice.
    """
    first, *others = parts
    rows, columns = first.rows, first.columns
    for part in others:
        rows = rows if np.array_equal(rows, part.rows) else np.intersect1d(rows, part.rows, assume_unique=True)
        columns = (
            columns
            if np.array_equal(columns, part.columns)
            else np.intersect1d(columns, part.columns, assume_unique=True)
        )
    total = namespace_of(first.values).asarray(_restricted(first, rows, columns), copy=True)
    for part in others:
        total += _restricted(part, rows, columns)
    total /= float(len(parts))
    return Cosines(total, rows, columns, first.totals)


def _restricted(part: Cosines, rows: Labels, columns: Labels) -> Matrix:
    if len(rows) == len(part.rows) and len(columns) == len(part.columns):
        return part.values
    return taken(taken(part.values, np.searchsorted(part.rows, rows)), np.searchsorted(part.columns, columns), axis=1)


def fixed_point_log10_p(layers: Iterable[Matches | tuple[int, int, int]]) -> float:
    """Rigorous log10 p of the fixed points of one or of many independent layers; a layer is (fixed, mutual, labels).

    H0: the layers' labels are permuted uniformly and independently. Let layer l have h labels and k mutual pairs,
    and let M count its fixed points. A given set of j pairs is fixed with probability 1/(h)_j (falling factorial), so
    E C(M, j) = C(k, j)/(h)_j ≤ λʲ/j! with λ = k/h ≤ 1: in particular P(M ≥ m) ≤ 1/m!.
    For the sum over layers Vandermonde gives E C(M, j) ≤ Λʲ/j! with Λ = Σλ ≤ L, and Markov, for every j ≤ m,
    P(M ≥ m) ≤ E C(M, j)/C(m, j) ≤ Λʲ (m − j)!/m!, which is least at j = m − ⌊Λ⌋.
    Never larger than exp(m − L − m ln(m/L)) for m > L: multiply the generating functions, E(1+t)^M ≤ e^{Lt}, so
    P(M ≥ m) ≤ e^{Lt}(1+t)^{−m}, and take t = m/L − 1; a ratio of sums is at least its smallest ratio of terms.
    Holds exactly for every sample size; conditional on k, which no relabelling changes. Source: elementary (factorial
    moments; Philips and Nelson, "The moment bound is tighter than Chernoff's", Am. Stat. 1995, for the last step).
    """
    counts = [(one.fixed, one.mutual, one.labels) if isinstance(one, Matches) else one for one in layers]
    counts = [one for one in counts if one[2] > 0]
    fixed = sum(one[0] for one in counts)
    if not fixed:
        return 0.0
    if len(counts) == 1:
        _, mutual, labels = counts[0]
        log_p = log_falling(mutual, fixed) - log_falling(labels, fixed) - log_factorial(fixed)
    else:
        rate = sum(mutual / labels for _, mutual, labels in counts)
        power = max(0, fixed - int(np.floor(rate)))
        log_p = power * np.log(rate) + log_factorial(fixed - power) - log_factorial(fixed)
    return min(0.0, float(log_p) / LN10)


def longest_increasing(values: NDArray[np.integer]) -> int:
    """Length of the longest strictly increasing subsequence (patience sorting)."""
    tails = np.empty(len(values), dtype=np.int64)
    length = 0
    for value in values:
        place = int(np.searchsorted(tails[:length], value))
        tails[place] = value
        length = max(length, place + 1)
    return length


def increasing_log10_p(pairs: int, length: int) -> float:
    """Rigorous log10 p of a matched run of `length` pairs in the same order, among `pairs` matched ones.

    H0: as for fixed points; the sizes of the two sides may differ (width pruning keeps the order of what it keeps).
    Given which labels are matched, the pattern of the partners is a uniform permutation of `pairs` things, and the
    expected number of increasing subsequences of length m is C(k, m)/m!; Markov gives P(longest ≥ m) ≤ C(k, m)/m!.
    Exact bound. Source: Erdős and Szekeres's counting argument; Baik, Deift and Johansson 1999 for the typical
    length 2√k.
    """
    log_p = log_falling(pairs, length) - 2 * log_factorial(length)
    return min(0.0, float(log_p) / LN10)
