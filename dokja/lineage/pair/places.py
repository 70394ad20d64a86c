"""The groups that stand at the same place of both models: `labels`, `traces`, `order` and `turned`.

Every matrix of cosines is made once: the tests of a group and of its families all read the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dokja.lineage.arrays import taken
from dokja.lineage.model import Member, drawn
from dokja.lineage.pair.evidence import FEWEST, FamilyEffect, Held, LabelTest, Tally, effect
from dokja.lineage.pair.pairing import GroupPair
from dokja.lineage.statistics import (
    Cosines,
    Matches,
    TraceTest,
    Units,
    cosines,
    fisher,
    fixed_point_log10_p,
    halved,
    mean_cosines,
    relative,
    trace_test,
)

PARTNERS = 256
"""How many matched units a test shows as an example."""

Halves = tuple[Matches, Matches]


@dataclass(frozen=True)
class PlaceFound:
    """One group: its matches and traces by all members at once and by each family, likewise of its turned units."""

    whole: Matches
    families: tuple[tuple[str, Matches], ...]
    trace: TraceTest | None
    traces: tuple[tuple[str, TraceTest], ...]
    turned: Halves | None
    turned_families: tuple[tuple[str, Halves], ...]


def look(held: Held, pair: GroupPair) -> PlaceFound | None:
    """What a group's units say; `None` where they are too few, or in an order of their own."""
    sides = [((a, b), found) for a, b in pair.members if (found := held.units((a, b))) is not None]
    if not sides:
        return None
    parts = [(members[0].family, cosines(*units)) for members, units in sides]
    whole = mean_cosines([each for _, each in parts]) if len(parts) > 1 else parts[0][1]
    if min(len(whole.rows), len(whole.columns)) < FEWEST:
        return None
    families = tuple((family, each.matches) for family, each in parts)
    traces = tuple((family, trace_test(each.values)) for family, each in parts if each.square)
    turned_families = tuple(_turned(held, sides))
    return PlaceFound(
        whole=whole.matches if len(parts) > 1 else families[0][1],
        families=families,
        trace=(trace_test(whole.values) if len(parts) > 1 else traces[0][1]) if whole.square else None,
        traces=traces,
        turned=_joined([each for _, each in turned_families]),
        turned_families=tuple((family, _halves(each)) for family, each in turned_families),
    )


Sides = Sequence[tuple[tuple[Member, Member], tuple[Units, Units]]]
TwoCosines = tuple[Cosines, Cosines]


def _turned(held: Held, sides: Sides) -> Iterable[tuple[str, TwoCosines]]:
    """Each family's units against each other, described by their inner products with half of their own."""
    seen = [(members, units) for members, units in sides if members[0].other.space == "residual"]
    seen = [(members, units) for members, units in seen if units[0].total == units[1].total]
    if not seen:
        return
    known = [side.labels for _, units in seen for side in units]
    labels = known[0]
    for other in known[1:]:
        labels = labels if np.array_equal(labels, other) else np.intersect1d(labels, other, assume_unique=True)
    if len(labels) < 2 * FEWEST:
        return
    for (a, b), units in seen:
        if all(len(side.labels) == len(labels) for side in units):
            x, y = held.left.relative(a, held.key), held.right.relative(b, held.key)
        else:
            halves = halved(len(labels), held.key)
            x, y = (
                relative(_only(side, labels), halves, member.axis.repeats)
                for side, member in zip(units, (a, b), strict=True)
            )
        yield a.family, (cosines(x[0], y[0]), cosines(x[1], y[1]))


