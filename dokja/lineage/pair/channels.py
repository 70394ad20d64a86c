"""The residual axis: one permutation acts on all tensors, so they are added up before anything is matched.

`Channels` adds up, for `labels`, the cross products of both models' channels (T1), and for `matched` the inner
products of each model's own (T2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dokja.lineage.arrays import taken
from dokja.lineage.model import Member, drawn
from dokja.lineage.pair.evidence import FEWEST, Held, LabelTest
from dokja.lineage.pair.pairing import drawn_alike
from dokja.lineage.pair.places import Halves, relative_test
from dokja.lineage.pair.rows import words_between
from dokja.lineage.statistics import JointGram, JointTrace, Matches, Units, cosines, halved
from dokja.lineage.statistics.units import Labels, Matrix, common, unit_rows

CHANNELS = 512
"""How many channels are looked at. What all tensors say of them is added up, so more would see little more."""

ROWS, FEWEST_ROWS = 4096, 128
"""So many rows of a family's tensors are looked at in all, but of no tensor fewer than these."""

TELLING = -6.0
"""log10 of the p-value from which on the families of `matched` are looked at one by one."""


def across_residual(held: Held, component: str) -> Sequence[tuple[Member, Member]]:
    """Members across the residual axis, at the same place of both models and of one size but for the vocabulary.

    None where they do not all have one width, or one that is too small.
    """
    pairs = tuple(_at_one_place(held, component))
    widths = {held.left.model.extent(a)[1] for a, _ in pairs}
    return pairs if len(widths) == 1 and min(widths) >= FEWEST else ()


