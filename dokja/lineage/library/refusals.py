"""Why a library is refused: one table of stable codes, each with what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from dokja.errors import NOWHERE, LibraryError, Place, Problem
from dokja.lineage.checkpoint.refusals import shown

Code = Literal[
    "library-absent",
    "library-busy",
    "library-damaged",
    "library-format",
    "library-misfit",
    "library-name",
    "library-name-taken",
    "library-nothing",
    "library-other-key",
    "library-pack-damaged",
    "library-pack-missing",
    "library-ray",
    "library-units",
    "library-unpacked",
    "library-unwritable",
    "library-worker",
]


class Refusal(NamedTuple):
    """What is wrong, and how to mend it: message ids."""

    what: str
    mend: str


RESTORE = "Restore the library from a copy, or build it anew."

REFUSALS: Mapping[Code, Refusal] = MappingProxyType(
    {
        "library-absent": Refusal(
            "There is no library of references here.", "Build one with: dokja library build DIR CHECKPOINT…"
        ),
        "library-busy": Refusal("Another process is writing this library.", "Wait until it has ended."),
        "library-damaged": Refusal("The index of the library is not what was written.", RESTORE),
        "library-format": Refusal(
            "The file is of the format {found}; this version of dokja reads {format}.", "Build the library anew."
        ),
        "library-misfit": Refusal("What the file says of itself does not fit together: {reason}.", RESTORE),
        "library-name": Refusal(
            "“{name}” cannot name a reference.", "Use up to 200 visible characters, each name once."
        ),
        "library-name-taken": Refusal(
            "The library holds other weights under the name “{name}”.", "Choose another name: NAME=CHECKPOINT"
        ),
        "library-nothing": Refusal("No checkpoint was named.", "Name at least one."),
        "library-other-key": Refusal(
            "The library was built with another key or another number of units.",
            "Give the key and the number it was built with, or build into an empty folder.",
        ),
        "library-pack-damaged": Refusal("The pack of “{name}” is not what was written.", RESTORE),
        "library-pack-missing": Refusal("The pack of “{name}” is missing.", RESTORE),
        "library-ray": Refusal("The Ray cluster cannot be used: {reason}.", "Install dokja[ray], or give a number."),
        "library-units": Refusal(
            "A pack keeps 8 to {most} units of an axis, not {units}.", "Choose a number in this range."
        ),
        "library-unpacked": Refusal(
            "Of “{name}” the library keeps a fingerprint alone, which no audit can ask.",
            "Add its pack: dokja library add DIR NAME=CHECKPOINT",
        ),
        "library-unwritable": Refusal(
            "The library cannot be written: {reason}.", "Mend its permissions or the disk."
        ),
        "library-worker": Refusal(
            "A process that made a pack was ended from outside, as systems do when memory runs out.",
            "Begin again with fewer --workers; packs that stand are kept.",
        ),
    }
)

CODES: tuple[Code, ...] = get_args(Code)


def problem(code: Code, where: str | Path | None = None, **values: object) -> Problem:
    """The problem of this code, with its placeholders filled."""
    refusal = REFUSALS[code]
    place = NOWHERE if where is None else Place(Path(where))
    return Problem(code, refusal.what, refusal.mend, place, {key: shown(value) for key, value in values.items()})


def refused(code: Code, where: str | Path | None = None, **values: object) -> LibraryError:
    """The error to raise."""
    return LibraryError(problem(code, where, **values))
