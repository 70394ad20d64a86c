"""What a file of a library says of itself, as the type that its reader relies on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from dokja.language import mark
from dokja.lineage.library.columns import Columns, json_bytes
from dokja.lineage.library.refusals import refused

if TYPE_CHECKING:
    from pydantic import TypeAdapter

X = TypeVar("X")


def about_as(columns: Columns, kind: TypeAdapter[X], form: str) -> X:
    """What the file says of itself; refused where it is of another format, or says more or less than the type has.

    kind: of a frozen dataclass.
    """
    told: Any = columns.about()
    said = told.get("format") if isinstance(told, dict) else None
    if said != form:
        raise refused("library-format", columns.path, found=said, format=form)
    try:
        about: Any = kind.validate_python(told)
    except ValueError as error:
        raise refused("library-misfit", columns.path, reason=_reason(error)) from None
    # The schema turns "1" into 1 and leaves out what it does not know; what was written has neither.
    if json_bytes(asdict(about)) != json_bytes(told):
        raise refused("library-misfit", columns.path, reason=mark("it says more than the format has"))
    found: X = about
    return found


def _reason(error: ValueError) -> str:
    """The first thing that is wrong, and where."""
    from pydantic import ValidationError  # noqa: PLC0415  (only what is read needs it, and it takes long to load)

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
