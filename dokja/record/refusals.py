"""What a database says when it refuses, said as `RecordError`s with stable codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from dokja.errors import Place, Problem, RecordError
from dokja.language import mark
from dokja.record.tables import WAS_MOVED

_REFUSALS: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (
        ("SQLITE_FULL", "53100"),
        "record-disk-full",
        mark("There is no room left for the record; nothing was written."),
        mark("Make room on the disk and do the same again."),
    ),
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "40P01"),
        "record-busy",
        mark("Somebody else is writing to the record; nothing was written."),
        mark("Wait until the other run has ended and do the same again."),
    ),
    (
        ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002"),
        "record-damaged",
        mark("The record's file is damaged, or is no record ({reason})."),
        mark("Keep the file as it is, and restore the record from a copy."),
    ),
    (
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH", "42501"),
        "record-read-only",
        mark("The record may not be written to ({reason})."),
        mark("Check the permissions of the record and of its folder."),
    ),
    (
        ("SQLITE_CANTOPEN",),
        "record-unreachable",
        mark("The record cannot be opened ({reason})."),
        mark("Check the path or the address, and the permissions."),
    ),
    (
        ("08", "3D000", "3F000", "28"),
        "record-unreachable",
        mark("The record's database cannot be opened ({reason})."),
        mark(
            "See that the server runs, and that the address names a user, a database and a schema that it has. A "
            "password is looked for in PGPASSWORD and in ~/.pgpass."
        ),
    ),
    (
        ("42P01", "42703"),
        "record-other-tables",
        mark("The database holds other tables of the same names, and no record ({reason})."),
        mark("Name another database, or another schema of this one."),
    ),
    (
        ("SQLITE_CONSTRAINT", "23", "P0001"),
        "record-refused",
        mark("The record refuses the change: {reason}."),
        mark("The record only grows, by one act after the other; answer an act with a later act."),
    ),
)
MOVED = (
    "record-moved",
    mark("The record was moved to another place; here it takes nothing in any more."),
    mark(
        "Name the place that it went to in record.url. Where “dokja record move” did not come to its end, do it "
        "again, with the same address."
    ),
)
"""What is said of a record that goes on elsewhere."""

_LOST = (
    "record-connection-lost",
    mark(
        "The connection to the record's database was lost ({reason}); whether the last acts were written is unknown."
    ),
    mark("When the database answers again, do the same again: acts that stand there already are recognised."),
)
"""A commit whose answer never came may have been written or not."""

_OTHERWISE = (
    "record-not-written",
    mark("The record's database stopped ({reason}); nothing was written."),
    mark("See to the cause and do the same again."),
)


@contextmanager
def told(place: Place) -> Iterator[None]:
    """Raise what the database refuses as a `RecordError`.

    SQLite names its refusals; PostgreSQL numbers them (SQLSTATE, PostgreSQL documentation, appendix A).
    """
    try:
        yield
    except DBAPIError as error:
        raise RecordError(_problem(error.orig, place, lost=error.connection_invalidated)) from error
    except UnicodeDecodeError as error:
        raise RecordError(_damaged(place)) from error


def _damaged(place: Place) -> Problem:
    """SQLite quotes what it stumbles over; where that is no text, the file is damaged."""
    _, code, what, mend = next(refusal for refusal in _REFUSALS if refusal[1] == "record-damaged")
    return Problem(code, what, mend, place, {"reason": "SQLITE_CORRUPT"})


def _problem(error: BaseException | None, place: Place, *, lost: bool = False) -> Problem:
    name = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if getattr(error, "sqlstate", "") is None:
        # A PostgreSQL server that cannot be reached gives no number.
        name = "08"
    if WAS_MOVED in str(error):
        return Problem(*MOVED, place)
    code, what, mend = (
        _LOST
        if lost
        else next(
            (
                (code, what, mend)
                for beginnings, code, what, mend in _REFUSALS
                if any(name.startswith(beginning) for beginning in beginnings)
            ),
            _OTHERWISE,
        )
    )
    reason = (str(error).splitlines() or [name])[0]
    return Problem(code, what, mend, place, {"reason": reason})
