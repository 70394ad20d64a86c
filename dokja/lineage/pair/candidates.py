"""With which groups of a reference the neurons of a layer or expert are asked what they answer (T3).

What was scrambled was scrambled throughout, so a few layers are enough, drawn by the key. Where both models have the
same layers each is asked at its own place; where they have not, with every layer, for some may have been left out or
doubled. The model that has fewer of them is asked (`other_way_round`): what was left out of one or added to the other
has no partner, and all that they share is among the fewer. Experts may have been permuted, or made of a dense block:
each is asked with all that it may come from. Of more experts than that can be done with, each is asked with the one
that is *called* for the same words: a router has a row for every expert, and what its rows answer to words says which
is which, whatever was done inside the experts. A shift that all rows of a router share decides nothing, for only
differences do, and is taken away first.

No choice made here looks at what single neurons answer, which is compared then; the controls have the same to choose
from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dokja.lineage.arrays import digest, host
from dokja.lineage.model import Group, Member, Model, drawn, looked_at
from dokja.lineage.pair.answers import Anchors, gain_in_front
from dokja.lineage.pair.evidence import Held
from dokja.lineage.pair.longest import answers_words, neurons, reads
from dokja.lineage.pair.pairing import paired, sources
from dokja.lineage.sides import Reader
from dokja.lineage.statistics import signatures
from dokja.lineage.statistics.labels import mutual_neighbours
from dokja.lineage.statistics.units import Labels, Matrix

LAYERS: Final = 8
"""In how many layers neurons are asked..."""

EXPERTS: Final = 24
"""...or in how many experts: each was shown less, so that they differ more in how alike they are."""

MOST: Final = 16
"""With so many experts each is held; of more with the one that its router's row names."""

NEAREST: Final = 64
"""Of deeper models that differ in depth, so many layers, the nearest by their number, are tried."""

Layer = Sequence[tuple[Member, Member]]
"""The matrices of one layer's neurons, on both sides."""

Place = tuple[int | None, int | None]
"""A layer, and an expert in it."""


@dataclass(frozen=True)
class Asked:
    """A group of the left model's neurons, and those of the right one that it may share its origin with, each with
    the matrices of both that answer to words.
    """

    group: Group
    choices: tuple[tuple[Group, Layer], ...]


def other_way_round(held: Held, component: str, anchors: tuple[Anchors, Anchors]) -> bool:
    """Whether the right model is the one to ask, by what the two are and not by who of them is the submission.

    It is the one with fewer groups that answer; of as many, the one whose words have the smaller digest, and where
    the words are the same, whose neurons have. So whoever is held against whom, the same is asked. A reference that
    has no such component is never asked.
    """
    mine, his = (_answering(reader.model, component) for reader in (held.left, held.right))
    if len(mine) != len(his):
        return 0 < len(his) < len(mine)
    words, others = (each["up"][0] for each in anchors)
    if words != others:
        return others < words
    return _digest(held.right, his) < _digest(held.left, mine)


def _digest(reader: Reader, groups: Sequence[Group]) -> bytes:
    """What tells the neurons of one model from another's that answers to the same words."""
    places = drawn(reader.source.key, len(groups), LAYERS)
    return digest(reader.matrix(member) for place in places for member in neurons(groups[place]))


def _answering(model: Model, component: str) -> list[Group]:
    return [group for group in model.groups.get(component, ()) if answers_words(group)]


def candidates(held: Held, component: str, anchors: tuple[Anchors, Anchors]) -> tuple[Asked, ...]:
    """The groups that are asked, and with which; those that meet nobody are left out."""
    groups = _answering(held.left.model, component)
    others = [group for group in sources(held.right.model, component) if answers_words(group)]
    anywhere = {group.layer for group in groups} != {group.layer for group in others}
    count = LAYERS if all(group.expert is None for group in groups) else EXPERTS
    chosen = [groups[place] for place in drawn(held.key, len(groups), count)]
    near = [[other for other in others if anywhere or other.layer == group.layer] for group in chosen]
    many = [sum(other.expert is not None for other in each) > MOST for each in near]
    crowded = [group for group, crowd in zip(chosen, many, strict=True) if crowd and group.expert is not None]
    met = _met(held, crowded, others, anchors, anywhere=anywhere) if crowded else {}
    asked = []
    for group, each, crowd in zip(chosen, near, many, strict=True):
        found = _possible(group, each, met if crowd else None)
        pairs = [(other, _matrices(held, group, other)) for other in _nearest(group, found)]
        choices = tuple((other, layer) for other, layer in pairs if len(layer) > 1)
        if choices:
            asked.append(Asked(group, choices))
    return tuple(asked)


