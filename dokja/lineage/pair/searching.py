"""`layers`: each group against its best partner anywhere.

A model of 48 layers of 128 experts has 6,144 groups; of all pairs of these nobody can match units. So of each group
a small copy is made, some units and some of their numbers; the inner products of these copies (a trace for each pair
of groups) name each group's likeliest partner, at a hundredth of the price, and only those are matched. The trace
looks at labels. So the search is paid for in full: the p-value is multiplied by the number of assignments that there
were to choose from, however the choice was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.arrays import host, like, namespace_of, row_products, taken
from dokja.lineage.cores import Crew
from dokja.lineage.model import Group, Member, drawn
from dokja.lineage.pair.evidence import FEWEST, Held, LabelTest, Partner, Tally
from dokja.lineage.pair.pairing import Kind, kinds, sources
from dokja.lineage.sides import SMALL, Reader
from dokja.lineage.statistics import Matches, Units, fixed_points
from dokja.lineage.statistics.units import Labels, Matrix

SEARCHED = 256
"""How many units of a group the search looks at, at most."""

ACROSS = 1024
"""How many numbers of each unit it looks at, at most, in all matrices together."""

ROOM = 1 << 23
"""How many numbers the small copies of one model hold, at most..."""

FEWEST_ACROSS = 8
"""...but of each unit in a matrix not fewer than these."""

ENOUGH = 4
"""Where the small copies hold less than the fourth part of that, units are read again to be matched."""

SCORES = 1 << 22
"""How many pairs of groups are weighed at once."""


@dataclass(frozen=True)
class _Shelf:
    """The small copies of all matrices of one kind: [groups, units, numbers], zero where a unit has no direction."""

    groups: Labels
    rows: Matrix
    usable: NDArray[np.bool_]

    def at(self, group: int) -> int:
        """Where a group stands; all groups of a kind are there."""
        return int(np.searchsorted(self.groups, group))


class Copies:
    """The small copies of one model's groups; empty of a matrix whose units stand in an order of their own."""

    def __init__(self, reader: Reader, groups: Sequence[Group], key: int) -> None:
        self.reader, self.groups, self.key = reader, groups, key
        self.numbers = numbers_across(reader, groups)
        self._made: set[int] = set()
        self._members = [_kinds(reader, group) for group in groups]
        places: dict[Kind, list[int]] = {}
        for place, members in enumerate(self._members):
            for kind in members:
                places.setdefault(kind, []).append(place)
        self.shelves = {
            kind: _Shelf(
                np.array(found, dtype=np.int64),
                reader.arrays.zeros((len(found), len(self.labels(kind)), min(kind.width, self.numbers))),
                np.zeros((len(found), len(self.labels(kind))), dtype=np.bool_),
            )
            for kind, found in places.items()
        }

    def labels(self, kind: Kind) -> Labels:
        """The units that are looked at."""
        return drawn(self.key, kind.units, min(SEARCHED, self.reader.looks))

    def make(self, place: int) -> None:
        """Copy a group, unless that was done."""
        if place in self._made:
            return
        self._made.add(place)
        for kind, member in self._members[place].items():
            shelf = self.shelves[kind]
            at = shelf.at(place)
            made = self._copy(kind, member, shelf.rows.shape[2])
            if made is not None:
                shelf.usable[at], shelf.rows[at, :, :] = made

    def common(self, place: int, others: Sequence[Kind]) -> list[Kind]:
        """The kinds of matrices that a group has, of these."""
        return [kind for kind in self._members[place] if kind in others]

    def rows(self, kind: Kind, numbers: int, groups: int | slice | Labels = slice(None)) -> Matrix:
        """The small copies of some groups of one kind, with no more than so many numbers of a unit."""
        rows = self.shelves[kind].rows
        rows = taken(rows, groups) if isinstance(groups, np.ndarray) else rows[groups, ...]
        held = rows.shape[-1]
        if held <= numbers:
            return rows
        # A smaller draw is part of a larger one.
        places = np.searchsorted(drawn(self.key, kind.width, held), drawn(self.key, kind.width, numbers))
        return taken(rows, places, axis=-1)

    def units(self, place: int, chosen: Sequence[Kind], held: int) -> Units:
        """A group's units by these kinds of matrices, with as many numbers of each as can be looked at.

        held: so many numbers both sides hold; where that is too few, the weights are read again.
        """
        labels = self.labels(chosen[0])
        usable = np.ones(len(labels), dtype=np.bool_)
        parts = []
        for kind in chosen:
            shelf, numbers = self.shelves[kind], min(kind.width, ACROSS // len(chosen))
            at = shelf.at(place)
            good = shelf.usable[at]
            made = None
            if ENOUGH * min(kind.width, held) < numbers:
                made = self._copy(kind, self._members[place][kind], numbers)
            good, rows = made or (good, self.rows(kind, held, at))
            parts.append(rows)
            usable &= good
        joined = namespace_of(parts[0]).concat(parts, axis=1)
        joined = joined if usable.all() else taken(joined, np.flatnonzero(usable))
        return Units(joined / len(parts) ** 0.5, labels[usable], chosen[0].units)

    def _copy(self, kind: Kind, member: Member, numbers: int) -> tuple[NDArray[np.bool_], Matrix] | None:
        """Which units have a direction, and so many of their numbers; `None` where they stand in an order."""
        if member.axis.block == 1 and self.reader.order(member).signs:
            return None
        labels = self.labels(kind)

        def made() -> tuple[NDArray[np.bool_], Matrix]:
            units = self.reader.units(member)
            good = np.isin(labels, units.labels, assume_unique=True)
            places = np.searchsorted(units.labels, labels[good])
            found = taken(taken(units.rows, places), drawn(self.key, kind.width, numbers), axis=1)
            if good.all():
                return good, found
            # A unit that has no direction is a row of nothing, put behind the others.
            whole = namespace_of(found).concat([found, like(np.zeros((1, numbers), np.float32), found)])
            return good, taken(whole, np.where(good, np.cumsum(good) - 1, len(places)))

        return self.reader.keep(("small copy", len(labels), numbers), member, made, found_size)


def small_copies(reader: Reader, component: str) -> Copies:
    """The copies of a submission's groups, made once for all references and for the submission by itself."""
    known = (component, min(SEARCHED, reader.looks))
    if known not in reader.copies:
        reader.copies[known] = Copies(reader, reader.model.groups.get(component, ()), reader.source.key)
    found: Copies = reader.copies[known]
    return found


class Search:
    """All groups of both models. Copy them in any order, each when its weights are at hand; then ask for the test."""

    def __init__(self, held: Held, component: str) -> None:
        models = held.left.model, held.right.model
        groups = sources(models[1], component)
        self.left = small_copies(held.left, component)
        self.right = Copies(held.right, groups, held.key)

    def test(self, crew: Crew) -> tuple[LabelTest, tuple[Partner, ...], tuple[Partner, ...]]:
        """`layers`: each group against its likeliest partner, where that one stands, and the same seen from there.

        H0: as for `labels`. Choosing one of k partners for each group, by whatever rule, is a choice among Π k
        assignments; the p-value is multiplied by their number. That of the side with fewer groups is told, of as many
        the larger: so it is the same whoever is the submission, and what was added to one side hides nothing.
        """
        options, mine, his = self._likeliest()
        pairs = {(place, int(other)) for place, other in enumerate(mine) if other >= 0}
        pairs |= {(int(other), place) for place, other in enumerate(his) if other >= 0}
        found = dict(all_matched(self.left, self.right, sorted(pairs), crew))
        back = {(other, place): matches for (place, other), matches in found.items()}
        left, right = self.left.groups, self.right.groups
        here, partners = _asked(left, right, found, options[0])
        there, mirrored = _asked(right, left, back, options[1])
        told = min((here, there), key=lambda test: (test.groups, -test.log10_p, test.fixed, test.mutual))
        return told, partners, mirrored

    def _likeliest(self) -> tuple[tuple[Labels, Labels], Labels, Labels]:
        """How many partners each group may have, left and right; each left group's likeliest, and each right group's
        (-1: none).

        By the correlation of the small copies, each less the mean of its units, so that no labelling has more of it
        than another by what all units have in common.
        """
        sizes = len(self.left.groups), len(self.right.groups)
        options, others = (np.zeros(size, dtype=np.int64) for size in sizes)
        mine, his = (np.full(size, -1, dtype=np.int64) for size in sizes)
        best = np.full(sizes[1], -np.inf)
        for part, alike in scores(self.left, self.right):
            possible = alike > -np.inf
            options[part] = possible.sum(axis=1)
            others += possible.sum(axis=0)
            mine[part] = np.where(options[part] > 0, alike.argmax(axis=1), -1)
            top = alike.max(axis=0)
            his = np.where(top > best, alike.argmax(axis=0) + part.start, his)
            best = np.maximum(best, top)
        return (options, others), mine, his


def _asked(
    groups: Sequence[Group], others: Sequence[Group], found: Mapping[tuple[int, int], Matches], options: Labels
) -> tuple[LabelTest, tuple[Partner, ...]]:
    """The test of one side's groups, each with its best partner."""
    tally, searched, partners = Tally(), 0.0, []
    best: dict[int, tuple[int, Matches]] = {}
    for (place, other), matches in found.items():
        if place not in best or _count(matches) > _count(best[place][1]):
            best[place] = other, matches
    for place, (other, matches) in sorted(best.items()):
        tally.add(matches, ())
        searched += float(np.log10(options[place]))
        partners.append(Partner(groups[place], others[other], matches.units, matches.fixed))
    return tally.test("layers", searched), tuple(partners)


def _count(matches: Matches) -> tuple[int, int]:
    return matches.fixed, matches.mutual


def matched(left: Copies, right: Copies, place: int, other: int) -> Matches | None:
    """Two groups' units against each other; `None` where too few can be compared."""
    chosen = left.common(place, right.common(other, list(left.shelves)))
    # A matrix that is empty on one side is left out on both.
    chosen = [kind for kind in chosen if _enough(left, kind, place) and _enough(right, kind, other)]
    if not chosen:
        return None
    held = min(left.numbers, right.numbers)
    x, y = left.units(place, chosen, held), right.units(other, chosen, held)
    return fixed_points(x, y) if min(len(x.labels), len(y.labels)) >= FEWEST else None


def all_matched(
    left: Copies, right: Copies, pairs: Sequence[tuple[int, int]], crew: Crew
) -> Iterator[tuple[tuple[int, int], Matches]]:
    """Those of these pairs of groups that can be compared, in order, with their matches."""
    each = crew.spread(lambda pair: matched(left, right, *pair), pairs)
    yield from ((pair, found) for pair, found in zip(pairs, each, strict=True) if found is not None)


def _enough(copies: Copies, kind: Kind, place: int) -> bool:
    shelf = copies.shelves[kind]
    return int(shelf.usable[shelf.at(place)].sum()) >= FEWEST


def scores(left: Copies, right: Copies) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """How alike the small copies of each two groups are, some left groups at a time; -inf where nothing compares."""
    shared = [kind for kind in left.shelves if kind in right.shelves]
    numbers = min(left.numbers, right.numbers)
    centred = {kind: _centred(right.rows(kind, numbers)) for kind in shared}
    height, width = len(left.groups), len(right.groups)
    step = max(1, SCORES // max(width, 1))
    for start in range(0, height if width else 0, step):
        part = slice(start, min(height, start + step))
        cross, mine, his = np.zeros((3, part.stop - part.start, width))
        possible = np.zeros(cross.shape, dtype=np.bool_)
        for kind in shared:
            shelf = left.shelves[kind]
            chosen = np.flatnonzero((shelf.groups >= part.start) & (shelf.groups < part.stop))
            rows = left.rows(kind, numbers, slice(None) if len(chosen) == len(shelf.groups) else chosen)
            (x, mean, length), (y, his_mean, his_length) = _centred(rows), centred[kind]
            place = np.ix_(shelf.groups[chosen] - part.start, right.shelves[kind].groups)
            cross[place] += host(x @ y.T - shelf.rows.shape[1] * (mean @ his_mean.T))
            mine[place] += length[:, None]
            his[place] += his_length[None]
            possible[place] = True
        scale = np.sqrt(mine * his)
        alike = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0)
        yield part, np.where(possible, alike, -np.inf)


def found_size(copy: tuple[NDArray[np.bool_], Matrix]) -> int:
    """The bytes of a copy that is kept."""
    return 4 * prod(copy[1].shape)


def _centred(rows: Matrix) -> tuple[Matrix, Matrix, NDArray[np.float64]]:
    """Each copy in one row, the mean of its units, and its squared length about that mean."""
    xp = namespace_of(rows)
    mean, flat = xp.mean(rows, axis=1), xp.reshape(rows, (rows.shape[0], -1))
    length = host(row_products(flat, flat) - rows.shape[1] * row_products(mean, mean))
    return flat, mean, np.maximum(length, 0.0).astype(np.float64)


def _kinds(reader: Reader, group: Group) -> Mapping[Kind, Member]:
    """A group's members by their kinds, which a reader knows from one reference to the next."""
    return reader.kept.get(
        ("kinds", group.component, group.name), lambda: kinds(reader.model, group), lambda _: SMALL
    )


def numbers_across(reader: Reader, groups: Sequence[Group]) -> int:
    """How many numbers of a unit a small copy has of each matrix, so that all of them fit."""
    members = [_kinds(reader, group) for group in groups]
    units = sum(min(kind.units, SEARCHED) for each in members for kind in each)
    most = max(map(len, members), default=1)
    return max(FEWEST_ACROSS, min(ACROSS // max(most, 1), ROOM // max(units, 1)))
