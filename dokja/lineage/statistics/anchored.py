"""T3: anchored agreement. What a neuron answers to shared words, whatever its place, scale or basis.

Both models read some of the same token strings. A neuron's signature is its response to their embeddings (gains
folded in), which no permutation, rotation, scaling or folding of norms changes. Match the neurons of two layers
once by their gates and once by their ups: unrelated models have no reason to agree on the partner, related ones do.
A statistic that all of the group leaves alone cannot be calibrated by the group: this one is calibrated on pairs
known to be independent, and never convicts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np

from dokja.lineage.arrays import host, like, namespace_of, taken
from dokja.lineage.statistics.combine import conformal_log10_p
from dokja.lineage.statistics.labels import partners
from dokja.lineage.statistics.units import Floats, Labels, Matrix, Units, unit_rows


@dataclass(frozen=True)
class Agreement:
    """`compared`: units for which at least two maps name a partner; `agreed`: at least two name the same one.

    `mapping`: for each left unit the partner that two maps agree on, or -1.
    """

    units: int
    compared: int
    agreed: int
    mapping: Labels

    @property
    def share(self) -> float:
        """Agreed among compared."""
        return self.agreed / self.compared if self.compared else 0.0

    def log10_p(self, controls: Sequence[Agreement]) -> float:
        """Conformal log10 p of `share` among controls.

        H0: this pair is exchangeable with the control pairs (known to be independent, of like shape, anchors and
        vocabulary). Exact given that; at least 1/(n + 1). Source: Vovk, Gammerman and Shafer 2005, chapter 2.
        """
        return conformal_log10_p(self.share, [control.share for control in controls])


RIDGE = 0.3
"""What whitening adds to every direction of the anchors, as a share of their median length: noise is not blown up."""


def answering(anchors: Floats) -> Matrix:
    """What units [units, width] are multiplied by to answer anchors [anchors, width] that point all ways alike.

    A few directions that all words share would fill the signatures of all neurons. With A = U S Vᵀ the anchors are
    whitened to U S²/(S² + c²) Vᵀ: of length one in every direction that is not noise. The answers to them are those
    to A times U S/(S² + c²) Uᵀ, so rotating units and anchors alike changes nothing, nor does scaling the anchors. It
    is made of the inner products A Aᵀ or AᵀA, whichever are fewer. Anchors that are not finite count as zero.
    """
    xp = namespace_of(anchors)
    sides = xp.astype(anchors, xp.float64)
    sides = xp.where(xp.all(xp.isfinite(sides), axis=1)[:, None], sides, 0.0)
    few = sides.shape[0] <= sides.shape[1]
    # By NumPy everywhere: it is small, and devices take longer for it than for all that is made of it.
    squares, vectors = np.linalg.eigh(host(sides @ sides.T if few else sides.T @ sides))
    lengths = np.sqrt(np.maximum(squares, 0.0))
    ridge = RIDGE * float(np.median(lengths))
    # What has no length at all is left out: nothing answers to it.
    scales = np.divide(lengths, lengths**2 + ridge**2, out=np.zeros_like(lengths), where=lengths > 0)
    whitening = like(((vectors * scales) @ vectors.T).astype(np.float32), sides)
    across = xp.astype(sides.T, xp.float32)
    found: Matrix = across @ whitening if few else whitening @ across
    return found


def signatures(weights: Floats, answers: Floats, gain: Floats | None = None) -> Units:
    """Answers of units [units, width] to anchors, centred and of length one.

    `answers`: [width, anchors], the `answering` of the anchors. `gain`: the gain of the norm before the layer, folded
    in. For a down projection give its transpose, and unembeddings as anchors. Rotating weights and anchors alike
    changes nothing. No test by itself. Source: relative representations, Moschella et al., ICLR 2023, arXiv
    2209.15430, section 3.
    """
    keys = answers if gain is None else gain[:, None] * answers
    with np.errstate(invalid="ignore", over="ignore"):  # What is not finite is left out by `unit_rows`.
        return unit_rows(weights @ keys)


def agreement(left: Mapping[str, Units], right: Mapping[str, Units]) -> Agreement:
    """A: how often the maps of at least two roles (gate, up, down) agree on the partner of a unit.

    H0 and validity: see `Agreement.log10_p`; there is none without controls. The two layers may differ in width. A
    unit that no two maps name a partner for is not compared. Source: arXiv 2502.12292, section 3 (matching gate and
    up), with mutual neighbours in place of an assignment.
    """
    roles = sorted(set(left) & set(right))
    sizes = {left[role].total for role in roles}
    if len(roles) < 2 or len(sizes) != 1:
        return Agreement(max(sizes, default=0), 0, 0, np.full(max(sizes, default=0), -1, dtype=np.int64))
    maps = [partners(left[role], right[role]) for role in roles]
    mapping = np.full(sizes.pop(), -1, dtype=np.int64)
    for one, other in combinations(maps, 2):
        agreed = (one == other) & (mapping < 0)
        mapping[agreed] = one[agreed]
    compared = np.sum([one >= 0 for one in maps], axis=0) >= 2
    return Agreement(len(mapping), int(compared.sum()), int((mapping >= 0).sum()), mapping)


def named_alike(
    left: Mapping[str, Units], right: Mapping[str, Units], few: Labels, orders: Sequence[Labels]
) -> Labels:
    """For each order of the left anchors: for how many of a few left units do two roles name one right unit.

    It costs a small part of `agreement`, and says of which right units that is worth asking. No test: any unit may be
    the nearest of several. few: labels; those count that have a direction in every role.
    """
    roles = sorted(role for role in set(left) & set(right) if len(right[role].labels))
    few = reduce(np.intersect1d, (left[role].labels for role in roles), few)
    if len(roles) < 2 or not len(few):
        return np.zeros(len(orders), dtype=np.int64)
    named = []
    for role in roles:
        rows, xp = left[role].of(few), namespace_of(left[role].rows)
        products = xp.concat([taken(rows, order, axis=1) for order in orders]) @ right[role].rows.T
        nearest = host(xp.argmax(products, axis=1))
        named.append(right[role].labels[nearest].reshape(len(orders), len(few)))
    alike = np.logical_or.reduce([one == other for one, other in combinations(named, 2)])
    counts: Labels = alike.sum(axis=1)
    return counts
