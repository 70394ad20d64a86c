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

Floats = NDArray[np.floating]
Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]

#: Bytes that one block of a product may take; nothing here ever holds a larger piece of one.
BLOCK_BYTES = 32 << 20
#: A row whose spread is below this share of its size is constant up to rounding.
FLAT = 1e-6


@dataclass(frozen=True)
class Units:
    """Units that have a direction: `rows` of length one, `labels` (their places among `total`), in order."""

    rows: Matrix
    labels: Labels
    total: int

    @property
    def excluded(self) -> int:
        """How many units carry no direction and are left out."""
        return self.total - len(self.labels)

    def of(self, labels: Labels) -> Matrix:
        """The rows of these labels, all of which must have a direction."""
        return self.rows[np.searchsorted(self.labels, labels)]


def unit_rows(weights: Floats, *, repeats: int = 1, block: int = 1) -> Units:
    """Centre and normalise the rows of `weights`, joined into units.

    `repeats`: the rows are so many stacked copies of one set of units, moved jointly (LSTM 4, GRU 3); every copy is
    centred and normalised by itself, so the cosine of two units is the mean of the cosines of their copies.
    `block`: every unit is so many neighbouring rows in a fixed inner order (where the inner order is free as well,
    see `attention.py`). Any number of dimensions after the first is flattened.
    """
    flat = flattened(weights)
    if repeats < 1 or block < 1 or len(flat) % (repeats * block):
        raise ValueError(f"{len(flat)} rows are not {repeats} repeats of blocks of {block}")
    total = len(flat) // (repeats * block)
    copies = flat.reshape(repeats, total, block * flat.shape[1])
    parts, good = zip(*(_normalised(copy) for copy in copies), strict=True)
    usable = np.logical_and.reduce(good)
    joined = parts[0] if repeats == 1 else np.concatenate(parts, axis=1) / np.float32(np.sqrt(repeats))
    return Units(
        np.ascontiguousarray(joined[usable], dtype=np.float32), np.flatnonzero(usable).astype(np.int64), total
    )


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
    rows: Matrix = np.concatenate([part.of(labels) for part in parts], axis=1)
    rows /= np.float32(np.sqrt(len(parts)))
    return Units(rows, labels, totals.pop())


def flattened(weights: Floats) -> Floats:
    """[units, everything else], also where there is nothing."""
    array = np.asarray(weights)
    return array.reshape(len(array), prod(array.shape[1:]))


def common(left: Units, right: Units) -> tuple[Matrix, Matrix, Labels]:
    """The rows of the labels that have a direction on both sides, and these labels.

    A label that is left out on one side is left out on both: given which labels are left out, the rest is still
    permuted uniformly under H0, so zero rows that both models keep at the same places (padding) are never evidence.
    """
    labels = np.intersect1d(left.labels, right.labels, assume_unique=True)
    return left.of(labels), right.of(labels), labels


def block_length(width: int, itemsize: int = 4) -> int:
    """How many rows of so many numbers fit in one block."""
    return max(1, BLOCK_BYTES // max(1, width * itemsize))


def _normalised(rows: Floats) -> tuple[Matrix, NDArray[np.bool_]]:
    """Rows centred, of length one (zero where there is no direction), and which have a direction."""
    unit = np.zeros(rows.shape, dtype=np.float32)
    usable = np.zeros(len(rows), dtype=np.bool_)
    step = block_length(max(1, rows.shape[1]), 8)
    for start in range(0, len(rows), step) if rows.shape[1] else ():
        part = rows[start : start + step].astype(np.float64)
        finite = np.isfinite(part).all(axis=1)
        part[~finite] = 0.0
        size = np.abs(part).max(axis=1)
        part /= np.where(size > 0, size, 1.0)[:, None]
        part -= part.mean(axis=1, keepdims=True)
        length = np.sqrt(np.einsum("ij,ij->i", part, part))
        good = finite & (length > FLAT * np.sqrt(rows.shape[1]))
        part /= np.where(good, length, 1.0)[:, None]
        part[~good] = 0.0
        unit[start : start + step] = part
        usable[start : start + step] = good
    return unit, usable
