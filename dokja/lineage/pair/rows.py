"""Which rows of several vocabularies are held against each other: those of one number, and those of one word.

Rows of embeddings and heads are no units whose labels are tested: channels are known by them, and neurons and heads
answer to them. H0 is of the channels' labels, so any pairing of rows leaves the tests exact that was made without
looking at weights; rows that have nothing to do with each other cost power and nothing else. A pairing by number
knows no file, one by word the tokenizers alone.

A tokenizer may be false, its words renamed and its rows left in their places. So words never take the place of
numbers: where shared words stand in other rows, both pairings are asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from heapq import nsmallest
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.model import Member
from dokja.lineage.pair.pairing import drawn_alike
from dokja.lineage.sides import Reader, Source
from dokja.lineage.statistics.units import Labels, Matrix
from dokja.lineage.vocabulary import Vocabulary, priority, texts

SHARED: Final = 1024
"""So many words that all sides know are looked at, drawn by the key."""

By = Literal["number", "word"]
"""By what rows are paired."""

Rows = tuple[Labels, ...]
"""Rows of each model; those at one place are held against each other."""

Spelled = TypeVar("Spelled", str, tuple[str, ...])

Way = tuple[Matrix, ...]
"""What each model has in such rows."""


@dataclass(frozen=True)
class Words:
    """Words that several models know, in the order of their priority: the row of each in every model.

    most: whether that are half of the words or more; fewer may have been picked by whoever wrote a tokenizer.
    """

    rows: Rows
    most: bool

    def within(self, extents: Sequence[int]) -> Words:
        """Without those that stand beyond the last row of a model, whatever its tokenizer says."""
        there = np.logical_and.reduce([each < extent for each, extent in zip(self.rows, extents, strict=True)])
        return replace(self, rows=tuple(each[there] for each in self.rows))

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.rows[0])

    @property
    def moved(self) -> NDArray[np.bool_]:
        """Which of them do not stand in one row everywhere."""
        return np.asarray(np.stack(self.rows).min(axis=0) != np.stack(self.rows).max(axis=0))


@dataclass(frozen=True)
class Paired:
    """How the rows of two vocabularies were paired: by number, and by word where words stand in other rows.

    words: of those that both know so many were looked at; `None` where one side tells none. moved: of these in
    another row. closer: by which the rows are more alike.
    """

    words: int | None
    moved: int
    closer: By


def shared_words(*sources: Source) -> Words | None:
    """The words that all of these know, drawn by the key; `None` where one of them tells no words.

    Words meet that are spelled alike, and of the others those that stand for one text. A row is paired once.
    """
    tables = [source.vocabulary() or Vocabulary() for source in sources]
    fewest = min(tables, key=len)
    if not fewest:
        return None
    alike = set(tables[0]).intersection(*tables[1:])
    drawn = _drawn(sources[0].key, zip(texts(alike), alike, strict=True))
    shared = [(text, (word,) * len(tables)) for text, word in drawn]
    count = len(alike)
    if count < len(fewest):
        others = list(_of_one_text(tables, alike))
        shared, count = _drawn(sources[0].key, [*shared, *others]), count + len(others)
    met: list[set[int]] = [set() for _ in tables]
    rows = []
    for _, words in shared:
        each = tuple(table[word] for table, word in zip(tables, words, strict=True))
        if not any(row in known for row, known in zip(each, met, strict=True)):
            rows.append(each)
            for row, known in zip(each, met, strict=True):
                known.add(row)
    return Words(
        tuple(np.array(rows, dtype=np.int64).reshape(len(rows), len(tables)).T), most=2 * count >= _to_share(tables)
    )


def _to_share(tables: Sequence[Vocabulary]) -> int:
    """How many words there are to share: of the larger table, where none is but a draw from one."""
    return min((len(each) for each in tables if each.drawn), default=max(map(len, tables)))


def _drawn(key: int, words: Iterable[tuple[str, Spelled]]) -> list[tuple[str, Spelled]]:
    """Of words with their text as many as are looked at."""
    return nsmallest(SHARED, words, key=lambda each: (priority(key, each[0]), each[1]))


def _of_one_text(tables: Sequence[Vocabulary], met: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Words that are spelled in different ways, as each side does, by the text that they stand for."""
    known = [table.by_text for table in tables]
    for text in min(known, key=len):
        words = tuple(each[text] for each in known if text in each)
        if len(words) == len(known) and not any(word in met for word in words):
            yield text, words


def words_between(readers: Sequence[Reader], members: Sequence[Member], words: Words | None) -> Words | None:
    """The shared words in matrices whose rows are a vocabulary's; `None` where they are not, or without words."""
    if words is None or not all(map(of_vocabulary, members)):
        return None
    return words.within([reader.model.extent(member)[0] for reader, member in zip(readers, members, strict=True)])


def of_vocabulary(member: Member) -> bool:
    """Whether the rows of a matrix are a vocabulary's."""
    return member.by == "rows" and member.axis.space == "vocabulary"


def ways(readers: Sequence[Reader], members: Sequence[Member], words: Words | None) -> dict[By, Way]:
    """The rows of matrices at one place: by number; of a vocabulary whose words stand in other rows also by word.

    Nothing where the matrices are not of one size, but for the length of a vocabulary, or where not the same rows of
    them are drawn.
    """
    sides = list(zip(readers, members, strict=True))
    if not all(drawn_alike(members[0], each) for each in members):
        return {}
    extents = {reader.model.extent(member) for reader, member in sides}
    if len(extents) > 1 and not (all(map(of_vocabulary, members)) and len({width for _, width in extents}) == 1):
        return {}
    found: dict[By, Way] = {"number": tuple(reader.matrix(member) for reader, member in sides)}
    if len(extents) > 1:
        labels = [reader.labels(member) for reader, member in sides]
        both = reduce(lambda one, other: np.intersect1d(one, other, assume_unique=True), labels)
        found["number"] = tuple(
            matrix[np.searchsorted(mine, both)] for matrix, mine in zip(found["number"], labels, strict=True)
        )
    known = words_between(readers, members, words)
    if known is not None and known.moved.any():
        rows = [reader.at(member, each) for (reader, member), each in zip(sides, known.rows, strict=True)]
        there = tuple(each for each in rows if each is not None)
        if len(there) == len(rows):
            found["word"] = there
    return found


def most_alike(found: Mapping[By, Way]) -> By:
    """By what the first model's rows are more alike to those of the others: effects are told of these."""
    return max(found, key=lambda by: _likeness(found[by])) if len(found) > 1 else "number"


def _likeness(way: Way) -> float:
    first, *others = (np.nan_to_num(each.astype(np.float64), posinf=0, neginf=0).ravel() for each in way)
    length = np.linalg.norm(first)
    lengths = [length * np.linalg.norm(each) for each in others]
    return sum(float(first @ each) / float(of) for each, of in zip(others, lengths, strict=True) if of > 0)
