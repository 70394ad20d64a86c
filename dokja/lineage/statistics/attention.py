"""T6: attention heads, described by what no mixing inside a head can change.

Inside a head the value rows and the output columns may be mixed by any invertible matrix (V → MV, O → OM⁻¹), query
and key rows by anything that commutes with the rotation of their position: with RoPE one complex number for each pair
of rows (q → cq, k → k/c̄), without it again any invertible matrix. The products OV and QᵀK stay as they are under all
of these, whatever the layout of the pairs and however many rows are rotated; so no table has to say it. Products are
never formed: a head is described by what its product makes of words, which no rotation of the residual axis changes
either.
"""

from __future__ import annotations

import numpy as np

from dokja.lineage.arrays import namespace_of
from dokja.lineage.statistics.units import Matrix, Units, unit_rows


def word_maps(wide: Matrix, narrow: Matrix, groups: int) -> Units:
    """The kv-groups of a layer as units, for T1: each described by its product, from words to words.

    wide: [heads · rows of a head, words], what the queries (or the columns of the output) answer to the words.
    narrow: [groups · rows of a head, words], likewise keys (or values). The heads of a group share their keys and
    values, so their queries are added up: the order of heads in a group does not matter. What all words share and
    what all groups of the layer share is taken away. H0: the labels of the kv-groups of one side are uniformly random
    given all else. Valid: a relabelling moves the units and changes none of them. Source of the symmetry: Elhage et
    al., "A mathematical framework for transformer circuits", 2021 (QK and OV circuits); RoPE: Su et al., arXiv
    2104.09864, section 3.4.
    """
    xp, words = namespace_of(wide), wide.shape[1]
    rows = narrow.shape[0] // groups
    per, rest = divmod(wide.shape[0], max(1, narrow.shape[0]))
    if rest or not per or rows * groups != narrow.shape[0]:
        raise ValueError(f"{wide.shape[0]} and {narrow.shape[0]} rows do not fall into {groups} kv-groups")
    one = xp.sum(xp.reshape(wide, (groups, per, rows, words)), axis=1)
    with np.errstate(invalid="ignore", over="ignore"):  # What is not finite is left out by `unit_rows`.
        maps = xp.matrix_transpose(one) @ xp.reshape(narrow, (groups, rows, words))
        maps -= xp.mean(maps, axis=1, keepdims=True)
        maps -= xp.mean(maps, axis=2, keepdims=True)
    found = unit_rows(xp.reshape(maps, (groups, -1)))
    if len(found.labels) < 2:
        return found
    apart = unit_rows(found.rows - xp.mean(found.rows, axis=0))
    return Units(apart.rows, found.labels[apart.labels], groups)
