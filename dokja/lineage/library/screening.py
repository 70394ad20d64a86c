"""Which references of a library are worth an audit: every sketch of a submission against every sketch of the library.

Under independence the cosine of two sketches is normal around zero with variance 1/K. The screen convicts nobody: it
passes on whatever might be close, and says what it would have missed. It compares elements at their places: a copy
whose units were rearranged, or that was put to other places, is as far from its original as a stranger. Only an audit
against every reference sees those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.library.index import Index
from dokja.lineage.library.sketching import SUMS, Sketch

STRANGERS = 20.0
"""How many independent references are expected among the candidates: each costs one audit."""

ALARMS = 0.01
"""How many are expected among candidates of which there is a fingerprint alone: no audit can dismiss them."""

SEEN = 0.99
"""The probability with which a reference that is as close as `would_miss` is among the candidates."""

AT_ONCE = 64
"""Sketches that are compared at once: they stay in a core's cache."""

NORMAL = NormalDist()


@dataclass(frozen=True)
class Candidate:
    """A component of a reference whose elements may be close to the submission's.

    cosine: of the elements, as estimated. same_shapes: whether all matrices have the same places and shapes.
    """

    reference: str
    component: str
    z: float
    cosine: float
    same_shapes: bool


@dataclass(frozen=True)
class Screened:
    """What a screen found, the closest first.

    z: the least that makes a pack a candidate (a fingerprint must be closer, see `ALARMS`); of a component that no
    reference comes so close to, the closest pack is one (of those with the same shapes where there are any), so that
    nothing goes unasked that could be asked. would_miss: the
    least cosine of the elements that is seen with probability `SEEN`; what is further away, and every rearranged
    copy, may be missed. compared: pairs of components.
    """

    candidates: tuple[Candidate, ...]
    z: float
    would_miss: float
    compared: int

    @property
    def references(self) -> tuple[str, ...]:
        """The references to audit, the closest first."""
        return tuple(dict.fromkeys(each.reference for each in self.candidates))


def screen(index: Index, submission: Mapping[str, Sketch]) -> Screened:
    """Hold a submission's sketches against a library's.

    The submission's units must have been drawn by the library's key, as many of them as the library keeps.
    """
    names = [component for component in index.components if component in submission]
    chosen = [(name, np.flatnonzero(index.component == index.components.index(name))) for name in names]
    compared = sum(len(rows) for _, rows in chosen)
    packed = np.array([each.packed for each in index.shelved], dtype=bool)[index.reference]
    limits = _limit(STRANGERS, compared), _limit(ALARMS, compared)
    candidates: list[Candidate] = []
    for name, rows in chosen:
        cosines = np.concatenate(
            [
                index.sketches[part].astype(np.float32) @ submission[name].values
                for part in np.array_split(rows, -(-len(rows) // AT_ONCE) or 1)
            ]
        )
        limit = np.where(packed[rows], *limits)
        near = _near(index, rows, submission[name], cosines, limit, packed[rows])
        candidates += (_candidate(index, int(rows[each]), submission[name], float(cosines[each])) for each in near)
    candidates.sort(key=lambda each: (-each.z, each.reference, each.component))
    # The variance of the estimate is largest at zero, so what holds there holds for closer ones too.
    highest = limits[bool(packed.size and not packed.all())]
    would_miss = (highest + NORMAL.inv_cdf(SEEN)) / float(np.sqrt(SUMS)) if compared else 1.0
    return Screened(tuple(candidates), limits[0], round(min(1.0, would_miss), 4), compared)


def _limit(strangers: float, compared: int) -> float:
    """What so many of the independent pairs are expected to pass."""
    return -NORMAL.inv_cdf(min(0.5, strangers / compared)) if compared else 0.0


def _near(
    index: Index,
    rows: NDArray[np.int64],
    mine: Sketch,
    cosines: NDArray[np.float32],
    limit: NDArray[np.float64],
    packed: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Which of these sketches are candidates: those above their limit, else the closest one that can be audited."""
    if not mine.values.any():
        return np.empty(0, dtype=np.intp)
    above = np.flatnonzero(cosines * np.sqrt(SUMS) >= limit)
    if len(above):
        return above
    same_shapes = index.signature[rows] == mine.signature
    order = np.lexsort((cosines, same_shapes))
    return order[packed[order]][-1:]


def _candidate(index: Index, row: int, mine: Sketch, cosine: float) -> Candidate:
    return Candidate(
        reference=index.shelved[int(index.reference[row])].name,
        component=index.components[int(index.component[row])],
        z=round(cosine * float(np.sqrt(SUMS)), 3),
        cosine=round(cosine, 4),
        same_shapes=int(index.signature[row]) == mine.signature,
    )
