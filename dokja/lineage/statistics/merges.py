"""T5: merges. Which shares of which parents make up a checkpoint?

w_S − w_0 is fitted by non-negative least squares on the differences w_k − w_0 (task vectors), added up over tensors
in one pass: only Gram matrices of the differences are kept, one for each unit that is looked at. What training did
after a merge moves some units far and others hardly, mostly on along the way from a parent to its children, and would
pass for shares of theirs; so units weigh by how little the fit leaves over of them. Standard errors come from
relabelling: a share of a parent that has no part in the merge would vary so much if the units of what the fit leaves
over were shuffled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Floats, block_length

#: Units of a tensor that the standard errors look at.
SAMPLE = 512
#: How many units are weighed one by one; of more, neighbours are weighed together.
WEIGHED = 1 << 16
#: How often weights and shares are fitted in turn.
TURNS = 30
#: What is left over of a unit counts as no less than this share of the median: rounding is no exactness.
LEAST_LEFT = 1e-3


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
    second moments over relabellings (Hoeffding 1951), of unweighted shares; no p-value is claimed, T1 gives it.
    Source: task vectors, Ilharco et al., ICLR 2023, arXiv 2212.04089; NNLS, Lawson and Hanson 1974; weights that are
    fitted in turn, Carroll and Ruppert, Transformation and Weighting in Regression, 1988, chapter 2.
    """

    def __init__(self, parents: Sequence[str]) -> None:
        self.parents = tuple(parents)
        size = len(self.parents) + 1
        self._gram = np.zeros((size, size))
        self._units = np.zeros((0, size, size))  # the same, unit by unit (or some neighbours together)
        self._numbers = np.zeros(0)  # and of how many numbers
        # Σ over tensors of Cov(<u, Pv>, <u′, Pv′>) for all differences, suspect last: four indices.
        self._moments = np.zeros((size, size, size, size))

    def add(self, suspect: Floats, base: Floats | None, parents: Mapping[str, Floats]) -> None:
        """Add one tensor [units, …] of every model; a tensor that holds what is not finite is left out."""
        ground = np.zeros((), dtype=np.float32) if base is None else np.asarray(base, dtype=np.float32)
        tensors = [*(parents[name] for name in self.parents), suspect]
        rows = len(suspect)
        step = block_length(max(1, suspect.size // max(1, rows)), 4 * len(tensors))
        grams = np.zeros((rows, *self._gram.shape))
        for start in range(0, rows, step):
            part = slice(start, start + step)
            low = ground if ground.ndim == 0 else ground[part]
            sides = [np.asarray(one[part], dtype=np.float32) - low for one in tensors]
            stacked = np.stack([side.reshape(len(side), -1) for side in sides], axis=1)
            grams[part] = stacked @ stacked.transpose(0, 2, 1)
        if not rows or not np.isfinite(grams).all():
            return
        self._gram += grams.sum(axis=0)
        self._units = np.concatenate([self._units, grams])
        self._numbers = np.concatenate([self._numbers, np.full(rows, suspect.size / rows)])
        while len(self._units) > WEIGHED:
            self._units, self._numbers = _in_pairs(self._units), _in_pairs(self._numbers)
        chosen = np.linspace(0, rows - 1, min(rows, SAMPLE)).astype(np.int64)
        low = ground if ground.ndim == 0 else ground[chosen]
        units = [(np.asarray(one[chosen], dtype=np.float32) - low).reshape(len(chosen), -1) for one in tensors]
        if len(chosen) > 1:
            self._moments += _moments(units) * (rows / len(chosen))

    def shares(self) -> Shares:
        """The shares, each at least 0; a parent equal to the base has share 0 and error 0."""
        size = len(self.parents)
        plain = _least_squares(self._gram)
        shares = self._weighted(plain)
        gram = self._gram[:size, :size]
        lengths = np.sqrt(np.diagonal(gram))
        scale = np.where(lengths > 0, lengths, 1.0)
        values, vectors = _spectrum(gram, scale)
        residual = np.append(-plain, 1.0)
        # <u_k, P e> with e the residual: only the second slot is contracted.
        covariance = np.einsum("kilj,i,j->kl", self._moments[:size, :, :size, :], residual, residual)
        inverse = (vectors / values) @ vectors.T / np.outer(scale, scale)
        errors = np.sqrt(np.maximum(0.0, np.diagonal(inverse @ covariance @ inverse)))
        energy = float(self._gram[size, size])
        rest = float(residual @ self._gram @ residual)
        return Shares(
            dict(zip(self.parents, map(float, shares), strict=True)),
            dict(zip(self.parents, map(float, np.where(lengths > 0, errors, 0.0)), strict=True)),
            max(0.0, 1.0 - rest / energy) if energy > 0 else 0.0,
        )

    def _weighted(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares to which each unit counts by how little they leave over of it."""
        for _ in range(TURNS if len(shares) else 0):
            residual = np.append(-shares, 1.0)
            left = np.maximum(np.einsum("k,ukl,l->u", residual, self._units, residual), 0.0) / self._numbers
            floor = LEAST_LEFT * float(np.median(left)) if len(left) else 0.0
            if floor <= 0:
                break
            shares = _least_squares(np.einsum("u,ukl->kl", 1.0 / (left + floor), self._units))
        return shares


def _least_squares(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-negative shares from a Gram matrix, suspect last: min |Rx − R⁻ᵀb| with the symmetric root R."""
    from scipy.optimize import nnls  # noqa: PLC0415  (slow to import)

    inner, target = gram[:-1, :-1], gram[:-1, -1]
    if not len(target):
        return target
    lengths = np.sqrt(np.diagonal(inner))
    scale = np.where(lengths > 0, lengths, 1.0)
    values, vectors = _spectrum(inner, scale)
    root = (vectors * np.sqrt(values)) @ vectors.T
    weights, _ = nnls(root, (vectors / np.sqrt(values)) @ vectors.T @ (target / scale))
    shares: NDArray[np.float64] = weights / scale
    return shares


def _spectrum(
    gram: NDArray[np.float64], scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues, none too small to divide by, and eigenvectors of a Gram matrix whose vectors have length one."""
    normal = gram / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(normal + np.diag(np.where(np.diagonal(gram) > 0, 0.0, 1.0)))
    return np.maximum(values, 1e-10 * values.max(initial=1.0)), vectors


def _in_pairs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Neighbours added up."""
    return np.add.reduceat(values, np.arange(0, len(values), 2), axis=0)


def _moments(units: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Cov(Σ u_k(i)·v_a(π i), Σ u_l(i)·v_b(π i)) = <D_ka, D_lb>/(n − 1), as [k, a, l, b], from matrices of n units."""
    centred = [one - one.mean(axis=0) for one in units]
    count = len(units)
    products = np.stack([(one @ other.T).ravel() for one in centred for other in centred])
    table: NDArray[np.float64] = (products @ products.T).astype(np.float64) / (len(units[0]) - 1)
    return table.reshape(count, count, count, count)
