"""Is there an order in the labels? The premise of every label test, tested on each model by itself.

Units that are stored sorted by norm, in gate blocks, as a filter bank or a position table are not exchangeable: two
strangers then share an order. So before labels are compared each side is looked at alone: does the place of a unit
say anything about it? Where both sides say yes in the same way, a label test is not assessed (fixed points stay a
hint).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import host, like, namespace_of, row_products
from dokja.lineage.statistics.cka import Moments, correlated, gram, moments_of
from dokja.lineage.statistics.units import Floats, Labels, Units, flattened, unit_rows

#: |z| from which a place says something; the moments are exact, the margin pays for tails that are not Gaussian.
LIMIT = 6.0
#: Runs of neighbouring units that are looked at, of so many units each, at most so many in all.
RUN, UNITS = 16, 512


@dataclass(frozen=True)
class Order:
    """z of what the places of the units say: about their size, and about the likeness of neighbours."""

    units: int
    z: Mapping[str, float]

    @property
    def signs(self) -> frozenset[str]:
        """The ways in which the labels are ordered."""
        return frozenset(name for name, value in self.z.items() if abs(value) >= LIMIT)


@dataclass(frozen=True)
class Constants:
    """`equal` of `numbers` are equal bit by bit on both sides, `rows` of `units` throughout."""

    numbers: int
    equal: int
    units: int
    rows: int

    @property
    def share(self) -> float:
        """The share of equal numbers."""
        return self.equal / self.numbers if self.numbers else 0.0


def order(weights: Floats, *, repeats: int = 1, known: Units | None = None) -> Order:
    """Test whether the order of the units of one model is an accident.

    H0: the units are in uniformly random order. Four statistics with exact permutation moments: `size`, the rank
    correlation of norm and place (variance 1/(n − 1)); `size nearby` and `direction nearby`, Σ K(i, j) L(i, j) with
    K of the norms' ranks or of the cosines and L = 1 for |i − j| = 1; `direction in blocks`, with L = 1 within each
    eighth. z only: it is a guard that disables evidence, never evidence. `known`: the units, where they are at hand.
    Source: Mantel 1967; Wald and Wolfowitz, Ann. Math. Stat. 14, 1943.
    """
    flat = flattened(weights)
    units = unit_rows(flat, repeats=repeats) if known is None else known
    chosen = units.labels
    if len(chosen) > UNITS:  # Runs of neighbours, evenly spread, so that neighbours stay neighbours.
        starts = np.linspace(0, len(chosen) - RUN, UNITS // RUN).astype(np.int64)
        chosen = chosen[np.unique((starts[:, None] + np.arange(RUN)).ravel())]
    count = len(chosen)
    if count < 8:
        return Order(count, {})
    ranks = average_ranks(_sizes(flat.reshape(repeats, units.total, flat.shape[1]), chosen))
    places = np.arange(count, dtype=np.float64)
    # A rank vector that is constant (all norms equal) says nothing.
    spread = ranks.std()
    size = float(np.corrcoef(ranks, places)[0, 1]) * (count - 1) ** 0.5 if spread > 0 else 0.0
    sizes = (ranks - ranks.mean()) / (spread or 1.0)
    near, blocks = _places(chosen.tobytes(), units.total)
    cosines = gram(units.rows if len(chosen) == len(units.labels) else units.of(chosen))
    moments, xp = moments_of(cosines), namespace_of(cosines)
    squares = sizes**2  # The matrix of all products of two sizes has these on its diagonal.
    sizes_moments = Moments(count, float(squares.sum()), float(squares @ squares), float(squares.sum()) ** 2)
    after = np.flatnonzero(np.diff(chosen) == 1)
    beside = host(xp.linalg.diagonal(cosines, offset=1))
    eighths = like(np.equal.outer(np.arange(8), (8 * chosen) // units.total).astype(np.float64), cosines)
    inside = float(xp.sum(row_products(eighths @ cosines, eighths)))
    return Order(
        count,
        {
            "size": size,
            "size nearby": correlated(2 * float(sizes[after] @ sizes[after + 1]), sizes_moments, near).z,
            "direction nearby": correlated(2 * float(beside[after].sum()), moments, near).z,
            "direction in blocks": correlated(inside, moments, blocks).z,
        },
    )


def _sizes(copies: Floats, chosen: Labels) -> NDArray[np.float64]:
    """The lengths of the chosen units, whose numbers are in so many copies."""
    parts = copies if len(chosen) == copies.shape[1] else copies[:, chosen]
    with np.errstate(over="ignore"):
        squares = np.einsum("rij,rij->i", parts, parts).astype(np.float64)
    if not (np.isfinite(squares) & (squares > 0)).all():
        parts = parts.astype(np.float64)
        squares = np.einsum("rij,rij->i", parts, parts)
    sizes: NDArray[np.float64] = np.sqrt(squares)
    return sizes


@lru_cache(maxsize=256)
def _places(chosen: bytes, total: int) -> tuple[Moments, Moments]:
    """The moments of "next to each other" and of "in the same eighth", for units at these places."""
    places = np.frombuffer(chosen, dtype=np.int64)
    near = (np.abs(np.subtract.outer(places, places)) == 1).astype(np.float64)
    eighths = (8 * places) // total
    return moments_of(_centred(near)), moments_of(_centred(np.equal.outer(eighths, eighths).astype(np.float64)))


def average_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 on; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse]
    return ranks


def shared_order(left: Order, right: Order) -> frozenset[str]:
    """The ways in which both sides are ordered alike: label tests are then not assessed."""
    return frozenset(name for name in left.signs & right.signs if left.z[name] * right.z[name] > 0)


def constants(left: Floats, right: Floats) -> Constants:
    """Count numbers that are equal: a copy, or constants that both models were given.

    No hypothesis: a fact. Trained numbers are never equal by accident in float32; with few bits some are. Whether
    equal rows are constants of the trade is for `order` (filter banks and tables are ordered) and for the known
    constants to say.
    """
    if left.shape != right.shape:
        raise ValueError(f"shapes {left.shape} and {right.shape} differ")
    equal = flattened(left) == flattened(right)
    return Constants(equal.size, int(equal.sum()), len(equal), int(equal.all(axis=1).sum()))


def _centred(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = matrix.mean(axis=0)
    centred: NDArray[np.float64] = matrix - mean[:, None] - mean[None] + mean.mean()
    return centred
