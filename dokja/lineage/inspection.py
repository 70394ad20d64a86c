"""What is in a checkpoint: its parameters by component and role, and what no table knows. It reads no weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from dokja.errors import Problem
from dokja.lineage.architecture import Assignment, Part, assign, part_shape
from dokja.lineage.checkpoint import Checkpoint, TensorInfo, problem


@dataclass(frozen=True)
class Share:
    """The tensors of one role in one component, and how many numbers they hold."""

    component: str
    role: str
    tensors: int
    parameters: int


@dataclass(frozen=True)
class Inspection:
    """What a checkpoint holds.

    types: stored bytes by the type that they are stored in. shares: by component and role, the largest component
    first. unassigned: what the family's table does not know. unread: stored tensors of a type that is not decoded.
    problems: where the config contradicts the tensors.
    """

    where: str
    family: str
    shards: int
    parameters: int
    types: Mapping[str, int]
    tokenizer: str | None
    shares: tuple[Share, ...]
    unassigned: tuple[TensorInfo, ...]
    unread: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def assigned(self) -> int:
        """How many parameters have a place."""
        return sum(share.parameters for share in self.shares)

    @property
    def components(self) -> Mapping[str, int]:
        """Parameters by component, the largest first."""
        found: dict[str, int] = {}
        for share in self.shares:
            found[share.component] = found.get(share.component, 0) + share.parameters
        return found


def inspect(checkpoint: Checkpoint) -> Inspection:
    """What this checkpoint holds."""
    assignment = assign(checkpoint)
    return Inspection(
        where=checkpoint.where,
        family=assignment.family,
        shards=len({info.shard for info in checkpoint.stored.values()}),
        parameters=checkpoint.parameters,
        types=_types(checkpoint.stored.values()),
        tokenizer=checkpoint.tokenizer,
        shares=_shares(checkpoint, assignment.parts),
        unassigned=tuple(checkpoint.tensors[name] for name in assignment.unassigned),
        unread=checkpoint.unread,
        problems=_problems(checkpoint, assignment),
    )


def _types(tensors: Iterable[TensorInfo]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for info in tensors:
        found[info.dtype] = found.get(info.dtype, 0) + info.nbytes
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _shares(checkpoint: Checkpoint, parts: Iterable[Part]) -> tuple[Share, ...]:
    tensors: dict[tuple[str, str], set[str]] = {}
    numbers: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = {}
    for part in parts:
        key, count = (part.component, part.role), prod(part_shape(checkpoint, part))
        tensors.setdefault(key, set()).add(part.tensor)
        numbers[key] = numbers.get(key, 0) + count
        totals[part.component] = totals.get(part.component, 0) + count
    order = sorted(numbers, key=lambda key: (-totals[key[0]], key[0], -numbers[key], key[1]))
    return tuple(Share(*key, len(tensors[key]), numbers[key]) for key in order)


def _problems(checkpoint: Checkpoint, assignment: Assignment) -> tuple[Problem, ...]:
    """One problem for each key of the config that does not fit, with the first tensor that shows it."""
    first = {each.key: each for each in reversed(assignment.contradictions)}
    return tuple(
        problem("checkpoint-config-lies", checkpoint.where, key=each.key, said=each.said, tensor=each.tensor)
        for each in sorted(first.values(), key=lambda each: each.key)
    )
