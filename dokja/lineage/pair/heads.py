"""`products`: the labels of attention heads, whatever was mixed inside them and whatever the rotation (T6).

The units are the kv-groups, a key head with its queries: they are described by the products QᵀK and OV between words
that both models know (an encoder's: between its inputs), for these nothing inside a head and no rotation changes.
Labels of few groups say little, so whole layers are taken, as many as it needs; where all of them together could not
reach a p-value that accuses, nothing is asked, and `reach` says why.

Where the groups were permuted as well, both products still name the same partner for each. That agreement is
calibrated and not exact, as that of neurons is (T3), and it is told where a component has no neurons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import digest, host, namespace_of, taken
from dokja.lineage.cores import Crew
from dokja.lineage.model import Member, drawn
from dokja.lineage.pair.anchoring import Anchored, beside_controls, most_agreed
from dokja.lineage.pair.answers import ATTENTION, Vectors, anchorings, gain_in_front
from dokja.lineage.pair.evidence import FEWEST, Held, LabelTest, Tally, smallest
from dokja.lineage.pair.pairing import aligned
from dokja.lineage.sides import Reader, Source
from dokja.lineage.statistics import Matches, Units, answering, cosines, fixed_point_log10_p, mean_cosines, word_maps
from dokja.lineage.statistics.order import average_ranks
from dokja.lineage.statistics.units import Labels, Matrix

WORDS: Final = 64
"""Of the anchors so many: a product makes a number of every two of them."""

NEEDED: Final = -8.0
"""log10 of the p-value that all labels together must be able to reach: what accuses, and room for the correction."""

ENOUGH: Final = -20.0
"""No more layers are read than can reach this."""

PLACED: Final = 4.0
"""|z| from which the places of heads say something of their size. Where they do so on both sides nothing is asked."""

NUMBERED: Final = re.compile(r"alibi|slope|lightning|retention")
"""Settings under which its number decides what a head does (Press et al., arXiv 2108.12409): strangers agree."""

FAMILIES: Final = (("q·k", "q", "k"), ("o·v", "o", "v"))
"""Each product, by the matrix that has rows for every head and the one that has them for every kv-group."""

Layer = Mapping[str, tuple[Member, Member]]


Maps = tuple[Units, Units]
"""The groups of one side's layer, by each product."""


@dataclass(frozen=True)
class _Found:
    """One layer: matches by both products and by each, both sides' groups, and how their sizes follow the labels."""

    whole: Matches
    families: tuple[tuple[str, Matches], ...]
    maps: tuple[Maps, Maps]
    order: tuple[float, float]


def look_at_heads(held: Held, component: str, crew: Crew) -> tuple[LabelTest, Anchored | None]:
    """The labels of a component's kv-groups by their products, and how often both products name one partner.

    H0: in every layer the labels of the kv-groups are a
    uniformly random permutation, independently: the counts add up as those of independent layers. Assumes that no
    head does what it does for its number's sake; the same seed breaks it, as it breaks every test of labels.
    """
    nothing = LabelTest("products")
    layers = _layers(held, component)
    if not layers or any(_numbered(side.source) for side in (held.left, held.right)):
        return nothing, None
    groups = [_groups(held.left, layer) for layer in layers]
    reach = _reach(groups)
    if reach > NEEDED:
        return LabelTest("products", reach=reach), None
    layers = _enough(held.key, layers, groups)
    found = [(each.by, _asked(held, layers, each.sides, crew)) for each in anchorings(held, component)]
    tests = [test for _, (test, _) in found if test.groups]
    if not tests:
        return nothing, None
    return smallest(tests), most_agreed([(by, agreed) for by, (_, agreed) in found])


def _asked(
    held: Held, layers: Sequence[Layer], anchors: tuple[Vectors, Vectors], crew: Crew
) -> tuple[LabelTest, Anchored | None]:
    """These layers, by one set of anchors."""
    nothing = LabelTest("products")
    sides = [_asker(reader, side) for reader, side in zip((held.left, held.right), anchors, strict=True)]

    def look(layer: Layer) -> _Found | None:
        return _look([asker.units([layer[role][side] for role in "qkov"]) for side, asker in enumerate(sides)])

    found = list(crew.spread(look, layers))
    seen = [each for each in found if each is not None]
    if len(seen) < len(found) or _placed(seen):
        return nothing, None
    tally = Tally()
    for each in seen:
        tally.add(each.whole, each.families)
    return tally.test("products"), _anchored(held.key, [each.maps for each in seen])


def _anchored(key: int, layers: Sequence[tuple[Maps, Maps]]) -> Anchored | None:
    """How often both products name the same partner, in layers that have groups enough, and with shuffled words.

    The side whose products have the smaller digest is asked, so that it does not turn on who is the submission.
    """
    many = [each for each in layers if each[0][0].total >= FEWEST]
    one, other = (digest(units.rows for each in many for units in each[side]) for side in (0, 1))
    many = many if one <= other else [(right, left) for left, right in many]
    words = round(max((each[0][0].rows.shape[1] for each in many), default=0) ** 0.5)

    def shuffled(orders: Sequence[Labels]) -> Sequence[tuple[int, int]]:
        return [_agreed(many, order) for order in orders]

    return beside_controls(words, (key, WORDS), _agreed(many, np.arange(words)), shuffled, "heads")


def _agreed(layers: Sequence[tuple[Maps, Maps]], order: Labels) -> tuple[int, int]:
    """Groups for which both products name a partner, and those for which it is the same; the right side's words in
    this order."""
    both = same = 0
    for left, right in layers:
        one, other = (cosines(x, _ordered(y, order)).matches.mapping for x, y in zip(left, right, strict=True))
        named = (one >= 0) & (other >= 0)
        both, same = both + int(named.sum()), same + int((named & (one == other)).sum())
    return both, same


