"""`dokja run`: acts into the record, the outcome worked out, the pages written; what was done is not done again.

A run with nothing to do is over before anything is loaded that would do it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dokja.errors import Place, Problem, ProgrammeError
from dokja.language import Tell, mark, untold
from dokja.programme.folder import Programme
from dokja.programme.stamp import OUTCOME_FILE, Stamp, stamp_of, up_to_date, written_stamp
from dokja.record import open_record
from dokja.record.transparency.continuing import hold_to_signed

_LARGE = 1024 * 1024
"""Bytes of acts from which on other processes are begun at once, to be ready when there is work for them."""

if TYPE_CHECKING:
    from dokja.report import Publication


@dataclass(frozen=True)
class Run:
    """What a run did.

    taken: acts newly taken in. publication: `None` where the site was up to date and nothing had to be worked out.
    """

    stamp: Stamp
    taken: int
    site: Path | None
    publication: Publication | None


def run(
    programme: Programme,
    *,
    leave_out: Collection[str] = (),
    site: bool = True,
    alternatives: bool = True,
    tell: Tell = untold,
) -> Run:
    """Take new acts in, work out the outcome, write the site.

    leave_out: standings ("leaks") or ids of sources whose acts do not count. alternatives: work out as well what
    follows without leaks, which pages show. tell: is told what is being done, as a message id and its values. Raises
    the errors of reading, of the acts and of the record; then nothing has been changed.
    """
    hidden = hidden_sources(programme, leave_out)
    if site and (stamp := up_to_date(programme, hidden)) is not None:
        return Run(stamp, 0, programme.site_folder, None)

    from dokja.intake import take_in
    from dokja.programme.publishing import publish
    from dokja.record.parallel import make_ready
    from dokja.report import write_site
    from dokja.report.machine_readable import to_json

    if sum(file.stat().st_size for file in programme.act_files if file.is_file()) > _LARGE:
        make_ready()
    history = programme.history
    with open_record(programme.record_at, programme=programme.about.id) as record:
        hold_to_signed(record, programme.log_folder / "checkpoint")
        intake = take_in(programme.act_files, history, frozenset(programme.sources), record, tell)
        stamp = stamp_of(programme, hidden, record)
        if site and stamp == written_stamp(programme.site_folder):
            return Run(stamp, intake.taken, programme.site_folder, None)
        tell(mark("Working out what follows from {size} acts"), {"size": f"{stamp.size:,}"})
        publication = publish(programme, record, hidden, fresh=intake, alternatives=alternatives or site, proofs=site)
    if not site:
        return Run(stamp, intake.taken, None, publication)
    tell(mark("Writing the pages"), {})
    extra = {OUTCOME_FILE: to_json({"stamp": stamp, "outcome": publication.outcome})}
    write_site(publication, programme.site_folder, extra)
    return Run(stamp, intake.taken, programme.site_folder, publication)


def hidden_sources(programme: Programme, leave_out: Collection[str]) -> frozenset[str]:
    """The ids of the sources that are named by id or by standing ("leaks" and "leak" both name the leaks)."""
    hidden: set[str] = set()
    for name in leave_out:
        named = {
            source.id
            for source in programme.about.sources
            if name in (source.id, source.standing, f"{source.standing}s")
        }
        if not named:
            raise ProgrammeError(
                Problem(
                    "programme-unknown-source",
                    "No source is called “{name}” and none has that standing.",
                    "Name one of: leaks, press, official, own, {sources}.",
                    Place(programme.folder / "programme.yaml"),
                    {"name": name, "sources": ", ".join(sorted(programme.sources))},
                )
            )
        hidden |= named
    return frozenset(hidden)
