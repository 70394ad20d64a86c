"""What a record's entries say by themselves: read by the thousand, in whichever process, before any is judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from dokja.errors import NOWHERE, Place, Problem
from dokja.intake.reading import Reader
from dokja.intake.timely import Earliest, earliest_ballots
from dokja.record.bulk import all_light
from dokja.record.canonical import Row, Rows
from dokja.record.entries import BallotRow
from dokja.record.folding import Folded, fold, joined
from dokja.strict_yaml import Path_

_BATCH = 2_000
"""Entries that are read in one go."""

_CLAUSE_FIRST = re.compile(rb'\{"clause":"([a-z0-9.-]+)",')

Said = tuple[str, str, str | None]
"""What a ballot says that the rules of its time are asked about: since when they hold, its stage, its clause."""

First = tuple[str, int]
"""When the first ballot of a stage was cast, and its index."""


@dataclass(frozen=True)
class Batch:
    """Entries that follow each other, the first of them at index `first`.

    rows: those that can be read. problems: what is wrong with each of the others, by its index.
    folded: the marks, where all are ballots of their raters' own; else `None`. earliest: of `earliest_ballots`.
    said: what such ballots say, each with a time of one that says it. cast: the first of them in each stage.
    """

    first: int
    rows: Rows
    problems: dict[int, tuple[Problem, ...]]
    folded: Folded | None
    earliest: Earliest | None
    said: Mapping[Said, str]
    cast: Mapping[str, First]

    def entries(self) -> Iterator[tuple[int, Row | tuple[Problem, ...]]]:
        """Every entry with its index, in order."""
        rows = iter(self.rows)
        for index in range(self.first, self.first + len(self.rows) + len(self.problems)):
            yield index, self.problems.get(index) or next(rows)


@dataclass
class Cast:
    """The ballots so far, as marks and votes. first: the earliest of each stage."""

    first: dict[str, First] = field(default_factory=dict)
    _parts: list[Folded] = field(default_factory=list)
    _rows: list[BallotRow] = field(default_factory=list)

    def add(self, ballot: BallotRow) -> None:
        """Take one ballot in."""
        self._rows.append(ballot)
        self._note(ballot.stage, (ballot.when, ballot.position))

    def add_all(self, batch: Batch) -> None:
        """Take a batch in that was folded."""
        self._parts += (fold(self._rows), *((batch.folded,) if batch.folded else ()))
        self._rows = []
        for stage, first in batch.cast.items():
            self._note(stage, first)

    def folded(self) -> Folded:
        """All of them."""
        return joined((*self._parts, fold(self._rows)))

    def _note(self, stage: str, cast: First) -> None:
        self.first[stage] = min(self.first.get(stage, cast), cast)


def batches(bodies: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Entries by the thousand, each batch with the index of its first."""
    rest, first = iter(bodies), 0
    while batch := list(islice(rest, _BATCH)):
        yield first, batch
        first += len(batch)


def read_batch(reader: Reader, batch: tuple[int, list[bytes]]) -> Batch:
    """What the entries of a batch say by themselves."""
    first, bodies = batch
    together = reader.read_lines(b"\n".join(bodies))
    if together is not None and len(together.rows) == len(bodies):
        return _of_ballots(reader, first, together.rows, together.light(first))
    rows, problems = _read(reader, bodies, first)
    if problems or any(kind != "ballot" for kind in rows.column("type")):
        return Batch(first, rows, problems, None, None, {}, {})
    return _of_ballots(reader, first, rows, all_light(tuple(enumerate(rows.column("body"), start=first))))


def _of_ballots(reader: Reader, first: int, rows: Rows, ballots: Iterable[BallotRow]) -> Batch:
    if not all(map(in_own_voice, rows)):
        return Batch(first, rows, {}, None, None, {}, {})
    cast = Cast()
    for ballot in ballots:
        cast.add(ballot)
    said = {(reader.rules.since(row.when), row.stage or "", clause_of(row.body)): row.when for row in rows}
    return Batch(first, rows, {}, cast.folded(), earliest_ballots(rows), said, cast.first)


def _read(reader: Reader, bodies: Sequence[bytes], first: int) -> tuple[Rows, dict[int, tuple[Problem, ...]]]:
    """The entries that can be read, one by one, and what is wrong with each of the others, by its index."""
    rows: list[Row] = []
    problems: dict[int, tuple[Problem, ...]] = {}
    for index, body in enumerate(bodies, start=first):
        read = reader.read_line(body, _nowhere)
        if isinstance(read, Row):
            rows.append(read)
        else:
            problems[index] = read
    return Rows.of(rows), problems


def _nowhere(_: Path_) -> Place:
    return NOWHERE


def in_own_voice(row: Row) -> bool:
    """Whether a ballot is its rater's own, as far as it is signed; in canonical bytes `who` stands last."""
    return b'"signature"' not in row.body or row.body.endswith(f'"who":"{row.key.split("/")[4]}"}}'.encode())


def clause_of(body: bytes) -> str | None:
    """The clause that a ballot names; in canonical bytes it stands first."""
    named = _CLAUSE_FIRST.match(body)
    return named[1].decode() if named else None