def _matrices(held: Held, group: Group, other: Group) -> Layer:
    """Of two groups the matrices that read words or write them."""
    pair = paired(held.left.model, held.right.model, group, other)
    return [] if pair is None else [(a, b) for a, b in pair.members if reads(a) and reads(b)]


def _possible(group: Group, others: Iterable[Group], met: Mapping[Place, Place] | None) -> list[Group]:
    """met: which expert each expert is called like, where there are too many to try them all."""
    if group.expert is None:
        return [other for other in others if other.expert is None and _alike(group, other)]
    if met is None:
        return list(others)
    partner = met.get((group.layer, group.expert))
    return [other for other in others if other.expert is None or (other.layer, other.expert) == partner]


def _alike(group: Group, other: Group) -> bool:
    """Whether two groups that are no experts bear the same name, but for the number of their layer."""
    if group.layer == other.layer:
        return group.name == other.name
    return re.sub(r"\d+", "", group.name) == re.sub(r"\d+", "", other.name)


def _nearest(group: Group, others: Sequence[Group]) -> Sequence[Group]:
    layer = group.layer or 0
    return sorted(others, key=lambda other: abs((other.layer or 0) - layer))[:NEAREST]


def _met(
    held: Held, groups: Sequence[Group], others: Sequence[Group], anchors: tuple[Anchors, Anchors], *, anywhere: bool
) -> dict[Place, Place]:
    """For each of these experts the one of the reference that is called for the same words."""
    layers = {group.layer for group in groups}
    calls = [_Calls(held.left, anchors[0]), _Calls(held.right, anchors[1])]
    found: dict[Place, Place] = {}
    theirs = {other.layer for other in others}
    for asked, tried in [(layers, theirs)] if anywhere else [({layer}, {layer}) for layer in layers]:
        (mine, rows), (his, their_rows) = (
            each.of(wanted) for each, wanted in zip(calls, (asked, tried), strict=True)
        )
        partner, _ = mutual_neighbours(rows, their_rows)
        found |= {mine[place]: his[other] for place, other in enumerate(partner) if other >= 0}
    return found


@dataclass(frozen=True)
class _Calls:
    """The routers of one side, by the words that their rows answer."""

    reader: Reader
    anchors: Anchors

    def of(self, layers: Iterable[int | None]) -> tuple[list[Place], Matrix]:
        """The experts of these layers, and what words they are called for."""
        places: list[Place] = []
        rows: list[Matrix] = [np.empty((0, self.anchors["up"][1].shape[1]), dtype=np.float32)]
        for part in self.reader.model.components.get("router", ()):
            member = Member(part.role, part, "rows")
            known = member.axis.space == "experts" and member.other.space == "residual"
            if known and part.layer in layers and min(self.reader.model.extent(member)) > 1:
                labels, found = self._layer(member)
                places += [(part.layer, int(label)) for label in labels]
                rows.append(found)
        return places, np.concatenate(rows)

    def _layer(self, member: Member) -> tuple[Labels, Matrix]:
        source = self.reader.source
        labels = looked_at(source.key, source.model, member, source.units)
        matrix = source.rows(member, labels)
        gain, put = gain_in_front(self.reader, member), self.reader.arrays.put
        apart = put(matrix - matrix.mean(axis=0))
        units = signatures(apart, self.anchors["up"][1], None if gain is None else put(gain))
        return labels[units.labels], host(units.rows)
