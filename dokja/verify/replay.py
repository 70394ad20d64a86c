"""The replay: every act of a record held against the rulebook in force at its time, and every decision recomputed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from dokja.adjudicate import adjudicate, gather
from dokja.errors import NOWHERE, Problem
from dokja.intake.course import Course
from dokja.intake.draws import CODES as DRAW_CODES
from dokja.intake.reading import Reader
from dokja.intake.rules import rules_of
from dokja.intake.timely import ballot_breaches, breaches, plainly_timely
from dokja.language import mark
from dokja.record import Entry, act_of
from dokja.record.acts import AnyAct, RulebookAmended, RulebookPublished
from dokja.record.bulk import light
from dokja.record.canonical import Row
from dokja.record.folding import Folded, fold, joined
from dokja.record.parallel import spread
from dokja.record.transparency.sealing.ballots import SealedMarks, sealed_ballots, sealed_marks
from dokja.record.transparency.sealing.openings import Openings
from dokja.verify.amendments import amendment_faults, unpinned, unpublished
from dokja.verify.audiences import Audience, opened_to
from dokja.verify.course import Contents, Walk
from dokja.verify.decided import decision_faults, left_open
from dokja.verify.draws import on_its_word, unheard
from dokja.verify.duties import missed
from dokja.verify.procedure import procedure_faults, unanswered
from dokja.verify.reading import Batch, Cast, batches, clause_of, in_own_voice, read_batch
from dokja.verify.sealing import left_sealed, never_opened, opening_faults
from dokja.verify.verdict import Fault, Unchecked
from dokja.verify.weighing import unsaid
from dokja.verify.witnessed import UNKNOWN, Standing, ahead, late, uncarried

_OF_INTAKE: Mapping[str, str] = {
    "act-unknown-clause": "CLAUSE_UNKNOWN",
    "act-unknown-call": "PROCEDURE_NOT_PINNED",
    "act-call-not-open": "DEADLINE",
    **DRAW_CODES,
    "act-grid-incomplete": "GRID_INCOMPLETE",
    "act-sealed-twice": "GRID_TWICE",
    "act-stage-sealed-twice": "GRID_TWICE",
    "act-sealing-order": "GRID_ORDER",
    "act-stage-root": "GRID_ROOT",
}
"""Codes of the intake that the replay tells in words of its own; all others are `ACT_NOT_ALLOWED`."""

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
    cast = Cast()
    keys: set[str] = set()
    digests: dict[int, str | None] = {}
    with spread(partial(read_batch, Reader(rules)), processes) as read_all:
        for batch in read_all(batches(bodies)):
            if _all_allowed(walk, batch, keys):
                keys.update(batch.rows.column("key"))
                walk.note_ballots(batch.rows.column("key"))
                cast.add_all(batch)
                continue
            for index, row in batch.entries():
                if not isinstance(row, Row):
                    found.faults.extend(_of_intake(problem, index) for problem in row)
                    continue
                if row.key in keys:
                    said = mark("“{key}” stands in the record twice.")
                    found.faults.append(Fault("ACT_NOT_ALLOWED", said, {"key": row.key}, index))
                    continue
                keys.add(row.key)
                if row.type == "ballot":
                    found.faults.extend(_ballot(walk, index, row))
                    cast.add(light(index, row.body))
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
    missing = missed(walk, entries, cast.first, standing, found.faults)
    for each in (*missing, *late(walk, entries, standing)):
        if isinstance(each, Fault):
            found.faults.append(each)
        else:
            found.unchecked.append(each)
    vouched = tuple(zip(standing.sizes, standing.times, strict=True))
    found.unchecked.extend((*unpinned(walk, digests), *unsaid(walk), *on_its_word(entries, vouched), *unheard(walk)))
    marks, openings = _opened(walk, entries, shown, found)
    _recompute(contents, entries, _counted(cast, marks, openings), found)
    found.faults.sort(key=lambda fault: (fault.act is None, fault.act or 0))
    return found


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
    walk.note_ballots((row.key,))
    if not in_own_voice(row) or not _plainly_in_force(walk, row.when, row.stage or "", clause_of(row.body)):
        yield from procedure_faults(walk, index, act_of(row.body))


def _all_allowed(walk: Walk, batch: Batch, keys: set[str]) -> bool:
    """Whether a batch holds nothing but ballots, and plainly none of them has a fault."""
    if batch.folded is None or not plainly_timely(walk.course, batch.rows, batch.earliest):
        return False
    own = batch.rows.column("key")
    if len(set(own)) < len(own) or not keys.isdisjoint(own):
        return False
    return all(_plainly_in_force(walk, when, stage, clause) for (_, stage, clause), when in batch.said.items())


def _plainly_in_force(walk: Walk, when: str, stage: str, clause: str | None) -> bool:
    """Whether a ballot of a time is plainly right: its stage undecided, no number due, its clause in force."""
    if stage in walk.decisions or stage in walk.numbering_said(when):
        return False
    return clause is None or clause in walk.rules_said(when).enacted


def _act(walk: Walk, index: int, act: AnyAct) -> Iterable[Fault]:
    yield from (_of_intake(breach.at(NOWHERE), index) for breach in breaches(act, walk.course))
    yield from procedure_faults(walk, index, act)
    walk.course.fold(act)
    walk.fold(index, act)


def _counted(cast: Cast, marks: SealedMarks, openings: Openings) -> Folded:
    """All ballots that count: where marks on a measure or a gate are sealed, only those that were sealed do."""
    return joined((cast.folded().without(marks.grid.subjects), fold(sealed_ballots(marks, openings))))


def _recompute(contents: Contents, entries: list[Entry], ballots: Folded, found: Replay) -> None:
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
    outcome = adjudicate(contents.history, gather(entries, ballots, leave_out=leaks), tuple(sorted(leaks)))
    found.faults.extend(decision_faults(outcome))
    found.unchecked.extend(left_open(outcome))
