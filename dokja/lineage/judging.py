"""From evidence to a word: which of the words of `findings` the tests of one component bear out.

A word that accuses needs an adjusted p of at most 1e-6 and an effect in two tensor families (in the one there is,
where a component has no more). Everything else is `no-evidence`, and says what would have been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

import numpy as np

from dokja.lineage.findings import Power, Word
from dokja.lineage.pair.evidence import LabelTest, MapRow, Partner
from dokja.lineage.statistics import fisher
from dokja.lineage.statistics.counting import binomial_above, log_factorial, normal_below

ACCUSES_AT = -6.0
"""log10 of the adjusted p-value at which a word may accuse."""

LEAST_SHARE = 0.05
"""The least share of units that bear their own label, in each of two tensor families."""

FEWEST_FIXED = 8
"""The fewest labels that a layer must find at another place to be said to come from there (1/8! by chance)."""

CLOSE = 0.9
"""The cosine of all elements from which a common initialisation alone is no explanation that anybody has met."""

LEAST_CORRELATION = 0.05
"""The least correlation of equally labelled units above all others, likewise."""

SURVIVES = CLOSE
"""The partial correlation, given the initialisation, from which training itself is shared.

No lower: models of one seed that were trained apart on data of one kind learn alike. In the zoo of the benchmarks
they came to 0.21 to 0.78, real descendants to 0.36 to 1, and no threshold between them tells the two apart.
"""

SEEN_WITH = 0.99
QUANTILE = NormalDist().inv_cdf(SEEN_WITH)

BOUNDED, LOST = 0.7, 1.5
"""What the bound on a trace keeps of its tail: see `power`."""

SAME_PLACE = frozenset(("labels", "traces", "layers", "squares"))
"""Tests that a common seed for the initial weights would set off."""


@dataclass(frozen=True)
class Weighed:
    """A test with its p-value adjusted for all that was asked."""

    test: LabelTest
    log10_p: float

    @property
    def fires(self) -> bool:
        """Whether the test may accuse: small enough a p, and an effect in two families where there are two."""
        if self.log10_p > ACCUSES_AT:
            return False
        families = [family for family in self.test.families if family.units]
        if not families:
            return self.test.share >= LEAST_SHARE
        moved = sum(
            family.excess >= LEAST_SHARE or (family.correlation or 0.0) >= LEAST_CORRELATION for family in families
        )
        return moved >= min(2, len(families))

    @property
    def faint(self) -> bool:
        """Whether the p-value is small enough and the effect is not: labels agree, and hardly anything else does."""
        return self.log10_p <= ACCUSES_AT and not self.fires


@dataclass(frozen=True)
class Shown:
    """What one component shows of its reference.

    closeness: the cosine of its elements. alike: whether its neurons or heads answer alike (T3). streams: the
    residual axes that its matrices bear, in either model. given: whether the other axes of all of them are words or
    something else that is numbered alike everywhere, so that `labels` is of nothing but channels.
    """

    weighed: tuple[Weighed, ...]
    closeness: float | None = None
    alike: bool = False
    streams: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    given: bool = False

    @property
    def of_channels(self) -> frozenset[str]:
        """The tests of nothing but channels, which a component shares with all others of its stream."""
        return frozenset(("matched", "labels") if self.given else ("matched",))

    @property
    def speaks(self) -> bool:
        """Whether it is told by more than what permutations of hidden units leave of its channels."""
        return any(each.fires and each.test.name != "matched" for each in self.weighed)

    @property
    def by_its_own(self) -> bool:
        """Whether units of its own tell it, and not the channels alone that it shares with others."""
        return self.alike or any(each.fires and each.test.name not in self.of_channels for each in self.weighed)

    @property
    def by_channels(self) -> frozenset[str]:
        """The tests that say anything, if these are of nothing but channels; else none."""
        shown = frozenset(each.test.name for each in self.weighed if each.fires or each.faint)
        return shown if shown <= self.of_channels and not self.alike else frozenset()

    def on_one_stream(self, other: Shown) -> bool:
        """Whether both bear the same channels, in both models."""
        return all(mine & his for mine, his in zip(self.streams, other.streams, strict=True))


@dataclass(frozen=True)
class Grounds:
    """All that a word is chosen from.

    mirrored: the partners as the reference's groups find them, so that a word is the same whoever is asked first.
    step0: partial correlation given the initialisation, where known. rearranged: whether the anchored agreement (T3)
    is far above its controls. carried: tests that say nothing of this component, see `carried`.
    """

    weighed: tuple[Weighed, ...]
    partners: tuple[Partner, ...]
    mirrored: tuple[Partner, ...]
    equal: float
    closeness: float | None
    step0: float | None
    rearranged: bool
    carried: frozenset[str] = frozenset()

    @property
    def told(self) -> tuple[Weighed, ...]:
        """The tests that say something of this component and not of another."""
        return tuple(each for each in self.weighed if each.test.name not in self.carried)


def carried(mine: Shown, others: Sequence[Shown]) -> frozenset[str]:
    """The tests that say nothing of a component: all that it shows may have come to it through a stream it shares.

    The channels of one stream bear one set of labels. A decoder that is trained anew behind somebody else's
    embeddings takes its channels' labels from them, and none for its own units. So where these are silent, or none
    could be asked, its neurons answer no words alike, and another component speaks, `matched` says nothing of it.

    A head and embeddings have no units of their own: their rows are words, which are numbered alike everywhere. Each
    may have been trained anew behind the other, and no closeness rules that out, for what is best behind given
    embeddings is given with them. Where a component of the same stream is told by its own units, they are told with
    it. Where none is, one of the stream at least is a copy: the one of which the elements are the closest is told.
    """
    beside = [other for other in others if mine.on_one_stream(other)]
    if mine.by_channels == {"matched"}:
        passed_on = any(other.speaks for other in others)
    elif any(other.by_its_own for other in beside):
        passed_on = False
    else:
        passed_on = any(other.speaks and _closeness(other) > _closeness(mine) for other in beside)
    return mine.of_channels if mine.by_channels and passed_on else frozenset()


def _closeness(shown: Shown) -> float:
    return -1.0 if shown.closeness is None else shown.closeness


def word(grounds: Grounds) -> Word:
    """The word that the grounds bear out; the first that holds."""
    firing = {each.test.name for each in grounds.told if each.fires}
    moved = (_moved(grounds.partners) or _moved(grounds.mirrored)) if "layers" in firing else None
    asked = any(each.test.groups for each in grounds.weighed)
    chosen: tuple[tuple[bool, Word], ...] = (
        (grounds.equal == 1.0, "identical"),
        (moved is not None, moved or "deepened"),
        ("order" in firing, "pruned"),
        (bool(firing & SAME_PLACE) and not _beyond_initialisation(grounds), "common-initialisation"),
        (bool(firing), "derived"),
        (any(each.faint for each in grounds.told), "common-initialisation"),
        (grounds.rearranged, "rearranged"),
        (asked, "no-evidence"),
    )
    return next((each for holds, each in chosen if holds), "not-assessed")


def _beyond_initialisation(grounds: Grounds) -> bool:
    if grounds.step0 is not None:
        return grounds.step0 >= SURVIVES
    return grounds.closeness is not None and grounds.closeness >= CLOSE


def _moved(partners: Sequence[Partner]) -> Word | None:
    """`upcycled` where experts come from one block, `deepened` where layers come from other places or twice."""
    found = [each for each in partners if each.fixed >= FEWEST_FIXED and each.share >= LEAST_SHARE]
    if len(found) < 2:
        return None
    experts = [each for each in found if each.group.expert is not None]
    if len(experts) > 1:
        sources = [(each.group.layer, each.other.name) for each in experts]
        if len(set(sources)) < len(sources):
            return "upcycled"
    layers = {
        (each.group.layer, each.other.layer)
        for each in found
        if each.group.layer is not None and each.other.layer is not None
    }
    return "deepened" if any(mine != theirs for mine, theirs in layers) else None


def layer_map(partners: Sequence[Partner]) -> tuple[MapRow, ...]:
    """The best partner of every group that bears a layer, by the share of labels it finds there."""
    best: dict[tuple[int | None, int | None], Partner] = {}
    for partner in partners:
        place = (partner.group.layer, partner.group.expert)
        if partner.group.layer is not None and (place not in best or partner.share > best[place].share):
            best[place] = partner
    return tuple(
        MapRow(
            layer=layer,
            expert=expert,
            from_layer=each.other.layer if each.other is not None else None,
            from_expert=each.other.expert if each.other is not None else None,
            share=each.share,
        )
        for (layer, expert), each in sorted(best.items(), key=lambda item: (item[0][0] or 0, item[0][1] or -1))
    )


def power(tests: Sequence[LabelTest], asked: int, width: float) -> Power:
    """How many fixed points the accusing p-value needs, and which correlation of rows would have been seen.

    Rows of `width` independent Gaussian numbers, each correlated by ρ with its own, are seen by `labels` or by
    `traces`, whichever sees the weaker. An estimate, told for the reader; no p-value is made of it.
    """
    by_name = {test.name: test for test in tests}
    needed = _needed(by_name["labels"], asked)
    seen = (_by_labels(by_name["labels"], needed, width), _by_traces(by_name["traces"], asked, width))
    found = [each for each in seen if each is not None and each <= 1.0]
    return Power(needed, ceil(1000 * min(found)) / 1000 if found else None)


def _by_labels(test: LabelTest, needed: int, width: float) -> float | None:
    """A unit finds its own label if its own cosine is above the largest of all others of its row and column, so with
    probability Φ(√w ρ − √(2 ln 2n)); the number of units that do is binomial."""
    if needed > test.units or not test.units:
        return None
    each = max(test.units // max(test.groups, 1), 1)
    if _seen(1.0, needed, test.units, each, width) < SEEN_WITH:
        return None
    return _least(lambda rho: _seen(rho, needed, test.units, each, width) >= SEEN_WITH, 1.0)


def _by_traces(test: LabelTest, asked: int, width: float) -> float | None:
    """The trace of n units with w numbers in all of their families has a shift of s = √(nw) ρ, and z is about
    N(s √((n − 1)/n) / √(1 + s²/n²), 1): what is alike adds to the variance over all labellings, too.

    The bound on its tail is larger than e^(−z²/2): of Gaussian units −ln p was never below `BOUNDED` of z²/2 less
    `LOST`, on the mean of a dozen tries and more, for 8 to 512 units and shifts from 3 to 8. So much is counted on.
    The sum over the groups must reach what Fisher needs; it is taken as normal, which is timid, for its lower tail is
    shorter.
    """
    numbers = sum(family.units for family in test.families) * width
    if not test.groups or not numbers:
        return None
    groups, target = test.groups, ACCUSES_AT - float(np.log10(max(asked, 1)))
    total = _least(lambda sum_: fisher([-sum_ / groups / float(np.log(10))] * groups) <= target, 1e6)
    points, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()

    def enough(z: float) -> bool:
        logs = np.maximum(0.0, BOUNDED * (z + points) ** 2 / 2 - LOST)
        mean = float(weights @ logs)
        deviation = float(weights @ (logs - mean) ** 2) ** 0.5
        return bool(groups * mean - QUANTILE * groups**0.5 * deviation >= total)

    z, units = _least(enough, 1e3), test.units / groups
    left = (units - 1) / units - (z / units) ** 2
    return z / float(np.sqrt(left * numbers / groups)) if left > 0 else None


def _least(holds: Callable[[float], bool], high: float) -> float:
    """The least number up to `high` for which something holds, as for all above it."""
    low = 0.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _needed(test: LabelTest, asked: int) -> int:
    """The fewest fixed points for which the bound is small enough, `asked` tests and its own search paid for."""
    target = (ACCUSES_AT - float(np.log10(max(asked, 1))) - test.searched) * float(np.log(10))
    fixed = max(test.groups, 1)
    while _log_bound(test.groups, fixed) > target:
        fixed += 1
    return fixed


def _log_bound(groups: int, fixed: int) -> float:
    if groups <= 1:
        return -log_factorial(fixed)
    power = max(0, fixed - groups)
    return power * float(np.log(groups)) + log_factorial(fixed - power) - log_factorial(fixed)


def _seen(correlation: float, needed: int, units: int, each: int, width: float) -> float:
    threshold = float(np.sqrt(2 * np.log(2 * max(each, 2))))
    own = normal_below(float(np.sqrt(width)) * correlation - threshold)
    return binomial_above(needed, units, own)
