"""Everything that pages and terminals show of a programme, worked out from its record."""

from __future__ import annotations

from collections.abc import Collection

from dokja.adjudicate import Outcome, adjudicate, gather
from dokja.errors import Place, Problem, ProgrammeError
from dokja.programme.folder import Programme
from dokja.programme.standing import signed
from dokja.record import Record
from dokja.record.acts import Ballot
from dokja.record.entries import Entry
from dokja.record.transparency.placing import places
from dokja.record.transparency.sealing.ballots import counted_ballots, sealed_marks
from dokja.record.transparency.sealing.kept import read_openings
from dokja.record.transparency.sealing.openings import Openings
from dokja.report import Publication
from dokja.rulebook import lint


def publish(
    programme: Programme,
    record: Record,
    hidden: Collection[str],
    *,
    alternatives: bool = True,
    proofs: bool = False,
) -> Publication:
    """Everything that pages and terminals show of a programme, worked out from its record.

    Beside the outcome itself stands the one without leaks, where leaks count and say anything. proofs: with the
    proof of every act, for the pages.
    """
    entries = tuple(entry for entry in record.entries() if not isinstance(entry.act, Ballot))
    outcome = _outcome(programme, record, entries, hidden)
    leaks = {source.id for source in programme.about.sources if source.standing == "leak"} - set(hidden)
    cited = {entry.act.source for entry in entries}
    wanted = alternatives and bool(leaks & cited)
    without = {"leaks": _outcome(programme, record, entries, {*hidden, *leaks})} if wanted else {}
    return Publication(
        about=programme.about,
        history=programme.history,
        findings=lint(programme.history),
        acts={entry.index: entry.act for entry in entries},
        outcome=outcome,
        size=record.size,
        root=record.root.hex(),
        alternatives=without,
        signed=signed(programme),
        places=places(record, programme.log_folder, entries) if proofs else {},
    )


def _outcome(programme: Programme, record: Record, entries: tuple[Entry, ...], hidden: Collection[str]) -> Outcome:
    if not entries:
        raise ProgrammeError(
            Problem(
                "programme-no-acts",
                "The programme has no acts yet.",
                "Write acts/0001-….yaml.",
                Place(programme.folder),
            )
        )
    marks = sealed_marks(entries)
    openings = read_openings(programme.openings_folder, marks.grid) if marks.rows else Openings()
    ballots = counted_ballots(record.ballots(), marks, openings)
    evidence = gather(entries, ballots, leave_out=hidden)
    return adjudicate(programme.history, evidence, tuple(sorted(hidden)))
