"""Everything that pages and terminals show of a programme, worked out from its record."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from dokja.adjudicate import Outcome, adjudicate, gather
from dokja.errors import Place, Problem, ProgrammeError
from dokja.intake import Intake
from dokja.programme.ballots import ballots_folded
from dokja.programme.folder import Programme
from dokja.programme.standing import signed
from dokja.record import Record
from dokja.record.acts import Ballot
from dokja.record.transparency.placing import places
from dokja.report import Publication
from dokja.rulebook import lint


def publish(
    programme: Programme,
    record: Record,
    hidden: Collection[str],
    *,
    fresh: Intake | None = None,
    alternatives: bool = True,
    proofs: bool = False,
) -> Publication:
    """Everything that pages and terminals show of a programme, worked out from its record.

    What others append meanwhile is left to the next run. Beside the outcome itself stands the one without leaks,
    where leaks count and say anything. fresh: what was taken in just now, so that it need not be read again. proofs:
    with the proof of every act, for the pages.
    """
    head = record.head
    if fresh is not None and fresh.size != head.size:
        fresh = None
    entries = tuple(entry for entry in record.entries(before=head.size) if not isinstance(entry.act, Ballot))
    if not entries:
        raise _no_acts(programme)
    ballots = ballots_folded(record, head.size, entries, programme.openings_folder, fresh)

    def outcome_without(sources: Collection[str]) -> Outcome:
        return adjudicate(programme.history, gather(entries, ballots, leave_out=sources), tuple(sorted(sources)))

    leaks = {source.id for source in programme.about.sources if source.standing == "leak"} - set(hidden)
    cited = {entry.act.source for entry in entries}
    wanted = alternatives and bool(leaks & cited)
    without = {"leaks": outcome_without({*hidden, *leaks})} if wanted else {}
    grown = fresh.grown if fresh else None
    # Nothing of the outcome is asked where an act stands, so that both can be found out side by side.
    with ThreadPoolExecutor(1) as beside:
        placing = beside.submit(places, record, head.size, programme.log_folder, entries, grown) if proofs else None
        outcome = outcome_without(hidden)
    return Publication(
        about=programme.about,
        history=programme.history,
        findings=lint(programme.history),
        acts={entry.index: entry.act for entry in entries},
        outcome=outcome,
        size=head.size,
        root=head.root.hex(),
        alternatives=without,
        signed=signed(programme),
        places=placing.result() if placing else {},
    )


def _no_acts(programme: Programme) -> ProgrammeError:
    return ProgrammeError(
        Problem(
            "programme-no-acts",
            "The programme has no acts yet.",
            "Write acts/0001-….yaml.",
            Place(programme.folder),
        )
    )
