"""`squares`: matrices from an axis to itself, whose rows and columns bear the same labels.

Recurrent weights, graph convolutions, convolutions between skips: relabelling moves rows and columns at once,
W → PWPᵀ. To match whole rows would not be exact, for what a unit says to itself stands on the diagonal of every
model. So half of the units, drawn by the key, are anchors, and a unit of the other half is described by what it hears
from them and by what it says to them. Given the labels of the anchors, those of the others are still a uniformly
random permutation. No number on the diagonal is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import NUMPY, Arrays
from dokja.lineage.model import Member, inner
from dokja.lineage.pair.evidence import FEWEST, Held, LabelTest
from dokja.lineage.pair.pairing import GroupPair
from dokja.lineage.pair.places import Halves, relative_test
from dokja.lineage.sides import Reader
from dokja.lineage.statistics import (
    Cosines,
    Matches,
    Order,
    Units,
    cosines,
    halved,
    mean_cosines,
    order,
    shared_order,
    unit_rows,
)
from dokja.lineage.statistics.units import Labels

Fed = NDArray[np.float32]
"""[copies, units, rows of a unit, copies, units, columns of a unit]: what each unit hears from each."""


@dataclass(frozen=True)
class SquareFound:
    """One group: its matches by all its matrices at once, and by each family, for both halves of its units."""

    whole: Halves
    families: tuple[tuple[str, Halves], ...]


def look_at_squares(held: Held, pair: GroupPair) -> SquareFound | None:
    """What the units of a group say to each other; `None` where they are too few, or in an order of their own."""
    families: dict[str, list[tuple[list[Cosines], list[Cosines]]]] = {}
    for a, b in pair.members:
        x, y = fed(held.left, a), fed(held.right, b)
        if x.shape == y.shape and x.shape[1] >= 2 * FEWEST and not _same_numbers(x, y) and not _ordered(x, y):
            families.setdefault(a.family, []).append(_compared(x, y, held))
    if not families:
        return None
    return SquareFound(
        _joined([each for family in families.values() for each in family]),
        tuple((family, _joined(each)) for family, each in families.items()),
    )


def fed(reader: Reader, member: Member) -> Fed:
    """The numbers between the units that are looked at."""
    matrix, labels = reader.matrix(member), reader.labels(member)
    units, rows, columns = reader.model.units(member), member.axis, member.other
    held = len(inner(reader.source.key, reader.model, member))
    table = matrix.reshape(rows.repeats, len(labels), held, columns.repeats, units, columns.block)
    return table if len(labels) == units else np.ascontiguousarray(table[:, :, :, :, labels])


def described(table: Fed, halves: tuple[Labels, Labels], arrays: Arrays = NUMPY) -> Iterator[tuple[Units, Units]]:
    """Each half of the units by what it hears from the other, and by what it says to it."""
    for turned in (table, _turned(table)):
        first, second = (
            unit_rows(arrays.put(rows.reshape(len(turned) * len(some), -1)), repeats=len(turned))
            for some, others in (halves, halves[::-1])
            for rows in (np.ascontiguousarray(turned[:, some][:, :, :, :, others]),)
        )
        yield first, second


def _compared(left: Fed, right: Fed, held: Held) -> tuple[list[Cosines], list[Cosines]]:
    halves, arrays = halved(left.shape[1], held.key), held.left.arrays
    found = [
        tuple(cosines(mine, his) for mine, his in zip(one, other, strict=True))
        for one, other in zip(described(left, halves, arrays), described(right, halves, arrays), strict=True)
    ]
    return [each[0] for each in found], [each[1] for each in found]


def _joined(found: Sequence[tuple[list[Cosines], list[Cosines]]]) -> Halves:
    first, second = (mean_cosines([each for pair in found for each in pair[half]]).matches for half in (0, 1))
    return first, second


def _same_numbers(left: Fed, right: Fed) -> bool:
    """Whether all numbers are equal to the digits of bfloat16: a constant of the trade, for `identical` to tell."""
    one, other = (side.astype(ml_dtypes.bfloat16).view(np.uint16) for side in (left, right))
    return bool(np.array_equal(one, other))


def _ordered(left: Fed, right: Fed) -> bool:
    """Whether the places of both sides' units say the same kind of thing, of what they hear or of what they say."""
    return any(
        shared_order(_order(one), _order(other)) for one, other in ((left, right), (_turned(left), _turned(right)))
    )


def _order(table: Fed) -> Order:
    return order(np.ascontiguousarray(table).reshape(len(table) * table.shape[1], -1), repeats=len(table))


def _turned(table: Fed) -> Fed:
    return table.transpose(3, 4, 5, 0, 1, 2)


def squares_test(found: Iterable[SquareFound]) -> LabelTest:
    """`squares`: the labels of units by how they feed each other.

    H0: one uniform permutation relabels the rows and columns of all matrices of a group; groups are independent. The
    halves of a group depend on each other: each is added up over the groups, and the smaller of the two is doubled.
    """
    held = list(found)
    families: dict[str, list[Matches]] = {}
    for each in held:
        for family, halves in each.families:
            families.setdefault(family, []).extend(halves)
    return relative_test("squares", [each.whole for each in held], families)
