"""The openings that an office keeps: files beside the record, never in it, held against what was sealed."""

from __future__ import annotations

from pathlib import Path

from dokja.errors import Place, Problem, RecordError
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.sealing.grid import Grid
from dokja.record.transparency.sealing.openings import LARGEST, Openings

ENDING = ".openings"


def opening_files(folder: Path) -> tuple[Path, ...]:
    """The files of openings in a folder, in the order of their names."""
    return tuple(sorted(folder.glob(f"*{ENDING}")))


def read_openings(folder: Path, grid: Grid) -> Openings:
    """What the files of a folder open; raises `RecordError` for the first opening that is wrong."""
    openings = Openings()
    for file in opening_files(folder):
        try:
            openings.take_all(read_file(file, LARGEST + 1), grid)
        except RefusedError as error:
            raise refused(file, error) from None
    return openings


def refused(file: Path, error: RefusedError) -> RecordError:
    """An opening that is refused, as a problem of its file."""
    return RecordError(
        Problem(
            "record-opening",
            "{code}: {detail}.",
            "Ask the rater for the openings as they were made, and keep no others in this folder.",
            Place(file),
            {"code": error.code, "detail": error.detail},
        )
    )
