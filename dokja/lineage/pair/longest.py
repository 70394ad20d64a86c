"""Which neurons of a layer answer (T3) where it has more of them than are looked at: those with the longest weights.

A draw by labels would meet few of its own on a side whose neurons were permuted, so the choice must be one that every
symmetry of a layer leaves alone. A permutation and a rotation change no length. Whatever scales a neuron's row of the
gate or of the up matrix must shrink its column of the down matrix: so a neuron's lengths in all of them are
multiplied. Of a copy the same neurons are chosen, from its weights as from a library, which keeps the longest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from dokja.lineage.model import Group, Member, Model
from dokja.lineage.pair.answers import gain_in_front
from dokja.lineage.sides import Reader
from dokja.lineage.statistics.units import Labels, Matrix

ROLES: Final = ("gate", "up", "down")


def neurons(group: Group) -> tuple[Member, ...]:
    """The matrices by which the units of a group read the residual channels or write to them."""
    return tuple(member for member in group.members if reads(member))


def reads(member: Member) -> bool:
    """Whether a matrix is one of a neuron's across the residual channels."""
    return member.family in ROLES and member.other.space == "residual"


def answers_words(group: Group) -> bool:
    """Whether the units of a group answer in two ways at least, which can then agree."""
    return len({member.family for member in neurons(group)}) > 1


def crowded(model: Model, members: Sequence[Member], looks: int) -> bool:
    """Whether a layer of these matrices has more neurons than are looked at, each with one row of every matrix."""
    single = all(member.axis.block == member.axis.repeats == 1 for member in members)
    return single and model.units(members[0]) > looks


def of_one_axis(model: Model, member: Member) -> tuple[Member, ...]:
    """All the matrices of the neurons that a matrix is of."""
    groups = model.groups.get(member.part.component, ())
    return next((neurons(group) for group in groups if member in group.members), (member,))


def gain_of(reader: Reader, member: Member) -> Matrix | None:
    """The gain through which a neuron's matrix reads; none through which it writes."""
    return None if member.family == "down" else gain_in_front(reader, member)


def lengths(reader: Reader, members: Sequence[Member]) -> list[Matrix] | None:
    """The lengths of every neuron in each of these matrices; `None` where they are not at hand."""
    found = [reader.source.lengths(member, gain_of(reader, member)) for member in members]
    there = [each for each in found if each is not None]
    return there if len(there) == len(found) else None


def longest(measured: Iterable[Matrix], size: int) -> Labels:
    """The neurons whose lengths have the largest products, at most so many, by label."""
    with np.errstate(invalid="ignore", over="ignore"):
        products = np.prod([each.astype(np.float64) for each in measured], axis=0)
    # What is not a number comes last.
    order = np.argsort(-np.nan_to_num(products, nan=-1.0), kind="stable")
    return np.sort(order[:size]).astype(np.int64)
