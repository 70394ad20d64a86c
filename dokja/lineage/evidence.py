"""What the weights of one component say about one reference: the label tests, each with its exact p-value.

Each test asks in a way that another disguise leaves open; `docs/lineage.md` derives them.

`labels`  every group's units against the units at the same place; the channels over all tensors at once (T1).
`traces`  the same by the sum over all units: a weak kinship of many where `labels` needs a strong one of some (T1).
`layers`  each group against its best partner anywhere; the search is paid for in the p-value (T1).
`order`   a group of another size: do the matched units keep their order? Pruning does (T1).
`turned`  units described by their inner products with units of their own model: no rotation of the residual axis
          changes them (T2).
`matched` channels described likewise: no permutation or scaling of hidden units changes them (T2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.pairing import GroupPair, across, aligned
from dokja.lineage.sides import Group, Member, Model, Reader, drawn, joined
from dokja.lineage.statistics import (
    JointTrace,
    Matches,
    RelativeLabels,
    TraceTest,
    Units,
    channel_gram,
    fisher,
    fixed_point_log10_p,
    fixed_points,
    neuron_grams,
    relative_labels,
    shared_order,
    unit_trace,
)
from dokja.lineage.statistics.units import Labels, Matrix

FEWEST = 8
"""A group of fewer units says too little to be looked at (8! is 40,320)."""

SEARCHED = 256
"""How many units of a group the search over all layers looks at."""

SEARCHED_ACROSS = 1024
"""How many numbers of each unit that search looks at: so all layers fit in memory, and none is read twice."""

PARTNERS = 256
"""How many matched units a test shows as an example."""

Grams = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class FamilyEffect:
    """One tensor family in one test: how many units were looked at, how many bear their label, how alike they are.

    cosine: the mean of matched pairs. correlation: of equally labelled units above all others (`traces` only).
    """

    family: str
    units: int
    fixed: int
    cosine: float
    correlation: float | None = None

    @property
    def share(self) -> float:
        """The share of units that bear their own label."""
        return self.fixed / self.units if self.units else 0.0


@dataclass(frozen=True)
class LabelTest:
    """One way to ask whether labels agree.

    groups: how many axes were tested. fixed: matched units that bear their own label (`order`: in the longest run).
    log10_p: rigorous, the search included. searched: log10 of the number of ways that were tried. partners: of the
    largest axis some matched units, as (own label, the partner's label). labels: how many labels that axis has.
    """

    name: str
    groups: int = 0
    units: int = 0
    mutual: int = 0
    fixed: int = 0
    log10_p: float = 0.0
    searched: float = 0.0
    families: tuple[FamilyEffect, ...] = ()
    partners: tuple[tuple[int, int], ...] = ()
    labels: int = 0

    @property
    def share(self) -> float:
        """The share of units that bear their own label."""
        return self.fixed / self.units if self.units else 0.0


@dataclass(frozen=True)
class Partner:
    """Where a group of the submission finds most of its labels: the reference's group, and the share found there."""

    group: Group
    other: Group
    units: int
    fixed: int

    @property
    def share(self) -> float:
        """The share of the looked-at units that bear their own label there."""
        return self.fixed / self.units if self.units else 0.0


@dataclass
class _Tally:
    """Matches of independent axes, and of families within them."""

    axes: list[Matches] = field(default_factory=list)
    families: dict[str, list[Matches]] = field(default_factory=dict)

    def add(self, axis: Matches, families: Iterable[tuple[str, Matches]]) -> None:
        self.axes.append(axis)
        for family, matches in families:
            self.families.setdefault(family, []).append(matches)

    def test(self, name: str, searched: float = 0.0) -> LabelTest:
        return LabelTest(
            name=name,
            groups=len(self.axes),
            units=sum(each.units for each in self.axes),
            mutual=sum(each.mutual for each in self.axes),
            fixed=sum(each.fixed for each in self.axes),
            log10_p=min(0.0, fixed_point_log10_p(self.axes) + searched),
            searched=searched,
            families=tuple(_effect(*item, lambda each: each.fixed) for item in self.families.items()),
        )


def _effect(family: str, found: Sequence[Matches], count: Callable[[Matches], int]) -> FamilyEffect:
    mutual = sum(each.mutual for each in found)
    cosine = sum(each.cosine * each.mutual for each in found) / mutual if mutual else 0.0
    return FamilyEffect(family, sum(each.units for each in found), sum(count(each) for each in found), cosine)


@dataclass(frozen=True)
class Held:
    """Two models held against each other; every test reads through it.

    key: the seed of what is drawn at random, the same that both readers draw their units by. Both sides look at as
    many units as the one that has fewer of them; a smaller draw is part of a larger one.
    """

    left: Reader
    right: Reader
    key: int

    def __post_init__(self) -> None:
        looks = min(self.left.looks, self.right.looks)
        object.__setattr__(self, "left", self.left.within(looks))
        object.__setattr__(self, "right", self.right.within(looks))

    def units(self, pair: tuple[Member, Member]) -> tuple[Units, Units] | None:
        """Both sides' units; `None` where there are too few, or where the units of both stand in the same kind of
        order, so that labels would agree by the order alone."""
        x, y = self.left.units(pair[0]), self.right.units(pair[1])
        if min(len(x.labels), len(y.labels)) < FEWEST or self.ordered(pair):
            return None
        return x, y

    def ordered(self, pair: tuple[Member, Member]) -> bool:
        """Whether the places of both sides' units say the same kind of thing about them."""
        if pair[0].axis.block != 1:
            return False
        return bool(shared_order(self.left.order(pair[0]), self.right.order(pair[1])))


def _only(units: Units, labels: Labels) -> Units:
    kept = np.isin(units.labels, labels)
    return units if kept.all() else Units(units.rows[kept], units.labels[kept], units.total)


def _together(held: Held, pair: GroupPair) -> tuple[Matches, list[tuple[str, Matches]]] | None:
    """The matches of a group by all its members at once, and by each family alone."""
    sides = [(a.family, found) for a, b in pair.members if (found := held.units((a, b))) is not None]
    if not sides:
        return None
    x, y = joined([one for _, (one, _) in sides]), joined([other for _, (_, other) in sides])
    if min(len(x.labels), len(y.labels)) < FEWEST:
        return None
    whole = fixed_points(x, y)
    if len(sides) == 1:
        return whole, [(sides[0][0], whole)]
    return whole, [(family, fixed_points(*each)) for family, each in sides]


def label_test(held: Held, component: str) -> LabelTest:
    """`labels`: same place, same label.

    H0: the labels of every group, and of the channels, are uniformly random, independently. A group's test is
    conditional on the labels of all others, so the counts add up as those of independent layers.
    """
    tally = _Tally()
    for pair in aligned(held.left.model, held.right.model, component):
        found = _together(held, pair)
        if found is not None and found[0].square:
            tally.add(*found)
    _add_channels(held, component, tally)
    test = tally.test("labels")
    if not tally.axes:
        return test
    largest = max(tally.axes, key=lambda each: each.units)
    return replace(test, partners=_shown(largest, held.key), labels=len(largest.mapping))


def _shown(matches: Matches, key: int) -> tuple[tuple[int, int], ...]:
    """At most `PARTNERS` of the matched units, drawn by the key, with the labels of their partners."""
    matched = np.flatnonzero(matches.mapping >= 0)
    chosen = matched[drawn(key, len(matched), PARTNERS)]
    return tuple((int(own), int(matches.mapping[own])) for own in chosen)


def _add_channels(held: Held, component: str, tally: _Tally) -> None:
    """The residual axis: one permutation acts on all tensors, so they are added up before anything is matched."""
    pairs = tuple(_across_residual(held, component))
    widths = {held.left.model.extent(a)[1] for a, _ in pairs}
    if len(widths) != 1 or (channels := widths.pop()) < FEWEST:
        return
    chosen = drawn(held.key, channels)
    whole = JointTrace(channels, chosen)
    families: dict[str, JointTrace] = {}
    for a, b in pairs:
        x, y = _same_rows(held, a, b)
        families.setdefault(a.family, JointTrace(channels, chosen)).add(x, y)
    for each in families.values():
        whole.include(each)
    tally.add(whole.matches(), [(f"{family}, channels", each.matches()) for family, each in families.items()])


def _same_rows(held: Held, a: Member, b: Member) -> tuple[Matrix, Matrix]:
    """The rows with the same labels on both sides (of a vocabulary that grew, the old words)."""
    x, y = held.left.matrix(a), held.right.matrix(b)
    mine, his = held.left.labels(a), held.right.labels(b)
    if len(mine) == len(his) and (mine == his).all():
        return x, y
    labels, left, right = np.intersect1d(mine, his, assume_unique=True, return_indices=True)
    everything = len(labels)
    return x[left[:everything]], y[right[:everything]]


def _across_residual(held: Held, component: str) -> Iterator[tuple[Member, Member]]:
    """Members across the residual axis, at the same place of both models and of one size but for the vocabulary."""
    theirs = {_key(member): member for member in held.right.model.residual(component)}
    for member in held.left.model.residual(component):
        other = theirs.get(_key(member))
        if other is None:
            continue
        mine, his = held.left.model.extent(member), held.right.model.extent(other)
        if mine[1] == his[1] and (mine[0] == his[0] or member.axis.space == "vocabulary"):
            yield member, other


def _key(member: Member) -> tuple[object, ...]:
    part = member.part
    return (part.role, part.layer, part.expert, member.by, part.tensor if part.layer is None else None)


def trace_test(held: Held, component: str) -> LabelTest:
    """`traces`: are equally labelled units more alike than others, all of them together?

    H0: as for `labels`. The groups' p-values are bounds and independent given each other's labels; Fisher's sum of
    their logarithms is then a bound too.
    """
    logs: list[float] = []
    families: dict[str, list[TraceTest]] = {}
    units = 0
    for pair in aligned(held.left.model, held.right.model, component):
        sides = [(a.family, found) for a, b in pair.members if (found := held.units((a, b))) is not None]
        square = [(family, x, y) for family, (x, y) in sides if x.total == y.total]
        if not square:
            continue
        for family, x, y in square:
            families.setdefault(family, []).append(unit_trace(x, y))
        whole = unit_trace(joined([x for _, x, _ in square]), joined([y for _, _, y in square]))
        logs.append(whole.log10_p)
        units += whole.units
    return LabelTest(
        name="traces",
        groups=len(logs),
        units=units,
        log10_p=min(0.0, fisher(logs)) if logs else 0.0,
        families=tuple(
            FamilyEffect(
                family=family,
                units=sum(each.units for each in found),
                fixed=0,
                cosine=0.0,
                correlation=sum(each.effect * each.units for each in found)
                / max(sum(each.units for each in found), 1),
            )
            for family, found in families.items()
        ),
    )


def layer_test(held: Held, component: str) -> tuple[LabelTest, tuple[Partner, ...], tuple[Partner, ...]]:
    """`layers`: each group against its best partner anywhere, where that one stands, and the same seen from there.

    H0: as for `labels`. Choosing the best of k partners for each group is a search through Π k assignments; the
    p-value is multiplied by their number.
    """
    tried: dict[str, list[tuple[GroupPair, Matches]]] = {}
    wanted: dict[str, list[tuple[GroupPair, Matches]]] = {}
    search = _Search(held)
    for pair in across(held.left.model, held.right.model, component):
        found = search.matches(pair)
        if found is not None:
            tried.setdefault(pair.left.name, []).append((pair, found))
            wanted.setdefault(pair.right.name, []).append((pair.swapped, found))
    tally, searched = _Tally(), 0.0
    for options in tried.values():
        tally.add(_best(options)[1], ())
        searched += float(np.log10(len(options)))
    return tally.test("layers", searched), _partners(tried), _partners(wanted)


@dataclass
class _Search:
    """Small copies of all groups, each made once: the same units and the same numbers of them on both sides."""

    held: Held
    _kept: dict[tuple[object, ...], Units] = field(default_factory=dict)

    def matches(self, pair: GroupPair) -> Matches | None:
        members = [each for each in pair.members if not self.held.ordered(each)]
        if not members:
            return None
        x = self._units(self.held.left, [a for a, _ in members])
        y = self._units(self.held.right, [b for _, b in members])
        if x.total != y.total or min(len(x.labels), len(y.labels)) < FEWEST:
            return None
        return fixed_points(x, y)

    def _units(self, reader: Reader, members: Sequence[Member]) -> Units:
        key = (id(reader), *(member.key for member in members))
        if key not in self._kept:
            parts = [reader.units(member) for member in members]
            chosen = drawn(self.held.key, parts[0].total, SEARCHED)
            whole = joined([_only(part, chosen) for part in parts])
            places = drawn(self.held.key, whole.rows.shape[1], SEARCHED_ACROSS)
            rows = np.ascontiguousarray(whole.rows[:, places])
            self._kept[key] = Units(rows, whole.labels, whole.total)
        return self._kept[key]


Options = Sequence[tuple[GroupPair, Matches]]


def _best(options: Options) -> tuple[GroupPair, Matches]:
    return max(options, key=lambda each: (each[1].fixed, each[1].mutual))


def _partners(tried: Mapping[str, Options]) -> tuple[Partner, ...]:
    best = (_best(options) for options in tried.values())
    return tuple(Partner(pair.left, pair.right, found.units, found.fixed) for pair, found in best)


def order_test(held: Held, component: str) -> LabelTest:
    """`order`: where a group has more or fewer units than its partner, do the matched ones stand in the same order?

    H0: given which units are matched, the order of their partners is uniform; P(longest run ≥ m) ≤ C(k, m)/m! for
    each group. Groups are independent, so the p-values' product bounds are combined by the mean of e-values' cautious
    cousin, Bonferroni over groups.
    """
    logs: list[float] = []
    tally = _Tally()
    for pair in aligned(held.left.model, held.right.model, component):
        found = _together(held, pair)
        if found is not None and not found[0].square:
            logs.append(found[0].increasing_log10_p)
            tally.add(*found)
    if not logs:
        return LabelTest("order")
    return LabelTest(
        name="order",
        groups=len(logs),
        units=sum(min(each.units, each.labels) for each in tally.axes),
        mutual=sum(each.mutual for each in tally.axes),
        fixed=sum(each.increasing for each in tally.axes),
        log10_p=min(0.0, min(logs) + float(np.log10(len(logs)))),
        families=tuple(_effect(*item, lambda each: each.increasing) for item in tally.families.items()),
    )


def turned_test(held: Held, component: str) -> LabelTest:
    """`turned`: the labels of hidden units, by what no rotation of the residual axis changes (T2).

    H0: as for `labels`. The two halves of a group depend on each other; each half is added up over the groups, which
    are independent, and the smaller of the two is doubled. A unit that has no direction in one of the matrices is
    left out of all of them.
    """
    found: list[RelativeLabels] = []
    families: dict[str, list[Matches]] = {}
    for pair in aligned(held.left.model, held.right.model, component):
        grams = _neuron_grams(held, pair)
        if grams:
            found.append(relative_labels([each for _, each in grams], seed=held.key))
            for family, each in grams:
                families.setdefault(family, []).extend(relative_labels([each], seed=held.key).matches)
    return _relative("turned", found, families)


def _neuron_grams(held: Held, pair: GroupPair) -> list[tuple[str, Grams]]:
    """The Gram matrices of a group's members across the residual axis, over the units that all of them speak of."""
    sides = [
        (a, b, both)
        for a, b in pair.members
        if a.other.space == "residual"
        and held.left.model.units(a) == held.right.model.units(b)
        and (both := held.units((a, b))) is not None
    ]
    if not sides:
        return []
    labels = held.left.labels(sides[0][0])
    for _, _, both in sides:
        for each in both:
            labels = np.intersect1d(labels, each.labels, assume_unique=True)
    if len(labels) < 2 * FEWEST:
        return []
    return [
        (
            a.family,
            neuron_grams(
                held.left.matrix(a),
                held.right.matrix(b),
                repeats=a.axis.repeats,
                block=a.axis.block,
                sample=np.searchsorted(held.left.labels(a), labels),
            ),
        )
        for a, b, _ in sides
    ]


def matched_test(held: Held, component: str) -> LabelTest:
    """`matched`: the labels of the residual channels, by what no permutation of hidden units changes (T2).

    H0: one uniform permutation relabels the channels of all tensors. Where more units than are looked at were
    permuted, each side looks at others of them, which costs power and nothing else.
    """
    whole: Grams | None = None
    families: dict[str, Grams] = {}
    for a, b in _across_residual(held, component):
        if a.axis.space == "vocabulary" or held.left.model.extent(a)[1] < 2 * FEWEST:
            continue
        x, y = held.left.matrix(a), held.right.matrix(b)
        chosen = drawn(held.key, x.shape[1])
        grams = (channel_gram(x, chosen), channel_gram(y, chosen))
        whole = _added(whole, grams)
        families[a.family] = _added(families.get(a.family), grams)
    if whole is None:
        return LabelTest("matched")
    by_family = {family: list(relative_labels([grams], seed=held.key).matches) for family, grams in families.items()}
    return _relative("matched", [relative_labels([whole], seed=held.key)], by_family)


def _added(one: Grams | None, other: Grams) -> Grams:
    return other if one is None else (one[0] + other[0], one[1] + other[1])


def _relative(name: str, found: Sequence[RelativeLabels], families: dict[str, list[Matches]]) -> LabelTest:
    halves = [[each.matches[half] for each in found if each.matches] for half in (0, 1)]
    if not halves[0]:
        return LabelTest(name)
    log10_p = min(fixed_point_log10_p(half) for half in halves) + float(np.log10(2))
    both = [*halves[0], *halves[1]]
    return LabelTest(
        name=name,
        groups=len(halves[0]),
        units=sum(each.units for each in both),
        mutual=sum(each.mutual for each in both),
        fixed=sum(each.fixed for each in both),
        log10_p=min(0.0, log10_p),
        families=tuple(_effect(*item, lambda each: each.fixed) for item in families.items()),
    )


@dataclass(frozen=True)
class Elements:
    """How alike the elements themselves are, over the parts at the same place.

    equal: parameters of tensors that are equal to the last bit. cosine: of the elements that are looked at, an effect
    and never evidence; `None` where no shapes agree.
    """

    equal: int
    cosine: float | None


def elements(held: Held, component: str) -> Elements:
    """The elements at the same place, compared."""
    equal = 0
    inner = mine = his = 0.0
    for member, other in _counterparts(held, component):
        mine_digest = held.left.source.digest(member.part.tensor)
        if mine_digest is not None and mine_digest == held.right.source.digest(other.part.tensor):
            equal += int(np.prod(held.left.model.extent(member), dtype=np.int64))
        if min(held.left.model.extent(member)) > 1:
            x = np.nan_to_num(held.left.matrix(member).ravel().astype(np.float64))
            y = np.nan_to_num(held.right.matrix(other).ravel().astype(np.float64))
            inner, mine, his = inner + float(x @ y), mine + float(x @ x), his + float(y @ y)
    scale = float(np.sqrt(mine * his))
    return Elements(equal, inner / scale if scale > 0 and np.isfinite(scale) else None)


def _counterparts(held: Held, component: str) -> Iterator[tuple[Member, Member]]:
    """Parts at the same place and of one shape; where names differ, those that stand in groups at the same place."""
    theirs = _placed(held.right.model, component)
    met: set[object] = set()
    for place, member in _placed(held.left.model, component).items():
        other = theirs.get(place)
        if other is not None and held.left.model.extent(member) == held.right.model.extent(other):
            met.add((member.part.tensor, member.part.take, member.part.index))
            yield member, other
    for pair in aligned(held.left.model, held.right.model, component):
        for a, b in pair.members:
            known = (a.part.tensor, a.part.take, a.part.index)
            if known not in met and held.left.model.extent(a) == held.right.model.extent(b):
                met.add(known)
                yield a, b


def _placed(model: Model, component: str) -> Mapping[tuple[object, ...], Member]:
    """The component's parts by role and place; of several of one role in one layer (its norms), by their turn."""
    found: dict[tuple[object, ...], Member] = {}
    turns: Counter[tuple[object, ...]] = Counter()
    for member in model.parts(component):
        part = member.part
        place = (part.role, part.layer, part.expert, part.take, part.tensor if part.layer is None else None)
        found[*place, turns[place]] = member
        turns[place] += 1
    return found


TESTS: tuple[Callable[[Held, str], LabelTest], ...] = (label_test, trace_test, order_test, turned_test, matched_test)
"""The tests that answer with no more than a p-value and its effects."""
