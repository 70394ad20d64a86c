"""What a site was made from, and whether it is still what a run would write: nothing is worked out to tell that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dokja import __version__
from dokja.errors import ActError
from dokja.programme.folder import Programme
from dokja.record import Record, record_if_any
from dokja.record.transparency.continuing import hold_to_signed
from dokja.record.transparency.sealing.kept import opening_files
from dokja.strict_yaml import digest_of_file

OUTCOME_FILE = "outcome.json"

FORMAT = 1
"""Version of the JSON that `dokja … --json` and `outcome.json` hold; raised when a field changes its meaning."""


@dataclass(frozen=True)
class Stamp:
    """What a site was made from; a site with the same stamp is up to date."""

    dokja: str
    format: int
    inputs: str
    without: tuple[str, ...]
    size: int
    root: str


def stamp_of(programme: Programme, hidden: Collection[str], record: Record) -> Stamp:
    """The stamp of a site that is written now; hidden: the ids of the sources that do not count."""
    head = record.head
    return Stamp(__version__, FORMAT, _inputs(programme), tuple(sorted(hidden)), head.size, head.root.hex())


def written_stamp(folder: Path) -> Stamp | None:
    """The stamp of the site that stands there, `None` where there is none or it cannot be read."""
    try:
        held = json.loads((folder / OUTCOME_FILE).read_text(encoding="utf-8"))["stamp"]
        return Stamp(**{**held, "without": tuple(held["without"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def up_to_date(programme: Programme, hidden: Collection[str]) -> Stamp | None:
    """The stamp of a site that a run would write again as it stands, every file of acts being in the record.

    `None` where there is anything to do. Raises `RecordError` where the record does not go on from what was signed.
    """
    written = written_stamp(programme.site_folder)
    if written is None or (record := record_if_any(programme.record_at, programme.about.id)) is None:
        return None
    with record:
        if written != stamp_of(programme, hidden, record):
            return None
        hold_to_signed(record, programme.log_folder / "checkpoint")
        held = all(record.holds_file(digest_of_file(file, ActError)) for file in programme.act_files)
    return written if held else None


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