def _only(units: Units, labels: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Units:
    places = np.searchsorted(units.labels, labels)
    slant = None if units.slant is None else units.slant[places]
    return Units(taken(units.rows, places), labels, units.total, slant)


def _joined(found: Sequence[TwoCosines]) -> Halves | None:
    if not found:
        return None
    first, second = (mean_cosines([each[half] for each in found]) for half in (0, 1))
    return first.matches, second.matches


def _halves(found: TwoCosines) -> Halves:
    return found[0].matches, found[1].matches


def label_test(
    found: Iterable[PlaceFound], channels: Matches | None, families: Mapping[str, Matches], key: int
) -> LabelTest:
    """`labels`: same place, same label.

    H0: the labels of every group, and of the channels, are uniformly random, independently. A group's test is
    conditional on the labels of all others, so the counts add up as those of independent layers.
    """
    tally = Tally()
    for each in found:
        if each.whole.square:
            tally.add(each.whole, each.families)
    if channels is not None:
        tally.add(channels, [(f"{family}, channels", each) for family, each in families.items()])
    test = tally.test("labels")
    if not tally.axes:
        return test
    largest = max(tally.axes, key=lambda each: each.units)
    return replace(test, partners=_shown(largest, key), labels=len(largest.mapping))


def _shown(matches: Matches, key: int) -> tuple[tuple[int, int], ...]:
    """At most `PARTNERS` of the matched units, drawn by the key, with the labels of their partners."""
    matched = np.flatnonzero(matches.mapping >= 0)
    chosen = matched[drawn(key, len(matched), PARTNERS)]
    return tuple((int(own), int(matches.mapping[own])) for own in chosen)


def traces_test(found: Iterable[PlaceFound]) -> LabelTest:
    """`traces`: are equally labelled units more alike than others, all of them together?

    H0: as for `labels`. The groups' p-values are bounds and independent given each other's labels; Fisher's sum of
    their logarithms is then a bound too.
    """
    wholes: list[TraceTest] = []
    families: dict[str, list[TraceTest]] = {}
    for each in found:
        if each.trace is not None:
            wholes.append(each.trace)
            for family, trace in each.traces:
                families.setdefault(family, []).append(trace)
    return LabelTest(
        name="traces",
        groups=len(wholes),
        units=sum(each.units for each in wholes),
        log10_p=min(0.0, fisher([each.log10_p for each in wholes])) if wholes else 0.0,
        families=tuple(
            FamilyEffect(
                family=family,
                units=sum(each.units for each in traces),
                fixed=0,
                cosine=0.0,
                correlation=sum(each.effect * each.units for each in traces)
                / max(sum(each.units for each in traces), 1),
            )
            for family, traces in families.items()
        ),
    )


def order_test(found: Iterable[PlaceFound]) -> LabelTest:
    """`order`: where a group has more or fewer units than its partner, do the matched ones stand in the same order?

    H0: given which units are matched, the order of their partners is uniform; P(longest run ≥ m) ≤ C(k, m)/m! for
    each group. Bonferroni over groups, whatever their dependence.
    """
    logs: list[float] = []
    tally = Tally()
    for each in found:
        if not each.whole.square:
            logs.append(each.whole.increasing_log10_p)
            tally.add(each.whole, each.families)
    if not logs:
        return LabelTest("order")
    return LabelTest(
        name="order",
        groups=len(logs),
        units=sum(min(each.units, each.labels) for each in tally.axes),
        mutual=sum(each.mutual for each in tally.axes),
        fixed=sum(each.increasing for each in tally.axes),
        log10_p=min(0.0, min(logs) + float(np.log10(len(logs)))),
        families=tuple(effect(*item, lambda each: each.increasing) for item in tally.families.items()),
    )


def turned_test(found: Iterable[PlaceFound]) -> LabelTest:
    """`turned`: the labels of hidden units, by what no rotation of the residual axis changes (T2).

    H0: as for `labels`. The two halves of a group depend on each other; each half is added up over the groups, which
    are independent, and the smaller of the two is doubled.
    """
    families: dict[str, list[Matches]] = {}
    for each in found:
        for family, halves in each.turned_families:
            families.setdefault(family, []).extend(halves)
    return relative_test("turned", [each.turned for each in found if each.turned is not None], families)


def relative_test(name: str, found: Sequence[Halves], families: Mapping[str, Sequence[Matches]]) -> LabelTest:
    """A test of both halves, of which each is described by the other."""
    if not found:
        return LabelTest(name)
    firsts, seconds = ([halves[half] for halves in found] for half in (0, 1))
    log10_p = min(fixed_point_log10_p(firsts), fixed_point_log10_p(seconds)) + float(np.log10(2))
    both = [*firsts, *seconds]
    return LabelTest(
        name=name,
        groups=len(firsts),
        units=sum(each.units for each in both),
        mutual=sum(each.mutual for each in both),
        fixed=sum(each.fixed for each in both),
        log10_p=min(0.0, log10_p),
        families=tuple(effect(*item, lambda each: each.fixed) for item in families.items()),
    )