def _ordered(units: Units, order: Labels) -> Units:
    xp, shape = namespace_of(units.rows), units.rows.shape
    maps = taken(taken(xp.reshape(units.rows, (-1, len(order), len(order))), order, axis=1), order, axis=2)
    return Units(xp.reshape(maps, shape), units.labels, units.total)


def _layers(held: Held, component: str) -> list[Layer]:
    """The layers whose heads are of one shape on both sides, and known well enough for their products."""
    found: list[Layer] = []
    for pair in aligned(held.left.model, held.right.model, component):
        members = {a.family: (a, b) for a, b in pair.members}
        if set(members) >= set("qkov") and all(
            _whole([members[role][side] for role in "qkov"], reader)
            for side, reader in enumerate((held.left, held.right))
        ):
            found.append({role: members[role] for role in "qkov"})
    return found


def _whole(members: Sequence[Member], reader: Reader) -> bool:
    """Whether queries and outputs, keys and values fit each other, all across the residual axis.

    Latent attention has no keys and values of this kind; where queries bear a gate as well they have more rows than
    outputs have columns.
    """
    q, k, o, v = (reader.model.extent(member)[0] for member in members)
    streams = {member.other.group for member in members}
    kinds = {member.other.space for member in members}
    return (
        kinds == {"residual"}
        and len(streams) == 1
        and len({reader.model.units(member) for member in members}) == 1
        and all(member.axis.repeats == 1 for member in members)
        and q % k == o % v == 0
        and q // k == o // v
    )


def _groups(reader: Reader, layer: Layer) -> int:
    return reader.model.units(layer["k"][0])


def _reach(groups: Sequence[int]) -> float:
    """log10 p if every group of these layers bore its label."""
    return fixed_point_log10_p([(each, each, each) for each in groups])


def _enough(key: int, layers: Sequence[Layer], groups: Sequence[int]) -> list[Layer]:
    """As many layers as can reach `ENOUGH`, drawn by the key; all of them where they cannot."""
    for count in range(1, len(layers) + 1):
        places = drawn(key, len(layers), count)
        if _reach([groups[place] for place in places]) <= ENOUGH:
            return [layers[place] for place in places]
    return list(layers)


@dataclass(frozen=True)
class _Asker:
    """One side and its words, as what heads are multiplied by: what they make of them."""

    reader: Reader
    read: Matrix
    written: Matrix

    def units(self, members: Sequence[Member]) -> tuple[tuple[Units, Units], NDArray[np.float64]] | None:
        """The kv-groups by QᵀK and by OV, and the size of each; `None` where the weights are not all at hand."""
        gain = gain_in_front(self.reader, members[0], ATTENTION)
        read = self.read if gain is None else self.reader.arrays.put(gain[:, None]) * self.read
        answers = [
            self.reader.source.answers(member, self.written if member.family == "o" else read) for member in members
        ]
        q, k, o, v = answers
        if q is None or k is None or o is None or v is None:
            return None
        count = self.reader.model.units(members[1])
        sizes = np.sum([np.log(_sizes(each, count) + 1e-30) for each in (q, k, o, v)], axis=0)
        return (word_maps(q, k, count), word_maps(o, v, count)), sizes


def _asker(reader: Reader, anchors: Vectors) -> _Asker:
    read, written = (answering(reader.arrays.put(_chosen(anchors[end]))) for end in ("up", "down"))
    return _Asker(reader, read, written)


def _chosen(vectors: Matrix) -> Matrix:
    places = np.linspace(0, len(vectors) - 1, min(WORDS, len(vectors))).astype(np.int64)
    return vectors[places]


def _sizes(rows: Matrix, count: int) -> NDArray[np.float64]:
    sizes: NDArray[np.float64] = np.linalg.norm(host(rows).reshape(count, -1).astype(np.float64), axis=1)
    return sizes


def _look(sides: Sequence[tuple[tuple[Units, Units], NDArray[np.float64]] | None]) -> _Found | None:
    left, right = sides
    if left is None or right is None:
        return None
    parts = [cosines(one, other) for one, other in zip(left[0], right[0], strict=True)]
    families = tuple((name, part.matches) for (name, _, _), part in zip(FAMILIES, parts, strict=True))
    return _Found(mean_cosines(parts).matches, families, (left[0], right[0]), (_slope(left[1]), _slope(right[1])))


def _slope(sizes: NDArray[np.float64]) -> float:
    """How the sizes of a layer's groups follow their labels: of mean 0 and variance 1 over all labellings."""
    ranks = average_ranks(sizes)
    if len(ranks) < 2 or not ranks.std() > 0 or not np.isfinite(sizes).all():
        return 0.0
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1] * (len(ranks) - 1) ** 0.5)


def _placed(found: Sequence[_Found]) -> bool:
    """Whether the heads of both sides are sorted alike."""
    one, other = (sum(each.order[side] for each in found) / len(found) ** 0.5 for side in (0, 1))
    return bool(min(abs(one), abs(other)) >= PLACED and one * other > 0)


def _numbered(source: Source) -> bool:
    """Whether the config says that heads differ by their number."""

    def said(name: str, value: object) -> bool:
        if isinstance(value, Mapping):
            return any(said(str(key), each) for key, each in value.items())
        text = f"{name} {value}" if isinstance(value, str) else name
        return bool(value) and NUMBERED.search(text.lower()) is not None

    return said("", source.config() or {})
