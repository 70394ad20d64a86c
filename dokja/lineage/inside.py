"""T4: do layers, or experts, of one model bear each other's labels? It needs no reference.

Within one model the hidden units of two layers are numbered apart, as two strangers' are. A layer that was copied
(depth up-scaling: Kim et al., SOLAR 10.7B, arXiv 2312.15166) and experts cloned from one block (Komatsuzaki et al.,
Sparse Upcycling, ICLR 2023) keep the numbers. That says how a model was made, and nothing of whom it was taken from.

**H0**, for each two groups of one kind: given the one, the labels of the other are a uniformly random permutation.
The bound is that of `labels`. Every two groups of the submission count as asked, so each p-value is multiplied by
their number, however those that are matched were chosen (Bonferroni). It assumes that no two layers began from the
same random numbers; a seed that is set anew for each layer breaks it.

Only what a table of a family says to be an axis of one layer alone is asked: where shapes are all that is known, two
tensors may bear one and the same axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dokja.lineage.architecture.by_shape import BY_SHAPE
from dokja.lineage.cores import Crew
from dokja.lineage.findings import Kin, Within
from dokja.lineage.judging import ACCUSES_AT, FEWEST_FIXED, LEAST_SHARE
from dokja.lineage.model import Group
from dokja.lineage.pair.searching import SEARCHED, all_matched, scores, small_copies
from dokja.lineage.sides import Reader
from dokja.lineage.statistics import Matches


@dataclass(frozen=True)
class _Seen:
    """The groups of a component, how many pairs of them can be compared, and those that were matched."""

    component: str
    groups: tuple[Group, ...]
    pairs: int
    matches: tuple[tuple[int, int, Matches], ...]


def within(reader: Reader, crew: Crew) -> tuple[Within, ...]:
    """Every component of a model that has several layers or experts of one kind, each asked about its own."""
    model = reader.model
    if model.assignment.family == BY_SHAPE:
        return ()
    small = reader.within(SEARCHED)
    seen = [_seen(small, component, crew) for component in model.components]
    asked = sum(each.pairs for each in seen)
    return tuple(_told(each, asked) for each in seen if each.pairs)


def _seen(reader: Reader, component: str, crew: Crew) -> _Seen:
    groups = reader.model.groups.get(component, ())
    layered = np.array([each.layer is not None for each in groups], dtype=np.bool_)
    if layered.sum() < 2:
        return _Seen(component, groups, 0, ())
    copies = small_copies(reader, component)
    for _ in crew.spread(copies.make, range(len(groups))):
        pass
    pairs, chosen = 0, set[tuple[int, int]]()
    for part, alike in scores(copies, copies):
        own = np.arange(part.start, part.stop)
        alike[own - part.start, own] = -np.inf
        alike[~layered[part]] = -np.inf
        alike[:, ~layered] = -np.inf
        possible = alike > -np.inf
        pairs += int(possible.sum())
        best = alike.argmax(axis=1)
        chosen |= {
            (min(place, other), max(place, other))
            for place, other, row in zip(own.tolist(), best.tolist(), possible, strict=True)
            if row.any()
        }
    found = all_matched(copies, copies, sorted(chosen), crew)
    return _Seen(component, groups, pairs // 2, tuple((*pair, matches) for pair, matches in found))


def _told(seen: _Seen, asked: int) -> Within:
    paid = float(np.log10(asked))
    weighed = [(min(0.0, each.log10_p + paid), one, other, each) for one, other, each in seen.matches]
    return Within(
        component=seen.component,
        groups=sum(each.layer is not None for each in seen.groups),
        pairs=seen.pairs,
        asked=asked,
        log10_p=min((log10_p for log10_p, *_ in weighed), default=0.0),
        kin=tuple(_kin(seen.groups, weighed)),
    )


def _kin(groups: Sequence[Group], weighed: Sequence[tuple[float, int, int, Matches]]) -> Iterator[Kin]:
    """The pairs of places whose labels agree, in order; of several groups at one place the one that shows most."""
    found: dict[tuple[int, int, int, int], Kin] = {}
    for log10_p, one, other, matches in weighed:
        if log10_p > ACCUSES_AT or matches.fixed < FEWEST_FIXED or matches.share < LEAST_SHARE:
            continue
        a, b = groups[one], groups[other]
        kin = Kin(a.layer, a.expert, b.layer, b.expert, matches.units, matches.fixed, log10_p)
        place = (_number(a.layer), _number(a.expert), _number(b.layer), _number(b.expert))
        if place not in found or found[place].share < kin.share:
            found[place] = kin
    yield from (kin for _, kin in sorted(found.items()))


def _number(place: int | None) -> int:
    return -1 if place is None else place
