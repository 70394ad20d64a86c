"""Marks of a rater's own file → the act that seals them; the openings that raters hand over → the office's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from dokja.errors import ActError, Place, Problem
from dokja.intake.admissible import mark_form, marks_outside
from dokja.intake.course import Course
from dokja.intake.rules import rules_of
from dokja.intake.timely import breaches
from dokja.programme.folder import Programme
from dokja.programme.marks_file import read_marks
from dokja.record import Record
from dokja.record.acts import MarksOpened
from dokja.record.transparency import RefusedError
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.sealing.kept import ENDING, refused
from dokja.record.transparency.sealing.making import Sealed, seal_marks
from dokja.record.transparency.sealing.openings import LARGEST, Openings
from dokja.record.transparency.sealing.private_files import there_already, write_private
from dokja.strict_yaml import problems_of
from dokja.values import utc_text


@dataclass(frozen=True)
class Task:
    """What a rater marks: a measure, or a gate, of a stage for a panel."""

    stage: str
    panel: str
    rater: str
    measure: str | None = None
    gate: str | None = None

    @property
    def act(self) -> str:
        """The id of the act that seals it."""
        return f"sealed-{self.stage}-{self.panel}-{self.measure or self.gate}-{self.rater}"


def course_of(programme: Programme, record: Record) -> Course:
    """What has happened by the record."""
    course = Course(rules_of(programme.history, frozenset(programme.sources)))
    for entry in record.entries():
        course.fold(entry.act)
    return course


def seal(file: Path, task: Task, when: datetime, programme: Programme, record: Record) -> Sealed:
    """Seal the marks of a rater's file; raises `ActError`."""
    course = course_of(programme, record)
    moment = utc_text(when)
    form = mark_form(course.rules, moment, task.stage, task.panel, task.measure, task.gate)
    if form.breaches:
        raise ActError(*(breach.at(Place(file)) for breach in form.breaches))
    marks = read_marks(file, course.stage(task.stage).teams(moment), tuple(form.marks))
    for said in marks.values():
        decimals = {name: Decimal(value) for name, value in said.items() if name and isinstance(value, str)}
        if outside := [*marks_outside(form, decimals)]:
            raise ActError(*(breach.at(Place(file)) for breach in outside))
    try:
        return seal_marks(
            task.act,
            when,
            stage=task.stage,
            panel=task.panel,
            rater=task.rater,
            marks=marks,
            measure=task.measure,
            criteria=tuple(form.marks),
            gate=task.gate,
        )
    except ValidationError as error:
        raise ActError(*problems_of(error, {}, lambda _: Place(file), "act-schema")) from error


def write_openings(openings: Sequence[str], file: Path) -> None:
    """Write openings to a file that only its owner can read; nothing is written over."""
    write_private(file, "".join(f"{opening}\n" for opening in openings))


def take_openings(
    files: Sequence[Path], stage: str, named: str, who: str, when: datetime, programme: Programme, course: Course
) -> MarksOpened:
    """Put raters' files of openings into the office's folder, each opening checked; the act that says so.

    Raises `RecordError` or `ActError`; then nothing was written.
    """
    grid, lines = course.grid, dict[str, list[str]]()
    for file in files:
        held = Openings()
        try:
            held.take_all(read_file(file, LARGEST + 1), grid)
        except RefusedError as error:
            raise refused(file, error) from None
        for act in held.values:
            row = grid.acts[act]
            if act in lines or row.key[0] != stage or None in held.values[act]:
                raise ActError(
                    Problem(
                        "act-openings",
                        "What it opens of “{act}” is not of the stage “{stage}”, or not whole, or there twice.",
                        "Hand over the whole file of each rater, once.",
                        Place(file),
                        {"act": act, "stage": stage},
                    )
                )
            lines[act] = [held.written[act, place] for place in range(row.cells)]
    targets = {act: programme.openings_folder / f"{act}{ENDING}" for act in lines}
    for target in targets.values():
        if target.exists():
            raise there_already(target)
    opened = MarksOpened(type="marks-opened", id=named, who=who, when=when, stage=stage, sealed=tuple(lines))
    if refused_ := [breach.at(Place(files[0])) for breach in breaches(opened, course)]:
        raise ActError(*refused_)
    for act, target in targets.items():
        write_openings(lines[act], target)
    return opened
