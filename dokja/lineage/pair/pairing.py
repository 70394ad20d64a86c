"""Which groups of one model are held against which of the other, before any similarity is looked at.

Groups meet by component, layer and expert; where names say nothing, by their own name, and else by the shape of what
they hold. Everything here looks at names and shapes only, so no choice made here can make a test fire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dokja.lineage.model import Group, Member, Model

DENSE_OF = {"experts": "text-decoder"}
"""Where the groups of a component may come from when the reference lacks it: experts, from a dense block."""


@dataclass(frozen=True)
class GroupPair:
    """Two groups, and their members of one family and one width."""

    left: Group
    right: Group
    members: tuple[tuple[Member, Member], ...]


@dataclass(frozen=True)
class Kind:
    """What matrices of two groups must have in common for their units to be compared."""

    space: str
    family: str
    turn: int
    width: int
    units: int
    repeats: int
    block: int
    by: str


def aligned(left: Model, right: Model, component: str) -> tuple[GroupPair, ...]:
    """The groups that stand at the same place of both models."""
    return _aligned(left, right, left.groups.get(component, ()), right.groups.get(component, ()))


def aligned_squares(left: Model, right: Model, component: str) -> tuple[GroupPair, ...]:
    """Likewise the groups of matrices from an axis to itself."""
    return _aligned(left, right, left.squares.get(component, ()), right.squares.get(component, ()))


def _aligned(left: Model, right: Model, groups: Sequence[Group], others: Sequence[Group]) -> tuple[GroupPair, ...]:
    theirs = {_place(group): group for group in _unambiguous(others)}
    pairs = (
        paired(left, right, group, theirs[_place(group)]) for group in _unambiguous(groups) if _place(group) in theirs
    )
    return tuple(pair for pair in pairs if pair is not None)


def sources(right: Model, component: str) -> tuple[Group, ...]:
    """The groups of a reference that a component's may come from, wherever they stand."""
    return (*right.groups.get(component, ()), *right.groups.get(DENSE_OF.get(component, ""), ()))


def kinds(model: Model, group: Group) -> Mapping[Kind, Member]:
    """A group's members by their kinds."""
    return {
        Kind(
            space=group.space,
            family=family,
            turn=turn,
            width=model.extent(member)[1],
            units=model.units(member),
            repeats=member.axis.repeats,
            block=member.axis.block,
            by=member.by,
        ): member
        for (family, turn), member in _by_family(group.members).items()
    }


def paired(left: Model, right: Model, group: Group, other: Group) -> GroupPair | None:
    """The members that two groups have in common; `None` where they have none."""
    theirs = _by_family(other.members)
    members = tuple(
        (member, theirs[key])
        for key, member in _by_family(group.members).items()
        if key in theirs and _width(left, member) == _width(right, theirs[key])
    )
    return GroupPair(group, other, members) if members else None


def _by_family(members: Sequence[Member]) -> Mapping[tuple[str, int], Member]:
    """Members by family and by their turn within it."""
    found: dict[tuple[str, int], Member] = {}
    for member in members:
        turn = sum(family == member.family for family, _ in found)
        found[member.family, turn] = member
    return found


def drawn_alike(one: Member, other: Member) -> bool:
    """Whether the same rows of both are drawn: not so where one config tells heads and the other does not."""
    return (one.axis.block, one.axis.repeats) == (other.axis.block, other.axis.repeats)


def _width(model: Model, member: Member) -> tuple[int, int, int, str]:
    """What must agree for two members' units to be comparable: their numbers, and how rows make a unit."""
    return (model.extent(member)[1], member.axis.repeats, member.axis.block, member.by)


def _place(group: Group) -> tuple[str, object, object, object]:
    named = group.layer is None
    return (group.space, group.name if named else None, group.layer, group.expert)


def _unambiguous(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Groups whose place no other group of the model has."""
    places = [_place(group) for group in groups]
    return tuple(group for group, place in zip(groups, places, strict=True) if places.count(place) == 1)
