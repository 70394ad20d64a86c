"""A programme on disk: `programme.yaml`, the rulebook's files, the acts' files, and where generated things go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import URL

from dokja.errors import Place, Problem, ProgrammeError
from dokja.language import mark
from dokja.programme.record_place import record_place
from dokja.record.about import About, Party, Source
from dokja.rulebook import History, read_rulebook
from dokja.strict_yaml import Document, read_yaml, typed

PROGRAMME = TypeAdapter(About)


@dataclass(frozen=True)
class Programme:
    """A programme's folder, read; its rulebook is read when it is first asked for."""

    folder: Path
    about: About

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sources by their ids."""
        return {source.id: source for source in self.about.sources}

    @cached_property
    def rulebook_files(self) -> tuple[Path, ...]:
        """The files of the rulebook, in the order of their names."""
        return tuple(sorted((self.folder / "rulebook").glob("*.yaml")))

    @cached_property
    def act_files(self) -> tuple[Path, ...]:
        """The files of acts, in the order of their names."""
        return tuple(sorted(path for kind in ("*.yaml", "*.jsonl") for path in (self.folder / "acts").glob(kind)))

    @cached_property
    def history(self) -> History:
        """The rulebook and its amendments."""
        return read_rulebook(self.rulebook_files)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown."""
        return ZoneInfo(self.about.time_zone)

    @cached_property
    def record_at(self) -> Path | URL:
        """Where the record is kept: a file of this folder, or a database; raises `ProgrammeError`, `RecordError`."""
        return record_place(self.folder)

    @property
    def record_folder(self) -> Path:
        """Where generated things lie that belong to the record."""
        return self.folder / "record"

    @property
    def log_folder(self) -> Path:
        """Where the signed log lies."""
        return self.record_folder / "log"

    @property
    def policy_file(self) -> Path:
        """Who the record's witnesses are, where the programme has any."""
        return self.folder / "policy"

    @property
    def openings_folder(self) -> Path:
        """Where the office keeps what opens sealed marks."""
        return self.folder / "openings"

    @property
    def objects_folder(self) -> Path:
        """Where files lie that the record pins and does not hold."""
        return self.folder / "objects"

    @property
    def site_folder(self) -> Path:
        """Where the public pages are written."""
        return self.folder / "site"


def open_programme(folder: Path) -> Programme:
    """Read `programme.yaml` of a folder; raises `ProgrammeError` where there is none or it is not one."""
    file = folder / "programme.yaml"
    if not file.is_file():
        raise ProgrammeError(
            Problem(
                "programme-missing",
                "There is no programme in this folder.",
                "Name a folder that holds programme.yaml, or make one with: dokja init {folder}",
                Place(folder),
                {"folder": str(folder)},
            )
        )
    source = read_yaml(file, ProgrammeError)
    about = typed(source, PROGRAMME, ProgrammeError, "programme-schema")
    _refuse_twins(source, about)
    return Programme(folder, about)


def _refuse_twins(source: Document, about: About) -> None:
    listed: tuple[tuple[str, Sequence[Source | Party], str, str], ...] = (
        ("sources", about.sources, "programme-duplicate-source", mark("The source “{id}” stands twice.")),
        ("parties", about.parties, "programme-duplicate-party", mark("The party “{id}” stands twice.")),
    )
    for field, entries, code, what in listed:
        seen: set[str] = set()
        for position, each in enumerate(entries):
            if each.id in seen:
                place = source.place((field, position, "id"))
                raise ProgrammeError(Problem(code, what, "Keep one of them.", place, {"id": each.id}))
            seen.add(each.id)