def rows_of_each(pairs: Sequence[tuple[Member, Member]]) -> int:
    """How many rows of a matrix the channels are looked at by: fewer of each where a family has many."""
    families = Counter(member.family for member, _ in pairs)
    return max(FEWEST_ROWS, ROWS // max(families.values(), default=1))


def _at_one_place(held: Held, component: str) -> Iterator[tuple[Member, Member]]:
    theirs = {_key(member): member for member in held.right.model.residual(component)}
    for member in held.left.model.residual(component):
        other = theirs.get(_key(member))
        if other is None or not drawn_alike(member, other):
            continue
        mine, his = held.left.model.extent(member), held.right.model.extent(other)
        if mine[1] == his[1] and (mine[0] == his[0] or member.axis.space == "vocabulary"):
            yield member, other


def _key(member: Member) -> tuple[object, ...]:
    part = member.part
    return (part.role, part.layer, part.expert, member.by, part.tensor if part.layer is None else None)


@dataclass
class _Sums:
    """What one family's tensors say of the channels: the cross products, and each side's own."""

    trace: JointTrace
    grams: tuple[JointGram, JointGram] | None = None


@dataclass
class Channels:
    """Sums over tensors, by family.

    count: the channels of the residual axis. rows: looked at of a matrix. by_word: of vocabularies whose words stand
    in other rows, the cross products of the rows of one word.
    """

    count: int
    key: int
    rows: int = ROWS
    families: dict[str, _Sums] = field(default_factory=dict)
    by_word: dict[str, JointTrace] = field(default_factory=dict)

    @property
    def sample(self) -> Labels:
        """The channels that are looked at, in the order of the two halves of `matched`."""
        looked_at = drawn(self.key, self.count, CHANNELS)
        sample: Labels = looked_at[np.concatenate(halved(len(looked_at), self.key))]
        return sample

    def add(self, held: Held, a: Member, b: Member) -> None:
        """Add one pair of matrices."""
        sample = self.sample
        one, other = held.left.single_rows(a, self.rows), held.right.single_rows(b, self.rows)
        x, y = (taken(side.rows, sample, axis=1) for side in (one, other))
        sums = self.families.setdefault(a.family, _Sums(JointTrace(self.count, sample)))
        sums.trace.add_rows(*_same_rows(held, (a, b), (one, other), (x, y)))
        of_words = _rows_of_words(held, a, b)
        if of_words is not None:
            self._by_word(a.family).add_rows(*(taken(side, sample, axis=1) for side in of_words))
        if a.axis.space == "vocabulary" or self.count < 2 * FEWEST:
            return
        sums.grams = sums.grams or (JointGram(len(sample)), JointGram(len(sample)))
        for gram, rows in zip(sums.grams, (x, y), strict=True):
            gram.add_rows(rows)

    def include(self, other: Channels) -> None:
        """Add what another one has added up."""
        for family, theirs in other.families.items():
            mine = self.families.setdefault(family, _Sums(JointTrace(self.count, self.sample)))
            mine.trace.include(theirs.trace)
            if theirs.grams is not None:
                mine.grams = mine.grams or (JointGram(len(self.sample)), JointGram(len(self.sample)))
                for gram, his in zip(mine.grams, theirs.grams, strict=True):
                    gram.include(his)
        for family, trace in other.by_word.items():
            self._by_word(family).include(trace)

    def _by_word(self, family: str) -> JointTrace:
        return self.by_word.setdefault(family, JointTrace(self.count, self.sample))

    def pairings(self) -> Iterator[Mapping[str, JointTrace]]:
        """The cross products of each family by number; where words stand in other rows, by word as well.

        They are never added up: rows that are the opposite of the others' would take away what those of words say.
        """
        by_number = {family: each.trace for family, each in self.families.items()}
        yield by_number
        if self.by_word:
            yield by_number | self.by_word

    def whole(self) -> _Sums | None:
        """All families together; `None` where there are none."""
        together = Channels(self.count, self.key)
        for each in self.families.values():
            together.include(Channels(self.count, self.key, families={"": each}))
        return together.families.get("")

    def joint(self, traces: Iterable[JointTrace]) -> Matches | None:
        """T1 of the channels by all of these; `None` where there are none."""
        whole: JointTrace | None = None
        for each in traces:
            whole = whole or JointTrace(self.count, self.sample)
            whole.include(each)
        return None if whole is None else self.matches(whole)

    def matches(self, trace: JointTrace) -> Matches:
        """T1 of the channels, with their own labels."""
        found, sample = trace.matches(), self.sample
        mapping = np.full(self.count, -1, dtype=np.int64)
        matched = found.mapping >= 0
        mapping[sample[matched]] = sample[found.mapping[matched]]
        return Matches(
            found.units, found.labels, found.excluded, found.mutual, found.fixed, mapping, found.cosine, found.square
        )


def _same_rows(
    held: Held, members: tuple[Member, Member], sides: tuple[Units, Units], rows: tuple[Matrix, Matrix]
) -> tuple[Matrix, Matrix]:
    """The rows that have a direction, with the same labels on both sides: of a grown vocabulary, the old words."""
    mine, his = held.left.labels(members[0]), held.right.labels(members[1])
    if np.array_equal(mine, his):
        x, y, _ = common(*(Units(each, side.labels, side.total) for each, side in zip(rows, sides, strict=True)))
        return x, y
    labelled = (Units(each, of[side.labels], 0) for each, side, of in zip(rows, sides, (mine, his), strict=True))
    x, y, _ = common(*labelled)
    return x, y


def _rows_of_words(held: Held, a: Member, b: Member) -> tuple[Matrix, Matrix] | None:
    """Of two vocabularies whose words stand in other rows the rows of shared words, centred, of length one."""
    words = words_between((held.left, held.right), (a, b), held.words)
    if words is None or not words.moved.any():
        return None
    mine, his = words.rows
    one, other = held.left.at(a, mine), held.right.at(b, his)
    if one is None or other is None:
        return None
    x, y, _ = common(unit_rows(held.left.arrays.put(one)), unit_rows(held.right.arrays.put(other)))
    return x, y


def matched_test(channels: Channels, whole: _Sums | None) -> LabelTest:
    """`matched`: the labels of the residual channels, by what no permutation of hidden units changes (T2).

    H0: one uniform permutation relabels the channels of all tensors. Where more units than are looked at were
    permuted, each side looks at others of them, which costs power and nothing else.
    """
    if whole is None or whole.grams is None:
        return LabelTest("matched")
    test = relative_test("matched", [_halves(whole.grams)], {})
    if test.log10_p > TELLING:
        return test
    families = {
        family: list(_halves(each.grams)) for family, each in channels.families.items() if each.grams is not None
    }
    return relative_test("matched", [_halves(whole.grams)], families)


def _halves(grams: tuple[JointGram, JointGram]) -> Halves:
    left, right = (gram.descriptions() for gram in grams)
    return cosines(left[0], right[0]).matches, cosines(left[1], right[1]).matches
