"""T3 for a component: do the neurons of two models answer shared words alike, whatever was done to their order?

The anchors are tokens that both vocabularies hold, drawn by the key; of an encoder, its single inputs. The controls
are the same layers with the anchors of one side shuffled: what agreement there is when words and answers have nothing
to do with each other. The result is calibrated on them and never convicts alone; it is what is left when every axis
was scrambled.

Who of the two is the submission changes nothing: which side is asked is decided by what they are. Where a layer may
come from several, as when layers were left out, a few of its neurons choose one, and choose anew in every control;
all neurons are asked with that one only.

Where a layer has more neurons than are looked at, the `longest` are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Literal

import numpy as np

from dokja.lineage.arrays import taken
from dokja.lineage.cores import Crew
from dokja.lineage.model import FEWEST_LOOKED_AT, Member, drawn
from dokja.lineage.pair.answers import ANCHORS, Anchors, Meant, Vectors, anchorings, answered, answers
from dokja.lineage.pair.candidates import MOST, Asked, Layer, candidates, other_way_round
from dokja.lineage.pair.evidence import Held, MapRow
from dokja.lineage.pair.longest import crowded, lengths, longest, of_one_axis
from dokja.lineage.sides import Reader
from dokja.lineage.statistics import Units, agreement, named_alike
from dokja.lineage.statistics.units import Labels

SHUFFLES = 19
"""How often the anchors are shuffled for a control."""

FEWEST_AGREED = 24
LEAST_AGREED = 0.9
"""Below these the agreement is not told as one. In the zoos a fifth of strangers' neurons agree at most, of models of
one seed three in five to nine in ten (the less they were trained, the more), and of a child that was trained on for
twice its parent's steps 19 in 20."""

FEWEST_ANCHORS = 16

FEW = 32
"""By so many neurons of a layer the one is chosen with which all of them are held, of those that it may come from."""


@dataclass(frozen=True)
class Anchored:
    """Neurons compared and agreed over all layers, and the largest share among the controls.

    controls: how many there are; none where so few agree that nothing is to be calibrated. log10_p: conformal, at
    least 1/(controls + 1). of: what was compared; heads where a component has no neurons. layer_map: where the
    neurons of each layer that was asked agree the most, as shares of those compared; told where they fire. by: which
    anchors of both sides were taken for the same. sets: of how many sets of anchors this is the one that agrees the
    most; log10_p is corrected for them.
    """

    anchors: int
    compared: int
    agreed: int
    control: float
    controls: int
    of: Literal["neurons", "heads"] = "neurons"
    layer_map: tuple[MapRow, ...] = ()
    by: Meant = "word"
    sets: int = 1

    @property
    def share(self) -> float:
        """Agreed among compared."""
        return self.agreed / self.compared if self.compared else 0.0

    @property
    def log10_p(self) -> float:
        """Conformal: the pair among its shuffled controls."""
        above = self.controls if self.control >= self.share else 0
        return min(0.0, float(np.log10(self.sets * (1 + above) / (self.controls + 1)))) if self.controls else 0.0

    @property
    def fires(self) -> bool:
        """Whether the neurons agree far beyond every control."""
        return self.agreed >= FEWEST_AGREED and self.share >= LEAST_AGREED and self.share > 2 * self.control


def anchored(held: Held, component: str, crew: Crew) -> Anchored | None:
    """The agreement of a component's neurons; `None` where there are no anchors or no two kinds of answers."""
    return most_agreed(
        [(each.by, _anchored(held, component, each.sides, crew)) for each in anchorings(held, component)]
    )


def most_agreed(found: Sequence[tuple[Meant, Anchored | None]]) -> Anchored | None:
    """Of several sets of anchors what agrees the most, and that it was chosen from them."""
    told = [replace(each, by=by) for by, each in found if each is not None]
    if not told:
        return None
    return replace(max(told, key=lambda each: (each.fires, each.share)), sets=len(told))


def _anchored(held: Held, component: str, vectors: tuple[Vectors, Vectors], crew: Crew) -> Anchored | None:
    count = len(vectors[0]["up"])
    if count < FEWEST_ANCHORS:
        return None
    mine = _Asking(held, component, answered(held, vectors, crew), crew)
    turned = other_way_round(held, component, mine.anchors)
    asking = _Asking(held.turned, component, (mine.anchors[1], mine.anchors[0]), crew) if turned else mine
    (plain,) = asking.by_order([np.arange(count)])

    def shuffled(orders: Sequence[Labels]) -> Sequence[tuple[int, int]]:
        return [_summed(turn) for turn in asking.by_order(orders)]

    told = beside_controls(count, (held.key, ANCHORS), _summed(plain), shuffled)
    if told is None or not told.fires:
        return told
    # The map is of the submission's layers, whoever was asked: of a doubled one both come from the same.
    (own,) = mine.by_order([np.arange(count)]) if turned else (plain,)
    return replace(told, layer_map=_mapped(mine.asked, own))


class _Asking:
    """What the left side's layers answer, and with which of the right side's each is held."""

    def __init__(self, held: Held, component: str, anchors: tuple[Anchors, Anchors], crew: Crew) -> None:
        self.anchors, self._crew = anchors, crew
        self._held, self._component = held, component

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        return candidates(self._held, self._component, self.anchors)

    def by_order(self, orders: Sequence[Labels]) -> list[tuple[Best, ...]]:
        many = any(len(each.choices) > MOST for each in self.asked)
        held = self._held.within(FEWEST_LOOKED_AT) if many else self._held
        return by_order(held, self.asked, self.anchors, orders, self._crew)


