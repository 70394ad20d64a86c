"""The replay: every act of a record held against the rulebook in force at its time, and every decision recomputed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain, islice

from dokja.adjudicate import adjudicate, fold, gather
from dokja.errors import NOWHERE, Place, Problem
from dokja.intake.course import Course
from dokja.intake.draws import CODES as DRAW_CODES
from dokja.intake.reading import Reader
from dokja.intake.rules import rules_of
from dokja.intake.timely import ballot_breaches, breaches
from dokja.language import mark
from dokja.record import Entry, act_of
from dokja.record.acts import AnyAct, RulebookAmended, RulebookPublished
from dokja.record.bulk import light
from dokja.record.canonical import Row
from dokja.record.entries import BallotRow
from dokja.record.parallel import spread
from dokja.record.transparency.sealing.ballots import SealedMarks, counted_ballots, sealed_marks
from dokja.record.transparency.sealing.openings import Openings
from dokja.strict_yaml import Path_
from dokja.verify.amendments import amendment_faults, unpinned, unpublished
from dokja.verify.audiences import Audience, opened_to
from dokja.verify.course import Contents, Walk
from dokja.verify.decided import decision_faults, left_open
from dokja.verify.draws import on_its_word
from dokja.verify.duties import missed
from dokja.verify.procedure import procedure_faults, unanswered
from dokja.verify.sealing import left_sealed, never_opened, opening_faults
from dokja.verify.verdict import Fault, Unchecked
from dokja.verify.weighing import unsaid
from dokja.verify.witnessed import UNKNOWN, Standing, ahead, uncarried

_OF_INTAKE: Mapping[str, str] = {
    "act-unknown-clause": "CLAUSE_UNKNOWN",
    "act-unknown-call": "PROCEDURE_NOT_PINNED",
    "act-call-not-open": "DEADLINE",
    **DRAW_CODES,
    "act-grid-incomplete": "GRID_INCOMPLETE",
    "act-sealed-twice": "GRID_TWICE",
    "act-sealing-order": "GRID_ORDER",
    "act-stage-root": "GRID_ROOT",
}
"""Codes of the intake that the replay tells in words of its own; all others are `ACT_NOT_ALLOWED`."""

_BATCH = 2_000
"""Entries that are read in one go."""

_CLAUSE_FIRST = re.compile(rb'\{"clause":"([a-z0-9.-]+)",')

__all__ = ["Contents", "Replay", "Shown", "replay"]


@dataclass
class Replay:
    """What a replay found, in the order in which it was found."""

    faults: list[Fault] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """What a bundle opens of sealed marks, to whom, and when that was chosen; `None` for what is not known."""

    openings: Openings | None = None
    audience: Audience | None = None
    at: datetime | None = None


NOTHING_SHOWN = Shown()


def replay(
    contents: Contents,
    bodies: Iterable[bytes],
    standing: Standing = UNKNOWN,
    shown: Shown = NOTHING_SHOWN,
    processes: int = 1,
) -> Replay:
    """Replay a record's entries, in order, under the rulebook that came with them; `standing`: what is witnessed.

    What an entry says by itself is read in `processes` processes; what it means after those before it, in this one.
    """
    found = Replay()
    rules = rules_of(contents.history, frozenset(source.id for source in contents.about.sources))
    walk = Walk(contents, rules, Course(rules))
    entries: list[Entry] = []
    ballots: list[BallotRow] = []
    keys: set[str] = set()
    digests: dict[int, str | None] = {}
    with spread(partial(_read, Reader(rules)), processes) as read_all:
        for index, (row, ballot) in enumerate(chain.from_iterable(read_all(_batches(bodies)))):
            if not isinstance(row, Row):
                found.faults.extend(_of_intake(problem, index) for problem in row)
                continue
            if row.key in keys:
                said = mark("“{key}” stands in the record twice.")
                found.faults.append(Fault("ACT_NOT_ALLOWED", said, {"key": row.key}, index))
                continue
            keys.add(row.key)
            if ballot is not None:
                found.faults.extend(_ballot(walk, index, row))
                ballots.append(ballot)
                continue
            act = act_of(row.body)
            found.faults.extend(_act(walk, index, act))
            entries.append(Entry(index, act))
            if isinstance(act, RulebookPublished | RulebookAmended):
                digests[act.number] = act.digest
    found.faults.extend(
        (*amendment_faults(walk), *unpublished(walk), *unanswered(walk), *uncarried(entries, standing.carried))
    )
    found.faults.extend(ahead(entries, standing))
    for each in tuple(missed(walk, entries, ballots, standing, found.faults)):
        if isinstance(each, Fault):
            found.faults.append(each)
        else:
            found.unchecked.append(each)
    vouched = tuple(zip(standing.sizes, standing.times, strict=True))
    found.unchecked.extend((*unpinned(walk, digests), *unsaid(walk), *on_its_word(entries, vouched)))
    marks, openings = _opened(walk, entries, shown, found)
    _recompute(contents, entries, counted_ballots(ballots, marks, openings), found)
    found.faults.sort(key=lambda fault: (fault.act is None, fault.act or 0))
    return found


def _batches(bodies: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Entries by the thousand, each batch with the index of its first."""
    rest, first = iter(bodies), 0
    while batch := list(islice(rest, _BATCH)):
        yield first, batch
        first += len(batch)


