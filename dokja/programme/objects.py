"""Files outside the record that an act pins by a salted digest, personal data for one; they go with their salts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from dokja.errors import ActError, Place, Problem
from dokja.programme.folder import Programme
from dokja.record.acts import ObjectDeleted, ObjectPinned
from dokja.record.transparency.sealing.objects import pin
from dokja.record.transparency.sealing.private_files import write_private
from dokja.strict_yaml import problems_of, read_bytes

MOST_BYTES = 1_000_000
ENDING = ".object"


def pin_file(named: str, file: Path, who: str, when: datetime, programme: Programme) -> ObjectPinned:
    """Keep a text file among the programme's objects; the act that pins it. Raises `ActError`."""
    try:
        text = read_bytes(file, MOST_BYTES, ActError).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ActError(
            Problem("act-object-file", "The file is no text in UTF-8.", "Pin texts only.", Place(file))
        ) from error
    disclosure, digest = pin(named, text)
    try:
        act = ObjectPinned(
            type="object-pinned", id=f"pinned-{named}", who=who, when=when, object=named, digest=digest
        )
    except ValidationError as error:
        raise ActError(*problems_of(error, {}, lambda _: Place(file), "act-schema")) from error
    write_private(programme.objects_folder / f"{named}{ENDING}", f"{disclosure}\n")
    return act


def delete_object(named: str, who: str, when: datetime, programme: Programme) -> ObjectDeleted:
    """Delete an object's file; the act that says so. Raises `ActError` where there is none."""
    file = programme.objects_folder / f"{named}{ENDING}"
    try:
        act = ObjectDeleted(type="object-deleted", id=f"deleted-{named}", who=who, when=when, object=named)
        file.unlink()
    except ValidationError as error:
        raise ActError(*problems_of(error, {}, lambda _: Place(file), "act-schema")) from error
    except FileNotFoundError as error:
        raise ActError(Problem("file-missing", "There is no such file.", "Check the path.", Place(file))) from error
    return act