def beside_controls(
    anchors: int,
    seed: tuple[int, int],
    found: tuple[int, int],
    shuffled: Callable[[Sequence[Labels]], Sequence[tuple[int, int]]],
    of: Literal["neurons", "heads"] = "neurons",
) -> Anchored | None:
    """How much agrees and, where that is much, how much does by shuffled anchors; `None` where nothing is compared.

    found: how many are compared, and how many of them agree. shuffled: the same for each order of one side's anchors.
    """
    compared, agreed = found
    if not compared:
        return None
    plain = Anchored(anchors, compared, agreed, 0.0, 0, of)
    if not plain.fires:
        return plain
    random = np.random.default_rng(seed)
    controls = shuffled([random.permutation(anchors) for _ in range(SHUFFLES)])
    control = max(same / both if both else 0.0 for both, same in controls)
    return Anchored(anchors, compared, agreed, control, SHUFFLES, of)


def _chosen(held: Held, members: Layer) -> tuple[Labels | None, Labels | None]:
    """The longest neurons of both sides, as many as are looked at; `None` of a side of which all are."""
    left, right = (
        _longest(reader, [pair[side] for pair in members]) for side, reader in enumerate((held.left, held.right))
    )
    return left, right


def _longest(reader: Reader, members: Sequence[Member]) -> Labels | None:
    if not crowded(reader.model, members, reader.looks):
        return None

    def made() -> Labels | None:
        found = lengths(reader, of_one_axis(reader.model, members[0]))
        return None if found is None else longest(found, reader.looks)

    return reader.keep(("longest",), members[0], made, lambda found: 0 if found is None else found.nbytes)


@dataclass(frozen=True)
class Best:
    """With which of its choices a layer is held, and how many neurons are compared and agree."""

    choice: int
    compared: int
    agreed: int


@dataclass(frozen=True)
class _Meeting:
    """A layer that is asked, by its number, with one of its choices."""

    asked: int
    choice: int
    layer: Layer


def _meetings(asked: Sequence[Asked]) -> list[list[_Meeting]]:
    """All who meet; together those who meet one group of the reference, whose answers are then made once."""
    found: dict[tuple[str, str], list[_Meeting]] = {}
    for number, each in enumerate(asked):
        for choice, (other, layer) in enumerate(each.choices):
            found.setdefault((other.component, other.name), []).append(_Meeting(number, choice, layer))
    return list(found.values())


def by_order(
    held: Held, asked: Sequence[Asked], anchors: tuple[Anchors, Anchors], orders: Sequence[Labels], crew: Crew
) -> list[tuple[Best, ...]]:
    """For each order of the left side's anchors neurons compared and agreed, layer by layer.

    Where a layer has several choices, a few of its neurons, drawn by the key, choose: that one counts for which two
    kinds of weights name one partner of most of them. Each order chooses anew, so what is counted is one function of
    the order, for the pair and for its controls alike: they are as exchangeable as they were without a choice.
    """

    def answered_by(layer: Layer) -> tuple[dict[str, Units], dict[str, Units]]:
        chosen = _chosen(held, layer)
        return (
            {a.family: answers(held.left, a, anchors[0], chosen[0]) for a, _ in layer},
            {b.family: answers(held.right, b, anchors[1], chosen[1]) for _, b in layer},
        )

    def named(together: Sequence[_Meeting]) -> list[tuple[_Meeting, Labels]]:
        found = []
        for each in together:
            mine, theirs = answered_by(each.layer)
            few = drawn(held.key, min(units.total for units in mine.values()), FEW)
            found.append((each, named_alike(mine, theirs, few, orders)))
        return found

    def agreed(together: Sequence[_Meeting]) -> list[tuple[int, int, Best]]:
        found = []
        for each in together:
            turns = np.flatnonzero(chosen[each.asked] == each.choice).tolist()
            if turns:
                mine, theirs = answered_by(each.layer)
            for turn in turns:
                one = agreement({family: _ordered(units, orders[turn]) for family, units in mine.items()}, theirs)
                found.append((each.asked, turn, Best(each.choice, one.compared, one.agreed)))
        return found

    meetings = _meetings(asked)
    alike = [np.zeros((len(each.choices), len(orders)), dtype=np.int64) for each in asked]
    choosing = [[each for each in together if len(alike[each.asked]) > 1] for together in meetings]
    for meeting, counts in chain.from_iterable(crew.spread(named, choosing)):
        alike[meeting.asked][meeting.choice] = counts
    chosen = [counts.argmax(axis=0) for counts in alike]
    best = {(place, turn): one for place, turn, one in chain.from_iterable(crew.spread(agreed, meetings))}
    return [tuple(best[place, turn] for place in range(len(asked))) for turn in range(len(orders))]


def _ordered(units: Units, order: Labels) -> Units:
    return Units(taken(units.rows, order, axis=1), units.labels, units.total)


def _summed(turn: Sequence[Best]) -> tuple[int, int]:
    """Neurons compared and agreed over all layers."""
    return sum(each.compared for each in turn), sum(each.agreed for each in turn)


def _mapped(asked: Sequence[Asked], found: Sequence[Best]) -> tuple[MapRow, ...]:
    """Where each layer agrees the most."""
    rows = []
    for each, best in zip(asked, found, strict=True):
        other, _ = each.choices[best.choice]
        share = best.agreed / best.compared if best.compared else 0.0
        rows.append(MapRow(each.group.layer, each.group.expert, other.layer, other.expert, share))
    return tuple(rows)
