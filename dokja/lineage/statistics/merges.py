"""T5: merges. Which shares of which parents make up a checkpoint?

w_S − w_0 is fitted by non-negative least squares on the differences w_k − w_0 (task vectors), added up over tensors
in one pass: only the Gram matrix of the differences is kept. Standard errors come from relabelling: a share of a
parent that has no part in the merge would vary so much if the units of what the fit leaves over were shuffled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Floats, block_length

#: Units of a tensor that the standard errors look at.
SAMPLE = 512


@dataclass(frozen=True)
class Shares:
    """`shares` by parent, their permutation standard `errors`, the part of the difference's energy `explained`."""

    shares: Mapping[str, float]
    errors: Mapping[str, float]
    explained: float

    def significant(self, sigmas: float = 5.0) -> dict[str, float]:
        """Shares of more than so many standard errors (a reading, not a test)."""
        return {name: share for name, share in self.shares.items() if share > sigmas * self.errors[name]}


class MergeFit:
    """Adds up tensors of a suspect, its base and possible parents; `shares` solves.

    H0 (for a parent): its difference from the base has nothing to do with the suspect's; its inner product with the
    residual has then the law of one with relabelled units. Assumes units of all models in the same order, as merging
    needs, and the base known (without one, zeros: shares of the weights themselves). The standard errors are exact
    second moments over relabellings (Hoeffding 1951), the shares least squares; no p-value is claimed, T1 gives it.
    Source: task vectors, Ilharco et al., ICLR 2023, arXiv 2212.04089; NNLS, Lawson and Hanson 1974.
    """

    def __init__(self, parents: Sequence[str]) -> None:
        self.parents = tuple(parents)
        size = len(self.parents) + 1
        self._gram = np.zeros((size, size))
        # Σ over tensors of Cov(<u, Pv>, <u′, Pv′>) for all differences, suspect last: four indices.
        self._moments = np.zeros((size, size, size, size))

    def add(self, suspect: Floats, base: Floats | None, parents: Mapping[str, Floats]) -> None:
        """Add one tensor [units, …] of every model; a tensor that holds what is not finite is left out."""
        ground = np.zeros((), dtype=np.float32) if base is None else base
        tensors = [*(parents[name] for name in self.parents), suspect]
        rows = len(suspect)
        step = block_length(max(1, suspect.size // max(1, rows)), 4 * len(tensors))
        gram = np.zeros_like(self._gram)
        for start in range(0, rows, step):
            part = slice(start, start + step)
            low = ground if ground.ndim == 0 else ground[part]
            flat = np.stack([(np.asarray(one[part], dtype=np.float32) - low).ravel() for one in tensors])
            gram += flat @ flat.T
        if not np.isfinite(gram).all():
            return
        self._gram += gram
        chosen = np.linspace(0, rows - 1, min(rows, SAMPLE)).astype(np.int64)
        low = ground if ground.ndim == 0 else ground[chosen]
        units = [(np.asarray(one[chosen], dtype=np.float32) - low).reshape(len(chosen), -1) for one in tensors]
        if len(chosen) > 1:
            self._moments += _moments(units) * (rows / len(chosen))

    def shares(self) -> Shares:
        """The shares, each at least 0; a parent equal to the base has share 0 and error 0."""
        from scipy.optimize import nnls  # noqa: PLC0415  (slow to import)

        size = len(self.parents)
        gram, target = self._gram[:size, :size], self._gram[:size, size]
        lengths = np.sqrt(np.diagonal(gram))
        scale = np.where(lengths > 0, lengths, 1.0)
        normal = gram / np.outer(scale, scale) + np.diag(np.where(lengths > 0, 0.0, 1.0))
        # Least squares from its normal equations: min |Rx − R⁻ᵀb| with the symmetric root R.
        values, vectors = np.linalg.eigh(normal)
        values = np.maximum(values, 1e-10 * values.max(initial=1.0))
        root = (vectors * np.sqrt(values)) @ vectors.T
        weights, _ = nnls(root, (vectors / np.sqrt(values)) @ vectors.T @ (target / scale)) if size else (target, 0.0)
        shares = weights / scale
        residual = np.append(-shares, 1.0)
        # <u_k, P e> with e the residual: only the second slot is contracted.
        covariance = np.einsum("kilj,i,j->kl", self._moments[:size, :, :size, :], residual, residual)
        inverse = (vectors / values) @ vectors.T / np.outer(scale, scale)
        errors = np.sqrt(np.maximum(0.0, np.diagonal(inverse @ covariance @ inverse)))
        energy = float(self._gram[size, size])
        left = float(residual @ self._gram @ residual)
        return Shares(
            dict(zip(self.parents, map(float, shares), strict=True)),
            dict(zip(self.parents, map(float, np.where(lengths > 0, errors, 0.0)), strict=True)),
            max(0.0, 1.0 - left / energy) if energy > 0 else 0.0,
        )


def _moments(units: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Cov(Σ u_k(i)·v_a(π i), Σ u_l(i)·v_b(π i)) = <D_ka, D_lb>/(n − 1), as [k, a, l, b], from matrices of n units."""
    centred = [one - one.mean(axis=0) for one in units]
    count = len(units)
    products = np.stack([(one @ other.T).ravel() for one in centred for other in centred])
    table: NDArray[np.float64] = (products @ products.T).astype(np.float64) / (len(units[0]) - 1)
    return table.reshape(count, count, count, count)
