"""`dokja run`: acts into the record, the outcome worked out, the pages written; what was done is not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dokja import __version__
from dokja.adjudicate import Outcome, adjudicate, gather
from dokja.errors import Place, Problem, ProgrammeError
from dokja.intake import take_in
from dokja.programme.folder import Programme
from dokja.programme.standing import signed
from dokja.record import Record, open_record
from dokja.record.acts import Ballot
from dokja.record.entries import Entry
from dokja.record.transparency.continuing import hold_to_signed
from dokja.record.transparency.placing import places
from dokja.record.transparency.sealing.ballots import counted_ballots, sealed_marks
from dokja.record.transparency.sealing.kept import opening_files, read_openings
from dokja.record.transparency.sealing.openings import Openings
from dokja.report import Publication, write_site
from dokja.report.machine_readable import FORMAT, to_json
from dokja.rulebook import lint

OUTCOME_FILE = "outcome.json"


@dataclass(frozen=True)
class Stamp:
    """What a site was made from; a site with the same stamp is up to date."""

    dokja: str
    format: int
    inputs: str
    without: tuple[str, ...]
    size: int
    root: str


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
    programme: Programme, *, leave_out: Collection[str] = (), site: bool = True, alternatives: bool = True
) -> Run:
    """Take new acts in, work out the outcome, write the site.

    leave_out: standings ("leaks") or ids of sources whose acts do not count. alternatives: work out as well what
    follows without leaks, which pages show. Raises the errors of reading, of the
    acts and of the record; then nothing has been changed.
    """
    hidden = hidden_sources(programme, leave_out)
    history = programme.history
    with open_record(programme.record_file) as record:
        hold_to_signed(record, programme.log_folder / "checkpoint")
        intake = take_in(programme.act_files, history, frozenset(programme.sources), record)
        stamp = Stamp(__version__, FORMAT, _inputs(programme), tuple(sorted(hidden)), record.size, record.root.hex())
        if site and _written(programme.site_folder) == stamp:
            return Run(stamp, intake.taken, programme.site_folder, None)
        publication = publish(programme, record, hidden, alternatives=alternatives or site, proofs=site)
    if not site:
        return Run(stamp, intake.taken, None, publication)
    extra = {OUTCOME_FILE: to_json({"stamp": stamp, "outcome": publication.outcome})}
    write_site(publication, programme.site_folder, extra)
    return Run(stamp, intake.taken, programme.site_folder, publication)


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
    horizon = max(entry.act.when for entry in entries)
    marks = sealed_marks(entries)
    openings = read_openings(programme.openings_folder, marks.grid) if marks.rows else Openings()
    ballots = counted_ballots(record.ballots(), marks, openings)
    evidence = gather(entries, ballots, horizon, hidden)
    return adjudicate(programme.history, evidence, tuple(sorted(hidden)))


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


def _inputs(programme: Programme) -> str:
    """One digest of everything but the acts that a site is made from."""
    digest = hashlib.sha256()
    openings = opening_files(programme.openings_folder)
    for file in (programme.folder / "programme.yaml", *programme.rulebook_files, *openings):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    for file in (programme.log_folder / "checkpoint", programme.policy_file):
        if file.is_file():
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _written(folder: Path) -> Stamp | None:
    """The stamp of the site that stands there, `None` where there is none or it cannot be read."""
    try:
        held = json.loads((folder / OUTCOME_FILE).read_text(encoding="utf-8"))["stamp"]
        return Stamp(**{**held, "without": tuple(held["without"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
