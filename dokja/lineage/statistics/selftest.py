"""T4: T1 between layers, and between experts. Deepened, cloned and upcycled models betray themselves without
reference.

Within one model two layers' hidden units have labels of their own, so they are as independent as two strangers'. A
layer that was copied (depth up-scaling) or experts cloned from one dense layer keep the labels.
Between two models the same table gives the layer map: which layer of the child comes from which of the parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dokja.lineage.statistics.combine import holm
from dokja.lineage.statistics.labels import Matches, fixed_points
from dokja.lineage.statistics.units import Labels, Units


@dataclass(frozen=True)
class Kin:
    """Two layers (or experts) compared: their matches, and log10 p adjusted for all pairs that were compared."""

    left: str
    right: str
    matches: Matches
    log10_p: float


def self_test(layers: Mapping[str, Units], *, sample: Labels | None = None) -> tuple[Kin, ...]:
    """T1 between every two layers (experts) of one model, in order of names given.

    H0, for each pair: the hidden labels of the two are unrelated, as training makes them. Exact bound of T1 for
    each, Holm over all pairs. Assumes that their initialisation was not repeated (one seed reused for each expert
    or tensor-parallel rank fires it: then the word is common initialisation). Layers of different shape are not
    compared. Source: `fixed_point_log10_p`; the construction it finds: Kim et al., SOLAR 10.7B, arXiv 2312.15166
    (depth up-scaling), and Komatsuzaki et al., Sparse Upcycling, ICLR 2023.
    """
    names = list(layers)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    return _compared(layers, layers, pairs, sample)


def layer_table(
    left: Mapping[str, Units], right: Mapping[str, Units], *, sample: Labels | None = None
) -> tuple[Kin, ...]:
    """T1 of every layer (expert) of one model against every one of the other.

    H0, for each pair: their hidden labels are unrelated. Exact bound of T1 for each, Holm over all. Source: as above.
    """
    return _compared(left, right, [(one, other) for one in left for other in right], sample)


def kinship_map(table: tuple[Kin, ...], log10_level: float = -6.0) -> dict[str, str]:
    """For each left layer the right layer whose labels it bears most surely, where the adjusted p reaches the level.

    A reading of the table, not a test: H0 and validity are those of its entries. Ties go to more fixed points, then
    to the first in order.
    """
    best: dict[str, Kin] = {}
    for kin in table:
        known = best.get(kin.left)
        if kin.log10_p <= log10_level and (known is None or _strength(kin) > _strength(known)):
            best[kin.left] = kin
    return {name: kin.right for name, kin in best.items()}


def _strength(kin: Kin) -> tuple[float, int]:
    return -kin.log10_p, kin.matches.fixed


def _compared(
    left: Mapping[str, Units], right: Mapping[str, Units], pairs: list[tuple[str, str]], sample: Labels | None
) -> tuple[Kin, ...]:
    alike = [
        (one, other)
        for one, other in pairs
        if left[one].total == right[other].total and left[one].rows.shape[1] == right[other].rows.shape[1]
    ]
    matches = [fixed_points(left[one], right[other], sample=sample) for one, other in alike]
    adjusted = holm([one.log10_p for one in matches])
    return tuple(
        Kin(one, other, found, float(value))
        for (one, other), found, value in zip(alike, matches, adjusted, strict=True)
    )
