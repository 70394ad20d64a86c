"""Taking acts in: every act of every file becomes part of the record in one transaction, or none does.

A file that is in the record by its digest is not read again; an act that is in it by its key is passed over where its
bytes are the same, and a contradiction where they are not. In a record that was founded with keys it must be signed.
The first batch that holds a problem ends the intake: what comes after it rests on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dokja.errors import ActError, Problem
from dokja.intake.act_files import ActFile, Batch, chunk_reading, open_acts
from dokja.intake.breach import Breach
from dokja.intake.course import Course
from dokja.intake.reading import Reader
from dokja.intake.rules import rules_of
from dokja.intake.signatures import Signatures
from dokja.intake.timely import ballot_breaches, breaches, plainly_timely
from dokja.language import Tell, mark, untold
from dokja.record import Record, act_of
from dokja.record.bulk import folded_rows
from dokja.record.canonical import Row, Rows
from dokja.record.folding import Folded
from dokja.record.merkle import Grown
from dokja.record.writing import Kept, Writing
from dokja.rulebook import History
from dokja.strict_yaml import digest_of_file

MOST_PROBLEMS = 100
_BALLOT = "ballot"


@dataclass(frozen=True)
class Intake:
    """What an intake did: the acts from index `start` to before `size` are new in the record.

    folded: the ballots among them. grown: what the tree of the record came to hold.
    """

    start: int
    size: int
    folded: Folded
    grown: Grown

    @property
    def taken(self) -> int:
        """How many acts the record did not hold before."""
        return self.size - self.start


def take_in(
    files: Sequence[Path],
    history: History,
    sources: frozenset[str],
    record: Record,
    tell: Tell = untold,
) -> Intake:
    """Take the acts of the files in, in the order of the files.

    sources: the ids that acts may rest on. tell: is told now and then how many are in. Raises `ActError` with at most
    `MOST_PROBLEMS` problems, or `RecordError`; then the record is as it was.
    """
    digests = {file: digest_of_file(file, ActError) for file in files}
    fresh = [file for file in files if not record.holds_file(digests[file])]
    if not fresh:
        size = record.size
        return Intake(size, size, Folded(), Grown(size))
    rules = rules_of(history, sources)
    reader = Reader(rules)
    with chunk_reading(fresh, reader) as read_chunks, record.writing() as writing:
        course, signatures = Course(rules), Signatures(record)
        for entry in record.entries():
            course.fold(entry.act)
            signatures.offices.fold(entry.act)
        noted: set[str] = set()
        folded = Folded()
        for file in fresh:
            acts = open_acts(file)
            intake = _FileIntake(acts, course, signatures, writing, folded)
            for _ in intake.take(acts.batches(reader, read_chunks)):
                tell(mark("Taking acts in: {count}"), {"count": f"{writing.size - writing.start:,}"})
            if acts.digest not in noted and not record.holds_file(acts.digest):
                writing.note_file(acts.digest, file.name)
            noted.add(acts.digest)
        return Intake(writing.start, writing.size, folded, writing.grown)


@dataclass
class _FileIntake:
    """One file on its way in. `passed` are the keys of its acts that the record held before the file.

    folded: the ballots that were taken in so far.
    """

    acts: ActFile
    course: Course
    signatures: Signatures
    writing: Writing
    folded: Folded
    passed: set[str] = field(default_factory=set)

    def take(self, batches: Iterator[Batch]) -> Iterator[None]:
        """Take one batch in after the other; the first one with a problem raises."""
        start = self.writing.size
        for batch in batches:
            if batch.problems:
                raise ActError(*batch.problems[:MOST_PROBLEMS])
            problems: list[Problem] = []
            rows, numbers = self._fresh(batch, start, problems)
            for position, breach in self.signatures.breaches(self.writing.size, rows):
                problems.append(breach.at(self.acts.place(numbers[position], breach.path)))
            if not plainly_timely(self.course, rows, batch.earliest):
                for number, row in zip(numbers, rows, strict=True):
                    problems += (breach.at(self.acts.place(number, breach.path)) for breach in self._untimely(row))
            if problems:
                raise ActError(*problems[:MOST_PROBLEMS])
            taken_whole = rows is batch.rows
            self.folded.add(batch.folded if taken_whole else folded_rows(rows), self.writing.size)
            self.writing.add(rows)
            yield

    def _fresh(self, batch: Batch, start: int, problems: list[Problem]) -> tuple[Rows, Sequence[int]]:
        """The rows that the record does not hold, with their numbers; those that contradict it go to `problems`."""
        keys = batch.rows.column("key")
        kept = self.writing.kept(keys)
        if not kept and len(set(keys)) == len(keys) and self.passed.isdisjoint(keys):
            return batch.rows, batch.numbers
        numbered = zip(batch.numbers, batch.rows, strict=True)
        sifted = list(self._sifted(numbered, kept, start, problems))
        return Rows.of(row for _, row in sifted), tuple(number for number, _ in sifted)

    def _sifted(
        self, numbered: Iterable[tuple[int, Row]], kept: Mapping[str, Kept], start: int, problems: list[Problem]
    ) -> Iterator[tuple[int, Row]]:
        here: set[str] = set()
        for number, row in numbered:
            held = kept.get(row.key)
            twice = row.key in here or row.key in self.passed or (held is not None and held.index >= start)
            here.add(row.key)
            if twice:
                problems.append(_twice(row).at(self.acts.place(number, ())))
            elif held is None:
                yield number, row
            elif held.leaf == row.leaf:
                self.passed.add(row.key)
            else:
                problems.append(_changed(row, held).at(self.acts.place(number, ())))

    def _untimely(self, row: Row) -> Sequence[Breach]:
        """What the acts before it do not allow; other acts than ballots are then part of the course."""
        if row.type == _BALLOT:
            return tuple(ballot_breaches(self.course, row))
        act = act_of(row.body)
        found = tuple(breaches(act, self.course))
        self.course.fold(act)
        return found


def _twice(row: Row) -> Breach:
    if row.type == _BALLOT:
        return Breach(
            "act-duplicate-ballot",
            "The ballot “{key}” stands twice in the file.",
            "A rater marks a team once for each measure or gate; keep one of the two.",
            {"key": row.key},
        )
    return Breach(
        "act-duplicate",
        "The act “{key}” stands twice in the file.",
        "Keep one of the two, or give the other an id of its own.",
        {"key": row.key},
    )


def _changed(row: Row, held: Kept) -> Breach:
    if row.type == _BALLOT:
        return Breach(
            "act-changed-ballot",
            "The record holds the ballot “{key}” with other content, at index {index}.",
            "Write the ballot as it was taken in; a rater marks a team once for each measure or gate.",
            {"key": row.key, "index": str(held.index)},
        )
    return Breach(
        "act-changed",
        "The record holds the act “{key}” with other content, at index {index}.",
        "Write the act as it was taken in, and answer or correct it with a later act that has an id of its own.",
        {"key": row.key, "index": str(held.index)},
    )
