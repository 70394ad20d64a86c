"""T6: attention heads, compared by what their symmetries leave.

Inside a head the value rows and the output columns may be mixed by any invertible matrix (V → MV, O → OM⁻¹), query
and key rows by anything that commutes with the rotation of their position: with RoPE, one complex number for each
pair of rows (q → cq, k → k/c̄); without, again any invertible matrix. Heads permute, within kv-groups and kv-groups
among each other. The products OV and QᵀK do not change; so each similarity here compares products, without ever
forming them, and T1 compares the labels of the kv-groups, the units that may be permuted freely.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.statistics.units import Floats, Matrix

Complex = NDArray[np.complex128]
Layout = Literal["halves", "pairs"]


def value_output_similarity(
    left: tuple[Floats, Floats], right: tuple[Floats, Floats], *, heads: int, groups: int
) -> Matrix:
    """Similarity [groups, groups] of the products OV of two layers, for `match_cosines` and `trace_test`.

    Each side is (V [groups·head, width], O [width, heads·head]). The similarity of two heads is the cosine of their
    products, <OV, O′V′> = tr(VV′ᵀ O′ᵀO); of two groups the best assignment of their heads, averaged.
    H0: the kv-groups of the right side are in uniformly random order. Exact by T1: the similarity is computed without
    labels and does not change under GL within heads, permutation of heads within groups. Assumes one residual basis.
    Few groups mean little power (8 groups: p ≥ 1/8!); add layers up with `fixed_point_log10_p`. Source: the symmetry,
    e.g. Elhage et al., "A mathematical framework for transformer circuits", 2021 (OV and QK circuits).
    """
    v, w = (_blocks(side[0], groups) for side in (left, right))
    o, p = (_blocks(np.asarray(side[1]).T, heads) for side in (left, right))
    per = _per_group(heads, groups)
    cross = _trace_products(_pairwise(v, w), _pairwise(o, p), per)
    lengths = [
        np.sqrt(np.abs([np.vdot(one[h // per] @ one[h // per].T, other[h] @ other[h].T) for h in range(heads)]))
        for one, other in ((v, o), (w, p))
    ]
    return _grouped(_divided(cross, lengths[0], lengths[1]), groups)


def query_key_similarity(
    left: tuple[Floats, Floats],
    right: tuple[Floats, Floats],
    *,
    heads: int,
    groups: int,
    rope: Layout | None = "halves",
) -> Matrix:
    """Similarity [groups, groups] of the products QᵀK of two layers, for `match_cosines` and `trace_test`.

    Each side is (Q [heads·head, width], K [groups·head, width]). With `rope`, rows (i, i + head/2) ("halves", as
    Llama in Hugging Face's layout) or (2i, 2i + 1) ("pairs") are one complex row; the similarity of two heads is
    the mean over the frequencies of Re <q, q′> conj<k, k′>, normalised: unchanged by one complex number per
    frequency. Frequencies have fixed places and are not permuted. With `rope=None` the products are compared whole,
    as in `value_output_similarity`. H0, validity, assumptions and source as there; RoPE: Su et al., arXiv
    2104.09864, section 3.4.
    """
    q, r = (_blocks(side[0], heads) for side in (left, right))
    k, m = (_blocks(side[1], groups) for side in (left, right))
    per = _per_group(heads, groups)
    if rope is None:
        cross = _trace_products(_pairwise(k, m), _pairwise(q, r), per)
        lengths = [
            np.sqrt(np.abs([np.vdot(one[h // per] @ one[h // per].T, other[h] @ other[h].T) for h in range(heads)]))
            for one, other in ((k, q), (m, r))
        ]
        return _grouped(_divided(cross, lengths[0], lengths[1]), groups)
    qs, rs, ks, ms = (_unit(_complex(side, rope)) for side in (q, r, k, m))
    queries = np.einsum("hfd,gfd->hgf", qs.conj(), rs, optimize=True)
    keys = np.einsum("hfd,gfd->hgf", ks.conj(), ms, optimize=True)
    keys = keys.repeat(per, axis=0).repeat(per, axis=1)
    return _grouped((queries * keys.conj()).real.mean(axis=2), groups)


def subspace_similarity(left: Floats, right: Floats, *, blocks: int) -> Matrix:
    """Similarity [blocks, blocks] of the spaces that blocks of rows span: mean squared cosine of the principal
    angles.

    For heads of which one projection alone is at hand. H0 and validity as above; unchanged by any invertible mixing
    of rows within a block. Source: Björck and Golub, Math. Comp. 27, 1973. Blocks without a direction give NaN.
    """
    bases = [[_basis(block) for block in _blocks(side, blocks)] for side in (left, right)]
    table = np.full((blocks, blocks), np.nan)
    for i, one in enumerate(bases[0]):
        for j, other in enumerate(bases[1]):
            size = max(len(one), len(other))
            if len(one) and len(other):
                table[i, j] = np.square(one @ other.T).sum() / size
    return table.astype(np.float32)


def _per_group(heads: int, groups: int) -> int:
    if groups < 1 or heads % groups:
        raise ValueError(f"{heads} heads do not fall into {groups} groups")
    return heads // groups


def _blocks(rows: Floats, count: int) -> NDArray[np.float64]:
    """[count, rows of one block, width]; NaN becomes zero in blocks that are then without direction."""
    if len(rows) % count:
        raise ValueError(f"{len(rows)} rows do not fall into {count} heads")
    blocks = np.asarray(rows, dtype=np.float64).reshape(count, len(rows) // count, -1)
    broken = ~np.isfinite(blocks).all(axis=(1, 2))
    if broken.any():
        blocks = blocks.copy()
        blocks[broken] = 0.0
    return blocks


def _pairwise(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products A_h B_gᵀ of all pairs of blocks: [h, g, rows, rows]."""
    table = left.reshape(-1, left.shape[2]) @ right.reshape(-1, right.shape[2]).T
    return table.reshape(len(left), left.shape[1], len(right), right.shape[1]).transpose(0, 2, 1, 3)


def _trace_products(groups: NDArray[np.float64], heads: NDArray[np.float64], per: int) -> NDArray[np.float64]:
    """<A_hᵀB_h, A′_gᵀB′_g> of all pairs of heads, A shared by a group's heads."""
    spread = groups.repeat(per, axis=0).repeat(per, axis=1)
    products: NDArray[np.float64] = np.einsum("hgij,hgij->hg", spread, heads, optimize=True)
    return products


def _divided(
    cross: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    lengths = np.outer(left, right)
    return np.divide(cross, lengths, out=np.full_like(cross, np.nan), where=lengths > 0)


def _complex(blocks: NDArray[np.float64], layout: Layout) -> Complex:
    if blocks.shape[1] % 2:
        raise ValueError(f"a head of {blocks.shape[1]} rows does not fall into pairs")
    half = blocks.shape[1] // 2
    halves = layout == "halves"
    joined = np.empty((len(blocks), half, blocks.shape[2]), dtype=np.complex128)
    joined.real = blocks[:, :half] if halves else blocks[:, ::2]
    joined.imag = blocks[:, half:] if halves else blocks[:, 1::2]
    return joined


def _unit(rows: Complex) -> Complex:
    length = np.sqrt(np.square(np.abs(rows)).sum(axis=2, keepdims=True))
    unit: Complex = rows / np.where(length > 0, length, 1.0)
    return unit


def _basis(block: NDArray[np.float64]) -> NDArray[np.float64]:
    _, values, rows = np.linalg.svd(block, full_matrices=False)
    kept: NDArray[np.float64] = rows[values > 1e-6 * max(float(values.max(initial=0.0)), 1e-30)]
    return kept


def _grouped(heads: NDArray[np.float64], groups: int) -> Matrix:
    """From heads to kv-groups: the best assignment of the heads of one group to those of the other, averaged."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  (slow to import)

    per = len(heads) // groups
    table = heads.reshape(groups, per, groups, per).transpose(0, 2, 1, 3)
    if per == 1:
        return table[:, :, 0, 0].astype(np.float32)
    best = np.full((groups, groups), np.nan, dtype=np.float32)
    for i in range(groups):
        for j in range(groups):
            if np.isfinite(table[i, j]).all():
                rows, columns = linear_sum_assignment(table[i, j], maximize=True)
                best[i, j] = table[i, j][rows, columns].mean()
    return best