def _read(reader: Reader, batch: tuple[int, list[bytes]]) -> list[tuple[Row | tuple[Problem, ...], BallotRow | None]]:
    """What each entry of a batch says by itself: its row or what is wrong with it, and a ballot's marks."""
    first, bodies = batch
    rows = (reader.read_line(body, _nowhere) for body in bodies)
    return [
        (row, light(index, row.body) if isinstance(row, Row) and row.type == "ballot" else None)
        for index, row in enumerate(rows, start=first)
    ]


def _nowhere(_: Path_) -> Place:
    return NOWHERE


def _opened(walk: Walk, entries: list[Entry], shown: Shown, found: Replay) -> tuple[SealedMarks, Openings]:
    """What is sealed, and what of it this bundle opens."""
    marks = sealed_marks(entries)
    found.faults.extend(never_opened(walk, marks))
    if shown.openings is None:
        if marks.rows:
            found.unchecked.append(Unchecked(mark("Sealed marks: their openings were refused."), needed=True))
        return marks, Openings()
    opened = None
    if shown.audience is not None and shown.at is not None:
        opened = opened_to(shown.audience, shown.at, walk.contents.history, entries, marks)
    found.faults.extend(opening_faults(walk, marks, shown.openings, opened))
    found.unchecked.extend(left_sealed(marks, shown.openings, opened))
    return marks, shown.openings


def _of_intake(problem: Problem, index: int) -> Fault:
    return Fault(_OF_INTAKE.get(problem.code, "ACT_NOT_ALLOWED"), problem.what, problem.values, index)


def _ballot(walk: Walk, index: int, row: Row) -> Iterable[Fault]:
    """A ballot; its act is built only where more is asked of it than its row says, for there may be millions."""
    yield from (_of_intake(breach.at(NOWHERE), index) for breach in ballot_breaches(walk.course, row))
    walk.note_ballot(row)
    if row.stage in walk.decisions or b'"signature"' in row.body or not _clause_plainly_in_force(walk, row):
        yield from procedure_faults(walk, index, act_of(row.body))


def _clause_plainly_in_force(walk: Walk, row: Row) -> bool:
    """Whether a ballot names no clause, or first of all one in force; in canonical bytes a clause stands first."""
    if b'"clause"' not in row.body:
        return True
    named = _CLAUSE_FIRST.match(row.body)
    return named is not None and named[1].decode() in walk.rules_said(row.when).enacted


def _act(walk: Walk, index: int, act: AnyAct) -> Iterable[Fault]:
    yield from (_of_intake(breach.at(NOWHERE), index) for breach in breaches(act, walk.course))
    yield from procedure_faults(walk, index, act)
    walk.course.fold(act)
    walk.fold(index, act)


def _recompute(contents: Contents, entries: list[Entry], ballots: Iterable[BallotRow], found: Replay) -> None:
    """Work the outcome out anew, without leaks, and hold the decisions against it."""
    if not entries:
        return
    if any(fault.code == "ACT_NOT_ALLOWED" for fault in found.faults):
        said = mark("The outcome: an act that cannot have happened stands in the record.")
        found.unchecked.append(Unchecked(said, needed=True))
        return
    leaks = frozenset(source.id for source in contents.about.sources if source.standing == "leak")
    cited = sorted({entry.act.source for entry in entries if entry.act.source in leaks} - {None})
    if cited:
        said = mark("What leaked: acts that rest on {sources} were left out of the outcome.")
        found.unchecked.append(Unchecked(said, {"sources": ", ".join(map(str, cited))}))
    outcome = adjudicate(contents.history, gather(entries, fold(ballots), leave_out=leaks), tuple(sorted(leaks)))
    found.faults.extend(decision_faults(outcome))
    found.unchecked.extend(left_open(outcome))
