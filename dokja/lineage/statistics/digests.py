"""T7: bytes. The same bytes are the same bytes: per tensor, and per block of a MiB where tensors were cut or joined.

Equality is a fact, with no p-value; what it means depends on what the bytes are (filter banks, position tables and
tokenizers are public constants), so the audit reports it apart. A quantised copy is recognised by its grid: every
number of the original falls into the cell that the copy names.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Floats, block_length, flattened

BLOCK = 1 << 20
#: A finer grid than this is no grid of a quantised row.
LEVELS = 1024


@dataclass(frozen=True)
class Digest:
    """SHA-256 of a tensor's bytes and of each of its blocks of a MiB (the last may be shorter)."""

    size: int
    whole: str
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class GridAgreement:
    """`numbers` compared; `inside`: those that the grid sends to the copy's value; `steps` of the grid per row."""

    numbers: int
    inside: int
    steps: float

    @property
    def share(self) -> float:
        """The share of the numbers that agree on the grid."""
        return self.inside / self.numbers if self.numbers else 0.0


def digest(chunks: Iterable[bytes | memoryview]) -> Digest:
    """Digest a tensor's bytes, in chunks of any size, in one pass.

    No hypothesis: a fact. Collisions of SHA-256 (FIPS 180-4) are not to be feared.
    """
    whole, block = hashlib.sha256(), hashlib.sha256()
    size, room, blocks = 0, BLOCK, []
    for chunk in chunks:
        view = memoryview(chunk).cast("B")
        whole.update(view)
        size += len(view)
        while len(view) >= room:
            block.update(view[:room])
            blocks.append(block.hexdigest())
            view, block, room = view[room:], hashlib.sha256(), BLOCK
        block.update(view)
        room -= len(view)
    if room < BLOCK:
        blocks.append(block.hexdigest())
    return Digest(size, whole.hexdigest(), tuple(blocks))


def shared_blocks(left: Iterable[Digest], right: Iterable[Digest]) -> int:
    """How many blocks of the left side are also blocks of the right, each counted as often as on the rarer side.

    No hypothesis: a fact. Blocks of zeros and of constants are the same everywhere; name them before counting.
    """
    counts = [Counter(block for one in side for block in one.blocks) for side in (left, right)]
    return (counts[0] & counts[1]).total()


def grid_agreement(copy: Floats, original: Floats) -> GridAgreement:
    """Does a dequantised copy hold the original, rounded to the copy's own grid (one step per row)?

    The step of a row is the smallest distance of two of its values; a number agrees if the grid sends it to the
    copy's, by rounding or, if that fits the tensor better, by truncation (CTranslate2). No p-value: an effect.
    Independent weights agree at about the density of one cell (8 bits: a few per cent), a copy everywhere but at
    the clipped ends. Rows whose values lie on no grid, or not finite, are left out. Source: uniform quantisation,
    Jacob et al., CVPR 2018, arXiv 1712.05877.
    """
    if copy.shape != original.shape:
        raise ValueError(f"shapes {copy.shape} and {original.shape} differ")
    x, y = flattened(copy), flattened(original)
    numbers = rounded = truncated = 0
    steps: list[float] = []
    window = block_length(x.shape[1], 16)
    for start in range(0, len(x), window):
        a, b = (side[start : start + window].astype(np.float64) for side in (x, y))
        good = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
        for one, other in zip(a[good], b[good], strict=True):
            values = np.unique(one)
            step = _step(values)
            if step is None:
                continue
            numbers += len(one)
            distance = np.abs(one - other)
            outward = (np.abs(other) >= np.abs(one) - 1e-3 * step) & (distance <= 1.001 * step)
            rounded += int(np.count_nonzero(distance <= 0.501 * step))
            truncated += int(np.count_nonzero(outward))
            steps.append((values[-1] - values[0]) / step)
    return GridAgreement(numbers, max(rounded, truncated), float(np.median(steps)) if steps else 0.0)


def _step(values: NDArray[np.float64]) -> float | None:
    """The step of the grid that these sorted values lie on; None where they lie on none of up to `LEVELS` steps."""
    if len(values) < 2:
        return None
    gaps = np.diff(values)
    step = float(gaps[gaps > gaps.max() / LEVELS].min())
    places = (values - values[0]) / step
    on_grid = places[-1] <= LEVELS and float(np.abs(places - np.round(places)).max()) < 0.05
    return step if on_grid else None
