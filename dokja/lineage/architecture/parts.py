"""What a tensor is to its network: matrices whose axes have spaces; a space is what may be relabelled as one.

A *part* is a matrix in a tensor: the tensor itself, a range of rows of a fused one, a slice of a stacked one. An
*axis* says which permutations leave the function unchanged: two axes of one group are permuted by one permutation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.checkpoint import Checkpoint
from dokja.lineage.checkpoint.formats import Floats

Space = Literal["residual", "hidden", "heads", "kv-heads", "experts", "vocabulary", "patch", "fixed", "unknown"]
SPACES: tuple[Space, ...] = get_args(Space)

MATRIX = 2
"""Axes of a matrix."""


@dataclass(frozen=True)
class Axis:
    """One axis of a matrix.

    group: axes of one group are permuted by one permutation. block: a unit is so many neighbouring places (a head of
    64). repeats: the axis is so many copies of one set of units, stacked, permuted jointly (gates of an LSTM: 4).
    """

    space: Space
    group: str
    block: int = 1
    repeats: int = 1


FIXED = Axis("fixed", "fixed")


@dataclass(frozen=True)
class Part:
    """A matrix in a checkpoint and its place in the network.

    index: the slice of a stacked tensor. transposed: the tensor (or its slice) is stored [columns, rows]. take: the
    range of rows of a fused tensor, counted after that. offset: of a norm across the residual channels, what is added
    to its numbers to have its gains.
    """

    tensor: str
    component: str
    role: str
    layer: int | None
    expert: int | None
    rows: Axis
    columns: Axis
    take: tuple[int, int] | None = None
    transposed: bool = False
    index: int | None = None
    offset: Literal[0, 1] = 0

    def taken(self, count: int) -> tuple[int, int]:
        """The first of its rows among those of its tensor, which has so many, and the one behind its last."""
        return (0, count) if self.take is None else self.take


@dataclass(frozen=True)
class Contradiction:
    """What the config says and the tensors do not bear out; the axis is then unknown."""

    key: str
    said: str
    tensor: str


@dataclass(frozen=True)
class Assignment:
    """The parts of a checkpoint, the family whose table named them, and the tensors that no table knows."""

    family: str
    parts: tuple[Part, ...]
    unassigned: tuple[str, ...]
    contradictions: tuple[Contradiction, ...] = ()


def slice_shape(shape: tuple[int, ...], *, stacked: bool) -> tuple[int, ...]:
    """The shape of the tensor, or of one slice of it where slices are stacked."""
    return shape[1:] if stacked else shape


def matrix_shape(shape: tuple[int, ...], *, transposed: bool) -> tuple[int, int]:
    """Rows, and everything else, of a tensor or slice of this shape; a vector is one column."""
    if not shape:
        return 1, 1
    if transposed:
        return shape[-1], prod(shape[:-1])
    return shape[0], prod(shape[1:])


def shape_in(tensor: tuple[int, ...], part: Part) -> tuple[int, int]:
    """The shape of a part's matrix in a tensor of this shape."""
    rows, columns = matrix_shape(slice_shape(tensor, stacked=part.index is not None), transposed=part.transposed)
    first, last = part.taken(rows)
    return last - first, columns


def part_shape(checkpoint: Checkpoint, part: Part) -> tuple[int, int]:
    """The shape of a part's matrix, without reading it."""
    return shape_in(checkpoint.tensors[part.tensor].shape, part)


def part_rows(checkpoint: Checkpoint, part: Part, indexes: NDArray[np.integer], *, narrow: bool = False) -> Floats:
    """Chosen rows of a part's matrix; of a plain tensor no other row is read.

    narrow: numbers that are stored as bfloat16 may be handed out so.
    """
    if part.index is not None or part.transposed:
        return np.ascontiguousarray(part_matrix(checkpoint, part)[indexes])
    shape = checkpoint.tensors[part.tensor].shape
    first, _ = part.taken(shape[0] if shape else 1)
    rows = checkpoint.rows(part.tensor, indexes + first, narrow=narrow)
    return _flattened(rows.reshape(len(indexes), *shape[1:]))


def part_columns(checkpoint: Checkpoint, part: Part, indexes: NDArray[np.integer], *, narrow: bool = False) -> Floats:
    """Chosen columns of a part's matrix, as rows; a plain matrix goes by in windows and is never held whole.

    narrow: as for `part_rows`.
    """
    shape = checkpoint.tensors[part.tensor].shape
    if part.index is not None or part.transposed or len(shape) != MATRIX:
        return np.ascontiguousarray(part_matrix(checkpoint, part).T[indexes])
    first, last = part.taken(shape[0])
    return checkpoint.columns(part.tensor, indexes, first, last, narrow=narrow)


def part_matrix(checkpoint: Checkpoint, part: Part) -> Floats:
    """The part's numbers, [rows, everything else]; what the columns axis labels comes last.

    A convolution's kernel [out, in, …] becomes [out, … × in]: its columns axis repeats once for each place of the
    kernel.
    """
    shape = checkpoint.tensors[part.tensor].shape
    if part.index is not None:
        shape = shape[1:]
        weights = checkpoint.rows(part.tensor, np.array([part.index])).reshape(shape)
    elif part.take is not None and not part.transposed:
        return part_rows(checkpoint, part, np.arange(part.take[1] - part.take[0]))
    else:
        weights = checkpoint.read(part.tensor)
    if part.transposed:
        # Kernels stored [..., in, out]: the input stays last, behind the places.
        weights = np.moveaxis(weights, -1, 0) if weights.ndim else weights.reshape(1)
        weights = weights.reshape(len(weights), -1)
    else:
        weights = _flattened(weights)
    taken = weights if part.take is None else weights[part.take[0] : part.take[1]]
    return np.ascontiguousarray(taken)


def _flattened(weights: Floats) -> Floats:
    if weights.ndim == 0:
        return weights.reshape(1, 1)
    if weights.ndim > 2:
        weights = np.moveaxis(weights, 1, -1)
    return np.ascontiguousarray(weights.reshape(len(weights), prod(weights.shape[1:])))


def known_space(name: str) -> Space:
    """The space of this name."""
    for space in SPACES:
        if space == name:
            return space
    raise ValueError(f"{name} is no space")
