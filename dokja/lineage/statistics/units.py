"""From a weight matrix to its units: one centred row of length one for each thing that a permutation may move.

A *unit* is what training cannot tell from its neighbours: a hidden neuron, a channel, a head. The group must be the
real one. An LSTM stores four rows for each unit, one in each gate block, and only the four together may be moved; so
a unit is here the sum of its `repeats` rows (their cosines add up). Rows that carry no direction (zero, constant,
not finite) are no units: they are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import host, hosts, like, namespace_of, row_products, taken

Floats = NDArray[np.floating]
Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]

#: Bytes that one block of a product may take; nothing here ever holds a larger piece of one.
BLOCK_BYTES = 32 << 20
#: A row whose spread is below this share of its size is constant up to rounding.
FLAT = 1e-6
#: Of rows that are smaller on average the squares would not fit float32.
TINY = 1e-15
#: So many numbers are centred at once: on a processor they stay in a core's cache from one step to the next.
AT_ONCE = 1 << 17


@dataclass(frozen=True)
class Units:
    """Units that have a direction: `rows` of length one, `labels` (their places among `total`), in order.

    `slant`: [units, repeats], where it is known: what part of a unit's length was its mean, before it was centred
    (the sine of its angle to what is centred). Rows may be on a device; all else is NumPy's.
    """

    rows: Matrix
    labels: Labels
    total: int
    slant: NDArray[np.float64] | None = None

    @property
    def excluded(self) -> int:
        """How many units carry no direction and are left out."""
        return self.total - len(self.labels)

    def of(self, labels: Labels) -> Matrix:
        """The rows of these labels, all of which must have a direction."""
        return self.rows if labels is self.labels else taken(self.rows, np.searchsorted(self.labels, labels))


def unit_rows(weights: Floats, *, repeats: int = 1, block: int = 1) -> Units:
    """Centre and normalise the rows of `weights`, joined into units.

    `repeats`: the rows are so many stacked copies of one set of units, moved jointly (LSTM 4, GRU 3); every copy is
    centred and normalised by itself, so the cosine of two units is the mean of the cosines of their copies.
    `block`: every unit is so many neighbouring rows in a fixed inner order (where the inner order is free as well,
    see `attention.py`). Any number of dimensions after the first is flattened.
    """
    flat = flattened(weights)
    height, width = flat.shape
    if repeats < 1 or block < 1 or height % (repeats * block):
        raise ValueError(f"{height} rows are not {repeats} repeats of blocks of {block}")
    xp, total = namespace_of(flat), height // (repeats * block)
    copies = xp.reshape(flat, (repeats, total, block * width))
    parts, good, slants = zip(*(_normalised(copies[copy, ...]) for copy in range(repeats)), strict=True)
    usable = np.logical_and.reduce(good)
    rows = parts[0] if repeats == 1 else xp.concat(parts, axis=1) / repeats**0.5
    slant, labels = np.stack(slants, axis=1), np.flatnonzero(usable).astype(np.int64)
    if not usable.all():
        rows, slant = taken(rows, labels), slant[labels]
    return Units(rows, labels, total, slant)


def joined(parts: Sequence[Units]) -> Units:
    """One set of units from several matrices that bear the same labels: gate, up and down of a layer, a weight and
    a bias.

    The cosine of two joined units is the mean of the cosines of their parts, so that one permutation is tested
    once. A unit needs a direction in every part.
    """
    totals = {part.total for part in parts}
    if len(totals) != 1:
        raise ValueError(f"parts of {sorted(totals)} units do not bear the same labels")
    labels = parts[0].labels
    for part in parts[1:]:
        labels = np.intersect1d(labels, part.labels, assume_unique=True)
    rows: Matrix = namespace_of(parts[0].rows).concat([part.of(labels) for part in parts], axis=1)
    rows /= len(parts) ** 0.5
    return Units(rows, labels, totals.pop())


def flattened(weights: Floats) -> Floats:
    """[units, everything else], also where there is nothing."""
    return namespace_of(weights).reshape(weights, (weights.shape[0], prod(weights.shape[1:])))  # type: ignore[no-any-return]


def common(left: Units, right: Units) -> tuple[Matrix, Matrix, Labels]:
    """The rows of the labels that have a direction on both sides, and these labels.

    A label that is left out on one side is left out on both: given which labels are left out, the rest is still
    permuted uniformly under H0, so zero rows that both models keep at the same places (padding) are never evidence.
    """
    if np.array_equal(left.labels, right.labels):
        return left.rows, right.rows, left.labels
    labels = np.intersect1d(left.labels, right.labels, assume_unique=True)
    return left.of(labels), right.of(labels), labels


def total(found: Floats | None, more: Floats) -> Floats:
    """A sum of matrices, of which only what this has given is written to: one as it is, several in float64."""
    double = namespace_of(more).float64
    if found is None:
        return namespace_of(more).asarray(more, copy=True) if more.dtype == double else more
    if found.dtype != double:
        found = namespace_of(more).astype(found, double)
    found += more
    return found


def block_length(width: int, itemsize: int = 4) -> int:
    """How many rows of so many numbers fit in one block."""
    return max(1, BLOCK_BYTES // max(1, width * itemsize))


def _normalised(rows: Floats) -> tuple[Matrix, NDArray[np.bool_], NDArray[np.float64]]:
    """Rows centred, of length one (zero where there is no direction), which have a direction, and their slants."""
    xp, (height, width) = namespace_of(rows), rows.shape
    usable, slant = np.zeros(height, dtype=np.bool_), np.zeros(height)
    if not height or not width:
        return like(np.zeros(rows.shape, dtype=np.float32), rows), usable, slant
    step = max(1, AT_ONCE // width) if xp is np else height
    found = []
    for start in range(0, height, step):
        part = slice(start, min(start + step, height))
        unit, usable[part], slant[part] = _window(rows[part, :])
        found.append(unit)
    return found[0] if len(found) == 1 else xp.concat(found), usable, slant


def _window(rows: Floats) -> tuple[Matrix, NDArray[np.bool_], NDArray[np.float64]]:
    """Numbers near 1 stay in float32; rows of others, and what is not finite, are scaled in float64."""
    xp = namespace_of(rows)
    if rows.dtype == xp.float32:
        unit, along, length = _centred(rows)
        size = along**2 + length**2
        usual = np.isfinite(size) & (size > rows.shape[1] * TINY**2)
        if usual.all() or not xp.any(taken(rows, np.flatnonzero(~usual)) != 0):
            return unit, *_scaled(unit, along, length)
    with np.errstate(invalid="ignore"):
        peak = host(xp.max(xp.abs(rows), axis=1)).astype(np.float64)
    finite = np.isfinite(peak)
    whole = xp.where(like(finite[:, None], rows), xp.astype(rows, xp.float64), 0.0)
    whole /= like(np.where(finite & (peak > 0), peak, 1.0)[:, None], rows)
    unit, along, length = _centred(whole)
    good, slant = _scaled(unit, along, length)
    return xp.astype(unit, xp.float32), good, slant


def _centred(rows: Floats) -> tuple[Floats, NDArray[np.float64], NDArray[np.float64]]:
    """The rows less their means; the lengths of what was taken away, and of what is left."""
    xp = namespace_of(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = xp.mean(rows, axis=1)
        centred = rows - mean[:, None]
        length = xp.sqrt(row_products(centred, centred))
    along, left = (each.astype(np.float64) for each in hosts(mean, length))
    return centred, np.sqrt(rows.shape[1]) * along, left


def _scaled(
    rows: Floats, along: NDArray[np.float64], length: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Bring centred rows to length one, or to nothing where they were constant; which were not, and their slants."""
    size = np.sqrt(along**2 + length**2)
    good = length > FLAT * size
    scale = np.where(good, 1.0 / np.where(good, length, 1.0), 0.0)
    rows *= namespace_of(rows).astype(like(scale[:, None], rows), rows.dtype)
    return good, np.where(good, along / np.where(good, size, 1.0), 0.0)
