"""What the weights of one component say about one reference: the label tests, each with its exact p-value.

Each test asks in a way that another disguise leaves open; `docs/lineage.md` derives them.

`labels`  every group's units against the units at the same place; the channels over all tensors at once (T1).
`traces`  the same by the sum over all units: a weak kinship of many where `labels` needs a strong one of some (T1).
`layers`  each group against its best partner anywhere; the search is paid for in the p-value (T1).
`order`   a group of another size: do the matched units keep their order? Pruning does (T1).
`turned`  units described by their inner products with units of their own model: no rotation of the residual axis
          changes them (T2).
`squares` units of matrices from an axis to itself, described by what they hear from half of the others and what they
          say to them (T1).
`matched` channels described likewise: no permutation or scaling of hidden units changes them (T2).
`products` attention heads, by what they do to words: no mixing inside a head and no rotation changes it (T6).

Here are the shapes of the results; `gathering` goes through the weights once and has all tests fed: `places` (the
groups), `squares`, `channels` (the residual axis), `searching` (layers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import log10

from dokja.lineage.model import Group, Member
from dokja.lineage.pair.rows import Paired, Words
from dokja.lineage.sides import Reader
from dokja.lineage.statistics import Cells, Matches, Units, fixed_point_log10_p, shared_order

TESTS = ("labels", "traces", "layers", "order", "turned", "squares", "matched", "products")
"""All of them, as above."""

FEWEST = 8
"""A group of fewer units says too little to be looked at (8! is 40,320)."""


@dataclass(frozen=True)
class FamilyEffect:
    """One tensor family in one test: how many units were looked at, how many bear their label, how alike they are.

    cosine: the mean of matched pairs. correlation: of equally labelled units above all others (`traces` only).
    expected: how many would bear their label by chance, of those that were matched.
    """

    family: str
    units: int
    fixed: int
    cosine: float
    correlation: float | None = None
    expected: float = 0.0

    @property
    def share(self) -> float:
        """The share of units that bear their own label."""
        return self.fixed / self.units if self.units else 0.0

    @property
    def excess(self) -> float:
        """The share of units that bear their own label beyond those that would by chance: of few heads many do."""
        return max(0.0, self.fixed - self.expected) / self.units if self.units else 0.0


@dataclass(frozen=True)
class LabelTest:
    """One way to ask whether labels agree.

    groups: how many axes were tested. fixed: matched units that bear their own label (`order`: in the longest run).
    log10_p: rigorous, the search included. searched: log10 of the number of ways that were tried. partners: of the
    largest axis some matched units, as (own label, the partner's label). labels: how many labels that axis has.
    reach: the smallest log10 p that so few units could give, where it is too large for anything to be asked.
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
    reach: float | None = None

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


@dataclass(frozen=True)
class MapRow:
    """Where the units of one layer (or expert) of the submission find their labels in the reference."""

    layer: int | None
    expert: int | None
    from_layer: int | None
    from_expert: int | None
    share: float


@dataclass(frozen=True)
class Elements:
    """How alike the elements themselves are, over the parts at the same place.

    equal: parameters of tensors that are equal to the last bit. cosine: of the elements that are looked at, an effect
    and never evidence; `None` where no shapes agree. rows: the share of parameters in equal rows, by the rows that
    are looked at. cells: numbers of one side in the cells of the other; `None` where neither is quantised. paired:
    how the rows of a vocabulary were; `None` where there are none.
    """

    equal: int
    cosine: float | None
    rows: float | None = None
    cells: Cells | None = None
    paired: Paired | None = None


@dataclass(frozen=True)
class Evidence:
    """All that the weights of one component say about one reference.

    partners: where each group of the submission finds most of its labels; mirrored: the same of the reference's.
    """

    tests: tuple[LabelTest, ...]
    partners: tuple[Partner, ...]
    mirrored: tuple[Partner, ...]
    elements: Elements


@dataclass
class Tally:
    """Matches of independent axes, and of families within them."""

    axes: list[Matches] = field(default_factory=list)
    families: dict[str, list[Matches]] = field(default_factory=dict)

    def add(self, axis: Matches, families: Iterable[tuple[str, Matches]]) -> None:
        """One more axis, and its families."""
        self.axes.append(axis)
        for family, matches in families:
            self.families.setdefault(family, []).append(matches)

    def test(self, name: str, searched: float = 0.0) -> LabelTest:
        """Their fixed points, as one test of independent axes."""
        return LabelTest(
            name=name,
            groups=len(self.axes),
            units=sum(each.units for each in self.axes),
            mutual=sum(each.mutual for each in self.axes),
            fixed=sum(each.fixed for each in self.axes),
            log10_p=min(0.0, fixed_point_log10_p(self.axes) + searched),
            searched=searched,
            families=tuple(effect(*item, lambda each: each.fixed) for item in self.families.items()),
        )


def smallest(tests: Sequence[LabelTest]) -> LabelTest:
    """Of one test by several pairings of rows that whose p is the smallest, times their number."""
    best = min(tests, key=lambda each: each.log10_p)
    if len(tests) == 1:
        return best
    price = log10(len(tests))
    return replace(best, log10_p=min(0.0, best.log10_p + price), searched=best.searched + price)


def effect(family: str, found: Sequence[Matches], count: Callable[[Matches], int]) -> FamilyEffect:
    """One family over all axes, its units counted by `count`."""
    mutual = sum(each.mutual for each in found)
    cosine = sum(each.cosine * each.mutual for each in found) / mutual if mutual else 0.0
    units, expected = sum(each.units for each in found), sum(each.mutual / max(each.labels, 1) for each in found)
    return FamilyEffect(family, units, sum(count(each) for each in found), cosine, expected=expected)


@dataclass(frozen=True)
class Held:
    """Two models held against each other; every test reads through it.

    key: the seed of what is drawn at random, the same that both readers draw their units by. Both sides look at as
    many units as the one that has fewer of them; a smaller draw is part of a larger one. words: that both sides know.
    """

    left: Reader
    right: Reader
    key: int
    words: Words | None = None

    def __post_init__(self) -> None:
        looks = min(self.left.looks, self.right.looks)
        object.__setattr__(self, "left", self.left.within(looks))
        object.__setattr__(self, "right", self.right.within(looks))

    def within(self, looks: int) -> Held:
        """The same, looking at no more than so many units of an axis."""
        return Held(self.left.within(looks), self.right.within(looks), self.key, self.words)

    @property
    def turned(self) -> Held:
        """The same two the other way round."""
        words = None if self.words is None else replace(self.words, rows=self.words.rows[::-1])
        return Held(self.right, self.left, self.key, words)

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
