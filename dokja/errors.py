"""The one family of errors that dokja raises on purpose.

An error carries data (a stable code, where, what is wrong, how to mend it); the face that shows it decides how.
Codes never change their meaning; `docs/errors.md` lists them. Texts are message ids of the Babel catalogue, with
`{named}` placeholders filled from `values`, so that every face can say them in Korean and in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where something stands in a file (or at a URL); lines and columns count from 1, `None` where there is none."""

    file: Path | None = None
    line: int | None = None
    column: int | None = None
    url: str | None = None

    def __str__(self) -> str:
        parts = [str(self.file)] if self.file else [self.url] if self.url else []
        parts += [str(number) for number in (self.line, self.column) if number is not None]
        return ":".join(parts)


NOWHERE = Place()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: stable code, place, what is wrong, how to mend it.

    `what` and `mend` are English message ids; `values` fills their `{named}` placeholders.
    """

    code: str
    what: str
    mend: str
    place: Place = NOWHERE
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        return f"{where}{self.code} {self.what.format(**self.values)} {self.mend.format(**self.values)}".strip()


class DokjaError(Exception):
    """Base of the family: one or more problems, found before anything was changed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class RulebookError(DokjaError):
    """A rulebook, or an amendment of one, cannot be read as what it claims to be."""


class ActError(DokjaError):
    """An act is malformed, or cannot have happened under the rulebook and the acts before it."""


class RecordError(DokjaError):
    """The record cannot be written, or is not what it was."""


class ProgrammeError(DokjaError):
    """A programme folder, or something asked of it, does not exist or does not fit together."""


class LibraryError(DokjaError):
    """A library of references is not what it was, or does not fit what is asked of it."""


class CheckpointError(DokjaError):
    """A checkpoint of weights cannot be read as what it claims to be, or changed while it was read."""


class ManifestError(DokjaError):
    """What was handed in cannot be listed file by file, or is not what was signed."""


class DeviceError(DokjaError):
    """There is no such device to count on, or nothing to use it with."""
